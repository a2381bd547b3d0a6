"""The page on agreement: what the numbers are, as tables and a picture."""

import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from markupsafe import Markup

from judgesmith.report.interval_plots import Group, Row, forest_plot
from judgesmith.report.marks import Mark
from judgesmith.report.numbers import estimate, not_shown, read_number
from judgesmith.report.results import Number
from judgesmith.review.agreement import Agreement, AgreementRow
from judgesmith.review.handing import APART

_STYLED = re.compile(r'\sstyle="([^"]*)"')
_TITLES = (
    ("overall", "All people", ""),
    ("ceiling", "Each person against the majority of the others", "The human ceiling, as reports "
     "define it: how well a judge could agree with people who agree no better."),
    ("pairs", "Two people", "Kappa and AC1 correct for chance in two ways; where one verdict "
     "prevails, kappa falls and AC1 does not."),
    ("buckets", "By bucket", ""),
    ("selves", "Each person with themselves", "On items that came twice."),
)  # fmt: skip


def without_style(svg: str) -> Markup:
    """A drawing whose colours are attributes: the pages' policy forbids `style`.

    >>> without_style('<rect style="fill:var(--blue,#0072b2);fill-opacity:0.5"/>')
    Markup('<rect fill="var(--blue,#0072b2)" fill-opacity="0.5"/>')
    """

    def attributes(found: re.Match[str]) -> str:
        pairs = (part.partition(":") for part in found[1].split(";") if part)
        return "".join(f' {name}="{value}"' for name, _, value in pairs if name != "min-width")

    return Markup(_STYLED.sub(attributes, svg))  # drawn by our own code, its texts escaped there


def tables_of(found: Agreement) -> list[dict[str, Any]]:
    """The tables of the page, each with its picture."""
    tables = []
    for field, title, told in _TITLES:
        rows: tuple[AgreementRow, ...] = getattr(found, field)
        if rows:
            tables.append({
                "title": title, "told": told,
                "head": ("", "Measure", "Agreement [95% interval]", "n"),
                "rows": [
                    (_name(one), one.measure, estimate(_number(one)), f"{one.estimate.n:,}")
                    for one in rows
                ],
                "plot": _plot(title, rows),
            })  # fmt: skip
    return tables


def _name(one: AgreementRow) -> str:
    who = one.first if one.second is None else f"{one.first} and {one.second}"
    return who if one.bucket is None else f"{one.bucket}: {who}"


def _number(one: AgreementRow) -> Number | None:
    return read_number({**asdict(one.estimate), "hidden": one.withheld})


def _plot(title: str, rows: Sequence[AgreementRow]) -> Markup | None:
    numbers = [(f"{_name(one)}, {one.measure}", _number(one)) for one in rows]
    lines = tuple(
        Row(name, Mark.PERSON, number) for name, number in numbers
        if number is not None and not_shown(number) is None
    )  # fmt: skip
    return without_style(forest_plot(title, [Group("", lines)])) if lines else None


def warnings_of(found: Agreement) -> list[str]:
    """What must be known to read the numbers."""
    told = []
    if found.simulated:
        told.append("Some answers here are simulated: they are in no human ceiling.")
    if found.preferring:
        told.append(
            "The queue prefers items on which judges disagree, so these numbers are of hard items. "
            "labels.csv has the weight of each item in all."
        )
    if found.early:
        told.append(
            f"{found.early:,} items came again before {APART} others had been answered, as the "
            "queue ended: how well people agree with themselves on those is partly memory."
        )
    if found.needed is not None and found.needed > found.shared:
        told.append(
            f"{found.shared:,} items have verdicts of two people. An interval of plus and minus "
            f"{found.half_width:g} takes about {found.needed:,}: {found.needed - found.shared:,} "
            "more."
        )
    return told
