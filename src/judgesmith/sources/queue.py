"""The disagreement queue: files of items that people decide, out and back.

A file that holds what somebody wrote is never written, moved or deleted.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain, count
from pathlib import Path
from typing import Any, NamedTuple

from judgesmith.errors import DataError
from judgesmith.records import Question, Response, choice, content_id
from judgesmith.runs.jsonl import encode, read_rows, validate_row, write_bytes
from judgesmith.sources import ImportedLabel
from judgesmith.sources.queue_cells import fields_of, fits_cells, read_cells, to_csv
from judgesmith.sources.queue_rows import QueueRow, checked, queue_rows, require_rubric

__all__ = [
    "SUPERSEDED",
    "Decided",
    "decided",
    "queue_rows",
    "read_labels",
    "read_queue",
    "require_rubric",
    "set_aside",
    "to_jsonl",
    "write_queue",
]

SUPERSEDED = "superseded"
"""Folder beside the queue that counts, of earlier ones in which nobody wrote."""
_NAME = "disagreements-"
_MOST_TOLD = 10


def to_jsonl(rows: Iterable[QueueRow]) -> str:
    """The queue as JSON Lines."""
    return b"".join(encode(row) for row in rows).decode()


def read_queue(path: Path) -> list[QueueRow]:
    """The rows of a queue file (.csv or .jsonl) after people filled in what they decided.

    Raises:
        DataError: naming file, line and field of every row with missing, changed or mixed up cells,
            a verdict that is not on the scale, or a confidence that is not from 0 to 1.
    """
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".jsonl"):
        raise DataError(f"{path}: expected a queue, .csv or .jsonl, found {path.name!r}.")
    table = suffix == ".csv"
    rows: list[QueueRow] = []
    wrong: list[str] = []
    found: Iterable[tuple[int, dict[str, Any]]] = read_cells(path) if table else read_rows(path)
    for line, given in found:
        where = f"{path}:{line}"
        try:
            fields = fields_of(given, where) if table else given
            rows.append(checked(validate_row(fields, QueueRow, where=where), where))
        except DataError as error:
            wrong.append(str(error))
    if wrong:
        more = len(wrong) - _MOST_TOLD
        told = [*wrong[:_MOST_TOLD], *([f"... and {more} rows more."] if more > 0 else [])]
        raise DataError("\n".join(told))
    return rows


class Decided(NamedTuple):
    """People's verdicts out of a queue, and how many rows have none yet."""

    labels: tuple[ImportedLabel, ...]
    undecided: int


def decided(rows: Iterable[QueueRow], *, source: str) -> Decided:
    """The verdicts of decided rows, each with its responses in the order that was shown.

    Args:
        rows: of `read_queue`.
        source: where they come from, such as the file's name.

    Raises:
        DataError: a row that nobody signed, or what `checked` raises.
    """
    labels = []
    undecided = 0
    for position, given in enumerate(rows, start=1):
        where = f"{source}: row {position} (id {given.id})"
        row = checked(given, where)
        who = (row.annotator or "").strip()
        if row.verdict is None:
            undecided += 1
        elif not who:
            raise DataError(f"{where}: field 'annotator': expected who decided, found nothing.")
        else:
            labels.append(
                ImportedLabel(
                    response_ids=row.response_ids,
                    verdict=choice(row.verdict),
                    direction=row.names,
                    annotator=who,
                    confidence=row.confidence,
                    source=source,
                    licence="the user's own",
                    where=where,
                )
            )
    return Decided(tuple(labels), undecided)


def read_labels(
    path: Path, questions: Mapping[str, Question], responses: Mapping[str, Response]
) -> Iterable[ImportedLabel]:
    """The verdicts that people wrote into a queue file; rows without one are left out."""
    return decided(read_queue(path), source=path.name).labels


def write_queue(
    folder: Path, rows: Sequence[QueueRow], *, keep: Collection[Path] = ()
) -> list[Path]:
    """Write a queue for a spreadsheet and return its paths. A file that is there is left alone.

    Its name follows from its rows, so that the same rows never overwrite what people wrote. Rows
    with a text that no cell holds go into a `.jsonl` file of the same name, the second path or the
    only one. Where all of these rows were decided in files of `keep` and are asked about again, as
    people contradict each other, the name gets a number. Earlier queues are set aside; see
    `set_aside`.
    """
    name = f"{_NAME}{content_id(sorted(row.id for row in rows))[:8]}"
    parts = {".csv": [row for row in rows if fits_cells(row)]}
    parts[".jsonl"] = [row for row in rows if not fits_cells(row)]
    suffixes = [suffix for suffix, part in parts.items() if part] or [".csv"]
    imported = {path.resolve() for path in keep}
    endings = chain([""], (f"-{number}" for number in count(2)))
    tried = ([folder / f"{name}{end}{suffix}" for suffix in suffixes] for end in endings)
    paths = next(
        paths
        for paths in tried
        if not all(path.resolve() in imported and _is_decided(path) for path in paths)
    )
    set_aside(folder, keep=[*keep, *paths])
    for path in paths:
        before = folder / SUPERSEDED / path.name
        if not path.exists() and before.exists():
            before.replace(path)
        elif not path.exists():
            # The mark at the start has Excel read the file as UTF-8.
            part = parts[path.suffix]
            csv = path.suffix == ".csv"
            write_bytes(path, to_csv(part).encode("utf-8-sig") if csv else to_jsonl(part).encode())
    return paths


def set_aside(folder: Path, *, keep: Collection[Path] = ()) -> list[Path]:
    """Move queues in which nobody wrote to the folder `superseded`; returns those that stay.

    Args:
        folder: of the queues.
        keep: files that stay whatever they hold: the queue that counts, and imports of the recipe.
    """
    kept = {path.resolve() for path in keep}
    found = [path for path in sorted(folder.glob(f"{_NAME}*")) if path.resolve() not in kept]
    stay = []
    for path in found:
        aside = folder / SUPERSEDED / path.name
        if aside.exists() or not _is_blank(path):
            stay.append(path)
        else:
            aside.parent.mkdir(exist_ok=True)
            path.replace(aside)
    return stay


def _is_decided(path: Path) -> bool:
    """Whether every row of a queue that is there has a verdict."""
    return path.exists() and all(row.verdict is not None for row in read_queue(path))


def _is_blank(path: Path) -> bool:
    """Whether a file is a queue in which nobody wrote; what cannot be read may have been."""
    try:
        return all(row.is_blank for row in read_queue(path))
    except DataError:
        return False
