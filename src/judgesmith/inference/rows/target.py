"""Where verdicts go when nobody says: beside the rows, and never over those of another call."""

import fcntl
import glob
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from judgesmith.errors import DataError
from judgesmith.inference.abstaining import ABSTAINED_BY, Abstaining
from judgesmith.inference.judge import Judge
from judgesmith.inference.rows.chunks import Source
from judgesmith.inference.rows.writing import ROW_FORM
from judgesmith.records import Status, content_id
from judgesmith.runs.jsonl import file_sha256, read_rows
from judgesmith.sources.tables import stem


def default_target(source: Source) -> Path:
    """Where verdicts go; the first rows alone never replace what was judged of the whole file.

    >>> [str(default_target(Source(Path("pairs.csv"), limit))) for limit in (None, 20)]
    ['pairs.judged.jsonl', 'pairs.first-20.judged.jsonl']
    """
    return _named(source, "")


def _named(source: Source, apart: str) -> Path:
    first = "" if source.limit is None else f".first-{source.limit}"
    return source.path.with_name(f"{stem(source.path)}{first}{apart}.judged.jsonl")


def choose_target(judge: Judge, source: Source, abstaining: Abstaining | None) -> Path:
    """The default target, or where it holds verdicts that would be lost a name of its own.

    What the same judge said of these rows, or of the first of them, is replaced: it is said again.
    """
    usual = default_target(source)
    if not usual.exists() or _said_again(usual, judge, source, abstaining):
        return usual
    return _named(source, f".{basis_of(judge, source, abstaining)[:8]}")


def basis_of(judge: Judge, source: Source, abstaining: Abstaining | None) -> str:
    """A hash of all that judged rows follow from: the file, how much of it, the judge, the rule."""
    return content_id(
        ROW_FORM, file_sha256(source.path), source.path.name, source.limit, judge.name,
        judge.version, None if abstaining is None else abstaining.id,
    )  # fmt: skip


def _said_again(out: Path, judge: Judge, source: Source, abstaining: Abstaining | None) -> bool:
    """Whether a file holds what this judge, asked so, said of rows with these names in order."""
    names = _names(source)
    try:
        return all(
            _is_by(row, judge, abstaining) and str(row.get("id")) == next(names, None)
            for _, row in read_rows(out)
        )
    except DataError:
        return False


def _names(source: Source) -> Iterator[str]:
    for position, (_, raw) in enumerate(source.rows(), start=1):
        yield str(position if raw.get("id") is None else raw["id"])


def _is_by(row: dict[str, Any], judge: Judge, abstaining: Abstaining | None) -> bool:
    if row.get("abstention") != (None if abstaining is None else abstaining.told):
        return False
    second = None if abstaining is None else abstaining.second
    by = judge
    if ABSTAINED_BY in row:
        if second is None or row[ABSTAINED_BY] != judge.name:
            return False
        by = second
    elif second is not None and row.get("status") == Status.ABSTAINED:
        return False
    return (row.get("judge"), row.get("version")) == (by.name, by.version)


def left_unfinished(out: Path, own: Path) -> list[Path]:
    """Files that other calls began for this target, and that nobody is writing now."""
    beside = out.parent.glob(f".{glob.escape(out.name)}.*.partial")
    return sorted(path for path in beside if path != own and not _is_held(path))


def _is_held(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
