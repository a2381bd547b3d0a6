"""What each member of a panel is worth: the panel with it against the panel without it."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Unpack

import numpy as np

from judgesmith.errors import DataError
from judgesmith.metrics.agreement import NO_ROWS, kappa_of_counts
from judgesmith.metrics.coding import (
    FloatArray,
    IntArray,
    Label,
    aligned,
    cluster_codes,
    distinct,
    ordered_labels,
)
from judgesmith.metrics.coverage import UNPARSED
from judgesmith.metrics.paired import holm, mcnemar_p
from judgesmith.metrics.panel import Panel, check_panel, leading
from judgesmith.metrics.perfect import bound_agreement, bound_share, without_width
from judgesmith.metrics.probability import STEP, Draws, fixed_point, mean_of
from judgesmith.metrics.resample import (
    Resampling,
    ResamplingOptions,
    counted_interval,
    difference_of,
)
from judgesmith.metrics.result import Estimate, Headline


@dataclass(frozen=True, slots=True)
class MemberValue(Headline):
    """What one member adds to a panel: the panel with it minus the panel without it.

    Attributes:
        member: name of the judge.
        accuracy_without: accuracy of the panel of the others.
        kappa_without: its kappa.
        undecided_without: rows on which several verdicts share its first place.
        accuracy_change: accuracy with minus without, paired interval.
        kappa_change: kappa with minus without, paired interval.
        gained: rows on which the panel has a better chance to be right with the member.
        lost: rows on which it has a better chance without.
        p: exact sign test (McNemar's) of gained against lost.
        p_holm: the same, Holm-adjusted over the members.
    """

    member: str
    accuracy_without: Estimate
    kappa_without: Estimate
    undecided_without: int
    accuracy_change: Estimate
    kappa_change: Estimate
    gained: int
    lost: int
    p: float
    p_holm: float

    @property
    def headline(self) -> Estimate:
        """The main number: `accuracy_change`."""
        return self.accuracy_change


@dataclass(frozen=True, slots=True)
class LeaveOneOut(Headline):
    """A panel against labels, whole and without each member.

    Attributes:
        accuracy: of the whole panel.
        kappa: of the whole panel.
        undecided: rows on which several verdicts share the first place.
        no_verdict: rows on which no member has a parsed verdict; they count as wrong.
        members: one entry per judge, in the order given.
    """

    accuracy: Estimate
    kappa: Estimate
    undecided: int
    no_verdict: int
    members: tuple[MemberValue, ...]

    @property
    def headline(self) -> Estimate:
        """The main number: `accuracy`."""
        return self.accuracy


class _Measured(NamedTuple):
    """One panel against the labels: its chance to be right per row, and tables per cluster."""

    credits: list[float]
    tables: IntArray
    undecided: int


class _Setting(NamedTuple):
    """What all panels of one comparison share."""

    labels: Sequence[Label]
    axis: tuple[Label, ...]
    clusters: Sequence[Hashable]
    tie: Label | None
    draws: Draws


def leave_one_out(
    judges: Panel,
    labels: Sequence[Label],
    clusters: Sequence[Hashable],
    *,
    tie: Label | None = None,
    **options: Unpack[ResamplingOptions],
) -> LeaveOneOut:
    """What each member adds to the panel's most common verdict: with it minus without it.

    Leaving a member out makes an odd panel even, and even panels are undecided more often. To
    count those rows as wrong would make every member look useful. So where several verdicts share
    the first place, each enters with an equal share, as if one were drawn: accuracy is the
    expected one, and kappa that of the expected table. With `tie` such rows have that verdict
    instead. Rows without any parsed verdict are wrong in both panels.

    Undefined without rows; kappa also where chance agreement is 1.

    Args:
        judges: verdicts by name of the judge, at least two.
        labels: the labels.
        clusters: the question of each row.
        tie: the verdict of undecided rows, as in `panel_verdict`.
        **options: see `ResamplingOptions`.

    Raises:
        DataError: fewer than two judges, different lengths, or a label that is None.

    All three together are always right. x and y without z tie on the second row, x and z on the
    third, while y and z tie on the first and last:

    >>> panel = {"x": list("ABAB"), "y": list("AAAB"), "z": list("ABBB")}
    >>> found = leave_one_out(panel, list("ABAB"), "pqrs", seed=1, resamples=100)
    >>> found.accuracy.value, [m.accuracy_change.value for m in found.members]
    (1.0, [0.25, 0.125, 0.125])
    """
    if len(judges) < 2:
        raise DataError(f"expected at least two judges, found {list(judges)!r}")
    aligned(labels=labels, clusters=clusters, rows=range(check_panel(judges)))
    codes, count = cluster_codes(clusters)
    said = {verdict for column in judges.values() for verdict in column if verdict is not None}
    if UNPARSED in said:
        raise DataError(f"{UNPARSED!r} is a verdict here: rename that label, it is reserved")
    axis = ordered_labels(said | distinct("labels", labels) | ({tie} if tie is not None else set()))
    setting = _Setting(
        labels, (*axis, UNPARSED), clusters, tie, Draws(codes, count, Resampling(**options))
    )
    whole = _measure(judges, setting)
    members = [_member_value(name, judges, whole, setting) for name in judges]
    adjusted = holm([member.p for member in members])
    return LeaveOneOut(
        accuracy=_accuracy(whole, setting),
        kappa=_kappa(whole, setting),
        undecided=whole.undecided,
        no_verdict=leading(judges).count(()),
        members=tuple(
            replace(member, p_holm=p) for member, p in zip(members, adjusted, strict=True)
        ),
    )


def _measure(judges: Panel, setting: _Setting) -> _Measured:
    """Hold a panel against the labels."""
    place = {label: code for code, label in enumerate(setting.axis)}
    width = len(place)
    credits, flat, weights, codes = [], [], [], []
    undecided = 0
    for label, first, code in zip(
        setting.labels, leading(judges), setting.draws.codes.tolist(), strict=True
    ):
        undecided += len(first) > 1
        verdicts = first or (UNPARSED,)
        if len(verdicts) > 1 and setting.tie is not None:
            verdicts = (setting.tie,)
        credits.append((label in verdicts) / len(verdicts))
        for verdict in verdicts:
            flat.append(place[verdict] * width + place[label])
            weights.append(1 / len(verdicts))
            codes.append(code)
    tables = np.zeros((setting.draws.count, width * width), dtype=np.int64)
    np.add.at(tables, (codes, flat), fixed_point(np.asarray(weights)))
    return _Measured(credits, tables, undecided)


def _member_value(name: str, judges: Panel, whole: _Measured, setting: _Setting) -> MemberValue:
    """Compare the panel with a member and the panel without it; p is not yet adjusted."""
    rest = _measure({other: c for other, c in judges.items() if other != name}, setting)
    gaps = [a - b for a, b in zip(whole.credits, rest.credits, strict=True)]
    gained, lost = sum(gap > 0 for gap in gaps), sum(gap < 0 for gap in gaps)
    p = mcnemar_p(gained, lost)
    return MemberValue(
        member=name,
        accuracy_without=_accuracy(rest, setting),
        kappa_without=_kappa(rest, setting),
        undecided_without=rest.undecided,
        accuracy_change=without_width(
            mean_of(gaps, clusters=setting.clusters, **setting.draws.options())
        ),
        kappa_change=_kappa_change(whole, rest, setting),
        gained=gained,
        lost=lost,
        p=p,
        p_holm=p,
    )


def _accuracy(panel: _Measured, setting: _Setting) -> Estimate:
    found = mean_of(panel.credits, clusters=setting.clusters, **setting.draws.options())
    return bound_share(found, setting.draws.count)


def _kappa_point(panel: _Measured, n: int) -> Estimate:
    """Return kappa of the expected table."""
    if n == 0:
        return Estimate.missing(NO_ROWS, 0)
    value = float(kappa_of_counts(panel.tables.sum(axis=0)[None] * STEP)[0])
    if math.isnan(value):
        return Estimate.missing("both sides hold only one and the same label", n)
    return Estimate.of(value, n)


def _kappa(panel: _Measured, setting: _Setting) -> Estimate:
    point = _kappa_point(panel, len(setting.labels))
    found = counted_interval(point, panel.tables, _scaled_kappa, setting.draws.plan)
    if found.value != 1:
        return found
    used = _without_unparsed(panel.tables)
    return bound_agreement(found, used, _scaled_kappa)


def _kappa_change(whole: _Measured, rest: _Measured, setting: _Setting) -> Estimate:
    """Return kappa with the member minus kappa without, on the same resamples."""
    n = len(setting.labels)
    first, second = _kappa_point(whole, n), _kappa_point(rest, n)
    width = whole.tables.shape[1]

    def gap(sums: FloatArray) -> FloatArray:
        return _scaled_kappa(sums[:, :width]) - _scaled_kappa(sums[:, width:])

    tables = np.hstack([whole.tables, rest.tables])
    found = counted_interval(difference_of(first, second, n), tables, gap, setting.draws.plan)
    return without_width(found)


def _scaled_kappa(sums: FloatArray) -> FloatArray:
    return kappa_of_counts(sums * STEP)


def _without_unparsed(tables: IntArray) -> IntArray:
    """Drop the category of unparsed rows, which is no label and can take no error."""
    size = round(tables.shape[1] ** 0.5)
    kept = tables.reshape(-1, size, size)[:, :-1, :-1]
    return kept.reshape(len(tables), -1)
