"""The alternative annotator test: may this judge stand in for one of the people who label?"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, Unpack

import numpy as np

from judgesmith.errors import DataError
from judgesmith.metrics.coding import FloatArray, aligned
from judgesmith.metrics.interval import wilson
from judgesmith.metrics.perfect import bound_share
from judgesmith.metrics.probability import Draws, IntervalOptions, draws_of
from judgesmith.metrics.resample import counted_interval, sums_by_cluster
from judgesmith.metrics.result import Estimate, Headline

FALSE_DISCOVERY_RATE = 0.05
"""An annotator counts as matched when the adjusted p-value is at most this."""
PASSING_RATE = 0.5
"""The winning rate from which on the judge passes."""
LEAST_ANNOTATORS = 3

Alignment: TypeAlias = Literal["accuracy", "rmse"]
Rating: TypeAlias = str | int | float | None


@dataclass(frozen=True, slots=True)
class AnnotatorComparison(Headline):
    """The judge against one annotator, both measured by the other annotators.

    Attributes:
        annotator: who was left out.
        n: items that this annotator, the judge and at least one other annotator rated.
        judge_advantage: share of items on which the judge is aligned with the others at least as
            well as this annotator, Wilson interval.
        annotator_advantage: the reverse; equal alignment counts for both.
        p: one-sided p-value; None where not tested.
        p_adjusted: after Benjamini and Yekutieli, over the annotators tested.
        matched: whether the judge wins against this annotator; None where not tested.
        not_tested: why there was no test.
    """

    annotator: str
    n: int
    judge_advantage: Estimate
    annotator_advantage: Estimate
    p: float | None
    p_adjusted: float | None
    matched: bool | None
    not_tested: str | None

    @property
    def headline(self) -> Estimate:
        """The main number: `judge_advantage`."""
        return self.judge_advantage


@dataclass(frozen=True, slots=True)
class AlternativeAnnotatorTest(Headline):
    """Outcome of the test.

    Attributes:
        winning_rate: share of tested annotators that the judge matches (omega). Its n is small,
            so read it beside the single comparisons.
        advantage: mean over tested annotators of `judge_advantage` (rho), 0 to 1.
        passes: whether omega is at least `PASSING_RATE`; None where it is undefined.
        epsilon: the allowance that was asked for.
        alignment: "accuracy" or "rmse".
        annotators: one comparison per annotator, in the order given.
        left_out: items without a rating by the judge.
        warnings: what weakens the result.
    """

    winning_rate: Estimate
    advantage: Estimate
    passes: bool | None
    epsilon: float
    alignment: Alignment
    annotators: tuple[AnnotatorComparison, ...]
    left_out: int
    warnings: tuple[str, ...]

    @property
    def headline(self) -> Estimate:
        """The main number: `winning_rate`."""
        return self.winning_rate


def alternative_annotator_test(
    judge: Sequence[Rating],
    annotators: Mapping[str, Sequence[Rating]],
    *,
    epsilon: float,
    alignment: Alignment = "accuracy",
    least: int = 30,
    **interval: Unpack[IntervalOptions],
) -> AlternativeAnnotatorTest:
    """Test whether the judge may replace an annotator (Calderon, Reichart and Dror 2025).

    Each annotator h is left out in turn. On every item that h and the judge rated, both are
    scored by the others who rated it: with "accuracy" by the share of others with the same
    label, with "rmse" by minus the root mean squared distance from their numbers. Let

        f = 1 where the judge scores at least as well as h, else 0      rho_f = mean f
        g = 1 where h scores at least as well as the judge, else 0      rho_h = mean g

    The null hypothesis rho_f <= rho_h - epsilon is tested by a one-sided t-test of the mean of
    g - f against epsilon; epsilon is what people cost more than the judge. The p-values are
    adjusted for false discoveries under any dependence (Benjamini and Yekutieli 2001) and h is
    matched at `FALSE_DISCOVERY_RATE`. Omega is the share of annotators matched, rho the mean of
    rho_f; the judge passes from omega = .5 on. Items are taken as independent in the test; the
    interval of rho resamples clusters where they are given.

    The paper advises an epsilon of .2 for experts, .15 for skilled annotators, .1 for the crowd,
    less where people agree little, and 50 to 100 items.

    Undefined with fewer than three annotators, and when none has enough items. When all
    differences are equal the t-test has no spread; the p-value is then 0 or 1.

    Args:
        judge: rating of each item; None is left out and counted. To count an unparsed verdict as
            wrong instead, pass the column through `mark_unparsed`.
        annotators: ratings by name of the annotator; None where not rated.
        epsilon: the allowance, 0 to 1; has no default because it decides the outcome.
        alignment: "accuracy" for categories, "rmse" for numbers.
        least: annotators with fewer items are not tested.
        **interval: see `IntervalOptions`; for rho.

    Raises:
        DataError: different lengths, a setting out of range, or a rating that is no number under
            "rmse".

    Three people and a judge that always says what two of them say:

    >>> people = {"a": list("AABB") * 10, "b": list("AABB") * 10, "c": list("ABBA") * 10}
    >>> found = alternative_annotator_test(list("AABB") * 10, people, epsilon=0.1)
    >>> found.winning_rate.value, found.advantage.value, found.passes
    (1.0, 1.0, True)
    """
    _check(judge, annotators, epsilon, alignment)
    draws = draws_of(len(judge), interval)
    wins = {name: _wins(judge, annotators, name, alignment) for name in annotators}
    rated = [name for name, column in annotators.items() if any(r is not None for r in column)]
    few = len(rated) < LEAST_ANNOTATORS
    found = [_compare(name, wins[name], epsilon, 0 if few else least) for name in annotators]
    left_out = sum(rating is None for rating in judge)
    warnings = _warnings(found, left_out, len(judge))
    if few:
        reason = f"only {len(rated)} annotators, expected at least {LEAST_ANNOTATORS}"
        untested = tuple(replace(one, p=None, not_tested=reason) for one in found)
        none = Estimate.missing(reason, 0)
        return AlternativeAnnotatorTest(
            none, none, None, epsilon, alignment, untested, left_out, warnings
        )
    compared = _adjusted(found)
    tested = [one for one in compared if one.matched is not None]
    if not tested:
        none = Estimate.missing(f"no annotator shares {least} items with the judge", 0)
        return AlternativeAnnotatorTest(
            none, none, None, epsilon, alignment, compared, left_out, warnings
        )
    omega = Estimate.of(sum(one.matched is True for one in tested) / len(tested), len(tested))
    return AlternativeAnnotatorTest(
        winning_rate=omega,
        advantage=_mean_advantage({one.annotator: wins[one.annotator] for one in tested}, draws),
        passes=float(omega) >= PASSING_RATE,
        epsilon=epsilon,
        alignment=alignment,
        annotators=compared,
        left_out=left_out,
        warnings=warnings,
    )


def benjamini_yekutieli(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values that bound the share of false discoveries under any dependence.

    With p(1) <= ... <= p(m) and H = 1 + 1/2 + ... + 1/m (Benjamini and Yekutieli 2001):

        adjusted(i) = min over j >= i of min(1, m * H * p(j) / j)

    Raises:
        DataError: a value that is no number from 0 to 1.

    m = 2, H = 1.5: 2 * 1.5 * .01 / 1 = .03 and 2 * 1.5 * .04 / 2 = .06:

    >>> [round(p, 6) for p in benjamini_yekutieli([0.04, 0.01])]
    [0.06, 0.03]
    """
    for position, p in enumerate(p_values):
        if not (math.isfinite(p) and 0 <= p <= 1):
            raise DataError(f"p_values[{position}] is {p!r}: expected a number from 0 to 1")
    count = len(p_values)
    factor = count * math.fsum(1 / i for i in range(1, count + 1))
    adjusted = [1.0] * count
    reached = 1.0
    descending = sorted(range(count), key=p_values.__getitem__, reverse=True)
    for rank, position in zip(range(count, 0, -1), descending, strict=True):
        reached = min(reached, factor * p_values[position] / rank)
        adjusted[position] = reached
    return adjusted


def _check(
    judge: Sequence[Rating],
    annotators: Mapping[str, Sequence[Rating]],
    epsilon: float,
    alignment: Alignment,
) -> None:
    if not 0 <= epsilon <= 1 or alignment not in ("accuracy", "rmse"):
        raise DataError(
            "expected epsilon from 0 to 1 and alignment 'accuracy' or 'rmse', found "
            f"epsilon={epsilon!r}, alignment={alignment!r}"
        )
    columns = {"judge": judge, **{f"annotator {name!r}": c for name, c in annotators.items()}}
    aligned(**columns)
    for name, column in columns.items():
        for position, rating in enumerate(column):
            number = isinstance(rating, int | float) and math.isfinite(rating)
            label = isinstance(rating, str | int) and alignment == "accuracy"
            if not (rating is None or number or label):
                raise DataError(f"{name}[{position}] is {rating!r}: expected a rating or None")


def _wins(
    judge: Sequence[Rating],
    annotators: Mapping[str, Sequence[Rating]],
    left_out: str,
    alignment: Alignment,
) -> FloatArray:
    """Return one row (position, f, g) per item that counts for this annotator."""
    others = [column for name, column in annotators.items() if name != left_out]
    rows = []
    for position, (own, human) in enumerate(zip(judge, annotators[left_out], strict=True)):
        rest = [column[position] for column in others if column[position] is not None]
        if own is not None and human is not None and rest:
            first, second = _score(own, rest, alignment), _score(human, rest, alignment)
            rows.append((position, float(first >= second), float(second >= first)))
    return np.array(rows, dtype=np.float64).reshape(-1, 3)


def _score(rating: str | float, rest: Sequence[Rating], alignment: Alignment) -> float:
    """Return a number that orders as the alignment does; both sides have the same `rest`."""
    if alignment == "accuracy":
        return float(sum(rating == other for other in rest))
    value = float(rating)
    return -math.fsum((value - float(other)) ** 2 for other in rest if other is not None)


def _compare(name: str, wins: FloatArray, epsilon: float, least: int) -> AnnotatorComparison:
    """Return the comparison with one annotator, its p-value not yet adjusted."""
    n, judge, human = len(wins), int(wins[:, 1].sum()), int(wins[:, 2].sum())
    reason = f"only {n} items, fewer than {least}" if n < least or n == 0 else None
    return AnnotatorComparison(
        annotator=name,
        n=n,
        judge_advantage=wilson(judge, n),
        annotator_advantage=wilson(human, n),
        p=None if reason else _p_value(wins[:, 2] - wins[:, 1], epsilon),
        p_adjusted=None,
        matched=None,
        not_tested=reason,
    )


def _p_value(differences: FloatArray, epsilon: float) -> float:
    """Return the one-sided p-value of a mean below epsilon."""
    from scipy.stats import ttest_1samp  # slow to load

    if np.ptp(differences) == 0:
        return 0.0 if differences[0] < epsilon else 1.0
    return float(ttest_1samp(differences, epsilon, alternative="less").pvalue)


def _adjusted(found: Sequence[AnnotatorComparison]) -> tuple[AnnotatorComparison, ...]:
    """Return the comparisons with adjusted p-values and outcomes where there was a test."""
    adjusted = iter(benjamini_yekutieli([one.p for one in found if one.p is not None]))
    rows = []
    for one in found:
        p = None if one.p is None else next(adjusted)
        matched = None if p is None else p <= FALSE_DISCOVERY_RATE
        rows.append(replace(one, p_adjusted=p, matched=matched))
    return tuple(rows)


def _mean_advantage(wins: Mapping[str, FloatArray], draws: Draws | None) -> Estimate:
    """Return rho: the mean over annotators of the judge's advantage."""
    items = {int(position) for rows in wins.values() for position in rows[:, 0]}
    point = Estimate.of(
        math.fsum(float(rows[:, 1].mean()) for rows in wins.values()) / len(wins), len(items)
    )
    if draws is None:
        return point
    columns = np.zeros((len(draws.codes), 2 * len(wins)), dtype=np.int64)
    for place, rows in enumerate(wins.values()):
        positions = rows[:, 0].astype(np.int64)
        columns[positions, 2 * place] = rows[:, 1].astype(np.int64)
        columns[positions, 2 * place + 1] = 1

    def mean_share(sums: FloatArray) -> FloatArray:
        shares = np.full((len(sums), len(wins)), np.nan)
        below = sums[:, 1::2]
        np.divide(sums[:, ::2], below, out=shares, where=below > 0)
        mean: FloatArray = shares.mean(axis=1)
        return mean

    counts = sums_by_cluster(columns, draws.codes)
    found = counted_interval(point, counts, mean_share, draws.plan)
    return bound_share(found, int((counts[:, 1::2].sum(axis=1) > 0).sum()))


def _warnings(found: Sequence[AnnotatorComparison], left_out: int, n: int) -> tuple[str, ...]:
    """Return what weakens the result."""
    warnings = [
        f"{one.annotator!r} was not tested: {one.not_tested}" for one in found if one.not_tested
    ]
    if left_out:
        warnings.append(f"{left_out} of {n} items have no rating by the judge and were left out")
    return tuple(warnings)
