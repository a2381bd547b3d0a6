"""Rows in chunks that are judged, and written, together."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import orjson

from judgesmith.inference.judge import Judge
from judgesmith.sources.own_tables import raw_pairs

T = TypeVar("T")
CHUNK = 256
"""Rows of a chunk, where the model names no other number."""

BYTES = 1 << 24
"""Size of a chunk that is not gone over by more than one row: rows may be books."""

Raw = tuple[str, dict[str, Any]]
"""Where a row stands, and its fields."""


@dataclass(frozen=True)
class Source:
    """The rows of a file to judge, from the first, as often as they are asked for."""

    path: Path
    limit: int | None = None

    def rows(self) -> Iterator[Raw]:
        """Where each row stands, and its fields."""
        return islice(raw_pairs(self.path), self.limit)


class Chunk(NamedTuple, Generic[T]):
    """Rows that follow each other; `start` have come before them."""

    start: int
    rows: list[T]

    @property
    def end(self) -> int:
        """How many rows there are up to the last of these."""
        return self.start + len(self.rows)


def chunk_size(judge: Judge) -> int:
    """How many rows are worth giving a judge's model at once."""
    return int(getattr(judge.model, "lot", CHUNK))


def in_chunks(rows: Iterable[Raw], size: int) -> Iterator[Chunk[Raw]]:
    """All rows in order, in chunks whose limits follow from the rows alone.

    So a call that goes on after a kill gives its model the very batches of an undisturbed one.
    """
    start, chunk, weight = 0, list[Raw](), 0
    for row in rows:
        chunk.append(row)
        weight += len(orjson.dumps(row[1], default=str))
        if len(chunk) >= size or weight >= BYTES:
            yield Chunk(start, chunk)
            start, chunk, weight = start + len(chunk), [], 0
    if chunk:
        yield Chunk(start, chunk)


@dataclass(frozen=True)
class Rest:
    """The chunks, of `size` rows each, of a source's rows after the first `start`."""

    source: Source
    size: int
    start: int

    def __iter__(self) -> Iterator[Chunk[Raw]]:
        return (one for one in in_chunks(self.source.rows(), self.size) if one.start >= self.start)
