"""A user's own JSON Lines files: responses, labels, and pairs to judge."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from judgesmith.errors import DataError
from judgesmith.records import (
    Direction,
    Finish,
    Item,
    JsonScalar,
    Kind,
    Question,
    Response,
    choice,
)
from judgesmith.runs.jsonl import read_rows, validate_row
from judgesmith.sources import ImportedLabel


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
    """One person's verdict on two responses, given by their ids in the order that was shown."""

    responses: tuple[str, ...]
    verdict: str
    names: Direction
    annotator: str
    confidence: float | None = Field(None, ge=0, le=1)


class PairRow(_Row):
    """Two responses to one question, to be judged.

    `verdict` is a label to measure against, where there is one; `names` then says whether its
    letter names the better or the worse response.
    """

    id: str | None = None
    context: str | None = None
    question: str
    choices: tuple[str, ...] | None = None
    reference: str | None = None
    response_a: str
    response_b: str
    verdict: str | None = None
    names: Direction | None = None


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
        if len(set(row.responses)) != 2 or len(row.responses) != 2 or len(asked) != 1:
            raise DataError(
                f"{where}: field 'responses': expected two different responses to one question, "
                f"found {list(row.responses)}, which answer {len(asked)} question(s)."
            )
        if row.verdict not in ("A", "B", "TIE"):
            raise DataError(
                f"{where}: field 'verdict': expected A, B or TIE, found {row.verdict!r}."
            )
        yield ImportedLabel(
            response_ids=row.responses,
            verdict=choice(row.verdict),
            direction=row.names,
            annotator=row.annotator,
            confidence=row.confidence,
            source=f"file {path.name}",
            licence="the user's own",
            where=where,
        )


def read_pairs(path: Path) -> Iterator[tuple[PairRow, Question, tuple[Response, Response], Item]]:
    """Pairs to judge, from a file with the fields of `PairRow`, as records."""
    for line, raw in read_rows(path):
        row = validate_row(raw, PairRow, where=f"{path}:{line}")
        origin = {"source": f"file {path.name}", "licence": "the user's own"}
        name = row.id if row.id is not None else f"{path.name}:{line}"
        question = Question.make(
            **origin, group_id=name, template_id=None, category=None, context=row.context,
            text=row.question, choices=row.choices, key=None, reference=row.reference,
            grounding=None, task={},
        )  # fmt: skip
        sides = tuple(
            Response.make(
                **origin, question_id=question.id, model=f"side {side}", sampling={}, text=text,
                finish=Finish.STOP, task={},
            )
            for side, text in (("a", row.response_a), ("b", row.response_b))
        )  # fmt: skip
        item = Item.make(
            **origin, kind=Kind.PAIR, question_id=question.id,
            response_ids=tuple(r.id for r in sides), bucket="judged", subtype=None, split=None,
        )  # fmt: skip
        yield row, question, (sides[0], sides[1]), item
