"""A small set of drawing parts that give SVG text. Colours are variables of the page's style.

A drawing is `WIDTH` units wide: one unit is about one pixel on a telephone and somewhat more
on a desk, so letters stay readable on both. Each colour has a fallback for a drawing that is
taken out of its page.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from judgesmith.report.excerpt import visible

WIDTH = 420

INK = {
    "ink": "#1b1f24",
    "soft": "#57606a",
    "line": "#d0d7de",
    "paper": "#ffffff",
    "blue": "#0072b2",
    "orange": "#c25e00",
    "green": "#007a5a",
    "purple": "#8a4f7d",
}
"""Tones: told apart in every common kind of colour blindness, and never by colour alone."""

Point = tuple[float, float]


def node(tag: str, /, *children: str, **attributes: str | float) -> str:
    """Write one element; `text_anchor` becomes `text-anchor`, values are escaped.

    Args:
        tag: Name of the element.
        *children: Elements, or text that is escaped already.
        **attributes: Values; numbers are rounded to a tenth.

    >>> node("line", x1=1, x2=2.345, stroke_dasharray="4 3")
    '<line x1="1" x2="2.3" stroke-dasharray="4 3"/>'
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(_value(value))}"'
        for name, value in attributes.items()
    )
    if not children:
        return f"<{tag}{written}/>"
    return f"<{tag}{written}>{''.join(children)}</{tag}>"


def _value(value: str | float) -> str:
    if isinstance(value, str):
        return visible(value)
    return f"{round(value, 1):g}" if abs(value) < 1e6 else f"{value:.0f}"


def paint(part: str, tone: str) -> str:
    """Write the style that gives `fill` or `stroke` a tone of the page.

    >>> paint("fill", "blue")
    'fill:var(--blue,#0072b2)'
    """
    return f"{part}:var(--{tone},{INK[tone]})"


def words(
    at: Point, content: str, *, tone: str = "ink", anchor: str = "start", size: float = 12
) -> str:
    """Write one line of text, escaped.

    >>> words((0, 9), "<b>", size=9)
    '<text x="0" y="9" text-anchor="start" font-size="9" style="fill:var(--ink,#1b1f24)">&lt;b&gt;</text>'
    """  # noqa: E501
    return node(
        "text",
        escape(visible(content)),
        x=at[0],
        y=at[1],
        text_anchor=anchor,
        font_size=size,
        style=paint("fill", tone),
    )


def hint(content: str) -> str:
    """Write the text that a pointer held over the parent element shows."""
    return node("title", escape(visible(content)))


def stroke(
    start: Point, end: Point, *, tone: str = "ink", width: float = 1.0, dash: str = ""
) -> str:
    """Draw a straight line."""
    more = {"stroke_dasharray": dash} if dash else {}
    return node(
        "line",
        x1=start[0],
        y1=start[1],
        x2=end[0],
        y2=end[1],
        stroke_width=width,
        style=paint("stroke", tone),
        **more,
    )


def box(corner: Point, size: Point, *, tone: str, opacity: float = 1.0) -> str:
    """Draw a filled rectangle; a negative size counts as none."""
    return node(
        "rect",
        x=corner[0],
        y=corner[1],
        width=max(size[0], 0),
        height=max(size[1], 0),
        style=f"{paint('fill', tone)};fill-opacity:{opacity:.2f}",
    )


def drawing(
    height: float, parts: Iterable[str], *, title: str, stamp: str = "", width: float = WIDTH
) -> str:
    """Put the parts on one sheet.

    Args:
        height: Height in units.
        parts: Elements, in drawing order.
        title: What the picture shows, read aloud in its place.
        stamp: A word printed over the picture, such as "rehearsed"; empty for none.
        width: Width in units: less than `WIDTH` for pictures that stand in a row of many; a
            wider one keeps letters readable by scrolling sideways on a telephone.
    """
    marked = ""
    if stamp:
        marked = words((width - 2, 12), stamp.upper(), tone="orange", anchor="end", size=11)
    wide = {"style": f"min-width:{0.85 * width:.0f}px"} if width > WIDTH else {}
    return node(
        "svg",
        node("title", escape(visible(f"{title} ({stamp})" if stamp else title))),
        *parts,
        marked,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        role="img",
        class_="plot",
        font_family="system-ui, sans-serif",
        **wide,
    )


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight map from values `low` to `high` onto places `start` to `end`.

    >>> scale = Scale(0, 1, start=100, end=200)
    >>> scale(0.5), scale(7)
    (150.0, 200.0)
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Give the place of a value; beyond the ends, the end."""
        if self.high <= self.low:
            return self.start
        share = (value - self.low) / (self.high - self.low)
        return self.start + (self.end - self.start) * min(max(share, 0.0), 1.0)


def round_steps(low: float, high: float, *, about: int = 5) -> list[float]:
    """Give round values that cover low to high.

    >>> round_steps(0, 0.9)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    >>> round_steps(3, 3)
    [3.0, 3.2, 3.4, 3.6, 3.8, 4.0]
    """
    if high <= low:
        high = low + 1
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(step * index, 10) for index in range(first, last + 1)]


def tick_places(ticks: Sequence[float]) -> int:
    """Give the decimals, at least one, by which evenly spaced ticks differ.

    >>> tick_places([0.0, 0.5]), tick_places([0.5, 0.55]), tick_places([0.0, 0.0002])
    (1, 2, 4)
    """
    return max(1, math.ceil(-math.log10(ticks[1] - ticks[0]) - 1e-9))
