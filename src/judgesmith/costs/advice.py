"""What to do, in one sentence: a judge of one's own, the API, or first find something out."""

from dataclasses import dataclass
from typing import Literal

from judgesmith.report.cost_words import (
    count_range,
    count_words,
    duration_words,
    month_words,
)
from judgesmith.report.costs import Spread, Swing

SURE = 0.9
"""The probability from which on a decision is called one."""
Verdict = Literal["own judge", "API", "not decided"]


@dataclass(frozen=True)
class Stakes:
    """What the advice rests on, of one way to run an own judge against one API."""

    own: str
    api: str
    api_kind: str
    period: int
    volume: Spread
    months: Spread
    needed: Spread
    in_time: float
    worst: Swing | None


def advise(stakes: Stakes) -> tuple[Verdict, str]:
    """The verdict and the sentences that give its reasons."""
    at = f"At {_range(stakes.volume)} judgments a month your own judge ({stakes.own})"
    pays = f"{at} has paid for itself {_after(stakes.months)}{_chance(stakes)}."
    if stakes.in_time >= SURE:
        return "own judge", f"Use your own judge. {pays}{_from(stakes)}"
    if stakes.in_time > 1 - SURE:
        return "not decided", f"Not decided. {pays}{_find_out(stakes.worst)}{_from(stakes)}"
    if stakes.months.low is None:
        pays = f"{at} never pays{_chance(stakes)}."
    return "API", f"Keep the API ({stakes.api}, {stakes.api_kind}). {pays}{_from(stakes)}"


def _range(volume: Spread) -> str:
    if volume.low == volume.high:
        return count_words(volume.middle)
    return f"{count_words(volume.low)} to {count_words(volume.high)}"


def _after(months: Spread) -> str:
    """The median, and the interval where there is one.

    >>> _after(Spread(low=2.0, middle=3.0, high=None)), _after(Spread(low=3, middle=3, high=3))
    ('after 3.0 months [2.0, never]', 'after 3.0 months')
    >>> _after(Spread(low=7.0, middle=None, high=None))
    'never, at the median, and at best (5%) after 7.0 months'
    """
    if months.middle is None:
        best = (
            "" if months.low is None else f", and at best (5%) after {duration_words(months.low)}"
        )
        return f"never, at the median{best}"
    said = f"after {duration_words(months.middle)}"
    if months.low == months.high:
        return said
    return f"{said} [{month_words(months.low)}, {month_words(months.high)}]"


def _chance(stakes: Stakes) -> str:
    """The probability that it pays in time, where that says more than the months do."""
    if stakes.months.low == stakes.months.high and stakes.in_time in (0.0, 1.0):
        return ""
    return f"; it pays within {stakes.period} months with a probability of {stakes.in_time:.0%}"


def _from(stakes: Stakes) -> str:
    if stakes.needed.middle is None:
        return " No volume makes it pay in that time."
    return (
        f" It pays within {stakes.period} months from {count_range(stakes.needed)} judgments a "
        "month on."
    )


def _find_out(worst: Swing | None) -> str:
    if worst is None:
        return ""
    return f" Most hangs on {worst.input}: find that out first."
