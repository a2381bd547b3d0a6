"""The record files of a run that are looked at, and single records of them by their place."""

import os
import sqlite3
from typing import Any

import orjson

from judgesmith.errors import DataError
from judgesmith.runs.layout import RunDir

FILE = "review/look.db"

QUESTIONS, RESPONSES = "questions/questions.jsonl", "responses/responses.jsonl"
DRAWN, ITEMS = "items/items.jsonl", "split/items.jsonl"
OF_ITEMS = (
    "labels/judgments.jsonl", "evaluate/judgments.jsonl", "labels/labels.jsonl", "rows/sft.jsonl",
    "preferences/preferences.jsonl",
)  # fmt: skip
"""Files whose records name an item, in the order in which they are made."""


class Shelf:
    """Reads single records out of a run's files."""

    def __init__(self, run_dir: RunDir, db: sqlite3.Connection) -> None:
        self.header = run_dir.header
        self._db = db
        names = (QUESTIONS, RESPONSES, DRAWN, ITEMS, *OF_ITEMS)
        self._open = {
            name: os.open(run_dir.file(name), os.O_RDONLY)
            for name in names
            if run_dir.file(name).exists()
        }

    def close(self) -> None:
        """Let go of the files."""
        for held in self._open.values():
            os.close(held)

    def record(self, name: str, id_: str) -> dict[str, Any] | None:
        """One record by its id; None where the file has none of it."""
        row = self._db.execute(
            "SELECT at, size FROM records WHERE file = ? AND id = ?", (name, id_)
        ).fetchone()
        return None if row is None else self._read(name, "id", id_, row[0], row[1])

    def of_item(self, id_: str) -> dict[str, list[dict[str, Any]]]:
        """Every record that names an item, by file, in file order."""
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in OF_ITEMS}
        asked = "SELECT file, at, size FROM parts WHERE item = ? ORDER BY at"
        rows = self._db.execute(asked, (id_,))
        for name, at, size in rows.fetchall():
            found[name].append(self._read(name, "item_id", id_, at, size))
        return found

    def _read(self, name: str, field: str, id_: str, at: int, size: int) -> dict[str, Any]:
        """The record at a place, which must be the one that stood there when it was noted."""
        try:
            found = dict(orjson.loads(os.pread(self._open[name], size, at)))
            if found[field] == id_:
                return found
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            pass
        raise DataError(
            f"{name}, byte {at:,}: expected the record with {field} {id_!r}, found another: the "
            f"file has changed since its index was built. Delete {FILE} in the run's folder and "
            "start `judgesmith review` again."
        )
