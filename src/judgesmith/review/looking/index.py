"""An index of a run's record files, so that any item of it is found at once.

It holds ids, the facts that items are filtered by, the words of their texts, and where in which
file each record stands; the texts themselves stay in the run's files. It is built once beside the
run, and again when a manifest says that a stage was made anew.
"""

import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from judgesmith.errors import DataError, RunError
from judgesmith.records import Item, Judgment
from judgesmith.review.looking.readings import Readings, verdict_text
from judgesmith.review.looking.shelf import (
    DRAWN,
    FILE,
    ITEMS,
    OF_ITEMS,
    QUESTIONS,
    RESPONSES,
    Shelf,
)
from judgesmith.runs.jsonl import file_sha256
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import MANIFEST
from judgesmith.runs.progress import progress_bar
from judgesmith.tasks import known_dialects, task_of

VERSION = 4

_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE records (id TEXT, file TEXT, at INTEGER, size INTEGER, PRIMARY KEY (file, id))
  WITHOUT ROWID;
CREATE TABLE parts (item TEXT, file TEXT, at INTEGER, size INTEGER);
CREATE TABLE items (n INTEGER PRIMARY KEY, id TEXT UNIQUE, question TEXT, kind TEXT, split TEXT,
  bucket TEXT, subtype TEXT, category TEXT, title TEXT,
  cell INTEGER,   -- of what items are counted by
  sure REAL,      -- the lowest confidence of a judge; above 1 where none is known
  agreeing REAL); -- minus the most different verdicts within a dialect
CREATE TABLE cells (cell INTEGER PRIMARY KEY, split TEXT, category TEXT, kind TEXT, bucket TEXT,
  items INTEGER);
CREATE TABLE models (model TEXT, n INTEGER);
CREATE TABLE labels (verdict TEXT, n INTEGER);
CREATE TABLE opinions (n INTEGER, judge TEXT, dialect TEXT, verdict TEXT, flip INTEGER, status TEXT,
  confidence REAL, against TEXT, sure REAL);
CREATE VIRTUAL TABLE words USING fts5(question, responses, rationales, content='');
"""
_CELLS = """
INSERT INTO cells (split, category, kind, bucket, items)
  SELECT split, category, kind, bucket, count(*) FROM items GROUP BY 1, 2, 3, 4;
UPDATE items SET cell = (SELECT cell FROM cells WHERE cells.split IS items.split AND
  cells.category IS items.category AND cells.kind = items.kind AND cells.bucket IS items.bucket);
UPDATE opinions SET sure = coalesce(confidence, 2);
UPDATE items SET
  sure = coalesce((SELECT min(o.sure) FROM opinions o WHERE o.n = items.n), 2),
  agreeing = -coalesce((SELECT max(many) FROM (SELECT count(DISTINCT o.verdict) AS many
    FROM opinions o WHERE o.n = items.n GROUP BY o.dialect)), 0);
"""
_INDEXES = """
CREATE INDEX of_question ON items (question);
CREATE INDEX by_model ON models (model, n);
CREATE INDEX by_label ON labels (verdict, n);
CREATE INDEX by_cell ON items (cell);
CREATE INDEX by_sure ON items (sure, n);
CREATE INDEX by_agreement ON items (agreeing, n);
CREATE INDEX by_judge ON opinions (judge, against, n);
CREATE INDEX by_verdict ON opinions (judge, verdict, n);
CREATE INDEX by_judge_sure ON opinions (judge, sure, n);
ANALYZE;
"""


def open_index(run_dir: RunDir) -> sqlite3.Connection:
    """The index of a run, built first where there is none of what the run is now."""
    path, wanted = run_dir.file(FILE), _wanted(run_dir)
    if not path.exists() or _made_of(path) != wanted:
        _build(run_dir, path, wanted)
    return connect(run_dir)


def connect(run_dir: RunDir) -> sqlite3.Connection:
    """A connection to the index that is there; it is only read."""
    path = run_dir.file(FILE)
    found = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False)
    found.row_factory = sqlite3.Row
    return found


def state_of(run_dir: RunDir) -> dict[str, str]:
    """What the run is now: the hash of every stage's manifest, by stage."""
    manifests = sorted(run_dir.path.glob(f"*/{MANIFEST}"))
    return {one.parent.name: file_sha256(one) for one in manifests}


def _wanted(run_dir: RunDir) -> str:
    return json.dumps({"index": VERSION, **state_of(run_dir)})


def _made_of(path: Path) -> str | None:
    try:
        with sqlite3.connect(path) as db:
            (found,) = db.execute("SELECT value FROM meta WHERE name = 'state'").fetchone()
            return str(found)
    except (sqlite3.DatabaseError, TypeError):
        return None


def _build(run_dir: RunDir, path: Path, state: str) -> None:
    if not run_dir.file(DRAWN).exists():
        raise DataError(
            f"{run_dir.file(DRAWN)}: expected the run's items, found none yet. Run the recipe "
            "with --until items or a later stage, then look again."
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _build_at(run_dir, path, state)
    except (OSError, sqlite3.OperationalError) as error:
        raise RunError(
            f"{path}: the index of the run cannot be written there: {error}. Give the folder room, "
            "and the right to write in it."
        ) from None


def _build_at(run_dir: RunDir, path: Path, state: str) -> None:
    made = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    made.unlink(missing_ok=True)
    try:
        db = sqlite3.connect(made)
        try:
            db.execute("PRAGMA journal_mode = OFF")
            db.execute("PRAGMA synchronous = OFF")
            db.executescript(_TABLES)
            _fill(run_dir, db)
            db.execute("INSERT INTO meta VALUES ('state', ?)", (state,))
            db.commit()
        finally:
            db.close()
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)


def _fill(run_dir: RunDir, db: sqlite3.Connection) -> None:
    for name in (QUESTIONS, RESPONSES, DRAWN, ITEMS):
        rows = ((row["id"], name, at, size) for row, at, size in _lines(run_dir.file(name)))
        db.executemany("INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?)", rows)
    for name in OF_ITEMS:
        rows = ((row["item_id"], name, at, size) for row, at, size in _lines(run_dir.file(name)))
        db.executemany("INSERT INTO parts VALUES (?, ?, ?, ?)", rows)
    db.execute("CREATE INDEX parts_of_item ON parts (item)")
    shelf, readings = Shelf(run_dir, db), Readings(run_dir)
    with progress_bar("index", _count(db)) as bar:
        for n, item in enumerate(_items(run_dir, db), start=1):
            _add(db, shelf, readings, n, item)
            bar.advance()
    _name_judges(run_dir, db)
    db.executescript(f"CREATE INDEX of_item ON opinions (n); {_CELLS} {_INDEXES}")
    shelf.close()


def _count(db: sqlite3.Connection) -> int:
    (found,) = db.execute("SELECT count(DISTINCT id) FROM records WHERE file IN (?, ?)",
                          (DRAWN, ITEMS)).fetchone()  # fmt: skip
    return int(found)


def _items(run_dir: RunDir, db: sqlite3.Connection) -> Iterator[Item]:
    """Items of the split in their order, then those that were drawn and left out of it."""
    for row, _, _ in _lines(run_dir.file(ITEMS)):
        yield Item.model_validate_json(orjson.dumps(row), strict=True)
    known = "SELECT 1 FROM records WHERE file = ? AND id = ?"
    for row, _, _ in _lines(run_dir.file(DRAWN)):
        if db.execute(known, (ITEMS, row["id"])).fetchone() is None:
            yield Item.model_validate_json(orjson.dumps(row), strict=True)


def _lines(path: Path) -> Iterator[tuple[dict[str, Any], int, int]]:
    """Each record of a file with its place; nothing where the run has no such file."""
    if not path.exists():
        return
    at = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                yield orjson.loads(line), at, len(line)
            except orjson.JSONDecodeError as error:
                raise DataError(
                    f"{path}:{number}: expected a record as JSON, found {line[:60]!r} ({error}). "
                    "Run the recipe again: the stage is then made anew."
                ) from None
            at += len(line)


def _name_judges(run_dir: RunDir, db: sqlite3.Connection) -> None:
    """A judge of several dialects becomes one for each, named after it."""
    names = {hashed: one.name for hashed, one in known_dialects(task_of(run_dir.header)).items()}
    several = "SELECT judge FROM opinions GROUP BY judge HAVING count(DISTINCT dialect) > 1"
    found = db.execute(f"SELECT DISTINCT judge, dialect FROM opinions WHERE judge IN ({several})")
    for judge, dialect in found.fetchall():
        db.execute(
            "UPDATE opinions SET judge = ? WHERE judge = ? AND dialect = ?",
            (f"{judge} · {names.get(dialect, dialect)}", judge, dialect),
        )


def _add(
    db: sqlite3.Connection, shelf: Shelf, readings: Readings, n: int, item: Item
) -> None:  # fmt: skip
    question = shelf.record(QUESTIONS, item.question_id) or {}
    responses = [shelf.record(RESPONSES, one) or {} for one in item.response_ids]
    parts = shelf.of_item(item.id)
    taught, measured = (
        [Judgment.model_validate_json(orjson.dumps(row), strict=True) for row in parts[name]]
        for name in OF_ITEMS[:2]
    )
    db.execute(
        "INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL)",
        (n, item.id, item.question_id, item.kind, item.split, item.bucket, item.subtype,
         question.get("category"), str(question.get("text", ""))[:200]),
    )  # fmt: skip
    models = {str(one.get("model")) for one in responses}
    db.executemany("INSERT INTO models VALUES (?, ?)", [(one, n) for one in models])
    said = {verdict_text(row["verdict"]) for row in parts["labels/labels.jsonl"]}
    db.executemany("INSERT INTO labels VALUES (?, ?)", [(one, n) for one in said])
    db.executemany(
        f"INSERT INTO opinions VALUES ({n}, ?, ?, ?, ?, ?, ?, ?, NULL)",
        readings.of(item, taught, measured),
    )
    asked = "\n".join(str(question.get(name) or "") for name in ("context", "text", "reference"))
    db.execute(
        "INSERT INTO words (rowid, question, responses, rationales) VALUES (?, ?, ?, ?)",
        (n, asked, "\n".join(str(one.get("text", "")) for one in responses),
         "\n".join(one.rationale or one.reply or "" for one in (*taught, *measured))),
    )  # fmt: skip
