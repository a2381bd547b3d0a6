"""All judges as a panel: who agrees with whom, who errs with whom, what the panel is worth."""

from collections.abc import Mapping, Sequence

from judgesmith.evaluation.judges import Judge
from judgesmith.evaluation.measure import Measured
from judgesmith.evaluation.scoring import Scored, number
from judgesmith.metrics import cluster_bootstrap_kappa, not_shown_because
from judgesmith.metrics.alternative_annotator import alternative_annotator_test
from judgesmith.metrics.coding import Label, Verdict
from judgesmith.metrics.dawid_skene import DawidSkene, dawid_skene
from judgesmith.metrics.panel import KappaMatrix, kappa_matrix
from judgesmith.metrics.panel_errors import effective_votes, error_correlation
from judgesmith.metrics.panel_members import MemberValue, leave_one_out
from judgesmith.metrics.probability import IntervalOptions
from judgesmith.records import TIE
from judgesmith.report.evidence import AlternativeAnnotator, Panel, PanelMember
from judgesmith.report.results import Number

EPSILON = 0.15
"""Allowance of the alternative annotator test: its authors' value for crowd annotators with some
training. What a judge saves in effort, it may lose in agreement."""

MOST_MEMBERS = 30
LEAST_SHARED = 20
MOST_CELLS = 60_000
"""Verdicts up to which the panel gets intervals from the full number of resamples."""


def panel(measured: Measured) -> Panel | None:
    """The panel on the items that every judge judged; None with fewer than two judges."""
    judges = [judge for judge in measured.judges if _says_anything(judge)][:MOST_MEMBERS]
    rows = shared_rows(measured, judges)
    judges = [judge for judge in judges if _says_anything(judge, rows)]
    if len(judges) < 2 or len(rows) < LEAST_SHARED or not measured.labels.verdicts:
        return None
    columns: dict[str, list[Verdict]] = {
        judge.name: [judge.verdicts[row.item_id].averaged for row in rows] for judge in judges
    }
    labels: list[Label] = [row.label for row in rows]
    clusters = [row.cluster for row in rows]
    options = _options(measured, clusters, len(rows) * len(judges))
    tie = TIE if measured.subject.tie else None
    whole = leave_one_out(
        columns, labels, clusters, tie=tie, seed=measured.plan.seed,
        resamples=options["resamples"], confidence=measured.plan.confidence,
    )  # fmt: skip
    fitted = dawid_skene([list(row) for row in zip(*columns.values(), strict=True)], list(columns))
    errors = error_correlation(columns, labels)
    phi = {(pair.first, pair.second): pair.phi.value for pair in errors.pairs}
    names = list(columns)
    return Panel(
        members=tuple(
            _member(value, _expected_accuracy(fitted, value.member)) for value in whole.members
        ),
        kappas=_kappas(measured, columns, rows, options),
        errors=tuple(
            tuple(1.0 if a == b else phi.get((a, b), phi.get((b, a))) for b in names) for a in names
        ),
        effective_votes=number(effective_votes(columns, labels, **options).votes),
        majority=number(whole.kappa, not_shown_because(labels, least=measured.plan.least)),
        dawid_skene=_weighed(measured, fitted, labels, clusters),
    )


def _says_anything(judge: Judge, rows: Sequence[Scored] | None = None) -> bool:
    """Whether any verdict was parsed; a judge without one has no vote and no kappa."""
    reads = judge.verdicts
    items = reads if rows is None else [row.item_id for row in rows]
    return any(reads[item].averaged is not None for item in items)


def shared_rows(measured: Measured, judges: Sequence[Judge]) -> list[Scored]:
    """Labelled items that all of the judges judged."""
    return [row for row in measured.rows if all(row.item_id in j.verdicts for j in judges)]


def _options(measured: Measured, clusters: Sequence[str | int], cells: int) -> IntervalOptions:
    plan = measured.plan
    resamples = plan.slice_resamples if cells <= MOST_CELLS else max(200, plan.slice_resamples // 5)
    return {
        "clusters": clusters, "seed": plan.seed, "resamples": resamples,
        "confidence": plan.confidence,
    }  # fmt: skip


def _member(value: MemberValue, accuracy: float | None) -> PanelMember:
    return PanelMember(
        judge=value.member, without=number(value.kappa_change), worker_accuracy=accuracy
    )


def _expected_accuracy(fitted: DawidSkene, judge: str) -> float | None:
    """How often the model expects the judge to be right: its diagonal, weighed by the priors."""
    shares = fitted.confusions.get(judge)
    if shares is None:
        return None
    return sum(prior * shares[k][k] for k, prior in enumerate(fitted.priors))


def _kappas(
    measured: Measured, columns: Mapping[str, Sequence[Verdict]], rows: Sequence[Scored],
    options: IntervalOptions,
) -> dict[str, tuple[tuple[Number, ...], ...]]:  # fmt: skip
    least = measured.plan.least
    fast: IntervalOptions = {**options, "resamples": min(options["resamples"], 500)}
    everything = kappa_matrix(columns, least=least, **fast)
    found = {"all items": _square(everything[0], list(columns))}
    buckets = [row.fields.get("bucket") for row in rows]
    if len(set(buckets)) > 1 and None not in buckets:
        for one in kappa_matrix(columns, buckets, least=least):
            if one.bucket is not None:
                found[str(one.bucket)] = _square(one, list(columns))
    return found


def _square(matrix: KappaMatrix, names: Sequence[str]) -> tuple[tuple[Number, ...], ...]:
    cells = {}
    for pair in matrix.pairs:
        cells[pair.first, pair.second] = cells[pair.second, pair.first] = number(
            pair.kappa, pair.not_shown
        )
    itself = Number(value=1.0, n=0)
    return tuple(tuple(cells.get((a, b), itself) for b in names) for a in names)


def _weighed(
    measured: Measured, fitted: DawidSkene, labels: Sequence[Label],
    clusters: Sequence[str | int],
) -> Number:  # fmt: skip
    """Kappa of the verdicts that Dawid and Skene's model finds most probable."""
    kept = [i for i, chances in enumerate(fitted.posteriors) if chances is not None]
    verdicts: list[Label] = []
    for i in kept:
        chances = fitted.posteriors[i] or ()
        verdicts.append(fitted.labels[max(range(len(chances)), key=chances.__getitem__)])
    found = cluster_bootstrap_kappa(
        verdicts, [labels[i] for i in kept], [clusters[i] for i in kept],
        seed=measured.plan.seed, resamples=measured.plan.slice_resamples,
        confidence=measured.plan.confidence,
    )  # fmt: skip
    return number(found, not_shown_because(labels, least=measured.plan.least))


def alternative(measured: Measured) -> tuple[AlternativeAnnotator, ...]:
    """The alternative annotator test of every judge, where three people or more labelled."""
    found = measured.found
    people = [key for key in found.keys("person") if key.sample == 0 and not key.swapped]
    if len(people) < 3 or measured.labels.numeric or len(people) > MOST_MEMBERS:
        return ()
    positions = sorted(
        {position for key in people for position in found.votes[key].positions()}
    )  # fmt: skip
    annotators = {
        key.by: [
            found.verdict(found.votes[key], i) if found.votes[key].has(i) else None
            for i in positions
        ]
        for key in people
    }
    tested = []
    for judge in measured.judges:
        reads = [judge.verdicts.get(i) for i in positions]
        said = [None if read is None else read.averaged for read in reads]
        result = alternative_annotator_test(
            said, annotators, epsilon=EPSILON,
            clusters=[found.clusters[i] for i in positions], seed=measured.plan.seed,
            resamples=min(1_000, measured.plan.slice_resamples),
            confidence=measured.plan.confidence,
        )  # fmt: skip
        tested.append(
            AlternativeAnnotator(
                judge=judge.name, winning_rate=number(result.winning_rate),
                advantage=number(result.advantage), passed=result.passes, epsilon=EPSILON,
            )
        )  # fmt: skip
    return tuple(tested)
