"""Rows to be judged out of a table of any form, as the fields that they would have in JSON.

JSON Lines hold them as they are. In a table a column `fields.criterion` is the field `criterion` of
`fields`, and a cell that is empty (in Parquet: null) is a field that is not there. A cell of CSV or
TSV holds `choices`, `responses`, and what is a list inside of `fields`, as a JSON list.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from judgesmith.errors import DataError
from judgesmith.runs.jsonl import read_rows
from judgesmith.sources.tables import SUFFIXES, find_format, read_table

_FIELDS = "fields"
_TEXT = ("csv", "tsv")
_LISTS = ("choices", "responses")


def raw_pairs(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where each row to be judged stands, and its fields as JSON holds them.

    A file whose name ends otherwise than that of a table is read as JSON Lines. Raises DataError
    for what cannot be read, naming file and place.
    """
    named = path.with_suffix("") if path.suffix == ".gz" else path
    if not path.is_dir() and SUFFIXES.get(named.suffix.lower(), "jsonl") == "jsonl":
        for number, row in read_rows(path):
            yield f"{path}:{number}", row
        return
    form = find_format(path)
    for where, _, row in read_table(path, format=form):
        yield where, row if form == "json" else _as_json(row, where, text=form in _TEXT)


def _as_json(row: dict[str, Any], where: str, *, text: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    inner: dict[str, Any] = {}
    for column, cell in row.items():
        if cell is None or (text and not cell):
            continue
        name, dot, key = column.partition(".")
        if name == _FIELDS and dot:
            inner[key] = _from_text(cell) if text else cell
        elif column == _FIELDS:
            inner |= _object(cell, where)
        else:
            found[column] = _value(column, cell) if text else cell
    if inner:
        found[_FIELDS] = {name: value for name, value in inner.items() if value is not None}
    _require_json(found, where)
    return found


def _value(column: str, cell: str) -> Any:
    """The list or number that a cell of text stands for; the text itself where it is none."""
    if column in _LISTS:
        return _from_text(cell)
    if column == "score":
        with suppress(ValueError):
            return float(cell)
    return cell


def _from_text(cell: str) -> Any:
    if cell.startswith("["):
        with suppress(orjson.JSONDecodeError):
            return orjson.loads(cell)
    return cell


def _object(cell: Any, where: str) -> dict[str, Any]:
    value = cell
    if isinstance(cell, str):
        with suppress(orjson.JSONDecodeError):
            value = orjson.loads(cell)
    if not isinstance(value, dict):
        raise DataError(
            f"{where}: field 'fields': expected a JSON object, or columns such as "
            f"`fields.criterion`, found {str(cell)[:60]!r}."
        )
    return value


def _require_json(row: dict[str, Any], where: str) -> None:
    """Refuse what no JSON file could hold, such as bytes: they are not texts to be judged."""
    for name, value in row.items():
        try:
            orjson.dumps(value)
        except TypeError as error:
            raise DataError(
                f"{where}: field {name!r}: expected text, found {type(value).__name__} ({error})."
            ) from None
