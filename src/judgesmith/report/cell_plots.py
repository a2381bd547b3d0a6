"""Kappa of every judge on every part of the items: a picture and the numbers behind it."""

from judgesmith.report.answer import COMPETING
from judgesmith.report.blocks import Block, Cell, Plot, Plots, Table, Text, columns, number_cell
from judgesmith.report.heat_plots import Heat, grid_width, heat_plot, number_heat, numbered
from judgesmith.report.numbers import NOT_MEASURED, not_shown, plural
from judgesmith.report.result_tables import by_role, slices_of
from judgesmith.report.results import Evaluation, JudgeResult, Number, SliceInfo

LEGEND = "A dash is a number that must not be shown; blank was not measured."
MOST_PARTS = 40
"""Values of one field that the picture shows; the table has all."""


def cell_blocks(evaluation: Evaluation, kind: str, stamp: str) -> list[Block]:
    """Show kappa of every judge by the values of one field.

    Args:
        evaluation: Its judges and slices.
        kind: The field.
        stamp: The word that pictures carry, or none.

    Returns:
        A picture with the key to its columns, and a folded table.
    """
    judges = [judge for judge in by_role(evaluation) if judge.role in COMPETING]
    infos = slices_of(evaluation, kind)
    if not judges or not infos:
        return []
    field = kind.replace("_", " ")
    labels = evaluation.labels_title
    title = f"Kappa by {field}"
    if len(infos) > MOST_PARTS:
        title += f", {MOST_PARTS} of {len(infos):,} values"
    found = [kappa for info in infos for judge in judges if (kappa := _kappa(judge, info))]
    reasons = [not_shown(kappa) for kappa in found]
    if all(reasons):
        told = "; ".join(list(dict.fromkeys(filter(None, reasons)))[:3]) or "never measured"
        return [Text(f"{title} is not shown ({told}).", "note")]
    names, heads = numbered([judge.name for judge in judges])
    cells = tuple(
        tuple(number_heat(_kappa(judge, info), f"{judge.name}, {info.title}") for judge in judges)
        for info in infos[:MOST_PARTS]
    )
    rows = tuple(f"{info.title} ({info.n:,})" for info in infos[:MOST_PARTS])
    wide = grid_width(len(heads))
    heat = Heat(
        f"{title} · {labels}", rows, heads, cells, down=f"{field} (items)", width=wide, tallest=26.0
    )
    key = Text(f"Columns: {', '.join(names)}. {LEGEND}", "note")
    plot = Plot(title, heat_plot(heat, stamp=stamp), labels, wide=True)
    return [Plots((plot,)), key, _table(evaluation, field, infos, judges)]


def _kappa(judge: JudgeResult, info: SliceInfo) -> Number | None:
    found = judge.slices.get(info.name)
    return found.kappa if found else None


def _table(
    evaluation: Evaluation, field: str, infos: list[SliceInfo], judges: list[JudgeResult]
) -> Table:
    rows = []
    for info in infos:
        for judge in judges:
            found = judge.slices.get(info.name)
            pair = (found.kappa, found.accuracy) if found else (None, None)
            rows.append(
                (
                    Cell(info.title, aside=plural(info.n, "item")),
                    Cell(judge.name),
                    *(number_cell(number, absent=NOT_MEASURED) for number in pair),
                )
            )
    return Table(
        f"By {field}",
        columns(field, "judge", "kappa", "accuracy", numeric=["kappa", "accuracy"]),
        tuple(rows),
        labels=evaluation.labels_title,
        folded=True,
    )
