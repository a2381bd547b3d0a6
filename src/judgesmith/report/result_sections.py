"""Sections of the page that show agreement with labels."""

from judgesmith.report.blocks import Block, Plot, Plots, Section, Text
from judgesmith.report.count_plots import confusion_plot
from judgesmith.report.interval_plots import (
    Group,
    Row,
    common_span,
    forest_plot,
    position_bias_plot,
)
from judgesmith.report.marks import Mark
from judgesmith.report.numbers import denominator, estimate, figure, plural
from judgesmith.report.result_tables import (
    ORDER_PROOF,
    by_role,
    cells_table,
    comparison_table,
    confusion_table,
    coverage_table,
    headline_sentence,
    headline_table,
    order_table,
    other_kinds,
    published_table,
    size,
    slices_of,
)
from judgesmith.report.results import Evaluation, GateResult, Number, SliceInfo


def method(evaluation: Evaluation) -> str:
    """Say in a few plain sentences how the numbers came about."""
    looks = plural(evaluation.test_looks or 0, "time")
    direction = evaluation.direction.strip().rstrip(".")
    direction = f" {direction[:1].upper()}{direction[1:]}." if direction else ""
    proof = all(judge.order_proof for judge in evaluation.judges)
    how = (
        "No judge here is shown an order of the responses."
        if proof
        else "Verdicts are averaged over both orders of the responses."
    )
    return (
        f"{how} Intervals: "
        f"{evaluation.confidence:.0%}, {plural(evaluation.resamples, 'resample')} of questions, "
        f"bias-corrected. The test labels were looked at {looks}.{direction}"
    )


def headline_section(
    evaluation: Evaluation, gate: GateResult | None, *, stamp: str = ""
) -> Section:
    """Kappa of every judge on every domain slice, and published figures as context."""
    domains = slices_of(evaluation, "domain")
    blocks: list[Block] = [
        Text(headline_sentence(judge, domains))
        for judge in by_role(evaluation)
        if judge.role == "student" and domains
    ]
    if evaluation.domain_difference is not None:
        difference = evaluation.domain_difference
        blocks.append(
            Text(
                f"Out of domain minus in domain, student: {estimate(difference)}"
                f", {denominator(difference)}."
            )
        )
    blocks.append(Text(method(evaluation), "note"))
    if domains:
        blocks.append(kappa_plots(evaluation, gate, stamp=stamp))
    blocks.append(headline_table(evaluation, "kappa", "Kappa"))
    blocks.append(headline_table(evaluation, "accuracy", "Accuracy"))
    if evaluation.published:
        blocks.append(published_table(evaluation))
    return Section("agreement", "Agreement", tuple(blocks))


def kappa_plots(
    evaluation: Evaluation, gate: GateResult | None = None, *, stamp: str = ""
) -> Plots:
    """Forest plots of kappa, one per domain slice, on one axis; with the gate's floors."""
    domains = slices_of(evaluation, "domain")
    groups = [_group(evaluation, info, gate) for info in domains]
    span = common_span(groups)
    plots = []
    for info, group in zip(domains, groups, strict=True):
        title = f"Kappa, {info.title}"
        svg = forest_plot(f"{title} · {evaluation.labels_title}", [group], span=span, stamp=stamp)
        plots.append(Plot(title, svg, evaluation.labels_title))
    return Plots(tuple(plots))


def _group(evaluation: Evaluation, info: SliceInfo, gate: GateResult | None) -> Group:
    rows = [
        Row(judge.name, Mark(judge.role), judge.slices[info.name].kappa)
        for judge in by_role(evaluation)
        if info.name in judge.slices
    ]
    rows += [
        Row(one.judge, Mark.PUBLISHED, Number(value=one.value, n=0))
        for one in evaluation.published
        if one.slice == info.name and one.metric == "kappa"
    ]
    floors = [
        (check.kappa_floor, f"gate: at least {figure(check.kappa_floor)}")
        for check in (gate.checks if gate else ())
        if check.slice == info.name and check.kappa_floor is not None
    ]
    return Group(f"{info.title}: {size(info)}", tuple(rows), tuple(dict.fromkeys(floors)))


def comparison_section(evaluation: Evaluation) -> Section:
    """Paired comparisons, or a plain statement that there are none."""
    if not evaluation.comparisons:
        none = Text("No two judges were compared: no page of this run can say better.", "note")
        return Section("comparisons", "Comparisons", (none,))
    return Section("comparisons", "Comparisons", (comparison_table(evaluation),))


def cells_section(evaluation: Evaluation) -> Section:
    """The student by bucket, category and other fields."""
    tables = [cells_table(evaluation, kind) for kind in other_kinds(evaluation)]
    return Section("parts", "Where it holds", tuple(tables))


def order_section(evaluation: Evaluation, *, stamp: str = "") -> Section:
    """Order effects and verbosity, then coverage."""
    domains = slices_of(evaluation, "domain")
    if not domains:
        return Section("order", "Order, length and coverage")
    proof = [judge.name for judge in by_role(evaluation) if judge.order_proof]
    blocks: list[Block] = []
    if len(proof) < len(evaluation.judges):
        blocks.append(position_plots(evaluation, stamp=stamp))
    if proof:
        names = ", ".join(proof)
        blocks.append(Text(f"Not applicable: {ORDER_PROOF} ({names}).", "note"))
    blocks += [order_table(evaluation, info) for info in domains]
    blocks.append(coverage_table(evaluation))
    return Section("order", "Order, length and coverage", tuple(blocks))


def position_plots(evaluation: Evaluation, *, stamp: str = "") -> Plots:
    """Position bias of every judge, one picture per domain slice."""
    domains = slices_of(evaluation, "domain")
    return Plots(tuple(_bias(evaluation, info, stamp) for info in domains))


def _bias(evaluation: Evaluation, info: SliceInfo, stamp: str) -> Plot:
    rows = [
        Row(judge.name, Mark(judge.role), found.position_bias)
        for judge in by_role(evaluation)
        if (found := judge.slices.get(info.name)) and found.position_bias is not None
    ]
    title = f"Position bias, {info.title}"
    whole = f"{title} · {evaluation.labels_title}"
    return Plot(title, position_bias_plot(whole, rows, stamp=stamp), evaluation.labels_title)


def confusion_section(evaluation: Evaluation, *, stamp: str = "") -> Section:
    """Confusion matrices of the student, one per domain slice."""
    plots = []
    tables: list[Block] = []
    for judge in by_role(evaluation):
        for info in slices_of(evaluation, "domain"):
            found = judge.slices.get(info.name)
            if judge.role != "student" or found is None or found.confusion is None:
                continue
            title = f"Verdicts of {judge.name} by label, {info.title}"
            labels = evaluation.labels_title
            svg = confusion_plot(f"{title} · {labels}", found.confusion, stamp=stamp)
            plots.append(Plot(title, svg, labels))
            tables.append(confusion_table(found.confusion, title=title, labels=labels))
    blocks = [Plots(tuple(plots)), *tables] if plots else []
    return Section("confusion", "Confusion matrices", tuple(blocks))


def marks_of(evaluation: Evaluation) -> dict[str, Mark]:
    """Give the mark of every judge by name."""
    return {judge.name: Mark(judge.role) for judge in evaluation.judges}
