"""Tables and pictures of a panel: members, their agreement with each other, their errors."""

from collections.abc import Sequence

from judgesmith.report.blocks import Block, Cell, Plot, Plots, Table, Text, columns, number_cell
from judgesmith.report.evidence import Panel
from judgesmith.report.heat_plots import HeatCell, number_heat, square_plot
from judgesmith.report.numbers import NOT_MEASURED, denominator, estimate, figure
from judgesmith.report.results import Number

MOST_PAIRS = 200
"""Pairs of members that one folded table lists; the JSON has the others."""


def member_table(panel: Panel, labels: str) -> Table:
    """What each member adds to the panel, and how good its verdicts look to Dawid-Skene."""
    rows = tuple(
        (
            Cell(one.judge, tone="strong"),
            number_cell(one.without, absent=NOT_MEASURED),
            Cell(NOT_MEASURED, tone="soft")
            if one.worker_accuracy is None
            else Cell(figure(one.worker_accuracy), aside="no interval"),
        )
        for one in panel.members
    )
    heads = ("panel's kappa with it minus without", "accuracy by Dawid-Skene")
    return Table(
        "Members of the panel",
        columns("judge", *heads, numeric=heads),
        rows,
        labels=labels,
        note="Accuracy by Dawid-Skene is estimated from the verdicts alone, without labels.",
    )


def panel_words(panel: Panel) -> Text:
    """Say what the panel is worth as a whole."""

    def told(number: Number | None) -> str:
        resting = f" ({denominator(number)})" if number else ""
        return estimate(number, absent=NOT_MEASURED) + resting

    return Text(
        f"The {len(panel.members):,} members are worth {told(panel.effective_votes)} independent "
        f"votes. Kappa of their majority against the labels: {told(panel.majority)}; of the "
        f"verdict that weighs each member by its estimated errors (Dawid-Skene): "
        f"{told(panel.dawid_skene)}."
    )


def kappa_blocks(panel: Panel, *, stamp: str = "") -> list[Block]:
    """A heat map of kappa per bucket, and the numbers behind it."""
    names = [one.judge for one in panel.members]
    plots, tables = [], []
    for bucket, kappas in panel.kappas.items():
        title = f"Kappa between members, {bucket}"
        cells = [
            [number_heat(number, f"{names[i]} and {names[j]}") for j, number in enumerate(row)]
            for i, row in enumerate(kappas)
        ]
        plots.append(Plot(title, square_plot(title, names, cells, stamp=stamp), wide=True))
        tables.append(_pair_table(title, names, kappas))
    return [Plots(tuple(plots)), *tables] if plots else []


def _pair_table(title: str, names: Sequence[str], kappas: Sequence[Sequence[Number]]) -> Table:
    pairs = [(i, j) for i in range(len(names)) for j in range(i + 1, len(names))]
    rows = tuple(
        (Cell(names[i]), Cell(names[j]), number_cell(kappas[i][j])) for i, j in pairs[:MOST_PAIRS]
    )
    left = len(pairs) - len(rows)
    note = f"{left:,} more pairs are in the JSON report." if left > 0 else ""
    titles = columns("member", "other member", "kappa", numeric=["kappa"])
    return Table(title, titles, rows, note=note, folded=True)


def error_blocks(panel: Panel, labels: str, *, stamp: str = "") -> list[Block]:
    """A heat map of how errors go together, and the figures behind it."""
    if not panel.errors:
        return []
    names = [one.judge for one in panel.members]
    title = "Correlation of errors"
    cells = [
        [_error_cell(value, f"{names[i]} and {names[j]}") for j, value in enumerate(row)]
        for i, row in enumerate(panel.errors)
    ]
    svg = square_plot(f"{title} · {labels}", names, cells, stamp=stamp)
    pairs = [(i, j) for i in range(len(names)) for j in range(i + 1, len(names))]
    rows = tuple(
        (Cell(names[i]), Cell(names[j]), _error(panel.errors[i][j])) for i, j in pairs[:MOST_PAIRS]
    )
    left = len(pairs) - len(rows)
    note = (
        "Members that are wrong on the same items add little to each other. No interval is given."
    ) + (f" {left:,} more pairs are in the JSON report." if left > 0 else "")
    titles = columns("member", "other member", "correlation", numeric=["correlation"])
    table = Table(title, titles, rows, labels=labels, note=note, folded=True)
    return [Plots((Plot(title, svg, labels, wide=True),)), table]


def _error_cell(value: float | None, said: str) -> HeatCell:
    if value is None:
        return HeatCell("–", None, f"{said}: undefined, one of them has no error or only errors")
    return HeatCell(figure(value), value, f"{said}: {figure(value)}")


def _error(value: float | None) -> Cell:
    return Cell("undefined", tone="soft") if value is None else Cell(figure(value))
