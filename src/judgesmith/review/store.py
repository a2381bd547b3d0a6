"""The file that a review lives in: one connection a thread, every write whole and on disk."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
        self._file = _file_of(path)

    @classmethod
    @contextmanager
    def making(cls, path: Path) -> Iterator["Store"]:
        """A new database, which is at its path after the block, and nowhere where the block fails.

        Raises RunError where there is one, or the folder cannot be written or is full.
        """
        if path.exists():
            raise RunError(f"{path}: there is a review already; open it, or give another --out.")
        folder, part = path.parent, path.with_name(f".{path.name}.{os.getpid()}.tmp")
        is_new = not folder.exists()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _remove(part)
            part.touch()
            store = cls(part)
            try:
                create(store.connection)
                yield store
            finally:
                store.close()
            part.rename(path)
            _sync(folder)
        except BaseException as error:
            _clear(folder if is_new else None, part)
            if isinstance(error, OSError | sqlite3.OperationalError):
                raise RunError(
                    f"{path}: a review cannot be kept there: {error}. Give a folder that can be "
                    "written and has room, with --out."
                ) from None
            raise

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
            self._require_same()
            held = sqlite3.connect(
                f"{self.path.resolve().as_uri()}?mode=rw", uri=True, timeout=_WAIT_S,
                isolation_level=None,
            )  # fmt: skip
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
        self._require_same()
        with self._transaction("IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[None]:
        """A block in which everything is read as it was at its first reading."""
        with self._transaction("DEFERRED"):
            yield

    @contextmanager
    def _transaction(self, kind: str) -> Iterator[sqlite3.Connection]:
        connection = self.connection
        connection.execute(f"BEGIN {kind}")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _require_same(self) -> None:
        """Raises OSError where the file is gone: what is written to it could never be read."""
        if _file_of(self.path) != self._file:
            raise FileNotFoundError(
                f"{self.path} was removed or replaced while it was in use: put it back, or start "
                "`judgesmith review` again"
            )

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


def _file_of(path: Path) -> tuple[int, int] | None:
    """Which file is at a path, whatever it is called; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _remove(path: Path) -> None:
    """A database with what SQLite keeps beside it."""
    for end in ("", "-wal", "-shm", "-journal"):
        path.with_name(f"{path.name}{end}").unlink(missing_ok=True)


def _clear(folder: Path | None, part: Path) -> None:
    """Leave nothing of a database that could not be made, nor its folder if that is new."""
    with suppress(OSError):
        _remove(part)
        if folder is not None:
            folder.rmdir()


def _sync(folder: Path) -> None:
    """See that the names in a folder are on disk."""
    held = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(held)
    finally:
        os.close(held)
