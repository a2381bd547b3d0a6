"""Scores of stated probabilities: Brier score and log loss, with intervals over clusters.

A distribution maps labels to probabilities; a label that it does not list has probability 0
there. A confidence is one number per row: the probability that the verdict is right.

Every function takes the optional keywords of `IntervalOptions`. Without them there is no interval.
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict, Unpack

import numpy as np

from judgesmith.errors import DataError
from judgesmith.metrics.agreement import NO_ROWS
from judgesmith.metrics.coding import FloatArray, IntArray, Label, aligned, cluster_codes, distinct
from judgesmith.metrics.perfect import without_width
from judgesmith.metrics.resample import (
    IntervalMethod,
    Resampling,
    ResamplingOptions,
    counted_interval,
    ratio,
    sums_by_cluster,
    with_interval,
)
from judgesmith.metrics.result import Estimate

SUM_TOLERANCE = 1e-6
"""How far the sum of a distribution may be from 1."""
STEP = 2.0**-32
"""Losses are resampled as whole multiples of this, so that sums do not depend on their order."""


class IntervalOptions(TypedDict, total=False):
    """Keyword arguments of functions whose interval is optional.

    Attributes:
        clusters: the question of each row; `range(n)` where rows are independent. With it comes
            an interval, and `seed` must be given, too.
        seed: whole number of at least 0.
        resamples: how many resamples to draw (default 10,000).
        confidence: level of the interval, between 0 and 1 (default 0.95).
        method: "percentile" (default), or "bca" where the function offers it.
    """

    clusters: Sequence[Hashable]
    seed: int
    resamples: int
    confidence: float
    method: IntervalMethod


@dataclass(frozen=True, slots=True)
class Draws:
    """Clusters of the rows and the settings of their bootstrap.

    Attributes:
        codes: shape (n,), cluster of each row.
        count: number of clusters.
        plan: settings of the bootstrap.
    """

    codes: IntArray
    count: int
    plan: Resampling

    def options(self) -> ResamplingOptions:
        """Return the settings as keyword arguments of the functions in `interval`."""
        plan = self.plan
        return {
            "seed": plan.seed,
            "resamples": plan.resamples,
            "confidence": plan.confidence,
            "method": plan.method,
        }


def draws_of(n: int, options: IntervalOptions) -> Draws | None:
    """Return how to resample n rows, or None where no interval was asked.

    Raises:
        DataError: `seed` without `clusters` or the reverse, or `clusters` of another length.

    >>> draws_of(3, {"clusters": "aab", "seed": 1}).count
    2
    """
    clusters, seed = options.get("clusters"), options.get("seed")
    if clusters is None and not options:
        return None
    if clusters is None or seed is None:
        raise DataError(
            f"expected both clusters= and seed= for an interval, found {sorted(options)!r}; "
            "pass clusters=range(n) where rows are independent"
        )
    aligned(rows=range(n), clusters=clusters)
    codes, count = cluster_codes(clusters)
    plan = Resampling(
        seed=seed,
        resamples=options.get("resamples", 10_000),
        confidence=options.get("confidence", 0.95),
        method=options.get("method", "percentile"),
    )
    return Draws(codes, count, plan)


def brier(
    distributions: Sequence[Mapping[Label, float]],
    labels: Sequence[Label],
    **interval: Unpack[IntervalOptions],
) -> Estimate:
    """Brier score of verdict probabilities, 0 (certain and right) to 2 (certain and wrong).

    Formula (Brier 1950): the mean over rows of sum over labels k of (p(k) - [k is the label])^2.
    On two labels this is twice `brier_binary`. Undefined without rows.

    Args:
        distributions: the probability of each label, one mapping per row.
        labels: the labels.
        **interval: see `IntervalOptions`.

    Raises:
        DataError: different lengths, None, or numbers that are no distribution.

    Row one: (.75 - 1)^2 + .25^2 = .125. Row two: .5^2 + .5^2 + 1^2 = 1.5. Mean .8125:

    >>> brier([{"A": 0.75, "B": 0.25}, {"A": 0.5, "B": 0.5}], ["A", "TIE"]).value
    0.8125
    """
    aligned(distributions=distributions, labels=labels)
    distinct("labels", labels)
    losses = []
    for position, (given, label) in enumerate(zip(distributions, labels, strict=True)):
        check_distribution(f"distributions[{position}]", given)
        missed = 0.0 if label in given else 1.0
        losses.append(math.fsum([missed, *((p - (k == label)) ** 2 for k, p in given.items())]))
    return without_width(mean_of(losses, **interval))


def brier_binary(
    confidences: Sequence[float], right: Sequence[bool], **interval: Unpack[IntervalOptions]
) -> Estimate:
    """Brier score of one probability per row, 0 to 1: the mean of (confidence - right)^2.

    The form of Brier (1950) for one event. A constant .5 gives .25. Undefined without rows.

    Args:
        confidences: stated probability that the row is right, 0 to 1.
        right: whether it is.
        **interval: see `IntervalOptions`.

    Raises:
        DataError: different lengths, or a value out of range.

    (.25^2 + .75^2) / 2 = .3125:

    >>> brier_binary([0.75, 0.75], [True, False]).value
    0.3125
    """
    stated, outcome = confidence_columns(confidences, right)
    return without_width(mean_of(((stated - outcome) ** 2).tolist(), **interval))


def log_loss(
    distributions: Sequence[Mapping[Label, float]],
    labels: Sequence[Label],
    **interval: Unpack[IntervalOptions],
) -> Estimate:
    """Log loss of verdict probabilities, in nats: the mean of -ln p(label), 0 or more.

    The logarithmic score (Good 1952). Undefined without rows, and when a label has probability 0
    in some row: the loss is infinite there, and no clipping hides it.

    Args:
        distributions: the probability of each label, one mapping per row.
        labels: the labels.
        **interval: see `IntervalOptions`.

    Raises:
        DataError: different lengths, None, or numbers that are no distribution.

    A fair coin costs ln 2:

    >>> round(log_loss([{"A": 0.5, "B": 0.5}], ["A"]).value, 6)
    0.693147
    >>> log_loss([{"A": 1.0, "B": 0.0}], ["B"]).undefined
    'the label has probability 0 in 1 of 1 rows, where the loss is infinite'
    """
    n = aligned(distributions=distributions, labels=labels)
    distinct("labels", labels)
    for position, given in enumerate(distributions):
        check_distribution(f"distributions[{position}]", given)
    stated = [given.get(label, 0.0) for given, label in zip(distributions, labels, strict=True)]
    impossible = sum(p == 0 for p in stated)
    if impossible:
        reason = f"the label has probability 0 in {impossible} of {n} rows"
        draws = draws_of(n, interval)
        clusters = None if draws is None else draws.count
        return Estimate.missing(f"{reason}, where the loss is infinite", n, clusters)
    return without_width(mean_of([-math.log(p) for p in stated], **interval))


def check_distribution(name: str, given: Mapping[Label, float] | None) -> None:
    """Raise DataError unless these are probabilities from 0 to 1 with sum 1.

    >>> check_distribution("distributions[3]", {"A": 0.5, "B": 0.5})
    """
    if given is None:
        raise DataError(
            f"{name} is None: expected a probability per label. Leave rows without "
            "probabilities out and report coverage"
        )
    if not all(0 <= p <= 1 for p in given.values()):
        raise DataError(f"{name}: expected probabilities from 0 to 1, found {dict(given)!r}")
    if abs(math.fsum(given.values()) - 1) > SUM_TOLERANCE:
        raise DataError(f"{name}: expected probabilities with sum 1, found {dict(given)!r}")


def confidence_columns(
    confidences: Sequence[float], right: Sequence[bool], *, bounded: bool = True
) -> tuple[FloatArray, FloatArray]:
    """Return confidences and outcomes (0 or 1) as arrays.

    Args:
        confidences: one number per row.
        right: whether the row is right.
        bounded: whether confidences must lie in 0 to 1, or only be finite.

    Raises:
        DataError: different lengths, None, NaN, or a value out of range.

    >>> confidence_columns([0.5], [True])[1].tolist()
    [1.0]
    """
    aligned(confidences=confidences, right=right)
    for position, (stated, outcome) in enumerate(zip(confidences, right, strict=True)):
        if outcome not in (0, 1):
            raise DataError(f"right[{position}] is {outcome!r}: expected True or False")
        if not _is_finite(stated) or (bounded and not 0 <= stated <= 1):
            expected = "a number from 0 to 1" if bounded else "a finite number"
            raise DataError(f"confidences[{position}] is {stated!r}: expected {expected}")
    return np.asarray(confidences, dtype=np.float64), np.asarray(right, dtype=np.float64)


def _is_finite(value: object) -> bool:
    """Tell whether a value is a number other than NaN and infinity."""
    return isinstance(value, int | float | np.integer | np.floating) and bool(np.isfinite(value))


def mean_of(losses: Sequence[float], **interval: Unpack[IntervalOptions]) -> Estimate:
    """Return the mean of one number per row, with an interval where it was asked for.

    >>> mean_of([0.5, 1.0]).value
    0.75
    """
    n = len(losses)
    draws = draws_of(n, interval)
    point = Estimate.of(math.fsum(losses) / n, n) if n else Estimate.missing(NO_ROWS, 0)
    if draws is None:
        return point
    if n == 0:
        return with_interval(point, np.empty(0), 0, draws.plan)
    rows = np.column_stack([fixed_point(np.asarray(losses)), np.ones(n, dtype=np.int64)])
    share = ratio(0, 1)
    counts = sums_by_cluster(rows, draws.codes)
    return counted_interval(point, counts, lambda sums: share(sums) * STEP, draws.plan)


def fixed_point(values: FloatArray) -> IntArray:
    """Return numbers as whole multiples of `STEP`.

    >>> fixed_point(np.array([0.5])).tolist() == [2**31]
    True
    """
    return np.rint(values / STEP).astype(np.int64)
