"""The same bias probe on two judges: is one more biased than the other, on the same items?

A probe is a share of counts per item, so that any two can be resampled together. The bias of a
student beside its teacher's, of a judge beside the labels', and of one judge beside another's are
all the same comparison.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Unpack

import numpy as np

from judgesmith.errors import DataError
from judgesmith.metrics.coding import Label, Verdict, aligned, cluster_codes
from judgesmith.metrics.flips import slot_axis
from judgesmith.metrics.perfect import without_width
from judgesmith.metrics.resample import (
    Resampling,
    ResamplingOptions,
    counted_interval,
    difference_of,
    ratio,
    sums_by_cluster,
)
from judgesmith.metrics.result import Estimate, Headline
from judgesmith.metrics.shares import share_interval, signed_interval

NO_COMMON_ROW = "no item counts for both judges"


class Probe(NamedTuple):
    """A bias probe of one judge as counts of each item: its value is sum(above) / sum(below).

    Attributes:
        above: what each item adds to the numerator, possibly negative.
        below: what it adds to the denominator; 0 where the item does not count for this judge.
    """

    above: Sequence[int]
    below: Sequence[int]


@dataclass(frozen=True, slots=True)
class ProbeDifference(Headline):
    """One bias probe on two judges, over the items that count for both.

    Attributes:
        first: the probe of the first judge.
        second: the probe of the second judge.
        difference: first minus second, both resampled together; `n` is `items`.
        items: items used.
        left_out: items that do not count for at least one of the judges.
    """

    first: Estimate
    second: Estimate
    difference: Estimate
    items: int
    left_out: int

    @property
    def headline(self) -> Estimate:
        """The main number: `difference`."""
        return self.difference


def consistency_probe(original: Sequence[Verdict], swapped: Sequence[Verdict]) -> Probe:
    """Return consistency as a probe: equal verdicts over pairs parsed in both orders.

    >>> consistency_probe(["A", "A", None], ["A", "B", "B"])
    Probe(above=[1, 0, 0], below=[1, 1, 0])
    """
    aligned(original=original, swapped=swapped)
    pairs = list(zip(original, swapped, strict=True))
    below = [int(a is not None and b is not None) for a, b in pairs]
    return Probe([int(k and a == b) for k, (a, b) in zip(below, pairs, strict=True)], below)


def position_bias_probe(
    original: Sequence[Verdict],
    swapped: Sequence[Verdict],
    *,
    slots: tuple[Label, Label] = ("A", "B"),
) -> Probe:
    """Return the signed position bias of `order_effects` as a probe.

    >>> position_bias_probe(["A", "B", "A", None], ["B", "A", "A", "A"])
    Probe(above=[1, -1, 0, 0], below=[1, 1, 1, 0])
    """
    slot_axis(slots, None)
    _, below = consistency_probe(original, swapped)
    pairs = zip(original, swapped, strict=True)
    return Probe([int(pair == slots) - int(pair == slots[::-1]) for pair in pairs], below)


def longer_probe(
    verdicts: Sequence[Verdict],
    lengths: Sequence[tuple[int, int]],
    *,
    slots: tuple[Label, Label] = ("A", "B"),
) -> Probe:
    """Return "names the longer response" as a probe, over verdicts that name one of unequal two.

    Labels can be probed like verdicts: a judge minus the labels is its verbosity bias.

    >>> longer_probe(["A", "B", "TIE", "A"], [(9, 5), (9, 5), (9, 5), (7, 7)])
    Probe(above=[1, 0, 0, 0], below=[1, 1, 0, 0])
    """
    slot_axis(slots, None)
    aligned(verdicts=verdicts, lengths=lengths)
    rows = list(zip(verdicts, lengths, strict=True))
    below = [int(verdict in slots and a != b) for verdict, (a, b) in rows]
    longer = [slots[int(b > a)] for _, (a, b) in rows]
    above = [int(k and v == name) for k, v, name in zip(below, verdicts, longer, strict=True)]
    return Probe(above, below)


def probe_difference(
    first: Probe,
    second: Probe,
    clusters: Sequence[Hashable],
    **options: Unpack[ResamplingOptions],
) -> ProbeDifference:
    """Compare one bias probe between two judges on the items that count for both.

    For teacher and student give the student first: above 0 the student has more of what the
    probe measures. Whether that is more bias depends on the labels where these lean themselves
    (length), so compare each with the labels too.

    Args:
        first: the probe of the first judge, from the functions above or your own counts.
        second: the same probe of the second judge on the same items.
        clusters: the question of each item.
        **options: `seed`, `resamples`, `confidence`; see `ResamplingOptions`.

    Raises:
        DataError: different lengths, a negative denominator, or a setting out of range.

    The first is consistent in 2 of 2 common items, the second in 1 of 2:

    >>> found = probe_difference(
    ...     consistency_probe("AAB", "AAB"), consistency_probe(["A", "B", None], "AAB"), "xyz",
    ...     seed=1, resamples=200)
    >>> found.first.value, found.second.value, found.value, found.left_out
    (1.0, 0.5, 0.5, 1)
    """
    plan = Resampling(**options)
    aligned(
        first=first.above, below1=first.below, second=second.above, below2=second.below,
        clusters=clusters,
    )  # fmt: skip
    for name, probe in (("first", first), ("second", second)):
        if min(probe.below, default=0) < 0:
            raise DataError(f"{name}.below: expected counts of at least 0, found {probe.below!r}")
    rows = list(zip(first.above, first.below, second.above, second.below, strict=True))
    common = [i for i, row in enumerate(rows) if row[1] > 0 and row[3] > 0]
    used, groups = [rows[i] for i in common], [clusters[i] for i in common]
    columns = [[row[i] for row in used] for i in range(4)]
    one = _share(columns[0], columns[1], groups, plan)
    two = _share(columns[2], columns[3], groups, plan)
    point = difference_of(one, two, len(used))
    if point.value is None:
        return ProbeDifference(one, two, replace(point, clusters=0), 0, len(rows))
    sums = sums_by_cluster(np.asarray(used, dtype=np.int64), cluster_codes(groups)[0])
    of_first, of_second = ratio(0, 1), ratio(2, 3)
    gap = counted_interval(point, sums, lambda drawn: of_first(drawn) - of_second(drawn), plan)
    return ProbeDifference(one, two, without_width(gap), len(used), len(rows) - len(used))


def _share(
    above: Sequence[int], below: Sequence[int], clusters: Sequence[Hashable], plan: Resampling
) -> Estimate:
    """Return the value of one probe, which may be signed."""
    interval = signed_interval if min(above, default=0) < 0 else share_interval
    return interval(above, below, clusters, plan, NO_COMMON_ROW)
