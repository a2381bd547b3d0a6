"""A picture of judges by two measures at once: one place for each, with its name."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from judgesmith.report.marks import Mark, middle_cut, shape
from judgesmith.report.numbers import figure
from judgesmith.report.svg import (
    WIDTH,
    Point,
    Scale,
    drawing,
    hint,
    node,
    paint,
    round_steps,
    stroke,
    tick_places,
    words,
)

LEFT, RIGHT, TOP, BOTTOM = 52.0, float(WIDTH - 12), 44.0, 320.0
LETTER = 6.0
"""Units that one letter of a name takes at most."""
LONGEST = 26
OFFSETS = (0.0, -13.0, 13.0, -26.0, 26.0, -39.0, 39.0, -52.0, 52.0)
"""How far a name may be moved up or down from its mark, where another name stands there."""

Kind = Literal["merge", "beside"]
MARKS: dict[Kind, Mark] = {"merge": Mark.STUDENT, "beside": Mark.BEFORE}
NEAR = 13.0
"""From this distance on a line leads from a mark to its name."""


@dataclass(frozen=True, slots=True)
class Spot:
    """One judge: its name, what it is, its two values, and whether it is the one that was taken."""

    name: str
    kind: Kind
    x: float
    y: float
    ringed: bool = False


def scatter_plot(
    title: str, spots: Sequence[Spot], *, axes: tuple[str, str],
    lines: tuple[float, float] | None = None, stamp: str = "",
) -> str:  # fmt: skip
    """Draw every spot at its place; those that share one place have one name, with a count.

    Args:
        title: What the picture shows.
        spots: At least one.
        axes: What is measured from left to right, and from bottom to top.
        lines: Where the specialist of each is, drawn as dashed lines.
        stamp: A word printed on the picture.

    Returns:
        SVG text.
    """
    own = [] if lines is None else [lines]
    seen = [*((spot.x, spot.y) for spot in spots), *own]
    across = round_steps(min(x for x, _ in seen), max(x for x, _ in seen), about=4)
    up = round_steps(min(y for _, y in seen), max(y for _, y in seen), about=4)
    x = Scale(across[0], across[-1], start=LEFT, end=RIGHT)
    y = Scale(up[0], up[-1], start=BOTTOM, end=TOP)
    parts = [*_grid(across, up, x, y), *_legend(lined=lines is not None), *_axes(axes)]
    for place in own:
        for ends in (
            ((x(place[0]), TOP), (x(place[0]), BOTTOM)),
            ((LEFT, y(place[1])), (RIGHT, y(place[1]))),
        ):
            parts.append(stroke(*ends, tone="purple", dash="5 4"))
    for spot in spots:
        parts.append(_mark(spot, (x(spot.x), y(spot.y))))
    parts += _names(spots, x, y)
    return drawing(BOTTOM + 38, parts, title=title, stamp=stamp)


def _grid(across: Sequence[float], up: Sequence[float], x: Scale, y: Scale) -> list[str]:
    parts = []
    for tick in across:
        parts.append(stroke((x(tick), TOP), (x(tick), BOTTOM), tone="line"))
        name = _tick(tick, across)
        parts.append(words((x(tick), BOTTOM + 15), name, tone="soft", anchor="middle", size=11))
    for tick in up:
        parts.append(stroke((LEFT, y(tick)), (RIGHT, y(tick)), tone="line"))
        name = _tick(tick, up)
        parts.append(words((LEFT - 6, y(tick) + 4), name, tone="soft", anchor="end", size=11))
    return parts


def _tick(tick: float, ticks: Sequence[float]) -> str:
    return "0" if tick == 0 else figure(tick, places=tick_places(ticks))


def _legend(*, lined: bool) -> list[str]:
    parts: list[str] = []
    x = LEFT
    for kind, name in MARKS.items():
        said = "merge" if kind == "merge" else "other student"
        parts += [shape(name, x + 5, 22), words((x + 15, 26), said, size=11)]
        x += 34 + LETTER * len(said)
    parts += [_ring((x + 7, 22)), words((x + 21, 26), "chosen", size=11)]
    if lined:
        x += 72
        parts.append(stroke((x, 22), (x + 22, 22), tone="purple", dash="5 4"))
        parts.append(words((x + 28, 26), "specialists", size=11))
    return parts


def _axes(axes: tuple[str, str]) -> list[str]:
    across, up = (middle_cut(name, 48) for name in axes)
    place = (LEFT - 40, (TOP + BOTTOM) / 2)
    turned = node(
        "g",
        words((0, 0), up, tone="soft", anchor="middle", size=11),
        transform=f"translate({place[0]:.0f} {place[1]:.0f}) rotate(-90)",
    )
    middle = ((LEFT + RIGHT) / 2, BOTTOM + 32)
    return [turned, words(middle, across, tone="soft", anchor="middle", size=11)]


def _mark(spot: Spot, at: Point) -> str:
    said = hint(f"{spot.name}: {figure(spot.x, places=3)}, {figure(spot.y, places=3)}")
    drawn = [said, shape(MARKS[spot.kind], *at)]
    if spot.ringed:
        drawn.append(_ring(at))
    return node("g", *drawn)


def _ring(at: Point) -> str:
    style = f"fill:none;{paint('stroke', 'ink')}"
    return node("circle", cx=at[0], cy=at[1], r=9, stroke_width=1.5, style=style)


def _names(spots: Sequence[Spot], x: Scale, y: Scale) -> list[str]:
    """One name per place, moved up or down to where no other stands; none where there is no room.

    The one that was chosen has its name first. A name that is not drawn is still told by the
    pointer over its mark, and in the table.
    """
    places: dict[Point, list[Spot]] = {}
    for spot in sorted(spots, key=lambda one: not one.ringed):
        places.setdefault((round(x(spot.x), 1), round(y(spot.y), 1)), []).append(spot)
    taken = [(px - 8, py - 8, px + 8, py + 8) for px, py in places]
    parts = []
    for (px, py), here in places.items():
        more = f" and {len(here) - 1} more" if len(here) > 1 else ""
        name = middle_cut(here[0].name, LONGEST) + more
        found = _room((px, py), LETTER * len(name), taken, () if here[0].ringed else list(places))
        if found is not None:
            box, left = found
            taken.append(box)
            at = box[2] if left else box[0], box[3] - 2
            if abs(box[3] - 6 - py) >= NEAR:
                end = at[0] + (2 if left else -2), at[1] - 4
                parts.append(stroke((px, py), end, tone="soft", width=0.7))
            parts.append(words(at, name, anchor="end" if left else "start", size=11))
    return parts


def _room(
    at: Point, wide: float, taken: Sequence["Box"], marks: Sequence[Point]
) -> tuple["Box", bool] | None:
    """Where a name fits beside its mark, and whether that is to the left of it.

    A name begins, or ends, nearer to its own mark than to any other of `marks`.
    """
    for offset in OFFSETS:
        middle = at[1] + offset
        for left in (False, True):
            start = at[0] - 13 - wide if left else at[0] + 13
            box = (start, middle - 6, start + wide, middle + 6)
            inside = box[0] >= LEFT and box[2] <= RIGHT and box[1] >= TOP and box[3] <= BOTTOM + 6
            edge = (box[2] if left else box[0], middle)
            own = all(math.dist(edge, at) <= math.dist(edge, mark) + 1e-9 for mark in marks)
            if inside and own and not any(_overlap(box, other) for other in taken):
                return box, left
    return None


Box = tuple[float, float, float, float]


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
