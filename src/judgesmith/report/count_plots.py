"""Pictures of counts: a confusion matrix, and the supply of each bucket."""

from collections.abc import Mapping, Sequence
from typing import Any

from judgesmith.report.excerpt import one_line
from judgesmith.report.results import Confusion
from judgesmith.report.svg import WIDTH, Scale, box, drawing, hint, node, stroke, words

DARKEST = 0.6
"""Opacity of a full cell: dark letters stay readable on it in a light page, light ones in a
dark page."""


def confusion_plot(title: str, confusion: Confusion, *, stamp: str = "") -> str:
    """Draw verdicts (rows) by labels (columns); a cell is as dark as its share of the column.

    Unparsed verdicts have a row of their own. The diagonal, where the verdict is right, has a
    frame.

    Args:
        title: What the picture shows.
        confusion: The counts.
        stamp: A word printed on the picture.

    Returns:
        SVG text.
    """
    if not confusion.labels:
        note = words((0, 20), "not shown: no labels", tone="soft")
        return drawing(30, [note], title=title, stamp=stamp)
    rows = [*zip(confusion.labels, confusion.counts, strict=True)]
    if any(confusion.unparsed):
        rows.append(("unparsed", confusion.unparsed))
    sums = [sum(counts[j] for _, counts in rows) for j in range(len(confusion.labels))]
    left, top = 96.0, 44.0
    wide = (WIDTH - left) / len(sums)
    high = min(wide, 52.0)
    parts = [words((left, 14), "label →", tone="soft", size=11)]
    parts.append(words((0, top - 8), "verdict ↓", tone="soft", size=11))
    for j, label in enumerate(confusion.labels):
        name = f"{one_line(label, max(3, int(wide / 8)))}"
        parts.append(words((left + wide * (j + 0.5), top - 8), name, anchor="middle"))
    for i, (verdict, counts) in enumerate(rows):
        y = top + high * i
        parts.append(words((left - 8, y + high / 2 + 4), one_line(verdict, 13), anchor="end"))
        parts += [
            _cell(counts[j], sums[j], (left + wide * j, y), (wide, high), i == j)
            for j in range(len(sums))
        ]
    return drawing(top + high * len(rows) + 6, parts, title=title, stamp=stamp)


def _cell(
    count: int, total: int, corner: tuple[float, float], size: tuple[float, float], right: bool
) -> str:
    share = count / total if total else 0.0
    middle = corner[0] + size[0] / 2
    inner = (corner[0] + 1.5, corner[1] + 1.5), (size[0] - 3, size[1] - 3)
    parts = [
        hint(f"{count:,} of {total:,} items with this label ({share:.0%})"),
        box(*inner, tone="line", opacity=0.35),
        box(*inner, tone="blue", opacity=DARKEST * share),
    ]
    if right:
        parts.append(
            node(
                "rect",
                x=inner[0][0],
                y=inner[0][1],
                width=inner[1][0],
                height=inner[1][1],
                fill="none",
                stroke_width=1.5,
                style="stroke:var(--ink,#1b1f24)",
            )
        )
    two_lines = size[1] >= 40 and size[0] >= 40
    y = corner[1] + size[1] / 2
    parts.append(words((middle, y + (0 if two_lines else 4)), f"{count:,}", anchor="middle"))
    if two_lines and total:
        parts.append(words((middle, y + 14), f"{share:.0%}", anchor="middle", size=11))
    return node("g", *parts)


def supply_plot(title: str, rows: Sequence[Mapping[str, Any]], *, stamp: str = "") -> str:
    """Draw what was filled (bar), wanted (dashed line) and possible under the caps (bracket).

    A ceiling far above every quota is drawn as an arrow at the edge, with its figure.

    Args:
        title: What the picture shows.
        rows: Supply rows: `bucket`, `quota`, `filled`, `ceiling`. A row without one of the three
            counts is written as "not shown".
        stamp: A word printed on the picture.

    Returns:
        SVG text.
    """
    if not rows:
        note = words((0, 20), "not shown: no supply was counted", tone="soft")
        return drawing(30, [note], title=title, stamp=stamp)
    whole = [row for row in rows if _counts(row)]
    most = max((max(row["quota"], row["filled"]) for row in whole), default=1)
    scale = Scale(0, max(most, 1) * 1.25, start=6, end=WIDTH - 56)
    parts = _supply_legend()
    for index, row in enumerate(rows):
        y = 34.0 + 46 * index
        parts.append(words((6, y + 12), one_line(str(row.get("bucket", "?")), 34)))
        counts = _counts(row)
        if counts is None:
            parts.append(words((WIDTH, y + 12), "not shown: no counts", tone="soft", anchor="end"))
            continue
        parts += _supply_row(counts, scale, y + 18)
    return drawing(34 + 46 * len(rows) + 4, parts, title=title, stamp=stamp)


def _counts(row: Mapping[str, Any]) -> tuple[int, int, int] | None:
    found = [row.get(name) for name in ("filled", "quota", "ceiling")]
    if not all(isinstance(count, int) and count >= 0 for count in found):
        return None
    return found[0], found[1], found[2]  # type: ignore[return-value]


def _supply_legend() -> list[str]:
    return [
        box((6, 6), (14, 10), tone="blue", opacity=0.75),
        words((24, 15), "filled", size=11),
        stroke((76, 3), (76, 19), width=2, dash="4 3"),
        words((82, 15), "quota", size=11),
        stroke((132, 11), (152, 11), tone="orange", width=2),
        stroke((152, 5), (152, 17), tone="orange", width=2),
        words((158, 15), "ceiling under the caps", size=11),
    ]


def _supply_row(counts: tuple[int, int, int], scale: Scale, y: float) -> list[str]:
    filled, quota, ceiling = counts
    start = scale(0)
    short = f", {quota - filled:,} short" if filled < quota else ""
    parts = [
        hint(f"filled {filled:,} of {quota:,}; ceiling {ceiling:,}"),
        box((start, y), (scale(scale.high) - start, 14), tone="line", opacity=0.35),
        box((start, y), (scale(filled) - start, 14), tone="blue", opacity=0.75),
        stroke((start, y + 18), (scale(ceiling), y + 18), tone="orange", width=2),
    ]
    edge = scale(ceiling)
    if ceiling > scale.high:
        arrow = words((edge + 1, y + 22), f"→ {ceiling:,}", tone="orange", size=11)
        parts.append(arrow)
    else:
        parts.append(stroke((edge, y + 13), (edge, y + 23), tone="orange", width=2))
        parts.append(words((edge + 4, y + 24), f"{ceiling:,}", tone="orange", size=11))
    parts.append(stroke((scale(quota), y - 4), (scale(quota), y + 18), width=2, dash="4 3"))
    parts.append(words((WIDTH, y - 6), f"{filled:,} of {quota:,}{short}", anchor="end", size=11.5))
    return [node("g", *parts)]
