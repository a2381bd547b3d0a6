"""Agreement with the pull of length taken out."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Unpack

import numpy as np

from judgesmith.errors import DataError
from judgesmith.metrics.agreement import cells, kappa_of_counts
from judgesmith.metrics.coding import (
    FloatArray,
    IntArray,
    Label,
    Verdict,
    aligned,
    cluster_codes,
    distinct,
)
from judgesmith.metrics.flips import slot_axis
from judgesmith.metrics.interval import cluster_bootstrap_kappa
from judgesmith.metrics.perfect import without_width
from judgesmith.metrics.resample import (
    Resampling,
    ResamplingOptions,
    cell_counts,
    counted_interval,
    difference_of,
)
from judgesmith.metrics.result import Estimate, Headline

LONGER, SHORTER, EQUAL = range(3)


@dataclass(frozen=True, slots=True)
class LengthControlledAgreement(Headline):
    """Kappa where the label names the longer response, where the shorter, and both balanced.

    Attributes:
        longer: kappa on items whose label names the longer response.
        shorter: kappa on items whose label names the shorter response.
        equal: kappa on items whose responses are equally long, whatever the label.
        balanced: mean of `longer` and `shorter`, each with the same weight; `n` is the items of
            both.
        difference: longer minus shorter; above 0 the judge agrees more where length helps it.
        unparsed: items left out because the verdict is unparsed.
        no_slot: items left out because the lengths differ and the label names no response.
    """

    longer: Estimate
    shorter: Estimate
    equal: Estimate
    balanced: Estimate
    difference: Estimate
    unparsed: int
    no_slot: int

    @property
    def headline(self) -> Estimate:
        """The main number: `balanced`."""
        return self.balanced


def length_controlled_agreement(
    verdicts: Sequence[Verdict],
    labels: Sequence[Label],
    lengths: Sequence[tuple[int, int]],
    clusters: Sequence[Hashable],
    *,
    slots: tuple[Label, Label] = ("A", "B"),
    **options: Unpack[ResamplingOptions],
) -> LengthControlledAgreement:
    """Cohen's kappa with equal weight on labels that name the longer and the shorter response.

    Where labels favour length, a judge that only follows length has a good plain kappa. Here it
    has kappa 1 where the label names the longer response, -1 where it names the shorter, and 0
    on balance. Items of equal length say nothing about length: their kappa stands beside the
    others and is in no mean. A label that names no response (a tie) belongs to neither side.

    Balanced and difference are undefined when kappa is undefined on either side.

    Args:
        verdicts: verdicts of the judge; None is unparsed.
        labels: labels of the same items.
        lengths: length of the response in each slot, in any one unit.
        clusters: the question of each item.
        slots: the labels that name the first and the second length.
        **options: `seed`, `resamples`, `confidence`; see `ResamplingOptions`.

    Raises:
        DataError: different lengths of columns, a label None, equal slots, a negative length.

    A judge that follows length, labels that do so in two of four items:

    >>> found = length_controlled_agreement(
    ...     "ABAB", "ABBA", [(9, 1), (1, 9), (9, 1), (1, 9)], "wxyz", seed=1, resamples=200)
    >>> found.longer.value, found.shorter.value, found.value, found.difference.value
    (1.0, -1.0, 0.0, 2.0)
    """
    plan = Resampling(**options)
    aligned(verdicts=verdicts, labels=labels, lengths=lengths, clusters=clusters)
    distinct("labels", labels)
    slot_axis(slots, None)
    strata = [_stratum(i, labels[i], pair, slots) for i, pair in enumerate(lengths)]
    parsed = [verdict is not None for verdict in verdicts]
    kept = [
        (stratum, verdict, label, cluster)
        for stratum, verdict, label, cluster in zip(strata, verdicts, labels, clusters, strict=True)
        if stratum is not None and verdict is not None
    ]
    unparsed = parsed.count(False)
    return _balance(kept, plan, unparsed, len(verdicts) - unparsed - len(kept))


def _stratum(
    position: int, label: Label, pair: tuple[int, int], slots: tuple[Label, Label]
) -> int | None:
    """Return which side of the length question an item is on; None when on neither."""
    if min(pair) < 0:
        raise DataError(f"lengths[{position}] is {pair!r}: expected lengths of at least 0")
    if pair[0] == pair[1]:
        return EQUAL
    if label not in slots:
        return None
    return LONGER if label == slots[int(pair[1] > pair[0])] else SHORTER


def _balance(
    kept: list[tuple[int, Label, Label, Hashable]], plan: Resampling, unparsed: int, no_slot: int
) -> LengthControlledAgreement:
    """Kappa of each stratum, and their balance and difference on shared resamples."""
    strata = [_kappa(kept, stratum, plan) for stratum in (LONGER, SHORTER, EQUAL)]
    longer, shorter, equal = strata
    difference = difference_of(longer, shorter, longer.n + shorter.n)
    balanced = difference
    if longer.value is not None and shorter.value is not None:
        balanced = Estimate.of((longer.value + shorter.value) / 2, difference.n)
        sides = [row for row in kept if row[0] != EQUAL]
        flat, axis = cells([row[1] for row in sides], [row[2] for row in sides])
        width = len(axis) ** 2
        where: IntArray = np.asarray([row[0] for row in sides], dtype=np.int64)
        codes, _ = cluster_codes([row[3] for row in sides])
        counts = cell_counts(where * width + flat, 2 * width, codes)

        def between(sums: FloatArray) -> FloatArray:
            return kappa_of_counts(sums[:, :width]) - kappa_of_counts(sums[:, width:])

        def middle(sums: FloatArray) -> FloatArray:
            return (kappa_of_counts(sums[:, :width]) + kappa_of_counts(sums[:, width:])) / 2

        difference = without_width(counted_interval(difference, counts, between, plan))
        balanced = without_width(counted_interval(balanced, counts, middle, plan))
    return LengthControlledAgreement(
        longer, shorter, equal, balanced, difference, unparsed, no_slot
    )


def _kappa(
    kept: list[tuple[int, Label, Label, Hashable]], stratum: int, plan: Resampling
) -> Estimate:
    """Return kappa of one stratum, resampled over the clusters that have a row in it."""
    part = [row for row in kept if row[0] == stratum]
    options: ResamplingOptions = {
        "seed": plan.seed,
        "resamples": plan.resamples,
        "confidence": plan.confidence,
        "method": plan.method,
    }
    clusters = [row[3] for row in part]
    return cluster_bootstrap_kappa(
        [row[1] for row in part], [row[2] for row in part], clusters, **options
    )
