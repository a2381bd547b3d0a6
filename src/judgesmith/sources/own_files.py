"""A user's own files: responses, labels, and pairs to judge."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, StringConstraints

from judgesmith.errors import DataError
from judgesmith.records import (
    LETTERS,
    AnnotatorKind,
    Direction,
    Finish,
    Item,
    JsonScalar,
    Kind,
    Question,
    Response,
    Scores,
    TaskFields,
    Verdict,
    choice,
    content_id,
)
from judgesmith.runs.jsonl import read_rows, validate_row
from judgesmith.sources import ImportedLabel
from judgesmith.sources.own_tables import raw_pairs


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ResponseRow(_Row):
    """One response: `question` is the id or group_id of a question of the run."""

    question: str
    model: str
    text: str
    finish: Finish = Finish.STOP
    sampling: dict[str, JsonScalar] = {}


class LabelRow(_Row):
    """One person's verdict on two responses, given by their ids in the order that was shown.

    Or on one response: a grade, as a number. `names` then says whether the higher grade is the
    better or the worse one. `kind` says whether a person gave it, or a simulated annotator.
    """

    responses: tuple[str, ...]
    verdict: FiniteFloat | str
    names: Direction
    annotator: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    confidence: float | None = Field(None, ge=0, le=1)
    kind: Literal["person", "simulated"] = "person"


class AskedRow(_Row):
    """What was asked, and what a judge's dialect may show besides."""

    context: str | None = None
    question: str
    choices: tuple[str, ...] | None = None
    reference: str | None = None
    grounding: str | None = None
    fields: TaskFields = {}

    @property
    def question_key(self) -> str:
        """What two rows share that ask the same: text, context and choices."""
        return content_id("asked", self.question, self.context, self.choices)


class PairRow(AskedRow):
    """Two responses to one question, one alone, or a list, to be judged.

    `reference`, `grounding` and `fields` (as `fields.criterion`) are what the judge's dialect may
    ask for besides. `verdict` is a label to measure against, where there is one; `names` then says
    whether its letter names the better or the worse response. `score` is the label of one response.
    `model_a` and `model_b` are the systems that wrote the two, where systems are to be ranked.
    """

    id: str | None = None
    response: str | None = None
    response_a: str | None = None
    response_b: str | None = None
    responses: tuple[str, ...] | None = None
    model_a: str | None = None
    model_b: str | None = None
    verdict: str | None = None
    names: Direction | None = None
    score: float | None = Field(None, allow_inf_nan=False)


class OwnPair(NamedTuple):
    """A row as records, with its one, two or several responses; `where` is "file:line"."""

    row: PairRow
    question: Question
    responses: tuple[Response, ...]
    item: Item
    where: str


def read_responses(path: Path, questions: dict[str, Question]) -> Iterator[Response]:
    """Responses from a file with the fields of `ResponseRow`."""
    by_name = {**questions, **{question.group_id: question for question in questions.values()}}
    for line, raw in read_rows(path):
        where = f"{path}:{line}"
        row = validate_row(raw, ResponseRow, where=where)
        question = by_name.get(row.question)
        if question is None:
            raise DataError(
                f"{where}: field 'question': expected the id or group_id of a question of this "
                f"run, found {row.question!r}. They are in questions/questions.jsonl."
            )
        yield Response.make(
            source=f"file {path.name}",
            licence="the user's own",
            question_id=question.id,
            model=row.model,
            sampling=row.sampling,
            text=row.text,
            finish=row.finish,
            task={},
        )


def read_labels(
    path: Path, questions: dict[str, Question], responses: dict[str, Response]
) -> Iterator[ImportedLabel]:
    """Verdicts by people from a file with the fields of `LabelRow`."""
    for line, raw in read_rows(path):
        where = f"{path}:{line}"
        row = validate_row(raw, LabelRow, where=where)
        for response in row.responses:
            if response not in responses:
                raise DataError(
                    f"{where}: field 'responses': expected ids of responses of this run, found "
                    f"{response!r}. They are in responses/responses.jsonl."
                )
        asked = {responses[response].question_id for response in row.responses}
        wanted = 2 if isinstance(row.verdict, str) else len(row.responses)
        if not len(set(row.responses)) == len(row.responses) == wanted or len(asked) != 1:
            raise DataError(
                f"{where}: field 'responses': expected two different responses to one question, or "
                "one with a number as `verdict`, its grade; found "
                f"{list(row.responses)}, which answer {len(asked)} question(s), and the verdict "
                f"{row.verdict!r}."
            )
        yield ImportedLabel(
            response_ids=row.responses,
            verdict=_verdict(row, where),
            direction=row.names,
            annotator=row.annotator,
            confidence=row.confidence,
            source=f"file {path.name}",
            licence="the user's own",
            annotator_kind=AnnotatorKind(row.kind),
            where=where,
        )


def _verdict(row: LabelRow, where: str) -> Verdict:
    if len(row.responses) == 1:
        return Scores(kind="scores", values=(float(row.verdict),), criteria=None)
    if row.verdict not in ("A", "B", "TIE"):
        raise DataError(f"{where}: field 'verdict': expected A, B or TIE, found {row.verdict!r}.")
    return choice(str(row.verdict))


def read_pairs(path: Path, kind: Kind = Kind.PAIR) -> Iterator[OwnPair]:
    """What is to be judged, from a file with the fields of `PairRow`, as records.

    `kind` is that of the judge's dialect: one that sees single responses takes rows of one, too,
    and one that sees lists takes rows of several.
    """
    for where, raw in raw_pairs(path):
        yield as_entry(raw, path.name, where, kind)


def as_entry(raw: dict[str, Any], file: str, where: str, kind: Kind = Kind.PAIR) -> OwnPair:
    """One row with the fields of `PairRow` as records, for a judge of a kind of dialect.

    `file` is what it says it comes from.

    `where` names a row without an `id`. Fields of the user's own, see `other_fields`, are left out.
    Raises DataError naming the fields that are wrong.
    """
    if "text" in raw and not any(name.startswith("response") for name in raw):
        raise DataError(
            f"{where}: expected responses to judge, found `text`: these look like the responses of "
            f"systems, which `judgesmith rank --judge JUDGE {where.rpartition(':')[0]}` compares."
        )
    others = other_fields(raw)
    known = {field: value for field, value in raw.items() if field not in others}
    row = validate_row(known, PairRow, where=where)
    if row.model_a is not None and row.model_a == row.model_b:
        raise DataError(
            f"{where}: field 'model_b': expected another system than `model_a`, found "
            f"{row.model_b!r} in both."
        )
    name = row.id if row.id is not None else where.rpartition("/")[2]
    return entry_of(row, kind, name=name, source=f"file {file}", where=where)


def other_fields(raw: dict[str, Any]) -> list[str]:
    """Fields of a row that nobody reads, such as a log's other columns.

    One that is nearly called as a known one is a mistake, and none of them. In a row without a
    question or a response all may be misnamed, so there are none.

    >>> other_fields({"question": "Why?", "response_a": "x", "respons_b": "y", "latency_ms": 3})
    ['latency_ms']
    >>> other_fields({"prompt": "Why?", "response_a": "x", "response_b": "y"})
    []
    """
    if "question" not in raw or not any(name in raw for name in _SHOWN):
        return []
    return [name for name in raw if name not in PairRow.model_fields and not _nearly_known(name)]


_SHOWN = ("response", "response_a", "response_b", "responses")
_NEAR = 0.85
"""Likeness of two names: `respons_b` has .95 to `response_b`, `model` .83 to `model_a`."""


@lru_cache(maxsize=1_024)
def _nearly_known(name: str) -> bool:
    return bool(get_close_matches(name, PairRow.model_fields, n=1, cutoff=_NEAR))


def entry_of(row: PairRow, kind: Kind, *, name: str, source: str, where: str) -> OwnPair:
    """A row as records, for a judge of this kind of dialect; `name` is its own among the rows.

    Raises DataError, beginning with `where`, for a row without the responses that such a judge
    needs.
    """
    texts = _to_judge(row, where, kind)
    origin = {"source": source, "licence": "the user's own"}
    question = Question.make(
        **origin, group_id=name, template_id=None, category=None, context=row.context,
        text=row.question, choices=row.choices, key=None, reference=row.reference,
        grounding=row.grounding, task=row.fields,
    )  # fmt: skip
    responses = tuple(
        Response.make(
            **origin, question_id=question.id, model=f"side {side}", sampling={}, text=text,
            finish=Finish.STOP, task={},
        )
        for side, text in zip(LETTERS.lower(), texts, strict=False)
    )  # fmt: skip
    shown = Kind.LIST if row.responses is not None else {1: Kind.SINGLE, 2: Kind.PAIR}[len(texts)]
    item = Item.make(
        **origin, kind=shown, question_id=question.id,
        response_ids=tuple(r.id for r in responses), bucket="judged", subtype=None, split=None,
    )  # fmt: skip
    return OwnPair(row, question, responses, item, where)


def row_of(question: Question, responses: Sequence[Response], kind: Kind) -> PairRow:
    """The row in which records would be given to a judge; `kind` is that of the item."""
    texts = [response.text for response in responses]
    names = {Kind.SINGLE: ["response"], Kind.PAIR: ["response_a", "response_b"]}.get(kind)
    shown: dict[str, Any] = (
        {"responses": tuple(texts)} if names is None else dict(zip(names, texts, strict=True))
    )
    return PairRow(
        context=question.context, question=question.text, choices=question.choices,
        reference=question.reference, grounding=question.grounding, fields=question.task, **shown,
    )  # fmt: skip


def _to_judge(row: PairRow, where: str, kind: Kind) -> tuple[str, ...]:
    """The texts of one response, of two, or of a list."""
    pair = {"response_a": row.response_a, "response_b": row.response_b}
    given = tuple(text for text in pair.values() if text is not None)
    if kind is Kind.LIST and (row.responses is not None or not given):
        return _listed(row, where)
    if row.responses is not None:
        raise DataError(
            f"{where}: field 'responses': this judge takes no list; expected `response_a` and "
            "`response_b`" + (", or `response`." if kind is Kind.SINGLE else ".")
        )
    if row.response is not None and given:
        raise DataError(
            f"{where}: field 'response': expected it alone, or `response_a` and `response_b` "
            "without it, found both."
        )
    if len(given) == 2:
        return given
    if kind is Kind.SINGLE and row.response is not None:
        return (row.response,)
    missing = next(name for name, text in pair.items() if text is None)
    alone = " (or `response`, for one response alone)"
    why = alone if kind is Kind.SINGLE else ": this judge compares two"
    raise DataError(f"{where}: not a valid PairRow:\n  field {missing!r} is missing{why}")


def _listed(row: PairRow, where: str) -> tuple[str, ...]:
    if row.responses is None or not 2 <= len(row.responses) <= len(LETTERS):
        count = "none" if row.responses is None else len(row.responses)
        raise DataError(
            f"{where}: field 'responses': this judge takes a list of 2 to {len(LETTERS)} "
            f"responses, found {count}."
        )
    return row.responses
