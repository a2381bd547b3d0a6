"""Rows that lack what every question had that a judge learned from, and fields nobody reads."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from judgesmith.sources.own_files import other_fields

ASKED_WITH = ("context", "choices")
RESPONSES = ("response", "response_a", "response_b")
EMPTY = "empty response"
MEAN_LITTLE = "Its verdicts and its confidence mean little there."


class Lacking(NamedTuple):
    """How many rows of a file lack something, and where the first of them stands."""

    rows: int
    first: str


def always_in(questions: Path) -> tuple[str, ...]:
    """Which of context and choices every question of a file of records has; none without a file."""
    always = set(ASKED_WITH)
    if not questions.is_file():
        return ()
    with questions.open("rb") as file:
        for line in file:
            question = orjson.loads(line)
            always = {name for name in always if question.get(name)}
            if not always:
                break
    return tuple(name for name in ASKED_WITH if name in always)


class Looked(NamedTuple):
    """How many rows there are, for each thing that some lack how many do, and unread fields."""

    rows: int
    lacking: dict[str, Lacking]
    unread: tuple[str, ...]


def look_at(rows: Iterable[tuple[str, dict[str, Any]]], always: Iterable[str]) -> Looked:
    """What is noticed about rows to be judged; `always` are the fields that each should have.

    A response without a letter in it counts as `EMPTY`.

    >>> row = {"question": "Why?", "response_a": "x", "response_b": " ", "cost": 1}
    >>> look_at([("f:1", row)], ["context"])  # doctest: +NORMALIZE_WHITESPACE
    Looked(rows=1, lacking={'context': Lacking(rows=1, first='f:1'),
    'empty response': Lacking(rows=1, first='f:1')}, unread=('cost',))
    """
    watched, count = tuple(always), 0
    found: dict[str, Lacking] = {}
    unread: dict[str, None] = {}
    for where, row in rows:
        count += 1
        unread.update(dict.fromkeys(other_fields(row)))
        for name in lacked_by(row, watched):
            before = found.get(name, Lacking(0, where))
            found[name] = before._replace(rows=before.rows + 1)
    return Looked(count, found, tuple(unread))


def lacked_by(row: dict[str, Any], always: Iterable[str]) -> list[str]:
    """Which of these fields a row lacks, and `EMPTY` where it has a response without a letter."""
    lacks = [name for name in always if not row.get(name)]
    return lacks + ([EMPTY] if any(not text.strip() for text in _texts(row)) else [])


def what_lacks(name: str, judge: str) -> tuple[str, str]:
    """In words, what a row has that lacks this, and why a judge would miss it."""
    if name == EMPTY:
        return f"an {name}", ""
    return f"no `{name}`", f", and all questions that {judge} learned from had"


def _texts(row: dict[str, Any]) -> Iterator[str]:
    listed = row.get("responses")
    found = [*(row.get(name) for name in RESPONSES), *(listed if isinstance(listed, list) else ())]
    return (one for one in found if isinstance(one, str))
