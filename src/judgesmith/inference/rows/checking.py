"""The first pass over a file: whether its judge can be asked about every row."""

from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

import numpy as np

from judgesmith.errors import DataError
from judgesmith.inference.judge import Judge
from judgesmith.inference.rows.chunks import Raw
from judgesmith.judging.render import render_prompt, render_reference_prompt
from judgesmith.models.judge import showings, shown_at_once
from judgesmith.runs.progress import progress_bar
from judgesmith.sources.own_files import OwnPair, as_entry

_STEP = 1000
BRINGS = (
    "A row brings what its judge is shown in `context`, `choices`, `reference`, `grounding` and "
    '`fields`, such as "fields": {"criterion": "..."}.'
)


def check_rows(
    judge: Judge, path: Path, rows: Callable[[], Iterable[Raw]],
    also: Callable[[OwnPair], None] | None = None,
) -> int:  # fmt: skip
    """How many rows there are, each of which the judge can be asked about and `also` refuses none.

    Of each named row eight bytes are kept, so that a million of them take 8 MB.

    Raises DataError naming file, line and field for the first row that it cannot be asked about,
    for a name (`id`) that two rows have, and for no rows at all.
    """
    hashes, count = array("Q"), 0
    with progress_bar("check", None) as bar:
        for where, raw in rows():
            entry = as_entry(raw, path.name, where, judge.dialect.kind)
            check_prompt(judge, entry)
            if also is not None:
                also(entry)
            count += 1
            if entry.row.id is not None:
                hashes.append(_hash(entry.row.id))
            if count % _STEP == 0:
                bar.advance(_STEP)
    if not count:
        raise DataError(f"{path}: expected at least one row to judge, found an empty file.")
    again = _twice(hashes)
    if again:
        _refuse_names(path, rows(), again)
    return count


def _hash(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big")


def _twice(hashes: "array[int]") -> set[int]:
    ordered = np.sort(np.frombuffer(hashes, dtype=np.uint64))
    return set(ordered[1:][ordered[1:] == ordered[:-1]].tolist())


def _refuse_names(path: Path, rows: Iterable[Raw], hashes: set[int]) -> None:
    """Look at the names themselves: two may have one hash."""
    first: dict[str, str] = {}
    for where, raw in rows:
        name = raw.get("id")
        if name is None or _hash(name) not in hashes:
            continue
        if name in first:
            raise DataError(
                f"{where}: field 'id': expected a name of its own, found {name!r}, which is used "
                f"by more than one row: first in {first[name]}."
            )
        first[name] = where


def check_prompt(judge: Judge, entry: OwnPair) -> None:
    """Refuse a row that the judge cannot be asked about; DataError names file and line."""
    dialect = judge.dialect
    (first, *_) = showings([entry.item], dialect)
    answer = "..." if dialect.answers_first(entry.question) else None
    with _located(entry):
        (part, *_) = shown_at_once(first, dialect)
    with _located(entry, f" {BRINGS}"):
        render_reference_prompt(dialect, entry.question)
        shown = [entry.responses[position].text for position in part]
        render_prompt(dialect, entry.question, shown, answer)


@contextmanager
def _located(entry: OwnPair, advice: str = "") -> Iterator[None]:
    """Name the file and line of what is wrong with a row, in place of the question's id."""
    try:
        yield
    except DataError as error:
        told = str(error).removeprefix(f"question {entry.question.id}: ")
        raise DataError(f"{entry.where}: {told}{advice}") from None
