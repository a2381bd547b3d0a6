"""Judged rows as Parquet: the columns of the CSV form, with types."""

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from judgesmith.errors import RunError
from judgesmith.inference.rows.csv_rows import cells

_GROUP = 8192
"""Rows that are in memory at once."""


def write_parquet(lines: Iterable[bytes], again: Iterable[bytes], out: Path) -> None:
    """Write JSON Lines as a table that appears whole or not at all.

    The lines are read twice, `lines` and `again`, once to know all columns and their types. Values
    of a column that are not all truth values or all numbers are text.

    Raises RunError where the disk takes no more.
    """
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    kinds: dict[str, set[type]] = {}
    for line in lines:
        for name, value in cells(orjson.loads(line)):
            kinds.setdefault(name, set()).update(() if value is None else (type(value),))
    schema = pyarrow.schema([(name, _arrow_type(found)) for name, found in kinds.items()])
    texts = {name for name, found in kinds.items() if _arrow_type(found) == pyarrow.string()}
    temporary = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            with ParquetWriter(file, schema) as table:
                for group in _groups(again, texts):
                    table.write_table(pyarrow.Table.from_pylist(group, schema=schema))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(out)
    except OSError as error:
        raise RunError(
            f"{out}: cannot be written: {error.strerror or error}. All rows are judged and kept; "
            "the same command writes them."
        ) from None
    finally:
        temporary.unlink(missing_ok=True)


def _arrow_type(kinds: set[type]) -> Any:
    import pyarrow

    if kinds == {bool}:
        return pyarrow.bool_()
    if kinds and kinds <= {int, float}:
        return pyarrow.float64() if float in kinds else pyarrow.int64()
    return pyarrow.string()


def _groups(lines: Iterable[bytes], texts: set[str]) -> Iterator[list[dict[str, Any]]]:
    """Rows as their columns, some at a time."""
    rows = iter(lines)
    while some := list(islice(rows, _GROUP)):
        yield [
            {
                name: str(value) if name in texts and value is not None else value
                for name, value in cells(orjson.loads(line))
            }
            for line in some
        ]
