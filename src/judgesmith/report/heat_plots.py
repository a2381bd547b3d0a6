"""Numbers as shaded cells: flips of a judge, a panel's kappas, kappa by judge and part."""

from collections.abc import Sequence
from dataclasses import dataclass

from judgesmith.report.evidence import Flips
from judgesmith.report.marks import middle_cut
from judgesmith.report.numbers import denominator, estimate, figure, not_shown
from judgesmith.report.results import Number
from judgesmith.report.svg import WIDTH, box, drawing, hint, node, paint, words

SMALL = 200.0
"""Width in units of a picture of which many stand in a row."""

LEAST_CELL = 24.0
"""Units that a cell needs for a negative figure; a grid of many columns grows beyond `WIDTH`."""

LETTER = 6.9
"""Units that one letter of size 11 takes where capitals and digits are many."""

DARKEST = 0.6
UNSHOWN = "–"


@dataclass(frozen=True, slots=True)
class HeatCell:
    """One cell: `shade` from -1 (orange) over 0 (none) to 1 (blue); None for nothing to shade."""

    text: str
    shade: float | None
    said: str
    framed: bool = False


@dataclass(frozen=True, slots=True)
class Heat:
    """A grid of cells: one name per row, one heading per column.

    `across` and `down` say what columns and rows are. `tallest` bounds the height of a row.
    """

    title: str
    rows: tuple[str, ...]
    heads: tuple[str, ...]
    cells: tuple[tuple[HeatCell, ...], ...]
    across: str = ""
    down: str = ""
    width: float = WIDTH
    tallest: float = 30.0


def heat_plot(heat: Heat, *, stamp: str = "") -> str:
    """Draw the grid. What has no shade is left blank with a dash; letters shrink with the cells.

    Args:
        heat: The grid.
        stamp: A word printed on the picture.

    Returns:
        SVG text.
    """
    if not heat.rows or not heat.heads:
        note = words((0, 20), "not shown: nothing was measured", tone="soft", size=11)
        return drawing(30, [note], title=heat.title, stamp=stamp, width=heat.width)
    longest = max(len(name) for name in (*heat.rows, heat.down))
    left = min(max(LETTER * longest + 10, 30.0), 172.0, 0.4 * heat.width)
    wide = min((heat.width - left) / len(heat.heads), 72.0)
    high = min(max(wide, 16.0), heat.tallest)
    top = 34.0 if heat.across else 20.0
    parts = _names(heat, (left, top), (wide, high))
    most = max(len(cell.text) for row in heat.cells for cell in row)
    letters = min(11.5, wide / (0.58 * max(most, 3)))
    for i, row in enumerate(heat.cells):
        for j, cell in enumerate(row):
            parts.append(_cell(cell, (left + wide * j, top + high * i), (wide, high), letters))
    return drawing(
        top + high * len(heat.rows) + 6, parts, title=heat.title, stamp=stamp, width=heat.width
    )


def _names(heat: Heat, corner: tuple[float, float], size: tuple[float, float]) -> list[str]:
    (left, top), (wide, high) = corner, size
    small = min(11.0, max(wide * 0.55, 7.0))
    parts = []
    if heat.across:
        parts.append(words((left, 12), heat.across, tone="soft", size=11))
    if heat.down:
        parts.append(words((0, top - 6), heat.down, tone="soft", size=11))
    for j, head in enumerate(heat.heads):
        name = middle_cut(head, max(2, int(wide / (small * 0.56))))
        place = (left + wide * (j + 0.5), top - 6)
        drawn = words(place, name, anchor="middle", size=small)
        parts.append(node("g", hint(head), drawn) if name != head else drawn)
    for i, row in enumerate(heat.rows):
        name = middle_cut(row, max(3, int((left - 6) / LETTER)))
        place = (left - 6, top + high * (i + 0.5) + 4)
        parts.append(node("g", hint(row), words(place, name, anchor="end", size=11)))
    return parts


def _cell(
    cell: HeatCell, corner: tuple[float, float], size: tuple[float, float], letters: float
) -> str:
    inner = (corner[0] + 0.75, corner[1] + 0.75), (size[0] - 1.5, size[1] - 1.5)
    parts = [hint(cell.said)] if cell.said else []
    if cell.text or cell.shade is not None:
        parts.append(box(*inner, tone="line", opacity=0.35))
    if cell.shade is not None:
        tone = "blue" if cell.shade >= 0 else "orange"
        parts.append(box(*inner, tone=tone, opacity=DARKEST * min(abs(cell.shade), 1.0)))
    if cell.framed:
        (x, y), (wide, high) = inner
        style = f"fill:none;{paint('stroke', 'ink')}"
        parts.append(node("rect", x=x, y=y, width=wide, height=high, stroke_width=1.2, style=style))
    if cell.text and letters >= 5:
        place = (corner[0] + size[0] / 2, corner[1] + size[1] / 2 + letters * 0.36)
        tone = "soft" if cell.shade is None else "ink"
        parts.append(words(place, cell.text, tone=tone, anchor="middle", size=letters))
    return node("g", *parts)


def number_heat(number: Number | None, said: str, *, absent: str = "not measured") -> HeatCell:
    """Make the cell of a number from -1 to 1; one that must not be shown is a dash with its reason.

    >>> number_heat(Number(value=0.5, low=0.4, high=0.6, n=9), "a and b").said
    'a and b: .50 [.40, .60], n = 9'
    >>> number_heat(Number(value=0.5, n=3, hidden="only 3 labels"), "a and b").text
    '–'
    """
    if number is None:
        return HeatCell("", None, f"{said}: {absent}")
    told = f"{said}: {estimate(number)}, {denominator(number)}"
    if number.value is None or not_shown(number) is not None:
        return HeatCell(UNSHOWN, None, told)
    return HeatCell(figure(number.value), number.value, told)


def flips_plot(title: str, flips: Flips, *, stamp: str = "") -> str:
    """Draw verdicts in the stored order (rows) by verdicts in the swapped order (columns).

    Verdicts are in item order, so the framed diagonal is what survives the swap. A cell is as
    dark as its share of all counts.

    Args:
        title: What the picture shows.
        flips: The counts.
        stamp: A word printed on the picture.

    Returns:
        SVG text.
    """
    matrix = flips.matrix
    rows = [*zip(matrix.labels, matrix.counts, strict=True)]
    if any(matrix.unparsed):
        rows.append(("unparsed", matrix.unparsed))
    total = sum(sum(counts) for _, counts in rows)
    cells = tuple(
        tuple(
            HeatCell(
                f"{count:,}",
                count / total if total else 0.0,
                f"stored order {row}, swapped order {head}: {count:,} of {total:,}",
                framed=row == head,
            )
            for head, count in zip(matrix.labels, counts, strict=True)
        )
        for row, counts in rows
    )
    names = tuple(row for row, _ in rows)
    wide = SMALL if len(matrix.labels) <= 5 else WIDTH
    heat = Heat(
        title, names, matrix.labels, cells, across="swapped order →", down="stored ↓", width=wide
    )
    return heat_plot(heat, stamp=stamp)


def numbered(names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give names with a number before each, and the numbers for headings too narrow for names.

    >>> numbered(["a", "b"])
    (('1 a', '2 b'), ('1', '2'))
    """
    heads = tuple(str(place) for place, _ in enumerate(names, 1))
    return tuple(f"{head} {name}" for head, name in zip(heads, names, strict=True)), heads


def grid_width(heads: int) -> float:
    """Give the width in units at which figures fit the cells of so many columns.

    >>> grid_width(3), grid_width(15)
    (420, 532.0)
    """
    return max(WIDTH, 172.0 + LEAST_CELL * heads)


def square_plot(
    title: str, names: Sequence[str], cells: Sequence[Sequence[HeatCell]], *, stamp: str = ""
) -> str:
    """Draw what holds between every two of the names; the diagonal is left out."""
    rows, heads = numbered(names)
    blank = HeatCell("", None, "")
    wide = grid_width(len(heads))
    kept = tuple(
        tuple(blank if i == j else cell for j, cell in enumerate(row))
        for i, row in enumerate(cells)
    )
    return heat_plot(Heat(title, rows, heads, kept, width=wide, tallest=26.0), stamp=stamp)
