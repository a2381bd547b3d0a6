"""Tests for two judges on the same items, and the correction for making many of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from judgesmith.errors import DataError
from judgesmith.metrics.coding import Label, Verdict, aligned, distinct


@dataclass(frozen=True, slots=True)
class McNemar:
    """Outcome of McNemar's exact test.

    Attributes:
        gained: items that the first judge has right and the second wrong.
        lost: items that the second judge has right and the first wrong.
        p: two-sided p-value, 0 to 1.
        n: items compared.
    """

    gained: int
    lost: int
    p: float
    n: int

    @property
    def value(self) -> float:
        """The p-value."""
        return self.p

    def __float__(self) -> float:
        return self.p


def mcnemar_exact(x1: Sequence[Verdict], x2: Sequence[Verdict], y: Sequence[Label]) -> McNemar:
    """Exact McNemar test of whether two judges are right equally often on the same items.

    Only the items on which one is right and the other wrong count. Under the null hypothesis
    each of these m = gained + lost is a fair coin, so with k = min(gained, lost)

        p = min(1, 2 * sum over i = 0..k of binomial(m, i) / 2**m)

    (McNemar 1947, exact binomial form). Without such items p is 1. The items are taken as
    independent; where several share a question, read it beside the clustered interval of the
    difference.

    Args:
        x1: verdicts of the first judge; None (unparsed) is never right.
        x2: verdicts of the second judge, likewise.
        y: labels.

    Raises:
        DataError: different lengths, or a label that is None.

    Gained 3, lost 0: p = 2 * (1/2)**3 = 0.25:

    >>> mcnemar_exact(["A", "A", "A", "B"], ["B", "B", None, "B"], ["A", "A", "A", "B"])
    McNemar(gained=3, lost=0, p=0.25, n=4)
    """
    n = aligned(x1=x1, x2=x2, y=y)
    distinct("y", y)
    right = [(a == label, b == label) for a, b, label in zip(x1, x2, y, strict=True)]
    gained, lost = right.count((True, False)), right.count((False, True))
    return McNemar(gained, lost, mcnemar_p(gained, lost), n)


def mcnemar_p(gained: int, lost: int) -> float:
    """Two-sided exact p-value of McNemar's test from its two counts.

    One of four: 2 * (1 + 4) / 16 = 0.625:

    >>> mcnemar_p(1, 3)
    0.625
    """
    from scipy.special import bdtr  # slow to load

    if gained < 0 or lost < 0:
        raise DataError(f"expected counts of at least 0, found {gained!r} and {lost!r}")
    return min(1.0, 2.0 * float(bdtr(min(gained, lost), gained + lost, 0.5)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the order given; they bound the chance of any false alarm.

    With the p-values sorted upward, p(1) <= ... <= p(m):

        adjusted(i) = max over j <= i of min(1, (m - j + 1) * p(j))

    (Holm 1979). Valid under any dependence between the tests. No p-values give an empty list.

    Args:
        p_values: p-values of one table, each 0 to 1.

    Raises:
        DataError: a value that is no number from 0 to 1 (NaN among them).

    Sorted .01, .03, .04: 3 * .01 = .03; 2 * .03 = .06; max(.06, .04) = .06:

    >>> [round(p, 6) for p in holm([0.04, 0.01, 0.03])]
    [0.06, 0.03, 0.06]
    """
    for position, p in enumerate(p_values):
        if not (math.isfinite(p) and 0 <= p <= 1):
            raise DataError(f"p_values[{position}] is {p!r}: expected a number from 0 to 1")
    ascending = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted = [0.0] * len(p_values)
    reached = 0.0
    for rank, position in enumerate(ascending):
        reached = max(reached, min(1.0, (len(p_values) - rank) * p_values[position]))
        adjusted[position] = reached
    return adjusted
