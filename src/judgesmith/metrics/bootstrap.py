"""The cluster bootstrap for any metric, and for the difference of two judges in any metric.

Whole clusters of rows are drawn with replacement and the metric is evaluated on the rows drawn.
Metrics that are functions of sums take a fast way (see `additive`); the others, rank correlations
and alpha among them, are evaluated row by row. The result depends on neither the order of rows
nor the names of clusters, as long as the metric does not.
"""

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Unpack

import numpy as np

from judgesmith.errors import DataError
from judgesmith.metrics.additive import Additive, Metric, additive
from judgesmith.metrics.coding import FloatArray, IntArray, aligned, cluster_codes
from judgesmith.metrics.perfect import without_width
from judgesmith.metrics.resample import (
    Resampling,
    ResamplingOptions,
    counted_interval,
    difference_of,
    with_interval,
)
from judgesmith.metrics.result import Estimate


def cluster_bootstrap(
    metric: Metric,
    columns: Sequence[Sequence[Any]],
    clusters: Sequence[Hashable],
    **options: Unpack[ResamplingOptions],
) -> Estimate:
    """Any metric with an interval from resampled clusters.

    The point estimate is `metric(*columns)`. Fast through sums per cluster: `accuracy`,
    `accuracy_with_ties`, `cohen_kappa`, `exact_match`, `gwet_ac1`, `mean_absolute_error`,
    `pearson`, `scott_pi`, `weighted_kappa`, given as they are or with keyword options through
    `functools.partial`. Behind a lambda the same metric takes the slow way; a scale or set of
    labels must then be named, as a resample may lack one.

    Where all rows agree, agreement and shares get a Wilson bound; see `perfect`. Any other metric
    that is the same in all resamples gets no interval, with the reason.

    Args:
        metric: a function of the columns; NaN or an undefined estimate where it has no value.
        columns: its arguments, aligned; for metrics of several raters one column per rater, or
            a single column of items.
        clusters: the question of each row.
        **options: see `ResamplingOptions`.

    Raises:
        DataError: different lengths, no column, a setting out of range, or what the metric raises.

    >>> from functools import partial
    >>> from judgesmith.metrics.weighted import weighted_kappa
    >>> x, y = [1, 2, 3, 4] * 10, [1, 2, 4, 4] * 9 + [2, 2, 3, 4]
    >>> linear = partial(weighted_kappa, weights="linear", labels=[1, 2, 3, 4])
    >>> found = cluster_bootstrap(linear, [x, y], range(40), seed=1, resamples=500, method="bca")
    >>> found.value == linear(x, y).value, found.low < found.value < found.high
    (True, True)
    """
    plan = Resampling(**options)
    n = _rows(columns, clusters)
    codes, count = cluster_codes(clusters)
    point = _estimate(metric(*columns), n)
    if point.value is None:
        return replace(point, clusters=count)
    form = additive(metric, columns, codes)
    if form is not None:
        return form.settle(counted_interval(point, form.sums, form.statistic, plan))
    rows = _Clustered.of(columns, codes)
    return without_width(rows.interval(point, lambda *drawn: _number(metric(*drawn)), plan))


def paired_cluster_bootstrap(
    metric: Metric,
    first: Sequence[Any],
    second: Sequence[Any],
    y: Sequence[Any],
    clusters: Sequence[Hashable],
    **options: Unpack[ResamplingOptions],
) -> Estimate:
    """Metric of the first judge minus metric of the second, on the same rows and resamples.

    The estimate is `metric(first, y) - metric(second, y)`, undefined when either is. Name the
    labels or the scale in the metric (`functools.partial`): otherwise each judge is measured on
    the labels that it used itself. A difference that never varies, as that of judges without a
    single different row, gets no interval: that they agree on these rows says nothing exact about
    others.

    Args:
        metric: a function of two columns; see `cluster_bootstrap`.
        first: verdicts or scores of the first judge.
        second: those of the second judge on the same rows.
        y: labels.
        clusters: the question of each row.
        **options: see `ResamplingOptions`.

    Raises:
        DataError: different lengths, a setting out of range, or what the metric raises.

    >>> from judgesmith.metrics.correlation import spearman
    >>> y = list(range(30))
    >>> swapped = [i + 1 if i % 2 == 0 else i - 1 for i in y]
    >>> gap = paired_cluster_bootstrap(spearman, y, swapped, y, y, seed=1, resamples=200)
    >>> round(gap.value, 6), gap.low > 0
    (0.006674, True)
    """
    plan = Resampling(**options)
    columns = (first, second, y)
    n = _rows(columns, clusters)
    codes, count = cluster_codes(clusters)
    point = difference_of(_estimate(metric(first, y), n), _estimate(metric(second, y), n), n)
    if point.value is None:
        return replace(point, clusters=count)
    one, two = additive(metric, (first, y), codes), additive(metric, (second, y), codes)
    if one is not None and two is not None:
        found = _paired_sums(point, one, two, plan)
    else:
        found = _Clustered.of(columns, codes).interval(
            point, lambda a, b, label: _number(metric(a, label)) - _number(metric(b, label)), plan
        )
    return without_width(found)


def _paired_sums(point: Estimate, one: Additive, two: Additive, plan: Resampling) -> Estimate:
    width = one.sums.shape[1]

    def gap(sums: FloatArray) -> FloatArray:
        return one.statistic(sums[:, :width]) - two.statistic(sums[:, width:])

    sums = np.hstack([one.sums.astype(np.float64), two.sums.astype(np.float64)])
    return counted_interval(point, sums, gap, plan)


@dataclass(frozen=True, slots=True)
class _Clustered:
    """Rows sorted by cluster, and clusters by what they hold, so that input order is forgotten.

    Attributes:
        columns: the columns; numbers as floats, anything else as objects.
        first: where each cluster starts.
        size: how many rows it has.
        alike: a code for each cluster; equal clusters share it.
    """

    columns: list[Any]
    first: IntArray
    size: IntArray
    alike: IntArray

    @classmethod
    def of(cls, columns: Sequence[Sequence[Any]], codes: IntArray) -> "_Clustered":
        held: list[list[tuple[str, int]]] = [[] for _ in range(int(codes.max()) + 1)]
        plain = [c.tolist() if hasattr(c, "tolist") else c for c in columns]
        for position, (code, *row) in enumerate(zip(codes.tolist(), *plain, strict=True)):
            held[code].append((repr(row), position))
        keyed = sorted((sorted(rows) for rows in held), key=lambda rows: [key for key, _ in rows])
        order = np.asarray([position for rows in keyed for _, position in rows], dtype=np.int64)
        size = np.asarray([len(rows) for rows in keyed], dtype=np.int64)
        codes_of: dict[tuple[str, ...], int] = {}
        contents = [tuple(key for key, _ in rows) for rows in keyed]
        alike = [codes_of.setdefault(content, len(codes_of)) for content in contents]
        return cls(
            [_column(c)[order] for c in plain], np.cumsum(size) - size, size, np.asarray(alike)
        )

    def interval(self, point: Estimate, metric: Any, plan: Resampling) -> Estimate:
        """Evaluate the metric on resamples and, for BCa, without each cluster."""
        values = np.fromiter(
            (metric(*self.take(drawn)) for drawn in self.draws(plan)), np.float64, plan.resamples
        )
        left_out = [self.without_each(metric)] if plan.method == "bca" else []
        return with_interval(point, values, len(self.size), plan, left_out)

    def draws(self, plan: Resampling) -> Iterator[IntArray]:
        generator = np.random.default_rng(plan.seed)
        for _ in range(plan.resamples):
            yield generator.integers(0, len(self.size), len(self.size))

    def take(self, drawn: IntArray) -> list[Any]:
        """Return the columns with the rows of the drawn clusters."""
        size = self.size[drawn]
        start = np.repeat(self.first[drawn] - (np.cumsum(size) - size), size)
        rows = start + np.arange(len(start))
        taken = [column[rows] for column in self.columns]
        return [column.tolist() if column.dtype == object else column for column in taken]

    def without_each(self, metric: Any) -> FloatArray:
        every, seen = np.arange(len(self.size)), np.unique(self.alike, return_index=True)[1]
        if len(every) < 2:
            return np.full(len(every), np.nan)
        values = np.asarray([metric(*self.take(np.delete(every, gone))) for gone in seen])
        found: FloatArray = values[self.alike]
        return found


def _column(values: Sequence[Any]) -> Any:
    """A column that can be indexed by rows: floats as numbers, anything else as it is."""
    if all(type(value) is float for value in values):
        return np.asarray(values, dtype=np.float64)
    column = np.empty(len(values), dtype=object)
    for position, value in enumerate(values):
        column[position] = value
    return column


def _rows(columns: Sequence[Sequence[Any]], clusters: Sequence[Hashable]) -> int:
    if len(columns) == 0:
        raise DataError("columns: expected at least one column, found none")
    named = {f"columns[{i}]": column for i, column in enumerate(columns)}
    return aligned(**named, clusters=clusters)


def _estimate(found: Estimate | float, n: int) -> Estimate:
    if isinstance(found, Estimate):
        return found
    if not math.isfinite(found):
        return Estimate.missing(f"the metric gives {found!r} on all rows", n)
    return Estimate.of(float(found), n)


def _number(found: Estimate | float) -> float:
    if isinstance(found, Estimate):
        return math.nan if found.value is None else found.value
    return float(found) if math.isfinite(found) else math.nan
