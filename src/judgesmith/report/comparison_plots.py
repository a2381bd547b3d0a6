"""Paired comparisons of many judges at one glance, and the tables behind it."""

from collections.abc import Sequence
from dataclasses import replace

from judgesmith.report.answer import comparison_groups
from judgesmith.report.blocks import Block, Plot, Plots, Section, Table, Text
from judgesmith.report.heat_plots import HeatCell, square_plot
from judgesmith.report.numbers import denominator, estimate, figure, not_shown, p_value
from judgesmith.report.result_tables import by_role, comparison_table, winner
from judgesmith.report.results import Comparison, Evaluation

MOST_OPEN = 15
"""Rows that a table of comparisons shows unfolded."""

LEAST_PLOTTED = 3
"""Judges from which on a picture says more than the table."""


def comparisons_section(evaluation: Evaluation, *, stamp: str = "") -> Section:
    """All paired comparisons; many are split by whether the test shows a difference."""
    if not evaluation.comparisons:
        none = Text("No two judges were compared, so nothing on this page says better.", "note")
        return Section("comparisons", "Comparisons", (none,))
    plots = [
        plot
        for group in comparison_groups(evaluation)
        if (plot := _plot(evaluation, group, stamp)) is not None
    ]
    blocks: list[Block] = []
    if plots:
        said = (
            "Row minus column. A figure stands only where the paired test, adjusted by Holm, shows "
            "a difference; a dot is a comparison that shows none; blank was not compared."
        )
        blocks += [Plots(tuple(plots)), Text(said, "note")]
    blocks += _tables(evaluation)
    return Section("comparisons", "Comparisons", tuple(blocks))


def _tables(evaluation: Evaluation) -> list[Table]:
    whole = comparison_table(evaluation)
    if len(whole.rows) <= MOST_OPEN:
        return [whole]
    shown = [winner(one) is not None for one in evaluation.comparisons]
    total = len(shown)
    tables = []
    for wanted, what in ((True, "that show a difference"), (False, "that show none")):
        rows = tuple(row for row, keep in zip(whole.rows, shown, strict=True) if keep is wanted)
        if rows:
            title = f"Paired comparisons {what}: {len(rows):,} of {total:,}"
            folded = len(rows) > MOST_OPEN
            tables.append(replace(whole, title=title, rows=rows, folded=folded))
    return tables


def _plot(evaluation: Evaluation, group: Sequence[Comparison], stamp: str) -> Plot | None:
    seen = {name for one in group for name in (one.a, one.b)}
    names = [judge.name for judge in by_role(evaluation) if judge.name in seen]
    if len(names) < LEAST_PLOTTED:
        return None
    titles = {info.name: info.title for info in evaluation.slices}
    pairs: dict[tuple[str, str], HeatCell] = {}
    for one in group:
        pairs[one.a, one.b] = _cell(one, 1)
        pairs[one.b, one.a] = _cell(one, -1)
    blank = HeatCell("", None, "")
    cells = [[pairs.get((row, column), blank) for column in names] for row in names]
    title = f"Shown differences in {group[0].metric}, {titles.get(group[0].slice, group[0].slice)}"
    labels = evaluation.labels_title
    return Plot(
        title, square_plot(f"{title} · {labels}", names, cells, stamp=stamp), labels, wide=True
    )


def _cell(one: Comparison, sign: int) -> HeatCell:
    number = one.difference
    better = winner(one)
    told = (
        f"{one.a} minus {one.b}: {estimate(number)}, {denominator(number)}, "
        f"Holm p {p_value(one.p_holm)}: {f'{better} is better' if better else one.conclusion}"
    )
    if better is None:
        return HeatCell("·", None, told)
    if number.value is None or not_shown(number) is not None:
        return HeatCell("–", None, told)
    return HeatCell(figure(sign * number.value), sign * number.value, told)
