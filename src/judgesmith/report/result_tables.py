"""Tables of results against labels: judges by slice, comparisons, cells, order, coverage."""

from collections.abc import Sequence
from typing import get_args

from judgesmith.report.blocks import Cell, Column, Table, columns, number_cell
from judgesmith.report.numbers import (
    NOT_APPLICABLE,
    NOT_MEASURED,
    denominator,
    estimate,
    figure,
    p_value,
    plural,
    whole,
)
from judgesmith.report.results import (
    Check,
    Comparison,
    Confusion,
    Evaluation,
    GateResult,
    JudgeResult,
    Number,
    Role,
    SliceInfo,
    SliceResult,
)

ROLES = get_args(Role)
ORDER_PROOF = "order-proof by construction"


def by_role(evaluation: Evaluation) -> list[JudgeResult]:
    """Give the judges in the order of `ROLES`, then as listed."""
    return sorted(evaluation.judges, key=lambda judge: ROLES.index(judge.role))


def slices_of(evaluation: Evaluation, kind: str) -> list[SliceInfo]:
    """Give the slices of one kind, as listed."""
    return [info for info in evaluation.slices if info.kind == kind]


def other_kinds(evaluation: Evaluation) -> list[str]:
    """Give the kinds besides domain: bucket, category, then the others as they come."""
    kinds = list(dict.fromkeys(info.kind for info in evaluation.slices))
    first = [kind for kind in ("bucket", "category") if kind in kinds]
    return first + [kind for kind in kinds if kind not in ("domain", *first)]


def size(info: SliceInfo) -> str:
    """Say how large a slice is."""
    return f"{plural(info.n, 'item')}, {plural(info.questions, 'question')}"


def gate_table(gate: GateResult) -> Table:
    """One row per check of the gate."""
    rows = tuple(
        (
            Cell(check.name, tone="strong"),
            Cell(check.requirement),
            number_cell(check.found, absent="not measured"),
            Cell(check.outcome, tone=check.outcome if check.outcome != NOT_APPLICABLE else "soft"),
            Cell(check.reason),
            _needed(check),
        )
        for check in gate.checks
    )
    titles = ("check", "requirement", "found", "outcome", "reason", "labels still needed")
    return Table(
        f"Checks of the gate for {gate.judge}",
        columns(*titles, numeric=["found", "labels still needed"]),
        rows,
        labels=gate.labels_title,
    )


def still_needed(check: Check) -> int | None:
    """Labels that an undecided check still lacks: those needed in all, less those at hand."""
    if check.labels_needed is None or check.outcome != "inconclusive":
        return None
    return max(check.labels_needed - (check.found.n if check.found else 0), 0)


def _needed(check: Check) -> Cell:
    if check.outcome != "inconclusive":
        return Cell("none", tone="soft")
    lacking = still_needed(check)
    if lacking is None:
        return Cell("cannot be estimated", tone="soft")
    return Cell(f"about {lacking:,}", aside=f"{check.labels_needed:,} in all")


def headline_table(evaluation: Evaluation, field: str, title: str) -> Table:
    """One row per judge, one column per domain slice; `field` is `kappa` or `accuracy`."""
    domains = slices_of(evaluation, "domain")
    heads = [f"{info.title} ({size(info)})" for info in domains]
    rows = tuple(
        (
            _judge_cell(judge, evaluation),
            Cell(judge.role, aside=judge.note),
            *(number_cell(_field(judge, info, field), absent=NOT_MEASURED) for info in domains),
        )
        for judge in by_role(evaluation)
    )
    titles = columns("judge", "role", *heads, numeric=heads)
    return Table(title, titles, rows, labels=evaluation.labels_title)


def _judge_cell(judge: JudgeResult, evaluation: Evaluation) -> Cell:
    """A judge's name; that it is order-proof is told where not every judge is."""
    tone = "strong" if judge.role == "student" else ""
    apart = judge.order_proof and not all(one.order_proof for one in evaluation.judges)
    return Cell(judge.name, aside=ORDER_PROOF if apart else "", tone=tone)


def _field(judge: JudgeResult, info: SliceInfo, field: str) -> Number | None:
    found = judge.slices.get(info.name)
    number: Number | None = getattr(found, field) if found else None
    return number


def published_table(evaluation: Evaluation) -> Table:
    """Figures from elsewhere, kept apart from what was measured here."""
    titles = {info.name: info.title for info in evaluation.slices}
    placed = any(one.slice for one in evaluation.published)
    rows = tuple(
        (
            Cell(one.judge),
            Cell(one.metric),
            *([Cell(titles.get(one.slice or "", one.slice or ""))] if placed else []),
            Cell(published_figure(one.value)),
            Cell(one.source, aside=one.note),
        )
        for one in evaluation.published
    )
    heads = ["judge", "metric", *(["slice"] if placed else []), "value", "source"]
    return Table(
        "Published elsewhere, cited as context beside results here",
        columns(*heads, numeric=["value"]),
        rows,
        labels="labels of their own",
        note="As their sources give them: not measured here, no interval, compared by no test.",
    )


def published_figure(value: float) -> str:
    """Write a figure as its source does: up to four decimals, a share or a percentage alike.

    >>> published_figure(0.9198), published_figure(94.54), published_figure(0.48)
    ('.9198', '94.54', '.48')
    """
    places = max(2, len(f"{value:.4f}".rstrip("0").partition(".")[2]))
    return figure(value, places=places)


def comparison_table(evaluation: Evaluation) -> Table:
    """One row per paired comparison; the metric has a column where there are several."""
    titles = {info.name: info.title for info in evaluation.slices}
    metrics = list(dict.fromkeys(one.metric for one in evaluation.comparisons))
    several = len(metrics) > 1
    rows = tuple(
        (
            Cell(f"{one.a} minus {one.b}"),
            Cell(titles.get(one.slice, one.slice)),
            *([Cell(one.metric)] if several else []),
            number_cell(one.difference),
            Cell(f"{one.gained:,}"),
            Cell(f"{one.lost:,}"),
            Cell(p_value(one.p)),
            Cell(p_value(one.p_holm)),
            _conclusion(one),
        )
        for one in evaluation.comparisons
    )
    test = "McNemar p" if metrics == ["kappa"] else "exact p"
    difference = "difference" if several or not metrics else f"difference in {metrics[0]}"
    numeric = [difference, "gained", "lost", test, "Holm p"]
    heads = ["judges", "slice", *(["metric"] if several else []), *numeric, "conclusion"]
    gained = "that the first judge has right and the second wrong"
    if metrics != ["kappa"]:
        gained += " (for scores: where the first is closer to the label)"
    return Table(
        "Paired comparisons on the same items",
        columns(*heads, numeric=numeric),
        rows,
        labels=evaluation.labels_title,
        note=(
            f"Gained: items {gained}; lost: the reverse. {test} is exact, from these two counts; "
            "Holm p is adjusted over all comparisons of this page."
        ),
    )


def winner(one: Comparison) -> str | None:
    """Give the name of the judge that a comparison shows better; None where it shows none.

    A conclusion may name the winner, or say "a" or "b"; a name comes first, in case a judge is
    called "a".
    """
    for said, name in ((one.a, one.a), (one.b, one.b), ("a", one.a), ("b", one.b)):
        if one.conclusion == f"{said} is better":
            return name
    return None


def _conclusion(one: Comparison) -> Cell:
    better = winner(one)
    if better is None:
        return Cell(one.conclusion, tone="soft")
    return Cell(f"{better} is better", tone="strong")


def cells_table(evaluation: Evaluation, kind: str) -> Table:
    """The student, and the model before training, on every slice of one kind."""
    shown = [judge for judge in by_role(evaluation) if judge.role in ("student", "before training")]
    heads = [f"kappa, {judge.name}" for judge in shown]
    heads += [f"accuracy, {judge.name}" for judge in shown]
    rows = tuple(
        (
            Cell(info.title),
            Cell(f"{info.n:,}", aside=plural(info.questions, "question")),
            Cell(_counts(info.label_counts)),
            *(number_cell(_field(j, info, "kappa"), absent=NOT_MEASURED) for j in shown),
            *(number_cell(_field(j, info, "accuracy"), absent=NOT_MEASURED) for j in shown),
        )
        for info in slices_of(evaluation, kind)
    )
    return Table(
        f"By {kind.replace('_', ' ')}",
        columns(kind.replace("_", " "), "items", "labels", *heads, numeric=["items", *heads]),
        rows,
        labels=evaluation.labels_title,
    )


def _counts(counts: dict[str, int]) -> str:
    held = [f"{label}\N{NO-BREAK SPACE}{count:,}" for label, count in counts.items()]
    return ", ".join(held) or "none"


def order_table(evaluation: Evaluation, info: SliceInfo) -> Table:
    """Single-order kappas, consistency, position bias and verbosity of every judge."""
    rows = []
    for judge in by_role(evaluation):
        found = judge.slices.get(info.name)
        if found is not None:
            rows.append((_judge_cell(judge, evaluation), *_order_cells(found, judge.order_proof)))
    heads = [
        "kappa, both orders",
        "stored order",
        "swapped order",
        "consistency",
        "position bias",
        "verbosity",
    ]
    return Table(
        f"Order and length, {info.title}",
        columns("judge", *heads, numeric=heads),
        tuple(rows),
        labels=evaluation.labels_title,
        note=(
            f"Not applicable: {ORDER_PROOF}. Position bias: share of pairs where both readings "
            "name the first slot minus share where both name the second. Verbosity: how often "
            "the verdict names the longer response minus how often the labels do."
        ),
    )


def _order_cells(found: SliceResult, order_proof: bool) -> list[Cell]:
    absent = NOT_APPLICABLE if order_proof else NOT_MEASURED
    numbers = (
        found.kappa_stored_order,
        found.kappa_swapped_order,
        found.consistency,
        found.position_bias,
    )
    cells = [number_cell(number, absent=absent) for number in numbers]
    verbosity = number_cell(found.verbosity, absent=NOT_MEASURED)
    return [number_cell(found.kappa), *cells, verbosity]


def coverage_table(evaluation: Evaluation) -> Table:
    """Coverage, and kappa under each way to count what was not parsed."""
    domains = slices_of(evaluation, "domain")
    found = [
        (info, judge, judge.slices[info.name])
        for info in domains
        for judge in by_role(evaluation)
        if info.name in judge.slices
    ]
    ways = list(dict.fromkeys(way for *_, one in found for way in one.if_unparsed))
    partial = [row for row in found if row[2].coverage.value != 1.0]
    heads = ["coverage", "kappa, parsed only", *(f"kappa, unparsed {way}" for way in ways)]
    rows = tuple(
        (
            _judge_cell(judge, evaluation),
            Cell(info.title),
            number_cell(one.coverage),
            number_cell(one.kappa),
            *(number_cell(one.if_unparsed.get(way), absent=NOT_MEASURED) for way in ways),
        )
        for info, judge, one in partial
    )
    return Table(
        "Coverage, and kappa under parse failure",
        columns("judge", "slice", *heads, numeric=heads),
        rows,
        labels=evaluation.labels_title,
        note=_full_coverage(found),
    )


def _full_coverage(found: Sequence[tuple[SliceInfo, JudgeResult, SliceResult]]) -> str:
    full: dict[str, list[str]] = {}
    partial = set()
    for info, judge, one in found:
        if one.coverage.value == 1.0:
            full.setdefault(judge.name, []).append(info.title)
        else:
            partial.add(judge.name)
    if not full:
        return ""
    named = [
        f"{name} on {', '.join(titles)}" if name in partial else name
        for name, titles in full.items()
    ]
    return f"Every verdict was parsed, so there is nothing to bound: {'; '.join(named)}."


def confusion_table(confusion: Confusion, *, title: str, labels: str) -> Table:
    """The counts behind one confusion picture."""
    heads = [f"label {label}" for label in confusion.labels]
    rows = [
        (Cell(f"verdict {verdict}"), *(Cell(whole(count)) for count in counts))
        for verdict, counts in zip(confusion.labels, confusion.counts, strict=True)
    ]
    rows.append((Cell("unparsed"), *(Cell(whole(count)) for count in confusion.unparsed)))
    return Table(
        title,
        (Column("", numeric=False), *columns(*heads, numeric=heads)),
        tuple(rows),
        labels=labels,
        folded=True,
    )


def headline_sentence(judge: JudgeResult, domains: Sequence[SliceInfo]) -> str:
    """Say the kappa of one judge on each domain slice in one sentence."""
    parts = []
    for info in domains:
        kappa = _field(judge, info, "kappa")
        resting = f" ({denominator(kappa)})" if kappa else ""
        parts.append(f"{info.title} {estimate(kappa, absent=NOT_MEASURED)}{resting}")
    return f"Kappa of {judge.name}: {'; '.join(parts)}."
