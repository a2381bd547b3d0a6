"""Feedback Collection: one response, a rubric of five levels, GPT-4's feedback and its score.

The same columns are those of Feedback Bench. The files of the Prometheus repositories hold the
whole prompt in `instruction` and scores in `gpt4_score`, often three of them with three feedbacks;
`human_score` are scores by people. Where a row has both, its columns are read, and the prompt must
say the same.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from judgesmith.errors import DataError
from judgesmith.records import AnnotatorKind, Question, Scores
from judgesmith.runs.jsonl import validate_row
from judgesmith.sources import About, Dropped
from judgesmith.sources.published.files import stream_rows
from judgesmith.sources.published.prompts import take_apart
from judgesmith.sources.published.readers import (
    Given,
    PublishedRow,
    PublishedSet,
    make_question,
    make_response,
    number,
    text_or_none,
)

SOURCE = "Feedback Collection"
LICENCE = "CC-BY-4.0"
TEACHER_LICENCE = "CC-BY-4.0; OpenAI terms for outputs of GPT-4"
TEACHER = "gpt-4 (Feedback Collection)"
WRITER = "gpt-4-0613"
"""Who wrote the responses of the set, one for each score."""
DIALECT, WITH_REFERENCE = DIALECTS = ("prometheus-absolute", "prometheus-absolute-reference")
NAMES = ("new_feedback_collection.json",)
BUCKET = "absolute"
OTHER_PROMPT = "the row's prompt and its columns say different things"

Number = int | float | str


class Rubric(BaseModel):
    """An instruction with its rubric; the levels are there in the Feedback Collection only."""

    model_config = ConfigDict(extra="ignore")
    orig_instruction: str
    orig_reference_answer: str | None = None
    orig_criteria: str
    orig_score1_description: str | None = None
    orig_score2_description: str | None = None
    orig_score3_description: str | None = None
    orig_score4_description: str | None = None
    orig_score5_description: str | None = None

    @property
    def levels(self) -> tuple[str, ...]:
        """What each score means, the lowest first; none where one is missing."""
        named = [getattr(self, f"orig_score{n}_description") for n in range(1, 6)]
        return () if None in named else tuple(named)

    def question(self, source: str, licence: str) -> Question:
        """What was asked, with the rubric and the reference where the row has one."""
        return make_question(
            source, licence, self.orig_instruction,
            reference=text_or_none(self.orig_reference_answer), criterion=self.orig_criteria,
            levels=self.levels,
        )  # fmt: skip


class FeedbackRow(Rubric):
    """A row of the collection or of Feedback Bench."""

    instruction: str | None = None
    orig_response: str
    orig_feedback: str | None = None
    orig_score: Number | None = None


class PromptRow(BaseModel):
    """A row that holds the whole prompt."""

    model_config = ConfigDict(extra="ignore")
    instruction: str
    response_source: str | None = None
    category: str | None = None
    gpt4_score: list[Number] | Number | None = None
    gpt4_feedback: list[str] | str | None = None
    human_score: list[Number] | Number | None = None


def read_published(path: Path, about: About) -> Iterator[PublishedRow | Dropped]:
    """Each row of the set.

    Raises:
        DataError: a row of neither form, or without a column, with its place.
    """
    for where, raw in stream_rows(path, names=NAMES):
        if "orig_instruction" in raw:
            yield _collected(validate_row(raw, FeedbackRow, where=where), where, about)
        elif "instruction" in raw:
            yield _prompted(validate_row(raw, PromptRow, where=where), where, about)
        else:
            raise DataError(
                f"{where}: expected the field 'orig_instruction', or 'instruction' with the whole "
                f"prompt, found {', '.join(sorted(raw))}."
            )


def _collected(row: FeedbackRow, where: str, about: About) -> PublishedRow | Dropped:
    if not _agree(row, where):
        return Dropped(OTHER_PROMPT)
    question = row.question(SOURCE, about.licence or LICENCE)
    response = make_response(question, WRITER, row.orig_response)
    given: tuple[Given, ...] = ()
    if row.orig_score is not None:
        score = number(row.orig_score, where=where, field="orig_score")
        given = (_scored(score, row.orig_feedback, question.reference, about),)
    return PublishedRow(where, question, (response,), given, BUCKET)


def _agree(row: FeedbackRow, where: str) -> bool:
    """Whether the prompt, where there is one that can be taken apart, is made of the columns."""
    try:
        filled = take_apart(row.instruction or "", where=where, field="instruction")
    except DataError:
        return True
    if isinstance(filled, Dropped):
        return True
    columns = (row.orig_instruction, row.orig_response, row.orig_reference_answer or "",
               row.orig_criteria, *(row.levels or filled.levels))  # fmt: skip
    told = (*filled[:2], filled.reference or "", filled.criterion, *filled.levels)
    return [text.split() for text in columns] == [text.split() for text in told]


def _prompted(row: PromptRow, where: str, about: About) -> PublishedRow | Dropped:
    filled = take_apart(row.instruction, where=where, field="instruction")
    if isinstance(filled, Dropped):
        return filled
    question = make_question(
        SOURCE, about.licence or LICENCE, filled.instruction, reference=filled.reference,
        category=row.category, criterion=filled.criterion, levels=filled.levels,
    )  # fmt: skip
    response = make_response(question, row.response_source, filled.response)
    feedbacks = _listed(row.gpt4_feedback)
    given = [
        _scored(
            number(score, where=where, field="gpt4_score"),
            feedbacks[i] if i < len(feedbacks) else None, filled.reference, about,
        )
        for i, score in enumerate(_listed(row.gpt4_score))
    ]  # fmt: skip
    for i, score in enumerate(_listed(row.human_score), start=1):
        value = number(score, where=where, field="human_score")
        given.append(
            _scored(value, None, filled.reference, About())._replace(
                annotator=f"person {i}", annotator_kind=AnnotatorKind.PERSON, licence=LICENCE
            )
        )
    return PublishedRow(where, question, (response,), tuple(given), BUCKET)


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _scored(score: float, feedback: str | None, reference: str | None, about: About) -> Given:
    return Given(
        verdict=Scores(kind="scores", values=(score,), criteria=None),
        rationale=text_or_none(feedback),
        dialect=DIALECT if reference is None else WITH_REFERENCE,
        annotator=about.annotator or TEACHER,
        annotator_kind=about.annotator_kind or AnnotatorKind.MODEL,
        licence=about.licence or TEACHER_LICENCE,
    )


_SET = PublishedSet("feedback_collection", read_published)
read_questions, read_responses = _SET.questions, _SET.responses
read_items, read_labels = _SET.items, _SET.labels
