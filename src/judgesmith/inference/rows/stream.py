"""A file of any length through a judge, into another that appears whole or not at all."""

from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import orjson

from judgesmith.errors import DataError
from judgesmith.inference.abstaining import ABSTAINED_BY, Abstaining, as_rows
from judgesmith.inference.judge import Judge
from judgesmith.inference.judged import Judged
from judgesmith.inference.rows.checking import check_rows
from judgesmith.inference.rows.chunks import CHUNK, Chunk, Raw, Rest, Source, chunk_size, in_chunks
from judgesmith.inference.rows.csv_rows import write_csv
from judgesmith.inference.rows.growing import GrowingFile, growing
from judgesmith.inference.rows.parquet_rows import write_parquet
from judgesmith.inference.rows.target import basis_of, left_unfinished
from judgesmith.records import Status
from judgesmith.runs.progress import progress_bar, say
from judgesmith.sources.arrow_tables import require_pyarrow
from judgesmith.sources.own_files import as_entry

PARQUET = (".parquet", ".pq")
TABLES = (".csv", ".tsv", *PARQUET)
UNWRITTEN = (".gz", ".xlsx")

Rows = list[dict[str, Any]]
"""A chunk's rows as they are written."""

Elsewhere = Callable[[Rest], Iterator[Rows]]
"""Judges the chunks that are left, in order, in other processes; each opens the judge itself."""


@dataclass
class Tally:
    """How many rows were judged and how: `same` of `both` pairs had one verdict in both orders.

    `second` are those that a second judge took over, which are in no other count. `covered` holds
    the covered mass of each row that has one, `verdicts` how many pairs got each, `sure` the sum of
    the confidences of the `confident` rows that have a verdict and one, `calibrated` how many of
    these a calibration gave.
    """

    pairs: int = 0
    pairs_parsed: int = 0
    both: int = 0
    same: int = 0
    alone: int = 0
    alone_parsed: int = 0
    lists: int = 0
    lists_parsed: int = 0
    abstained: int = 0
    second: int = 0
    second_parsed: int = 0
    confident: int = 0
    calibrated: int = 0
    sure: float = 0.0
    verdicts: Counter[str] = field(default_factory=Counter)
    covered: "array[float]" = field(default_factory=lambda: array("d"))

    def add(self, row: dict[str, Any]) -> None:
        """Count a row as it is written."""
        self.abstained += row.get("status") == Status.ABSTAINED
        if ABSTAINED_BY in row:
            self.second += 1
            self.second_parsed += row.get("score", row.get("verdict")) is not None
            return
        if row.get("covered") is not None:
            self.covered.append(row["covered"])
        if row.get("confidence") is not None and row.get("status") != Status.ABSTAINED:
            self.confident += 1
            self.calibrated += row["calibration"] is not None
            self.sure += row["confidence"]
        if "responses" in row:
            self.lists += 1
            self.lists_parsed += row.get("verdict", row.get("scores")) is not None
            return
        if "consistent" not in row:
            self.alone += 1
            self.alone_parsed += row.get("score", row.get("verdict")) is not None
            return
        self.pairs += 1
        self.pairs_parsed += row["verdict"] is not None
        if row["verdict"] is not None:
            self.verdicts[row["verdict"]] += 1
        self.both += row["consistent"] is not None
        self.same += row["consistent"] is True


def judge_rows(judge: Judge, path: Path) -> Iterator[Judged]:
    """What a judge says of each row of a file, in order; all rows are checked before the first.

    Raises DataError naming file, line and field for a row that it cannot be asked about.
    """
    source = Source(path)
    total = check_rows(judge, path, source.rows)
    with progress_bar("judge", total) as bar:
        for chunk in in_chunks(source.rows(), chunk_size(judge)):
            yield from judge_chunk(judge, path, chunk)
            bar.advance(len(chunk.rows))


def judge_file(
    judge: Judge, path: Path, out: Path, *, limit: int | None = None,
    abstaining: Abstaining | None = None, elsewhere: Elsewhere | None = None,
) -> Tally:  # fmt: skip
    """Judge a file, or its first rows, into another; a call that was killed goes on.

    All rows are checked before the first is judged. What was judged stands beside `out` until all
    is, under a name that follows from the file, the judge and the limit: after a change of any of
    them nothing old is taken over. Chunks are judged anew that a kill cut, as the prompts of a
    batch can move a reply in its last bits. So the file is the same, byte for byte, in the end.

    Raises DataError naming file, line and field for a row that the judge cannot be asked about, and
    RunError where another process writes the same file.
    """
    _check_target(path, out)
    source = Source(path, limit)
    partial = out.with_name(f".{out.name}.{basis_of(judge, source, abstaining)}.partial")
    begun = partial.exists()
    also = None if abstaining is None else abstaining.check
    total = sum(1 for _ in source.rows()) if begun else check_rows(judge, path, source.rows, also)
    if not begun and abstaining is not None and abstaining.second is not None:
        check_rows(abstaining.second, path, source.rows)
    with growing(partial) as file:
        tally = _judge_into(judge, source, file, total, abstaining, elsewhere)
        if out.suffix.lower() in TABLES:
            write = write_parquet if out.suffix.lower() in PARQUET else write_csv
            write(file.read(), file.read(), out)
            partial.unlink()
        else:
            partial.replace(out)
    for other in left_unfinished(out, partial):
        say(
            f"judge: {other} holds unfinished verdicts of another call (other rows, another judge "
            "or setting). The same command as then goes on from it; if none will, delete it."
        )
    return tally


def _check_target(path: Path, out: Path) -> None:
    if out.is_dir() or out.resolve() == path.resolve():
        raise DataError(f"--out {out}: expected a new file's name, found the input or a folder.")
    if out.suffix.lower() in UNWRITTEN:
        raise DataError(
            f"--out {out}: expected a name that ends in .jsonl, .csv, .tsv or .parquet, found "
            f"{out.suffix!r}."
        )
    if out.suffix.lower() in PARQUET:
        require_pyarrow(out)
    if not path.exists():
        raise DataError(f"{path}: expected a file of rows to judge, found no file there.")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=out.parent):
            pass
    except OSError as error:
        raise DataError(
            f"--out {out}: expected a place that can be written to, found none: {error.strerror}. "
            "Name another with --out."
        ) from None


def _judge_into(
    judge: Judge, source: Source, file: GrowingFile, total: int, abstaining: Abstaining | None,
    elsewhere: Elsewhere | None,
) -> Tally:  # fmt: skip
    # Its own model is not loaded where others judge; they have the weights, which name no size.
    size = chunk_size(judge) if elsewhere is None else CHUNK
    left = file.left(in_chunks(source.rows(), size))
    tally = Tally()
    for line in file.read():
        tally.add(orjson.loads(line))
    if file.lines:
        say(f"judge: going on after {file.lines:,} of {total:,} rows, judged by an earlier call.")
    with progress_bar("judge", total, done=file.lines) as bar:
        for rows in (
            (written_rows(judge, source.path, chunk, abstaining) for chunk in left)
            if elsewhere is None
            else elsewhere(Rest(source, size, file.lines))
        ):
            file.append(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
            for row in rows:
                tally.add(row)
            bar.advance(len(rows))
    return tally


def written_rows(
    judge: Judge, path: Path, chunk: Chunk[Raw], abstaining: Abstaining | None
) -> Rows:
    """What is written for some rows of a file."""
    return as_rows(judge, judge_chunk(judge, path, chunk), chunk.start + 1, abstaining)


def judge_chunk(judge: Judge, path: Path, chunk: Chunk[Raw]) -> list[Judged]:
    """What a judge says of some rows of a file."""
    return judge.judge(
        [as_entry(raw, path.name, where, judge.dialect.kind) for where, raw in chunk.rows]
    )
