"""Does a judge name the longer response more often than the labels do?"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Unpack

import numpy as np

from judgesmith.errors import DataError
from judgesmith.metrics.coding import Label, Verdict, aligned, cluster_codes, distinct
from judgesmith.metrics.perfect import without_width
from judgesmith.metrics.resample import (
    Resampling,
    ResamplingOptions,
    difference_of,
    ratio,
    replicates,
    sums_by_cluster,
    with_interval,
)
from judgesmith.metrics.result import Estimate, Headline
from judgesmith.metrics.shares import share_interval

NAMES_NO_RESPONSE = "no verdict names one of two responses of different length"


@dataclass(frozen=True, slots=True)
class VerbosityPreference(Headline):
    """How often a judge and the labels name the longer response, on the same items.

    Attributes:
        judge: among items where the judge names a response, the share naming the longer one.
        labels: the same for the labels; its denominator differs where one of them is a tie.
        difference: judge minus labels, both resampled together. `n` is `items`.
        items: items used: verdict parsed and lengths different.
        unparsed: items left out because the verdict is unparsed.
        equal_length: items left out because both responses are equally long.
    """

    judge: Estimate
    labels: Estimate
    difference: Estimate
    items: int
    unparsed: int
    equal_length: int

    @property
    def headline(self) -> Estimate:
        """The main number: `difference`."""
        return self.difference


def verbosity_preference(
    judge: Sequence[Verdict],
    labels: Sequence[Label],
    lengths: Sequence[tuple[int, int]],
    clusters: Sequence[Hashable],
    *,
    slots: tuple[Label, Label] = ("A", "B"),
    **options: Unpack[ResamplingOptions],
) -> VerbosityPreference:
    """Share of verdicts that name the longer response, beside the same share of the labels.

    The function does not know whether a verdict names the better or the worse response. A judge
    that prefers length shows up as a positive difference where verdicts name the better one, as
    a negative one where they name the worse. Labels may favour length with good reason, so only
    the difference speaks about the judge. Verdicts that name no slot (ties) are in no share.

    Args:
        judge: verdicts; None is unparsed.
        labels: labels of the same items.
        lengths: length of the response in each slot, in any one unit.
        clusters: the question of each item.
        slots: the labels that name the first and the second length.
        **options: `seed`, `resamples`, `confidence`; see `ResamplingOptions`.

    Raises:
        DataError: different lengths of columns, a label None, equal slots, a negative length.

    The judge names the longer one in 2 of 2, the labels in 1 of 2 (a tie is in no share):

    >>> found = verbosity_preference(
    ...     ["A", "B", "TIE"], ["B", "B", "TIE"], [(9, 5), (3, 4), (2, 1)], "pqr",
    ...     seed=1, resamples=100)
    >>> found.judge.value, found.labels.value, found.difference.value
    (1.0, 0.5, 0.5)
    """
    plan = Resampling(**options)
    aligned(judge=judge, labels=labels, lengths=lengths, clusters=clusters)
    distinct("labels", labels)
    if slots[0] == slots[1]:
        raise DataError(f"slots: expected two different labels, found {slots!r}")
    rows, kept = [], []
    unparsed = equal_length = 0
    for position, (verdict, pair) in enumerate(zip(judge, lengths, strict=True)):
        if min(pair) < 0:
            raise DataError(f"lengths[{position}] is {pair!r}: expected lengths of at least 0")
        if verdict is None:
            unparsed += 1
        elif pair[0] == pair[1]:
            equal_length += 1
        else:
            longer = slots[int(pair[1] > pair[0])]
            rows.append([*_named(verdict, longer, slots), *_named(labels[position], longer, slots)])
            kept.append(clusters[position])
    return _compare(rows, kept, plan, unparsed, equal_length)


def _named(verdict: Label, longer: Label, slots: tuple[Label, Label]) -> tuple[int, int]:
    """Return (names the longer response, names a response) as 0 or 1."""
    return int(verdict == longer), int(verdict in slots)


def _compare(
    rows: list[list[int]],
    clusters: Sequence[Hashable],
    plan: Resampling,
    unparsed: int,
    equal_length: int,
) -> VerbosityPreference:
    """Turn rows (judge longer, judge named, label longer, label named) into the result."""
    columns = [[row[i] for row in rows] for i in range(4)]
    judge = share_interval(columns[0], columns[1], clusters, plan, NAMES_NO_RESPONSE)
    label = share_interval(columns[2], columns[3], clusters, plan, NAMES_NO_RESPONSE)
    codes, count = cluster_codes(clusters)
    point = difference_of(judge, label, len(rows))
    spread = np.empty(0)
    if point.value is not None:
        sums = sums_by_cluster(np.asarray(rows, dtype=np.int64), codes)
        stream = np.random.default_rng(plan.seed)
        one, two = replicates(sums, [ratio(0, 1), ratio(2, 3)], plan.resamples, stream)
        spread = one - two
    difference = without_width(with_interval(point, spread, count, plan))
    return VerbosityPreference(judge, label, difference, len(rows), unparsed, equal_length)
