"""A linear probe over named features, fitted on some groups and asked about others.

The probe is a logistic regression with a ridge penalty, which bears many rare and correlated
features better than counting each alone:

    minimise  sum_i w_i log(1 + exp(-s_i <x_i, b>))  +  PENALTY / 2 <b, b>

s is +1 or -1 by what row i is. Rows are cut in `N_FOLDS` folds by a keyed hash of their group, and
each fold but the first is scored by a probe that saw the folds before it. Why not all others, as
cross-validation would: a feature that leans to one side by chance leans the same way in what is
learned from and in what is asked, in every fold in turn, so that the folds err together and the
interval of their mean is too narrow (on questions without any cue it lay above chance three times
as often as it should). A fold that was never learned from cannot have helped to choose what it is
asked: given the folds before, each answer without a cue is a fair coin (prequential, Dawid 1984).

A feature that stands in one group only can never be on both sides and is left out.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np

from judgesmith.metrics.coding import FloatArray, IntArray

N_FOLDS = 10
"""Folds that are asked about in turn, all but the first."""

PENALTY = 1.0
"""Weight of the ridge: a feature must be seen in several rows before it says much."""

MOST_STEPS = 60

LEAST_WEIGHT = 0.001
"""A feature with less says nothing worth naming."""


@dataclass(frozen=True, slots=True)
class ProbeRow:
    """One row: what it is, and what the probe may know of it.

    Attributes:
        row_id: The question's id.
        group: What is held out together: the template.
        features: Value by name; a feature that is not there is 0.
        positive: What the probe is asked.
    """

    row_id: str
    group: str
    features: Mapping[str, float]
    positive: bool


@dataclass(frozen=True, slots=True)
class Weighed:
    """A feature and what it says of the rows it was learned from.

    Attributes:
        feature: Its name.
        weight: What it adds to the score; above 0 it says positive.
        right: Rows in which it points to the right side.
        wrong: Rows in which it points to the wrong side.
    """

    feature: str
    weight: float
    right: int
    wrong: int


def keyed_hash(seed: int, *parts: str) -> bytes:
    """Eight bytes that depend on seed and parts alone.

    >>> keyed_hash(0, "a", "b") == keyed_hash(0, "a", "b") != keyed_hash(1, "a", "b")
    True
    """
    joined = "\x1f".join((str(seed), *parts))
    return blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def held_out_scores(
    rows: Sequence[ProbeRow], *, balanced: bool, seed: int
) -> tuple[FloatArray, IntArray]:
    """Score rows by probes that were fitted on earlier folds.

    Args:
        rows: In an order that does not depend on how they were read; the last bits of a sum do.
        balanced: Weigh the two sides alike, whatever their sizes. A fold before which only one
            side was seen is then not scored.
        seed: Key of the hash that makes the folds.

    Returns:
        The scores, above 0 where the probe says positive, and the places of the rows that have
        them, both of shape (scored,).

    >>> rows = [ProbeRow(f"r{i}", f"g{i}", {"x": i % 2, "bias": 1.0}, i % 2 == 1)
    ...         for i in range(40)]
    >>> scores, places = held_out_scores(rows, balanced=True, seed=0)
    >>> len(places), all((score > 0) == rows[at].positive for score, at in zip(scores, places))
    (36, True)
    """
    matrix, _ = design(rows)
    sides = sides_of(rows)
    folds = fold_of([row.group for row in rows], seed, folds=N_FOLDS)
    scores, places = [np.empty(0)], [np.empty(0, np.int64)]
    for fold in range(1, N_FOLDS):
        seen, asked = folds < fold, np.flatnonzero(folds == fold)
        if not len(asked) or (balanced and len(set(sides[seen].tolist())) < 2):
            continue
        weights = fit(matrix[seen], sides[seen], balanced=balanced)
        scores.append(matrix[asked] @ weights)
        places.append(asked)
    return np.concatenate(scores), np.concatenate(places)


def sides_of(rows: Sequence[ProbeRow]) -> FloatArray:
    """+1 for each positive row, -1 for each other, shape (n,)."""
    return np.asarray([1.0 if row.positive else -1.0 for row in rows])


def fold_of(groups: Sequence[str], seed: int, *, folds: int = 5) -> IntArray:
    """The fold of each row: groups in the order of their hash, dealt out in turn.

    >>> fold_of(["a", "b", "a"], 0)[[0, 2]].tolist() in ([0, 0], [1, 1])
    True
    """
    order = sorted(set(groups), key=lambda group: (keyed_hash(seed, group), group))
    place = {group: number % folds for number, group in enumerate(order)}
    return np.asarray([place[group] for group in groups], dtype=np.int64)


def design(rows: Sequence[ProbeRow]) -> tuple[Any, list[str]]:
    """The sparse matrix of the rows, and the name of each column in order.

    >>> rows = [ProbeRow("r", g, {"both": 1.0, g: 1.0}, True) for g in "ab"]
    >>> matrix, names = design(rows)
    >>> names, matrix.shape
    (['both'], (2, 1))
    """
    from scipy.sparse import csr_array  # slow to load

    groups: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        for name in row.features:
            groups[name].add(row.group)
    names = sorted(name for name, held in groups.items() if len(held) > 1)
    column = {name: number for number, name in enumerate(names)}
    values: list[float] = []
    columns: list[int] = []
    starts = [0]
    for row in rows:
        # In order of columns, as the last bits of a sum depend on the order of what is added.
        kept = sorted((column[n], v) for n, v in row.features.items() if n in column and v)
        columns.extend(number for number, _ in kept)
        values.extend(value for _, value in kept)
        starts.append(len(values))
    shape = (len(rows), len(names))
    return csr_array((np.asarray(values, dtype=np.float64), columns, starts), shape=shape), names


def fit(matrix: Any, sides: FloatArray, *, balanced: bool) -> FloatArray:
    """The weights of the probe, shape (columns,).

    Args:
        matrix: Sparse, shape (n, columns).
        sides: Shape (n,), +1 or -1.
        balanced: Weigh the two sides alike.
    """
    from scipy.optimize import minimize  # slow to load
    from scipy.special import expit

    rows = np.ones(len(sides))
    if balanced:
        counts = Counter(sides.tolist())
        rows = np.asarray([len(sides) / (2 * counts[side]) for side in sides.tolist()])

    def loss(weights: FloatArray) -> tuple[float, FloatArray]:
        margin = sides * (matrix @ weights)
        value = float(rows @ np.logaddexp(0.0, -margin)) + PENALTY / 2 * float(weights @ weights)
        slope = matrix.T @ (-rows * sides * expit(-margin)) + PENALTY * weights
        return value, slope

    start = np.zeros(matrix.shape[1])
    if not len(start):
        return start
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": MOST_STEPS})
    weights: FloatArray = found.x
    return weights


def weigh(rows: Sequence[ProbeRow], *, balanced: bool) -> tuple[Weighed, ...]:
    """The features by weight, heaviest first; those that tell nothing are left out.

    >>> rows = [ProbeRow(f"r{i}", f"g{i}", {"x": i % 2, "y": 1.0}, i % 2 == 1) for i in range(9)]
    >>> [(found.feature, found.right, found.wrong)
    ...  for found in weigh(rows, balanced=True) if found.feature == "x"]
    [('x', 4, 0)]
    """
    if balanced and len({row.positive for row in rows}) < 2:
        return ()
    matrix, names = design(rows)
    sides = sides_of(rows)
    weights = fit(matrix, sides, balanced=balanced)
    cells = matrix.tocoo()
    points_right = cells.data * sides[cells.row] * weights[cells.col] > 0
    right = np.bincount(cells.col[points_right], minlength=len(names))
    stands = np.bincount(cells.col, minlength=len(names))
    found = [
        Weighed(name, round(float(weight), 3), int(good), int(every - good))
        for name, weight, good, every in zip(names, weights, right, stands, strict=True)
        if name and abs(weight) >= LEAST_WEIGHT
    ]
    return tuple(sorted(found, key=lambda f: (-abs(f.weight), f.feature)))
