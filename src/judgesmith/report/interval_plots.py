"""Pictures of estimates with their intervals: kappa of each judge, and position bias."""

import math
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from judgesmith.report.excerpt import one_line
from judgesmith.report.marks import TONES, Mark, name_lines, shape
from judgesmith.report.numbers import ends, estimate, figure, not_shown
from judgesmith.report.results import Number
from judgesmith.report.svg import (
    WIDTH,
    Scale,
    drawing,
    hint,
    node,
    paint,
    round_steps,
    stroke,
    words,
)

LEFT, RIGHT = 142.0, 308.0
"""Where the field of marks begins and ends; names stand left of it, figures right."""

ROW = 34.0
NAME_LETTERS = 19
"""Letters of a name that fit left of the field; a longer name takes a second line."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the picture: a name, the number, and the reason when there is none."""

    name: str
    mark: Mark
    number: Number


@dataclass(frozen=True, slots=True)
class Group:
    """Rows under one heading, such as a slice with its n; `floors` are drawn as dashed lines."""

    title: str
    rows: tuple[Row, ...]
    floors: tuple[tuple[float, str], ...] = ()


def common_span(groups: Iterable[Group]) -> tuple[float, float]:
    """Give the range of kappa that holds zero, all values, intervals and floors of the groups.

    Never beyond -1 to 1.

    >>> row = Row("a", Mark.STUDENT, Number(value=0.5, low=0.33, high=0.66, n=50))
    >>> common_span([Group("all", (row,))])
    (0.0, 0.8)
    """
    seen = [0.0, 0.2]
    for group in groups:
        seen += [floor for floor, _ in group.floors]
        for row in group.rows:
            if row.number.value is not None and not_shown(row.number) is None:
                seen += [row.number.value, *(ends(row.number) or ())]
    low, high = max(min(seen), -1.0), min(max(seen), 1.0)
    return math.floor(low * 5 + 1e-9) / 5 + 0.0, math.ceil(high * 5 - 1e-9) / 5


def forest_plot(
    title: str,
    groups: Sequence[Group],
    *,
    span: tuple[float, float] | None = None,
    stamp: str = "",
) -> str:
    """Draw kappa with its interval, one row per judge, under one heading per group.

    Published figures are hollow: they have no interval here and no test compares them. A number
    that must not be shown, or does not exist, is written out in its row.

    Args:
        title: What the picture shows, with whose labels.
        groups: The rows; empty groups say so.
        span: Range of the axis, for pictures that stand side by side; the rows' own by default.
        stamp: A word printed on the picture.

    Returns:
        SVG text.
    """
    low, high = span or common_span(groups)
    scale = Scale(low, high, start=LEFT, end=RIGHT)
    parts: list[str] = []
    y = 4.0
    for group in groups:
        drawn, y = _group(group, scale, y)
        parts += drawn
    return drawing(y, parts, title=title, stamp=stamp)


def _group(group: Group, scale: Scale, top: float) -> tuple[list[str], float]:
    parts = [words((0, top + 14), one_line(group.title, 62), size=12.5)] if group.title else []
    if not group.rows:
        parts.append(words((0, top + 36), "not shown: no judge was measured here", tone="soft"))
        return parts, top + 50
    first = top + (40 if group.floors else 24 if group.title else 4)
    rows, y = _rows(group.rows, scale, first)
    parts += _axis(scale, first, y)
    parts += [part for floor in group.floors for part in _floor(floor, scale, first, y)]
    return parts + rows, y + 34


def _rows(
    rows: Sequence[Row], scale: Scale, top: float, *, bars: bool = False
) -> tuple[list[str], float]:
    parts = []
    y = top
    for row in rows:
        reason = not_shown(row.number)
        names = name_lines(row.name, NAME_LETTERS)
        room = height = ROW + 13.0 * (len(names) - 1)
        if reason is None:
            if bars:
                parts.append(_bar(row, scale, y + (height - ROW) / 2))
            parts.append(_shown(row, scale, y + height / 2))
        else:
            lines = _wrapped(reason)
            height = max(room, 14.0 * len(lines) + 8)
            parts.append(_unshown(lines, (y + height / 2), reason))
        parts.append(_name(row, names, y + height / 2))
        y += height
    return parts, y


def _name(row: Row, names: Sequence[str], middle: float) -> str:
    top = middle - 1 - 6.5 * (len(names) - 1)
    return node(
        "g",
        hint(f"{row.name}: {row.mark.value}"),
        *(words((0, top + 13 * index), name) for index, name in enumerate(names)),
        words((0, top + 13 * len(names)), row.mark.value, tone="soft", size=11),
    )


def _wrapped(reason: str) -> list[str]:
    why = one_line(reason.removeprefix("hidden: "), 160)
    return textwrap.wrap(f"not shown: {why}", 46)


def _unshown(lines: Sequence[str], middle: float, reason: str) -> str:
    top = middle - 7.0 * len(lines) + 11
    written = [
        words((LEFT + 4, top + 14 * index), line, tone="soft", size=11)
        for index, line in enumerate(lines)
    ]
    backing = node(
        "rect",
        x=LEFT,
        y=middle - 7 * len(lines) - 2,
        width=WIDTH - LEFT,
        height=14 * len(lines) + 4,
        style=paint("fill", "paper"),
    )
    return node("g", hint(f"not shown: {reason}"), backing, *written)


def _shown(row: Row, scale: Scale, middle: float) -> str:
    tone = TONES[row.mark]
    value = row.number.value or 0.0
    parts = [hint(f"{row.name} ({row.mark.value}): {_figures(row)}")]
    interval = ends(row.number)
    if interval:
        low, high = (scale(end) for end in interval)
        parts.append(stroke((low, middle), (high, middle), tone=tone, width=2.5))
        parts += [
            stroke((end, middle - 4), (end, middle + 4), tone=tone, width=1.5)
            for end in (low, high)
        ]
    parts.append(shape(row.mark, scale(value), middle))
    parts.append(words((WIDTH, middle + 4), _figures(row), anchor="end", size=12))
    return node("g", *parts)


def _figures(row: Row) -> str:
    if row.mark is Mark.PUBLISHED and row.number.value is not None:
        return f"{figure(row.number.value)} cited"
    return estimate(row.number)


def _axis(scale: Scale, top: float, bottom: float) -> list[str]:
    parts = []
    for tick in round_steps(scale.low, scale.high, about=6):
        if not scale.low - 1e-9 <= tick <= scale.high + 1e-9:
            continue
        x = scale(tick)
        heavy = abs(tick) < 1e-9
        parts.append(stroke((x, top), (x, bottom), tone="soft" if heavy else "line"))
        name = "0" if heavy else figure(tick, places=1)
        parts.append(words((x, bottom + 14), name, tone="soft", anchor="middle", size=11))
    return parts


def _floor(floor: tuple[float, str], scale: Scale, top: float, bottom: float) -> list[str]:
    value, name = floor
    x = scale(value)
    anchor = "middle" if LEFT + 40 < x < RIGHT - 40 else ("start" if x < 200 else "end")
    return [
        stroke((x, top - 4), (x, bottom), tone="ink", width=1.5, dash="5 4"),
        words((x, top - 8), one_line(name, 40), anchor=anchor, size=11),
    ]


def position_bias_plot(title: str, rows: Sequence[Row], *, stamp: str = "") -> str:
    """Draw signed position bias as bars from zero, with intervals.

    To the right, the judge names what it sees first; to the left, what it sees second.

    Args:
        title: What the picture shows.
        rows: Judges that read the two orders apart.
        stamp: A word printed on the picture.

    Returns:
        SVG text.
    """
    if not rows:
        note = words((0, 20), "not shown: no judge here reads the two orders apart", tone="soft")
        return drawing(30, [note], title=title, stamp=stamp)
    reach = max(0.2, *(abs(end) for end in common_span([Group("", tuple(rows))])))
    scale = Scale(-reach, reach, start=LEFT, end=RIGHT)
    top = 24.0
    drawn, bottom = _rows(rows, scale, top, bars=True)
    heads = [
        words((scale(0) - 4, 16), "← names second", tone="soft", anchor="end", size=11),
        words((scale(0) + 4, 16), "names first →", tone="soft", size=11),
    ]
    parts = [*heads, *_axis(scale, top, bottom), *drawn]
    return drawing(bottom + 22, parts, title=title, stamp=stamp)


def _bar(row: Row, scale: Scale, top: float) -> str:
    start, end = sorted((scale(0), scale(row.number.value or 0.0)))
    style = f"{paint('fill', TONES[row.mark])};fill-opacity:0.35"
    return node("rect", x=start, y=top + 9, width=end - start, height=ROW - 18, style=style)
