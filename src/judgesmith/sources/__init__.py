"""Files of the outside world, and the shipped question bank, as records.

A reader is named in a recipe by its `kind`; the tables below say which function reads it. A reader
gives questions (with the source's own fields in `task`), responses, items or labels; it derives
nothing that a task derives.
"""

from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from judgesmith.errors import RecipeError, nearest
from judgesmith.records import Direction, Item, Question, Response, Verdict
from judgesmith.runs.outside import find_outside
from judgesmith.runs.recipe import Section

QUESTION_READERS = {
    "bank": "judgesmith.sources.bank:read_questions",
    "bbq": "judgesmith.sources.bbq:read_questions",
    "bbq_templates": "judgesmith.sources.bbq_templates:read_questions",
    "judge_from_scratch": "judgesmith.sources.judge_from_scratch:read_questions",
}
RESPONSE_READERS = {
    "file": "judgesmith.sources.own_files:read_responses",
    "judge_from_scratch": "judgesmith.sources.judge_from_scratch:read_responses",
}
ITEM_READERS = {
    "judge_from_scratch": "judgesmith.sources.judge_from_scratch:read_items",
}
LABEL_READERS = {
    "file": "judgesmith.sources.own_files:read_labels",
    "judge_from_scratch": "judgesmith.sources.judge_from_scratch:read_labels",
}


class Import(Section):
    """Existing records: a reader's kind and its file or folder."""

    kind: str
    path: str


def import_files(imports: Iterable[Import]) -> dict[str, Path]:
    """Where the imports' files are, by the path the recipe gives."""
    return {source.path: find_outside(source.path) for source in imports}


class ImportedLabel(NamedTuple):
    """A verdict by a person for the responses of an item, in the order they are given here."""

    response_ids: tuple[str, ...]
    verdict: Verdict
    direction: Direction
    annotator: str
    confidence: float | None
    source: str
    licence: str


QuestionReader = Callable[[Path | None], Iterable[Question]]
ResponseReader = Callable[[Path, dict[str, Question]], Iterable[Response]]
ItemReader = Callable[[Path, dict[str, Question], dict[str, Response]], Iterable[Item]]
LabelReader = Callable[[Path, dict[str, Question], dict[str, Response]], Iterable[ImportedLabel]]


def reader(table: dict[str, str], kind: str) -> Any:
    """The function that a table names for a kind; an unknown kind lists the known ones."""
    if kind not in table:
        raise RecipeError(f"unknown kind {kind!r} of source; {nearest(kind, table)}")
    module, _, function = table[kind].partition(":")
    return getattr(import_module(module), function)
