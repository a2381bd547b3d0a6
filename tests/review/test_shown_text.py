"""Text by others as HTML: only ever read."""

from html.parser import HTMLParser

import pytest
from hostile_corpus import CORPUS

from judgesmith.review.shown_text import LONGEST, as_html, plain

HARMLESS = {
    "p", "strong", "em", "code", "pre", "u", "i", "s", "ul", "ol", "li", "br", "hr", "h1", "h2",
    "h3", "h4", "h5", "h6", "blockquote", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip


class Elements(HTMLParser):
    """The elements of a page and their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}


@pytest.mark.parametrize("name", CORPUS)
def test_no_text_becomes_more_than_words(name: str) -> None:
    found = Elements(as_html(CORPUS[name]))
    assert found.names <= HARMLESS
    assert found.attributes <= {"dir", "class", "start"}


def test_what_turns_a_page_around_is_written_out() -> None:
    assert "‹U+202E›" in as_html(CORPUS["turned around"])
    assert "\u202e" not in as_html(CORPUS["turned around"]) + plain(CORPUS["turned around"])


def test_joiners_inside_words_and_emoji_stay() -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    assert plain(family) == family
    assert plain("a\u200db") == "a‹U+200D›b"


def test_markdown_is_read() -> None:
    html = as_html(
        "# T\n\n- **a**\n- `b`\n\n| x | y |\n|:--|--:|\n| 1 | 2 |\n\n```py\nif x < 1:\n```"
    )
    for part in (
        "<h1",
        "<strong>a</strong>",
        "<code>b</code>",
        '<td dir="auto">1</td>',
        "if x &lt; 1:",
    ):
        assert part in html


def test_a_very_long_text_is_shown_as_it_stands() -> None:
    html = as_html("*" * (LONGEST + 1))
    assert html.startswith("<pre")
    assert len(html) > LONGEST
