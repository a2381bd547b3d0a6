"""How scores of a judge go with scores by people: correlations, error, exact match.

All functions take two aligned sequences of finite numbers. A correlation says nothing about
level: a judge that scores everyone two points too high can correlate perfectly. Read it beside
`mean_absolute_error` or `weighted_kappa`.
"""

from collections.abc import Sequence

import numpy as np

from judgesmith.metrics.agreement import NO_ROWS
from judgesmith.metrics.coding import FloatArray, aligned
from judgesmith.metrics.numeric import midranks, numbers
from judgesmith.metrics.result import Estimate

_LEAST = 2  # one row has no spread


def pearson(x: Sequence[float], y: Sequence[float]) -> Estimate:
    """Pearson's correlation, -1 to 1: how well a straight line gives one score from the other.

    Formula (Pearson 1895), with mx and my the means:

        r = sum of (x - mx)(y - my) / sqrt(sum of (x - mx)**2 * sum of (y - my)**2)

    Undefined with fewer than two rows and when either side is constant.

    Args:
        x: scores, for example of a judge.
        y: scores to compare with.

    Raises:
        DataError: different lengths, or a value that is no finite number (None, NaN).

    Distances from the means are (-1, 0, 1) and (-1, -1, 2): 3 / sqrt(2 * 6) = sqrt(3)/2:

    >>> round(pearson([1, 2, 3], [0, 0, 3]).value, 6)
    0.866025
    >>> pearson([1, 1], [1, 2]).undefined
    'x holds only the value 1.0'
    """
    columns, reason = _two_columns(x, y)
    if reason is not None:
        return Estimate.missing(reason, len(columns[0]))
    return Estimate.of(_pearson(*columns), len(columns[0]))


def spearman(x: Sequence[float], y: Sequence[float]) -> Estimate:
    """Spearman's rank correlation, -1 to 1: how well the order of one is the order of the other.

    Formula (Spearman 1904): `pearson` of the ranks, equal values sharing their mean rank.

    Undefined with fewer than two rows and when either side is constant.

    Raises:
        DataError: different lengths, or a value that is no finite number (None, NaN).

    Ranks (1, 2, 3) and (1.5, 1.5, 3): 1.5 / sqrt(2 * 1.5) = sqrt(3)/2; the value 90 or 3 is the
    same to it:

    >>> round(spearman([1, 2, 90], [0, 0, 3]).value, 6)
    0.866025
    """
    columns, reason = _two_columns(x, y)
    if reason is not None:
        return Estimate.missing(reason, len(columns[0]))
    return Estimate.of(_pearson(midranks(columns[0]), midranks(columns[1])), len(columns[0]))


def kendall_tau_b(x: Sequence[float], y: Sequence[float]) -> Estimate:
    """Kendall's tau-b, -1 to 1: pairs of rows in the same order less those in opposite order.

    Formula (Kendall 1945), over all m = n * (n - 1) / 2 pairs of rows, with P in the same order,
    Q in opposite order, T tied in x and U tied in y:

        tau = (P - Q) / sqrt((m - T) * (m - U))

    Undefined with fewer than two rows and when either side is constant.

    Raises:
        DataError: different lengths, or a value that is no finite number (None, NaN).

    Of three pairs two are in the same order and one is tied in y: 2 / sqrt(3 * 2):

    >>> round(kendall_tau_b([1, 2, 3], [0, 0, 3]).value, 6)
    0.816497
    """
    columns, reason = _two_columns(x, y)
    if reason is not None:
        return Estimate.missing(reason, len(columns[0]))
    from scipy.stats import kendalltau  # slow to load

    tau = float(kendalltau(*columns).statistic)
    return Estimate.of(max(-1.0, min(1.0, tau)), len(columns[0]))


def mean_absolute_error(x: Sequence[float], y: Sequence[float]) -> Estimate:
    """Mean distance between two scores of a row, in the unit of the scores, 0 or more.

    Formula: sum of |x[i] - y[i]| / n. Undefined without rows.

    Raises:
        DataError: different lengths, or a value that is no finite number (None, NaN).

    >>> mean_absolute_error([1, 5, 3], [2, 5, 1]).value
    1.0
    """
    n = aligned(x=x, y=y)
    distance = np.abs(numbers("x", x) - numbers("y", y))
    return Estimate.of(float(distance.mean()), n) if n else Estimate.missing(NO_ROWS, n=0)


def exact_match(x: Sequence[float], y: Sequence[float]) -> Estimate:
    """Share of rows with equal scores, 0 to 1: `accuracy` for numbers. Undefined without rows.

    Scores 4 and 4.0 are equal, 4 and 4.1 are not.

    Raises:
        DataError: different lengths, or a value that is no finite number (None, NaN).

    >>> exact_match([4, 2.5, 1], [4.0, 2.5, 2]).value
    0.6666666666666666
    """
    n = aligned(x=x, y=y)
    equal = numbers("x", x) == numbers("y", y)
    return Estimate.of(int(equal.sum()) / n, n) if n else Estimate.missing(NO_ROWS, n=0)


def _two_columns(
    x: Sequence[float], y: Sequence[float]
) -> tuple[tuple[FloatArray, FloatArray], str | None]:
    """Return both columns, and why their correlation is undefined."""
    n = aligned(x=x, y=y)
    columns = numbers("x", x), numbers("y", y)
    if n == 0:
        return columns, NO_ROWS
    if n < _LEAST:
        return columns, "a correlation needs at least two rows, found 1"
    for name, column in zip("xy", columns, strict=True):
        if column.min() == column.max():
            return columns, f"{name} holds only the value {float(column[0])!r}"
    return columns, None


def _pearson(x: FloatArray, y: FloatArray) -> float:
    """Pearson's formula for columns that vary."""
    one, two = _centred(x), _centred(y)
    r = float(one @ two) / float(np.sqrt(one @ one) * np.sqrt(two @ two))
    return max(-1.0, min(1.0, r))


def _centred(column: FloatArray) -> FloatArray:
    """Distances from the mean, scaled by powers of two, so that no square over- or underflows."""
    near_one = _scaled(column)
    return _scaled(near_one - near_one.mean())


def _scaled(column: FloatArray) -> FloatArray:
    exponent = np.frexp(np.abs(column).max())[1]
    scaled: FloatArray = np.ldexp(column, -exponent)
    return scaled
