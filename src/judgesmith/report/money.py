"""What a run's calls came to: money, tokens and prices, as plain numbers in US dollars."""

from judgesmith.report.numbers import money, plural
from judgesmith.report.results import Result


class MoneyLine(Result):
    """What one stage asked of one model.

    `hits` came out of our own cache and are no calls. Of the `calls`, paid ones were answered,
    free ones refused by the server, and nobody knows of unsure ones; the others are in flight.
    Tokens are of paid calls; cached and written ones, of the vendor's cache, are parts of the
    prompt's. An unsure call may have cost up to its bound, which is what `possibly_paid_usd` adds.
    Before the first call, `expected_usd` was expected and `most_usd` the most; None for a model
    without prices.
    """

    stage: str
    model: str
    hits: int
    calls: int
    paid_calls: int
    free_calls: int
    unsure_calls: int
    prompt_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    completion_tokens: int
    paid_usd: float
    possibly_paid_usd: float
    expected_usd: float | None = None
    most_usd: float | None = None

    @property
    def in_flight_calls(self) -> int:
        """Calls that have not ended, or whose process was killed."""
        return self.calls - self.paid_calls - self.free_calls - self.unsure_calls


class PriceRow(Result):
    """What the recipe says that a model costs: US dollars per million tokens on the day `as_of`.

    A model without `as_of` has no prices; `known` says whether the recipe still describes it.
    A price of cached input that is None is that of input, one of cache writes 1.25 times it.
    `batch` is the share of these prices that a batch costs, None where no batches are made.
    """

    model: str
    known: bool = True
    served_as: str = ""
    server: str = ""
    input_usd: float | None = None
    output_usd: float | None = None
    cached_input_usd: float | None = None
    cache_write_usd: float | None = None
    batch: float | None = None
    as_of: str | None = None


class Money(Result):
    """All that a run's ledger says. `cap_usd` is None where no budget was given.

    Totals come from the ledger itself: they are exact to a billionth of a dollar.
    """

    lines: tuple[MoneyLine, ...]
    prices: tuple[PriceRow, ...]
    paid_usd: float
    possibly_paid_usd: float
    in_flight_usd: float
    cap_usd: float | None = None

    @property
    def open_usd(self) -> float:
        """The most that unsure calls and those in flight can have cost."""
        return self.possibly_paid_usd + self.in_flight_usd


def money_sentence(found: Money) -> str:
    """Say in one line what the run's calls came to.

    >>> line = MoneyLine(
    ...     stage="labels", model="m", hits=30, calls=120, paid_calls=119, free_calls=0,
    ...     unsure_calls=1, prompt_tokens=9, cached_tokens=0, cache_write_tokens=0,
    ...     completion_tokens=9, paid_usd=1.5, possibly_paid_usd=0.02,
    ... )
    >>> print(money_sentence(Money(
    ...     lines=(line,), prices=(), paid_usd=1.5, possibly_paid_usd=0.02, in_flight_usd=0,
    ...     cap_usd=5,
    ... )))
    paid $1.50 (possibly $0.0200 more) of $5.00, 120 calls, 30 from the cache
    """
    calls = plural(sum(line.calls for line in found.lines), "call")
    hits = sum(line.hits for line in found.lines)
    cap = "" if found.cap_usd is None else f" of {money(found.cap_usd)}"
    return (
        f"paid {money(found.paid_usd)} (possibly {money(found.open_usd)} more){cap}, {calls}, "
        f"{hits:,} from the cache"
    )
