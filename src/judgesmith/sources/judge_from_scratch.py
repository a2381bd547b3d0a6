"""The published bias judge's files: questions, real responses of four models, pairs, 300 verdicts.

`path` is the folder that holds `data/raw` and `data/pairs`. The published verdict names the
response that relies MORE on a stereotype. The published response levels and targets are read by
nobody here: the task derives its own.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from judgesmith.errors import DataError
from judgesmith.records import (
    Direction,
    Finish,
    Item,
    Kind,
    Question,
    Response,
    Split,
    choice,
)
from judgesmith.runs.jsonl import read_rows, validate_row
from judgesmith.sources import ImportedLabel
from judgesmith.sources.bbq import question_of_fields

LICENCE = "Apache-2.0 (data card); responses under the terms of their models"
ANNOTATOR = "judge-from-scratch author"
SAMPLING = {"temperature": 0.7, "max_tokens": 300}


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore")


class SampleRow(_Row):
    """A row of `data/raw/bbq_sample.jsonl`."""

    question_id: str
    category: str
    context_condition: str
    question_polarity: str
    example_id: int
    question_index: int
    context: str
    question: str
    ans0: str
    ans1: str
    ans2: str
    answer_label: int
    answer_info: dict[str, tuple[str, str, str]]
    stereotyped_groups: tuple[str, ...]


class PublishedResponse(_Row):
    """One side of a published pair."""

    model: str
    text: str


class PairRow(_Row):
    """A row of the pair files; `human_verdict` is there in the evaluation file only."""

    pair_id: str
    question_id: str
    response_a: PublishedResponse
    response_b: PublishedResponse
    pair_category: str
    human_verdict: str | None = None
    confidence: int | None = None


def read_questions(path: Path | None) -> Iterator[Question]:
    """The 3,000 sampled BBQ questions."""
    if path is None:
        raise DataError("kind judge_from_scratch needs a `path`: the folder of its repository.")
    file = path / "data/raw/bbq_sample.jsonl"
    for line, raw in read_rows(file):
        row = validate_row(raw, SampleRow, where=f"{file}:{line}")
        info = [row.answer_info[name] for name in ("ans0", "ans1", "ans2")]
        yield question_of_fields(
            {
                "category": row.category,
                "question_index": str(row.question_index),
                "example_id": row.example_id,
                "polarity": row.question_polarity,
                "condition": row.context_condition,
                "context": row.context,
                "question": row.question,
                "choices": (row.ans0, row.ans1, row.ans2),
                "key": row.answer_label,
                "slots": [slot for _, slot, _ in info],
                "groups": [group for _, _, group in info],
                "stereotyped_groups": list(row.stereotyped_groups),
            }
        )


def _read_pairs(path: Path, name: str) -> Iterator[tuple[str, PairRow]]:
    file = path / "data/pairs" / name
    for line, raw in read_rows(file):
        where = f"{file}:{line}"
        yield where, validate_row(raw, PairRow, where=where)


def _by_group(questions: dict[str, Question]) -> dict[str, Question]:
    return {question.group_id: question for question in questions.values()}


def _question(row: PairRow, where: str, by_group: dict[str, Question]) -> Question:
    question = by_group.get(f"bbq/{row.question_id}")
    if question is None:
        raise DataError(
            f"{where}: field 'question_id': {row.question_id!r} is not among the run's questions; "
            "add the same source under questions.sources."
        )
    return question


def _response(question: Question, side: PublishedResponse) -> Response:
    fields: dict[str, Any] = {
        "source": "judge_from_scratch",
        "licence": LICENCE,
        "question_id": question.id,
        "model": side.model,
        "sampling": SAMPLING,
        "text": side.text,
        "finish": Finish.STOP,
        "task": {},
    }
    return Response.make(**fields)


def read_responses(path: Path, questions: dict[str, Question]) -> Iterator[Response]:
    """The distinct responses of the published pairs; only complete ones were published."""
    by_group = _by_group(questions)
    seen: set[str] = set()
    for where, row in _read_pairs(path, "pairs.jsonl"):
        question = _question(row, where, by_group)
        for side in (row.response_a, row.response_b):
            response = _response(question, side)
            if response.id not in seen:
                seen.add(response.id)
                yield response


def read_items(
    path: Path, questions: dict[str, Question], responses: dict[str, Response]
) -> Iterator[Item]:
    """The published pairs in their published order; the 300 evaluation pairs are on test."""
    by_group = _by_group(questions)
    evaluation = {row.pair_id for _, row in _read_pairs(path, "eval_set_unlabeled.jsonl")}
    for where, row in _read_pairs(path, "pairs.jsonl"):
        question = _question(row, where, by_group)
        yield Item.make(
            source="judge_from_scratch",
            licence=f"{question.licence}; {LICENCE}",
            kind=Kind.PAIR,
            question_id=question.id,
            response_ids=_known(row, question, responses, where),
            bucket=row.pair_category,
            subtype=None,
            split=Split.TEST if row.pair_id in evaluation else None,
        )


def _known(
    row: PairRow, question: Question, responses: dict[str, Response], where: str
) -> tuple[str, str]:
    pair = (_response(question, row.response_a).id, _response(question, row.response_b).id)
    if not set(pair) <= set(responses):
        raise DataError(
            f"{where}: a response of this pair is not among the run's responses; add the same "
            "source under responses.imports."
        )
    return pair


def read_labels(
    path: Path, questions: dict[str, Question], responses: dict[str, Response]
) -> Iterator[ImportedLabel]:
    """The 300 verdicts of the one annotator."""
    by_group = _by_group(questions)
    for where, row in _read_pairs(path, "eval_set_unlabeled.jsonl"):
        if row.human_verdict not in ("A", "B", "TIE"):
            raise DataError(
                f"{where}: field 'human_verdict': expected A, B or TIE, "
                f"found {row.human_verdict!r}."
            )
        pair = _known(row, _question(row, where, by_group), responses, where)
        yield ImportedLabel(
            response_ids=pair,
            verdict=choice(row.human_verdict),
            direction=Direction.WORSE,
            annotator=ANNOTATOR,
            confidence=None if row.confidence is None else row.confidence / 5,
            source="judge_from_scratch",
            licence=LICENCE,
            where=where,
        )
