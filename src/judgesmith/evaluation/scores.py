"""Judges that give scores, against scores by people: one row per criterion."""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

from judgesmith.evaluation.comparing import concluded
from judgesmith.evaluation.foreign import passes
from judgesmith.evaluation.measure import MOST_PAIRED, Measured
from judgesmith.evaluation.score_numbers import (
    RANK_RESAMPLES,
    Columns,
    ScoreMetric,
    grades_of,
    score_number,
)
from judgesmith.evaluation.scoring import number
from judgesmith.metrics import mcnemar_p, not_shown_because
from judgesmith.metrics.bootstrap import paired_cluster_bootstrap
from judgesmith.metrics.correlation import spearman
from judgesmith.metrics.resample import ResamplingOptions
from judgesmith.report.evidence import ScoreAgreement
from judgesmith.report.results import Comparison, Number

ONE_CRITERION = "score"
NO_COMMON_SCALE = "most of the scores lie outside the range of the labels: another scale"


class ScoreRows(NamedTuple):
    """Scores of one judge and labels on the items that have both, for one criterion."""

    criterion: str
    positions: list[int]
    judge: list[float]
    labels: list[float]
    clusters: list[int]


def score_rows(measured: Measured, judge: str) -> list[ScoreRows]:
    """Aligned scores, one entry for each criterion, in the order in which criteria came."""
    found, labels = measured.found, measured.labels
    votes = passes(found, judge).stored
    rows: dict[str, ScoreRows] = {}
    names = found.names
    for position, label in labels.scores.items():
        if votes is None or not votes.has(position):
            continue
        score = found.score(votes, position)
        if score is None:
            continue
        criterion = names[position][1] or ONE_CRITERION
        entry = rows.setdefault(criterion, ScoreRows(criterion, [], [], [], []))
        entry.positions.append(position)
        entry.judge.append(score)
        entry.labels.append(label)
        entry.clusters.append(found.clusters[position])
    return list(rows.values())


def score_agreement(measured: Measured, judge: str) -> tuple[ScoreAgreement, ...]:
    """Correlation and agreement of one judge's scores with the labels, by criterion."""
    return tuple(_agreement(measured, rows) for rows in score_rows(measured, judge))


def _agreement(measured: Measured, rows: ScoreRows) -> ScoreAgreement:
    plan = measured.plan
    options: ResamplingOptions = {
        "seed": plan.seed, "confidence": plan.confidence, "resamples": plan.slice_resamples,
    }  # fmt: skip
    ranks: ResamplingOptions = {**options, "resamples": min(RANK_RESAMPLES, plan.resamples)}
    hidden = not_shown_because([str(label) for label in rows.labels], least=plan.least)
    columns = Columns(rows.judge, rows.labels, rows.clusters)
    grades = grades_of([*rows.judge, *rows.labels], measured.subject.limits)

    def of(metric: ScoreMetric, given: ResamplingOptions = options) -> Number:
        return score_number(metric, columns, given, grades=grades, hidden=hidden)

    def on_one_scale(metric: ScoreMetric) -> Number:
        if on_another_scale(measured, rows):
            return Number(value=None, n=len(rows.judge), undefined=NO_COMMON_SCALE)
        return of(metric)

    return ScoreAgreement(
        criterion=rows.criterion,
        n=len(rows.judge),
        pearson=of("pearson"),
        spearman=of("spearman", ranks),
        kendall=of("kendall", ranks),
        exact=on_one_scale("exact"),
        mean_error=on_one_scale("mean error"),
        weighted_kappa=of("weighted kappa") if grades else None,
        alpha=of("alpha", ranks) if grades else None,
    )


def on_another_scale(measured: Measured, rows: ScoreRows) -> bool:
    """Whether most scores lie outside the labels' range, and nothing says what the scale is."""
    if measured.subject.limits is not None or not rows.labels:
        return False
    low, high = min(rows.labels), max(rows.labels)
    inside = sum(low <= score <= high for score in rows.judge)
    return 2 * inside < len(rows.judge)


def score_comparisons(measured: Measured) -> tuple[Comparison, ...]:
    """Paired differences in Spearman's rank correlation, by criterion, Holm over all of them.

    The exact test counts the items on which one judge is closer to the label than the other; a
    judge that gave no score where the other did is farther. Judges on another scale than the
    labels have no distance to them and are left out.
    """
    names = [judge.name for judge in measured.judges]
    by_judge = {name: {r.criterion: r for r in score_rows(measured, name)} for name in names}
    pairs = (
        list(combinations(names, 2))
        if len(names) <= MOST_PAIRED
        else [(names[0], other) for other in names[1:]]
    )
    found = [
        _compare(measured, (a, by_judge[a][criterion]), (b, by_judge[b][criterion]))
        for a, b in pairs
        for criterion in by_judge[a]
        if criterion in by_judge[b]
        and not any(on_another_scale(measured, by_judge[name][criterion]) for name in (a, b))
    ]
    return concluded(found, measured.plan)


def _compare(
    measured: Measured, first: tuple[str, ScoreRows], second: tuple[str, ScoreRows]
) -> Comparison:
    (a, one), (b, other) = first, second
    there = dict(zip(other.positions, other.judge, strict=True))
    kept = [i for i, position in enumerate(one.positions) if position in there]
    alone = _unscored(measured, b, one), _unscored(measured, a, other)
    x1 = [one.judge[i] for i in kept]
    x2 = [there[one.positions[i]] for i in kept]
    y = [one.labels[i] for i in kept]
    difference = paired_cluster_bootstrap(
        spearman, x1, x2, y, [one.clusters[i] for i in kept], seed=measured.plan.seed,
        resamples=min(RANK_RESAMPLES, measured.plan.resamples),
        confidence=measured.plan.confidence,
    )  # fmt: skip
    gained, lost = _closer(x1, x2, y) + alone[0], _closer(x2, x1, y) + alone[1]
    hidden = not_shown_because([str(label) for label in y], least=measured.plan.least)
    p = mcnemar_p(gained, lost)
    return Comparison(
        a=a, b=b, slice=one.criterion, difference=number(difference, hidden), gained=gained,
        lost=lost, p=p, p_holm=p, conclusion="", metric="spearman",
    )  # fmt: skip


def _unscored(measured: Measured, judge: str, rows: ScoreRows) -> int:
    """How many of another judge's scored items this one judged without giving a score."""
    votes = passes(measured.found, judge).stored
    found = measured.found
    return sum(
        votes is not None and votes.has(i) and found.score(votes, i) is None
        for i in rows.positions
    )  # fmt: skip


def _closer(one: Sequence[float], other: Sequence[float], labels: Sequence[float]) -> int:
    return sum(
        abs(a - label) < abs(b - label) for a, b, label in zip(one, other, labels, strict=True)
    )
