"""Expected calibration error: how far stated confidence lies from the share that is right."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, TypeAlias, Unpack

import numpy as np

from judgesmith.errors import DataError
from judgesmith.metrics.agreement import NO_ROWS
from judgesmith.metrics.coding import FloatArray, IntArray
from judgesmith.metrics.interval import wilson
from judgesmith.metrics.perfect import without_width
from judgesmith.metrics.probability import (
    STEP,
    Draws,
    IntervalOptions,
    confidence_columns,
    draws_of,
    fixed_point,
)
from judgesmith.metrics.resample import replicates, sums_by_cluster, with_interval
from judgesmith.metrics.result import Estimate, Headline

Binning: TypeAlias = Literal["width", "mass"]


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """The rows whose confidence falls in one bin.

    Attributes:
        low: lower edge. Width bins hold low < confidence <= high, the first one 0 as well. For
            mass bins the edges are the smallest and the largest confidence inside.
        high: upper edge.
        n: rows in the bin.
        mean_confidence: mean stated confidence; None in an empty bin.
        share_right: share of rows that are right, Wilson interval; undefined in an empty bin.
    """

    low: float
    high: float
    n: int
    mean_confidence: float | None
    share_right: Estimate


@dataclass(frozen=True, slots=True)
class CalibrationError(Headline):
    """Expected calibration error with the bins it rests on.

    Attributes:
        error: the error, 0 to 1.
        noise: the error that calibrated confidences would be expected to show in as many rows
            and the same bins. An error near it is no sign of bad calibration. None without rows.
        binning: "width" (bins of equal width) or "mass" (bins of about equal count).
        asked_bins: how many bins were asked for.
        bins: the bins in order of confidence. Width bins may be empty, mass bins are not; ties
            can leave fewer mass bins than were asked for.
    """

    error: Estimate
    noise: float | None
    binning: Binning
    asked_bins: int
    bins: tuple[CalibrationBin, ...]

    @property
    def headline(self) -> Estimate:
        """The main number: `error`."""
        return self.error


def expected_calibration_error(
    confidences: Sequence[float],
    right: Sequence[bool],
    *,
    bins: int = 10,
    binning: Binning = "width",
    **interval: Unpack[IntervalOptions],
) -> CalibrationError:
    """Mean distance between stated confidence and share right over bins of confidence.

    Formula (Naeini et al. 2015; right-closed bins as in Guo et al. 2017), with n(b) rows in bin b:

        ECE = sum over b of n(b)/n * |mean confidence(b) - share right(b)|

    The number depends on the bins, so they are part of the result. It is biased upward: noise in
    each bin adds up. `noise` says by how much for calibrated confidences c and independent rows,

        noise = sum over b of sqrt(2/pi * sum over rows of c*(1 - c)) / n

    (the mean of the absolute value of a normal deviation). A percentile interval repeats that
    bias and never covers 0. So the interval is the union of the percentile interval of the
    resampled errors and its reflection at the estimate (2*value - end), and it reaches down to 0
    where bins that deviate by resampling alone would reach the value in more than 1 - confidence
    of the resamples. Bins stay where the full data put them.

    Args:
        confidences: stated probability that the row is right, 0 to 1.
        right: whether it is.
        bins: how many bins, at least 1.
        binning: "width" for edges at i/bins; "mass" for bins of about equal count, in which rows
            of equal confidence stay together (by the middle of their ranks).
        **interval: see `IntervalOptions`.

    Returns:
        The error with its bins; undefined without rows.

    Raises:
        DataError: different lengths, values or settings out of range.

    Two bins: .25 stated and 0 of 1 right, .75 stated and 2 of 3 right:
    1/4 * .25 + 3/4 * (.75 - .6667) = .0625 + .0625:

    >>> found = expected_calibration_error(
    ...     [0.25, 0.75, 0.75, 0.75], [False, True, True, False], bins=2)
    >>> round(found.value, 6), [(b.low, b.high, b.n) for b in found.bins]
    (0.125, [(0.0, 0.5, 1), (0.5, 1.0, 3)])
    """
    if bins < 1 or binning not in ("width", "mass"):
        raise DataError(
            "expected bins >= 1 and binning 'width' or 'mass', found "
            f"bins={bins!r}, binning={binning!r}"
        )
    stated, outcome = confidence_columns(confidences, right)
    draws = draws_of(len(stated), interval)
    if len(stated) == 0:
        none = Estimate.missing(NO_ROWS, 0, None if draws is None else 0)
        return CalibrationError(none, None, binning, bins, ())
    codes, edges = _width_bins(stated, bins) if binning == "width" else _mass_bins(stated, bins)
    held = np.bincount(codes, minlength=len(edges))
    mean = np.bincount(codes, stated, len(edges))
    hits = np.bincount(codes, outcome, len(edges))
    spread = np.bincount(codes, stated * (1 - stated), len(edges))
    n = len(stated)
    error = Estimate.of(float(np.abs(mean - hits).sum()) / n, n)
    if draws is not None:
        error = _with_error_interval(error, codes, stated - outcome, draws)
    return CalibrationError(
        error=error,
        noise=float(np.sqrt(2 / np.pi * spread).sum()) / n,
        binning=binning,
        asked_bins=bins,
        bins=tuple(
            CalibrationBin(
                low,
                high,
                int(rows),
                float(total) / int(rows) if rows else None,
                wilson(int(good), int(rows)),
            )
            for (low, high), rows, total, good in zip(edges, held, mean, hits, strict=True)
        ),
    )


def _width_bins(stated: FloatArray, bins: int) -> tuple[IntArray, list[tuple[float, float]]]:
    """Return each row's bin of equal width, and the edges."""
    edges = [i / bins for i in range(bins + 1)]
    codes = np.maximum(np.searchsorted(edges, stated, side="left") - 1, 0)
    return codes.astype(np.int64), list(pairwise(edges))


def _mass_bins(stated: FloatArray, bins: int) -> tuple[IntArray, list[tuple[float, float]]]:
    """Return each row's bin of about equal count, and the extremes of each bin."""
    values, block, held = np.unique(stated, return_inverse=True, return_counts=True)
    twice_middle = 2 * np.cumsum(held) - held
    of_block = (bins * twice_middle) // (2 * len(stated))
    used, codes = np.unique(of_block, return_inverse=True)
    edges = [
        (float(values[of_block == code].min()), float(values[of_block == code].max()))
        for code in used
    ]
    return codes[block].astype(np.int64), edges


def _with_error_interval(
    point: Estimate, codes: IntArray, gaps: FloatArray, draws: Draws
) -> Estimate:
    """Add the interval that `expected_calibration_error` describes."""
    n, width = len(gaps), int(codes.max()) + 1
    rows = np.zeros((n, width + 1), dtype=np.int64)
    rows[np.arange(n), codes] = fixed_point(gaps)
    rows[:, width] = 1
    sums = sums_by_cluster(rows, draws.codes)
    observed = sums.sum(axis=0)[:width] * STEP / n
    generator = np.random.default_rng(draws.plan.seed)
    errors, noise = replicates(
        sums, [_error_of(0.0), _error_of(observed)], draws.plan.resamples, generator
    )
    found = without_width(with_interval(point, errors, draws.count, draws.plan))
    if found.low is None or found.high is None or point.value is None:
        return found
    low = max(0.0, min(found.low, 2 * point.value - found.high))
    high = min(1.0, max(found.high, 2 * point.value - found.low))
    if point.value <= np.quantile(noise, draws.plan.confidence):
        low = 0.0
    method = "percentile bootstrap over clusters, widened by its reflection"
    return replace(found, low=low, high=high, method=method)


def _error_of(centre: FloatArray | float) -> Callable[[FloatArray], FloatArray]:
    """Return the statistic: summed distance of the bins' mean gaps from a centre."""

    def compute(sums: FloatArray) -> FloatArray:
        gaps = sums[:, :-1] * STEP / sums[:, -1:]
        distance: FloatArray = np.abs(gaps - centre).sum(axis=1)
        return distance

    return compute
