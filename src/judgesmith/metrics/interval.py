"""Intervals: Wilson for a plain share, the bootstrap over clusters for everything else.

Every difference here is first minus second. All resampling functions take the keyword arguments
of `ResamplingOptions`: `seed` (required), `resamples=10_000`, `confidence=0.95`,
`method="percentile"` or `"bca"`. Where every row agrees the bootstrap has nothing to vary; see
`perfect` for the interval that is given then. Other metrics: `bootstrap`; two parts of a test set:
`slices`.
"""

import math
from collections.abc import Hashable, Sequence
from statistics import NormalDist
from typing import Unpack

import numpy as np

from judgesmith.errors import DataError
from judgesmith.metrics.agreement import (
    NO_ROWS,
    accuracy,
    cells,
    cohen_kappa,
    kappa_of_counts,
)
from judgesmith.metrics.coding import FloatArray, IntArray, Label, aligned, cluster_codes, distinct
from judgesmith.metrics.perfect import bound_agreement, bound_share, bound_signed, without_width
from judgesmith.metrics.resample import (
    Resampling,
    ResamplingOptions,
    cell_counts,
    check_confidence,
    counted_interval,
    difference_of,
    ratio,
    sums_by_cluster,
    with_interval,
)
from judgesmith.metrics.result import Estimate


def wilson(successes: int, n: int, confidence: float = 0.95) -> Estimate:
    """Share with Wilson's score interval, for rows that are independent.

    Formula (Wilson 1927), with p = successes / n and z the normal quantile at
    (1 + confidence) / 2:

        (p + z*z/(2n) -+ z * sqrt(p(1-p)/n + z*z/(4n*n))) / (1 + z*z/n)

    Undefined for n = 0. Where rows share questions, prefer `cluster_bootstrap_rate`.

    Raises:
        DataError: not 0 <= successes <= n, or a confidence out of range.

    With 0 of 10 and z = 1.959964 the upper end is z*z / (10 + z*z) = 3.841459 / 13.841459:

    >>> share = wilson(0, 10)
    >>> share.value, share.low, round(share.high, 6)
    (0.0, 0.0, 0.277533)
    """
    check_confidence(confidence)
    if not 0 <= successes <= n:
        raise DataError(f"expected 0 <= successes <= n, found successes={successes!r}, n={n!r}")
    if n == 0:
        return Estimate.missing(NO_ROWS, n=0)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = successes / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    # At 0 and n the ends are exactly 0 and 1; rounding would leave them a hair outside.
    low = 0.0 if successes == 0 else max(0.0, middle - half)
    high = 1.0 if successes == n else min(1.0, middle + half)
    return Estimate(share, low, high, n, confidence=confidence, method="Wilson")


def cluster_bootstrap_kappa(
    x: Sequence[Label],
    y: Sequence[Label],
    clusters: Sequence[Hashable],
    **options: Unpack[ResamplingOptions],
) -> Estimate:
    """Cohen's kappa with an interval from resampled clusters.

    Resamples whose kappa is undefined (one label only) are left out of the interval and counted
    in `undefined_resamples`. The ends do not depend on the order of rows or on cluster names.
    When all rows agree, the lower end is a Wilson bound instead; see `perfect`.

    Args:
        x: verdicts.
        y: labels.
        clusters: the question of each row.
        **options: see `ResamplingOptions`.

    Raises:
        DataError: different lengths, None, or a setting out of range.

    >>> x, y = ["A", "B"] * 10, ["A", "B"] * 9 + ["B", "A"]
    >>> kappa = cluster_bootstrap_kappa(x, y, range(20), seed=1, resamples=1000)
    >>> kappa.value, kappa.low < 0.8 < kappa.high, kappa.clusters
    (0.8, True, 20)
    """
    plan = Resampling(**options)
    aligned(x=x, y=y, clusters=clusters)
    counts = _tables([x], y, cluster_codes(clusters)[0])
    found = counted_interval(cohen_kappa(x, y), counts, kappa_of_counts, plan)
    return found if found.value is None else bound_agreement(found, counts, kappa_of_counts)


def paired_bootstrap_kappa_difference(
    x1: Sequence[Label],
    x2: Sequence[Label],
    y: Sequence[Label],
    clusters: Sequence[Hashable],
    **options: Unpack[ResamplingOptions],
) -> Estimate:
    """Kappa of the first judge minus kappa of the second, on the same items and resamples.

    Undefined when either kappa is. Leave out an item for both judges when either verdict is
    unparsed, or count unparsed verdicts as wrong with `mark_unparsed`.

    Args:
        x1: verdicts of the first judge.
        x2: verdicts of the second judge.
        y: labels.
        clusters: the question of each row.
        **options: see `ResamplingOptions`.

    Raises:
        DataError: different lengths, None, or a setting out of range.

    Equal judges differ by 0 in every resample, which says nothing exact about other items:

    >>> x, y = ["A", "B"] * 10, ["A", "B"] * 9 + ["B", "A"]
    >>> same = paired_bootstrap_kappa_difference(x, x, y, range(20), seed=1, resamples=100)
    >>> same.value, same.low, same.no_interval
    (0.0, None, 'every resample gives the same value, so nothing is known about its variation')
    """
    plan = Resampling(**options)
    n = aligned(x1=x1, x2=x2, y=y, clusters=clusters)
    counts = _tables([x1, x2], y, cluster_codes(clusters)[0])
    width = len(distinct("x1", x1) | distinct("y", y)) ** 2
    point = difference_of(cohen_kappa(x1, y), cohen_kappa(x2, y), n)

    def gap(sums: FloatArray) -> FloatArray:
        return kappa_of_counts(sums[:, :width]) - kappa_of_counts(sums[:, width:])

    return without_width(counted_interval(point, counts, gap, plan))


def cluster_bootstrap_rate(
    hits: Sequence[bool], clusters: Sequence[Hashable], **options: Unpack[ResamplingOptions]
) -> Estimate:
    """Share of rows that are hits, with an interval from resampled clusters.

    When all rows are hits, or none, one end is a Wilson bound instead; see `perfect`.

    Args:
        hits: whether each row counts.
        clusters: the question of each row.
        **options: see `ResamplingOptions`.

    Raises:
        DataError: different lengths or a setting out of range.

    >>> rate = cluster_bootstrap_rate([True, True, False, True], "abcd", seed=1, resamples=500)
    >>> rate.value, rate.n, rate.clusters
    (0.75, 4, 4)
    """
    aligned(hits=hits, clusters=clusters)
    counted = [1] * len(hits)
    found = ratio_interval(_whole(hits), counted, clusters, Resampling(**options))
    return bound_share(found, found.clusters or 0)


def cluster_bootstrap_accuracy(
    x: Sequence[Label],
    y: Sequence[Label],
    clusters: Sequence[Hashable],
    **options: Unpack[ResamplingOptions],
) -> Estimate:
    """Accuracy with an interval from resampled clusters; see `cluster_bootstrap_rate`.

    Args:
        x: verdicts.
        y: labels.
        clusters: the question of each row.
        **options: see `ResamplingOptions`.

    Raises:
        DataError: different lengths, None, or a setting out of range.

    >>> cluster_bootstrap_accuracy("AAB", "ABB", "qrs", seed=1, resamples=100).value
    0.6666666666666666
    """
    accuracy(x, y)
    hits = [a == b for a, b in zip(x, y, strict=True)]
    return cluster_bootstrap_rate(hits, clusters, **options)


def paired_bootstrap_rate_difference(
    hits1: Sequence[bool],
    hits2: Sequence[bool],
    clusters: Sequence[Hashable],
    **options: Unpack[ResamplingOptions],
) -> Estimate:
    """Share of hits of the first minus that of the second, on the same rows and resamples.

    Where no row tells the two apart, the ends are those of a share of at most u; see `perfect`.

    Args:
        hits1: whether each row counts for the first, for example "the verdict is right".
        hits2: whether it counts for the second.
        clusters: the question of each row.
        **options: see `ResamplingOptions`.

    Raises:
        DataError: different lengths or a setting out of range.

    >>> paired_bootstrap_rate_difference(
    ...     [True, True], [True, False], "ab", seed=1, resamples=100).value
    0.5
    """
    plan = Resampling(**options)
    n = aligned(hits1=hits1, hits2=hits2, clusters=clusters)
    codes, count = cluster_codes(clusters)
    if n == 0:
        return with_interval(Estimate.missing(NO_ROWS, 0), np.empty(0), count, plan)
    first, second = _whole(hits1), _whole(hits2)
    point = Estimate.of((sum(first) - sum(second)) / n, n)
    rows = np.column_stack([first, second, np.ones(n, dtype=np.int64)])
    sums = sums_by_cluster(rows, codes)
    one, two = ratio(0, 2), ratio(1, 2)
    found = counted_interval(point, sums, lambda drawn: one(drawn) - two(drawn), plan)
    return bound_signed(found, count)


def ratio_interval(
    above: Sequence[int],
    below: Sequence[int],
    clusters: Sequence[Hashable],
    plan: Resampling,
    nothing: str = NO_ROWS,
) -> Estimate:
    """Sum of one count over sum of another, with the interval from resampled clusters.

    Args:
        above: what each row adds to the numerator (may be negative).
        below: what each row adds to the denominator, at least 0; the estimate's `n` is their sum.
        clusters: the question of each row.
        plan: settings of the bootstrap.
        nothing: the reason to give when the denominator is 0.

    >>> found = ratio_interval([1, 0, 0], [1, 1, 0], "abc", Resampling(seed=1, resamples=100))
    >>> found.value, found.n, found.clusters
    (0.5, 2, 3)
    """
    codes, count = cluster_codes(clusters)
    total = sum(below)
    if total == 0:
        return with_interval(Estimate.missing(nothing, 0), np.empty(0), count, plan)
    sums = sums_by_cluster(np.column_stack([above, below]).astype(np.int64), codes)
    return counted_interval(Estimate.of(sum(above) / total, total), sums, ratio(0, 1), plan)


def _whole(hits: Sequence[object]) -> list[int]:
    """Return hits as 0 and 1; refuse None, which is neither."""
    for position, hit in enumerate(hits):
        if hit not in (0, 1):
            raise DataError(f"hits[{position}] is {hit!r}: expected True or False")
    return [int(bool(hit)) for hit in hits]


def _tables(judges: Sequence[Sequence[Label]], y: Sequence[Label], codes: IntArray) -> IntArray:
    """Return the flattened confusion table of every cluster, one judge's beside the next's."""
    blocks = []
    for x in judges:
        flat, labels = cells(x, y)
        blocks.append(cell_counts(flat, len(labels) ** 2, codes))
    return np.hstack(blocks)
