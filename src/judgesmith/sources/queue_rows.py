"""What a person is shown of an item that teachers left open, and how it is known again.

A row holds the question, the responses and the rubric with its direction. It holds no bucket, no
category, no generator, no answer key and no verdict of a teacher. Responses stand in an order drawn
by seed and item; their ids in that order bring the verdict back. Rows come in a drawn order, too,
as files of items lie bucket by bucket.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from judgesmith.errors import DataError, RecipeError
from judgesmith.judging.dialect import Dialect
from judgesmith.records import (
    LETTERS,
    Direction,
    Item,
    Question,
    Response,
    content_id,
    keyed_rng,
)

FILLED_IN = ("verdict", "confidence", "note", "annotator")
"""What a person writes; everything else must stay as it is."""
_IDS = ("item_id", "response_ids", "scale")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


class QueueRow(BaseModel):
    """One item for a person to decide.

    `responses` and `response_ids` are in the order shown: A is the first. `asks` says what to fill
    in. `verdict` (a value of `scale`), `confidence` (0 to 1), `note` and `annotator` are the
    person's; an empty verdict is an item not yet decided.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
    id: str
    question: str
    context: str | None
    choices: str | None
    reference: str | None
    grounding: str | None
    responses: tuple[str, ...]
    asks: str
    verdict: str | None
    confidence: float | None = Field(ge=0, le=1)
    note: str | None
    annotator: str | None
    rubric: str
    names: Direction
    scale: tuple[str, ...]
    item_id: str
    response_ids: tuple[str, ...]

    def computed_id(self) -> str:
        """The id that the row's own content gives.

        White space, how a number is written and what is filled in are no part of it. It tells when
        cells of different rows were mixed up, as by sorting a single column.
        """
        content = self.model_dump(mode="json", exclude={"id", *FILLED_IN})
        return content_id(
            "QueueRow",
            {name: _plain(value, text=name not in _IDS) for name, value in content.items()},
        )

    @property
    def is_blank(self) -> bool:
        """Whether nobody has filled in anything."""
        return all(getattr(self, name) is None for name in FILLED_IN)


def _plain(value: Any, *, text: bool) -> Any:
    if isinstance(value, list):
        return [_plain(inner, text=text) for inner in value]
    words = " ".join((value or "").split())
    return f"{float(words):.15g}" if text and _NUMBER.fullmatch(words) else words


def queue_rows(
    items: Iterable[Item],
    *,
    questions: Mapping[str, Question],
    responses: Mapping[str, Response],
    dialect: Dialect,
    seed: int,
) -> list[QueueRow]:
    """One row per item, in a drawn order, each with its responses in a drawn order.

    Args:
        items: the items, of two responses or more.
        questions: by id.
        responses: by id.
        dialect: its rubric is what the person reads, its direction says what a letter names.
        seed: of the run.

    Raises:
        RecipeError: the dialect has no rubric in words or no direction.
        DataError: an item of a single response.
    """
    require_rubric(dialect)
    drawn = sorted(items, key=lambda i: (keyed_rng(seed, "queue place", i.id).random(), i.id))
    return [_row(item, questions[item.question_id], responses, dialect, seed) for item in drawn]


def require_rubric(dialect: Dialect) -> None:
    """Refuse a dialect that cannot tell a person what to judge by.

    Raises:
        RecipeError: the dialect has no rubric in words or no direction.
    """
    if dialect.rubric is None or dialect.direction is None:
        lacking = "`system`, the rubric" if dialect.rubric is None else "`direction`"
        raise RecipeError(
            f"dialect {dialect.name!r} has no {lacking}: a person would not know what to judge by. "
            "Name a dialect that has it for the queue."
        )


def _row(
    item: Item, question: Question, responses: Mapping[str, Response], dialect: Dialect, seed: int
) -> QueueRow:
    if len(item.response_ids) < 2:
        raise DataError(f"item {item.id}: expected two responses or more, found one: no verdict")
    ids = list(item.response_ids)
    keyed_rng(seed, "queue", item.id).shuffle(ids)
    assert dialect.rubric is not None
    assert dialect.direction is not None
    scale = dialect.pair_scale.values
    letters = "\n".join(f"{LETTERS[i]}. {c}" for i, c in enumerate(question.choices or ()))
    row = QueueRow(
        id="",
        question=question.text,
        context=question.context or None,
        choices=letters or None,
        reference=question.reference or None,
        grounding=question.grounding or None,
        responses=tuple(responses[i].text for i in ids),
        asks=f"verdict: {', '.join(scale)}. A letter names the {dialect.direction.value} response.",
        verdict=None,
        confidence=None,
        note=None,
        annotator=None,
        rubric=dialect.rubric,
        names=dialect.direction,
        scale=scale,
        item_id=item.id,
        response_ids=tuple(ids),
    )
    return row.model_copy(update={"id": row.computed_id()})


def checked(row: QueueRow, where: str) -> QueueRow:
    """The row with its verdict as the scale writes it; None is not yet decided.

    Raises:
        DataError: the row is not as it was issued, or the verdict is not on its scale.
    """
    if row.computed_id() != row.id:
        raise DataError(
            f"{where}: the row is not as it was issued: its texts, ids or rubric were changed, "
            "cells of several rows were mixed up, or a spreadsheet made a date of a text or cut "
            "it. Take the row from the issued queue and fill in "
            f"{', '.join(FILLED_IN)} only."
        )
    said = (row.verdict or "").strip()
    if not said:
        return row.model_copy(update={"verdict": None})
    for value in row.scale:
        if value.casefold() == said.casefold():
            return row.model_copy(update={"verdict": value})
    raise DataError(
        f"{where}: field 'verdict': expected {', '.join(row.scale)}, or nothing where it is not "
        f"decided, found {row.verdict!r}."
    )
