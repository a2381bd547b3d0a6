"""Agreement of two columns of labels: accuracy, Cohen's kappa, the confusion table.

All functions take two aligned sequences of labels without None. Intervals are in `interval`,
unparsed verdicts in `coverage`, the rule on when agreement may be shown in `suppress`.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

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
from judgesmith.metrics.result import Confusion, Estimate

NO_ROWS = "there are no rows"


def accuracy(x: Sequence[Label], y: Sequence[Label]) -> Estimate:
    """Share of rows in which x and y hold the same label, 0 to 1.

    Formula: (number of i with x[i] = y[i]) / n. Undefined without rows.

    Args:
        x: verdicts, for example of a judge.
        y: labels.

    Raises:
        DataError: different lengths, or a value that is no label (None among them).

    Three of four agree:

    >>> accuracy(["A", "A", "B", "TIE"], ["A", "B", "B", "TIE"]).value
    0.75
    """
    n = aligned(x=x, y=y)
    distinct("x", x)
    distinct("y", y)
    if n == 0:
        return Estimate.missing(NO_ROWS, n=0)
    return Estimate.of(sum(a == b for a, b in zip(x, y, strict=True)) / n, n)


def cohen_kappa(
    x: Sequence[Label], y: Sequence[Label], labels: Sequence[Label] | None = None
) -> Estimate:
    """Cohen's unweighted kappa, -1 to 1: agreement beyond what the label shares give by chance.

    Formula (Cohen 1960): kappa = (po - pe) / (1 - pe), with po the accuracy and
    pe = sum over labels k of share_x(k) * share_y(k). In counts, with d agreeing rows and
    S = sum of count_x(k) * count_y(k): kappa = (n*d - S) / (n*n - S), which is exact.

    Undefined without rows, and when both columns hold one and the same label only (pe = 1).
    When only one of them is constant, kappa is 0.

    Args:
        x: verdicts.
        y: labels.
        labels: the allowed labels; labels that do not occur change nothing.

    Raises:
        DataError: different lengths, None, or a label outside `labels`.

    Here n = 4, d = 3, S = 2*1 + 1*2 + 1*1 = 5, so kappa = (12 - 5) / (16 - 5) = 7/11:

    >>> round(cohen_kappa(["A", "A", "B", "TIE"], ["A", "B", "B", "TIE"]).value, 6)
    0.636364
    >>> cohen_kappa(["A", "A"], ["A", "A"]).undefined
    "both sides hold only the label 'A', so chance agreement is 1"
    """
    n = aligned(x=x, y=y)
    if n == 0:
        return Estimate.missing(NO_ROWS, n=0)
    table = confusion(x, y, labels)
    counts = np.asarray(table.counts, dtype=np.int64)
    agreeing = int(np.trace(counts))
    chance = sum(int(r) * int(c) for r, c in zip(counts.sum(1), counts.sum(0), strict=True))
    if chance == n * n:
        only = f"both sides hold only the label {shown(x[0])}, so chance agreement is 1"
        return Estimate.missing(only, n)
    return Estimate.of((n * agreeing - chance) / (n * n - chance), n)


def kappa_of_counts(counts: FloatArray) -> FloatArray:
    """Cohen's kappa of many flattened confusion tables at once; NaN marks the undefined ones.

    For resampling only: NaN stays inside this package.

    Args:
        counts: shape (tables, K*K), each row a K x K table of counts.

    Returns:
        Shape (tables,).

    The table [[3, 1], [0, 2]] has n = 6, d = 5, S = 4*3 + 2*3 = 18: (30 - 18) / (36 - 18) = 2/3:

    >>> kappa_of_counts(np.array([[3.0, 1.0, 0.0, 2.0], [5.0, 0.0, 0.0, 0.0]])).round(6).tolist()
    [0.666667, nan]
    """
    size = round(counts.shape[1] ** 0.5)
    tables = counts.reshape(-1, size, size)
    n = counts.sum(axis=1)
    agreeing = np.trace(tables, axis1=1, axis2=2)
    chance = (tables.sum(axis=2) * tables.sum(axis=1)).sum(axis=1)
    kappa = np.full(len(counts), np.nan)
    np.divide(n * agreeing - chance, n * n - chance, out=kappa, where=n * n > chance)
    return kappa


def cells(
    x: Sequence[Label], y: Sequence[Label], labels: Sequence[Label] | None = None
) -> tuple[IntArray, tuple[Label, ...]]:
    """Return each row's cell in the flattened confusion table, and the labels of its axes.

    >>> cells(["A", "B"], ["B", "B"])[0].tolist()
    [1, 3]
    """
    aligned(x=x, y=y)
    axis = ordered_labels(distinct("x", x) | distinct("y", y), labels)
    return encode("x", x, axis) * len(axis) + encode("y", y, axis), axis


def confusion(
    x: Sequence[Label], y: Sequence[Label], labels: Sequence[Label] | None = None
) -> Confusion:
    """Count how often each label of x meets each label of y.

    Args:
        x: the rows of the table.
        y: the columns of the table.
        labels: the labels of both axes, in this order; by default those that occur, sorted.

    Raises:
        DataError: different lengths, None, or a label outside `labels`.

    >>> confusion(["A", "A", "B"], ["A", "B", "B"]).counts
    ((1, 1), (0, 1))
    """
    flat, axis = cells(x, y, labels)
    size = len(axis)
    counts = np.bincount(flat, minlength=size * size).reshape(size, size)
    return Confusion(axis, tuple(tuple(row) for row in counts.tolist()))


def prevalence(x: Sequence[Label]) -> Estimate:
    """Share of the most common label, 0 to 1. Undefined without rows.

    >>> prevalence(["A", "A", "B", "A"]).value
    0.75
    """
    distinct("x", x)
    if len(x) == 0:
        return Estimate.missing(NO_ROWS, n=0)
    return Estimate.of(max(Counter(x).values()) / len(x), len(x))
