"""Dawid and Skene's model: what the truth is, and how each rater errs, from ratings alone."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from judgesmith.errors import DataError
from judgesmith.metrics.coding import (
    FloatArray,
    IntArray,
    Label,
    Verdict,
    distinct,
    encode,
    ordered_labels,
)


@dataclass(frozen=True, slots=True)
class DawidSkene:
    """The fitted model.

    Attributes:
        labels: the labels, in the order of every vector and matrix here.
        posteriors: for each item the probability of each label; None for an item that nobody
            rated.
        priors: share of each label among the items.
        confusions: for each rater a matrix of shares, row = true label, column = given label;
            each row adds up to 1.
        objectives: after each iteration the log-likelihood, plus smoothing times the sum of the
            logarithms of all priors and shares. EM never lowers it.
        log_likelihood: of the ratings, at the end and without the smoothing term.
        converged: whether the posteriors stopped moving before the iterations ran out.
        iterations: how many were made.
    """

    labels: tuple[Label, ...]
    posteriors: tuple[tuple[float, ...] | None, ...]
    priors: tuple[float, ...]
    confusions: dict[Hashable, tuple[tuple[float, ...], ...]]
    objectives: tuple[float, ...]
    log_likelihood: float
    converged: bool
    iterations: int

    def verdicts(self, *, least: float = 0.0) -> list[Verdict]:
        """Return the most probable label of each item.

        None where nobody rated the item, where the largest probability is below `least`, or
        where several labels share it (within 1e-9).

        >>> model = dawid_skene([["A", "A"], ["B", "B"], [None, None]])
        >>> model.verdicts()
        ['A', 'B', None]
        """
        found: list[Verdict] = []
        for posterior in self.posteriors:
            if posterior is None:
                found.append(None)
                continue
            largest = max(posterior)
            top = [i for i, p in enumerate(posterior) if largest - p <= 1e-9]
            found.append(self.labels[top[0]] if len(top) == 1 and largest >= least else None)
        return found


def dawid_skene(
    ratings: Sequence[Sequence[Verdict]],
    raters: Sequence[Hashable] | None = None,
    *,
    smoothing: float = 0.01,
    tolerance: float = 1e-8,
    max_iterations: int = 1000,
) -> DawidSkene:
    """Estimate true labels and raters' confusion matrices by EM (Dawid and Skene 1979).

    The model: item i has a true label j with probability prior(j); each rating of it by rater r
    is l with probability share(r, j, l), independently given j. Iterated from the shares of votes
    of each item:

        M: prior(j) ~ s + sum over i of q(i, j)
           share(r, j, l) ~ s + sum over items that r rated l of q(i, j)
        E: q(i, j) ~ prior(j) * product over the ratings (r, l) of item i of share(r, j, l)

    with ~ for "normalised to sum 1" and s the smoothing, which keeps a rater with few ratings
    from certainty; s = 0 is the model of the paper, where a label without any weight gets even
    shares. The start makes the result deterministic; rows and raters may come in any order.

    Judges that share their errors break the independence, and then posteriors are too sure. See
    `panel_errors.error_correlation`.

    Args:
        ratings: one row per item, one column per rater; None is a missing rating.
        raters: the name of each column, by default 0, 1, ... Columns of one name are repeated
            ratings by one rater and share a matrix.
        smoothing: pseudo-count s, 0 or more.
        tolerance: stop when no posterior moves by more than this.
        max_iterations: stop after this many iterations in any case.

    Raises:
        DataError: no ratings, rows of different lengths, a rater without ratings, or a setting
            out of range.

    Two careful raters and one who always says A: the third is read for what he is:

    >>> rows = [["A", "A", "A"], ["B", "B", "A"]] * 20
    >>> model = dawid_skene(rows, ["ann", "bob", "lazy"])
    >>> model.verdicts()[:2], [round(p, 3) for p in model.priors]
    (['A', 'B'], [0.5, 0.5])
    >>> round(model.confusions["lazy"][1][0], 3)
    1.0
    """
    _check_settings(smoothing, tolerance, max_iterations)
    names, columns, labels = _columns(ratings, raters)
    rated = np.flatnonzero((columns >= 0).any(axis=1))
    model = _Model(columns[rated], names, len(labels), smoothing)
    posterior = model.votes()
    objectives: list[float] = []
    converged = False
    while not converged and len(objectives) < max_iterations:
        previous = posterior
        model.maximise(posterior)
        posterior = model.expect()
        objectives.append(model.log_likelihood + model.penalty())
        converged = bool(np.abs(posterior - previous).max() < tolerance)
    found: list[tuple[float, ...] | None] = [None] * len(ratings)
    for position, row in zip(rated.tolist(), posterior.tolist(), strict=True):
        found[position] = tuple(row)
    return DawidSkene(
        labels=labels,
        posteriors=tuple(found),
        priors=tuple(model.priors.tolist()),
        confusions={
            name: tuple(tuple(row) for row in matrix)
            for name, matrix in zip(dict.fromkeys(names), model.shares.tolist(), strict=True)
        },
        objectives=tuple(objectives),
        log_likelihood=model.log_likelihood,
        converged=converged,
        iterations=len(objectives),
    )


class _Model:
    """The state of EM: parameters, and the ratings as codes."""

    def __init__(
        self, columns: IntArray, names: Sequence[Hashable], labels: int, smoothing: float
    ) -> None:
        rater = {name: code for code, name in enumerate(dict.fromkeys(names))}
        self.smoothing = smoothing
        self.given = [
            (rater[name], np.eye(labels)[column] * (column >= 0)[:, None])
            for name, column in zip(names, columns.T, strict=True)
        ]
        self.priors = np.full(labels, 1 / labels)
        self.shares = np.full((len(rater), labels, labels), 1 / labels)
        self.log_likelihood = -math.inf

    def votes(self) -> FloatArray:
        """Return the share of votes that each label has in each item."""
        counts = np.sum([given for _, given in self.given], axis=0)
        shares: FloatArray = counts / counts.sum(axis=1, keepdims=True)
        return shares

    def maximise(self, posterior: FloatArray) -> None:
        """Set priors and shares to their best values given the posteriors."""
        self.priors = _normalised(posterior.sum(axis=0) + self.smoothing)
        counts = np.full_like(self.shares, self.smoothing)
        for code, given in self.given:
            counts[code] += posterior.T @ given
        self.shares = _normalised(counts)

    def expect(self) -> FloatArray:
        """Return the posteriors given priors and shares, and keep the log-likelihood."""
        with np.errstate(divide="ignore"):
            logs, shares = np.log(self.priors), np.log(self.shares)
        joint = np.zeros((len(self.given[0][1]), len(logs))) + logs
        for code, given in self.given:
            rows, columns = np.nonzero(given)
            joint[rows] += shares[code].T[columns]
        top = joint.max(axis=1, keepdims=True)
        weights = np.exp(joint - top)
        total = weights.sum(axis=1, keepdims=True)
        self.log_likelihood = math.fsum((top + np.log(total)).ravel().tolist())
        posterior: FloatArray = weights / total
        return posterior

    def penalty(self) -> float:
        """Return smoothing times the summed logarithms of all parameters."""
        if self.smoothing == 0:
            return 0.0
        logs = np.concatenate([np.log(self.priors), np.log(self.shares).ravel()])
        return self.smoothing * math.fsum(logs.tolist())


def _normalised(counts: FloatArray) -> FloatArray:
    """Return each last-axis row divided by its sum; even shares where the sum is 0."""
    total = counts.sum(axis=-1, keepdims=True)
    even = np.full_like(counts, 1 / counts.shape[-1])
    shares: FloatArray = np.divide(counts, total, out=even, where=total > 0)
    return shares


def _check_settings(smoothing: float, tolerance: float, max_iterations: int) -> None:
    if not (math.isfinite(smoothing) and smoothing >= 0 and tolerance > 0 and max_iterations >= 1):
        raise DataError(
            "expected smoothing >= 0, tolerance > 0 and max_iterations >= 1, found "
            f"smoothing={smoothing!r}, tolerance={tolerance!r}, max_iterations={max_iterations!r}"
        )


def _columns(
    ratings: Sequence[Sequence[Verdict]], raters: Sequence[Hashable] | None
) -> tuple[list[Hashable], IntArray, tuple[Label, ...]]:
    """Return the name of each column, the label codes (-1 = missing), and the labels."""
    width = len(ratings[0]) if ratings else 0
    for position, row in enumerate(ratings):
        if len(row) != width:
            raise DataError(
                f"ratings[{position}] has {len(row)} ratings, the first item has {width}: expected "
                "one per rater, None where it is missing"
            )
    names: list[Hashable] = [*(range(width) if raters is None else raters)]
    if len(names) != width:
        raise DataError(f"raters: expected {width} names, one per column, found {len(names)}")
    given = [rating for row in ratings for rating in row if rating is not None]
    if not given:
        raise DataError("ratings: expected at least one rating, found none")
    labels = ordered_labels(distinct("ratings", given))
    codes = np.full((len(ratings), width), -1, dtype=np.int64)
    present = np.array([[rating is not None for rating in row] for row in ratings], dtype=bool)
    codes[present] = encode("ratings", given, labels)
    for name in dict.fromkeys(names):
        if not present[:, [other == name for other in names]].any():
            raise DataError(f"rater {name!r} rated nothing: leave the column out")
    return names, codes, labels
