"""The file that a review lives in: one connection a thread, every write whole and on disk."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from judgesmith.errors import DataError, RunError
from judgesmith.review.schema import bring_up, create

FILE = "review.db"
_WAIT_S = 30.0


class Store:
    """Connections to one database; what a transaction wrote is on disk when it ends."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()

    @classmethod
    def make(cls, path: Path) -> "Store":
        """A new database; RunError where there is one, or the folder cannot be written."""
        if path.exists():
            raise RunError(f"{path}: there is a review already; open it, or give another --out.")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            store = cls(path)
            create(store.connection)
        except (OSError, sqlite3.OperationalError) as error:
            raise RunError(
                f"{path}: a review cannot be kept there: {error}. Give a folder that can be "
                "written, with --out."
            ) from None
        return store

    @classmethod
    def open(cls, path: Path) -> "Store":
        """A database that is there, upgraded where it is an older one."""
        if not path.is_file():
            raise RunError(f"{path}: expected a review, found none. Make one with a run or file.")
        store = cls(path)
        try:
            bring_up(store.connection, path)
        except sqlite3.OperationalError as error:
            raise RunError(f"{path}: cannot be opened: {error}.") from None
        return store

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection."""
        held: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if held is None:
            held = sqlite3.connect(self.path, timeout=_WAIT_S, isolation_level=None)
            held.row_factory = sqlite3.Row
            try:
                held.execute("PRAGMA journal_mode = WAL")
                held.execute("PRAGMA synchronous = FULL")
            except sqlite3.OperationalError as error:
                raise RunError(
                    f"{self.path}: cannot be written: {error}. A review needs a folder that can."
                ) from None
            except sqlite3.DatabaseError as error:
                raise DataError(
                    f"{self.path}: expected the database of a review, found none: {error}"
                ) from None
            self._local.connection = held
        return held

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of it is on disk after the block, or nothing."""
        connection = self.connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """The rows of a query."""
        return self.connection.execute(query, values).fetchall()

    def one(self, query: str, *values: Any) -> sqlite3.Row | None:
        """The first row of a query."""
        found: sqlite3.Row | None = self.connection.execute(query, values).fetchone()
        return found

    def close(self) -> None:
        """Close this thread's connection."""
        held = getattr(self._local, "connection", None)
        if held is not None:
            held.close()
            self._local.connection = None
