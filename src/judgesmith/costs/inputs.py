"""What a cost file holds: volume, prices with their dates, machines, ways to run the judge.

Money is in US dollars. Wherever a number stands, a range may stand: see `Amount`.
"""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from judgesmith.costs.amounts import Amount, PartialShare, Positive, PositiveShare, Share
from judgesmith.runs.recipe import Section


class Tokens(Section):
    """Tokens of one call, as the API counts them."""

    prompt: Positive
    reply: Positive


class ApiPrice(Section):
    """US dollars on the day `as_of`, and where that is written (`source`).

    Either per million tokens (`input`, `output`, and `cached_input` for prompt tokens that the
    vendor has in its cache; `batch` is what a batch costs as a share of the same calls made one
    by one), or what a call came to on a bill (`per_call`, `per_batch_call`).
    """

    input: Amount | None = None
    output: Amount | None = None
    cached_input: Amount | None = None
    batch: PositiveShare | None = None
    per_call: Amount | None = None
    per_batch_call: Amount | None = None
    as_of: date
    source: str = Field(min_length=1)

    @property
    def by_tokens(self) -> bool:
        """Whether a call's price hangs on its tokens."""
        return self.input is not None

    @property
    def live(self) -> bool:
        """Whether calls one by one have a price."""
        return self.by_tokens or self.per_call is not None

    @property
    def in_batches(self) -> bool:
        """Whether batches have a price."""
        return self.batch is not None or self.per_batch_call is not None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        billed = self.per_call is not None or self.per_batch_call is not None
        tokens = (self.input is not None, self.output is not None)
        if billed == any(tokens) or (any(tokens) and not all(tokens)):
            raise ValueError(
                "expected either `input` and `output` (US dollars per million tokens), or "
                "`per_call` or `per_batch_call`"
            )
        if billed and (self.cached_input is not None or self.batch is not None):
            raise ValueError("`cached_input` and `batch` go with `input` and `output` only")
        return self


class Api(Section):
    """A judge behind an API.

    `cached` is the share of the prompt that the vendor reads from its cache; `repeated` the share
    of calls that are paid once more (cut off, unreadable). `falls_per_year` is the share by which
    its price falls in a year, little by little. `tokens` are its own, where it counts
    otherwise than `tokens` of the file.
    """

    price: ApiPrice
    tokens: Tokens | None = None
    cached: Share = Share(value=0.0)
    repeated: Share = Share(value=0.0)
    falls_per_year: PartialShare = PartialShare(value=0.0)


class Machine(Section):
    """US dollars for an hour of a machine on the day `as_of`, and where that is written."""

    per_hour: Amount
    as_of: date
    source: str = Field(min_length=1)


class Load(Section):
    """A measurement: `calls` answered in `wall_s` seconds with so many in flight at a time."""

    calls: Positive
    wall_s: Positive
    concurrency: int | None = Field(None, ge=1)
    p50_s: float | None = Field(None, gt=0)
    p95_s: float | None = Field(None, gt=0)
    p99_s: float | None = Field(None, gt=0)


class Latency(Section):
    """The longest that a call may take: half of them, 95% and 99% of them. In seconds."""

    p50_s: float | None = Field(None, gt=0)
    p95_s: float | None = Field(None, gt=0)
    p99_s: float | None = Field(None, gt=0)

    @property
    def limits(self) -> dict[str, float]:
        """Those that are given, by name."""
        return {name: limit for name, limit in self if limit is not None}

    @model_validator(mode="after")
    def _one_at_least(self) -> Self:
        if not self.limits:
            raise ValueError("expected p50_s, p95_s or p99_s")
        return self


class Own(Section):
    """One way to run a judge of one's own on a machine.

    How fast: `calls_per_hour`, or `loads` as measured, out of which `concurrency` or `latency`
    choose one. What is paid: `utilisation`, the share of paid hours in which the machine works at
    that rate; or `hours_per_month`, which are paid for each machine whatever there is to judge,
    and there are as many machines as the volume needs when each is busy for `busy_at_most` of
    them. `start_s` are paid `starts_per_month` times before the first call. `handed_on` is the
    share of judgments that the judge leaves to the API after all.
    """

    kind: Literal["offline", "live"]
    machine: str
    calls_per_hour: Positive | None = None
    loads: tuple[Load, ...] = ()
    concurrency: int | None = Field(None, ge=1)
    latency: Latency | None = None
    utilisation: PositiveShare | None = None
    hours_per_month: Positive | None = None
    busy_at_most: PositiveShare = PositiveShare(value=1.0)
    start_s: Amount = Amount(value=0.0)
    starts_per_month: Amount = Amount(value=0.0)
    handed_on: Share = Share(value=0.0)

    @model_validator(mode="after")
    def _said_once(self) -> Self:
        if (self.calls_per_hour is None) == (not self.loads):
            raise ValueError("expected either `calls_per_hour` or `loads`")
        if (self.utilisation is None) == (self.hours_per_month is None):
            raise ValueError(
                "expected either `utilisation` (1 where no paid hour is idle) or `hours_per_month`"
            )
        return self


class Teacher(Section):
    """Labels by a model: what was paid (`usd`), or so many `calls` of an API."""

    usd: Amount | None = None
    calls: Amount | None = None
    api: str | None = None
    batch: bool = False

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        called = self.calls is not None and self.api is not None
        if (self.usd is not None) == called or (self.calls is None) != (self.api is None):
            raise ValueError("expected either `usd`, or `calls` and `api`")
        return self


class People(Section):
    """Labels by people: so many `labels` in all, `minutes` for one, at a wage `per_hour`."""

    labels: Amount
    minutes: Positive
    per_hour: Amount


class Training(Section):
    """Paid hours of a machine for one training, and how many `runs` of it were paid in all."""

    machine: str
    hours: Amount
    runs: Positive = Positive(value=1.0)


class Once(Section):
    """What is paid once, before the judge's first judgment; `other` by any name."""

    teacher: Teacher | None = None
    people: People | None = None
    training: Training | None = None
    other: dict[str, Amount] = Field(default_factory=dict)


class CostInputs(Section):
    """A cost file.

    `calls_per_judgment` is 2 where a pair is judged in both orders. The judge is to be in use for
    `months`. `each_month` is what a judge of one's own costs beside its machine, by any name.
    """

    judgments_per_month: Positive
    months: int = Field(ge=1, le=600)
    calls_per_judgment: Positive
    tokens: Tokens | None = None
    apis: dict[str, Api] = Field(min_length=1)
    machines: dict[str, Machine] = Field(min_length=1)
    own: dict[str, Own] = Field(min_length=1)
    once: Once = Once()
    each_month: dict[str, Amount] = Field(default_factory=dict)
    within_judgments: tuple[Annotated[float, Field(gt=0)], ...] = ()
