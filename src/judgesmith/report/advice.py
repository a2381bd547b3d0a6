"""Which of a run's own checkpoints to use where, as far as the paired tests decide it."""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

from judgesmith.report.results import Comparison, Evaluation, Number
from judgesmith.runs.students import BEFORE

PLACES = {"in_domain": "In the trained categories", "out_of_domain": "Outside of them"}


class Advice(NamedTuple):
    """What to use in one place, and what it rests on."""

    place: str
    use: str
    because: str


def advise(evaluation: Evaluation, checkpoints: Sequence[str]) -> list[Advice]:
    """One line per domain in which at least two checkpoints were compared.

    A checkpoint is advised where it is better than another by paired test and interval, and no
    other is better than it. Where the test shows no difference, none is: the first in the order of
    training, which took the least, is named as what there is no reason to leave.

    Args:
        evaluation: with its comparisons, adjusted over their whole table.
        checkpoints: the run's own, in the order of training; the one before training is left out.
    """
    own = [name for name in checkpoints if name != BEFORE]
    found = []
    for place, words in PLACES.items():
        compared = _compared(evaluation, place, own)
        if compared:
            found.append(Advice(words, *_decide(compared, own)))
    return found


def _compared(evaluation: Evaluation, place: str, own: Sequence[str]) -> list[Comparison]:
    pairs = {frozenset(pair) for pair in combinations(own, 2)}
    return [
        one
        for one in evaluation.comparisons
        if one.slice == place and one.metric == "kappa" and frozenset((one.a, one.b)) in pairs
    ]


def _decide(compared: Sequence[Comparison], own: Sequence[str]) -> tuple[str, str]:
    """The name to use, and the differences that say so."""
    better = [one for one in compared if one.conclusion.endswith(" is better")]
    winners = {one.conclusion.removesuffix(" is better") for one in better}
    losers = {one.b if one.conclusion.startswith(f"{one.a} is") else one.a for one in better}
    best = [name for name in own if name in winners - losers]
    told = "; ".join(_difference(one) for one in compared)
    if len(best) == 1:
        return best[0], f"it is better by the paired test: {told}"
    left = next((name for name in own if name not in losers), own[0])
    return left, f"no test shows another to be better: {told}"


def _difference(one: Comparison) -> str:
    return f"{one.metric} of {one.a} minus {one.b} {_interval(one.difference)}"


def _interval(found: Number) -> str:
    """The value with its interval.

    >>> _interval(Number(value=-.05, low=-.11, high=.01, n=60))
    '-0.050 [-0.110, 0.010], n = 60'
    """
    if found.value is None or found.hidden is not None:
        return f"not shown ({found.hidden or found.undefined})"
    ends = "" if found.low is None else f" [{found.low:.3f}, {found.high:.3f}]"
    return f"{found.value:.3f}{ends}, n = {found.n}"
