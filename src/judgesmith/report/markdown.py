"""The report as Markdown: the same tables and texts, pictures left to the HTML page."""

import re
from collections.abc import Iterable

from judgesmith.report.blocks import Banner, Block, Cell, Judged, Plots, Section, Table, Text
from judgesmith.report.document import Document
from judgesmith.report.examples import example_parts, example_title
from judgesmith.report.excerpt import one_line, visible
from judgesmith.report.results import Example
from judgesmith.report.sections import build_sections, stamp_of

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
    for section in sections:
        parts.append(f"## {section.title}")
        parts += [text for block in section.blocks for text in _block(block, stamp)]
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


def _block(block: Block, stamp: str) -> Iterable[str]:
    if isinstance(block, Banner):
        return [f"> **{plain(block.title).upper()}**\n>\n> {plain(block.text)}"]
    if isinstance(block, Text):
        return [plain(block.text)]
    if isinstance(block, Plots):
        return [
            f"*Picture on the HTML page: {plain(_stamped(plot.heading, stamp))} "
            f"({plot.elsewhere}).*"
            for plot in block.plots
        ]
    if isinstance(block, Table):
        return _table(block, stamp)
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
    parts = [f"#### {plain(example_title(example))}"]
    for part in example_parts(example):
        note = f" ({part.note})" if part.note else ""
        parts.append(f"{plain(part.name)}{note}:")
        parts.append(fenced(part.text))
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
