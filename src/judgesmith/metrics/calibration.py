"""Calibration: maps fitted on dev that turn stated probabilities into better ones.

A fitted map is a frozen value. It is made from dev rows only and applied to others; nothing here
fits and measures on the same rows. Neither map creates knowledge: temperature leaves the most
probable label as it is, and the isotonic map never reverses an order of confidence.
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias, Unpack

import numpy as np

from judgesmith.errors import DataError
from judgesmith.metrics.calibration_error import (
    Binning,
    CalibrationError,
    expected_calibration_error,
)
from judgesmith.metrics.coding import FloatArray, Label, aligned, distinct, encode, ordered_labels
from judgesmith.metrics.perfect import without_width
from judgesmith.metrics.probability import (
    brier_binary,
    check_distribution,
    confidence_columns,
    mean_of,
)
from judgesmith.metrics.resample import ResamplingOptions
from judgesmith.metrics.result import Estimate, Headline

FLOOR = 1e-6
"""Probabilities below this count as this much, so that a stated 0 or 1 has a logarithm."""
COLDEST, HOTTEST = 0.01, 100.0
"""Range of a fitted temperature."""

MapKind: TypeAlias = Literal["temperature", "isotonic"]


@dataclass(frozen=True, slots=True)
class Temperature:
    """A temperature T: probabilities become proportional to p ** (1/T).

    Attributes:
        value: T. Above 1 makes distributions flatter, below 1 sharper.
        labels: the labels of the scale; one that a distribution does not list has probability 0.
        n: rows it was fitted on.
        at_bound: whether T stopped at `COLDEST` or `HOTTEST`. The rows then know no best T, for
            example because every most probable label is right.

    .9 and .1 have odds of 9; at T = 2 the odds are 3:

    >>> {k: round(p, 6) for k, p in Temperature(2.0).apply({"A": 0.9, "B": 0.1}).items()}
    {'A': 0.75, 'B': 0.25}
    """

    value: float
    labels: tuple[Label, ...] = ()
    n: int = 0
    at_bound: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.value) and self.value > 0):
            raise DataError(f"value: expected a temperature above 0, found {self.value!r}")

    def __float__(self) -> float:
        return self.value

    def apply(self, distribution: Mapping[Label, float]) -> dict[Label, float]:
        """Return the distribution at this temperature; probabilities below `FLOOR` count as it.

        Raises:
            DataError: the numbers are no distribution.

        >>> Temperature(1.0, ("A", "B")).apply({"A": 1.0})["B"] > 0
        True
        """
        check_distribution("distribution", distribution)
        axis = [*distribution, *(label for label in self.labels if label not in distribution)]
        stated = np.array([distribution.get(label, 0.0) for label in axis])
        scaled = np.exp(_log_softmax(np.log(np.maximum(stated, FLOOR))[None] / self.value))[0]
        return dict(zip(axis, scaled.tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class IsotonicMap:
    """A map of confidence that never falls: straight between knots, flat outside them.

    Attributes:
        knots: rising confidences.
        values: the share right at each knot; never falls.
        n: rows it was fitted on.

    >>> IsotonicMap((0.0, 1.0), (0.0, 0.5), n=4).apply(0.5)
    0.25
    """

    knots: tuple[float, ...]
    values: tuple[float, ...]
    n: int

    def apply(self, confidence: float) -> float:
        """Return the calibrated probability of being right, 0 to 1."""
        if not math.isfinite(confidence):
            raise DataError(f"confidence: expected a finite number, found {confidence!r}")
        return float(np.interp(confidence, self.knots, self.values))


class ProbabilityRows(NamedTuple):
    """Rows with verdict probabilities, from one part of the data.

    Attributes:
        item_ids: the item of each row.
        distributions: probability of each label.
        labels: the labels.
        clusters: the question of each row.
    """

    item_ids: Sequence[Hashable]
    distributions: Sequence[Mapping[Label, float]]
    labels: Sequence[Label]
    clusters: Sequence[Hashable]


@dataclass(frozen=True, slots=True)
class CalibrationEffect(Headline):
    """What a map fitted on dev does on test, to the confidence in the most probable label.

    Attributes:
        fitted: the map.
        dev_n: rows it was fitted on.
        test_n: rows it was measured on.
        brier_before: Brier score of the stated confidence.
        brier_after: Brier score of the calibrated confidence.
        brier_change: after minus before, paired interval; below 0 is an improvement.
        ece_before: calibration error of the stated confidence.
        ece_after: calibration error of the calibrated confidence.
    """

    fitted: Temperature | IsotonicMap
    dev_n: int
    test_n: int
    brier_before: Estimate
    brier_after: Estimate
    brier_change: Estimate
    ece_before: CalibrationError
    ece_after: CalibrationError

    @property
    def headline(self) -> Estimate:
        """The main number: `brier_change`."""
        return self.brier_change


def fit_temperature(
    distributions: Sequence[Mapping[Label, float]], labels: Sequence[Label]
) -> Temperature:
    """Fit the temperature with the smallest log loss on these rows, which must be dev.

    Formula (Guo et al. 2017): minimise over T the sum over rows of
    -ln(p(label)^(1/T) / sum over k of p(k)^(1/T)). It is convex in 1/T, so the root of its slope
    is the minimum; it is found by Brent's method between `COLDEST` and `HOTTEST`. When no T
    changes anything (all distributions even), T is 1.

    Args:
        distributions: the probability of each label, one mapping per row.
        labels: the labels.

    Raises:
        DataError: no rows, different lengths, None, or numbers that are no distribution.

    A judge that always says .9 and is right in 3 of 4: odds 9 must become odds 3, so T = 2:

    >>> rows = [{"A": 0.9, "B": 0.1}] * 4
    >>> round(fit_temperature(rows, ["A", "A", "A", "B"]).value, 6)
    2.0
    """
    from scipy.optimize import brentq  # slow to load

    n = aligned(distributions=distributions, labels=labels)
    if n == 0:
        raise DataError("expected at least one dev row to fit a temperature, found none")
    found = distinct("labels", labels)
    for position, given in enumerate(distributions):
        check_distribution(f"distributions[{position}]", given)
        found |= set(given)
    axis = ordered_labels(found)
    stated = np.array([[given.get(label, 0.0) for label in axis] for given in distributions])
    logs = np.log(np.maximum(stated, FLOOR))
    target = logs[np.arange(n), encode("labels", labels, axis)]

    def slope(sharpness: float) -> float:
        expected = (np.exp(_log_softmax(logs * sharpness)) * logs).sum(axis=1)
        return math.fsum((expected - target).tolist())

    if np.ptp(logs, axis=1).max() < FLOOR:
        return Temperature(1.0, axis, n)
    flattest, sharpest = 1 / HOTTEST, 1 / COLDEST
    if slope(flattest) >= 0:
        return Temperature(HOTTEST, axis, n, at_bound=True)
    if slope(sharpest) <= 0:
        return Temperature(COLDEST, axis, n, at_bound=True)
    return Temperature(1 / float(brentq(slope, flattest, sharpest, xtol=1e-13)), axis, n)


def fit_isotonic(confidences: Sequence[float], right: Sequence[bool]) -> IsotonicMap:
    """Fit the non-falling map of confidence with the smallest squared error on these dev rows.

    Pool adjacent violators (Ayer et al. 1955; for calibration Zadrozny and Elkan 2002), rows of
    equal confidence pooled first. Between the pooled blocks the map is a straight line, below and
    above them it is flat. With few rows it overfits: prefer a temperature below about 1,000.

    Args:
        confidences: any finite number per row, larger means surer.
        right: whether the row is right.

    Raises:
        DataError: no rows, different lengths, or values out of range.

    Shares 0, 1, 0, 1 by rising confidence: the middle two violate the order and become 1/2:

    >>> fit_isotonic([0.1, 0.2, 0.3, 0.4], [False, True, False, True])
    IsotonicMap(knots=(0.1, 0.2, 0.3, 0.4), values=(0.0, 0.5, 0.5, 1.0), n=4)
    """
    from scipy.optimize import isotonic_regression  # slow to load

    stated, outcome = confidence_columns(confidences, right, bounded=False)
    if len(stated) == 0:
        raise DataError("expected at least one dev row to fit an isotonic map, found none")
    values, block, held = np.unique(stated, return_inverse=True, return_counts=True)
    shares = np.bincount(block, outcome) / held
    level = isotonic_regression(shares, weights=held.astype(np.float64)).x
    # Inside a flat stretch the line is fixed by its ends.
    inner = np.zeros(len(level), dtype=bool)
    inner[1:-1] = (level[1:-1] == level[:-2]) & (level[1:-1] == level[2:])
    return IsotonicMap(tuple(values[~inner].tolist()), tuple(level[~inner].tolist()), len(stated))


def calibrate_and_measure(
    dev: ProbabilityRows,
    test: ProbabilityRows,
    kind: MapKind = "temperature",
    *,
    bins: int = 10,
    binning: Binning = "width",
    **options: Unpack[ResamplingOptions],
) -> CalibrationEffect:
    """Fit on dev, then measure the confidence in the most probable label on test.

    A row is right when its most probable label is the label; of equally probable labels the first
    in sorted order is taken.

    Args:
        dev: rows to fit on.
        test: rows to measure on.
        kind: "temperature" or "isotonic" (on that confidence).
        bins: bins of the calibration error.
        binning: their kind; see `expected_calibration_error`.
        **options: see `ResamplingOptions`.

    Raises:
        DataError: dev and test share an item or a question, dev is empty, or unusable values.

    >>> sure = [{"A": 0.9, "B": 0.1}] * 4
    >>> dev = ProbabilityRows("abcd", sure, ["A", "A", "A", "B"], "abcd")
    >>> test = ProbabilityRows("efgh", sure, ["A", "B", "A", "A"], "efgh")
    >>> found = calibrate_and_measure(dev, test, seed=1, resamples=100)
    >>> round(found.ece_before.value, 6), round(found.ece_after.value, 6)
    (0.15, 0.0)
    """
    if kind not in ("temperature", "isotonic"):
        raise DataError(f"kind: expected 'temperature' or 'isotonic', found {kind!r}")
    _refuse_overlap(dev, test)
    before, right = _top(test.distributions, test.labels)
    fitted: Temperature | IsotonicMap
    if kind == "temperature":
        fitted = fit_temperature(dev.distributions, dev.labels)
        after = [max(fitted.apply(given).values()) for given in test.distributions]
    else:
        fitted = fit_isotonic(*_top(dev.distributions, dev.labels))
        after = [fitted.apply(stated) for stated in before]
    change = [(b - r) ** 2 - (a - r) ** 2 for a, b, r in zip(before, after, right, strict=True)]
    return CalibrationEffect(
        fitted=fitted,
        dev_n=len(dev.labels),
        test_n=len(right),
        brier_before=brier_binary(before, right, clusters=test.clusters, **options),
        brier_after=brier_binary(after, right, clusters=test.clusters, **options),
        brier_change=without_width(mean_of(change, clusters=test.clusters, **options)),
        ece_before=expected_calibration_error(
            before, right, bins=bins, binning=binning, clusters=test.clusters, **options
        ),
        ece_after=expected_calibration_error(
            after, right, bins=bins, binning=binning, clusters=test.clusters, **options
        ),
    )


def _refuse_overlap(dev: ProbabilityRows, test: ProbabilityRows) -> None:
    """Raise DataError when dev and test share an item or a question."""
    for name in ("item_ids", "clusters"):
        shared = set(getattr(dev, name)) & set(getattr(test, name))
        if shared:
            raise DataError(
                f"{name}: expected dev and test without a common one, found {len(shared)} in "
                f"both, among them {min(shared, key=repr)!r}; split by question first"
            )
    for name, rows in (("dev", dev), ("test", test)):
        lengths = {field: getattr(rows, field) for field in rows._fields}
        try:
            aligned(**lengths)
        except DataError as error:
            raise DataError(f"{name}: {error}") from None


def _top(
    distributions: Sequence[Mapping[Label, float]], labels: Sequence[Label]
) -> tuple[list[float], list[bool]]:
    """Return the confidence in the most probable label of each row, and whether it is right."""
    confidences, right = [], []
    for position, (given, label) in enumerate(zip(distributions, labels, strict=True)):
        check_distribution(f"distributions[{position}]", given)
        largest = max(given.values())
        confidences.append(largest)
        top = ordered_labels({label for label, p in given.items() if p == largest})[0]
        right.append(top == label)
    return confidences, right


def _log_softmax(logs: FloatArray) -> FloatArray:
    """Return the logarithm of exp(logs) normalised to sum 1 in each row."""
    from scipy.special import log_softmax  # slow to load

    found: FloatArray = log_softmax(logs, axis=1)
    return found
