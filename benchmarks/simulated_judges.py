"""Judges whose true agreement is known, over clusters that matter.

Every cluster (question) draws its type, its own label shares (Dirichlet around those of the type),
its own reliability (Beta around that of the type) and its own steadiness. A judge knows the label
of an item with the reliability of its cluster and guesses otherwise. Labels and errors therefore
hang together within clusters, while the share of every (verdict, label) pair in the population is
a finite sum:

    P(j, k) = sum over types t of w(t) * p(t, k) * (m(t) * [j = k] + (1 - m(t)) * g(j))

so that the truth of every metric of the table is exact and needs no simulation.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from judgesmith.metrics.agreement import kappa_of_counts

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

NAMES = np.array(["A", "B", "TIE"])
TYPE_WEIGHTS = np.array([0.6, 0.4])
EASE = np.array([1.0, 0.7])
"""Reliability of the easy and the hard type, up to a common factor."""
LABEL_CONCENTRATION = 6.0
RELIABILITY_CONCENTRATION = 5.0
STEADINESS = (17.0, 3.0)
"""Beta parameters of a cluster's chance that a verdict survives a swap; the mean is .85."""
COPIED = 0.5
"""How often the second judge says what the first says."""
SIZES = (2, 6)
"""Items per cluster: from the first, up to but not with the second."""
LABELS = {
    "even": np.array([[0.40, 0.35, 0.25], [0.30, 0.35, 0.35]]),
    "skewed": np.array([[0.75, 0.15, 0.10], [0.55, 0.25, 0.20]]),
    "rare": np.array([[0.88, 0.08, 0.04], [0.78, 0.13, 0.09]]),
}
"""Label shares of the two types."""


@dataclass(frozen=True)
class Judges:
    """The verdicts of two judges, in codes, on one simulated test set."""

    first: Codes
    second: Codes
    labels: Codes
    clusters: Codes
    steady: NDArray[np.bool_]

    def words(self, codes: Codes) -> list[str]:
        """Verdicts as text."""
        return list(NAMES[codes].tolist())


@dataclass(frozen=True)
class World:
    """A population of clusters and the two judges in it.

    Attributes:
        labels: shape (types, labels), label shares.
        reliability: shape (types,), how often the first judge knows.
        other: the same of the second judge where it does not copy.
    """

    labels: Floats
    reliability: Floats
    other: Floats

    @classmethod
    def with_kappa(cls, kind: str, first: float, second: float | None = None) -> "World":
        """A world in which the first judge has this kappa, and the second, where it is given."""
        labels = LABELS[kind]
        knows = _solve(lambda scale: _kappa(_cells(labels, scale * EASE)), first)
        if second is None:
            return cls(labels, knows * EASE, knows * EASE)
        fixed = _cells(labels, knows * EASE)

        def kappa_of_second(scale: float) -> float:
            return _kappa(COPIED * fixed + (1 - COPIED) * _cells(labels, scale * EASE))

        return cls(labels, knows * EASE, _solve(kappa_of_second, second) * EASE)

    @property
    def cells(self) -> tuple[Floats, Floats]:
        """Share of every (verdict, label) pair in the population, for both judges."""
        first = _cells(self.labels, self.reliability)
        return first, COPIED * first + (1 - COPIED) * _cells(self.labels, self.other)

    def draw(self, clusters: int, generator: np.random.Generator) -> Judges:
        """Draw clusters and what the two judges say about their items."""
        kind = generator.choice(len(TYPE_WEIGHTS), clusters, p=TYPE_WEIGHTS)
        group = np.repeat(np.arange(clusters), generator.integers(*SIZES, clusters))
        n = len(group)
        shares = generator.gamma(LABEL_CONCENTRATION * self.labels[kind])
        shares /= shares.sum(axis=1, keepdims=True)
        y = (generator.random(n)[:, None] > shares.cumsum(axis=1)[group, :2]).sum(axis=1)
        # Hard types are hard for both judges; within a type each has clusters of its own.
        first, second = (
            generator.beta(RELIABILITY_CONCENTRATION * mean, RELIABILITY_CONCENTRATION * (1 - mean))
            for mean in (self.reliability[kind], self.other[kind])
        )
        guess = _marginal(self.labels)
        x = np.where(generator.random(n) < first[group], y, generator.choice(3, n, p=guess))
        own = np.where(generator.random(n) < second[group], y, generator.choice(3, n, p=guess))
        x2 = np.where(generator.random(n) < COPIED, x, own)
        steady = generator.random(n) < generator.beta(*STEADINESS, clusters)[group]
        return Judges(x, x2, y, group, steady)


def normal_scores(
    clusters: int, correlation: float, generator: np.random.Generator
) -> tuple[Floats, Floats, Codes]:
    """Scores and labels that are jointly normal with this correlation, half of it by cluster."""
    group = np.repeat(np.arange(clusters), generator.integers(*SIZES, clusters))

    def both(rows: int) -> tuple[Floats, Floats]:
        x = generator.standard_normal(rows)
        noise = generator.standard_normal(rows)
        return x, correlation * x + np.sqrt(1 - correlation**2) * noise

    (of_cluster_x, of_cluster_y), (own_x, own_y) = both(clusters), both(len(group))
    return of_cluster_x[group] + own_x, of_cluster_y[group] + own_y, group


def _marginal(labels: Floats) -> Floats:
    whole: Floats = TYPE_WEIGHTS @ labels
    return whole


def _cells(labels: Floats, reliability: Floats) -> Floats:
    known = np.diag((TYPE_WEIGHTS * reliability) @ labels)
    missed = (TYPE_WEIGHTS * (1 - reliability)) @ labels
    whole: Floats = known + np.outer(_marginal(labels), missed)
    return whole


def _kappa(cells: Floats) -> float:
    return float(kappa_of_counts(cells.reshape(1, -1))[0])


def _solve(kappa: Callable[[float], float], wanted: float) -> float:
    return float(brentq(lambda scale: kappa(scale) - wanted, 0.0, 1.0, xtol=1e-13))


def cell_values(cells: Floats) -> dict[str, float]:
    """Metrics of the table that are plain sums of a population's cells."""
    right = float(np.trace(cells))
    ties = np.zeros((3, 3))
    ties[2, :2] = ties[:2, 2] = 0.5
    shares: Sequence[float] = ((cells.sum(axis=0) + cells.sum(axis=1)) / 2).tolist()
    chance = sum(share * (1 - share) for share in shares) / 2
    return {
        "kappa": _kappa(cells),
        "accuracy": right,
        "accuracy, ties half": right + float((ties * cells).sum()),
        "gwet_ac1": (right - chance) / (1 - chance),
    }
