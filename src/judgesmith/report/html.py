"""The report as one HTML page that loads nothing."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from judgesmith.report.blocks import Banner, Block, Judged, Plots, Table, Text
from judgesmith.report.document import Document
from judgesmith.report.examples import example_parts, example_title
from judgesmith.report.excerpt import visible
from judgesmith.report.sections import build_sections, stamp_of

_KINDS: dict[type[Block], str] = {
    Banner: "banner",
    Judged: "judged",
    Plots: "plots",
    Table: "table",
    Text: "text",
}


def render_html(document: Document) -> str:
    """Write the report as one self-contained HTML page.

    Style and pictures are inside; the page has no script and loads nothing, and forbids both by
    its content security policy. All text is escaped; long texts are cut to a stated length.

    Args:
        document: Everything that the report shows.

    Returns:
        The page, ready to be stored as UTF-8.
    """
    template = _environment().get_template("report.html.j2")
    return template.render(
        document=document,
        sections=build_sections(document),
        stamp=stamp_of(document),
        kind_of=lambda block: _KINDS[type(block)],
        example_parts=example_parts,
        example_title=example_title,
        drawn=Markup,
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("judgesmith.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finish,
    )


def _finish(value: object) -> object:
    return visible(value) if type(value) is str else value
