"""Marks from 1 to 10 first, then the reason: the layout of JudgeLM, in words of our own.

One, two or any number of responses are marked at once. Half marks are on the scale, as the replies
that such judges learn from hold them.
"""

from judgesmith.judging.dialect import Dialect
from judgesmith.judging.forms import ScoresFirst
from judgesmith.judging.library.blocks import (
    GROUNDED,
    QUESTION,
    REFERENCE,
    SUPPORTS,
    Support,
    block,
)
from judgesmith.judging.scale import Scale
from judgesmith.records import Direction, Kind

_SYSTEM = "You mark answers of AI assistants with care and without favour."

_ANSWERS = """{% for response in responses %}
[The Start of Assistant {{ loop.index }}'s Answer]
{{ response.text }}

[The End of Assistant {{ loop.index }}'s Answer]

{% endfor %}
"""

_MARKS = {
    Kind.SINGLE: "nothing but the mark",
    Kind.PAIR: "nothing but the two marks with a blank between them, that of Assistant 1 first",
    Kind.LIST: "nothing but the {{ responses | length }} marks with blanks between them, in the "
    "order in which the answers are shown",
}
_ORDER = " The order in which the answers stand is chance and must not count."


def _instruction(kind: Kind, support: Support) -> str:
    each = "the answer above" if kind is Kind.SINGLE else "each of the answers above"
    use = f" {support.use}" if support.use else ""
    order = "" if kind is Kind.SINGLE else _ORDER
    return (
        f"Give {each} one mark from 1 to 10 for how helpful, relevant, correct and detailed it is; "
        f"the better, the higher, and half marks are allowed.{use}\n"
        f"Write on the first line {_MARKS[kind]}. From the second line on, say why.{order}"
    )


def _dialect(name: str, kind: Kind, support: Support) -> Dialect:
    heading = "[Document]" if support is GROUNDED else "[Reference Answer]"
    user = (
        f"[Question]\n{QUESTION}\n\n{block(support, heading)}{_ANSWERS}"
        f"[System]\n{_instruction(kind, support)}\n\n### Response:"
    )
    return Dialect(
        name=name, kind=kind, system=_SYSTEM, user=user, scale=Scale(low=1, high=10, step=0.5),
        direction=Direction.BETTER, reply=ScoresFirst(),
    )  # fmt: skip


DIALECTS = (
    *(_dialect(f"judgelm{support.suffix}", Kind.PAIR, support) for support in SUPPORTS),
    *(_dialect(f"judgelm-list{support.suffix}", Kind.LIST, support) for support in SUPPORTS),
    _dialect("judgelm-single", Kind.SINGLE, REFERENCE),
    _dialect("judgelm-single-grounded", Kind.SINGLE, GROUNDED),
)
"""A single response is not marked without support: a mark needs something to hold it against."""
