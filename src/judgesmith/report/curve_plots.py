"""A picture of training: losses above, kappa on dev below, over the same steps."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from judgesmith.report.document import CurvePoint
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
    words,
)

LEFT, RIGHT, HEIGHT = 44.0, float(WIDTH - 10), 130.0
LARGEST = 1e9
"""A loss beyond this has run away; it is counted, not drawn."""


@dataclass(frozen=True, slots=True)
class Series:
    """One measured quantity over steps, with what could not be drawn."""

    name: str
    tone: str
    dash: str
    points: tuple[Point, ...]
    left_out: int


def training_plot(title: str, curve: Sequence[CurvePoint], *, stamp: str = "") -> str:
    """Draw train and dev loss in one panel and dev kappa in a second, over the steps.

    What was not measured at a step has no point there; a line joins the points that were. A
    quantity that was never measured is said to be not shown.

    Args:
        title: What the picture shows.
        curve: The logged moments, in any order.
        stamp: A word printed on the picture.

    Returns:
        SVG text.
    """
    ordered = sorted(curve, key=lambda point: point.step)
    train = _series("train loss", [(p.step, p.train_loss) for p in ordered], tone="blue")
    dev = _series("dev loss", [(p.step, p.dev_loss) for p in ordered], tone="orange", dash="6 3")
    kappa = _series("dev kappa", [(p.step, p.dev_kappa) for p in ordered], tone="green")
    steps = [float(p.step) for p in ordered] or [0.0]
    along = Scale(min(steps), max(steps), start=LEFT + 6, end=RIGHT - 6)
    parts = [*_panel((train, dev), along, 34.0), *_panel((kappa,), along, 34.0 + HEIGHT + 56)]
    bottom = 34.0 + 2 * HEIGHT + 56
    parts.append(words((RIGHT, bottom + 34), "training step", tone="soft", anchor="end", size=11))
    return drawing(bottom + 40, parts, title=title, stamp=stamp)


def _series(
    name: str, found: Sequence[tuple[int, float | None]], *, tone: str, dash: str = ""
) -> Series:
    measured = [(float(step), value) for step, value in found if value is not None]
    drawn = [
        (step, value) for step, value in measured if math.isfinite(value) and abs(value) <= LARGEST
    ]
    return Series(name, tone, dash, tuple(drawn), len(measured) - len(drawn))


def _panel(series: Sequence[Series], along: Scale, top: float) -> list[str]:
    values = [value for one in series for _, value in one.points]
    parts = _legend(series, top - 12)
    if not values:
        return [*parts, words((LEFT, top + 20), _nothing(series), tone="soft", size=11)]
    steps = round_steps(min(0.0, *values), max(values), about=4)
    up = Scale(steps[0], steps[-1], start=top + HEIGHT, end=top)
    for tick in steps:
        parts.append(stroke((LEFT, up(tick)), (RIGHT, up(tick)), tone="line"))
        name = figure(tick, places=2 if abs(steps[1] - steps[0]) < 0.1 else 1)
        name = "0" if tick == 0 else name
        parts.append(words((LEFT - 6, up(tick) + 4), name, tone="soft", anchor="end", size=11))
    for tick in round_steps(along.low, along.high):
        if along.low <= tick <= along.high and tick == int(tick):
            place = (along(tick), top + HEIGHT + 15)
            parts.append(words(place, f"{tick:,.0f}", tone="soft", anchor="middle", size=11))
    return [*parts, *(part for one in series for part in _line(one, along, up))]


def _nothing(series: Sequence[Series]) -> str:
    names = " or ".join(one.name for one in series)
    reason = "not finite" if any(one.left_out for one in series) else "never measured"
    return f"not shown: no {names} ({reason})"


def _legend(series: Sequence[Series], y: float) -> list[str]:
    parts = []
    x = LEFT
    for one in series:
        name = one.name if one.points else f"{one.name}: not shown, never measured"
        if one.left_out:
            name = f"{one.name} ({one.left_out} not finite, not shown)"
        parts.append(stroke((x, y - 4), (x + 20, y - 4), tone=one.tone, width=2, dash=one.dash))
        parts.append(words((x + 26, y), name, size=11))
        x += 40 + 6.2 * len(name)
    return parts


def _line(one: Series, along: Scale, up: Scale) -> list[str]:
    places = [(along(step), up(value)) for step, value in one.points]
    few = len(places) <= 40
    parts = []
    if len(places) > 1:
        joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        dash = {"stroke_dasharray": one.dash} if one.dash else {}
        style = f"fill:none;{paint('stroke', one.tone)}"
        parts.append(node("polyline", points=joined, stroke_width=2, style=style, **dash))
    for (x, y), (step, value) in zip(places, one.points, strict=True):
        if few:
            said = hint(f"{one.name} at step {step:,.0f}: {figure(value, places=3)}")
            style = paint("fill", one.tone)
            parts.append(node("circle", said, cx=x, cy=y, r=2.5, style=style))
    return parts
