"""What judgments cost and when a judge of one's own pays, as plain numbers in US dollars."""

from datetime import date
from typing import Literal

from judgesmith.report.results import Result


class Spread(Result):
    """A figure over all draws of the inputs: 5% quantile, median, 95% quantile.

    None is never (a break-even at infinity); all three are equal where no input is uncertain.
    """

    low: float | None
    middle: float | None
    high: float | None


class CostOption(Result):
    """One way to have judgments made.

    `judgment` is what one costs at this volume, machines that stand idle included. `all_in` adds
    what is paid once and each month, over all judgments of the period; equal to `judgment` for an
    API. `busy` is the share of paid hours in which a machine works, None for an API.
    """

    name: str
    kind: Literal["API", "batch API", "offline", "live"]
    judgment: Spread
    all_in: Spread
    month: Spread
    busy: Spread | None
    rests_on: str


class Swing(Result):
    """What one input moves: the break-even at its low and its high value.

    In months at the volume of the file, and in judgments a month from which on it falls within the
    period. None is never. `assumed` marks an input that is one number: it was moved by a fifth
    less and a quarter more.
    """

    input: str
    low: float
    high: float
    months_at_low: float | None
    months_at_high: float | None
    needed_at_low: float | None
    needed_at_high: float | None
    assumed: bool


class Within(Result):
    """The share of draws in which what was paid once is back within a limit."""

    limit: float
    share: float


class Payback(Result):
    """A way to run a judge of one's own against an API.

    `like_for_like`: both answer at once, or neither has to. `cheaper` is how many times less a
    judgment costs, without what is paid once. `months` and `judgments` are the break-even,
    `needed` the judgments a month from which on it falls within the period, `ahead` what is saved
    by the end of the period (negative: lost). `within_months` and `within_judgments` are
    probabilities.
    """

    own: str
    api: str
    api_kind: Literal["API", "batch API"]
    like_for_like: bool
    cheaper: Spread
    months: Spread
    judgments: Spread
    needed: Spread
    ahead: Spread
    within_months: tuple[Within, ...]
    within_judgments: tuple[Within, ...]
    verdict: Literal["own judge", "API", "not decided"]
    advice: str
    swings: tuple[Swing, ...]


class OnceRow(Result):
    """One thing that is paid once."""

    name: str
    usd: Spread


class InputRow(Result):
    """One input as it was given, where it comes from, and what the file says for it."""

    name: str
    value: str
    origin: str
    why: str | None = None


class PriceDate(Result):
    """The day on which a price held, and where that is written."""

    name: str
    as_of: date
    source: str


class MeasuredRow(Result):
    """Something that a run measured itself, and where it stands."""

    name: str
    value: str
    origin: str


class Costs(Result):
    """Everything that `judgesmith cost` found; `months` is the period that the judge is in use."""

    volume: Spread
    months: int
    options: tuple[CostOption, ...]
    once: tuple[OnceRow, ...]
    once_usd: Spread
    upkeep_usd: Spread
    paybacks: tuple[Payback, ...]
    prices: tuple[PriceDate, ...]
    rests_on: tuple[str, ...]
    inputs: tuple[InputRow, ...]
    draws: int
    seed: int
