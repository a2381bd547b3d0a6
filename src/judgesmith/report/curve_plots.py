"""Pictures of training: two panels over the same steps, losses above, what they are worth below."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

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
from judgesmith.report.training import CurvePoint, PreferencePoint

LEFT, HEIGHT = 44.0, 130.0
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


Panels = tuple[tuple[Series, ...], tuple[Series, ...]]
NO_OTHERS: Panels = ((), ())


def training_plot(
    title: str, curve: Sequence[CurvePoint], *,
    beside: Sequence[CurvePoint] = (), width: float = WIDTH, stamp: str = "",
) -> str:  # fmt: skip
    """Draw train and dev loss in one panel and dev kappa in a second, over the steps.

    What was not measured at a step has no point there; a line joins the points that were. A
    quantity that was never measured is said to be not shown.

    Args:
        title: What the picture shows.
        curve: The logged moments, in any order.
        beside: Those of other students, whose pictures are to have the same axes.
        width: Width in units; less than `WIDTH` for pictures that stand in a row.
        stamp: A word printed on the picture.

    Returns:
        SVG text.
    """

    def of(points: Sequence[CurvePoint]) -> Panels:
        losses = (
            _read("train loss", points, "train_loss", tone="blue"),
            _read("dev loss", points, "dev_loss", tone="orange", dash="6 3"),
        )
        return losses, (_read("dev kappa", points, "dev_kappa", tone="green"),)

    steps = [point.step for point in (*curve, *beside)]
    sheet = Sheet(steps, width, stamp)
    return _two_panels(title, of(curve), sheet, others=of(beside))


def preference_plots(
    titles: tuple[str, str], curve: Sequence[PreferencePoint], *, stamp: str = ""
) -> tuple[str, str]:
    """Draw DPO's loss and margin in one picture, rewarded pairs and dev kappa in another.

    Args:
        titles: What each picture shows.
        curve: The logged moments, in any order.
        stamp: A word printed on the pictures.

    Returns:
        SVG texts of both.
    """
    sheet = Sheet([point.step for point in curve], WIDTH, stamp)

    def both(name: str) -> tuple[Series, ...]:
        return (
            _read(f"train {name}", curve, f"train_{name}", tone="blue"),
            _read(f"dev {name}", curve, f"dev_{name}", tone="orange", dash="6 3"),
        )

    kappa = _read("dev kappa", curve, "dev_kappa", tone="green")
    return (
        _two_panels(titles[0], (both("loss"), both("margin")), sheet),
        _two_panels(titles[1], (both("rewarded"), (kappa,)), sheet),
    )


@dataclass(frozen=True, slots=True)
class Sheet:
    """What both panels of a picture share: the steps, the width in units, the stamp."""

    steps: Sequence[int]
    width: float
    stamp: str

    @property
    def along(self) -> Scale:
        """Where a step is drawn."""
        first, last = (min(self.steps), max(self.steps)) if self.steps else (0, 0)
        return Scale(float(first), float(last), start=LEFT + 6, end=self.right - 6)

    @property
    def right(self) -> float:
        """Where the field ends."""
        return self.width - 10.0


def _two_panels(title: str, panels: Panels, sheet: Sheet, *, others: Panels = NO_OTHERS) -> str:
    """One panel above the other; `others` only widen the axes."""
    tops = (34.0, 34.0 + HEIGHT + 56)
    parts = [
        part
        for series, beside, top in zip(panels, others, tops, strict=True)
        for part in _panel(series, sheet, top, beside)
    ]
    bottom = 34.0 + 2 * HEIGHT + 56
    place = (sheet.right, bottom + 34)
    parts.append(words(place, "training step", tone="soft", anchor="end", size=11))
    return drawing(bottom + 40, parts, title=title, stamp=sheet.stamp, width=sheet.width)


def _read(
    name: str, curve: Sequence[CurvePoint] | Sequence[PreferencePoint], field: str, *,
    tone: str, dash: str = "",
) -> Series:  # fmt: skip
    found = [(point.step, getattr(point, field)) for point in curve]
    return _series(name, sorted(found, key=itemgetter(0)), tone=tone, dash=dash)


def _series(
    name: str, found: Sequence[tuple[int, float | None]], *, tone: str, dash: str = ""
) -> Series:
    measured = [(float(step), value) for step, value in found if value is not None]
    drawn = [
        (step, value) for step, value in measured if math.isfinite(value) and abs(value) <= LARGEST
    ]
    return Series(name, tone, dash, tuple(drawn), len(measured) - len(drawn))


def _panel(
    series: Sequence[Series], sheet: Sheet, top: float, beside: Sequence[Series] = ()
) -> list[str]:
    along = sheet.along
    parts = _legend(series, top - 12, narrow=sheet.width < WIDTH)
    if not any(one.points for one in series):
        return [*parts, words((LEFT, top + 20), _nothing(series), tone="soft", size=11)]
    values = [value for one in (*series, *beside) for _, value in one.points]
    steps = round_steps(min(0.0, *values), max(values), about=4)
    up = Scale(steps[0], steps[-1], start=top + HEIGHT, end=top)
    places = tick_places(steps)
    for tick in steps:
        parts.append(stroke((LEFT, up(tick)), (sheet.right, up(tick)), tone="line"))
        name = figure(tick, places=places)
        name = "0" if tick == 0 else name
        parts.append(words((LEFT - 6, up(tick) + 4), name, tone="soft", anchor="end", size=11))
    for tick in round_steps(along.low, along.high, about=5 if sheet.width >= WIDTH else 3):
        if along.low <= tick <= along.high and tick == int(tick):
            place = (along(tick), top + HEIGHT + 15)
            parts.append(words(place, f"{tick:,.0f}", tone="soft", anchor="middle", size=11))
    return [*parts, *(part for one in series for part in _line(one, along, up))]


def _nothing(series: Sequence[Series]) -> str:
    names = " or ".join(one.name for one in series)
    reason = "not finite" if any(one.left_out for one in series) else "never measured"
    return f"not shown: no {names} ({reason})"


def _legend(series: Sequence[Series], y: float, *, narrow: bool) -> list[str]:
    parts = []
    x = LEFT
    for one in series:
        absent = "never measured" if narrow else "not shown, never measured"
        name = one.name if one.points else f"{one.name}: {absent}"
        if one.left_out:
            hidden = f"{one.left_out} not finite" + ("" if narrow else ", not shown")
            name = f"{one.name} ({hidden})"
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
