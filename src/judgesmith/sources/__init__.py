"""Files of the outside world, and the shipped question bank, as records.

A reader is named in a recipe by its `kind`; the tables below say which function reads it. A reader
gives questions (with the source's own fields in `task`), responses, items or labels; it derives
nothing that a task derives.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import SerializerFunctionWrapHandler, model_serializer, model_validator

from judgesmith.errors import RecipeError, nearest
from judgesmith.records import Direction, Item, Question, Response, Verdict
from judgesmith.runs.outside import find_outside
from judgesmith.runs.recipe import Section
from judgesmith.sources.log_mapping import LogMapping, load_log_mapping

QUESTION_READERS = {
    "bank": "judgesmith.sources.bank:read_questions",
    "bbq": "judgesmith.sources.bbq:read_questions",
    "bbq_templates": "judgesmith.sources.bbq_templates:read_questions",
    "judge_from_scratch": "judgesmith.sources.judge_from_scratch:read_questions",
    "log": "judgesmith.sources.log:read_questions",
}
RESPONSE_READERS = {
    "file": "judgesmith.sources.own_files:read_responses",
    "judge_from_scratch": "judgesmith.sources.judge_from_scratch:read_responses",
    "log": "judgesmith.sources.log:read_responses",
}
ITEM_READERS = {
    "judge_from_scratch": "judgesmith.sources.judge_from_scratch:read_items",
}
LABEL_READERS = {
    "file": "judgesmith.sources.own_files:read_labels",
    "judge_from_scratch": "judgesmith.sources.judge_from_scratch:read_labels",
    "queue": "judgesmith.sources.queue:read_labels",
}


MAPPED = "log"
"""The kind of source whose columns the user names."""

T = TypeVar("T")


class Reading(Section):
    """A reader's kind, and for a log what its columns hold.

    That is said in `columns`, or in a YAML file of the same form that `mapping` names.
    """

    kind: str
    columns: LogMapping | None = None
    mapping: str | None = None

    @model_validator(mode="after")
    def _mapped_if_a_log(self) -> "Reading":
        given = [name for name in ("columns", "mapping") if getattr(self, name) is not None]
        if self.kind != MAPPED and given:
            raise ValueError(
                f"kind {self.kind!r} knows its own columns and takes no `{given[0]}`; "
                f"only kind {MAPPED!r} does"
            )
        if self.kind == MAPPED and len(given) != 1:
            raise ValueError(
                f"kind {MAPPED!r} needs `columns`, which say what the columns hold, or `mapping`, "
                "a YAML file that does, and not both"
            )
        return self

    @model_serializer(mode="wrap")
    def _as_given(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Other kinds are written without the two, as ever, so that no finished run is stale."""
        content: dict[str, Any] = handler(self)
        return {
            k: v for k, v in content.items() if v is not None or k not in ("columns", "mapping")
        }


class Import(Reading):
    """Existing records: a reader's kind and its file or folder."""

    path: str


def import_files(imports: Iterable[Import]) -> dict[str, Path]:
    """Where the imports' files are, by the path the recipe gives."""
    listed = list(imports)
    return {source.path: find_outside(source.path) for source in listed} | mapping_files(listed)


def mapping_files(sources: Iterable[Reading]) -> dict[str, Path]:
    """Where the mappings of logs are, by the path the recipe gives."""
    return {s.mapping: find_outside(s.mapping) for s in sources if s.mapping is not None}


def mapping_of(source: Reading) -> tuple[LogMapping, ...]:
    """What the source's reader takes besides the file: for a log its mapping, else nothing."""
    if source.mapping is not None:
        return (load_log_mapping(find_outside(source.mapping)),)
    return () if source.columns is None else (source.columns,)


class Dropped(NamedTuple):
    """A record that a reader left out, and why."""

    reason: str


def count_dropped(found: Iterable[T | Dropped], dropped: Counter[str]) -> Iterator[T]:
    """The records that were read; the others are counted by their reason."""
    for record in found:
        if isinstance(record, Dropped):
            dropped[record.reason] += 1
        else:
            yield record


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
