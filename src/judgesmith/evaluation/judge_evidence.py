"""One judge beyond agreement: order, length, confidence, scores against its own verdicts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from judgesmith.evaluation.collect import VoteKey
from judgesmith.evaluation.foreign import seen_by
from judgesmith.evaluation.judges import Judge, Read
from judgesmith.evaluation.measure import Measured
from judgesmith.evaluation.ranking import transitivity
from judgesmith.evaluation.scores import score_agreement
from judgesmith.evaluation.scoring import Scored, not_shown, number
from judgesmith.metrics.bootstrap import cluster_bootstrap
from judgesmith.metrics.calibration_error import expected_calibration_error
from judgesmith.metrics.flips import flip_matrix, primacy_recency
from judgesmith.metrics.interval import cluster_bootstrap_rate
from judgesmith.metrics.length_control import length_controlled_agreement
from judgesmith.metrics.order import order_effects
from judgesmith.metrics.probability import brier_binary
from judgesmith.metrics.repeatability import position_apart, repeatability
from judgesmith.metrics.resample import ResamplingOptions
from judgesmith.metrics.result import Estimate
from judgesmith.metrics.risk_coverage import risk_coverage
from judgesmith.metrics.score_and_pair import conflict_ratio
from judgesmith.metrics.styles import style_matrix
from judgesmith.metrics.ties import TieRule, accuracy_with_ties
from judgesmith.metrics.weighted import gwet_ac1, scott_pi
from judgesmith.records import LETTERS, TIE
from judgesmith.report.evidence import (
    Calibration,
    CalibrationBin,
    Flips,
    JudgeEvidence,
    RiskCoverage,
    ScoreAndPair,
)
from judgesmith.report.results import Confusion, Number

TIE_RULES: tuple[TieRule, ...] = ("wrong", "half", "dropped")
FEWEST_CONFIDENT = 50
CURVE_POINTS = 60
HARD = {0.0, 0.5, 1.0}


class Reading:
    """A judge's reads and labels on the items that it judged, column by column."""

    def __init__(self, measured: Measured, judge: Judge) -> None:
        self.judge = judge
        self.rows: tuple[Scored, ...] = seen_by(judge, measured.parts[0]).items
        self.reads: list[Read] = [judge.verdicts[row.item_id] for row in self.rows]
        self.verdicts = [read.averaged for read in self.reads]
        self.labels = [row.label for row in self.rows]
        self.clusters = [row.cluster for row in self.rows]
        plan = measured.plan
        self.options: ResamplingOptions = {
            "seed": plan.seed, "resamples": plan.slice_resamples, "confidence": plan.confidence,
        }  # fmt: skip
        self.parsed = [i for i, verdict in enumerate(self.verdicts) if verdict is not None]
        shown = [self.rows[i] for i in self.parsed]
        self.hidden = not_shown(self.rows, shown, plan)

    def kept(self) -> tuple[list[str], list[str], list[str | int]]:
        """Verdicts, labels and clusters of the parsed items."""
        return (
            [self.verdicts[i] or "" for i in self.parsed],
            [self.labels[i] for i in self.parsed],
            [self.clusters[i] for i in self.parsed],
        )


def judge_evidence(measured: Measured, judge: Judge) -> JudgeEvidence:
    """Everything about one judge that its data allow; the rest is None or empty."""
    if measured.labels.numeric:
        scores = score_agreement(measured, judge.name)
        return _nothing_but(judge.name).model_copy(update={"scores": scores})
    if not measured.rows:
        return _nothing_but(judge.name)
    reading = Reading(measured, judge)
    pairs, labelled = measured.subject.pairs, measured.labels.kind != "nobody"
    return _nothing_but(judge.name).model_copy(
        update={
            **(_agreement(reading, pairs) if labelled else {}),
            "flips": _flips(measured, reading) if judge.both_orders and pairs else None,
            **(_length(reading, labelled=labelled) if pairs else {}),
            "styles": _styles(reading, labelled=labelled) if pairs else {},
            **(_confidence(reading) if labelled else {}),
            "score_and_pair": _score_and_pair(measured, judge),
            "transitivity": transitivity(measured, judge) if pairs else (),
        }
    )


def _nothing_but(name: str) -> JudgeEvidence:
    return JudgeEvidence(
        judge=name, ac1=None, alpha=None, accuracy_by_ties={}, flips=None, longer_wins=None,
        length_controlled=None, styles={}, calibration=None, risk_coverage=None, scores=(),
        score_and_pair=None,
    )  # fmt: skip


def _agreement(reading: Reading, pairs: bool) -> dict[str, object]:
    verdicts, labels, clusters = reading.kept()
    columns = [verdicts, labels]
    pi = cluster_bootstrap(scott_pi, columns, clusters, **reading.options)
    alpha = alpha_of_pi(pi)
    ac1 = cluster_bootstrap(gwet_ac1, columns, clusters, **reading.options)
    found = {"ac1": number(ac1, reading.hidden), "alpha": number(alpha, reading.hidden)}
    if not pairs or TIE not in {*verdicts, *labels}:
        return {**found, "accuracy_by_ties": {}}
    return {**found, "accuracy_by_ties": {rule: _tied(reading, rule) for rule in TIE_RULES}}


def alpha_of_pi(pi: Estimate) -> Estimate:
    """Krippendorff's nominal alpha of two columns and its interval, from Scott's pi.

    With n rows, alpha = 1 - (1 - pi) * (2n - 1) / (2n): the two differ by a small-sample factor
    only (Krippendorff 2011), so that one fast bootstrap serves both.

    >>> round(alpha_of_pi(Estimate(0.5, 0.4, 0.6, n=10)).value, 4)
    0.525
    """
    if pi.value is None:
        return pi
    shrink = (2 * pi.n - 1) / (2 * pi.n)
    ends = [None if end is None else 1 - (1 - end) * shrink for end in (pi.low, pi.high)]
    return replace(pi, value=1 - (1 - pi.value) * shrink, low=ends[0], high=ends[1])


def _tied(reading: Reading, rule: TieRule) -> Number:
    verdicts, labels, clusters = reading.kept()
    metric = partial(accuracy_with_ties, ties=rule)
    return number(cluster_bootstrap(metric, [verdicts, labels], clusters, **reading.options))


def _flips(measured: Measured, reading: Reading) -> Flips:
    stored = [read.stored for read in reading.reads]
    swapped = [read.swapped for read in reading.reads]
    clusters, options = reading.clusters, reading.options
    named = primacy_recency(stored, swapped, clusters, **options)
    effects = order_effects(stored, swapped, clusters, **options)
    repeats, beyond = _repeats(measured, reading)
    return Flips(
        matrix=_flip_counts(stored, swapped),
        consistency=number(effects.consistency_clustered),
        primacy=number(named.primacy),
        recency=number(named.recency),
        repeatability=repeats,
        beyond_noise=beyond,
    )


def _flip_counts(stored: Sequence[str | None], swapped: Sequence[str | None]) -> Confusion:
    """Every pair judged in both orders in one cell; unparsed replies have a row and a column."""
    table = flip_matrix(stored, swapped).table
    labels = [str(label) for label in table.labels]
    if None not in (*stored, *swapped):
        return Confusion(labels=tuple(labels), counts=table.counts, unparsed=(0,) * len(labels))
    axis: list[str | None] = [*labels, None]
    met = Counter(zip(stored, swapped, strict=True))
    counts = tuple(tuple(met[row, column] for column in axis) for row in axis)
    return Confusion(labels=(*labels, "unparsed"), counts=counts, unparsed=(0,) * len(axis))


def _repeats(measured: Measured, reading: Reading) -> tuple[Number | None, Number | None]:
    """Agreement of repeated samples in one order, and flips beyond that noise."""
    found, name = measured.found, reading.judge.name
    keys = found.passes_of(name)
    by_order = [
        [key for key in keys if key.swapped is swapped] for swapped in (False, True)
    ]  # fmt: skip
    if max(map(len, by_order)) < 2:
        return None, None
    samples = [[_said(measured, order, row) for row in reading.rows] for order in by_order]
    most = max((0, 1), key=lambda i: len(by_order[i]))
    repeats = repeatability(samples[most], reading.clusters, **reading.options)
    apart = position_apart(samples[0], samples[1], reading.clusters, **reading.options)
    return number(repeats.agreement), number(apart.excess)


def _said(measured: Measured, keys: Sequence[VoteKey], row: Scored) -> list[str | None]:
    found, position = measured.found, int(row.item_id)
    return [
        found.verdict(found.votes[key], position)
        for key in keys
        if found.votes[key].has(position)
    ]  # fmt: skip


def _length(reading: Reading, *, labelled: bool) -> dict[str, object]:
    words = [row.words for row in reading.rows if row.words is not None]
    if not words or len(words) < len(reading.rows):
        return {}
    wins, of = [], []
    for verdict, (first, second) in zip(reading.verdicts, words, strict=True):
        counted = verdict in ("A", "B") and first != second
        longer = LETTERS[int(second > first)]
        of.append(counted)
        wins.append(counted and verdict == longer)
    kept = [i for i, counted in enumerate(of) if counted]
    rate = cluster_bootstrap_rate(
        [wins[i] for i in kept], [reading.clusters[i] for i in kept], **reading.options
    )
    if not labelled:
        return {"longer_wins": number(rate)}
    controlled = length_controlled_agreement(
        reading.verdicts, reading.labels, words, reading.clusters, **reading.options
    )
    return {
        "longer_wins": number(rate),
        "length_controlled": number(controlled.balanced, reading.hidden),
    }


def _styles(reading: Reading, *, labelled: bool) -> dict[str, Number]:
    """Win rates of style against style, where rows carry `style_a` and `style_b`."""
    fields = [row.fields for row in reading.rows]
    if not fields or not all("style_a" in one and "style_b" in one for one in fields):
        return {}
    matrix = style_matrix(
        reading.verdicts, [(one["style_a"], one["style_b"]) for one in fields], reading.clusters,
        labels=reading.labels if labelled else None, **reading.options,
    )  # fmt: skip
    return {
        f"{cell.style} over {cell.against}": number(cell.judge)
        for cell in matrix.cells
        if cell.style < cell.against
    }


def _confidence(reading: Reading) -> dict[str, object]:
    """Calibration of the verdict that counts, where its probability is known."""
    kept = [
        i
        for i, read in enumerate(reading.reads)
        if read.averaged is not None and read.probability is not None
    ]
    if len(kept) < FEWEST_CONFIDENT:
        return {}
    chances = [round(min(max(reading.reads[i].probability or 0.0, 0.0), 1.0), 3) for i in kept]
    if set(chances) <= HARD:  # a hard verdict written as a preference says nothing of confidence
        return {}
    right = [reading.verdicts[i] == reading.labels[i] for i in kept]
    clusters = [reading.clusters[i] for i in kept]
    options = reading.options
    error = expected_calibration_error(chances, right, clusters=clusters, **options)
    fewer: ResamplingOptions = {**options, "resamples": min(options["resamples"], 500)}
    curve = risk_coverage(chances, right, clusters=clusters, **fewer)
    step = max(1, len(curve.points) // CURVE_POINTS)
    points = curve.points[::step] + curve.points[-1:]
    return {
        "calibration": Calibration(
            brier=number(brier_binary(chances, right, clusters=clusters, **options)),
            ece=number(error.error),
            binning=f"{error.asked_bins} bins of equal {error.binning}",
            bins=tuple(
                CalibrationBin(
                    low=one.low, high=one.high, n=one.n, confidence=one.mean_confidence,
                    right=number(one.share_right),
                )
                for one in error.bins
                if one.mean_confidence is not None
            ),
        ),
        "risk_coverage": RiskCoverage(
            area=number(curve.area),
            points=tuple(dict.fromkeys((point.coverage, point.risk) for point in points)),
        ),
    }  # fmt: skip


def _score_and_pair(measured: Measured, judge: Judge) -> ScoreAndPair | None:
    """Scores of the same model against its verdicts; the verdict is the order-averaged one."""
    partner = dict(measured.subject.scores_of).get(judge.name)
    found = measured.found
    keys = [] if partner is None else found.passes_of(partner)
    if partner is None or not keys:
        return None
    votes = found.votes[keys[0]]
    positions = [int(i) for i in judge.verdicts if votes.has(int(i))]
    ratio = conflict_ratio(
        [found.score(votes, i, 0, 2) for i in positions],
        [found.score(votes, i, 1, 2) for i in positions],
        [judge.verdicts[i].averaged for i in positions],
        [found.clusters[i] for i in positions],
        seed=measured.plan.seed, resamples=measured.plan.slice_resamples,
        confidence=measured.plan.confidence,
    )  # fmt: skip
    return ScoreAndPair(
        conflicts=number(ratio.rate),
        reversals=number(ratio.strict_reversals),
        score_ties=number(ratio.score_ties),
        verdict_ties=number(ratio.verdict_ties),
    )
