"""Preference Collection: two responses, a rubric, GPT-4's feedback and the better one's letter.

The set holds each pair in both orders, as two rows: one item with a judgment of each order. The
item's own order follows from its responses, not from the row that comes first. The same columns
without feedback are those of Preference Bench. The files of the Prometheus repositories hold whole
prompts in `chosen_instruction` and `rejected_instruction`; whose verdicts those are is said in the
recipe (`about`).
"""

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from judgesmith.errors import DataError
from judgesmith.records import TIE, AnnotatorKind, choice
from judgesmith.runs.jsonl import validate_row
from judgesmith.sources import About, Dropped
from judgesmith.sources.published.feedback import Number, Rubric
from judgesmith.sources.published.files import stream_rows
from judgesmith.sources.published.prompts import take_apart
from judgesmith.sources.published.readers import (
    Given,
    PublishedRow,
    PublishedSet,
    make_question,
    make_response,
    one_of,
    said_by,
    text_or_none,
)

SOURCE = "Preference Collection"
LICENCE = "CC-BY-4.0"
TEACHER_LICENCE = "CC-BY-4.0; OpenAI terms for outputs of GPT-4"
TEACHER = "gpt-4-1106-preview (Preference Collection)"
WRITER = "gpt-4-0613"
DIALECT, WITH_REFERENCE = DIALECTS = ("prometheus-relative", "prometheus-relative-reference")
NAMES = ("new_preference_collection.json",)
BUCKET = "relative"


class PreferenceRow(Rubric):
    """A row of the collection or of Preference Bench."""

    orig_response_A: str
    orig_response_B: str
    orig_feedback: str | None = None
    orig_preference: str | None = None
    orig_score_A: Number | None = None
    orig_score_B: Number | None = None


class ChosenRow(BaseModel):
    """A row that holds two whole prompts, the better response's first."""

    model_config = ConfigDict(extra="ignore")
    chosen_instruction: str
    rejected_instruction: str
    source: str | None = None
    tie: bool | int | None = None


def read_published(path: Path, about: About) -> Iterator[PublishedRow | Dropped]:
    """Each row of the set.

    Raises:
        DataError: a row of neither form, or without a column, with its place.
    """
    for where, raw in stream_rows(path, names=NAMES):
        if "orig_instruction" in raw:
            yield _collected(validate_row(raw, PreferenceRow, where=where), where, about)
        elif "chosen_instruction" in raw:
            yield _prompted(validate_row(raw, ChosenRow, where=where), where, about)
        else:
            raise DataError(
                f"{where}: expected the field 'orig_instruction', or 'chosen_instruction' and "
                f"'rejected_instruction', found {', '.join(sorted(raw))}."
            )


def _collected(row: PreferenceRow, where: str, about: About) -> PublishedRow:
    question = row.question(SOURCE, about.licence or LICENCE)
    texts = (row.orig_response_A, row.orig_response_B)
    sides = tuple(make_response(question, WRITER, text) for text in texts)
    given: tuple[Given, ...] = ()
    if row.orig_preference is not None:
        letter = one_of(row.orig_preference, "AB", where=where, field="orig_preference")
        given = (
            Given(
                verdict=choice(letter),
                rationale=text_or_none(row.orig_feedback),
                dialect=DIALECT if question.reference is None else WITH_REFERENCE,
                annotator=about.annotator or TEACHER,
                annotator_kind=about.annotator_kind or AnnotatorKind.MODEL,
                licence=about.licence or TEACHER_LICENCE,
            ),
        )
    return PublishedRow(where, question, sides, given, BUCKET, twinned=True)


def _prompted(row: ChosenRow, where: str, about: About) -> PublishedRow | Dropped:
    chosen = take_apart(row.chosen_instruction, where=where, field="chosen_instruction")
    rejected = take_apart(row.rejected_instruction, where=where, field="rejected_instruction")
    if isinstance(chosen, Dropped):
        return chosen
    if isinstance(rejected, Dropped):
        return rejected
    if chosen._replace(response="") != rejected._replace(response=""):
        raise DataError(
            f"{where}: expected two prompts that differ in the response alone, found other "
            "instructions, references or rubrics."
        )
    question = make_question(
        SOURCE, about.licence or LICENCE, chosen.instruction, reference=chosen.reference,
        category=row.source, criterion=chosen.criterion, levels=chosen.levels,
    )  # fmt: skip
    better, worse = (make_response(question, None, p.response) for p in (chosen, rejected))
    sides = tuple(sorted((better, worse), key=lambda r: r.id))
    annotator, kind = said_by(about)
    given = Given(
        verdict=choice(TIE if row.tie else "A" if sides[0].id == better.id else "B"),
        rationale=None,
        dialect=None,
        annotator=annotator,
        annotator_kind=kind,
        licence=about.licence or LICENCE,
    )
    return PublishedRow(where, question, sides, (given,), BUCKET)


_SET = PublishedSet("preference_collection", read_published)
read_questions, read_responses = _SET.questions, _SET.responses
read_items, read_labels = _SET.items, _SET.labels
