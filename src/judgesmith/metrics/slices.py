"""One judge on two parts of a test set: the difference of two kappas that share no question."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import NamedTuple, Unpack

import numpy as np

from judgesmith.errors import DataError
from judgesmith.metrics.agreement import cells, cohen_kappa, kappa_of_counts
from judgesmith.metrics.coding import FloatArray, Label, aligned, cluster_codes
from judgesmith.metrics.perfect import METHOD, bound_agreement, without_width
from judgesmith.metrics.resample import (
    Resampling,
    ResamplingOptions,
    cell_counts,
    difference_of,
    replicates,
    with_interval,
    without_each,
)
from judgesmith.metrics.result import Estimate


class Slice(NamedTuple):
    """The rows of one part of a test set.

    Attributes:
        x: verdicts.
        y: labels.
        clusters: the question of each row.
    """

    x: Sequence[Label]
    y: Sequence[Label]
    clusters: Sequence[Hashable]


def slice_kappa_difference(
    first: Slice, second: Slice, **options: Unpack[ResamplingOptions]
) -> Estimate:
    """Kappa on the first slice minus kappa on the second, each resampled on its own.

    For one judge on two parts of a test set that share no question, such as out of domain minus
    in domain. `n` and `clusters` count both slices. Where all rows of a slice agree, its Wilson
    bound enters; see `square_and_add`.

    Args:
        first: rows of the first slice.
        second: rows of the second slice.
        **options: see `ResamplingOptions`.

    Raises:
        DataError: the slices share a cluster, and what `cluster_bootstrap_kappa` raises.

    >>> strong = Slice(["A", "B"] * 10, ["A", "B"] * 9 + ["B", "A"], range(20))
    >>> weak = Slice(["A", "B"] * 10, ["A", "B"] * 8 + ["B", "A"] * 2, range(20, 40))
    >>> gap = slice_kappa_difference(weak, strong, seed=1, resamples=1000)
    >>> round(gap.value, 6), gap.n, gap.clusters
    (-0.2, 40, 40)
    """
    plan = Resampling(**options)
    shared = set(first.clusters) & set(second.clusters)
    if shared:
        raise DataError(
            f"expected slices without a common cluster, found {len(shared)} in both, among them "
            f"{min(shared, key=repr)!r}; compare overlapping sets with a paired difference"
        )
    plans = zip((first, second), plan.streams(2), strict=True)
    one, two = (_of_slice(part, plan, stream) for part, stream in plans)
    clusters = (one.found.clusters or 0) + (two.found.clusters or 0)
    point = difference_of(one.found, two.found, one.found.n + two.found.n)
    if point.value is None:
        return replace(point, clusters=clusters)
    # The sign of the second matters to BCa, its level does not.
    found = with_interval(
        point, one.values - two.values, clusters, plan, [one.left_out, -two.left_out]
    )
    if METHOD in (one.found.method, two.found.method):
        return square_and_add(found, one.found, two.found)
    if all(part.found.low is not None and part.found.low == part.found.high for part in (one, two)):
        return found  # a constant judge: its kappa is 0 whatever the questions are
    return without_width(found)


class _Resampled(NamedTuple):
    """Kappa of one slice with its own interval, its replicates, and its values for BCa."""

    found: Estimate
    values: FloatArray
    left_out: FloatArray


def _of_slice(part: Slice, plan: Resampling, stream: np.random.Generator) -> _Resampled:
    aligned(x=part.x, y=part.y, clusters=part.clusters)
    codes, count = cluster_codes(part.clusters)
    point = cohen_kappa(part.x, part.y)
    if point.value is None:
        return _Resampled(replace(point, clusters=count), np.empty(0), np.empty(0))
    flat, labels = cells(part.x, part.y)
    counts = cell_counts(flat, len(labels) ** 2, codes)
    values = replicates(counts, [kappa_of_counts], plan.resamples, stream)[0]
    left_out = without_each(counts, kappa_of_counts)
    found = with_interval(point, values, count, plan, [left_out])
    return _Resampled(bound_agreement(found, counts, kappa_of_counts), values, left_out)


def square_and_add(point: Estimate, first: Estimate, second: Estimate) -> Estimate:
    """Interval of a difference of two independent numbers from the interval of each.

    For a slice in which every row agrees: its resamples add no spread to those of the other slice,
    its bound does. With each distance taken from the value to the end (Zou and Donner 2008),

        low  = d - sqrt((first - low of first)**2 + (high of second - second)**2)
        high = d + sqrt((high of first - first)**2 + (second - low of second)**2)

    Args:
        point: first minus second, with the settings of its bootstrap.
        first: one number with its interval.
        second: the other.

    Distances 3 and 4 tenths to the low side, 0 and 3 to the high side:

    >>> found = square_and_add(
    ...     Estimate.of(0.5, 9), Estimate(1.0, 0.7, 1.0, 4), Estimate(0.5, 0.2, 0.9, 5))
    >>> round(found.low, 6), round(found.high, 6)
    (0.0, 0.8)
    """
    ends = (first.value, first.low, first.high, second.value, second.low, second.high)
    if point.value is None or None in ends:
        return point
    x, x_low, x_high, y, y_low, y_high = (float(end) for end in ends if end is not None)
    low = point.value - math.hypot(x - x_low, y_high - y)
    high = point.value + math.hypot(x_high - x, y - y_low)
    method = "square and add, as every resample of one slice is the same"
    return replace(point, low=low, high=high, no_interval=None, method=method)
