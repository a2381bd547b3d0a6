"""Chance-corrected agreement beyond Cohen's unweighted kappa: weighted, AC1, pi.

All compare observed with expected disagreement, 1 - observed / expected, and differ in how much a
disagreement costs and in what is expected by chance. They are functions of the confusion table;
`of_counts` gives the same for many tables at once, for resampling.
"""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np

from judgesmith.errors import DataError
from judgesmith.metrics.agreement import NO_ROWS, cells
from judgesmith.metrics.coding import (
    FloatArray,
    IntArray,
    Label,
    aligned,
    distinct,
    encode,
    ordered_labels,
    shown,
)
from judgesmith.metrics.resample import Statistic
from judgesmith.metrics.result import Estimate

Weights: TypeAlias = Literal["linear", "quadratic"]
"""What a disagreement costs: the distance on the scale, or its square."""

_SEVERAL = 2  # chance agreement needs two labels to choose from


def weighted_kappa(
    x: Sequence[Label],
    y: Sequence[Label],
    *,
    weights: Weights = "quadratic",
    labels: Sequence[Label] | None = None,
) -> Estimate:
    """Cohen's weighted kappa for verdicts on an ordered scale, -1 to 1.

    Formula (Cohen 1968), with i and j positions on the scale, O(i, j) the count of rows with
    label i in x and j in y, and r(i), c(j) its margins:

        kappa = 1 - n * sum of w(i, j) * O(i, j) / sum of w(i, j) * r(i) * c(j)

    w = |i - j| (linear) or (i - j)**2 (quadratic). Only positions count, not values: 1, 2 and 5
    are neighbours when no other label is named. Name the whole scale (`labels=range(1, 6)`) where
    a step of it may not occur. Labels that do not occur at either end change nothing.

    Undefined without rows, and when both sides hold one and the same label only. When only one
    of them is constant, it is 0. With two labels it equals `cohen_kappa`.

    Args:
        x: verdicts.
        y: labels.
        weights: "quadratic" or "linear".
        labels: the scale in order; by default the whole numbers that occur, sorted.

    Raises:
        DataError: different lengths, None, a label outside `labels`, unknown weights, or labels
            that are no numbers and whose order is not given.

    Here n = 4 and the squared distances add up to 1 + 1 = 2. Both sides hold 1, 2, 3 with counts
    1, 1, 2, so 2 * (1*1*1 + 4*1*2 + 1*1*2) = 22 is expected: 1 - 4 * 2 / 22 = 7/11.

    >>> round(weighted_kappa([1, 2, 3, 3], [1, 3, 3, 2]).value, 6)
    0.636364

    Strings need their order: n = 2, distance 1 is observed and 4 + 1 + 1 expected, 1 - 2/6:

    >>> found = weighted_kappa(["good", "bad"], ["good", "fair"], labels=["bad", "fair", "good"])
    >>> round(found.value, 6)
    0.666667
    """
    n = aligned(x=x, y=y)
    scale = scale_of(x, y, labels)
    cost = costs(len(scale), weights)
    if n == 0:
        return Estimate.missing(NO_ROWS, n=0)
    table = _table(x, y, scale)
    observed = n * int((cost * table).sum())
    expected = int((cost * np.outer(table.sum(1), table.sum(0))).sum())
    if expected == 0:
        only = f"both sides hold only the label {shown(x[0])}, so no disagreement is expected"
        return Estimate.missing(only, n)
    return Estimate.of((expected - observed) / expected, n)


def gwet_ac1(
    x: Sequence[Label], y: Sequence[Label], labels: Sequence[Label] | None = None
) -> Estimate:
    """Gwet's AC1, -1 to 1: agreement beyond chance that holds up when one label prevails.

    Formula (Gwet 2008), with po the accuracy, K the number of labels and s(k) the mean of the
    shares of label k in x and in y:

        pe = sum of s(k) * (1 - s(k)) / (K - 1),   AC1 = (po - pe) / (1 - pe)

    K matters: a label that nobody used still lowers pe. Without `labels`, K counts the labels
    that occur, so one judge may be measured with another K than the next. Name the labels
    wherever two numbers are compared. AC1 rises with prevalence where kappa falls; it is no
    substitute for a second label in the data (see `not_shown_because`).

    Undefined without rows and with fewer than two labels.

    Args:
        x: verdicts.
        y: labels.
        labels: all labels that could have been used, among them those that were not.

    Raises:
        DataError: different lengths, None, or a label outside `labels`.

    Three of four agree, s = 7/8 and 1/8, pe = 7/64 + 7/64: (48 - 14) / (64 - 14) = .68, where
    kappa is 0:

    >>> gwet_ac1("AAAB", "AAAA").value
    0.68
    >>> gwet_ac1("AA", "AA").undefined
    'chance needs at least two labels, found 1; name those that could have been used'
    """
    n = aligned(x=x, y=y)
    axis = ordered_labels(distinct("x", x) | distinct("y", y), labels)
    table = _table(x, y, axis)
    if n == 0:
        return Estimate.missing(NO_ROWS, n=0)
    if len(axis) < _SEVERAL:
        few = f"chance needs at least two labels, found {len(axis)}"
        return Estimate.missing(f"{few}; name those that could have been used", n)
    agreeing, both = int(np.trace(table)), table.sum(1) + table.sum(0)
    whole = 4 * n * n * (len(axis) - 1)
    chance = 4 * n * n - int((both * both).sum())
    return Estimate.of((4 * n * agreeing * (len(axis) - 1) - chance) / (whole - chance), n)


def scott_pi(
    x: Sequence[Label], y: Sequence[Label], labels: Sequence[Label] | None = None
) -> Estimate:
    """Scott's pi, -1 to 1: kappa whose chance rests on the label shares of both sides together.

    Formula (Scott 1955): (po - pe) / (1 - pe) with pe = sum of s(k)**2 and s(k) the mean of the
    shares of label k in x and in y. At most `cohen_kappa`, and equal to it when both sides use
    the labels equally often. `fleiss_kappa` of two raters is Scott's pi.

    Undefined without rows, and when both sides hold one and the same label only.

    Raises:
        DataError: different lengths, None, or a label outside `labels`.

    Three of four agree, s = 7/8 and 1/8, pe = 50/64: (48 - 50) / (64 - 50) = -1/7:

    >>> round(scott_pi("AAAB", "AAAA").value, 6)
    -0.142857
    """
    n = aligned(x=x, y=y)
    table = _table(x, y, labels)
    if n == 0:
        return Estimate.missing(NO_ROWS, n=0)
    agreeing, both = int(np.trace(table)), table.sum(1) + table.sum(0)
    chance = int((both * both).sum())
    if chance == 4 * n * n:
        only = f"both sides hold only the label {shown(x[0])}, so chance agreement is 1"
        return Estimate.missing(only, n)
    return Estimate.of((4 * n * agreeing - chance) / (4 * n * n - chance), n)


def scale_of(
    x: Sequence[Label], y: Sequence[Label], labels: Sequence[Label] | None
) -> tuple[Label, ...]:
    """Return the scale in order: as given, or the whole numbers that occur, sorted.

    Raises:
        DataError: no scale is given and a label is a string, or a label is off the given scale.

    >>> scale_of([5, 1], [2, 1], None)
    (1, 2, 5)
    """
    found = distinct("x", x) | distinct("y", y)
    if labels is None and any(isinstance(label, str) for label in found):
        named = sorted(str(label) for label in found if isinstance(label, str))
        raise DataError(
            f"expected whole numbers, found the labels {named!r}, which have no order of their "
            "own; name the scale from low to high with labels=[...]"
        )
    axis = ordered_labels(found, labels)
    if not found <= set(axis):
        encode("x", x, axis)
        encode("y", y, axis)
    return axis


def costs(size: int, weights: Weights) -> IntArray:
    """Return the cost of every disagreement on a scale of `size` labels, shape (size, size).

    >>> costs(3, "quadratic").tolist()
    [[0, 1, 4], [1, 0, 1], [4, 1, 0]]
    """
    if weights not in ("linear", "quadratic"):
        raise DataError(f"weights: expected 'linear' or 'quadratic', found {weights!r}")
    steps = np.arange(size)
    distance = np.abs(steps[:, None] - steps[None, :])
    cost: IntArray = distance if weights == "linear" else distance * distance
    return cost


def weighted_kappa_of_counts(size: int, weights: Weights) -> Statistic:
    """Return weighted kappa as a function of flattened tables; NaN marks the undefined ones.

    >>> both = np.array([[3.0, 1.0, 0.0, 2.0], [5.0, 0.0, 0.0, 0.0]])
    >>> weighted_kappa_of_counts(2, "linear")(both).round(6).tolist()
    [0.666667, nan]
    """
    cost = costs(size, weights).astype(np.float64)

    def compute(counts: FloatArray) -> FloatArray:
        tables = counts.reshape(-1, size, size)
        observed = counts.sum(axis=1) * (counts @ cost.ravel())
        expected = ((tables.sum(axis=2) @ cost) * tables.sum(axis=1)).sum(axis=1)
        return _share(expected - observed, expected)

    return compute


def ac1_of_counts(counts: FloatArray) -> FloatArray:
    """Gwet's AC1 of many flattened tables at once; NaN marks the undefined ones.

    >>> ac1_of_counts(np.array([[3.0, 0.0, 1.0, 0.0]])).tolist()
    [0.68]
    """
    n, agreeing, both = _parts(counts)
    others = both.shape[1] - 1
    chance = 4 * n * n - (both * both).sum(axis=1)
    return _share(4 * n * agreeing * others - chance, 4 * n * n * others - chance)


def pi_of_counts(counts: FloatArray) -> FloatArray:
    """Scott's pi of many flattened tables at once; NaN marks the undefined ones.

    >>> pi_of_counts(np.array([[3.0, 0.0, 1.0, 0.0]])).round(6).tolist()
    [-0.142857]
    """
    n, agreeing, both = _parts(counts)
    chance = (both * both).sum(axis=1)
    return _share(4 * n * agreeing - chance, 4 * n * n - chance)


def _parts(counts: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return n, the agreeing rows and the margins added up, of each flattened table."""
    size = round(counts.shape[1] ** 0.5)
    tables = counts.reshape(-1, size, size)
    agreeing: FloatArray = np.trace(tables, axis1=1, axis2=2)
    return counts.sum(axis=1), agreeing, tables.sum(axis=2) + tables.sum(axis=1)


def _share(above: FloatArray, below: FloatArray) -> FloatArray:
    share = np.full(len(above), np.nan)
    np.divide(above, below, out=share, where=below > 0)
    return share


def _table(x: Sequence[Label], y: Sequence[Label], labels: Sequence[Label] | None) -> IntArray:
    flat, axis = cells(x, y, labels)
    size = len(axis)
    return np.bincount(flat, minlength=size * size).reshape(size, size)
