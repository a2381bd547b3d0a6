"""What every result is made of: a number with its interval, and a table of counts."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Role = Literal["student", "judge", "teacher", "before training", "person", "key", "baseline"]
"""Whose verdicts these are; in the order in which tables list them."""

LabelsKind = Literal["people", "answer key", "another judge", "simulated annotators", "nobody"]


class Result(BaseModel):
    """Base of everything here: frozen, and a stranger to unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Number(Result):
    """An estimate with its interval and denominator.

    `hidden` gives the reason why the value may be known but must not be shown (too few items, or
    one label holds nearly all); `undefined` why there is none; `no_interval` why an interval that
    was asked for is not there.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int
    clusters: int | None = None
    undefined: str | None = None
    hidden: str | None = None
    no_interval: str | None = None


class Confusion(Result):
    """Counts of judge verdict (row) by label (column); `unparsed` verdicts per label."""

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    unparsed: tuple[int, ...]
