"""Tests that the audits of labels and judgments share: exact, or exact by keyed simulation.

A simulated p-value is (1 + draws at least as extreme) / (1 + draws). Under the null hypothesis it
lies at or below any level with at most that chance (Davison and Hinkley 1997, 4.2), so it holds a
stated false-alarm level however few the draws. The draws have a fixed seed: same counts, same p.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from judgesmith.errors import DataError, RecipeError
from judgesmith.metrics.coding import IntArray

DRAWS = 1999
LEVEL = 0.01
"""Stated false-alarm level of an audit that tests: its chance to warn of a clean set."""

_NEAR = 1e-9  # statistics this close are one value that rounding has split


def check_share(owner: str, **values: float) -> None:
    """Refuse a limit outside 0 to 1.

    Raises:
        RecipeError: If a value lies outside; the message names it.

    >>> check_share("order limits", level=0.01)
    """
    for name, value in values.items():
        if not 0 <= value <= 1:
            raise RecipeError(f"{owner}, {name}: expected a number from 0 to 1, found {value!r}")


def related_p(hits: Sequence[int], totals: Sequence[int], *, seed: int = 0) -> float:
    """P-value for "a yes/no fact is spread evenly over the categories".

    The statistic is Pearson's sum of (hits - expected)**2 / expected over the categories, with
    both margins held: hits are drawn without replacement from all items (permutation test).

    Args:
        hits: Items with the fact, per category.
        totals: Items per category.
        seed: Seed of the draws.

    Returns:
        The p-value; 1.0 if no item or every item has the fact, or there is one category.

    Raises:
        DataError: Different lengths, or a category with more hits than items.

    >>> related_p([5, 5], [50, 50])
    1.0
    >>> related_p([20, 0], [50, 50]) < 0.01
    True
    """
    if len(hits) != len(totals) or any(
        not 0 <= hit <= n for hit, n in zip(hits, totals, strict=False)
    ):
        raise DataError(
            f"expected hits from 0 to the items of each category, found {list(hits)!r} of "
            f"{list(totals)!r}"
        )
    kept = [(hit, n) for hit, n in zip(hits, totals, strict=True) if n]
    observed = np.array([hit for hit, _ in kept], dtype=np.int64)
    sizes = np.array([n for _, n in kept], dtype=np.int64)
    marked, n = int(observed.sum()), int(sizes.sum())
    if len(kept) < 2 or marked in (0, n):
        return 1.0
    generator = np.random.default_rng(seed)
    drawn = generator.multivariate_hypergeometric(sizes, marked, size=DRAWS, method="marginals")
    return _simulated_p(observed, drawn, sizes * (marked / n))


def equal_shares_p(counts: Sequence[int], *, seed: int = 0) -> float:
    """P-value for "every category is equally frequent", by Pearson's statistic.

    Args:
        counts: Items per category; name empty categories too.
        seed: Seed of the draws.

    Returns:
        The p-value; 1.0 without items or with fewer than two categories.

    >>> equal_shares_p([10, 10, 10])
    1.0
    >>> equal_shares_p([30, 0, 0]) < 0.01
    True
    """
    if any(count < 0 for count in counts):
        raise DataError(f"expected counts of at least 0, found {list(counts)!r}")
    observed = np.array(counts, dtype=np.int64)
    n, k = int(observed.sum()), len(observed)
    if n == 0 or k < 2:
        return 1.0
    drawn = np.random.default_rng(seed).multinomial(n, np.full(k, 1 / k), size=DRAWS)
    return _simulated_p(observed, drawn, np.full(k, n / k))


def _simulated_p(observed: IntArray, drawn: IntArray, expected: NDArray[np.floating[Any]]) -> float:
    reached = float((((observed - expected) ** 2) / expected).sum())
    found = (((drawn - expected) ** 2) / expected).sum(axis=1)
    return float((1 + np.count_nonzero(found >= reached - _NEAR)) / (1 + len(drawn)))


def more_often_p(hits: int, n: int, other_hits: int, other_n: int) -> float:
    """One-sided exact p-value of Fisher's test: the first share is larger than the other.

    Raises:
        DataError: More hits than items.

    3 of 3 against 0 of 3: one of the 20 ways to pick three of six.

    >>> round(more_often_p(3, 3, 0, 3), 6)
    0.05
    """
    from scipy.stats import hypergeom  # slow to load

    if not (0 <= hits <= n and 0 <= other_hits <= other_n):
        raise DataError(f"expected hits of n, found {hits!r} of {n!r}, {other_hits!r} of {other_n}")
    total = hits + other_hits
    if not n or not other_n or not total:
        return 1.0
    return min(1.0, float(hypergeom.sf(hits - 1, n + other_n, total, n)))


def binomial_p(hits: int, n: int, share: float) -> float:
    """Two-sided exact binomial p-value; 1.0 without items.

    >>> binomial_p(0, 5, 0.5)
    0.0625
    """
    from scipy.stats import binomtest  # slow to load

    return float(binomtest(hits, n, share).pvalue) if n else 1.0
