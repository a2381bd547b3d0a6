"""Judged rows as Parquet: the columns of the CSV form, with types."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from judgesmith.inference.rows.csv_rows import cells
from judgesmith.inference.rows.whole import appearing

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
    with appearing(out) as file, ParquetWriter(file, schema) as table:
        for group in _groups(again, texts):
            table.write_table(pyarrow.Table.from_pylist(group, schema=schema))


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
