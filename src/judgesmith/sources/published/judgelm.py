"""JudgeLM-100K: two answers, two scores from 1 to 10 and a reason, without and with a reference.

`path` is `judgelm_train_100k.jsonl`, a file of the same columns, or the folder of the set. The
validation answers (`judgelm_val_5k.jsonl`) are read with the files of judgments and references that
lie beside them under their published names, and are on the test side.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from judgesmith.errors import DataError
from judgesmith.records import AnnotatorKind, Question, Response, Scores, Split
from judgesmith.runs.jsonl import validate_row
from judgesmith.sources import About, Dropped
from judgesmith.sources.published.files import LocatedRow, choose_file, stream_rows
from judgesmith.sources.published.readers import (
    Given,
    PublishedRow,
    PublishedSet,
    make_question,
    make_response,
    text_or_none,
)
from judgesmith.sources.tables import stem

SOURCE = "JudgeLM-100K"
LICENCE = "CC-BY-NC-4.0"
TEACHER_LICENCE = "CC-BY-NC-4.0; OpenAI terms for outputs of GPT-4"
TEACHER = "gpt-4 (JudgeLM-100K)"
DIALECT, WITH_REFERENCE = "judgelm", "judgelm-reference"
OF_SEVERAL = ("judgelm-list", "judgelm-list-reference")
DIALECTS = (DIALECT, WITH_REFERENCE, *OF_SEVERAL)
TRAIN, VALIDATION = "judgelm_train_100k.jsonl", "judgelm_val_5k.jsonl"
BESIDE = {
    "text": "judgelm_val_5k_gpt4.jsonl",
    "text_w_reference": "judgelm_val_5k_gpt4_with_reference.jsonl",
    "reference": "judgelm_val_5k_references.jsonl",
}
"""What the validation answers lack, and the file that has it."""
ERROR = "the set marks the row as an error"
NO_SCORES = "the judgment does not begin with one score per answer"
OTHER_SCORES = "the judgment's text states other scores than its column"

_ANSWER = re.compile(r"answer(\d+)_body")
_NUMBERS = re.compile(r"[\d.]+(?:[\s,]+[\d.]+)*")


class _Reference(BaseModel):
    model_config = ConfigDict(extra="ignore")
    text: str | None = None


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")
    body: str
    model_id: str | None = None
    metadata: dict[str, Any] | None = None


class JudgeLMRow(BaseModel):
    """The columns that are read, besides `answerN_body`, `answerN_model_id`, `answerN_metadata`."""

    model_config = ConfigDict(extra="ignore")
    question_id: int | str | None = None
    question_body: str
    answers: list[_Answer]
    text: str | None = None
    score: list[Any] | None = None
    text_w_reference: str | None = None
    score_w_reference: list[Any] | None = None
    reference: _Reference | str | None = None


def read_published(path: Path, about: About) -> Iterator[PublishedRow | Dropped]:
    """Each row of the set; a row whose judgment is the word "error" is dropped, as it always was.

    Raises:
        DataError: a row lacks a column, with its place.
    """
    for where, raw, split in _rows(path):
        row = validate_row(_gathered(raw, where), JudgeLMRow, where=where)
        if row.text is not None and row.text.strip().lower() == "error":
            yield Dropped(ERROR)
            continue
        question = make_question(
            SOURCE, about.licence or LICENCE, row.question_body, reference=_reference(row)
        )
        answers = tuple(_response(question, answer) for answer in row.answers)
        yield PublishedRow(where, question, answers, _given(row, about), "answers", split)


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any], Split | None]]:
    if path.is_dir() and (path / VALIDATION).is_file():
        if (path / TRAIN).is_file():
            yield from ((where, row, None) for where, row in stream_rows(path / TRAIN))
        path = path / VALIDATION
    file = choose_file(path, (TRAIN,))
    if stem(file) == stem(Path(VALIDATION)):
        yield from ((where, row, Split.TEST) for where, row in _validation(file))
    else:
        yield from ((where, row, None) for where, row in stream_rows(file))


def _validation(file: Path) -> Iterator[LocatedRow]:
    """Rows of the validation answers with what the files beside them say, joined row by row."""
    beside = {name: file.with_name(other) for name, other in BESIDE.items()}
    there = {name: other for name, other in beside.items() if other.is_file()}
    streams = [stream_rows(file), *(stream_rows(other) for other in there.values())]
    for found in zip_longest(*streams):
        if None in found:
            short = [f for f, row in zip([file, *there.values()], found, strict=True) if not row]
            raise DataError(
                f"{short[0]}: expected a row for each row of {file.name}, found fewer; fetch the "
                "files of the set again."
            )
        (where, answers), *others = found
        row = {k: v for k, v in answers.items() if k != "score"}
        for (name, _), (other_where, other) in zip(there.items(), others, strict=True):
            if other.get("question_id") != row.get("question_id"):
                raise DataError(
                    f"{other_where}: field 'question_id': expected {row.get('question_id')!r}, as "
                    f"in {where}, found {other.get('question_id')!r}."
                )
            row[name] = other.get("reference" if name == "reference" else "text")
        yield where, row


def _gathered(raw: dict[str, Any], where: str) -> dict[str, Any]:
    """The row with its answers as a list, in the order of their numbers."""
    numbers = sorted(int(m[1]) for name in raw if (m := _ANSWER.fullmatch(name)))
    if len(numbers) < 2:
        raise DataError(
            f"{where}: expected the fields 'question_body', 'answer1_body' and 'answer2_body', "
            f"found {', '.join(sorted(raw))}. A set of another form has another `kind`."
        )
    answers = [
        {part: raw.get(f"answer{n}_{part}") for part in ("body", "model_id", "metadata")}
        for n in numbers
    ]
    return {**raw, "answers": answers}


def _reference(row: JudgeLMRow) -> str | None:
    found = row.reference
    return text_or_none(found.text if isinstance(found, _Reference) else found)


def _response(question: Question, answer: _Answer) -> Response:
    method = (answer.metadata or {}).get("decoding_method")
    sampling = {"decoding_method": method} if isinstance(method, str) else {}
    return make_response(question, answer.model_id, answer.body, sampling=dict(sampling))


def _given(row: JudgeLMRow, about: About) -> tuple[Given | Dropped, ...]:
    names = (DIALECT, WITH_REFERENCE) if len(row.answers) == 2 else OF_SEVERAL
    conditions = (
        (names[0], row.text, row.score),
        (names[1], row.text_w_reference, row.score_w_reference),
    )
    return tuple(
        _judgment(text, scores, dialect, len(row.answers), about)
        for dialect, text, scores in conditions
        if text is not None
    )


def _judgment(
    text: str, column: Sequence[Any] | None, dialect: str, answers: int, about: About
) -> Given | Dropped:
    if text.strip().lower() == "error":
        return Dropped(ERROR)
    stated, reason = read_scores(text)
    if stated is None or len(stated) != answers:
        return Dropped(NO_SCORES)
    if column is not None and _numbers(column) != stated:
        return Dropped(OTHER_SCORES)
    return Given(
        verdict=Scores(kind="scores", values=stated, criteria=None),
        rationale=reason or None,
        dialect=dialect,
        annotator=about.annotator or TEACHER,
        annotator_kind=about.annotator_kind or AnnotatorKind.MODEL,
        licence=about.licence or TEACHER_LICENCE,
    )


def _numbers(column: Sequence[Any]) -> tuple[float, ...] | None:
    """The numbers of a column of scores; None where something else stands there."""
    try:
        return tuple(float(score) for score in column)
    except (TypeError, ValueError, OverflowError):
        return None


def read_scores(text: str) -> tuple[tuple[float, ...] | None, str]:
    r"""The scores on the first line, None where anything else stands there, and the reason below.

    >>> read_scores("8 8.5\nAssistant 2 says more.")
    ((8.0, 8.5), 'Assistant 2 says more.')
    >>> read_scores("Assistant 1: 8, Assistant 2: 9")[0] is None
    True
    """
    line, _, reason = text.strip().partition("\n")
    if not _NUMBERS.fullmatch(line.strip()):
        return None, reason.strip()
    try:
        return tuple(float(n) for n in re.split(r"[\s,]+", line.strip())), reason.strip()
    except ValueError:
        return None, reason.strip()


_SET = PublishedSet("judgelm", read_published)
read_questions, read_responses = _SET.questions, _SET.responses
read_items, read_labels = _SET.items, _SET.labels
