"""Which metrics are functions of sums over rows, and of which.

Such a metric is resampled as sums per cluster (see `resample`) instead of row by row, which is
faster by orders of magnitude and gives the same bootstrap. The metric may be given plainly or with
keyword options through `functools.partial`; anything else has no known sums.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeAlias

import numpy as np

from judgesmith.metrics.agreement import accuracy, cells, cohen_kappa, kappa_of_counts
from judgesmith.metrics.coding import FloatArray, IntArray, Label
from judgesmith.metrics.correlation import exact_match, mean_absolute_error, pearson
from judgesmith.metrics.numeric import numbers
from judgesmith.metrics.perfect import bound_agreement, bound_share, without_width
from judgesmith.metrics.resample import (
    Statistic,
    cell_counts,
    ratio,
    real_sums_by_cluster,
    sums_by_cluster,
)
from judgesmith.metrics.result import Estimate
from judgesmith.metrics.ties import TieRule, accuracy_with_ties, tie_halves
from judgesmith.metrics.weighted import (
    Weights,
    ac1_of_counts,
    gwet_ac1,
    pi_of_counts,
    scale_of,
    scott_pi,
    weighted_kappa,
    weighted_kappa_of_counts,
)

Metric: TypeAlias = Callable[..., Estimate | float]
"""A function of aligned columns; NaN or an undefined estimate where it has no value."""

_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Additive:
    """A metric as a function of sums.

    Attributes:
        sums: shape (C, D), the sums of each cluster.
        statistic: the metric of such sums.
        kind: what the sums are: a confusion table of agreement, hits and rows, or other.
    """

    sums: IntArray | FloatArray
    statistic: Statistic
    kind: Literal["table", "share", "other"]

    def settle(self, found: Estimate) -> Estimate:
        """Mend an interval without width; see `perfect`."""
        if self.kind == "table":
            return bound_agreement(found, self.sums, self.statistic)
        if self.kind == "share":
            return bound_share(found, int((self.sums[:, 1] > 0).sum()))
        return without_width(found)


def additive(metric: Metric, columns: Sequence[Sequence[Any]], codes: IntArray) -> Additive | None:
    """Return a metric as a function of sums per cluster, or None where no such form is known.

    Args:
        metric: the metric.
        columns: its arguments.
        codes: the cluster of each row, 0..C-1.

    >>> form = additive(accuracy, ["AB", "AA"], np.array([0, 0]))
    >>> form.sums.tolist(), form.statistic(form.sums).tolist()
    ([[1, 2]], [0.5])
    >>> additive(max, ["AB", "AA"], np.array([0, 0]))
    """
    whole: Any = metric
    options: dict[str, Any] = {}
    if isinstance(whole, partial):
        if whole.args:
            return None
        whole, options = whole.func, whole.keywords
    form = _FORMS.get(whole)
    return None if form is None else form(*columns, codes, **options)


def _kappa(
    x: Sequence[Label], y: Sequence[Label], codes: IntArray, labels: Sequence[Label] | None = None
) -> Additive:
    return _table(x, y, codes, labels, kappa_of_counts)


def _ac1(
    x: Sequence[Label], y: Sequence[Label], codes: IntArray, labels: Sequence[Label] | None = None
) -> Additive:
    return _table(x, y, codes, labels, ac1_of_counts)


def _pi(
    x: Sequence[Label], y: Sequence[Label], codes: IntArray, labels: Sequence[Label] | None = None
) -> Additive:
    return _table(x, y, codes, labels, pi_of_counts)


def _weighted(
    x: Sequence[Label],
    y: Sequence[Label],
    codes: IntArray,
    weights: Weights = "quadratic",
    labels: Sequence[Label] | None = None,
) -> Additive:
    scale = scale_of(x, y, labels)
    return _table(x, y, codes, scale, weighted_kappa_of_counts(len(scale), weights))


def _table(
    x: Sequence[Label],
    y: Sequence[Label],
    codes: IntArray,
    labels: Sequence[Label] | None,
    statistic: Statistic,
) -> Additive:
    flat, axis = cells(x, y, labels)
    return Additive(cell_counts(flat, len(axis) ** 2, codes), statistic, "table")


def _accuracy(x: Sequence[Label], y: Sequence[Label], codes: IntArray) -> Additive:
    return _hits([a == b for a, b in zip(x, y, strict=True)], codes)


def _exact(x: Sequence[float], y: Sequence[float], codes: IntArray) -> Additive:
    return _hits(numbers("x", x) == numbers("y", y), codes)


def _hits(hits: Sequence[bool] | IntArray, codes: IntArray) -> Additive:
    rows = np.column_stack([np.asarray(hits), np.ones(len(hits))]).astype(np.int64)
    return Additive(sums_by_cluster(rows, codes), ratio(0, 1), "share")


def _ties(
    x: Sequence[Label], y: Sequence[Label], codes: IntArray, ties: TieRule, tie: Label = "TIE"
) -> Additive:
    return Additive(sums_by_cluster(tie_halves(x, y, ties, tie), codes), ratio(0, 1), "share")


def _error(x: Sequence[float], y: Sequence[float], codes: IntArray) -> Additive:
    distance = np.abs(numbers("x", x) - numbers("y", y))
    rows = np.column_stack([distance, np.ones(len(distance))])
    return Additive(_in_fixed_order(rows, codes), ratio(0, 1), "other")


def _pearson(x: Sequence[float], y: Sequence[float], codes: IntArray) -> Additive:
    one, two = _near_zero(numbers("x", x)), _near_zero(numbers("y", y))
    rows = np.column_stack([np.ones(len(one)), one, two, one * one, two * two, one * two])
    return Additive(_in_fixed_order(rows, codes), _pearson_of_sums, "other")


def _near_zero(column: FloatArray) -> FloatArray:
    """Shift and scale a column, which no correlation sees, so that its sums keep their digits."""
    away = column - np.median(column)
    largest = np.abs(away).max()
    return away if largest == 0 else away / largest


def _in_fixed_order(rows: FloatArray, codes: IntArray) -> FloatArray:
    """Sums per cluster whose last digit does not depend on the order of the rows."""
    order = np.lexsort(rows.T)
    return real_sums_by_cluster(rows[order], codes[order])


def _pearson_of_sums(sums: FloatArray) -> FloatArray:
    """Pearson's r of many sums (n, x, y, xx, yy, xy) at once; NaN where one side is constant."""
    n, x, y, xx, yy, xy = sums.T
    spread_x, spread_y = n * xx - x * x, n * yy - y * y
    varies = (spread_x > _ROUNDING * n * xx) & (spread_y > _ROUNDING * n * yy)
    r = np.full(len(sums), np.nan)
    both = np.sqrt(np.where(varies, spread_x, 1.0)) * np.sqrt(np.where(varies, spread_y, 1.0))
    np.divide(n * xy - x * y, both, out=r, where=varies)
    clipped: FloatArray = np.clip(r, -1.0, 1.0)
    return clipped


_FORMS: dict[Callable[..., Any], Callable[..., Additive]] = {
    accuracy: _accuracy,
    accuracy_with_ties: _ties,
    cohen_kappa: _kappa,
    exact_match: _exact,
    gwet_ac1: _ac1,
    mean_absolute_error: _error,
    pearson: _pearson,
    scott_pi: _pi,
    weighted_kappa: _weighted,
}
