"""Judged rows as CSV: one column for each value, and the columns that any row has."""

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from judgesmith.inference.rows.whole import appearing

_SIDES = "abcdefghijklmnopqrstuvwxyz"


def write_csv(lines: Iterable[bytes], again: Iterable[bytes], out: Path) -> None:
    """Write JSON Lines as a table that appears whole or not at all.

    The lines are read twice, `lines` and `again`, once to know all columns. What is null is an
    empty cell. A path names a value: `distribution.A`, `scores.b`, `orders.ab.rationale`.

    Raises RunError where the disk takes no more.
    """
    columns: dict[str, None] = {}
    for line in lines:
        columns.update(dict.fromkeys(name for name, _ in cells(orjson.loads(line))))
    with appearing(out) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        delimiter = "\t" if out.suffix.lower() == ".tsv" else ","
        # Before Python 3.13 a lone carriage return is not quoted unless everything is.
        table = csv.DictWriter(
            text, list(columns), delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL
        )
        table.writeheader()
        for line in again:
            table.writerow({name: _text(cell) for name, cell in cells(orjson.loads(line))})
        text.detach()


def _text(cell: Any) -> Any:
    return str(cell).lower() if isinstance(cell, bool) else cell


def cells(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """The values inside of a row, each by its path.

    >>> dict(cells({"verdict": "A", "scores": [1.0, None], "orders": [{"shown": "ab", "v": "A"}]}))
    {'verdict': 'A', 'scores.a': 1.0, 'scores.b': None, 'orders.ab.v': 'A'}
    """
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from cells(inner, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        for side, inner in zip(_SIDES, value, strict=False):
            if isinstance(inner, dict):
                side, inner = inner["shown"], {k: v for k, v in inner.items() if k != "shown"}
            yield from cells(inner, f"{name}.{side}")
    else:
        yield name, value
