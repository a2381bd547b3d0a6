"""Sections of a meta-evaluation that hold judges against labels, and people against people."""

from collections.abc import Callable

from judgesmith.report import evidence_tables as tables
from judgesmith.report.blocks import Block, Plot, Plots, Section, Text
from judgesmith.report.cell_plots import cell_blocks
from judgesmith.report.evidence import Evidence, ScoreAgreement
from judgesmith.report.interval_plots import Group, Row, common_span, forest_plot
from judgesmith.report.marks import Mark
from judgesmith.report.numbers import not_shown, plural
from judgesmith.report.result_sections import kappa_plots, marks_of
from judgesmith.report.result_tables import (
    coverage_table,
    headline_table,
    other_kinds,
    published_table,
    slices_of,
)
from judgesmith.report.results import Evaluation, Number
from judgesmith.report.together_tables import alpha_table, people_table

MOST_ROWS = 40
"""Rows of one forest plot; the table has the others."""


def method(evaluation: Evaluation) -> str:
    """Say in plain sentences how the numbers came about."""
    looks = ""
    if evaluation.test_looks:
        looks = f" The test labels were looked at {plural(evaluation.test_looks, 'time')}."
    return (
        "Where a judge read both orders of a pair, its verdict is the average of the two. "
        f"Intervals: {evaluation.confidence:.0%}, {plural(evaluation.resamples, 'resample')}, "
        f"clustered by question.{looks}"
    )


def agreement_section(evaluation: Evaluation, evidence: Evidence, *, stamp: str = "") -> Section:
    """Kappa and accuracy of every judge; for scores, correlations; then coverage."""
    labels = evaluation.labels_title
    if evaluation.labels_kind == "nobody":
        none = Text("There are no labels, so agreement cannot be measured.", "note")
        return Section("agreement", "Agreement", (none,))
    blocks: list[Block] = [Text(method(evaluation), "note")]
    blocks += _kappa_blocks(evaluation, stamp)
    if any(one.ac1 or one.alpha or one.accuracy_by_ties for one in evidence.judges):
        blocks.append(tables.agreement_table(evidence, labels))
    if any(one.scores for one in evidence.judges):
        blocks += _score_plots(evaluation, evidence, stamp)
        blocks.append(tables.score_table(evidence, labels))
    coverage = coverage_table(evaluation)
    if coverage.rows:
        blocks.append(coverage)
    elif coverage.note:
        blocks.append(Text(coverage.note, "note"))
    if evaluation.published:
        blocks.append(published_table(evaluation))
    return Section("agreement", "Agreement", tuple(blocks))


def _kappa_blocks(evaluation: Evaluation, stamp: str) -> list[Block]:
    domains = slices_of(evaluation, "domain")
    found = [
        judge.slices[info.name].kappa
        for info in domains
        for judge in evaluation.judges
        if info.name in judge.slices
    ]
    if not evaluation.judges:
        return []
    reasons = [not_shown(number) for number in found]
    if found and len(set(reasons)) == 1 and reasons[0] is not None:
        return [Text(f"Kappa of every judge is not shown ({reasons[0]}).", "note")]
    return [
        kappa_plots(evaluation, stamp=stamp),
        headline_table(evaluation, "kappa", "Kappa"),
        headline_table(evaluation, "accuracy", "Accuracy"),
    ]


def _score_plots(evaluation: Evaluation, evidence: Evidence, stamp: str) -> list[Block]:
    """A picture per criterion with the judges as rows, or the other way where judges are few."""
    scored = [one for one in evidence.judges if one.scores]
    criteria = list(dict.fromkeys(row.criterion for one in scored for row in one.scores))
    readers: tuple[tuple[str, Callable[[ScoreAgreement], Number]], ...] = (
        ("Spearman", lambda row: row.spearman),
        ("Pearson", lambda row: row.pearson),
    )
    marks, labels = marks_of(evaluation), evaluation.labels_title
    by_judge = len(scored) < len(criteria)
    groups: list[tuple[str, Group]] = []
    for part in [one.judge for one in scored] if by_judge else criteria:
        for name, read in readers:
            rows = tuple(
                Row(
                    row.criterion if by_judge else one.judge,
                    marks.get(one.judge, Mark.JUDGE),
                    read(row),
                )
                for one in scored
                for row in one.scores
                if part == (one.judge if by_judge else row.criterion)
            )
            groups.append((f"{name} correlation, {part}", Group("", rows[:MOST_ROWS])))
    span = common_span([group for _, group in groups])
    plots = [
        Plot(title, forest_plot(f"{title} · {labels}", [group], span=span, stamp=stamp), labels)
        for title, group in groups
    ]
    return [Plots(tuple(plots))]


def people_section(evidence: Evidence, *, stamp: str = "") -> Section:
    """Agreement of people with each other: the ceiling."""
    alpha: list[Block] = [alpha_table(evidence)] if evidence.people_alpha else []
    if not evidence.people:
        return Section("people", "People", tuple(alpha))
    metric = "Spearman correlation" if any(one.scores for one in evidence.judges) else "kappa"
    said = Text(
        f"How well people agree with each other on the same items, by {metric}. A judge whose "
        "agreement with the labels comes near these figures is about as close to them as people "
        "are to each other; more than this the labels can hardly confirm."
    )
    rows = tuple(
        Row(f"{first} with {second}", Mark.PERSON, number)
        for first, second, number in evidence.people[:MOST_ROWS]
    )
    labels = "labels by these people"
    title = f"{metric[:1].upper()}{metric[1:]} between people"
    if len(evidence.people) > MOST_ROWS:
        title += f", {MOST_ROWS} of {len(evidence.people):,} pairs"
    svg = forest_plot(f"{title} · {labels}", [Group("", rows)], stamp=stamp)
    blocks = (
        said,
        Plots((Plot(title, svg, labels),)),
        people_table(evidence, metric[:1].upper() + metric[1:]),
        *alpha,
    )
    return Section("people", "People", blocks)


def cells_section(evaluation: Evaluation, *, stamp: str = "") -> Section:
    """Kappa of every judge by each field of the items."""
    blocks = [
        block for kind in other_kinds(evaluation) for block in cell_blocks(evaluation, kind, stamp)
    ]
    return Section("parts", "Where it holds", tuple(blocks))
