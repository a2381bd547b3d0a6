"""BBQ as published (Parrish et al. 2022): one JSON Lines file per category -> questions."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from judgesmith.errors import DataError
from judgesmith.records import Question
from judgesmith.runs.jsonl import read_rows, validate_row

LICENCE = "CC-BY-4.0"


class AdditionalMetadata(BaseModel):
    """The part of a BBQ row that names the groups of the stereotype and its source."""

    model_config = ConfigDict(extra="ignore")
    stereotyped_groups: tuple[str, ...]


class AnswerInfo(BaseModel):
    """For each answer its (text, group); the group `unknown` marks "cannot tell"."""

    model_config = ConfigDict(extra="forbid")
    ans0: tuple[str, str]
    ans1: tuple[str, str]
    ans2: tuple[str, str]


class BbqRow(BaseModel):
    """A row of BBQ's `data/*.jsonl`; `label` is the index of the right answer."""

    model_config = ConfigDict(extra="forbid")
    example_id: int
    question_index: str
    question_polarity: Literal["neg", "nonneg"]
    context_condition: Literal["ambig", "disambig"]
    category: str
    answer_info: AnswerInfo
    additional_metadata: AdditionalMetadata
    context: str
    question: str
    ans0: str
    ans1: str
    ans2: str
    label: int = Field(ge=0, le=2)


def read_questions(path: Path | None) -> Iterator[Question]:
    """Questions of one BBQ file, or of every `*.jsonl` in a folder, in file order."""
    if path is None:
        raise DataError("kind bbq needs a `path`: BBQ's data folder, or one of its .jsonl files.")
    files = sorted(path.glob("*.jsonl")) + sorted(path.glob("*.jsonl.gz"))
    files = files if path.is_dir() else [path]
    if not files:
        raise DataError(f"{path}: expected BBQ's .jsonl files, found none in this folder.")
    for file in files:
        for line, row in read_rows(file):
            yield bbq_question(validate_row(row, BbqRow, where=f"{file}:{line}"))


def bbq_question(row: BbqRow) -> Question:
    """A BBQ row as a question; the template is BBQ's question_index within the category."""
    category = row.category.lower()
    infos = (row.answer_info.ans0, row.answer_info.ans1, row.answer_info.ans2)
    return question_of_fields(
        {
            "category": category,
            "question_index": row.question_index,
            "example_id": row.example_id,
            "polarity": row.question_polarity,
            "condition": row.context_condition,
            "context": row.context,
            "question": row.question,
            "choices": (row.ans0, row.ans1, row.ans2),
            "key": row.label,
            "slots": [text for text, _ in infos],
            "groups": [group for _, group in infos],
            "stereotyped_groups": list(row.additional_metadata.stereotyped_groups),
        }
    )


def question_of_fields(row: dict[str, Any]) -> Question:
    """The one way a BBQ question becomes a record, whichever file it was published in."""
    template = f"{row['category']}::{row['question_index']}"
    return Question.make(
        source="bbq",
        licence=LICENCE,
        group_id=f"bbq/{template}::{row['example_id']}::{row['polarity']}",
        template_id=f"bbq/{template}",
        category=row["category"],
        context=row["context"],
        text=row["question"],
        choices=row["choices"],
        key=row["key"],
        reference=None,
        grounding=None,
        task={
            "condition": row["condition"],
            "polarity": row["polarity"],
            "slots": row["slots"],
            "groups": row["groups"],
            "stereotyped_groups": row["stereotyped_groups"],
        },
    )
