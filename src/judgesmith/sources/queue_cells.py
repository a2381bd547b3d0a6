"""A queue as a table for a spreadsheet, and its cells as a spreadsheet gives them back.

A cell that a spreadsheet would run as a formula, or rewrite as a number or a date, gets an
apostrophe in front, which is taken away when the file is read.
"""

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from judgesmith.errors import DataError
from judgesmith.records import LETTERS
from judgesmith.runs.jsonl import open_bytes
from judgesmith.sources.queue_rows import FILLED_IN, QueueRow
from judgesmith.sources.tables import read_delimited

LONGEST_CELL = 32_767
"""UTF-16 units that a cell of a spreadsheet holds; what is longer is cut or spills over."""

_AS_JSON = ("scale", "response_ids")
_FIRST = ("id", "question", "context", "choices", "reference", "grounding")
_LAST = ("asks", *FILLED_IN, "rubric", "names", "scale", "item_id", "response_ids")
_FORMULA = re.compile(r"\s*[=+\-@|%\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")
_LONGEST_DATE = 40
_NUMBER_OR_DATE = re.compile(r"[\W\d_]*([^\W\d_]{1,12}[\W\d_]*)?([^\W\d_]{1,2}[\W\d_]*)?")
"""Digits and marks with one word, such as a month, and one of two letters at most, such as pm."""
_ID = re.compile(r"[0-9a-f]{16}")
_NUMBER = re.compile(r"\d+(e\d+)?")


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
        writer.writerow([_written(cell) for cell in given])
    return out.getvalue()


def _written(cell: str | float | None) -> str:
    return guarded(cell) if isinstance(cell, str) else "" if cell is None else str(cell)


def fits_cells(row: QueueRow) -> bool:
    """Whether a spreadsheet's cells hold all texts of the row."""
    texts = (row.question, row.context, row.choices, row.reference, row.grounding, *row.responses)
    longest = max(len(guarded(text or "").encode("utf-16-le")) // 2 for text in texts)
    return longest <= LONGEST_CELL


def guarded(text: str) -> str:
    """The text as a cell that a spreadsheet leaves as it is; `unguarded` takes it back.

    >>> guarded("=1+1"), guarded("'tis"), unguarded(guarded("'=1"))
    ("'=1+1", "'tis", "'=1")
    >>> [guarded(text) for text in ("2.00", "1/2", "3 May", "Ann, 20, is the older one")]
    ["'2.00", "'1/2", "'3 May", 'Ann, 20, is the older one']
    """
    return f"'{text}" if _is_changed(text.lstrip("'")) else text


def unguarded(cell: str) -> str:
    """The text of a cell that `guarded` made."""
    return cell[1:] if cell.startswith("'") and _is_changed(cell.lstrip("'")) else cell


def _is_changed(text: str) -> bool:
    """Whether a spreadsheet runs the text, or may take it for a number, a date or a truth value."""
    if _FORMULA.match(text):
        return True
    if _ID.fullmatch(text):
        return _NUMBER.fullmatch(text) is not None
    if len(text) > _LONGEST_DATE:
        return False
    has_digit = any(mark.isnumeric() for mark in text)
    return text.strip().casefold() in ("true", "false") or (
        has_digit and _NUMBER_OR_DATE.fullmatch(text) is not None
    )


def read_cells(path: Path) -> list[tuple[int, dict[str, str]]]:
    """The line on which each row of a CSV file begins, and its cells; empty rows are left out.

    Raises:
        DataError: naming file, line and what is wrong with the table.
    """
    read = read_delimited(path, _separator(path), columns=(*_FIRST, *_LAST))
    return [(line, cells) for line, cells in read if any(c.strip() for c in cells.values())]


def _separator(path: Path) -> str:
    """What separates columns: spreadsheets of many countries save with a semicolon."""
    with open_bytes(path, expected="a queue") as file:
        header = file.readline()
    return max(",;\t", key=lambda mark: header.count(mark.encode()))


def fields_of(cells: Mapping[str, str], where: str) -> dict[str, Any]:
    """The cells of a CSV row as the fields of a queue row.

    Raises:
        DataError: naming the place `where` and the field that cannot be read.
    """
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
    """A number from 0 to 1; with a decimal comma where the spreadsheet's country writes one."""
    if cell is None or not cell.strip():
        return None
    try:
        given = float(cell.replace(",", "."))
    except ValueError:
        given = math.nan
    if not 0 <= given <= 1:
        raise DataError(
            f"{where}: field 'confidence': expected a number from 0 to 1 such as 0.8, found "
            f"{cell!r}."
        )
    return given
