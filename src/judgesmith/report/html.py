"""The report as one HTML page that loads nothing."""

import base64
import hashlib
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from judgesmith.report.blocks import Banner, Block, Browser, Judged, Plots, Table, Text
from judgesmith.report.browser import browser_json, shown_words
from judgesmith.report.document import Document
from judgesmith.report.examples import example_parts, example_title
from judgesmith.report.excerpt import visible
from judgesmith.report.sections import build_sections, stamp_of

_KINDS: dict[type[Block], str] = {
    Banner: "banner",
    Browser: "browser",
    Judged: "judged",
    Plots: "plots",
    Table: "table",
    Text: "text",
}


def render_html(document: Document) -> str:
    """Write the report as one self-contained HTML page.

    Style and pictures are inside; the page loads nothing, and forbids it by its content security
    policy. It has no script, except that of the disagreement browser where there is one, which
    the policy names by its hash. All text is escaped; long texts are cut to a stated length.

    Args:
        document: Everything that the report shows.

    Returns:
        The page, ready to be stored as UTF-8.
    """
    template = _environment().get_template("report.html.j2")
    sections = build_sections(document)
    browses = any(isinstance(block, Browser) for one in sections for block in one.blocks)
    return template.render(
        document=document,
        sections=sections,
        script=Markup(browser_script()) if browses else None,
        script_hash=Markup(script_hash()),
        browser_json=lambda browser: Markup(browser_json(browser)),
        shown_words=shown_words,
        stamp=stamp_of(document),
        kind_of=lambda block: _KINDS[type(block)],
        example_parts=example_parts,
        example_title=example_title,
        drawn=Markup,
    )


@cache
def browser_script() -> str:
    """Give the script of the disagreement browser, as it stands in the page."""
    return files("judgesmith.report").joinpath("templates/browser.js").read_text("utf-8")


@cache
def script_hash() -> str:
    """Give the hash by which the page's policy allows the one script that it has."""
    digest = hashlib.sha256(browser_script().encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


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
