"""Selective prediction: below which confidence a judge must abstain to keep a promised risk.

The guarantee, exactly. Let questions be drawn independently from one distribution, each with its
items, and one item of each question be drawn evenly. Let a judge whose confidences do not depend on
these labels give a verdict only where its confidence is above a threshold t. Its risk is

    R(t) = P(the verdict is wrong | the confidence is above t)

for a new question of the same distribution. With probability at least 1 - delta over the questions
that the threshold was chosen on, either R(t) <= risk for the t returned, or none is returned.

The proof (after Geifman and El-Yaniv 2017, their union bound taken over a fixed list instead of
a search, as in Angelopoulos et al. 2021). The thresholds tried are the order statistics of fixed
ranks: of n confidences, t(j) is the (k + 1)-th largest with k = ceil(j * n / `STEPS`); for k = n
everything is kept. Left out are the ranks that are too small to pass without a single error, which
follows from n, risk and delta alone; m are left. Given t(j), the items above it are independent
draws from those with a confidence above t(j), so that of N(j) such items the wrong ones are
binomial with R(t(j)); ties at t(j) are all left out and change nothing. Where R(t(j)) > risk,
P(Bin(N(j), risk) <= wrong(j)) <= delta / m thus happens with probability at most delta / m, and the
union bound over the m ranks gives delta. Nothing is assumed of the confidences: not that they are
calibrated, nor that risk falls as they rise.

Questions made from a few templates are independent draws only from the questions of these
templates, so that nothing is promised of questions from others
(`benchmarks/abstention_templates.py` shows how often that would break).

Items of one question share their fate, so one per question counts. That drops items, and keeps
the binomial exact; `benchmarks/abstention.py` shows what happens when it is not done.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from judgesmith.errors import DataError
from judgesmith.metrics.coding import FloatArray, aligned
from judgesmith.metrics.probability import confidence_columns
from judgesmith.records import keyed_rng

STEPS = 10
"""Coverages tried: tenths. More would find a threshold nearer the limit, each at a higher price."""
KEEPS_ALL = -1.0
"""The threshold below every confidence."""
_MOST_NEEDED = 1_000_000


@dataclass(frozen=True, slots=True)
class Abstention:
    """The threshold for a risk, or how far the evidence is from one.

    Attributes:
        risk: the most errors allowed among verdicts given, 0 to 1.
        delta: how likely the threshold may break that promise.
        n: calibration items, one per question.
        above: verdicts are given where the confidence is above this; `KEEPS_ALL` abstains on
            nothing. None: no threshold keeps the risk with this confidence.
        kept: calibration items above it.
        wrong: how many of them are wrong.
        upper: upper bound of the risk at level 1 - delta / m (Clopper and Pearson 1934); with
            `above` None it belongs to the nearest try, as `kept` and `wrong` do.
        questions_needed: with `above` None, about how many questions in all would do if the shares
            stay as they are; None where no number would.
    """

    risk: float
    delta: float
    n: int
    above: float | None
    kept: int
    wrong: int
    upper: float
    questions_needed: int | None = None

    @property
    def coverage(self) -> float:
        """Share of calibration items that a verdict is given on."""
        return self.kept / self.n if self.above is not None else 0.0

    def gives(self, confidence: float) -> bool:
        """Whether a verdict of this confidence is given.

        >>> Abstention(0.1, 0.05, 100, 0.6, 80, 1, 0.08).gives(0.6)
        False
        """
        return self.above is not None and confidence > self.above


@dataclass(frozen=True, slots=True)
class _Try:
    above: float
    kept: int
    wrong: int


def one_per_cluster(clusters: Sequence[Hashable], seed: int) -> list[int]:
    """The position of one row of each cluster, drawn evenly; clusters keep their order.

    >>> len(one_per_cluster(["q", "r", "r", "q"], seed=1))
    2
    """
    members: dict[Hashable, list[int]] = {}
    for position, cluster in enumerate(clusters):
        members.setdefault(cluster, []).append(position)
    return [
        keyed_rng(seed, "one of a question", str(cluster)).choice(rows)
        for cluster, rows in members.items()
    ]


def abstention(
    confidences: Sequence[float], right: Sequence[bool], *, risk: float, delta: float = 0.05
) -> Abstention:
    """Choose the lowest threshold that keeps the risk; the module says what is guaranteed.

    Args:
        confidences: 0 to 1, larger means surer; one item per question (see `one_per_cluster`).
        right: whether the verdict is right.
        risk: the most errors allowed among verdicts given, above 0 and below 1.
        delta: how likely that may fail, above 0 and below 1.

    Raises:
        DataError: no rows, different lengths, or values out of range.

    Of 200 items the 150 surest are right. Kept are the 160 surest (tenths), with 10 wrong, and
    P(Bin(160, .2) <= 10) = 5e-7 is below .05/9; of 180, 30 are wrong, which is too many:

    >>> sure = [i / 200 for i in range(200)]
    >>> found = abstention(sure, [i >= 50 for i in range(200)], risk=0.2)
    >>> found.above, found.kept, found.wrong, found.coverage
    (0.195, 160, 10, 0.8)

    Twenty right verdicts cannot promise 10%, as (1 - .1)**20 = .12:

    >>> few = abstention([0.9] * 20, [True] * 20, risk=0.1)
    >>> few.above, few.questions_needed
    (None, 29)
    """
    for name, given in (("risk", risk), ("delta", delta)):
        if not 0 < given < 1:
            raise DataError(f"{name}: expected a number above 0 and below 1, found {given!r}")
    aligned(confidences=confidences, right=right)
    stated, outcome = confidence_columns(confidences, right)
    if len(stated) == 0:
        raise DataError("expected at least one labelled item to choose a threshold, found none")
    n = len(stated)
    steps = _worth_trying(n, risk, delta)
    tried, level = _tries(stated, outcome, steps), delta / len(steps)
    kept = [one for one in tried if _p_value(one.wrong, one.kept, risk) <= level]
    if kept:
        best = max(kept, key=lambda one: one.kept)
        upper = _upper(best, level)
        return Abstention(risk, delta, n, best.above, best.kept, best.wrong, upper)
    nearest = min((one for one in tried if one.kept), key=lambda one: _upper(one, level))
    return Abstention(
        risk, delta, n, None, nearest.kept, nearest.wrong, _upper(nearest, level),
        _needed(_tries(stated, outcome, range(1, STEPS + 1)), n, risk, delta),
    )  # fmt: skip


def _rank(step: int, n: int) -> int:
    return math.ceil(step * n / STEPS)


def _worth_trying(n: int, risk: float, delta: float) -> range:
    """The steps whose ranks could pass without an error; the last one in any case."""
    return next(
        (
            range(first, STEPS + 1)
            for first in range(1, STEPS + 1)
            if _p_value(0, _rank(first, n), risk) <= delta / (STEPS + 1 - first)
        ),
        range(STEPS, STEPS + 1),
    )


def _tries(stated: FloatArray, outcome: FloatArray, steps: range) -> list[_Try]:
    """What is kept at the rank of each step, and how much of it is wrong."""
    n = len(stated)
    falling = np.sort(stated)[::-1]
    found = []
    for step in steps:
        rank = _rank(step, n)
        above = KEEPS_ALL if rank >= n else float(falling[rank])
        inside = stated > above
        found.append(_Try(above, int(inside.sum()), int((1 - outcome[inside]).sum())))
    return found


def _p_value(wrong: float, kept: float, risk: float) -> float:
    """P(Bin(kept, risk) <= wrong); 1 where nothing is kept."""
    from scipy.special import bdtr  # slow to load

    return float(bdtr(wrong, kept, risk)) if kept else 1.0


def _upper(one: _Try, level: float) -> float:
    """The largest risk that a test at this level does not rule out."""
    from scipy.special import bdtri  # slow to load

    return 1.0 if one.wrong >= one.kept else float(bdtri(one.wrong, one.kept, level))


def _needed(tried: Sequence[_Try], n: int, risk: float, delta: float) -> int | None:
    """The smallest sample of these shares with which some rank would pass."""
    hopeful = [one for one in tried if one.kept and one.wrong / one.kept < risk]
    if not hopeful:
        return None
    low, high = n, 2 * n
    while not _would_do(hopeful, n, high, risk, delta):
        low, high = high, 2 * high
        if high > _MOST_NEEDED:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        enough = _would_do(hopeful, n, middle, risk, delta)
        low, high = (low, middle) if enough else (middle, high)
    return high


def _would_do(tried: Sequence[_Try], n: int, wanted: int, risk: float, delta: float) -> bool:
    level = delta / len(_worth_trying(wanted, risk, delta))
    return any(
        _p_value(-(-one.wrong * wanted // n), one.kept * wanted // n, risk) <= level
        for one in tried
    )
