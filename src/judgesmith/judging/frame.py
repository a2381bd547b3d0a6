"""What stands around the verdict in a reply: with it a verdict can be read out of a model.

A judge that gives no reason is told the beginning of its reply, and asked how likely each verdict
is that could follow; what follows the verdict tells "1" from the beginning of "10".
"""

from collections.abc import Sequence
from itertools import takewhile
from typing import NamedTuple

from judgesmith.errors import DataError
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.writing import NEUTRAL
from judgesmith.records import Kind

_INSTEAD = "Judge with reasons (mode: rationale)."


class Frame(NamedTuple):
    """The text before a verdict, the words of each verdict in scale order, and the text after."""

    opening: str
    options: tuple[str, ...]
    closing: str


def bare_frame(dialect: Dialect) -> Frame:
    """The frame of replies without a reason: `opening + words + closing` is the whole reply.

    Raises DataError for a dialect with several scores in a reply, one whose reply cannot be read
    without a reason, and where no one text stands before every verdict.

    >>> from judgesmith.judging.scale import PAIR_SCALE
    >>> d = Dialect(name="d", kind="pair", user="", scale=PAIR_SCALE, direction="worse")
    >>> bare_frame(d).opening, bare_frame(d).closing
    ('<reasoning></reasoning><verdict>', '</verdict>')
    """
    _require_one(dialect)
    try:
        replies = _replies(dialect, "")
    except ValueError as error:
        raise DataError(
            f"dialect {dialect.name!r}: expected a reply that can be read without a reason "
            f"(mode: fast), found none: {error}. {_INSTEAD}"
        ) from None
    found = _frame(dialect, replies)
    if found is None:
        raise DataError(
            f"dialect {dialect.name!r}: expected one text before every verdict and one after, "
            f"found replies such as {replies[0]!r} and {replies[-1]!r}, so no verdict can be read "
            f"out without a reason. {_INSTEAD}"
        )
    return found


def closing(dialect: Dialect) -> str:
    """What follows the verdict in every reply, whatever its reason; empty where nothing does."""
    try:
        found = [_frame(dialect, _replies(dialect, reason)) for reason in ("", NEUTRAL)]
    except ValueError:
        return ""
    return _common([frame.closing for frame in found if frame is not None])


def _require_one(dialect: Dialect) -> None:
    if dialect.by_criterion or (dialect.scored and dialect.kind is not Kind.SINGLE):
        raise DataError(
            f"dialect {dialect.name!r}: expected one verdict in a reply to be read out without a "
            "reason (mode: fast), found a reply of several scores, of which each follows from "
            f"those before it. {_INSTEAD}"
        )


def _replies(dialect: Dialect, reason: str) -> list[str]:
    return [dialect.write_reply(reason, value) for value in dialect.scale.values]


def _frame(dialect: Dialect, replies: Sequence[str]) -> Frame | None:
    """What the replies have in common around their verdicts; None where that is not all."""
    options = tuple(dialect.wording.of.values())
    before = len(_common(replies)) - len(_common(options))
    after = len(_common(_turned(replies))) - len(_common(_turned(options)))
    first = replies[0]
    frame = Frame(first[: max(before, 0)], options, first[len(first) - max(after, 0) :])
    framed = [frame.opening + words + frame.closing for words in options]
    return frame if framed == list(replies) else None


def _turned(texts: Sequence[str]) -> list[str]:
    return [text[::-1] for text in texts]


def _common(texts: Sequence[str]) -> str:
    """The longest beginning that all texts share.

    >>> _common(["A because", "A before"])
    'A be'
    """
    alike = takewhile(lambda letters: len(set(letters)) == 1, zip(*texts, strict=False))
    return "".join(letters[0] for letters in alike)
