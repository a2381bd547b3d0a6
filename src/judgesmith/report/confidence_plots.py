"""Pictures of confidence: how sure against how often right, and the risk that is left."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from judgesmith.report.evidence import Calibration, CalibrationBin, RiskCoverage
from judgesmith.report.marks import middle_cut
from judgesmith.report.numbers import ends, estimate, figure, not_shown
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

LEFT, RIGHT = 44.0, float(WIDTH - 12)
TICKS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
TONES = ("blue", "orange", "green", "purple", "ink")
DASHES = ("", "7 3", "2 3")
MOST_CURVES = len(TONES) * len(DASHES)
"""Curves that tone and dash tell apart."""


def reliability_plot(title: str, calibration: Calibration, *, stamp: str = "") -> str:
    """Draw the share that is right in each bin at the bin's mean confidence, with intervals.

    On the diagonal a judge is as often right as it is sure. Bars below count the verdicts of each
    bin. A bin whose share must not be shown keeps its count.

    Args:
        title: What the picture shows.
        calibration: The bins.
        stamp: A word printed on the picture.

    Returns:
        SVG text.
    """
    bins = [one for one in calibration.bins if one.n > 0]
    if not bins:
        note = words((0, 20), "not shown: no verdict has a confidence", tone="soft", size=11)
        return drawing(30, [note], title=title, stamp=stamp)
    top, bottom = 26.0, 206.0
    along = Scale(0, 1, start=LEFT, end=RIGHT)
    up = Scale(0, 1, start=bottom, end=top)
    parts = [words((0, 14), "share right ↑", tone="soft", size=11), *_frame(along, up)]
    corners = (along(0), up(0)), (along(1), up(1))
    parts.append(stroke(*corners, tone="soft", dash="5 4"))
    shown = [one for one in bins if not_shown(one.right) is None]
    parts.append(_line([(along(one.confidence), up(_share(one))) for one in shown], "blue"))
    parts += [_point(one, along, up) for one in bins]
    parts += _counts(bins, along, bottom + 30)
    foot = bottom + 104
    parts.append(words((RIGHT, foot), "confidence →", tone="soft", anchor="end", size=11))
    return drawing(foot + 6, parts, title=title, stamp=stamp)


def _share(one: CalibrationBin) -> float:
    return one.right.value or 0.0


def _frame(along: Scale, up: Scale) -> list[str]:
    parts = []
    for tick in TICKS:
        parts.append(stroke((LEFT, up(tick)), (RIGHT, up(tick)), tone="line"))
        name = "0" if tick == 0 else figure(tick, places=1)
        parts.append(words((LEFT - 6, up(tick) + 4), name, tone="soft", anchor="end", size=11))
        parts.append(
            words((along(tick), up.start + 15), name, tone="soft", anchor="middle", size=11)
        )
    return parts


def _line(places: Sequence[Point], tone: str, dash: str = "") -> str:
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dashed = {"stroke_dasharray": dash} if dash else {}
    style = f"fill:none;{paint('stroke', tone)}"
    return node("polyline", points=joined, stroke_width=1.8, style=style, **dashed)


def _point(one: CalibrationBin, along: Scale, up: Scale) -> str:
    said = hint(
        f"confidence {figure(one.low)} to {figure(one.high)}, mean {figure(one.confidence)}: "
        f"right {estimate(one.right)}, n = {one.n:,}"
    )
    if not_shown(one.right) is not None:
        return node("g", said)
    x, y = along(one.confidence), up(_share(one))
    parts = [said]
    interval = ends(one.right)
    if interval:
        low, high = (up(end) for end in interval)
        parts.append(stroke((x, low), (x, high), tone="blue", width=2))
        parts += [stroke((x - 4, at), (x + 4, at), tone="blue", width=1.5) for at in (low, high)]
    parts.append(node("circle", cx=x, cy=y, r=4.5, style=paint("fill", "blue")))
    return node("g", *parts)


def _counts(bins: Sequence[CalibrationBin], along: Scale, top: float) -> list[str]:
    high = 42.0
    most = max(one.n for one in bins)
    parts = [words((0, top + 12), "n", tone="soft", size=11)]
    edge = -math.inf
    for one in bins:
        start, end = along(one.low), along(one.high)
        tall = high * one.n / most
        style = f"{paint('fill', 'blue')};fill-opacity:0.45"
        place = {"x": start + 0.5, "y": top + 16 + high - tall, "height": max(tall, 0.8)}
        bar = node(
            "rect",
            hint(f"confidence {figure(one.low)} to {figure(one.high)}: n = {one.n:,}"),
            width=max(end - start - 1, 1.0),
            style=style,
            **place,
        )
        parts.append(bar)
        middle, half = (start + end) / 2, 3.0 * len(f"{one.n:,}")
        if middle - half > edge:
            parts.append(words((middle, place["y"] - 3), f"{one.n:,}", anchor="middle", size=10))
            edge = middle + half
    return parts


@dataclass(frozen=True, slots=True)
class Curve:
    """The risk-coverage curve of one judge."""

    judge: str
    found: RiskCoverage


def risk_plot(title: str, curves: Sequence[Curve], *, stamp: str = "") -> str:
    """Draw the risk that is left when only the surest share of verdicts is kept, for all judges.

    Every curve has its own tone and dash and a number at its right end; the key below names it
    and gives its area. Beyond `MOST_CURVES` curves the key says how many are left to the table.

    Args:
        title: What the picture shows.
        curves: One per judge, in the order of the key.
        stamp: A word printed on the picture.

    Returns:
        SVG text.
    """
    drawn = [curve for curve in curves if curve.found.points][:MOST_CURVES]
    if not drawn:
        note = words((0, 20), "not shown: no verdict has a confidence", tone="soft", size=11)
        return drawing(30, [note], title=title, stamp=stamp)
    most = max(risk for curve in drawn for _, risk in curve.found.points)
    steps = round_steps(0, max(most, 0.05))
    top, bottom = 26.0, 246.0
    along = Scale(0, 1, start=LEFT, end=RIGHT - 18)
    up = Scale(0, steps[-1], start=bottom, end=top)
    parts = [words((0, 14), "share wrong of those kept ↑", tone="soft", size=11)]
    parts += _risk_frame(steps, along, up)
    parts.append(words((RIGHT, bottom + 30), "coverage →", tone="soft", anchor="end", size=11))
    for place, curve in enumerate(drawn):
        parts.append(_curve(curve, place, along, up))
    parts += _end_numbers([up(max(curve.found.points)[1]) for curve in drawn], along(1.0), bottom)
    key, foot = _key(drawn, len(curves) - len(drawn), bottom + 48)
    return drawing(foot, [*parts, *key], title=title, stamp=stamp)


def _risk_frame(steps: Sequence[float], along: Scale, up: Scale) -> list[str]:
    parts = []
    for tick in steps:
        parts.append(stroke((LEFT, up(tick)), (along(1), up(tick)), tone="line"))
        name = "0" if tick == 0 else figure(tick, places=2 if steps[1] < 0.1 else 1)
        parts.append(words((LEFT - 6, up(tick) + 4), name, tone="soft", anchor="end", size=11))
    for tick in TICKS:
        name = "0" if tick == 0 else figure(tick, places=1)
        place = (along(tick), up.start + 15)
        parts.append(words(place, name, tone="soft", anchor="middle", size=11))
    return parts


def _style(place: int) -> tuple[str, str]:
    return TONES[place % len(TONES)], DASHES[place // len(TONES) % len(DASHES)]


def _curve(curve: Curve, place: int, along: Scale, up: Scale) -> str:
    tone, dash = _style(place)
    said = hint(f"{curve.judge}: area {estimate(curve.found.area)}")
    points = [(along(share), up(risk)) for share, risk in sorted(curve.found.points)]
    return node("g", said, _line(points, tone, dash))


def _end_numbers(heights: Sequence[float], x: float, bottom: float) -> list[str]:
    """Write a number at the end of each curve, moved apart where ends are close."""
    order = sorted(range(len(heights)), key=lambda place: heights[place])
    apart = min(11.0, (bottom - 20.0) / max(len(heights), 1))
    placed: list[float] = []
    for place in order:
        placed.append(max(heights[place], placed[-1] + apart if placed else 0.0))
    over = max(placed[-1] - bottom, 0.0)
    parts = []
    for place, found in zip(order, placed, strict=True):
        y = found - over
        parts.append(stroke((x, heights[place]), (x + 7, y), tone="line"))
        parts.append(words((x + 9, y + 3.5), str(place + 1), size=10, tone=_style(place)[0]))
    return parts


def _key(curves: Sequence[Curve], left_out: int, top: float) -> tuple[list[str], float]:
    parts = []
    y = top
    for place, curve in enumerate(curves):
        tone, dash = _style(place)
        parts.append(words((18, y), str(place + 1), anchor="end", size=11))
        parts.append(stroke((24, y - 4), (50, y - 4), tone=tone, width=2, dash=dash))
        parts.append(words((56, y), middle_cut(curve.judge, 36), size=11))
        area = curve.found.area
        told = estimate(area) if not_shown(area) is None else "not shown"
        parts.append(words((WIDTH, y), f"area {told}", anchor="end", size=11, tone="soft"))
        y += 16
    if left_out > 0:
        parts.append(words((18, y), f"{left_out:,} more in the table below", tone="soft", size=11))
        y += 16
    return parts, y
