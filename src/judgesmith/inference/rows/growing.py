"""A file of lines that grows by whole chunks and survives a kill at any byte."""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from judgesmith.errors import RunError
from judgesmith.inference.rows.chunks import Chunk, T


class GrowingFile:
    """Lines that are on the disk once `append` returns; one process at a time writes them.

    What stands after the last whole line is what a kill left of one, and is cut off.
    """

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file, self.path = file, path
        self.lines, end = 0, 0
        for line in self._whole_lines():
            self.lines += 1
            end += len(line)
        file.truncate(end)
        file.seek(end)

    def _whole_lines(self) -> Iterator[bytes]:
        self._file.seek(0)
        for line in self._file:
            if line.endswith(b"\n"):
                yield line

    def read(self) -> Iterator[bytes]:
        """Every line, from the first; nothing may be appended meanwhile."""
        yield from self._whole_lines()
        self._file.seek(0, os.SEEK_END)

    def keep(self, lines: int) -> None:
        """Cut off all but the first so many lines."""
        end = 0
        for number, line in enumerate(self._whole_lines()):
            if number == lines:
                break
            end += len(line)
        self._file.seek(end)
        self._file.truncate(end)
        self.lines = min(self.lines, lines)

    def left(self, chunks: Iterator[Chunk[T]]) -> Iterator[Chunk[T]]:
        """The chunks that the file does not hold whole, a line for each of their rows.

        What it holds of the first of them is cut off.
        """
        first = next((chunk for chunk in chunks if chunk.end > self.lines), None)
        if first is None:
            return iter(())
        self.keep(first.start)
        return chain((first,), chunks)

    def append(self, lines: Iterable[bytes]) -> None:
        """Add lines, each with its line break, and wait until the disk has them.

        Raises RunError where the disk takes no more; the lines before are kept.
        """
        added = list(lines)
        try:
            self._file.write(b"".join(added))
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            kept = f"The {self.lines:,} rows before are kept. " if self.lines else ""
            raise RunError(
                f"{self.path}: cannot be written: {error.strerror}. {kept}Make room, and "
                "give the same command again."
            ) from None
        self.lines += len(added)


@contextmanager
def growing(path: Path) -> Iterator[GrowingFile]:
    """Open the file, or begin it, and hold it against other processes; none stays without lines.

    Raises RunError where another process holds it, or finished it before this one held it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(
                f"{path}: another judgesmith command is writing this file. Wait for it to end, or "
                "write to another with --out."
            ) from None
        if not path.exists() or not os.path.samestat(path.stat(), os.fstat(file.fileno())):
            raise RunError(
                f"{path}: another judgesmith command has just finished this file. Look at its "
                "verdicts, or give the command again."
            )
        found = GrowingFile(file, path)
        try:
            yield found
        finally:
            if not found.lines:
                path.unlink(missing_ok=True)
