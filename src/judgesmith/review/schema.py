"""The database of a review: its tables, its version, and the way from an older one."""

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path

from judgesmith.errors import DataError

VERSION = 1

TABLES = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE items (
  id TEXT PRIMARY KEY, position INTEGER NOT NULL UNIQUE, stratum TEXT NOT NULL,
  size REAL NOT NULL,        -- how much an active queue prefers it
  place REAL,                -- in the queue; none for gold items of the calibration round
  takers INTEGER NOT NULL,   -- how many people were given it
  open INTEGER NOT NULL,     -- whether more may be
  gold INTEGER,              -- place in the calibration round
  split_panel INTEGER NOT NULL,  -- whether members of a panel disagree
  shown BLOB NOT NULL, withheld BLOB NOT NULL
);
CREATE INDEX queue ON items (place) WHERE open = 1 AND place IS NOT NULL;
CREATE INDEX golds ON items (gold) WHERE gold IS NOT NULL;
CREATE INDEX panels ON items (position) WHERE split_panel = 1;
CREATE TABLE annotators (
  name TEXT PRIMARY KEY, kind TEXT NOT NULL, roles TEXT NOT NULL, token TEXT UNIQUE NOT NULL,
  reached REAL NOT NULL,     -- place of the last new item given
  held_open INTEGER NOT NULL -- items given that others may be given, too
);
CREATE TABLE given (
  annotator TEXT NOT NULL, item TEXT NOT NULL, round TEXT NOT NULL, number INTEGER NOT NULL,
  due INTEGER NOT NULL, waits INTEGER NOT NULL,  -- `number` are nanoseconds since 1970
  PRIMARY KEY (annotator, item, round)
) WITHOUT ROWID;
CREATE INDEX waiting ON given (annotator, waits, due, number) WHERE waits > 0;
CREATE INDEX labelled ON given (annotator) WHERE waits = 0 AND round = 'label';
CREATE INDEX holders ON given (item);
CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, annotator TEXT NOT NULL,
  item TEXT NOT NULL, round TEXT NOT NULL, what TEXT NOT NULL, slots TEXT NOT NULL,
  body BLOB NOT NULL, at TEXT NOT NULL
);
CREATE TABLE current (
  annotator TEXT NOT NULL, item TEXT NOT NULL, round TEXT NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (annotator, item, round)
) WITHOUT ROWID;
CREATE INDEX answered ON current (annotator, seq);
CREATE INDEX answers_of ON current (item);
CREATE TABLE outcomes (item TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
"""

UPGRADES: Mapping[int, Callable[[sqlite3.Connection], None]] = {}
"""How a database of a version becomes one of the next."""


def create(connection: sqlite3.Connection) -> None:
    """Make the tables of a new review."""
    connection.executescript(f"BEGIN;{TABLES}PRAGMA user_version = {VERSION};COMMIT;")


def bring_up(connection: sqlite3.Connection, path: Path) -> Path | None:
    """Upgrade an older database after copying it; returns the copy, None where none was needed.

    Raises DataError for a newer database, and for a file that is no database of a review.
    """
    try:
        found = int(connection.execute("PRAGMA user_version").fetchone()[0])
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    except sqlite3.DatabaseError as error:
        raise DataError(f"{path}: expected the database of a review, found none: {error}") from None
    if found > VERSION:
        raise DataError(
            f"{path}: expected a review of version {VERSION} or older, found {found}: a newer "
            "judgesmith made it. Open it with that one; nothing was changed."
        )
    if not {"about", "items", "events"} <= names or found < 1:
        raise DataError(f"{path}: expected the database of a review, found another one.")
    if found == VERSION:
        return None
    missing = [step for step in range(found, VERSION) if step not in UPGRADES]
    if missing:
        raise DataError(f"{path}: a review of version {missing[0]} cannot be upgraded any more.")
    backup = path.with_name(f"{path.stem}.version-{found}.db")
    with sqlite3.connect(backup) as copy:
        connection.backup(copy)
    copy.close()
    for step in range(found, VERSION):
        connection.execute("BEGIN IMMEDIATE")
        UPGRADES[step](connection)
        connection.execute(f"PRAGMA user_version = {step + 1}")
        connection.execute("COMMIT")
    return backup
