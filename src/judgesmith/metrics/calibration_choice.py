"""Which map of confidence to keep: none, a temperature or an isotonic one, by cross-fitted loss.

Each row is a verdict with its stated confidence. The questions are dealt into folds; every map is
fitted without a fold and scored on it, so that no row is measured by a map that has seen its
question. The smallest mean log loss of "the verdict is right" names the best map, and that is kept
only where the paired interval of its change in loss lies below 0: smallest alone would change one
calibrated judge in five for nothing. The map that is kept is then fitted on all rows, and its error
before and after is that of the held-out folds. As the same folds chose it, the error after is
somewhat too small.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias, Unpack

import numpy as np

from judgesmith.errors import DataError
from judgesmith.metrics.calibration import (
    FLOOR,
    IsotonicMap,
    Temperature,
    fit_isotonic,
    fit_temperature,
)
from judgesmith.metrics.calibration_error import CalibrationError, expected_calibration_error
from judgesmith.metrics.coding import Label, aligned
from judgesmith.metrics.perfect import without_width
from judgesmith.metrics.probability import mean_of
from judgesmith.metrics.resample import ResamplingOptions
from judgesmith.metrics.result import Estimate
from judgesmith.records import keyed_rng

ChosenKind: TypeAlias = Literal["none", "temperature", "isotonic"]
FittedMap: TypeAlias = Temperature | IsotonicMap | None
FOLDS = 5


class VerdictRows(NamedTuple):
    """Verdicts with their confidences and labels.

    Attributes:
        verdicts: the verdict of each row.
        confidences: the stated probability that it is right, 0 to 1.
        distributions: probability of each label; None where the judge states none, and a
            temperature cannot be fitted.
        labels: the labels.
        clusters: the question of each row.
    """

    verdicts: Sequence[Label]
    confidences: Sequence[float]
    distributions: Sequence[Mapping[Label, float]] | None
    labels: Sequence[Label]
    clusters: Sequence[Hashable]

    def take(self, kept: Sequence[int]) -> "VerdictRows":
        """The rows at these positions."""
        chances = self.distributions
        return VerdictRows(
            [self.verdicts[i] for i in kept],
            [self.confidences[i] for i in kept],
            None if chances is None else [chances[i] for i in kept],
            [self.labels[i] for i in kept],
            [self.clusters[i] for i in kept],
        )

    @property
    def right(self) -> list[bool]:
        """Whether each verdict is the label."""
        return [v == label for v, label in zip(self.verdicts, self.labels, strict=True)]


@dataclass(frozen=True, slots=True)
class CalibrationChoice:
    """The map that is kept, and what it does to held-out questions.

    Attributes:
        kind: "none" where no map is shown to beat the stated confidence.
        fitted: the map on all rows; None for kind "none".
        losses: held-out log loss of each kind that was tried, in nats.
        loss_before: held-out log loss of the stated confidence.
        loss_after: that of the calibrated one, in the same folds that chose the map.
        loss_change: after minus before, paired interval; all of it below 0 where a map is kept,
            and 0 where none is.
        ece_before: calibration error of the stated confidence.
        ece_after: that of the calibrated one.
    """

    kind: ChosenKind
    fitted: FittedMap
    losses: dict[ChosenKind, float]
    loss_before: Estimate
    loss_after: Estimate
    loss_change: Estimate
    ece_before: CalibrationError
    ece_after: CalibrationError


def calibrated(
    fitted: FittedMap,
    verdict: Label,
    confidence: float,
    distribution: Mapping[Label, float] | None = None,
) -> float:
    """The calibrated probability that a verdict is right.

    An isotonic map from n rows never gives less than 1/(n + 2) or more than (n + 1)/(n + 2), by
    Laplace's rule: n rows do not show certainty.

    Raises:
        DataError: a temperature without a distribution to apply it to.

    >>> calibrated(IsotonicMap((0.0, 1.0), (0.0, 1.0), n=8), "A", 1.0)
    0.9
    >>> round(calibrated(Temperature(2.0), "A", 0.9, {"A": 0.9, "B": 0.1}), 6)
    0.75
    """
    if fitted is None:
        return confidence
    if isinstance(fitted, IsotonicMap):
        edge = 1 / (fitted.n + 2)
        return min(max(fitted.apply(confidence), edge), 1 - edge)
    if distribution is None:
        raise DataError("a temperature needs the distribution of the verdict, found none")
    return fitted.apply(distribution).get(verdict, 0.0)


def choose_calibration(
    rows: VerdictRows, *, folds: int = FOLDS, **options: Unpack[ResamplingOptions]
) -> CalibrationChoice:
    """Choose between no map, a temperature and an isotonic map, and measure on held-out questions.

    Formula of the loss of a row, with c the probability that its verdict is right (no nearer to 0
    or 1 than `FLOOR`): -ln c where it is right, -ln(1 - c) where it is not.

    Args:
        rows: verdicts, confidences and labels.
        folds: how many parts the questions are dealt into, at least 2.
        **options: see `ResamplingOptions`; `seed` also deals the questions.

    Raises:
        DataError: fewer questions than folds, or unusable values.

    Always .9 and right in 3 of 4, so that .75 is what should have been said:

    >>> labels = (["A"] * 3 + ["B"]) * 50
    >>> rows = VerdictRows(["A"] * 200, [0.9] * 200, None, labels, range(200))
    >>> found = choose_calibration(rows, seed=1, resamples=200)
    >>> found.kind, calibrated(found.fitted, "A", 0.9), found.loss_change.high < 0
    ('isotonic', 0.75, True)
    """
    aligned(**{name: column for name, column in rows._asdict().items() if column is not None})
    fold_of = _deal(rows.clusters, folds, options["seed"])
    right = rows.right
    kinds: list[ChosenKind] = ["none", "isotonic"]
    if rows.distributions is not None:
        kinds.insert(1, "temperature")
    stated = {kind: _held_out(kind, rows, fold_of, folds) for kind in kinds}
    losses = {kind: _losses(given, right) for kind, given in stated.items()}
    means = {kind: float(np.mean(found)) for kind, found in losses.items()}
    best = min(kinds, key=lambda kind: (means[kind], kinds.index(kind)))
    clusters = rows.clusters

    def mean(found: Sequence[float]) -> Estimate:
        return without_width(mean_of(found, clusters=clusters, **options))

    def change(kind: ChosenKind) -> Estimate:
        return mean([a - b for a, b in zip(losses[kind], losses["none"], strict=True)])

    def error(given: Sequence[float]) -> CalibrationError:
        return expected_calibration_error(given, right, clusters=clusters, **options)

    high = change(best).high
    if high is None or high >= 0:
        best = "none"
    return CalibrationChoice(
        kind=best,
        fitted=_fit(best, rows),
        losses=means,
        loss_before=mean(losses["none"]),
        loss_after=mean(losses[best]),
        loss_change=change(best),
        ece_before=error(stated["none"]),
        ece_after=error(stated[best]),
    )


def _deal(clusters: Sequence[Hashable], folds: int, seed: int) -> list[int]:
    """The fold of each row: questions in an order drawn from the seed, dealt like cards."""
    if folds < 2:
        raise DataError(f"folds: expected at least 2, found {folds!r}")
    names = list(dict.fromkeys(clusters))
    if len(names) < folds:
        raise DataError(
            f"expected at least {folds} questions with a label to choose a calibration on, found "
            f"{len(names)}. Label more."
        )
    names.sort(key=lambda name: keyed_rng(seed, "fold", str(name)).random())
    place = {name: i % folds for i, name in enumerate(names)}
    return [place[cluster] for cluster in clusters]


def _held_out(
    kind: ChosenKind, rows: VerdictRows, fold_of: Sequence[int], folds: int
) -> list[float]:
    """The confidence of each row under the map that was fitted without its fold."""
    if kind == "none":
        return list(rows.confidences)
    found = [0.0] * len(fold_of)
    for fold in range(folds):
        inside = [i for i, one in enumerate(fold_of) if one == fold]
        fitted = _fit(kind, rows.take([i for i, one in enumerate(fold_of) if one != fold]))
        for i in inside:
            chances = None if rows.distributions is None else rows.distributions[i]
            found[i] = calibrated(fitted, rows.verdicts[i], rows.confidences[i], chances)
    return found


def _fit(kind: ChosenKind, rows: VerdictRows) -> FittedMap:
    if kind == "temperature":
        return fit_temperature(rows.distributions or [], rows.labels)
    return fit_isotonic(rows.confidences, rows.right) if kind == "isotonic" else None


def _losses(stated: Sequence[float], right: Sequence[bool]) -> list[float]:
    chance = np.clip(np.asarray(stated), FLOOR, 1 - FLOOR)
    found: list[float] = (-np.log(np.where(right, chance, 1 - chance))).tolist()
    return found
