"""Values that a row has not itself: from its file's path, a longer text, another file."""

import re
from collections.abc import Callable
from pathlib import Path

from judgesmith.errors import DataError
from judgesmith.sources.mapping import Lookup, Part
from judgesmith.sources.patterns import FoundFile, match_below
from judgesmith.sources.tables import read_table, stem
from judgesmith.sources.templates import (
    Row,
    RowProblem,
    compile_template,
    explain,
    shorten,
    spell,
    text_of,
)


def path_values(found: FoundFile) -> Row:
    """What a file's path gives to each of its rows."""
    values = {f"${name}": value for name, value in found.captured.items()}
    return {"$file": found.path.name, "$stem": stem(found.path), **values}


def add_part(name: str, part: Part) -> Callable[[Row], None]:
    """A function that puts a piece of a longer text into a row, or null."""
    get = compile_template(part.of).get
    search = re.compile(part.pattern, re.DOTALL).search

    def add(row: Row) -> None:
        match = search(text_of(get(row)))
        row[name] = match.group(1) if match else None

    return add


class LookedUp:
    """Rows of another file by their key; the file is read when the first row asks."""

    def __init__(self, name: str, spec: Lookup, root: Path) -> None:
        self._name = name
        self._spec = spec
        self._root = root
        self._by = compile_template(spec.by).get
        self._rows: dict[str, Row] | None = None

    def add(self, row: Row) -> None:
        """Put the row that has this row's key into it.

        Raises RowProblem where there is none.
        """
        if self._rows is None:
            self._rows = self._load()
        key = spell(self._by(row))
        found = self._rows.get(key)
        if found is None:
            raise RowProblem(
                f"lookup {self._name!r}: no row of {self._spec.path} has the key {shorten(key)}."
            )
        row[self._name] = found

    def _load(self) -> dict[str, Row]:
        get = compile_template(self._spec.key).get
        rows: dict[str, Row] = {}
        for found in match_below(self._root, self._spec.path):
            constants = path_values(found)
            table = read_table(found.path, rows=self._spec.rows)
            for number, (where, key, row) in enumerate(table, start=1):
                row.update(constants)
                row["$row"] = number
                if key is not None:
                    row["$key"] = key
                try:
                    name = spell(get(row))
                except (KeyError, RowProblem) as error:
                    raise DataError(f"{where}: {explain(error, row)}") from None
                if name in rows:
                    raise DataError(f"{where}: a second row has the key {shorten(name)}.")
                rows[name] = row
        return rows
