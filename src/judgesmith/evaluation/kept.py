"""How much of a specialist's agreement a merged judge keeps, on the same items."""

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Unpack

import numpy as np

from judgesmith.errors import DataError
from judgesmith.evaluation.judges import ItemKey, Judge
from judgesmith.evaluation.score_judges import UNREAD, ScoreJudge
from judgesmith.evaluation.sliced import Plan, SliceOfItems, number
from judgesmith.metrics import Estimate, cohen_kappa, mark_unparsed
from judgesmith.metrics.additive import additive
from judgesmith.metrics.agreement import accuracy
from judgesmith.metrics.bootstrap import cluster_bootstrap, paired_cluster_bootstrap
from judgesmith.metrics.coding import FloatArray, cluster_codes
from judgesmith.metrics.correlation import exact_match, pearson
from judgesmith.metrics.resample import Resampling, ResamplingOptions, counted_interval
from judgesmith.metrics.weighted import weighted_kappa
from judgesmith.report.results import Number
from judgesmith.report.score_results import Kept

NOT_ABOVE_ZERO = "the specialist's is not above 0, so there is nothing to keep"
NO_CORRELATION = "a constant judge has no correlation"
CONSTANT = "constant"
HEADLINE = ("kappa", "weighted kappa")
"""The metric of each form that is corrected for chance: a constant judge has 0."""

Metric = Callable[..., Estimate]


@dataclass(frozen=True)
class Names:
    """Which judges are compared, by name; `least` is the share that is to be kept."""

    merged: str
    specialist: str
    joint: str | None
    least: float


def ratio_of(
    metric: Metric, first: Sequence[Any], second: Sequence[Any], y: Sequence[Any],
    clusters: Sequence[Hashable], **options: Unpack[ResamplingOptions],
) -> Estimate:  # fmt: skip
    """Metric of the first judge over that of the second, on the same rows and resamples.

    Undefined where the second is not above 0. Resamples in which it is not are left out, and more
    than half of them leave no interval.

    >>> y = list("AABBAABB") * 5
    >>> half = ["A"] * 40
    >>> found = ratio_of(accuracy, half, y, y, range(40), seed=1, resamples=200)
    >>> found.value, found.low < 0.5 < found.high
    (0.5, True)
    """
    one, two = metric(first, y), metric(second, y)
    n = len(y)
    for side, found in (("merged judge's", one), ("specialist's", two)):
        if found.value is None:
            return Estimate.missing(f"the {side} value is undefined: {found.undefined}", n)
    if float(two) <= 0:
        return Estimate.missing(NOT_ABOVE_ZERO, n)
    point = Estimate.of(float(one) / float(two), n)
    codes, _ = cluster_codes(clusters)
    above, below = additive(metric, (first, y), codes), additive(metric, (second, y), codes)
    if above is None or below is None:
        raise DataError(f"expected a metric that is a function of sums, found {metric!r}")
    width = above.sums.shape[1]

    def share(sums: FloatArray) -> FloatArray:
        upper, lower = above.statistic(sums[:, :width]), below.statistic(sums[:, width:])
        found = np.full(len(upper), np.nan)
        np.divide(upper, lower, out=found, where=lower > 0)
        return found

    sums = np.hstack([above.sums.astype(np.float64), below.sums.astype(np.float64)])
    return counted_interval(point, sums, share, Resampling(**options))


def kept_of_verdicts(
    judges: Sequence[Judge], part: SliceOfItems, plan: Plan, names: Names, dialect: str
) -> list[Kept]:
    """Kappa and accuracy on a slice of pairs; an unparsed verdict counts as wrong."""
    by_name = {judge.name: judge for judge in judges}
    said = {
        name: mark_unparsed(
            [
                found.averaged if (found := by_name[name].verdicts.get(row.item_id)) else None
                for row in part.items
            ]
        )
        for name in _wanted(names, by_name)
    }
    labels = [row.label for row in part.items]
    scale = sorted({*labels, *(value for column in said.values() for value in column)})
    metrics: dict[str, Metric] = {
        "kappa": partial(cohen_kappa, labels=scale), "accuracy": accuracy,
    }  # fmt: skip
    clusters = [row.cluster for row in part.items]
    table = _Table(said, labels, clusters, names, part.name, dialect)
    return [table.row(name, metric, plan) for name, metric in metrics.items()]


def kept_of_scores(
    judges: Sequence[ScoreJudge], part: SliceOfItems, plan: Plan, names: Names, dialect: str
) -> list[Kept]:
    """Weighted kappa, exact agreement and Pearson on all items whose label is on the scale.

    An unread score, or one off the scale, is the end of the scale that is farther from the label:
    a merge that lost its format has not kept what it no longer says.
    """
    by_name = {judge.name: judge for judge in judges}
    place = {float(value): i for i, value in enumerate(plan.scale)}
    # A label between two grades is on none.
    rows = [row for row in part.items if row.score is not None and row.score in place]
    labels = [place[float(row.score or 0.0)] for row in rows]
    last = len(plan.scale) - 1
    said = {
        name: [
            place.get(_stated(by_name[name], row.item_id), 0 if 2 * label >= last else last)
            for row, label in zip(rows, labels, strict=True)
        ]
        for name in _wanted(names, by_name)
    }
    grades = range(len(plan.scale))
    metrics: dict[str, Metric] = {
        "weighted kappa": partial(weighted_kappa, labels=grades), "exact": exact_match,
        "pearson": pearson,
    }  # fmt: skip
    clusters = [row.cluster for row in rows]
    table = _Table(said, labels, clusters, names, part.name, dialect)
    return [table.row(name, metric, plan) for name, metric in metrics.items()]


def _stated(judge: ScoreJudge, item: ItemKey) -> float:
    """The score of an item, NaN where there is none: it is on no scale."""
    score = judge.reads.get(item, UNREAD).score
    return math.nan if score is None else score


def _wanted(names: Names, known: dict[str, Any]) -> list[str]:
    wanted = [names.merged, names.specialist, CONSTANT]
    return wanted + ([names.joint] if names.joint in known else [])


@dataclass(frozen=True)
class _Table:
    """Columns by judge, labels and questions of one slice."""

    said: dict[str, Any]
    labels: Sequence[Any]
    clusters: Sequence[Hashable]
    names: Names
    slice: str
    dialect: str

    def row(self, name: str, metric: Metric, plan: Plan) -> Kept:
        """One metric of the merged judge, its specialist and the joint one."""
        options: ResamplingOptions = {
            "seed": plan.seed, "resamples": plan.resamples, "confidence": plan.confidence,
            "method": "bca",
        }  # fmt: skip
        merged, specialist = self.names.merged, self.names.specialist
        joint = self.names.joint if self.names.joint in self.said else None

        def value(judge: str) -> Number:
            columns = [self.said[judge], self.labels]
            return number(cluster_bootstrap(metric, columns, self.clusters, **options))

        def share(judge: str) -> Number:
            columns = self.said[judge], self.said[specialist], self.labels
            return number(ratio_of(metric, *columns, self.clusters, **options))

        def above(judge: str) -> Number:
            if metric is pearson:
                return Number(value=None, n=len(self.labels), undefined=NO_CORRELATION)
            columns = self.said[judge], self.said[CONSTANT], self.labels
            return number(paired_cluster_bootstrap(metric, *columns, self.clusters, **options))

        found = share(merged)
        return Kept(
            dialect=self.dialect, slice=self.slice, metric=name, merged_name=merged,
            specialist_name=specialist, joint_name=joint, merged=value(merged),
            specialist=value(specialist), joint=value(joint) if joint else None, share=found,
            joint_share=share(joint) if joint else None, above_constant=above(merged),
            specialist_above=above(specialist), least=self.names.least,
            outcome=_outcome(found, self.names.least),
        )  # fmt: skip


def _outcome(share: Number, least: float) -> Literal["kept", "not kept", "not decided"]:
    if share.low is None or share.high is None:
        return "not decided"
    if share.low >= least:
        return "kept"
    return "not kept" if share.high < least else "not decided"
