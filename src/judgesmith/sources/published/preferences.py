"""Common preference sets: a prompt, the response that was chosen and the one that was rejected.

Each is a text or a list of messages. A set without a prompt (Anthropic's HH, Skywork's) holds the
whole conversation in both, and what both begin with is the prompt. Ratings, where a set has them,
become the field `rating` of the responses. Whose preferences they are, and under which licence,
is said in the recipe (`about`).
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

PROMPTS = ("prompt", "instruction", "question", "input")
CHOSEN, REJECTED = ("chosen", "chosen_response"), ("rejected", "rejected_response")
CATEGORIES = ("category", "subset")
BUCKET = "preferences"
EMPTY = "a response is empty"
SAME = "chosen and rejected are the same"

_TURN = re.compile(r"(?:\A|\n\n)(Human|Assistant): ?")
_ROLES = {"Human": "user", "Assistant": "assistant"}


class Turn(NamedTuple):
    """One message of a conversation."""

    role: str
    text: str


def read_published(path: Path, about: About) -> Iterator[PublishedRow | Dropped]:
    """Each row of the set; one with an empty response, or the same twice, is dropped.

    Raises:
        DataError: a row without chosen and rejected, or whose conversations begin differently.
    """
    for where, raw in stream_rows(path):
        chosen = _turns(_column(raw, CHOSEN, where), where, "chosen")
        rejected = _turns(_column(raw, REJECTED, where), where, "rejected")
        asked = next((raw[name] for name in PROMPTS if raw.get(name) not in (None, "")), None)
        before = _asked(asked, where) if asked is not None else chosen[:-1]
        texts = [turns[-1].text if turns else "" for turns in (chosen, rejected)]
        if asked is None and chosen[:-1] != rejected[:-1]:
            raise DataError(
                f"{where}: expected conversations that differ in the last message alone, found "
                "others; give the set a column 'prompt'."
            )
        if not all(text.strip() for text in texts):
            yield Dropped(EMPTY)
        elif texts[0] == texts[1]:
            yield Dropped(SAME)
        else:
            yield _row(raw, before, texts, where, about)


def _row(
    raw: Mapping[str, Any], before: Sequence[Turn], texts: Sequence[str], where: str, about: About
) -> PublishedRow:
    category = next((text_or_none(raw.get(name)) for name in CATEGORIES if raw.get(name)), None)
    question = _question(before, category, where, about)
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


def _question(before: Sequence[Turn], category: str | None, where: str, about: About) -> Question:
    if not before or not before[-1].text.strip():
        raise DataError(f"{where}: expected a prompt, found none.")
    *earlier, last = before
    context = "\n\n".join(f"{turn.role}: {turn.text}" for turn in earlier) or None
    return make_question(
        "preferences", about.licence or UNKNOWN, last.text, context=context, category=category,
    )  # fmt: skip


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


def _asked(value: Any, where: str) -> list[Turn]:
    """The turns of a prompt; one that ends in an empty answer of HH's ends before it."""
    turns = _turns(value, where, "prompt")
    return turns[:-1] if len(turns) > 1 and not turns[-1].text.strip() else turns


def _column(raw: Mapping[str, Any], names: Sequence[str], where: str) -> Any:
    found = next((raw[name] for name in names if raw.get(name) is not None), None)
    if found is None:
        raise DataError(
            f"{where}: expected the field {names[0]!r}, found {', '.join(sorted(raw))}."
        )
    return found


def _turns(value: Any, where: str, field: str) -> list[Turn]:
    """A conversation: of a list of messages, of HH's notation, or one message of plain text."""
    if isinstance(value, str):
        parts = _TURN.split(value)
        if len(parts) < 3 or parts[0].strip():
            role = "user" if field == "prompt" else "assistant"
            return [Turn(role, value)]
        return [
            Turn(_ROLES[name], text.strip())
            for name, text in zip(parts[1::2], parts[2::2], strict=True)
        ]
    if isinstance(value, list) and value:
        turns = [message for message in value if isinstance(message, dict)]
        if len(turns) == len(value) and all(
            isinstance(t.get("role"), str) and isinstance(t.get("content"), str) for t in turns
        ):
            return [Turn(t["role"], t["content"]) for t in turns]
    raise DataError(
        f"{where}: field {field!r}: expected a text, or a list of messages with role and content, "
        f"found {str(value)[:60]!r}."
    )


_SET = PublishedSet("preferences", read_published)
read_questions, read_responses = _SET.questions, _SET.responses
read_items, read_labels = _SET.items, _SET.labels
