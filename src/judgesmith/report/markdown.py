"""The report as Markdown: the same tables and texts, pictures left to the HTML page."""

import re
from collections.abc import Iterable

from judgesmith.report.blocks import (
    Banner,
    Block,
    Browser,
    Cell,
    Judged,
    Plots,
    Section,
    Table,
    Text,
)
from judgesmith.report.browser import MOST_AS_TEXT, row_parts, row_title, shown_words
from judgesmith.report.document import Document
from judgesmith.report.examples import Part, example_parts, example_title
from judgesmith.report.excerpt import one_line, visible
from judgesmith.report.results import Example
from judgesmith.report.sections import build_sections, stamp_of

MOST_PICTURES = 4
"""Pictures side by side that are named one by one."""

_SPECIAL = re.compile(r"([\\`*|~$])|(?<!\w)(_)|(_)(?!\w)")


def render_markdown(document: Document) -> str:
    """Write the report as Markdown with tables.

    Text by others is escaped in tables and fenced in examples; no HTML of theirs gets through.

    Args:
        document: Everything that the report shows.

    Returns:
        The page, ready to be stored as UTF-8.
    """
    stamp = stamp_of(document)
    sections = build_sections(document)
    parts = [f"# {plain(_stamped(document.name, stamp))}", plain(document.description)]
    parts.append(f"Task: {plain(document.task)}")
    parts.append("\n".join(f"- [{one.title}](#{_anchor(one)})" for one in sections))
    parts += [render_section(section, stamp=stamp) for section in sections]
    return "\n\n".join(part.rstrip("\n") for part in parts if part) + "\n"


def render_section(section: Section, *, stamp: str = "", level: int = 2) -> str:
    """Write one section as Markdown, under a heading of that level."""
    parts = [f"{'#' * level} {section.title}"]
    parts += [text for block in section.blocks for text in render_block(block, stamp)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _anchor(section: Section) -> str:
    return re.sub(r"[^\w -]", "", section.title.lower()).replace(" ", "-")


def plain(text: str) -> str:
    r"""Escape a text for one line of Markdown: no markup, no HTML, no table bar.

    >>> plain("a|b <script> *x* [y](z)")
    'a\\|b &lt;script&gt; \\*x\\* [y]\\(z)'
    """
    flat = one_line(visible(text), 4_000)
    flat = re.sub(r"&(?=#?\w+;)", "&amp;", flat).replace("<", "&lt;").replace(">", "&gt;")
    flat = _SPECIAL.sub(lambda found: "\\" + found[0], flat)
    flat = re.sub(r"\](?=[(\[:])", r"]\\", flat)
    return re.sub(r"^(#+ |[-+] |\d+[.)] )", r"\\\1", flat)


def render_block(block: Block, stamp: str) -> list[str]:
    """A block as parts of Markdown, an empty line between them; `stamp` marks its heading."""
    if isinstance(block, Banner):
        title = block.title if block.tone == "answer" else block.title.upper()
        return [f"> **{plain(title)}**\n>\n> {plain(block.text)}"]
    if isinstance(block, Text):
        return [plain(block.text)]
    if isinstance(block, Plots) and len(block.plots) > MOST_PICTURES:
        named = "; ".join(_stamped(plot.heading, stamp) for plot in block.plots)
        return [f"*Pictures on the HTML page: {plain(named)} ({block.plots[0].elsewhere}).*"]
    if isinstance(block, Plots):
        return [
            f"*Picture on the HTML page: {plain(_stamped(plot.heading, stamp))} "
            f"({plot.elsewhere}).*"
            for plot in block.plots
        ]
    if isinstance(block, Table):
        return _table(block, stamp)
    if isinstance(block, Browser):
        return _browsed(block, stamp)
    return [part for text in _judged(block, stamp) for part in text]


def _stamped(heading: str, stamp: str) -> str:
    return f"[{stamp}] {heading}" if stamp else heading


def _table(table: Table, stamp: str) -> list[str]:
    heading = f"### {plain(_stamped(table.heading, stamp))}"
    if not table.rows:
        return [heading, "No rows."]
    lines = [_row(plain(column.title) for column in table.columns)]
    lines.append(_row("---:" if column.numeric else "---" for column in table.columns))
    lines += [_row(map(_cell, row)) for row in table.rows]
    return [heading, "\n".join(lines), plain(table.note)]


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cell(cell: Cell) -> str:
    text = plain(cell.text)
    if cell.tone in ("strong", "fail", "error") and text:
        text = f"**{text}**"
    return f"{text} ({plain(cell.aside)})" if cell.aside else text


def _judged(block: Judged, stamp: str) -> Iterable[list[str]]:
    yield [f"### {plain(_stamped(f'{block.title} · {block.labels}', stamp))}"]
    for example in block.examples:
        yield _example(example)


def _example(example: Example) -> list[str]:
    return _named(example_title(example), example_parts(example))


def _named(title: str, shown: Iterable[Part]) -> list[str]:
    parts = [f"#### {plain(title)}"]
    for part in shown:
        note = f" ({part.note})" if part.note else ""
        parts.append(f"{plain(part.name)}{note}:")
        parts.append(fenced(part.text))
    return parts


def _browsed(block: Browser, stamp: str) -> list[str]:
    shown = block.rows[:MOST_AS_TEXT]
    parts = [f"### {plain(_stamped(f'{block.title} · {block.labels}', stamp))}"]
    parts.append(f"{plain(shown_words(block))} The first {len(shown):,} are shown here.")
    for row in shown:
        parts += _named(row_title(row, block.judges), row_parts(row))
    return parts


def fenced(text: str) -> str:
    r"""Put a text between fences longer than any run of back quotes in it.

    >>> fenced("a ``` b").splitlines()[0]
    '````text'
    """
    shown = visible(text)
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{shown}\n{fence}"
