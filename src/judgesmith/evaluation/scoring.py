"""Verdicts and labels -> results: agreement, order, length, coverage, paired comparisons."""

from collections import Counter
from collections.abc import Callable, Sequence

from judgesmith.evaluation.judgelm_terms import judgelm_terms
from judgesmith.evaluation.judges import Judge, Read
from judgesmith.evaluation.sliced import Plan, Scored, SliceOfItems, number
from judgesmith.metrics import (
    ResamplingOptions,
    Slice,
    agreement_bounds,
    cluster_bootstrap_accuracy,
    cluster_bootstrap_kappa,
    confusion,
    coverage,
    not_shown_because,
    order_effects,
    slice_kappa_difference,
    verbosity_preference,
)
from judgesmith.report.results import (
    Confusion,
    JudgeResult,
    Number,
    SliceInfo,
    SliceResult,
)

__all__ = [
    "NOTHING", "Plan", "Scored", "SliceOfItems", "domain_difference", "make_slices", "not_shown",
    "number", "score_judge", "score_slice", "slice_info",
]  # fmt: skip


def make_slices(in_domain: Sequence[Scored], outside: Sequence[Scored]) -> list[SliceOfItems]:
    """Domains first, then buckets and task fields in domain, then all categories."""
    found = [SliceOfItems("in_domain", "domain", "in domain", tuple(in_domain))]
    if outside:
        found.append(SliceOfItems("out_of_domain", "domain", "out of domain", tuple(outside)))
        everything = (*in_domain, *outside)
        found.append(SliceOfItems("all", "domain", "both together", everything))
    kinds = list(in_domain[0].fields) if in_domain else []
    for kind in kinds:
        pool = (*in_domain, *outside) if kind == "category" else tuple(in_domain)
        for value in sorted({row.fields[kind] for row in pool}):
            rows = tuple(row for row in pool if row.fields[kind] == value)
            found.append(SliceOfItems(f"{kind}:{value}", kind, value, rows))
    return found


def slice_info(part: SliceOfItems) -> SliceInfo:
    """Size and label counts of a slice."""
    return SliceInfo(
        name=part.name,
        kind=part.kind,
        title=part.title,
        n=len(part.items),
        questions=len({row.cluster for row in part.items}),
        label_counts=dict(
            sorted(Counter(row.label for row in part.items).items(), key=_by_value(part.items))
        ),
    )


def _by_value(rows: Sequence[Scored]) -> Callable[[tuple[str, int]], tuple[float, str]]:
    """Scores in the order of numbers, other labels in that of letters."""
    scores = {row.label: row.score for row in rows}
    return lambda counted: (scores[counted[0]] or 0.0, counted[0])


def score_judge(judge: Judge, parts: Sequence[SliceOfItems], plan: Plan) -> JudgeResult:
    """One judge on all slices."""
    return JudgeResult(
        name=judge.name,
        role=judge.role,
        order_proof=judge.order_proof,
        note=judge.note,
        slices={part.name: score_slice(judge, part, plan) for part in parts},
    )


NOTHING = Read(None, None, None)


def score_slice(judge: Judge, part: SliceOfItems, plan: Plan) -> SliceResult:
    """One judge on one slice."""
    rows = part.items
    reads = [judge.verdicts.get(row.item_id, NOTHING) for row in rows]
    labels = [row.label for row in rows]
    hidden = not_shown(rows, rows, plan)
    main = part.kind == "domain"
    options: ResamplingOptions = {
        "seed": plan.seed,
        "resamples": plan.resamples if main else plan.slice_resamples,
        "confidence": plan.confidence,
    }

    corrected: ResamplingOptions = {**options, "method": "bca"}

    def kappa_of(pick: Callable[[Read], str | None]) -> Number:
        kept = [(v, row) for read, row in zip(reads, rows, strict=True) if (v := pick(read))]
        hidden = not_shown(rows, [row for _, row in kept], plan)
        found = cluster_bootstrap_kappa(
            [v for v, _ in kept], [r.label for _, r in kept], [r.cluster for _, r in kept],
            **corrected,
        )  # fmt: skip
        return number(found, hidden)

    def accuracy_of(pick: Callable[[Read], str | None]) -> Number:
        kept = [(v, row) for read, row in zip(reads, rows, strict=True) if (v := pick(read))]
        found = cluster_bootstrap_accuracy(
            [v for v, _ in kept], [r.label for _, r in kept], [r.cluster for _, r in kept],
            **corrected,
        )  # fmt: skip
        return number(found)

    averaged = [read.averaged for read in reads]
    bounds = agreement_bounds(averaged, labels, plan.scale).kappa
    single = judge.order_proof or not judge.both_orders
    ordered = None if single else _order(reads, rows, options, plan.least)
    return SliceResult(
        kappa=kappa_of(lambda read: read.averaged),
        accuracy=accuracy_of(lambda read: read.averaged),
        kappa_stored_order=None if single else kappa_of(lambda read: read.stored),
        kappa_swapped_order=None if single else kappa_of(lambda read: read.swapped),
        accuracy_stored_order=None if single else accuracy_of(lambda read: read.stored),
        accuracy_swapped_order=None if single else accuracy_of(lambda read: read.swapped),
        coverage=number(coverage(averaged, plan.confidence)),
        if_unparsed={
            "best case": number(bounds.best, hidden),
            "worst case": number(bounds.worst, hidden),
            "counted as wrong": number(bounds.wrong, hidden),
        },
        consistency=ordered and ordered[0],
        position_bias=ordered and ordered[1],
        verbosity=_verbosity(averaged, rows, options) if main else None,
        confusion=_confusion(averaged, labels, plan.scale) if main else None,
        judgelm=(
            judgelm_terms(reads, rows, options, hidden)
            if main and plan.two_scores and not single
            else None
        ),
    )


def not_shown(rows: Sequence[Scored], parsed: Sequence[Scored], plan: Plan) -> str | None:
    """Why agreement on these rows must not be shown, or None; the parsed ones must do too."""
    reason = not_shown_because([row.label for row in rows], least=plan.least)
    if reason is None and len(parsed) < len(rows):
        reason = not_shown_because([row.label for row in parsed], least=plan.least)
        return reason and f"among items with a parsed verdict: {reason}"
    return reason


def _order(
    reads: Sequence[Read], rows: Sequence[Scored], options: ResamplingOptions, least: int
) -> tuple[Number, Number]:
    """Consistency with BCa ends, which a gate tests; position bias with percentile ones."""
    columns = (
        [read.stored for read in reads],
        [read.swapped for read in reads],
        [row.cluster for row in rows],
    )
    corrected: ResamplingOptions = {**options, "method": "bca"}
    effects = order_effects(*columns, **corrected)
    hidden = None if effects.pairs >= least else f"only {effects.pairs} pairs, fewer than {least}"
    return number(effects.consistency_clustered, hidden), number(effects.position_bias, hidden)


def _verbosity(
    verdicts: Sequence[str | None], rows: Sequence[Scored], options: ResamplingOptions
) -> Number | None:
    words = [row.words for row in rows if row.words is not None]
    if not rows or len(words) < len(rows):
        return None
    found = verbosity_preference(
        verdicts,
        [row.label for row in rows],
        words,
        [row.cluster for row in rows],
        **options,
    )
    return number(found.difference)


def _confusion(
    verdicts: Sequence[str | None], labels: Sequence[str], scale: Sequence[str]
) -> Confusion:
    kept = [i for i, verdict in enumerate(verdicts) if verdict is not None]
    table = confusion([verdicts[i] or "" for i in kept], [labels[i] for i in kept], scale)
    lost = Counter(labels[i] for i in range(len(labels)) if verdicts[i] is None)
    return Confusion(
        labels=tuple(scale), counts=table.counts, unparsed=tuple(lost[value] for value in scale)
    )


def domain_difference(judge: Judge, parts: Sequence[SliceOfItems], plan: Plan) -> Number | None:
    """Kappa out of domain minus in domain, each resampled by its own questions."""
    by_name = {part.name: part for part in parts}
    if "out_of_domain" not in by_name:
        return None
    slices = []
    hidden = None
    for name in ("out_of_domain", "in_domain"):
        rows = by_name[name].items
        kept = [
            (verdict, row)
            for row in rows
            if (verdict := judge.verdicts.get(row.item_id, NOTHING).averaged)
        ]
        hidden = hidden or not_shown(rows, [row for _, row in kept], plan)
        slices.append(
            Slice([v for v, _ in kept], [r.label for _, r in kept], [r.cluster for _, r in kept])
        )
    difference = slice_kappa_difference(
        slices[0], slices[1], seed=plan.seed, resamples=plan.resamples, confidence=plan.confidence,
        method="bca",
    )  # fmt: skip
    return number(difference, hidden)
