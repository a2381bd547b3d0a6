"""Text by others, made safe to print: odd characters made visible, length cut and stated."""

import re

LONGEST = 2_000
"""Characters of one text that a report shows."""

_ODD = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)


def visible(text: str) -> str:
    r"""Write out what would not be seen or would turn the page around: `‹U+202E›`.

    That is control characters except tab and line feed, zero-width and direction marks, and lone
    surrogates. The result can be stored as UTF-8 and stands in XML.

    >>> visible("a\x00b\u202ec\r\n")
    'a‹U+0000›b‹U+202E›c\n'
    """
    return _ODD.sub(lambda found: f"‹U+{ord(found[0]):04X}›", text.replace("\r\n", "\n"))


def cut(text: str, longest: int = LONGEST) -> tuple[str, str | None]:
    """Keep the first `longest` characters, and say what was left out.

    Returns:
        The text kept, and a sentence with both lengths, or None when nothing was left out.

    >>> cut("abcdef", 4)
    ('abcd', 'cut: 4 of 6 characters shown')
    >>> cut("abc", 4)
    ('abc', None)
    """
    if len(text) <= longest:
        return text, None
    return text[:longest], f"cut: {longest:,} of {len(text):,} characters shown"


def one_line(text: str, longest: int = 300) -> str:
    r"""Put a text on one line and cut it: for table cells and picture labels.

    >>> one_line("a\n b", 10), one_line("abcdef", 4)
    ('a b', 'abc…')
    """
    flat = " ".join(text[: 4 * longest].split())
    return flat if len(flat) <= longest else flat[: longest - 1] + "…"
