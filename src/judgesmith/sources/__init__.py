"""Files of the outside world, and the shipped question bank, as records.

A reader is named in a recipe by its `kind`; the tables below say which function reads it. A reader
gives questions (with the source's own fields in `task`), responses, items or labels; it derives
nothing that a task derives.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar

from pydantic import (
    SerializerFunctionWrapHandler,
    StringConstraints,
    model_serializer,
    model_validator,
)

from judgesmith.errors import RecipeError, nearest
from judgesmith.records import AnnotatorKind, Direction, Item, Question, Response, Verdict
from judgesmith.runs.outside import find_outside
from judgesmith.runs.recipe import Section
from judgesmith.sources.log_mapping import LogMapping, load_log_mapping

PUBLISHED = {
    "feedback_collection": "judgesmith.sources.published.feedback",
    "judgelm": "judgesmith.sources.published.judgelm",
    "pandalm": "judgesmith.sources.published.pandalm",
    "preference_collection": "judgesmith.sources.published.preference_collection",
    "preferences": "judgesmith.sources.published.preferences",
}
"""Training sets of others by kind; each module has all four readers.

Where the judgments of a set name dialects, the module lists them as DIALECTS.
"""

QUESTION_READERS = {
    "bank": "judgesmith.sources.bank:read_questions",
    "bbq": "judgesmith.sources.bbq:read_questions",
    "bbq_templates": "judgesmith.sources.bbq_templates:read_questions",
    "judge_from_scratch": "judgesmith.sources.judge_from_scratch:read_questions",
    "log": "judgesmith.sources.log:read_questions",
    "simulated": "judgesmith.sources.simulated:read_questions",
    **{kind: f"{module}:read_questions" for kind, module in PUBLISHED.items()},
}
RESPONSE_READERS = {
    "file": "judgesmith.sources.own_files:read_responses",
    "judge_from_scratch": "judgesmith.sources.judge_from_scratch:read_responses",
    "log": "judgesmith.sources.log:read_responses",
    **{kind: f"{module}:read_responses" for kind, module in PUBLISHED.items()},
}
ITEM_READERS = {
    "judge_from_scratch": "judgesmith.sources.judge_from_scratch:read_items",
    **{kind: f"{module}:read_items" for kind, module in PUBLISHED.items()},
}
LABEL_READERS = {
    "file": "judgesmith.sources.own_files:read_labels",
    "judge_from_scratch": "judgesmith.sources.judge_from_scratch:read_labels",
    "queue": "judgesmith.sources.queue:read_labels",
    **{kind: f"{module}:read_labels" for kind, module in PUBLISHED.items()},
}


MAPPED = "log"
"""The kind of source whose columns the user names."""

T = TypeVar("T")


class About(Section):
    """What a published set does not say of itself, or says wrongly: terms, and who judged."""

    licence: str | None = None
    annotator: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)] | None = None
    annotator_kind: AnnotatorKind | None = None

    @model_validator(mode="after")
    def _a_person_or_a_model(self) -> "About":
        if self.annotator_kind in (AnnotatorKind.KEY, AnnotatorKind.SIMULATED):
            raise ValueError("`annotator_kind` is person or model")
        return self


class Reading(Section):
    """A reader's kind, and for a log what its columns hold.

    That is said in `columns`, or in a YAML file of the same form that `mapping` names. `about` is
    for published sets.
    """

    kind: str
    columns: LogMapping | None = None
    mapping: str | None = None
    about: About | None = None

    @model_validator(mode="after")
    def _mapped_if_a_log(self) -> "Reading":
        given = [name for name in ("columns", "mapping") if getattr(self, name) is not None]
        if self.kind != MAPPED and given:
            raise ValueError(
                f"kind {self.kind!r} knows its own columns and takes no `{given[0]}`; "
                f"only kind {MAPPED!r} does"
            )
        if self.about is not None and self.kind not in PUBLISHED:
            raise ValueError(f"kind {self.kind!r} takes no `about`; {', '.join(PUBLISHED)} do")
        if self.kind == MAPPED and len(given) != 1:
            raise ValueError(
                f"kind {MAPPED!r} needs `columns`, which say what the columns hold, or `mapping`, "
                "a YAML file that does, and not both"
            )
        return self

    @model_serializer(mode="wrap")
    def _as_given(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without what is not given, as ever, so that no finished run is stale."""
        content: dict[str, Any] = handler(self)
        optional = ("columns", "mapping", "about")
        return {k: v for k, v in content.items() if v is not None or k not in optional}


class Import(Reading):
    """Existing records: a reader's kind and its file or folder."""

    path: str


def import_files(
    imports: Iterable[Import], find: Callable[[str], Path] = find_outside
) -> dict[str, Path]:
    """Where the imports' files are, by the path the recipe gives.

    `find` may know places that `find_outside` does not, such as the names of a hub.
    """
    listed = list(imports)
    return {source.path: find(source.path) for source in listed} | mapping_files(listed)


def mapping_files(sources: Iterable[Reading]) -> dict[str, Path]:
    """Where the mappings of logs are, by the path the recipe gives."""
    return {s.mapping: find_outside(s.mapping) for s in sources if s.mapping is not None}


def mapping_of(source: Reading) -> tuple[LogMapping | About, ...]:
    """What the source's reader takes besides the file: a log's mapping, what is said of a set."""
    if source.about is not None:
        return (source.about,)
    if source.mapping is not None:
        return (load_log_mapping(find_outside(source.mapping)),)
    return () if source.columns is None else (source.columns,)


def dialects_of(kind: str) -> tuple[str, ...]:
    """Names of the dialects that judgments of a kind of source may be in, where those say so.

    >>> dialects_of("preference_collection"), dialects_of("queue")
    (('prometheus-relative', 'prometheus-relative-reference'), ())
    """
    if kind not in PUBLISHED:
        return ()
    return tuple(getattr(import_module(PUBLISHED[kind]), "DIALECTS", ()))


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
    """A verdict for the responses of an item, in the order they are given here.

    It is a person's, or a model's with its reason. `dialect` names the condition in which a model
    judged (say, with a reference or without one); None where nobody says it. `where` is
    "file:line".
    """

    response_ids: tuple[str, ...]
    verdict: Verdict
    direction: Direction
    annotator: str
    confidence: float | None
    source: str
    licence: str
    annotator_kind: AnnotatorKind = AnnotatorKind.PERSON
    rationale: str | None = None
    dialect: str | None = None
    where: str | None = None

    @property
    def place(self) -> str:
        """Where it stands: file and line, or as near as its reader says."""
        return self.where or self.source


QuestionReader = Callable[[Path | None], Iterable[Question]]
ResponseReader = Callable[[Path, dict[str, Question]], Iterable[Response]]
ItemReader = Callable[[Path, dict[str, Question], dict[str, Response]], Iterable[Item]]
LabelReader = Callable[[Path, dict[str, Question], dict[str, Response]], Iterable[ImportedLabel]]


def require_kinds(imports: Iterable[Reading], table: dict[str, str], *, else_: str = "") -> None:
    """Refuse an import of a kind that the table has no reader of, as soon as a recipe is read.

    `else_` says what to do where a kind is not meant to be read here. Raises ValueError naming the
    kinds that there are.
    """
    for source in imports:
        if source.kind not in table:
            raise ValueError(
                f"kind {source.kind!r} cannot be read here; {nearest(source.kind, table)}{else_}"
            )


def reader(table: dict[str, str], kind: str) -> Any:
    """The function that a table names for a kind; an unknown kind lists the known ones."""
    if kind not in table:
        raise RecipeError(f"unknown kind {kind!r} of source; {nearest(kind, table)}")
    module, _, function = table[kind].partition(":")
    return getattr(import_module(module), function)
