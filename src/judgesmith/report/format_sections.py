"""Sections of a run that measured more than one format, or one against further labels."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from judgesmith.report.blocks import Block, Section, Text
from judgesmith.report.format_tables import (
    consistency_table,
    formats_table,
    judgelm_table,
    kept_table,
    replies_table,
    truncated,
    validity_table,
)
from judgesmith.report.numbers import estimate
from judgesmith.report.result_sections import (
    cells_section,
    comparison_section,
    confusion_section,
    headline_section,
    order_section,
)
from judgesmith.report.result_tables import slices_of
from judgesmith.report.results import Evaluation, GateResult
from judgesmith.report.run_tables import named_table
from judgesmith.report.score_sections import (
    score_cells_section,
    score_comparison_section,
    score_confusion_section,
    score_headline_section,
)


def evaluation_sections(
    evaluation: Evaluation, gate: GateResult | None, stamp: str
) -> list[Section]:
    """Everything that was measured: one format as before, several each under its own name."""
    if not evaluation.also and not evaluation.missing:
        return [*_one(evaluation, gate, stamp), *_across(evaluation)]
    found = [_overview(evaluation), *_across(evaluation)]
    everything = (evaluation, *evaluation.also)
    for place, one in enumerate(everything):
        twice = sum(other.dialect == one.dialect for other in everything) > 1
        whose = f"{one.dialect} against {one.labels_kind}" if twice else one.dialect
        sections = _one(one, gate if place == 0 else None, stamp)
        found += [_under(section, whose, place) for section in sections]
    return found


def _under(section: Section, name: str, place: int) -> Section:
    """A section of one format, with its name in the title and in the contents."""
    anchor = section.anchor if place == 0 else f"{section.anchor}-{place + 1}"
    return replace(section, anchor=anchor, title=f"{section.title}: {name}")


def _one(evaluation: Evaluation, gate: GateResult | None, stamp: str) -> list[Section]:
    if evaluation.form == "scores":
        return [
            score_headline_section(evaluation, stamp=stamp),
            score_comparison_section(evaluation),
            score_cells_section(evaluation),
            replies_section(evaluation),
            score_confusion_section(evaluation, stamp=stamp),
        ]
    plain: tuple[Callable[[Evaluation], Section], ...] = (comparison_section, cells_section)
    order = order_section(evaluation, stamp=stamp)
    more = (*_judgelm(evaluation), *replies_section(evaluation).blocks)
    return [
        headline_section(evaluation, gate, stamp=stamp),
        *(make(evaluation) for make in plain),
        replace(order, blocks=(*order.blocks, *more)),
        confusion_section(evaluation, stamp=stamp),
    ]


def _judgelm(evaluation: Evaluation) -> list[Block]:
    domains = slices_of(evaluation, "domain")
    tables = [judgelm_table(evaluation, info.name, info.title) for info in domains]
    return [table for table in tables if table.rows]


def replies_section(evaluation: Evaluation) -> Section:
    """What became of the replies of one format; a warning where the token budget cut some off."""
    if not evaluation.replies:
        return Section("replies", "Replies")
    cut = [f"{row.judge} {estimate(row.truncated)}" for row in truncated(evaluation)]
    warning = (
        "Some replies were cut off by the token budget (evaluate.reply_tokens), as a share of all: "
        f"{'; '.join(cut)}."
    )
    blocks: list[Block] = [Text(warning, "warning")] if cut else []
    return Section("replies", "Replies", (*blocks, replies_table(evaluation)))


def _overview(evaluation: Evaluation) -> Section:
    blocks: list[Block] = [formats_table(evaluation), validity_table(evaluation)]
    if evaluation.missing:
        heads = ("what", "why")
        blocks.append(named_table("Asked for, and not measured", heads, evaluation.missing))
    return Section("formats", "Formats", tuple(blocks))


def _across(evaluation: Evaluation) -> Sequence[Section]:
    """What no single format says: consistency between them, and what a merge keeps."""
    tables = tuple(consistency_table(one) for one in evaluation.consistency if one.rows)
    kept = (kept_table(evaluation.kept),) if evaluation.kept else ()
    return [
        Section("kept", "What the merge keeps", kept),
        Section("consistency", "Consistency between formats", tables),
    ]
