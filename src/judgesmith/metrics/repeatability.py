"""Does a judge agree with itself when asked the same thing again, and is a flip more than that?

Samples are repeated calls of one judge on one item in one order, as far as the judge samples. None
is an unparsed verdict: it leaves its item's repeats, and is counted, but never agrees with
anything.
"""

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Unpack

import numpy as np

from judgesmith.errors import DataError
from judgesmith.metrics.coding import Label, Verdict, aligned, cluster_codes
from judgesmith.metrics.perfect import without_width
from judgesmith.metrics.resample import (
    Resampling,
    ResamplingOptions,
    counted_interval,
    ratio,
    sums_by_cluster,
)
from judgesmith.metrics.result import Estimate, Headline
from judgesmith.metrics.shares import share_interval

NOT_TWICE = "no item has two parsed verdicts in one order"
NOT_COMPLETE = "no item has at least two repeats, all of them parsed"
NOT_BOTH_ORDERS = "no item has parsed verdicts in both orders and two of them in one order"
_LARGEST_SCALE = 2**31  # sums over a million items stay exact in a double


@dataclass(frozen=True, slots=True)
class Repeatability(Headline):
    """How often two repeated calls on one item agree.

    Attributes:
        agreement: mean over items of the share of agreeing pairs of repeats; `n` is items.
        disagreement: 1 - agreement: the flip rate that sampling alone gives.
        items: items with at least two parsed repeats.
        left_out: items with fewer.
        unparsed: repeats without a parsed verdict, over all items.
    """

    agreement: Estimate
    disagreement: Estimate
    items: int
    left_out: int
    unparsed: int

    @property
    def headline(self) -> Estimate:
        """The main number: `agreement`."""
        return self.agreement


@dataclass(frozen=True, slots=True)
class PositionApart(Headline):
    """The flip rate, what sampling explains of it, and the rest.

    Attributes:
        flip_rate: probability that a call in the stored order and one swapped disagree.
        noise: probability that two calls in one order disagree, on the same items.
        excess: flip_rate - noise, both resampled together.
        items: items used, the `n` of all three.
        left_out: items without a parsed verdict in each order and two in one of them.
        unparsed: calls without a parsed verdict, over all items.
    """

    flip_rate: Estimate
    noise: Estimate
    excess: Estimate
    items: int
    left_out: int
    unparsed: int

    @property
    def headline(self) -> Estimate:
        """The main number: `excess`."""
        return self.excess


def repeatability(
    samples: Sequence[Sequence[Verdict]],
    clusters: Sequence[Hashable],
    **options: Unpack[ResamplingOptions],
) -> Repeatability:
    """Probability that two repeated calls on one item, in one order, give the same verdict.

    Formula: with c(l) the repeats of an item that say l and k = sum of c(l) the parsed ones,

        agreement of the item = sum over l of c(l) * (c(l) - 1) / (k * (k - 1))

    and the value is the mean over items, each with the same weight. Because pairs of different
    repeats are compared, it does not depend on k: it estimates sum over l of p(l)**2, where p are
    the judge's own verdict probabilities (Simpson 1949).

    Undefined without an item that has two parsed repeats.

    Args:
        samples: for each item the verdicts of its repeated calls.
        clusters: the question of each item.
        **options: `seed`, `resamples`, `confidence`; see `ResamplingOptions`.

    Raises:
        DataError: different lengths, or a setting out of range.

    A, A, B: one of three pairs agrees. B, B: one of one. Mean (1/3 + 1) / 2 = 2/3:

    >>> found = repeatability([["A", "A", "B"], ["B", "B"], ["A", None]], "xyz",
    ...                       seed=1, resamples=200)
    >>> round(found.value, 6), found.items, found.left_out, found.unparsed
    (0.666667, 2, 1, 1)
    """
    plan = Resampling(**options)
    aligned(samples=samples, clusters=clusters)
    shares, groups = [], []
    for verdicts, cluster in zip(samples, clusters, strict=True):
        disagreeing = _disagreement(_counts(verdicts))
        if disagreeing is not None:
            shares.append(1 - disagreeing)
            groups.append(cluster)
    agreement = _mean(shares, groups, plan, NOT_TWICE)
    return Repeatability(
        agreement=agreement,
        disagreement=_mean([1 - share for share in shares], groups, plan, NOT_TWICE),
        items=len(shares),
        left_out=len(samples) - len(shares),
        unparsed=_unparsed(samples),
    )


def self_consistency(
    samples: Sequence[Sequence[Verdict]],
    clusters: Sequence[Hashable],
    **options: Unpack[ResamplingOptions],
) -> Estimate:
    """Share of items whose repeats are all the same: the measure of judge-from-scratch.

    Items with an unparsed repeat are left out, as published; `n` counts the others. The share
    falls as the number of repeats grows, so it can only be compared at equal numbers.
    `repeatability` does not have this defect.

    Undefined when no item has two repeats or more, all parsed.

    Args:
        samples: for each item the verdicts of its repeated calls, equally many for all items.
        clusters: the question of each item.
        **options: `seed`, `resamples`, `confidence`; see `ResamplingOptions`.

    Raises:
        DataError: different lengths, items with different numbers of repeats, or a setting out
            of range.

    >>> self_consistency(["AAA", "AAB", ["B", None, "B"]], "xyz", seed=1, resamples=100).value
    0.5
    """
    plan = Resampling(**options)
    aligned(samples=samples, clusters=clusters)
    sizes = {len(verdicts) for verdicts in samples}
    if len(sizes) > 1:
        raise DataError(
            "samples: expected the same number of repeats for every item, found "
            f"{sorted(sizes)!r}; use repeatability, which does not depend on it"
        )
    complete = [int(len(v) > 1 and all(one is not None for one in v)) for v in samples]
    same = [int(c and len(set(v)) == 1) for v, c in zip(samples, complete, strict=True)]
    return share_interval(same, complete, clusters, plan, NOT_COMPLETE)


def position_apart(
    original: Sequence[Sequence[Verdict]],
    swapped: Sequence[Sequence[Verdict]],
    clusters: Sequence[Hashable],
    **options: Unpack[ResamplingOptions],
) -> PositionApart:
    """How far the flip rate exceeds what sampling noise alone gives.

    A judge that samples disagrees with itself in one order too, so not every flip speaks of
    position. With p and q the verdict probabilities of an item in the two orders, a flip has
    probability 1 - sum p*q, and two calls in one order disagree with 1 - sum p*p, or
    1 - sum q*q. Where both orders have repeats the noise is the mean of the two, and

        excess = sum over labels of (p - q)**2 / 2, averaged over items

    which is 0 exactly when the order changes no probability. All pairs of different calls are
    compared, so the estimate is unbiased and may fall below 0. With repeats in one order only,
    the noise of that order stands for both: the excess is then right only as far as both orders
    are equally noisy. Calls at temperature 0 in one order and above it in the other are no
    repeats of each other; do not mix them.

    Undefined without an item that has a parsed verdict in each order and two in one of them.

    Args:
        original: for each item the verdicts of its calls in the stored order.
        swapped: the same in the swapped order, mapped back to the stored slots.
        clusters: the question of each item.
        **options: `seed`, `resamples`, `confidence`; see `ResamplingOptions`.

    Raises:
        DataError: different lengths, or a setting out of range.

    Item 1 always follows the slot (flips 1, noise 0). Item 2 is a coin in both orders: A, B
    against A, B flips in 2 of 4 pairs, and its repeats disagree in 1 of 1. The flip rate is
    3/4, the noise 1/2:

    >>> found = position_apart([["A", "A"], ["A", "B"]], [["B", "B"], ["A", "B"]], "xy",
    ...                        seed=1, resamples=200)
    >>> found.flip_rate.value, found.noise.value, found.value
    (0.75, 0.5, 0.25)
    """
    plan = Resampling(**options)
    aligned(original=original, swapped=swapped, clusters=clusters)
    flips, noises, groups = [], [], []
    for first, second, cluster in zip(original, swapped, clusters, strict=True):
        one, two = _counts(first), _counts(second)
        within = [d for d in (_disagreement(one), _disagreement(two)) if d is not None]
        if one and two and within:
            agreeing = sum(count * two[label] for label, count in one.items())
            flips.append(1 - Fraction(agreeing, one.total() * two.total()))
            noises.append(sum(within, Fraction(0)) / len(within))
            groups.append(cluster)
    return PositionApart(
        flip_rate=_mean(flips, groups, plan, NOT_BOTH_ORDERS),
        noise=_mean(noises, groups, plan, NOT_BOTH_ORDERS),
        excess=_mean_difference(flips, noises, groups, plan),
        items=len(groups),
        left_out=len(original) - len(groups),
        unparsed=_unparsed(original) + _unparsed(swapped),
    )


def _counts(verdicts: Sequence[Verdict]) -> Counter[Label]:
    return Counter(verdict for verdict in verdicts if verdict is not None)


def _disagreement(counts: Counter[Label]) -> Fraction | None:
    """Share of pairs of different repeats that disagree; None with fewer than two repeats."""
    k = counts.total()
    if k < 2:
        return None
    return 1 - Fraction(sum(c * (c - 1) for c in counts.values()), k * (k - 1))


def _unparsed(samples: Sequence[Sequence[Verdict]]) -> int:
    return sum(verdict is None for verdicts in samples for verdict in verdicts)


def _whole(shares: Sequence[Fraction]) -> tuple[list[int], int]:
    """Return the shares over one denominator, so that whole numbers can be resampled.

    Exact unless items have so many different numbers of repeats that the common denominator
    passes 2**31; then the resamples (never the value) are off by less than 1e-9.
    """
    scale = min(math.lcm(*{share.denominator for share in shares}), _LARGEST_SCALE)
    return [round(share * scale) for share in shares], scale


def _mean(
    shares: Sequence[Fraction], clusters: Sequence[Hashable], plan: Resampling, nothing: str
) -> Estimate:
    whole, scale = _whole(shares)
    found = share_interval(whole, [scale] * len(whole), clusters, plan, nothing)
    if found.value is None:
        return found
    return replace(found, value=float(sum(shares, Fraction(0)) / len(shares)), n=len(shares))


def _mean_difference(
    first: Sequence[Fraction],
    second: Sequence[Fraction],
    clusters: Sequence[Hashable],
    plan: Resampling,
) -> Estimate:
    """Mean of first minus mean of second over the same items, resampled together."""
    n = len(first)
    codes, count = cluster_codes(clusters)
    if n == 0:
        return Estimate.missing(NOT_BOTH_ORDERS, 0, count)
    whole, scale = _whole([a - b for a, b in zip(first, second, strict=True)])
    rows = np.column_stack([whole, [scale] * n]).astype(np.int64)
    point = Estimate.of(float((sum(first, Fraction(0)) - sum(second, Fraction(0))) / n), n)
    sums = sums_by_cluster(rows, codes)
    return without_width(counted_interval(point, sums, ratio(0, 1), plan))
