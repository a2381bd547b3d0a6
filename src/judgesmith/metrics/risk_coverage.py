"""Risk against coverage: how good a judge is on the share of items it is most confident about.

Rows of equal confidence cannot be told apart, so they enter as one block: within it errors are
spread evenly, which is the mean over all orders of the block. Nothing depends on row order.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Unpack

import numpy as np

from judgesmith.errors import DataError
from judgesmith.metrics.agreement import NO_ROWS
from judgesmith.metrics.coding import FloatArray, IntArray
from judgesmith.metrics.perfect import bound_share, without_width
from judgesmith.metrics.probability import (
    Draws,
    IntervalOptions,
    confidence_columns,
    draws_of,
)
from judgesmith.metrics.resample import with_interval
from judgesmith.metrics.result import Estimate, Headline

COVERAGES = (0.5, 0.8, 0.9, 1.0)
"""Shares of items at which selective accuracy is stated unless others are asked for."""

_CELLS_AT_ONCE = 1_000_000  # bounds the memory of one block of resamples to some 50 MB


@dataclass(frozen=True, slots=True)
class RiskPoint:
    """One threshold of confidence: what is kept at or above it, and how often that is wrong.

    Attributes:
        threshold: the smallest confidence that is kept.
        kept: rows kept.
        wrong: how many of them are wrong.
        coverage: kept / n.
        risk: wrong / kept.
    """

    threshold: float
    kept: int
    wrong: int
    coverage: float
    risk: float


@dataclass(frozen=True, slots=True)
class RiskCoverage(Headline):
    """The risk-coverage curve and its summaries.

    Attributes:
        n: rows.
        points: one per distinct confidence, from the most confident on.
        area: area under the curve (AURC), 0 to 1, smaller is better.
        excess_area: area minus that of an oracle with as many errors, all of them last; 0 or
            more. It measures the ranking alone.
        accuracy_at: for each coverage asked for, accuracy on that share of rows.
    """

    n: int
    points: tuple[RiskPoint, ...]
    area: Estimate
    excess_area: Estimate
    accuracy_at: dict[float, Estimate]

    @property
    def headline(self) -> Estimate:
        """The main number: `area`."""
        return self.area


def risk_coverage(
    confidences: Sequence[float],
    right: Sequence[bool],
    *,
    coverages: Sequence[float] = COVERAGES,
    **interval: Unpack[IntervalOptions],
) -> RiskCoverage:
    """Keep the most confident rows first, and follow the share of errors among those kept.

    Formulas (El-Yaniv and Wiener 2010; areas as in Geifman, Uziel and El-Yaniv 2019), with W(k)
    the mean number of errors among the k most confident of n rows over all orders of equal
    confidences:

        area        = 1/n * sum over k = 1..n of W(k)/k
        excess area = area - 1/n * sum over k = r+1..n of (k - r)/k,    r = number of right rows
        accuracy at coverage c = 1 - W(k)/k,    k = c*n rounded up

    Undefined without rows. With all confidences equal the area is the error rate.

    Args:
        confidences: any finite number per row, larger means surer; only the order matters.
        right: whether the row is right.
        coverages: shares of rows to state accuracy at, above 0 and at most 1.
        **interval: see `IntervalOptions`. Time grows with distinct confidences times resamples.

    Raises:
        DataError: different lengths, values or settings out of range.

    Right, right, wrong, right by falling confidence: area (0 + 0 + 1/3 + 1/4)/4 = 7/48; the
    oracle has (0 + 0 + 0 + 1/4)/4 = 3/48:

    >>> found = risk_coverage([0.9, 0.8, 0.7, 0.6], [True, True, False, True], coverages=[0.5])
    >>> round(found.area.value * 48, 6), round(found.excess_area.value * 48, 6)
    (7.0, 4.0)
    >>> found.accuracy_at[0.5].value
    1.0
    """
    for share in coverages:
        if not 0 < share <= 1:
            raise DataError(f"coverages: expected shares above 0 and at most 1, found {share!r}")
    stated, outcome = confidence_columns(confidences, right, bounded=False)
    n = len(stated)
    draws = draws_of(n, interval)
    if n == 0:
        none = Estimate.missing(NO_ROWS, 0, None if draws is None else 0)
        return RiskCoverage(0, (), none, none, dict.fromkeys(coverages, none))
    values, block = np.unique(-stated, return_inverse=True)
    held = np.bincount(block).astype(np.float64)
    wrong = np.bincount(block, 1 - outcome).astype(np.float64)
    shares = tuple(dict.fromkeys(coverages))
    points = _summaries(held[None], wrong[None], shares)[:, 0]
    kept = [max(1, _rows_kept(share, n)) for share in shares]
    found = [Estimate.of(float(p), rows) for p, rows in zip(points, [n, n, *kept], strict=True)]
    if draws is not None:
        spread = _resampled(block, 1 - outcome, shares, draws)
        found = [
            with_interval(point, column, draws.count, draws.plan)
            for point, column in zip(found, spread, strict=True)
        ]
        found[:2] = [without_width(area) for area in found[:2]]
        found[2:] = [
            bound_share(
                point, len(set(draws.codes[block <= np.searchsorted(np.cumsum(held), k)].tolist()))
            )
            for k, point in zip(kept, found[2:], strict=True)
        ]
    return RiskCoverage(
        n=n,
        points=_curve(-values, held, wrong),
        area=found[0],
        excess_area=found[1],
        accuracy_at=dict(zip(shares, found[2:], strict=True)),
    )


def _curve(values: FloatArray, held: FloatArray, wrong: FloatArray) -> tuple[RiskPoint, ...]:
    """Return the curve at each distinct confidence."""
    n = round(held.sum())
    kept = np.rint(np.cumsum(held)).astype(int).tolist()
    errors = np.rint(np.cumsum(wrong)).astype(int).tolist()
    return tuple(
        RiskPoint(threshold, k, e, k / n, e / k)
        for threshold, k, e in zip(values.tolist(), kept, errors, strict=True)
    )


def _rows_kept(share: float, n: int) -> int:
    """Return share * n rounded up, safe against rounding of the product."""
    return math.ceil(round(share * n, 9))


def _harmonic(n: int) -> FloatArray:
    """Return H(0)..H(n), with H(k) = 1 + 1/2 + ... + 1/k."""
    return np.concatenate([[0.0], np.cumsum(1 / np.arange(1, n + 1))])


def _summaries(held: FloatArray, wrong: FloatArray, shares: Sequence[float]) -> FloatArray:
    """Return area, excess area and accuracy at each share for many samples at once.

    A block of m rows with e errors that starts after N rows with E errors adds
    sum over j = 1..m of (E + j*e/m)/(N + j) = e + (E - N*e/m) * (H(N + m) - H(N)).

    Args:
        held: shape (samples, blocks), rows of each block by falling confidence.
        wrong: the same shape, how many of them are wrong.
        shares: coverages of selective accuracy.

    Returns:
        Shape (2 + shares, samples).
    """
    kept, errors = np.cumsum(held, axis=1), np.cumsum(wrong, axis=1)
    total, failed = kept[:, -1], errors[:, -1]
    harmonic = _harmonic(int(total.max()))
    before, errors_before = kept - held, errors - wrong
    rate = np.divide(wrong, held, out=np.zeros_like(held), where=held > 0)
    spans = harmonic[kept.astype(np.int64)] - harmonic[before.astype(np.int64)]
    area = (wrong + (errors_before - before * rate) * spans).sum(axis=1) / total
    good = total - failed
    last = harmonic[total.astype(np.int64)] - harmonic[good.astype(np.int64)]
    rows = [area, np.maximum(area - (failed - good * last) / total, 0.0)]
    index = np.arange(len(held))
    for share in shares:
        wanted = np.array([max(1, _rows_kept(share, int(n))) for n in total])
        at = np.argmax(kept >= wanted[:, None], axis=1)
        inside = errors_before[index, at] + rate[index, at] * (wanted - before[index, at])
        rows.append(1 - inside / wanted)
    return np.stack(rows)


def _resampled(
    block: IntArray, wrong: FloatArray, shares: Sequence[float], draws: Draws
) -> FloatArray:
    """Return the summaries of resampled clusters, shape (2 + shares, resamples)."""
    order = np.lexsort((wrong, block))
    block, wrong = block[order], wrong[order]
    codes = _canonical(draws.codes[order], draws.count, block, wrong)
    starts = np.flatnonzero(np.diff(block, prepend=-1))
    generator = np.random.default_rng(draws.plan.seed)
    size = max(1, _CELLS_AT_ONCE // max(len(block), draws.count))
    found = []
    for start in range(0, draws.plan.resamples, size):
        drawn = min(size, draws.plan.resamples - start)
        even = np.full(draws.count, 1 / draws.count)
        weights = generator.multinomial(draws.count, even, size=drawn)[:, codes].astype(float)
        held = np.add.reduceat(weights, starts, axis=1)
        errors = np.add.reduceat(weights * wrong, starts, axis=1)
        found.append(_summaries(held, errors, shares))
    return np.concatenate(found, axis=1)


def _canonical(codes: IntArray, count: int, block: IntArray, wrong: FloatArray) -> IntArray:
    """Renumber clusters by what they hold, so that draws do not depend on their order."""
    holds: list[list[tuple[int, float]]] = [[] for _ in range(count)]
    for code, at, missed in zip(codes.tolist(), block.tolist(), wrong.tolist(), strict=True):
        holds[code].append((at, missed))
    rank = np.empty(count, dtype=np.int64)
    rank[sorted(range(count), key=holds.__getitem__)] = np.arange(count)
    return rank[codes]
