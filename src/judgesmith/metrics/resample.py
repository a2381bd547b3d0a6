"""The bootstrap over clusters that every interval here shares.

A judgment is not an independent draw when several rest on one question, so whole clusters
(questions) are drawn with replacement. Every metric here is a function of counts that add up over
clusters, so it is these counts that get resampled, never rows:

    counts per cluster (C x D)  ->  drawn sums (resamples x D)  ->  the metric of each sum

Clusters with equal counts are interchangeable. Their number in a resample is multinomial, so
100,000 one-row clusters over three labels cost nine draws per resample instead of 100,000. This is
exact, not an approximation, and makes the result independent of the order of rows and of the
names of clusters.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Required, TypeAlias, TypedDict

import numpy as np

from judgesmith.errors import DataError
from judgesmith.metrics.bca import bca_ends
from judgesmith.metrics.coding import FloatArray, IntArray
from judgesmith.metrics.result import Estimate

Statistic: TypeAlias = Callable[[FloatArray], FloatArray]
"""Maps drawn sums (resamples x D) to one value each, NaN where the metric is undefined."""

IntervalMethod: TypeAlias = Literal["percentile", "bca"]
"""How the ends of an interval are read off the replicates."""

_METHODS = {
    "percentile": "percentile bootstrap over clusters",
    "bca": "BCa bootstrap over clusters",
}
_ROUNDING = 1e-12
_CELLS_AT_ONCE = 2_000_000  # bounds the memory of one block of draws to some 40 MB
_PATTERN_COST = 10  # a multinomial draw of one pattern takes the time of about ten cluster draws


class ResamplingOptions(TypedDict, total=False):
    """Keyword arguments of every function here that resamples.

    Attributes:
        seed: whole number of at least 0; the same seed and data give the same interval.
        resamples: how many resamples to draw (default 10,000).
        confidence: level of the interval, between 0 and 1 (default 0.95).
        method: "percentile" (default) or "bca", see `bca`.
    """

    seed: Required[int]
    resamples: int
    confidence: float
    method: IntervalMethod


@dataclass(frozen=True, slots=True, kw_only=True)
class Resampling:
    """The checked settings of one bootstrap.

    Raises:
        DataError: a setting is out of range.
    """

    seed: int
    resamples: int = 10_000
    confidence: float = 0.95
    method: IntervalMethod = "percentile"

    def __post_init__(self) -> None:
        if self.seed < 0 or self.resamples < 1:
            raise DataError(
                "expected seed >= 0 and resamples >= 1, found "
                f"seed={self.seed!r}, resamples={self.resamples!r}"
            )
        check_confidence(self.confidence)
        if self.method not in _METHODS:
            raise DataError(f"method: expected one of {list(_METHODS)!r}, found {self.method!r}")

    def streams(self, count: int) -> list[np.random.Generator]:
        """Return independent generators, for samples that are drawn independently."""
        children = np.random.SeedSequence(self.seed).spawn(count)
        return [np.random.default_rng(child) for child in children]


def check_confidence(confidence: float) -> None:
    """Raise DataError unless the level lies strictly between 0 and 1."""
    if not 0 < confidence < 1:
        raise DataError(f"expected a confidence between 0 and 1, found {confidence!r}")


def sums_by_cluster(rows: IntArray, clusters: IntArray) -> IntArray:
    """Add up the rows of each cluster.

    Args:
        rows: shape (n, D), counts that each row contributes.
        clusters: shape (n,), cluster codes 0..C-1.

    Returns:
        Shape (C, D).

    >>> sums_by_cluster(np.array([[1, 1], [0, 1], [1, 1]]), np.array([0, 0, 1])).tolist()
    [[1, 2], [1, 1]]
    """
    return real_sums_by_cluster(rows.astype(np.float64), clusters).astype(np.int64)


def real_sums_by_cluster(rows: FloatArray, clusters: IntArray) -> FloatArray:
    """Add up the rows of each cluster, where the rows hold any numbers.

    >>> real_sums_by_cluster(np.array([[0.5], [0.25], [1.0]]), np.array([0, 0, 1])).tolist()
    [[0.75], [1.0]]
    """
    count = int(clusters.max()) + 1 if len(clusters) else 0
    columns = [np.bincount(clusters, weights=column, minlength=count) for column in rows.T]
    return np.stack(columns, axis=1)


def cell_counts(cells: IntArray, width: int, clusters: IntArray) -> IntArray:
    """Count the cells of each cluster: `sums_by_cluster` for rows that hold a single one.

    >>> cell_counts(np.array([2, 2, 0]), 3, np.array([0, 0, 1])).tolist()
    [[0, 0, 2], [1, 0, 0]]
    """
    count = int(clusters.max()) + 1 if len(clusters) else 0
    flat = np.bincount(clusters * width + cells, minlength=count * width)
    return flat.astype(np.int64).reshape(count, width)


def ratio(numerator: int, denominator: int) -> Statistic:
    """Return the statistic: column `numerator` over column `denominator`.

    >>> ratio(0, 1)(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [0.75, nan]
    """

    def compute(sums: FloatArray) -> FloatArray:
        share = np.full(len(sums), np.nan)
        below = sums[:, denominator]
        np.divide(sums[:, numerator], below, out=share, where=below != 0)
        return share

    return compute


def drawn_sums(
    counts: IntArray | FloatArray, resamples: int, generator: np.random.Generator
) -> Iterator[FloatArray]:
    """Yield blocks of sums over C clusters drawn with replacement.

    Args:
        counts: shape (C, D), C at least 1.
        resamples: how many resamples to draw in all.
        generator: source of randomness.

    Yields:
        Shape (block, D); of whole numbers, the sums are exact.
    """
    patterns, held = np.unique(counts, axis=0, return_counts=True)
    clusters = len(counts)
    by_pattern = len(patterns) * _PATTERN_COST < clusters
    # Sorted either way, so that the order in which clusters arrive does not matter.
    units = patterns if by_pattern else np.repeat(patterns, held, axis=0)
    values = units.astype(np.float64)
    block = max(1, _CELLS_AT_ONCE // max(len(units), counts.shape[1]))
    for start in range(0, resamples, block):
        size = min(block, resamples - start)
        if by_pattern:
            weights = generator.multinomial(clusters, held / clusters, size=size)
        else:
            weights = _drawn_weights(clusters, size, generator)
        yield weights.astype(np.float64) @ values


def _drawn_weights(clusters: int, size: int, generator: np.random.Generator) -> IntArray:
    """Return how often each cluster is drawn in each of `size` resamples."""
    # The draw number and its resample share one index, so that one count serves them all.
    drawn = generator.integers(0, clusters, (size, clusters), dtype=np.int32)
    drawn += (np.arange(size, dtype=np.int32) * np.int32(clusters))[:, None]
    counted = np.bincount(drawn.ravel(), minlength=size * clusters)
    return counted.reshape(size, clusters).astype(np.int64, copy=False)


def replicates(
    counts: IntArray | FloatArray,
    statistics: Sequence[Statistic],
    resamples: int,
    generator: np.random.Generator,
) -> FloatArray:
    """Evaluate statistics on the same resamples.

    Several statistics on one set of draws is what makes their differences paired.

    Returns:
        Shape (statistics, resamples), NaN where a statistic is undefined.
    """
    blocks = [
        np.stack([statistic(sums) for statistic in statistics])
        for sums in drawn_sums(counts, resamples, generator)
    ]
    return np.concatenate(blocks, axis=1)


def without_each(counts: IntArray | FloatArray, statistic: Statistic) -> FloatArray:
    """Evaluate a statistic without each cluster in turn, shape (C,), for BCa.

    Values 3 of 4 and 0 of 1: without the first cluster 0/1, without the second 3/4:

    >>> without_each(np.array([[3, 4], [0, 1]]), ratio(0, 1)).tolist()
    [0.0, 0.75]
    """
    patterns, which = np.unique(counts, axis=0, return_inverse=True)
    rest = counts.sum(axis=0) - patterns
    return statistic(rest.astype(np.float64))[which]


def counted_interval(
    point: Estimate, counts: IntArray | FloatArray, statistic: Statistic, plan: Resampling
) -> Estimate:
    """Add the interval of a statistic of sums per cluster to its point estimate.

    Args:
        point: the estimate on all clusters.
        counts: shape (C, D).
        statistic: the same estimate as a function of sums.
        plan: settings of the bootstrap.

    >>> counts = np.array([[1, 1], [1, 1], [0, 1], [0, 1]])
    >>> found = counted_interval(
    ...     Estimate.of(0.5, 4), counts, ratio(0, 1), Resampling(seed=1, method="bca"))
    >>> found.low, found.high, found.method
    (0.0, 1.0, 'BCa bootstrap over clusters')
    """
    if point.value is None:
        return replace(point, clusters=len(counts))
    generator = np.random.default_rng(plan.seed)
    values = replicates(counts, [statistic], plan.resamples, generator)[0]
    left_out = [without_each(counts, statistic)] if plan.method == "bca" else []
    return with_interval(point, values, len(counts), plan, left_out)


def with_interval(
    point: Estimate,
    values: FloatArray,
    clusters: int,
    plan: Resampling,
    left_out: Sequence[FloatArray] = (),
) -> Estimate:
    """Add the interval of the replicates to a point estimate.

    The ends of the percentile interval are the (1 - confidence)/2 and (1 + confidence)/2
    quantiles (linear interpolation) of the resamples in which the metric is defined; how many
    were not is stored. BCa moves these two levels, see `bca`. There is no interval when fewer
    than two clusters exist or fewer than half of the resamples are defined.

    Args:
        point: the estimate on all clusters.
        values: the replicates, NaN where the metric is undefined.
        clusters: how many clusters were resampled.
        plan: settings of the bootstrap.
        left_out: for BCa, the values without each cluster, one array per independent sample.

    Raises:
        DataError: BCa is asked for where the metric offers no `left_out`.

    >>> point = Estimate.of(0.5, n=10)
    >>> found = with_interval(point, np.linspace(0, 1, 101), 10, Resampling(seed=0, resamples=101))
    >>> round(found.low, 6), round(found.high, 6)
    (0.025, 0.975)
    """
    if point.value is None:
        return replace(point, clusters=clusters)
    defined = values[~np.isnan(values)]
    undefined = len(values) - len(defined)
    known = replace(
        point,
        clusters=clusters,
        confidence=plan.confidence,
        method=_METHODS[plan.method],
        resamples=plan.resamples,
        undefined_resamples=undefined,
    )
    if clusters < 2:
        return replace(known, no_interval="a single cluster says nothing about its variation")
    if 2 * len(defined) < len(values):
        reason = f"the metric is undefined in {undefined} of {len(values)} resamples"
        return replace(known, no_interval=reason)
    ends = _ends(point.value, defined, plan, left_out)
    if isinstance(ends, str):
        return replace(known, no_interval=ends)
    return replace(known, low=ends[0], high=ends[1])


def _ends(
    point: float, values: FloatArray, plan: Resampling, left_out: Sequence[FloatArray]
) -> tuple[float, float] | str:
    """The two ends by the method of the plan, or why there are none."""
    if plan.method == "bca":
        if not left_out:
            raise DataError(
                "method 'bca' is not offered for this number; leave it out, or use 'percentile'"
            )
        if np.ptp(values) > _ROUNDING * max(1.0, abs(point)):
            return bca_ends(values, point, left_out, plan.confidence)
    tail = (1 - plan.confidence) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)


def difference_of(first: Estimate, second: Estimate, n: int) -> Estimate:
    """Return first minus second without an interval; undefined when either is.

    >>> difference_of(Estimate.of(0.75, 4), Estimate.of(0.5, 4), n=4).value
    0.25
    >>> difference_of(Estimate.of(0.75, 4), Estimate.missing("no rows", 0), n=4).undefined
    'the second value is undefined: no rows'
    """
    if first.value is None:
        return Estimate.missing(f"the first value is undefined: {first.undefined}", n)
    if second.value is None:
        return Estimate.missing(f"the second value is undefined: {second.undefined}", n)
    return Estimate.of(first.value - second.value, n)
