"""What a row of a picture stands for: its name, shape and tone."""

from enum import StrEnum

from judgesmith.report.excerpt import one_line
from judgesmith.report.svg import node, paint


class Mark(StrEnum):
    """What a row stands for; each has its own shape and tone, and is named in words beside it."""

    STUDENT = "student"
    JUDGE = "judge"
    TEACHER = "teacher"
    BEFORE = "before training"
    PERSON = "person"
    KEY = "key"
    BASELINE = "baseline"
    PUBLISHED = "published, cited"


TONES = {
    Mark.STUDENT: "blue",
    Mark.JUDGE: "blue",
    Mark.TEACHER: "purple",
    Mark.BEFORE: "orange",
    Mark.PERSON: "green",
    Mark.KEY: "green",
    Mark.BASELINE: "soft",
    Mark.PUBLISHED: "purple",
}

_PATHS = {
    Mark.TEACHER: "M{x:.1f} {low:.1f}l6 -11h-12z",
    Mark.PERSON: "M{x:.1f} {top:.1f}h2v4h4v4h-4v4h-4v-4h-4v-4h4v-4z",
    Mark.KEY: "M{x:.1f} {top:.1f}l6 11h-12z",
    Mark.BASELINE: "M{x:.1f} {top:.1f}l6 6l-6 6l-6 -6z",
}
"""Outlines: a triangle on its point, a cross, a triangle, a diamond."""


def shape(mark: Mark, x: float, y: float) -> str:
    """Draw the shape of a mark around a place.

    >>> shape(Mark.STUDENT, 10, 10)
    '<rect x="5" y="5" width="10" height="10" style="fill:var(--blue,#0072b2)"/>'
    """
    fill = paint("fill", TONES[mark])
    if mark is Mark.STUDENT:
        return node("rect", x=x - 5, y=y - 5, width=10, height=10, style=fill)
    if mark in _PATHS:
        return node("path", d=_PATHS[mark].format(x=x, top=y - 6, low=y + 6), style=fill)
    if mark is Mark.PUBLISHED:
        hollow = f"{paint('stroke', TONES[mark])};{paint('fill', 'paper')}"
        return node("circle", cx=x, cy=y, r=5, stroke_width=2, style=hollow)
    return node("circle", cx=x, cy=y, r=5, style=fill)


def middle_cut(name: str, longest: int) -> str:
    """Put a name on one line; cut it in the middle, as names of models differ at both ends.

    >>> middle_cut("org/model-7b-instruct-v2", 12)
    'org/mo…ct-v2'
    """
    flat = one_line(name, 400)
    if len(flat) <= longest:
        return flat
    tail = (longest - 1) // 2
    return f"{flat[: longest - 1 - tail]}…{flat[len(flat) - tail :]}"


def name_lines(name: str, width: int) -> list[str]:
    """Break a name into at most two lines of `width` letters; a longer one is cut in its middle.

    >>> name_lines("random", 9), name_lines("gpt-4 by rating", 9)
    (['random'], ['gpt-4 by', 'rating'])
    >>> name_lines("PaLM2/Reference", 12), name_lines("onlyoneword", 9)
    (['PaLM2/', 'Reference'], ['onlyonewo', 'rd'])
    >>> name_lines("a-very-long-name-of-a-model", 9)
    ['a-very-lo', '…-a-model']
    """
    flat = one_line(name, 400)
    if len(flat) <= width:
        return [flat]
    ends = [place for place in range(1, width + 1) if flat[place - 1] in " /-_:,"]
    for place in (*reversed(ends), width):
        if len(flat) - place <= width:
            return [flat[:place].rstrip(), flat[place:].lstrip()]
    kept = middle_cut(flat, 2 * width)
    return [kept[:width], kept[width:]]
