"""A log of questions and of the responses to them, such as a service writes in production.

Which column holds what is said by a `LogMapping`. Rows that ask the same become one question;
groups that share a question become one group, or a split could put both sides of it apart. What is
left out is counted with its reason: see the reasons below.
"""

import difflib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from judgesmith.errors import DataError, RecipeError
from judgesmith.records import Question, Response, content_id
from judgesmith.sources import Dropped
from judgesmith.sources.added import add_part
from judgesmith.sources.log_mapping import LogMapping, templates_of
from judgesmith.sources.log_questions import (
    Asked,
    Groups,
    OneContent,
    QuestionColumns,
    content_of,
    require_agreement,
)
from judgesmith.sources.log_responses import ResponseColumns, Written
from judgesmith.sources.log_values import plain_text
from judgesmith.sources.plain import tables_in
from judgesmith.sources.tables import read_table, stem
from judgesmith.sources.templates import Row, RowProblem, compile_template, explain
from judgesmith.sources.votes import compile_conditions

NOT_KEPT = "left out by `where` or `unless`"
NO_QUESTION = "the row has no question"
NOT_IN_RUN = "its question is not in the run"
_CLOSE = 0.85

T = TypeVar("T")


def read_questions(path: Path | None, mapping: LogMapping) -> Iterator[Question | Dropped]:
    """The question of each row of a log, the same record for rows that ask the same.

    `path` is a file, or a folder whose tables are read as one log. Raises DataError naming file,
    row and column for what the mapping does not fit, for rows that contradict each other about a
    question, and where no row has one; RecipeError for a mapping without questions of its own.
    """
    if path is None:
        raise RecipeError("questions.sources: a source of kind 'log' needs a `path`, the log.")
    if mapping.question.text is None:
        raise RecipeError(
            f"{path}: the mapping names questions of the run (`known`), so it has none to give. "
            "Use it under responses.imports only, or name the column of the `text`."
        )
    columns = QuestionColumns(mapping.question, mapping.licence)
    first: dict[str, Asked] = {}
    groups = Groups()
    rows: list[str | Dropped] = []

    def take(row: Row, where: str) -> list[Asked | Dropped]:
        asked = columns.read(row, where)
        return [Dropped(NO_QUESTION) if asked is None else asked]

    for asked in _read(path, mapping, take):
        if isinstance(asked, Dropped):
            rows.append(asked)
            continue
        require_agreement(first.setdefault(asked.same, asked), asked)
        groups.join(asked.same, asked.group)
        rows.append(asked.same)
    if not first:
        raise DataError(f"{path}: expected questions, found none: {_told(rows)}.")
    made = {
        same: Question.make(
            **asked.made_of, **asked.besides, source=f"log {asked.file}", group_id=groups.of(same)
        )
        for same, asked in first.items()
    }
    yield from (row if isinstance(row, Dropped) else made[row] for row in rows)


def read_responses(
    path: Path, questions: dict[str, Question], mapping: LogMapping
) -> Iterator[Response | Dropped]:
    """The responses of each row of a log, to the questions of the run.

    A row's question is found by its content (of several in the run, the one of the row's group),
    or by the id or group_id that `known` gives. Raises DataError naming file, row and column for
    what the mapping does not fit, and where no response is to a question of the run.
    """
    if not mapping.responses:
        raise RecipeError(
            f"{path}: the mapping has no `responses`: say which columns hold the `text` and the "
            "`model` that wrote it."
        )
    found = _finder(mapping, questions)
    columns = [ResponseColumns(entry, mapping.licence) for entry in mapping.responses]
    ids = [OneContent(entry.id or "", "response") for entry in mapping.responses]

    def take(row: Row, where: str) -> Iterator[Response | Dropped]:
        question, same = found(row, where)
        for entry, seen in zip(columns, ids, strict=True):
            for written in entry.read(row):
                if isinstance(written, Dropped):
                    yield written
                    continue
                seen.check(written.id, content_id(same, *written.content()), where)
                yield (
                    question
                    if isinstance(question, Dropped)
                    else _respond(question, written, str(row["$file"]))
                )

    dropped: list[Dropped] = []
    count = 0
    for made in _read(path, mapping, take):
        count += not isinstance(made, Dropped)
        dropped += [made] if isinstance(made, Dropped) else []
        yield made
    if not count:
        raise DataError(
            f"{path}: expected responses to questions of the run, found none: {_told(dropped)}. "
            "Responses find their questions by content: give the same log and the same mapping "
            "under questions.sources, or name the questions' ids with `known`."
        )


def _respond(question: Question, written: Written, file: str) -> Response:
    return Response.make(
        source=f"log {file}",
        licence=written.licence,
        question_id=question.id,
        model=written.model,
        sampling=written.sampling,
        text=written.text,
        finish=written.finish,
        task={},
    )


Finder = Callable[[Row, str], tuple[Question | Dropped, str]]
"""The question of a row, or why there is none, and what makes it this question."""


def _finder(mapping: LogMapping, questions: dict[str, Question]) -> Finder:
    known = mapping.question.known
    by_name: dict[str, list[Question]] = {}
    for question in questions.values():
        own = (question.id, question.group_id)
        for name in own if known is not None else (content_of(dict(question)),):
            by_name.setdefault(name, []).append(question)
    if known is not None:
        return _by_name(known, by_name)
    columns = QuestionColumns(mapping.question, mapping.licence)

    def find(row: Row, where: str) -> tuple[Question | Dropped, str]:
        asked = columns.read(row, where)
        if asked is None:
            return Dropped(NO_QUESTION), ""
        same = by_name.get(asked.same, [])
        own = [question for question in same if question.group_id == asked.group]
        return next(iter([*own, *same]), Dropped(NOT_IN_RUN)), asked.same

    return find


def _by_name(known: str, by_name: dict[str, list[Question]]) -> Finder:
    read = compile_template(known).get

    def find(row: Row, where: str) -> tuple[Question | Dropped, str]:
        name = plain_text(read(row), known)
        if not name:
            return Dropped(NO_QUESTION), ""
        found = by_name.get(name, [])
        if len(found) > 1:
            raise RowProblem(
                f"{known}: expected the id or group_id of one question, found {name!r}, the "
                f"group_id of {len(found)}. Ids are in questions/questions.jsonl."
            )
        return (found[0] if found else Dropped(NOT_IN_RUN)), name

    return find


def _read(
    path: Path, mapping: LogMapping, take: Callable[[Row, str], Iterable[T | Dropped]]
) -> Iterator[T | Dropped]:
    """What `take` makes of each row of a file, or of a folder's files; others are dropped."""
    parts = [add_part(name, part) for name, part in mapping.parts.items()]
    keeps = [test.keep for test in compile_conditions(mapping.where, mapping.unless)]
    columns: set[str] = set()
    for file in tables_in(path):
        constants = {"$file": file.name, "$stem": stem(file)}
        table = read_table(file, format=mapping.format, rows=mapping.rows)
        for number, (where, key, row) in enumerate(table, start=1):
            columns.update(row)
            row.update(constants)
            row["$row"] = number
            if key is not None:
                row["$key"] = key
            try:
                for add in parts:
                    add(row)
                kept = all(keep(row) for keep in keeps)
                made: list[T | Dropped] = [*take(row, where)] if kept else [Dropped(NOT_KEPT)]
            except (KeyError, RowProblem) as error:
                raise DataError(f"{where}: {explain(error, row)}") from None
            yield from made
    _require_spelled(path, mapping, columns)


def _require_spelled(path: Path, mapping: LogMapping, columns: set[str]) -> None:
    """Refuse a column that no row has where one of nearly its name is there and is not read."""
    own = {*mapping.parts, *(name for entry in mapping.responses for name in entry.each)}
    templates = [compile_template(text) for text in templates_of(mapping)]
    names = {name for template in templates for name in template.names}
    unread = sorted(columns - names)
    there = columns | own | {column.split(".")[0] for column in columns}
    for name in sorted(names - there):
        close = difflib.get_close_matches(name, unread, 1, _CLOSE)
        if close and not name.startswith("$"):
            raise DataError(
                f"{path}: column {name!r} is in no row; did you mean {close[0]!r}? There are: "
                f"{', '.join(sorted(columns))}. If it is absent on purpose, drop it from the "
                "mapping."
            )


def _told(rows: Iterable[object]) -> str:
    reasons = Counter(row.reason for row in rows if isinstance(row, Dropped))
    return ", ".join(f"{count} times: {reason}" for reason, count in reasons.items())
