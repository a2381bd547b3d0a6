"""SQLite files of ours: opened safely, shared by processes, with errors in our own words."""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple, Self

from judgesmith.errors import DataError, JudgesmithError, RunError


class FileType(NamedTuple):
    """What a file of ours is: its mark, its schema, and what to do where it is broken.

    `upgrades` are older versions, each with the statements that make the next version of it.
    """

    name: str
    mark: int
    version: int
    schema: Sequence[str]
    where_broken: str
    upgrades: Sequence[tuple[int, Sequence[str]]] = ()

    def statements(self, version: int) -> list[str]:
        """What makes a file of this version out of one of an older version, 0 being an empty one.

        >>> made = FileType("x", 1, 3, ["whole"], "", upgrades=[(1, ["to 2"]), (2, ["to 3"])])
        >>> made.statements(0), made.statements(2), made.statements(1)
        (['whole'], ['to 3'], ['to 2', 'to 3'])
        """
        if version == 0:
            return list(self.schema)
        return [one for old, some in sorted(self.upgrades) if old >= version for one in some]


class Database:
    """One SQLite file in write-ahead mode, shared by processes and by the threads of this one.

    What was committed outlives a killed process; a power cut may take the last moments with it.
    Raises DataError where the file is something else, newer or broken, and RunError where the disk
    refuses or another process holds the file for longer than `wait_s`.
    """

    def __init__(self, path: Path, type_: FileType, *, wait_s: float = 30.0) -> None:
        self.path, self.lock = path, RLock()
        self._type, self._wait_s = type_, wait_s
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(
                f"{path}: expected a folder for the {type_.name}, found: {error.strerror}. Choose "
                "a folder that can be written to."
            ) from None
        with self._in_our_words():
            self._connection = sqlite3.connect(
                path, timeout=wait_s, isolation_level=None, check_same_thread=False
            )
        try:
            self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; nothing more can be read or written."""
        with self.lock:
            self._connection.close()

    def read(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """All rows of a query."""
        with self.lock, self._in_our_words():
            return self._connection.execute(sql, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All that is written inside is kept together, or, where anything is raised, not at all."""
        with self.lock, self._in_our_words():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _prepare(self) -> None:
        self._version()  # a file that is not ours is refused before it is touched
        mode = self._retried("PRAGMA journal_mode=WAL")
        if mode != "wal":
            raise RunError(
                f"{self.path}: expected a disk on which SQLite can write ahead, found journal "
                f"mode {mode!r}. Network disks cannot: put the {self._type.name} on a local one."
            )
        self._retried("PRAGMA synchronous=NORMAL")
        if self._version() != self._type.version:
            with self.transaction() as connection:
                found = self._version()  # another process may have been faster
                if found != self._type.version:
                    for statement in self._type.statements(found):
                        connection.execute(statement)
                    connection.execute(f"PRAGMA application_id={self._type.mark}")
                    connection.execute(f"PRAGMA user_version={self._type.version}")

    def _version(self) -> int:
        """The version of the file, 0 where it is empty; one that is no use here is refused."""
        # Tables first: they come together with the mark, so where they are seen the mark is there.
        is_used = self._retried("SELECT count(*) FROM sqlite_master") > 0
        mark, version = self._retried("PRAGMA application_id"), self._retried("PRAGMA user_version")
        usable = (self._type.version, *(older for older, _ in self._type.upgrades))
        if mark == self._type.mark and version in usable:
            return int(version)
        name = self._type.name
        if mark == self._type.mark:
            raise DataError(
                f"{self.path}: expected a {name} of version {self._type.version}, found version "
                f"{version}: a newer judgesmith made it. Upgrade judgesmith, or name another file."
            )
        if is_used:
            raise DataError(
                f"{self.path}: expected a {name}, found an SQLite file of something else. Name "
                "another file."
            )
        return 0

    def _retried(self, sql: str) -> Any:
        """The one value of a statement; SQLite itself does not wait where it turns a file to WAL.

        The same holds for a look at a file that another process is just closing.
        """
        until = time.monotonic() + self._wait_s
        while True:
            try:
                with self._in_our_words():
                    row = self._connection.execute(sql).fetchone()
                return None if row is None else row[0]
            except _Busy:
                if time.monotonic() >= until:
                    raise
                time.sleep(0.01)

    @contextmanager
    def _in_our_words(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.ProgrammingError:  # a mistake of ours, not of the file
            raise
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def _explained(self, error: sqlite3.Error) -> JudgesmithError:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        name = self._type.name
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return _Busy(
                f"{self.path}: expected the {name} to be free, found it held by another process "
                f"for more than {self._wait_s:g} s. See what holds it (fuser {self.path}), end "
                "that, and run again."
            )
        if code == sqlite3.SQLITE_FULL:
            return RunError(
                f"{self.path}: expected room to write the {name}, found the disk full. Make room "
                "and run the same command again: it goes on where it stopped."
            )
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
            return RunError(
                f"{self.path}: expected a {name} that can be written, found: {error}. Make the "
                "file and its folder writable, or name another."
            )
        if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR):
            return DataError(
                f"{self.path}: expected a {name}, found: {error}. {self._type.where_broken}"
            )
        return RunError(
            f"{self.path}: expected to read and write the {name}, found: {error}. See that the "
            "disk is sound and has room, and run again."
        )


class _Busy(RunError):
    """Another process holds the file."""
