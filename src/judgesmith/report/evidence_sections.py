"""Sections of a meta-evaluation beyond agreement: order, length, confidence, panel, teacher."""

from collections.abc import Callable

from judgesmith.report import evidence_tables as tables
from judgesmith.report import panel_tables
from judgesmith.report.blocks import Block, Plot, Plots, Section, Text
from judgesmith.report.confidence_plots import Curve, reliability_plot, risk_plot
from judgesmith.report.evidence import Evidence, JudgeEvidence
from judgesmith.report.heat_plots import flips_plot
from judgesmith.report.interval_plots import Group, Row, forest_plot
from judgesmith.report.marks import Mark
from judgesmith.report.result_sections import marks_of, position_plots
from judgesmith.report.result_tables import (
    ORDER_PROOF,
    by_role,
    order_table,
    slices_of,
)
from judgesmith.report.results import Evaluation, Number
from judgesmith.report.together_tables import (
    alternative_table,
    conflict_table,
    fidelity_tables,
    transitivity_table,
)

FLIPS = "counts in the table below"


def order_section(evaluation: Evaluation, evidence: Evidence, *, stamp: str = "") -> Section:
    """Flip matrices, position bias, primacy and recency, repeatability."""
    labels = evaluation.labels_title
    blocks: list[Block] = []
    flips = [
        Plot(
            one.judge, flips_plot(f"Flips of {one.judge}", one.flips, stamp=stamp), elsewhere=FLIPS
        )
        for one in evidence.judges
        if one.flips is not None
    ]
    if flips:
        said = (
            "Verdicts in the stored order (rows) and in the swapped order (columns), as counts of "
            "items. Slots are those of the item, so the framed diagonal survives the swap."
        )
        blocks += [Text("Flips of each judge", "head"), Text(said, "note")]
        blocks.append(Plots(tuple(flips), small=True))
        blocks.append(tables.flip_count_table(evidence))
        blocks.append(tables.flip_table(evidence, labels))
    found = [
        judge.slices[info.name]
        for info in slices_of(evaluation, "domain")
        for judge in evaluation.judges
        if info.name in judge.slices
    ]
    if any(one.position_bias is not None for one in found):
        blocks.append(position_plots(evaluation, stamp=stamp))
    if any(one.position_bias or one.kappa_swapped_order or one.consistency for one in found):
        proof = [judge.name for judge in by_role(evaluation) if judge.order_proof]
        if proof:
            blocks.append(Text(f"Not applicable: {ORDER_PROOF} ({', '.join(proof)}).", "note"))
        for info in slices_of(evaluation, "domain"):
            accuracy = tables.order_accuracy_table(evaluation, info)
            blocks += [order_table(evaluation, info), *([accuracy] if accuracy.rows else [])]
    if any(one.repeats for one in evidence.judges):
        blocks.append(tables.repeat_table(evidence))
    return Section("order", "Order and repeats", tuple(blocks))


def length_section(evaluation: Evaluation, evidence: Evidence, *, stamp: str = "") -> Section:
    """What length and style do to verdicts."""
    labels = evaluation.labels_title
    blocks: list[Block] = []
    if any(one.longer_wins or one.length_controlled for one in evidence.judges):
        plot = _judges_plot(
            evaluation, evidence, "Share of verdicts for the longer response",
            lambda one: one.longer_wins, stamp,
        )  # fmt: skip
        blocks += [*plot, tables.length_table(evaluation, evidence)]
    if any(one.styles for one in evidence.judges):
        blocks.append(tables.style_table(evidence, labels))
    return Section("length", "Length and style", tuple(blocks))


def _judges_plot(
    evaluation: Evaluation,
    evidence: Evidence,
    title: str,
    read: Callable[[JudgeEvidence], Number | None],
    stamp: str,
) -> list[Block]:
    marks = marks_of(evaluation)
    rows = tuple(
        Row(one.judge, marks.get(one.judge, Mark.JUDGE), number)
        for one in evidence.judges
        if (number := read(one)) is not None
    )
    if not rows:
        return []
    whole = f"{title} · {evaluation.labels_title}"
    svg = forest_plot(whole, [Group("", rows)], stamp=stamp)
    return [Plots((Plot(title, svg, evaluation.labels_title),))]


def confidence_section(evidence: Evidence, labels: str, *, stamp: str = "") -> Section:
    """Risk-coverage of all judges in one picture, a reliability picture for each."""
    measured = [one for one in evidence.judges if one.calibration or one.risk_coverage]
    if not measured:
        return Section("confidence", "Confidence")
    curves = [Curve(one.judge, one.risk_coverage) for one in measured if one.risk_coverage]
    blocks: list[Block] = []
    if curves:
        title = "What is left wrong when only the surest verdicts are kept"
        svg = risk_plot(f"{title} · {labels}", curves, stamp=stamp)
        blocks.append(Plots((Plot(title, svg, labels, elsewhere="areas in the table below"),)))
    blocks.append(tables.confidence_table(evidence, labels))
    plots = [
        Plot(
            one.judge,
            reliability_plot(
                f"Reliability of {one.judge} · {labels}", one.calibration, stamp=stamp
            ),
        )
        for one in measured
        if one.calibration is not None
    ]
    if plots:
        said = f"How sure each judge is and how often it is right · {labels}"
        blocks += [Text(said, "head"), Plots(tuple(plots)), tables.bin_table(evidence, labels)]
    return Section("confidence", "Confidence", tuple(blocks))


def conflict_section(evidence: Evidence) -> Section:
    """Scores against verdicts of the same judge, and verdicts against each other."""
    blocks = []
    if any(one.score_and_pair for one in evidence.judges):
        blocks.append(conflict_table(evidence))
    if any(one.transitivity for one in evidence.judges):
        blocks.append(transitivity_table(evidence))
    both = any(one.score_and_pair for one in evidence.judges)
    title = "Scores and verdicts together" if both else "Can its verdicts be ranked?"
    return Section("conflicts", title, tuple(blocks))


def panel_section(evidence: Evidence, labels: str, *, stamp: str = "") -> Section:
    """All judges as one panel."""
    panel = evidence.panel
    if panel is None:
        return Section("panel", "Panel")
    blocks: tuple[Block, ...] = (
        panel_tables.panel_words(panel),
        panel_tables.member_table(panel, labels),
        *panel_tables.kappa_blocks(panel, stamp=stamp),
        *panel_tables.error_blocks(panel, labels, stamp=stamp),
    )
    return Section("panel", "Panel", blocks)


def alternative_section(evidence: Evidence, labels: str) -> Section:
    """May a judge stand in for a person?"""
    title = "In place of a person"
    if not evidence.alternative:
        return Section("alternative", title)
    return Section("alternative", title, (alternative_table(evidence.alternative, labels),))


def fidelity_section(evidence: Evidence, labels: str, *, stamp: str = "") -> Section:
    """Teacher against student."""
    fidelity = evidence.fidelity
    if fidelity is None:
        return Section("fidelity", "Teacher and student")
    blocks: list[Block] = [*fidelity_tables(fidelity, labels)]
    if fidelity.probes:
        title = "Student minus teacher on each bias probe"
        rows = tuple(Row(one.name, Mark.STUDENT, one.difference) for one in fidelity.probes)
        svg = forest_plot(f"{title} · {labels}", [Group("", rows)], stamp=stamp)
        blocks.insert(1, Plots((Plot(title, svg, labels),)))
    return Section("fidelity", "Teacher and student", tuple(blocks))
