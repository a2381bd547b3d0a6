"""The disagreement queue: items that a person decides, with all that is needed and nothing more.

A row holds the question, the responses and the rubric with its direction. It holds no bucket, no
category, no generator, no answer key and no verdict of a teacher. Responses stand in an order drawn
by seed and item; their ids in that order bring the verdict back. Rows come in a drawn order, too,
as files of items lie bucket by bucket.

As CSV, a cell that a spreadsheet would run as a formula gets an apostrophe in front, which is taken
away when the file is read.
"""

import csv
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from pydantic import BaseModel, ConfigDict, Field

from judgesmith.errors import DataError, RecipeError
from judgesmith.judging.dialect import Dialect
from judgesmith.records import (
    LETTERS,
    Direction,
    Item,
    Question,
    Response,
    choice,
    content_id,
    keyed_rng,
)
from judgesmith.runs.jsonl import encode, open_bytes, read_rows, validate_row, write_bytes
from judgesmith.sources import ImportedLabel
from judgesmith.sources.tables import read_delimited

FILLED_IN = ("verdict", "confidence", "note", "annotator")
"""What a person writes; everything else must stay as it is."""
_AS_JSON = ("scale", "response_ids")
_FORMULA = re.compile(r"\s*[=+\-@|%\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")
_FIRST = ("id", "question", "context", "choices", "reference", "grounding")
_LAST = ("asks", *FILLED_IN, "rubric", "names", "scale", "item_id", "response_ids")


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
        """The id that the row's own content gives, but for white space and what is filled in.

        It tells when cells of different rows were mixed up, as by sorting a single column.
        """
        content = self.model_dump(mode="json", exclude={"id", *FILLED_IN})
        return content_id("QueueRow", {name: _plain(value) for name, value in content.items()})


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return " ".join((value or "").split())


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
        dialect: its `system` is the rubric that the person reads, its direction says what a
            letter names.
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
    if dialect.system is None or dialect.direction is None:
        lacking = "`system`, the rubric" if dialect.system is None else "`direction`"
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
    assert dialect.system is not None
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
        rubric=dialect.system,
        names=dialect.direction,
        scale=scale,
        item_id=item.id,
        response_ids=tuple(ids),
    )
    return row.model_copy(update={"id": row.computed_id()})


def to_jsonl(rows: Iterable[QueueRow]) -> str:
    """The queue as JSON Lines."""
    return b"".join(encode(row) for row in rows).decode()


def to_csv(rows: Sequence[QueueRow]) -> str:
    """The queue as CSV, one column per response; write it as `utf-8-sig` for spreadsheets."""
    width = max((len(row.responses) for row in rows), default=2)
    columns = [f"response {letter}" for letter in LETTERS[:width]]
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow((*_FIRST, *columns, *_LAST))
    for row in rows:
        cells = row.model_dump(mode="json")
        for name in _AS_JSON:
            cells[name] = orjson.dumps(cells[name]).decode()
        shown = [*row.responses, *[""] * (width - len(row.responses))]
        given = [*(cells[n] for n in _FIRST), *shown, *(cells[n] for n in _LAST)]
        writer.writerow(["" if cell is None else guarded(str(cell)) for cell in given])
    return out.getvalue()


def guarded(text: str) -> str:
    """The text as a cell that no spreadsheet runs as a formula; `unguarded` takes it back.

    >>> guarded("=1+1"), guarded("'tis"), unguarded(guarded("'=1"))
    ("'=1+1", "'tis", "'=1")
    """
    return f"'{text}" if _FORMULA.match(text.lstrip("'")) else text


def unguarded(cell: str) -> str:
    """The text of a cell that `guarded` made."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell.lstrip("'")) else cell


def read_queue(path: Path) -> list[QueueRow]:
    """The rows of a queue file (.csv or .jsonl) after people filled in what they decided.

    Raises:
        DataError: naming file, line and field: a row with missing, changed or mixed up cells, a
            verdict that is not on the scale, or a confidence that is not from 0 to 1.
    """
    suffix = path.suffix.lower()
    if suffix == ".csv":
        needed = (*_FIRST, *_LAST)
        read = read_delimited(path, _separator(path), columns=needed)
        found = [(line, _cells(cells, f"{path}:{line}")) for line, cells in read]
    elif suffix == ".jsonl":
        found = list(read_rows(path))
    else:
        raise DataError(f"{path}: expected a queue, .csv or .jsonl, found {path.name!r}.")
    return [
        checked(validate_row(row, QueueRow, where=f"{path}:{line}"), f"{path}:{line}")
        for line, row in found
    ]


def _separator(path: Path) -> str:
    """What separates columns: spreadsheets of many countries save with a semicolon."""
    with open_bytes(path, expected="a queue") as file:
        header = file.readline()
    return max(",;\t", key=lambda mark: header.count(mark.encode()))


def _cells(cells: Mapping[str, str], where: str) -> dict[str, Any]:
    """The cells of a CSV row as the fields of a queue row."""
    plain = {name: unguarded(cell) for name, cell in cells.items()}
    row: dict[str, Any] = {}
    for name in (*_FIRST, *_LAST):
        value = plain.pop(name)
        row[name] = value if QueueRow.model_fields[name].annotation is str else value or None
    for name in _AS_JSON:
        try:
            row[name] = orjson.loads(row[name] or "")
        except orjson.JSONDecodeError:
            raise DataError(
                f"{where}: field {name!r}: expected the list as it was written, found "
                f"{row[name]!r}. Copy the cell from the queue as it was issued."
            ) from None
    shown = len(row["response_ids"]) if isinstance(row["response_ids"], list) else 0
    row["responses"] = [plain.pop(f"response {letter}", "") for letter in LETTERS[:shown]]
    strange = [name for name, cell in plain.items() if cell and not name.startswith("response ")]
    if strange:
        raise DataError(f"{where}: column {strange[0]!r} is unknown. Write remarks into `note`.")
    row["confidence"] = _confidence(row["confidence"], where)
    return row


def _confidence(cell: str | None, where: str) -> float | None:
    if cell is None or not cell.strip():
        return None
    try:
        given = float(cell)
    except ValueError:
        given = math.nan
    if not 0 <= given <= 1:
        raise DataError(
            f"{where}: field 'confidence': expected a number from 0 to 1 such as 0.8, found "
            f"{cell!r}."
        )
    return given


def checked(row: QueueRow, where: str) -> QueueRow:
    """The row with its verdict as the scale writes it; None is not yet decided.

    Raises:
        DataError: the row is not as it was issued, or the verdict is not on its scale.
    """
    if row.computed_id() != row.id:
        raise DataError(
            f"{where}: the row is not as it was issued: its texts, ids or rubric were changed, or "
            "cells of several rows were mixed up. Take the row from the issued queue and fill in "
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


class Decided(NamedTuple):
    """People's verdicts out of a queue, and how many rows have none yet."""

    labels: tuple[ImportedLabel, ...]
    undecided: int


def decided(rows: Iterable[QueueRow], *, source: str, annotator: str | None = None) -> Decided:
    """The verdicts of decided rows, each with its responses in the order that was shown.

    Args:
        rows: of `read_queue`.
        source: where they come from, such as the file's name.
        annotator: who decided the rows that name nobody.

    Raises:
        DataError: a row that nobody signed, or what `checked` raises.
    """
    labels = []
    undecided = 0
    for position, given in enumerate(rows, start=1):
        where = f"{source}: row {position} (id {given.id})"
        row = checked(given, where)
        who = (row.annotator or "").strip() or annotator
        if row.verdict is None:
            undecided += 1
        elif not who:
            raise DataError(f"{where}: field 'annotator': expected who decided, found nothing.")
        else:
            labels.append(
                ImportedLabel(
                    response_ids=row.response_ids,
                    verdict=choice(row.verdict),
                    direction=row.names,
                    annotator=who,
                    confidence=row.confidence,
                    source=source,
                    licence="the user's own",
                )
            )
    return Decided(tuple(labels), undecided)


def read_labels(
    path: Path, questions: Mapping[str, Question], responses: Mapping[str, Response]
) -> Iterable[ImportedLabel]:
    """The verdicts that people wrote into a queue file; rows without one are left out."""
    return decided(read_queue(path), source=path.name).labels


def write_queue(folder: Path, rows: Sequence[QueueRow]) -> Path:
    """Write a queue for a spreadsheet and return its path. A file that is there is left alone.

    Its name follows from its rows, so that the same rows never overwrite what people wrote.
    """
    path = folder / f"disagreements-{content_id(sorted(row.id for row in rows))[:8]}.csv"
    if not path.exists():
        # The mark at the start has Excel read the file as UTF-8.
        write_bytes(path, to_csv(rows).encode("utf-8-sig"))
    return path
