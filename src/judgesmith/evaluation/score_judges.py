"""Judges that give scores to single responses, against labels that are scores."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from judgesmith.evaluation.comparing import concluded
from judgesmith.evaluation.judges import ItemKey, reasons
from judgesmith.evaluation.score_numbers import (
    NO_GRADES,
    RANK_RESAMPLES,
    Columns,
    ScoreMetric,
    score_number,
)
from judgesmith.evaluation.scoring import not_shown
from judgesmith.evaluation.sliced import Plan, Scored, SliceOfItems, number
from judgesmith.metrics import coverage, mcnemar_p
from judgesmith.metrics.bootstrap import paired_cluster_bootstrap
from judgesmith.metrics.correlation import spearman
from judgesmith.metrics.resample import ResamplingOptions
from judgesmith.metrics.result import Estimate
from judgesmith.metrics.weighted import weighted_kappa
from judgesmith.models.about import expected_units, score_units
from judgesmith.records import Item, Judgment
from judgesmith.report.results import Comparison, Confusion, Number, Role
from judgesmith.report.score_results import ExpectedScores, ScoreResult, ScoreSlice

WEIGHTED = "weighted kappa"
RANKS = "spearman"
BY_EXPECTATION: tuple[ScoreMetric, ...] = ("pearson", "spearman", "mean error")
CORRELATIONS = ("pearson", "spearman", "kendall")
ONE_SCORE = "one score for every response has no correlation"
NO_SCALE = "it is on no scale of scores"


@dataclass(frozen=True, slots=True)
class ScoreRead:
    """One judge's score of one response: as stated, and expected under its probabilities."""

    score: float | None
    expected: float | None = None
    rationale: str | None = None


UNREAD = ScoreRead(None)


@dataclass(frozen=True)
class ScoreJudge:
    """A judge and its scores by item key; `on_scale` false for a rule that counts something else.

    An item without an entry was not read, like one whose score is None.
    """

    name: str
    role: Role
    note: str
    reads: Mapping[ItemKey, ScoreRead]
    on_scale: bool = True


def read_scores(
    name: str, role: Role, judgments: Iterable[Judgment], items: Mapping[str, Item], *,
    note: str = "",
) -> ScoreJudge:  # fmt: skip
    """A model's judgments of responses alone, by key: one for each response and criterion.

    A response that lies in several items counts once, as it was judged first.
    """
    reads: dict[ItemKey, ScoreRead] = {}
    for judgment in judgments:
        item = items[judgment.item_id]
        expected = expected_units(judgment, item)
        for key, score in score_units(judgment.in_item_order(), item).items():
            reads.setdefault(key, ScoreRead(score, expected.get(key), reasons(judgment)))
    return ScoreJudge(name, role, note, reads)


def score_scores(judge: ScoreJudge, parts: Sequence[SliceOfItems], plan: Plan) -> ScoreResult:
    """One judge on all slices. `plan.scale` holds the grades."""
    slices = {part.name: score_part(judge, part, plan) for part in parts}
    return ScoreResult(name=judge.name, role=judge.role, note=judge.note, slices=slices)


def score_part(judge: ScoreJudge, part: SliceOfItems, plan: Plan) -> ScoreSlice:
    """One judge on one slice: correlations, agreement and errors over what was parsed."""
    main = part.kind == "domain"
    options: ResamplingOptions = {
        "seed": plan.seed, "confidence": plan.confidence, "method": "bca",
        "resamples": plan.resamples if main else plan.slice_resamples,
    }  # fmt: skip
    read = [(row, found) for row in part.items if (found := _read(judge, row)).score is not None]
    rows = [row for row, _ in read]
    hidden = not_shown(part.items, rows, plan)
    columns = columns_of(rows, [found.score for _, found in read])

    def of(metric: ScoreMetric) -> Number:
        ranks = metric in CORRELATIONS
        if ranks and len(rows) > 1 and len(set(columns.judge)) == 1:
            return Number(value=None, n=len(rows), undefined=ONE_SCORE, hidden=hidden)
        if ranks or judge.on_scale:
            return score_number(metric, columns, options, hidden=hidden)
        return Number(value=None, n=len(rows), undefined=NO_SCALE)

    return ScoreSlice(
        coverage=number(coverage(_said(judge, part), plan.confidence)),
        exact=of("exact"),
        within_one=of("within one"),
        pearson=of("pearson"),
        spearman=of("spearman") if main else None,
        kendall=of("kendall") if main else None,
        weighted_kappa=(
            _weighted(columns, options, plan, hidden) if judge.on_scale else of("weighted kappa")
        ),
        mean_error=of("mean error"),
        expected=_by_expectation(read, options, hidden) if main else None,
        confusion=_confusion(judge, part, plan) if main and judge.on_scale else None,
    )


def _read(judge: ScoreJudge, row: Scored) -> ScoreRead:
    return judge.reads.get(row.item_id, UNREAD)


def _said(judge: ScoreJudge, part: SliceOfItems) -> list[str | None]:
    """Scores in words, None where a reply was not read."""
    found = [_read(judge, row).score for row in part.items]
    return [None if score is None else f"{score:g}" for score in found]


def columns_of(rows: Sequence[Scored], scores: Sequence[float | None]) -> Columns:
    """Scores of parsed items beside labels and questions."""
    return Columns(
        [float(score) for score in scores if score is not None],
        [float(row.score or 0.0) for row in rows],
        [row.cluster for row in rows],
    )


def graded(columns: Columns, scale: Sequence[str]) -> Columns | None:
    """Scores and labels as places on the scale, None where some are not on it.

    >>> graded(Columns([1.5], [2.0], "a"), ("1", "1.5", "2"))
    Columns(judge=[1.0], labels=[2.0], clusters='a')
    """
    place = {float(value): float(i) for i, value in enumerate(scale)}
    if not {*columns.judge, *columns.labels} <= place.keys():
        return None
    judge, labels = ([place[v] for v in column] for column in columns[:2])
    return Columns(judge, labels, columns.clusters)


def _weighted(
    columns: Columns, options: ResamplingOptions, plan: Plan, hidden: str | None
) -> Number:
    """Quadratic weighted kappa, where every score is on the scale."""
    placed = graded(columns, plan.scale)
    if placed is None:
        return Number(value=None, n=len(columns.judge), undefined=NO_GRADES)
    grades = range(len(plan.scale))
    return score_number("weighted kappa", placed, options, grades=grades, hidden=hidden)


def _by_expectation(
    read: Sequence[tuple[Scored, ScoreRead]], options: ResamplingOptions, hidden: str | None
) -> ExpectedScores | None:
    """The same by expected scores, where every parsed reply carries probabilities."""
    if not read or any(found.expected is None for _, found in read):
        return None
    columns = columns_of([row for row, _ in read], [found.expected for _, found in read])
    pearson, ranks, error = (
        score_number(metric, columns, options, hidden=hidden) for metric in BY_EXPECTATION
    )
    return ExpectedScores(pearson=pearson, spearman=ranks, mean_error=error)


def _confusion(judge: ScoreJudge, part: SliceOfItems, plan: Plan) -> Confusion | None:
    """Counts of score by label, where both are on the scale."""
    said = list(zip(_said(judge, part), (row.label for row in part.items), strict=True))
    met = Counter((str(score), label) for score, label in said if score is not None)
    lost = Counter(label for score, label in said if score is None)
    values = {value for pair in met for value in pair} | set(lost)
    if not values <= set(plan.scale):
        return None
    counts = tuple(tuple(met[score, label] for label in plan.scale) for score in plan.scale)
    return Confusion(
        labels=plan.scale, counts=counts, unparsed=tuple(lost[label] for label in plan.scale)
    )


def compare_scores(
    pairs: Sequence[tuple[ScoreJudge, ScoreJudge]], parts: Sequence[SliceOfItems], plan: Plan
) -> tuple[Comparison, ...]:
    """Paired differences on the domain slices, Holm-adjusted over the whole table.

    In quadratic weighted kappa, which a constant judge has too (0); in Spearman's correlation where
    a score or label is no grade of the scale. The exact test counts the items on which one judge is
    closer to the label than the other; a judge that gave no score where the other did is farther.
    """
    found = [
        _compare(first, second, part, plan)
        for part in parts
        if part.kind == "domain" and part.items
        for first, second in pairs
    ]
    return concluded(found, plan)


def _compare(first: ScoreJudge, second: ScoreJudge, part: SliceOfItems, plan: Plan) -> Comparison:
    both = [
        row
        for row in part.items
        if _read(first, row).score is not None and _read(second, row).score is not None
    ]
    one, other = (
        columns_of(both, [_read(judge, row).score for row in both]) for judge in (first, second)
    )
    placed = [graded(columns, plan.scale) for columns in (one, other)]
    whole = [columns for columns in placed if columns is not None]
    if len(whole) == 2:
        metric, difference = WEIGHTED, _in_kappa(whole[0], whole[1], plan)
    else:
        metric, difference = RANKS, _in_ranks(one, other, plan)
    gained, lost = _nearer(first, second, part), _nearer(second, first, part)
    p = mcnemar_p(gained, lost)
    return Comparison(
        a=first.name, b=second.name, slice=part.name,
        difference=number(difference, not_shown(part.items, both, plan)),
        gained=gained, lost=lost, p=p, p_holm=p, conclusion="", metric=metric,
    )  # fmt: skip


def _in_kappa(one: Columns, other: Columns, plan: Plan) -> Estimate:
    first, second, labels = (
        [round(v) for v in column] for column in (one.judge, other.judge, one.labels)
    )
    return paired_cluster_bootstrap(
        partial(weighted_kappa, labels=range(len(plan.scale))), first, second, labels,
        one.clusters, seed=plan.seed, confidence=plan.confidence, resamples=plan.resamples,
    )  # fmt: skip


def _in_ranks(one: Columns, other: Columns, plan: Plan) -> Estimate:
    return paired_cluster_bootstrap(
        spearman, one.judge, other.judge, one.labels, one.clusters, seed=plan.seed,
        confidence=plan.confidence, resamples=min(RANK_RESAMPLES, plan.resamples),
    )  # fmt: skip


def _nearer(first: ScoreJudge, second: ScoreJudge, part: SliceOfItems) -> int:
    """How many items the first judge scored closer to the label, or alone."""
    nearer = 0
    for row in part.items:
        one, other = _read(first, row).score, _read(second, row).score
        label = row.score or 0.0
        nearer += one is not None and (other is None or abs(one - label) < abs(other - label))
    return nearer
