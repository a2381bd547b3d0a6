"""Sections of one dialect in which judges give scores to single responses."""

from judgesmith.report.blocks import Block, Plot, Plots, Section, Text
from judgesmith.report.count_plots import confusion_plot
from judgesmith.report.interval_plots import Group, Row, common_span, forest_plot
from judgesmith.report.marks import Mark
from judgesmith.report.numbers import NOT_MEASURED, denominator, estimate, plural
from judgesmith.report.result_tables import (
    comparison_table,
    confusion_table,
    other_kinds,
    published_table,
    size,
    slices_of,
)
from judgesmith.report.results import Evaluation, SliceInfo
from judgesmith.report.score_tables import (
    correlation_table,
    expected_table,
    score_agreement_table,
    score_cells_table,
    scored_by_role,
)

PLOTTED = (("weighted kappa", "weighted_kappa"), ("Pearson correlation", "pearson"))


def score_headline_section(evaluation: Evaluation, *, stamp: str = "") -> Section:
    """Agreement and correlation of every judge's scores, slice by slice."""
    domains = slices_of(evaluation, "domain")
    blocks: list[Block] = [Text(_sentence(evaluation, info)) for info in domains]
    looks = plural(evaluation.test_looks or 0, "time")
    direction = evaluation.direction.strip()
    direction = f" {direction[:1].upper()}{direction[1:]}." if direction else ""
    blocks.append(
        Text(
            f"Each response is scored alone, so there is no order to average over. Intervals: "
            f"{evaluation.confidence:.0%}, {plural(evaluation.resamples, 'resample')} of "
            f"questions, bias-corrected. The test labels were looked at {looks}.{direction}",
            "note",
        )
    )
    for info in domains:
        blocks.append(score_plots(evaluation, info, stamp=stamp))
        blocks.append(score_agreement_table(evaluation, info))
        blocks.append(correlation_table(evaluation, info))
        expected = expected_table(evaluation, info)
        blocks += [] if expected is None else [expected]
    if evaluation.published:
        blocks.append(published_table(evaluation))
    return Section("agreement", "Agreement of scores", tuple(blocks))


def _sentence(evaluation: Evaluation, info: SliceInfo) -> str:
    for judge in scored_by_role(evaluation):
        found = judge.slices.get(info.name)
        if judge.role == "student" and found is not None:
            kappa = found.weighted_kappa
            return (
                f"{judge.name}, {info.title}: exact {estimate(found.exact)}, weighted kappa "
                f"{estimate(kappa)}, Pearson {estimate(found.pearson, absent=NOT_MEASURED)} "
                f"({denominator(kappa)})."
            )
    return f"No student was measured {info.title}."


def score_plots(evaluation: Evaluation, info: SliceInfo, *, stamp: str = "") -> Plots:
    """Forest plots of weighted kappa and of Pearson's correlation on one slice, on one axis."""
    groups = {
        title: Group(
            f"{info.title}: {size(info)}",
            tuple(
                Row(judge.name, Mark(judge.role), getattr(judge.slices[info.name], name))
                for judge in scored_by_role(evaluation)
                if info.name in judge.slices
            ),
        )
        for title, name in PLOTTED
    }
    span = common_span(groups.values())
    labels = evaluation.labels_title
    plots = []
    for title, group in groups.items():
        whole = f"{title[:1].upper()}{title[1:]}, {info.title}"
        svg = forest_plot(f"{whole} · {labels}", [group], span=span, stamp=stamp)
        plots.append(Plot(whole, svg, labels))
    return Plots(tuple(plots))


def score_comparison_section(evaluation: Evaluation) -> Section:
    """Paired comparisons, or a plain statement that there are none."""
    if not evaluation.comparisons:
        none = Text("No two judges were compared: nothing here says that one is better.", "note")
        return Section("comparisons", "Comparisons", (none,))
    return Section("comparisons", "Comparisons", (comparison_table(evaluation),))


def score_cells_section(evaluation: Evaluation) -> Section:
    """The student by bucket, category and other fields."""
    tables = [score_cells_table(evaluation, kind) for kind in other_kinds(evaluation)]
    return Section("parts", "Where it holds", tuple(tables))


def score_confusion_section(evaluation: Evaluation, *, stamp: str = "") -> Section:
    """Scores of the student by label, one picture per domain slice."""
    plots: list[Plot] = []
    tables: list[Block] = []
    for judge in scored_by_role(evaluation):
        for info in slices_of(evaluation, "domain"):
            found = judge.slices.get(info.name)
            if judge.role != "student" or found is None or found.confusion is None:
                continue
            title = f"Scores of {judge.name} by label, {info.title}"
            labels = evaluation.labels_title
            svg = confusion_plot(f"{title} · {labels}", found.confusion, stamp=stamp)
            plots.append(Plot(title, svg, labels))
            tables.append(confusion_table(found.confusion, title=title, labels=labels))
    blocks = [Plots(tuple(plots)), *tables] if plots else []
    return Section("confusion", "Confusion matrices", tuple(blocks))
