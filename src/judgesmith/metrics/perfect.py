"""What to print where every resample gives the same value, as for a judge that is never wrong.

Every resample of a perfect sample is perfect, so the bootstrap would print [1, 1] for ten rows as
for ten thousand. What n rows without an error do say is how common errors can be at most. With C
clusters none of which holds an error, Wilson's upper end for the share of clusters with one is

    u = z*z / (C + z*z), z the normal quantile at (1 + confidence) / 2

and the interval ends where the metric would be if a share u of the rows were wrong in the least
favourable way. For a share that end is 1 - u. For chance-corrected agreement it depends on which
labels are mistaken for which: the lowest value is taken among errors that all fall on the rarest
labels, on the most common one, and between the ends of the scale. With one row per cluster this is
Wilson's interval; with clusters of one size it is wider than needed, as a cluster with an error is
counted as wrong throughout. Two judges that never differ, and a judge whose slot never matters, are
bounded in the same way. Where no such bound is known there is no interval, with the reason.
"""

from collections.abc import Iterable
from dataclasses import replace
from statistics import NormalDist

import numpy as np

from judgesmith.metrics.coding import FloatArray, IntArray
from judgesmith.metrics.resample import Statistic
from judgesmith.metrics.result import Estimate

METHOD = "Wilson bound over clusters, as every resample is the same"
NO_SPREAD = "every resample gives the same value, so nothing is known about its variation"
_ROUNDING = 1e-12


def most_wrong(clusters: int, confidence: float) -> float:
    """The upper end u for the share of clusters with an error when none was seen.

    z = 1.959964, ten clusters: 3.841459 / 13.841459:

    >>> round(most_wrong(10, 0.95), 6)
    0.277533
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    return z * z / (clusters + z * z)


def bound_share(found: Estimate, clusters: int) -> Estimate:
    """Replace the interval [1, 1] or [0, 0] of a share; leave any other as it is.

    Args:
        found: the share with its bootstrap interval.
        clusters: how many clusters hold a row that counts.

    >>> share = Estimate(1.0, 1.0, 1.0, n=10, clusters=10, confidence=0.95)
    >>> round(bound_share(share, 10).low, 6)
    0.722467
    """
    if found.low is None or found.confidence is None or found.value not in (0.0, 1.0):
        return found
    if found.low != found.value or found.high != found.value:
        return found
    wrong = most_wrong(clusters, found.confidence)
    low, high = (1 - wrong, 1.0) if found.value == 1 else (0.0, wrong)
    return replace(found, low=low, high=high, method=METHOD)


def without_width(found: Estimate) -> Estimate:
    """Take away an interval whose ends are equal, and say why.

    >>> without_width(Estimate(1.0, 1.0, 1.0, n=9)).no_interval
    'every resample gives the same value, so nothing is known about its variation'
    """
    if found.low is None or found.high is None:
        return found
    if found.high - found.low > _ROUNDING * max(1.0, abs(found.high)):
        return found
    return replace(found, low=None, high=None, no_interval=NO_SPREAD)


def bound_signed(found: Estimate, clusters: int) -> Estimate:
    """Replace the interval without width of a mean of rows that are each -1, 0 or 1.

    With all rows alike at v, a share u of other rows moves the mean by at most u where v is 0,
    and by 2u where v is -1 or 1. A mean that never varies for another reason gets no interval.

    Args:
        found: the mean with its bootstrap interval.
        clusters: how many clusters hold a row that counts.

    Ten pairs without a flip, position bias 0:

    >>> bias = Estimate(0.0, 0.0, 0.0, n=10, clusters=10, confidence=0.95)
    >>> round(bound_signed(bias, 10).low, 6), round(bound_signed(bias, 10).high, 6)
    (-0.277533, 0.277533)
    """
    stripped = without_width(found)
    if stripped is found or found.confidence is None or found.value not in (-1.0, 0.0, 1.0):
        return stripped
    reach = most_wrong(clusters, found.confidence) * (1 if found.value == 0 else 2)
    low, high = max(-1.0, found.value - reach), min(1.0, found.value + reach)
    return replace(found, low=low, high=high, method=METHOD)


def bound_agreement(
    found: Estimate, counts: IntArray | FloatArray, statistic: Statistic
) -> Estimate:
    """Replace the interval [1, 1] of an agreement whose rows all agree; leave any other.

    Args:
        found: the agreement with its bootstrap interval.
        counts: shape (C, K*K), the table of each cluster, row = label in x.
        statistic: the agreement of many flattened tables.

    Accuracy as the statistic gives back Wilson's lower end:

    >>> right = lambda tables: (tables[:, 0] + tables[:, 3]) / tables.sum(axis=1)
    >>> ten = np.array([[1, 0, 0, 0]] * 5 + [[0, 0, 0, 1]] * 5)
    >>> perfect = Estimate(1.0, 1.0, 1.0, n=10, clusters=10, confidence=0.95)
    >>> round(bound_agreement(perfect, ten, right).low, 6)
    0.722467
    """
    table = counts.sum(axis=0).astype(np.float64)
    size = round(len(table) ** 0.5)
    shares = table.reshape(size, size).diagonal() / table.sum()
    perfect = found.value == 1 and bool(np.isclose(shares.sum(), 1.0, rtol=0, atol=1e-12))
    if not perfect or found.low is None or found.confidence is None or size < 2:
        return found
    wrong = most_wrong(len(counts), found.confidence)
    spoiled = np.stack([_spoil(shares, wrong, moves) for moves in _ways_to_be_wrong(shares)])
    lowest = float(np.nanmin(statistic(spoiled * table.sum())))
    return replace(found, low=max(-1.0, min(1.0, lowest)), high=1.0, method=METHOD)


def _ways_to_be_wrong(shares: FloatArray) -> list[list[tuple[int, int]]]:
    """Three orders in which labels lose rows, each with the label taken instead."""
    rising = np.argsort(shares, kind="stable").tolist()
    falling = rising[::-1]
    last = len(shares) - 1
    ends = sorted(range(last + 1), key=lambda label: -max(label, last - label))
    return [
        [(label, falling[0]) for label in rising[:-1]] + [(falling[0], falling[1])],
        [(label, rising[0]) for label in falling[:-1]] + [(rising[0], rising[1])],
        [(label, 0 if label > last - label else last) for label in ends],
    ]


def _spoil(shares: FloatArray, wrong: float, moves: Iterable[tuple[int, int]]) -> FloatArray:
    """Return the flattened table in which a share `wrong` of the rows was moved."""
    table = np.diag(shares)
    left = wrong
    for label, taken in moves:
        part = min(left, float(shares[label]))
        table[label, label] -= part
        table[taken, label] += part
        left -= part
    return table.ravel()
