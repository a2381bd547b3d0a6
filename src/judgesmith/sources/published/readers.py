"""One row of a published set, and the four readers that every kind of set has."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

from judgesmith.errors import DataError
from judgesmith.records import (
    AnnotatorKind,
    Direction,
    Finish,
    Item,
    JsonScalar,
    Kind,
    Question,
    Response,
    Split,
    TaskFields,
    Verdict,
    content_id,
    criterion_template,
)
from judgesmith.sources import About, Dropped, ImportedLabel

NOT_A_QUESTION = "its question is not in this run"
NO_VERDICT = "the row holds no verdict"
SAME_TEXT = "both responses are the same"
KINDS = {1: Kind.SINGLE, 2: Kind.PAIR}
UNKNOWN = "unknown"
"""The model of a response whose author the set does not name."""


class Given(NamedTuple):
    """A judgment that a row holds, of its responses in the row's order.

    `dialect` names the condition in which it was made, None where the set does not say.
    """

    verdict: Verdict
    rationale: str | None
    dialect: str | None
    annotator: str
    annotator_kind: AnnotatorKind
    licence: str
    direction: Direction = Direction.BETTER


class PublishedRow(NamedTuple):
    """One row as records. `split` is the side that the set itself gives it.

    `twinned` is said by a set that holds a pair in both orders, as two rows: the order of their
    item then follows from the ids of the responses, and not from the row that comes first.
    """

    where: str
    question: Question
    responses: tuple[Response, ...]
    given: tuple[Given | Dropped, ...]
    bucket: str
    split: Split | None = None
    twinned: bool = False


Parse = Callable[[Path, About], Iterator[PublishedRow | Dropped]]


_NOTHING = About()


class PublishedSet:
    """The four readers of one kind of set, whose rows `parse` reads.

    Questions come each once. The other readers leave out rows whose question is not among the
    run's, so that a sample of a large set stays small; where none is, they say what to do.
    """

    def __init__(self, kind: str, parse: Parse) -> None:
        self._kind, self._parse = kind, parse

    def questions(self, path: Path | None, about: About = _NOTHING) -> Iterator[Question | Dropped]:
        """The questions of the set, each once.

        Raises:
            DataError: no path, or every row was left out.
        """
        if path is None:
            raise DataError(
                f"kind {self._kind} needs a `path`: a file, a folder, or hf://datasets/OWNER/NAME."
            )
        seen: set[str] = set()
        lost: Counter[str] = Counter()
        for row in self._parse(path, about):
            if isinstance(row, Dropped):
                lost[row.reason] += 1
                yield row
            elif row.question.id not in seen:
                seen.add(row.question.id)
                yield row.question
        if lost and not seen:
            told = ", ".join(f"{reason}: {count}" for reason, count in lost.items())
            raise DataError(f"{path}: expected rows that give a question, found none ({told}).")

    def responses(
        self, path: Path, known: dict[str, Question], about: About = _NOTHING
    ) -> Iterator[Response | Dropped]:
        """The responses to the run's questions."""
        for row in self._rows(path, about, known):
            if isinstance(row, Dropped):
                yield row
            else:
                yield from row.responses

    def items(
        self, path: Path, known: dict[str, Question], made: dict[str, Response],
        about: About = _NOTHING,
    ) -> Iterator[Item | Dropped]:  # fmt: skip
        """What each row shows, in the row's order; of a twinned one in that of the ids."""
        for row in self._rows(path, about, known):
            yield row if isinstance(row, Dropped) else _item(row, made, self._kind)

    def labels(
        self, path: Path, known: dict[str, Question], made: dict[str, Response],
        about: About = _NOTHING,
    ) -> Iterator[ImportedLabel | Dropped]:  # fmt: skip
        """The judgments of the rows, in each row's order."""
        for row in self._rows(path, about, known):
            if isinstance(row, Dropped):
                yield row
            else:
                yield from _labels(row, made, self._kind)

    def _rows(
        self, path: Path, about: About, known: dict[str, Question]
    ) -> Iterator[PublishedRow | Dropped]:
        any_known = False
        for row in self._parse(path, about):
            if isinstance(row, Dropped):
                yield row
            elif row.question.id in known:
                any_known = True
                yield row
            else:
                yield Dropped(NOT_A_QUESTION)
        if not any_known:
            raise DataError(
                f"{path}: no row's question is among the run's questions; add the same source "
                f"(kind {self._kind}) under questions.sources."
            )


def _item(row: PublishedRow, made: dict[str, Response], kind: str) -> Item | Dropped:
    _require_responses(row, made, kind)
    ids = tuple(response.id for response in row.responses)
    if len(set(ids)) < len(ids):
        return Dropped(SAME_TEXT)
    if row.twinned:
        ids = tuple(sorted(ids))
    return Item.make(
        source=row.question.source,
        licence=row.question.licence,
        kind=KINDS.get(len(ids), Kind.LIST),
        question_id=row.question.id,
        response_ids=ids,
        bucket=row.bucket,
        subtype=None,
        split=row.split,
    )


def _labels(
    row: PublishedRow, made: dict[str, Response], kind: str
) -> Iterator[ImportedLabel | Dropped]:
    _require_responses(row, made, kind)
    if not row.given:
        yield Dropped(NO_VERDICT)
    for given in row.given:
        if isinstance(given, Dropped):
            yield given
            continue
        if not given.annotator:
            raise DataError(
                f"{row.where}: the set does not say whose verdict this is. Say it in the recipe: "
                "`about: {annotator: NAME, annotator_kind: person}` (or model)."
            )
        yield ImportedLabel(
            response_ids=tuple(response.id for response in row.responses),
            verdict=given.verdict,
            direction=given.direction,
            annotator=given.annotator,
            confidence=None,
            source=row.question.source,
            licence=given.licence,
            annotator_kind=given.annotator_kind,
            rationale=given.rationale,
            dialect=given.dialect,
            where=row.where,
        )


def _require_responses(row: PublishedRow, made: dict[str, Response], kind: str) -> None:
    if any(response.id not in made for response in row.responses):
        raise DataError(
            f"{row.where}: a response of this row is not among the run's responses; add the same "
            f"source (kind {kind}) under responses.imports."
        )


def make_question(
    source: str, licence: str, text: str, *, context: str | None = None,
    reference: str | None = None, category: str | None = None, criterion: str | None = None,
    levels: Sequence[str] = (),
) -> Question:  # fmt: skip
    """A question, its group by what it asks, and its template by the criterion it is judged by.

    Group and template do not depend on the set: one instruction that two sets share stays on one
    side of a split of both. One that is judged by two criteria is two questions of one group.

    >>> one = make_question("a", "MIT", "Why?", criterion="Is it true?")
    >>> other = make_question("b", "MIT", "why? ", criterion="Is it kind?")
    >>> one.group_id == other.group_id, one.template_id == other.template_id, one.id == other.id
    (True, False, False)
    """
    rubric: TaskFields = {} if criterion is None else {"criterion": criterion}
    if levels:
        rubric["levels"] = list(levels)
    return Question.make(
        source=source,
        licence=licence,
        group_id=f"instruction/{_same(f'{context or str()} {text}')}",
        template_id=None if criterion is None else criterion_template(criterion),
        category=category,
        context=context,
        text=text,
        choices=None,
        key=None,
        reference=reference,
        grounding=None,
        task=rubric,
    )


def _same(text: str) -> str:
    return content_id(" ".join(text.split()).casefold())


def make_response(
    question: Question, model: str | None, text: str, *, sampling: dict[str, JsonScalar] | None =
    None, task: TaskFields | None = None,
) -> Response:  # fmt: skip
    """A response that ended by itself; sets hold no others."""
    return Response.make(
        source=question.source,
        licence=question.licence,
        question_id=question.id,
        model=model or UNKNOWN,
        sampling=sampling or {},
        text=text,
        finish=Finish.STOP,
        task=task or {},
    )


def number(value: object, *, where: str, field: str) -> float:
    """A score that is written as a number or as its text.

    >>> number("4", where="f:1", field="orig_score")
    4.0
    """
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError
        found = float(value)
        if not isfinite(found):
            raise ValueError
        return found
    except (ValueError, OverflowError):
        raise DataError(
            f"{where}: field {field!r}: expected a number, found {str(value)[:60]!r}."
        ) from None


def one_of(value: object, allowed: Iterable[str], *, where: str, field: str) -> str:
    """A value out of a closed set, else a DataError that lists them."""
    known = list(allowed)
    if value not in known:
        raise DataError(
            f"{where}: field {field!r}: expected {' or '.join(known)}, found {str(value)[:60]!r}."
        )
    return str(value)


def said_by(about: About) -> tuple[str, AnnotatorKind]:
    """Whose verdicts they are by the recipe, where the set itself does not say it.

    The name is empty where the recipe does not say it either; `labels` then refuses the row.
    """
    if about.annotator is None or about.annotator_kind is None:
        return "", AnnotatorKind.PERSON
    return about.annotator, about.annotator_kind


def text_or_none(value: Any) -> str | None:
    """A text that holds something; None for null and for blank."""
    return value if isinstance(value, str) and value.strip() else None
