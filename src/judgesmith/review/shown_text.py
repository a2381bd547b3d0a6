"""Text by others as HTML: Markdown without HTML of its own, links that lead nowhere.

Nothing of a text becomes an attribute, so whatever it holds is only read: a link shows where it
would lead, a picture shows its address, and characters that would turn the page around are
written out.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup, escape

from judgesmith.report.excerpt import visible

LONGEST = 200_000
"""Characters; a longer text is not read as Markdown but shown as it stands."""

_JOINED = re.compile("(?<=[^\x00-\x7f])[\u200c\u200d](?=[^\x00-\x7f])")
"""Joiners inside a word of Persian, Hindi and others, or inside one emoji, belong to it."""

_CELLS = {"td_open", "th_open"}


def plain(text: str) -> str:
    r"""The text with what would not be seen written out.

    >>> plain("a\u202eb"), plain("\u0645\u06cc\u200c\u062e\u0648\u0627") == "\u0645\u06cc\u200c\u062e\u0648\u0627"
    ('a‹U+202E›b', True)
    """  # noqa: E501
    parts, begun = [], 0
    for found in _JOINED.finditer(text):
        parts += [visible(text[begun : found.start()]), found[0]]
        begun = found.end()
    return "".join([*parts, visible(text[begun:])])


@lru_cache(maxsize=512)
def as_html(text: str) -> Markup:
    r"""The text read as Markdown.

    >>> str(as_html("**b** <script>x</script>"))
    '<p dir="auto"><strong>b</strong> &lt;script&gt;x&lt;/script&gt;</p>\n'
    >>> str(as_html("[x](javascript:alert)"))
    '<p dir="auto">[x](javascript:alert)</p>\n'
    >>> str(as_html("[x](http://a.b)"))
    '<p dir="auto"><u>x</u> <code>http://a.b</code></p>\n'
    """
    told = plain(text)
    if len(told) > LONGEST:
        return Markup('<pre dir="auto">') + escape(told) + Markup("</pre>")
    return Markup(_reader().render(told))


@lru_cache(maxsize=1)
def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False, "breaks": True}, renderer_cls=_Renderer)
    reader.enable(["table", "strikethrough"])
    reader.core.ruler.push("directions", _directions)
    return reader


def _directions(state: StateCore) -> None:
    """Each outermost block, and each cell, is read in its own direction; what is inside follows."""
    for token in state.tokens:
        outermost = token.level == 0 and token.nesting == 1 and token.type != "table_open"
        if outermost or token.type in _CELLS:
            token.attrSet("dir", "auto")
        token.attrs.pop("style", None)  # of aligned cells; the pages' policy forbids it


class _Renderer(RendererHTML):
    """Links and pictures as text beside the address that they name."""

    def link_open(self, *_: object) -> str:
        return "<u>"

    def link_close(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        depth = 0
        for token in reversed(tokens[:idx]):
            depth += (token.type == "link_close") - (token.type == "link_open")
            if depth < 0:
                return f"</u> <code>{escape(str(token.attrGet('href') or ''))}</code>"
        return "</u>"

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        source = escape(str(tokens[idx].attrGet("src") or ""))
        return f"<i>[picture: {escape(tokens[idx].content)}]</i> <code>{source}</code>"
