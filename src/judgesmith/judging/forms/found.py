"""What a form finds in a reply, before anybody asks whether it is on the scale."""

from typing import NamedTuple

from judgesmith.records import Status

Written = str | list[str] | dict[str, list[str]]
"""A verdict in the words of a reply: one, one per response, or one per response by criterion."""


class Found(NamedTuple):
    """The two parts of a reply.

    `status` says why there is no verdict; `written` is None exactly then. `closed` says that
    something stands after the verdict which only a complete reply has, and `strict` that the form
    marks where the verdict ends, so that whatever stands there is meant as one. Where it is not the
    `last`, a reply that was cut may have had another after it, as what was found may stand in a
    quotation. `rationale_at` and `written_at` are
    where the parts stand in the text.
    """

    status: Status | None
    rationale: str | None
    written: Written | None = None
    closed: bool = False
    strict: bool = False
    last: bool = True
    rationale_at: tuple[int, int] | None = None
    written_at: tuple[int, int] | None = None


def trimmed(text: str, begins: int, end: int) -> tuple[int, int]:
    """The same place without outer white space."""
    inner = text[begins:end]
    left = len(inner) - len(inner.lstrip())
    return begins + left, begins + max(left, len(inner.rstrip()))
