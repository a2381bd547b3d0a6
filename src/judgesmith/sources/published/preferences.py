"""Common preference sets: what was asked, the response that was chosen and the one rejected.

Each is a text, a list of messages, or a conversation in HH's notation. The question is all that was
said before the last response: its last turn, with the earlier turns, the system prompt and an
Alpaca `input` as context. It stands in both conversations, in a column of the prompt, or in both
places, which then must say the same. Ratings, where a set has them, become the field `rating` of
the responses. Whose preferences they are, and under which licence, is said in the recipe (`about`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from judgesmith.errors import DataError
from judgesmith.records import Question, Response, TaskFields, choice
from judgesmith.sources import About, Dropped
from judgesmith.sources.published.files import stream_rows
from judgesmith.sources.published.readers import (
    UNKNOWN,
    Given,
    PublishedRow,
    PublishedSet,
    make_question,
    make_response,
    number,
    said_by,
    text_or_none,
)

TEXTS = ("prompt", "instruction", "question")
INPUT, SYSTEM = "input", ("system", "system_prompt")
PROMPTS = (*TEXTS, "conversations", INPUT)
UNREAD = ("history", "context", "conversation", "trajectory", "dialogue", "dialog")
"""Columns that may hold a part of what was asked, in forms that are not read."""
CHOSEN, REJECTED = ("chosen", "chosen_response"), ("rejected", "rejected_response")
CATEGORIES = ("category", "subset")
BUCKET = "preferences"
EMPTY = "a response is empty"
SAME = "chosen and rejected are the same"
NO_RESPONSE = "a conversation does not end with a response of the assistant"
NO_QUESTION = "what comes before the responses does not end with a turn of the user"
APART = "chosen and rejected differ before their last turn"
OTHER_PROMPT = "the prompt and the conversations say different things"
OTHER_SYSTEM = "the row has two different system prompts"

_TURN = re.compile(r"(?:\A|\n\n)(Human|Assistant): ?")
_ROLES = {
    "human": "user", "gpt": "assistant", "bot": "assistant", "model": "assistant",
    "developer": "system",
}  # fmt: skip
_USER, _ASSISTANT, _SYSTEM = "user", "assistant", "system"


class Turn(NamedTuple):
    """One message of a conversation; the role is user, assistant, system, or one of the set's."""

    role: str
    text: str


Turns = tuple[Turn, ...]


def read_published(path: Path, about: About) -> Iterator[PublishedRow | Dropped]:
    """Each row of the set; one whose question or preference is not clear is dropped by its reason.

    Raises:
        DataError: a row without a prompt, chosen or rejected, or in a form that is not read.
    """
    for where, raw in stream_rows(path):
        chosen = _turns(_column(raw, CHOSEN, where), where, "chosen", _ASSISTANT)
        rejected = _turns(_column(raw, REJECTED, where), where, "rejected", _ASSISTANT)
        texts = (chosen[-1].text, rejected[-1].text)
        before = _before(raw, chosen, rejected, where)
        if isinstance(before, Dropped):
            yield before
        elif not all(text.strip() for text in texts):
            yield Dropped(EMPTY)
        elif texts[0] == texts[1]:
            yield Dropped(SAME)
        else:
            yield _row(raw, before, texts, where, about)


def _before(raw: Mapping[str, Any], chosen: Turns, rejected: Turns, where: str) -> Turns | Dropped:
    """What was said before both responses, with the system prompt first."""
    if not _alike(chosen[:-1], rejected[:-1]):
        return Dropped(APART)
    if {chosen[-1].role, rejected[-1].role} != {_ASSISTANT}:
        return Dropped(NO_RESPONSE)
    said = chosen[:-1]
    asked = _asked(raw, where)
    whole = bool(said) and said[0].role != _ASSISTANT
    if whole and asked and not _says_the_same(asked, said):
        return Dropped(OTHER_PROMPT)
    before = said if whole else asked + said
    if not whole:
        _require_read(raw, asked, where)
    system = next((raw[name] for name in SYSTEM if text_or_none(raw.get(name))), None)
    if system is not None and before[:1] and before[0].role == _SYSTEM:
        if _plain(before[0].text) != _plain(system):
            return Dropped(OTHER_SYSTEM)
    elif system is not None:
        before = (Turn(_SYSTEM, system), *before)
    if not before:
        raise DataError(f"{where}: expected a prompt, found none.")
    clear = before[-1].role == _USER and before[-1].text.strip()
    return before if clear else Dropped(NO_QUESTION)


def _asked(raw: Mapping[str, Any], where: str) -> Turns:
    """The turns of the prompt's column; HH's ends in an empty turn of the assistant, left out."""
    name = _prompt_column(raw)
    if name is None:
        return ()
    turns = _turns(raw[name], where, name, _USER)
    opened = len(turns) > 1 and turns[-1].role == _ASSISTANT and not turns[-1].text.strip()
    return turns[:-1] if opened else turns


def _prompt_column(raw: Mapping[str, Any]) -> str | None:
    return next((name for name in PROMPTS if raw.get(name) not in (None, "")), None)


def _says_the_same(asked: Turns, said: Turns) -> bool:
    """Whether a prompt is the conversation, its turn, or the text that it was filled into."""
    if len(asked) > 1:
        return _alike(*(tuple(t for t in turns if t.role != _SYSTEM) for turns in (asked, said)))
    prompt = _plain(asked[0].text)
    turns = [_plain(turn.text) for turn in said]
    return prompt in turns or all(turn in prompt for turn in turns)


def _alike(one: Turns, other: Turns) -> bool:
    """Whether two conversations are one, but for white space."""
    first, second = ([(t.role, _plain(t.text)) for t in turns] for turns in (one, other))
    return first == second


def _plain(text: str) -> str:
    return " ".join(text.split())


def _require_read(raw: Mapping[str, Any], asked: Turns, where: str) -> None:
    """Refuse a row of which a part would not be read, where the conversations are not whole."""
    said = _plain(" ".join(turn.text for turn in asked))
    unread = [name for name in UNREAD if raw.get(name) not in (None, "", [])]
    for name in TEXTS:
        text = text_or_none(raw.get(name))
        if text is not None and name != _prompt_column(raw) and _plain(text) not in said:
            unread.append(name)
    if unread:
        raise DataError(
            f"{where}: field {unread[0]!r} may hold a part of what was asked that would not be "
            "read. Write all that was said into 'prompt', as a list of messages with role and "
            "content, and remove the other field."
        )


def _row(
    raw: Mapping[str, Any], before: Turns, texts: Sequence[str], where: str, about: About
) -> PublishedRow:
    category = next((text_or_none(raw.get(name)) for name in CATEGORIES if raw.get(name)), None)
    question = make_question(
        "preferences", about.licence or UNKNOWN, before[-1].text, context=_context(raw, before),
        category=category,
    )  # fmt: skip
    better, worse = (
        _response(raw, side, text, question, where)
        for side, text in zip(("chosen", "rejected"), texts, strict=True)
    )
    sides = tuple(sorted((better, worse), key=lambda r: r.id))
    annotator, kind = said_by(about)
    given = Given(
        verdict=choice("A" if sides[0].id == better.id else "B"),
        rationale=None,
        dialect=None,
        annotator=annotator,
        annotator_kind=kind,
        licence=question.licence,
    )
    return PublishedRow(where, question, sides, (given,), BUCKET)


def _context(raw: Mapping[str, Any], before: Turns) -> str | None:
    """The earlier turns, each with its role, and the input that an instruction is about."""
    earlier = [f"{turn.role}: {turn.text}" for turn in before[:-1]]
    given = text_or_none(raw.get(INPUT))
    if given is not None and _plain(given) != _plain(before[-1].text):
        earlier.append(f"{INPUT}: {given}" if earlier else given)
    return "\n\n".join(earlier) or None


def _response(
    raw: Mapping[str, Any], side: str, text: str, question: Question, where: str
) -> Response:
    task: TaskFields = {}
    for name in (f"score_{side}", f"{side}_score", f"{side}_rating", f"{side}-rating"):
        if raw.get(name) is not None:
            task["rating"] = number(raw[name], where=where, field=name)
    models = (f"{side}_model", f"{side}-model", f"model_{side}")
    model = next((text_or_none(raw.get(name)) for name in models if raw.get(name)), None)
    return make_response(question, model, text, task=task)


def _column(raw: Mapping[str, Any], names: Sequence[str], where: str) -> Any:
    found = next((raw[name] for name in names if raw.get(name) is not None), None)
    if found is None:
        raise DataError(
            f"{where}: expected the field {names[0]!r}, found {', '.join(sorted(raw))}."
        )
    return found


def _turns(value: Any, where: str, field: str, role: str) -> Turns:
    """A conversation: of messages, of HH's notation, or one message of plain text by `role`."""
    if isinstance(value, str):
        parts = _TURN.split(value)
        if len(parts) < 3 or parts[0].strip():
            return (Turn(role, value),)
        return tuple(
            Turn(_named(name), text.strip())
            for name, text in zip(parts[1::2], parts[2::2], strict=True)
        )
    messages = [value] if isinstance(value, dict) else value if isinstance(value, list) else []
    turns = tuple(_message(one) for one in messages)
    known = tuple(turn for turn in turns if turn is not None)
    if not known or len(known) < len(turns):
        raise DataError(
            f"{where}: field {field!r}: expected a text, or a list of messages with role and "
            f"content, found {str(value)[:60]!r}."
        )
    return known


def _message(one: Any) -> Turn | None:
    """A message with role and content, or from and value; None for anything else."""
    if not isinstance(one, dict):
        return None
    role, text = one.get("role") or one.get("from"), one.get("content", one.get("value"))
    return Turn(_named(role), text) if isinstance(role, str) and isinstance(text, str) else None


def _named(role: str) -> str:
    return _ROLES.get(role.lower(), role.lower())


_SET = PublishedSet("preferences", read_published)
read_questions, read_responses = _SET.questions, _SET.responses
read_items, read_labels = _SET.items, _SET.labels
