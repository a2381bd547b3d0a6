"""What the paths of an audit are: runs, benchmarks, labels and judgments, or rows to train on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path

from judgesmith.audits.dialects import dialect_findings, dialect_table
from judgesmith.errors import DataError
from judgesmith.pipeline.audit_found import Audited
from judgesmith.pipeline.audit_inputs import AuditSet, pack
from judgesmith.pipeline.audit_overlap import once
from judgesmith.pipeline.audit_rows import PEEKED, TrainingRow, form_of, read_training
from judgesmith.pipeline.readable import Readable, open_readable, together
from judgesmith.pipeline.recipes import is_run
from judgesmith.records import Direction
from judgesmith.sources.benchmarks import shipped
from judgesmith.sources.load_mapping import load_mapping
from judgesmith.sources.plain import tables_in
from judgesmith.sources.tables import read_table

HASHES = {
    "dialect": ("dialect", "dialect_hash"),
    "chat template": ("chat_template", "template_hash", "template"),
}
"""Columns that record in which words a row asks."""

_LONGEST_HASH = 64
_ROW_COLUMNS = ("{chosen", "{rejected", "{messages", "{prompt", "{completion")


@dataclass(frozen=True)
class Reading:
    """How paths are read: a mapping for files, a folder for benchmarks, what a verdict names."""

    mapping: Path | None = None
    data: Path | None = None
    names: Direction | None = None


@dataclass(frozen=True)
class Source:
    """One path: either something with judgments and labels, or rows to train on, or a run."""

    name: str
    path: Path | None
    readable: Readable | None = None
    rows: tuple[TrainingRow, ...] = ()
    run: Path | None = None


def open_sources(targets: Sequence[str], reading: Reading) -> list[Source]:
    """What each path holds; a folder without a mapping gives one source for each of its tables.

    Raises:
        DataError: a path does not exist, or its files have no form that can be read.
    """
    paths = [Path(target) for target in targets]
    beside = [path for path in paths if path.is_file() and not _holds_training_rows(path, reading)]
    found = [source for target in targets for source in _open(target, reading, beside)]
    return [
        replace(
            source,
            name=name,
            readable=source.readable and replace(source.readable, name=name),
        )
        for source, name in zip(found, once(source.name for source in found), strict=True)
    ]


def _open(target: str, reading: Reading, beside: Sequence[Path]) -> Iterator[Source]:
    path = Path(target)
    if is_run(path):
        yield Source(path.name, None, run=path)
    elif not path.exists():
        mapping = None if target in shipped() else reading.mapping
        readable = open_readable([target], mapping=mapping, data=reading.data)
        yield Source(readable.name, None, readable)
    elif path.is_dir() and reading.mapping is not None:
        yield Source(path.name, None, open_readable([target], mapping=reading.mapping))
    else:
        for file in _tables(path):
            yield _open_file(file, reading, beside)


def _tables(path: Path) -> list[Path]:
    try:
        return tables_in(path)
    except DataError as error:
        raise DataError(f"{error} It is not a run folder either: it has no recipe.yaml.") from None


def training_side(source: Source) -> Source:
    """The same, or for a run the rows that its student learned from.

    Raises:
        DataError: the run has written no rows.
    """
    if source.run is None:
        return source
    path = source.run / "rows" / "sft.jsonl"
    if not path.is_file():
        raise DataError(f"--train {source.run}: expected a run that made its rows, found no {path}")
    return Source(source.name, path, rows=tuple(read_training(path)))


def _open_file(path: Path, reading: Reading, beside: Sequence[Path]) -> Source:
    if _holds_training_rows(path, reading):
        return Source(path.name, path, rows=tuple(read_training(path)))
    readable = open_readable([str(path)], mapping=reading.mapping, beside=beside)
    return Source(path.name, path, replace(readable, name=path.name))


def _holds_training_rows(path: Path, reading: Reading) -> bool:
    """By its columns, unless a mapping reads those."""
    if reading.mapping is None:
        return form_of(path) is not None
    text = load_mapping(reading.mapping).model_dump_json()
    if any(column in text for column in _ROW_COLUMNS):
        return False
    try:
        return form_of(path) is not None
    except DataError:  # the mapping may know the format, or where in the file the rows are
        return False


def pack_sets(sources: Sequence[Source], into: Audited) -> list[AuditSet]:
    """One set for each source, or for several whose items are mostly the same.

    A file of labels and files of judgments about the same items are one set.
    """
    readables = [source.readable for source in sources if source.readable is not None]
    packed = [(readable, pack(readable)) for readable in readables]
    groups: list[list[tuple[Readable, AuditSet]]] = []
    for entry in packed:
        home = next((g for g in groups if any(_belong(entry[1], other) for _, other in g)), None)
        if home is None:
            groups.append([entry])
        else:
            home.append(entry)
    return [made for group in groups for made in _joined(group, into)]


def _joined(group: list[tuple[Readable, AuditSet]], into: Audited) -> list[AuditSet]:
    """One set of several sources, or the sources as they are where one set holds contradictions."""
    if len(group) == 1:
        return [group[0][1]]
    parts = [readable for readable, _ in group]
    name = ", ".join(part.name for part in parts)
    both = together(parts)
    subject = replace(parts[0].subject, order_proof=both.subject.order_proof)
    whole = replace(both, name=name, subject=subject)
    try:
        made = pack(whole)
    except DataError as error:
        into.skip(f"{name} as one set", f"they share items, but {error}")
        return [one for _, one in group]
    into.notes.append(f"{name}: their items are mostly the same, so they were read as one set.")
    return [made]


def _belong(one: AuditSet, other: AuditSet) -> bool:
    """Whether more than half of the smaller set's items are in the other, under one question."""
    if (one.subject.kind, one.subject.names) != (other.subject.kind, other.subject.names):
        return False
    common = one.found.positions.keys() & other.found.positions.keys()
    if 2 * len(common) <= min(len(one.groups), len(other.groups)):
        return False
    groups = [
        (one.groups[one.found.positions[key]], other.groups[other.found.positions[key]], key[0])
        for key in common
    ]
    compared = [(a, b) for a, b, item in groups if item not in (a, b)]
    return 2 * sum(a != b for a, b in compared) <= len(compared)


def audit_dialects(sides: Sequence[tuple[str, Path]], into: Audited) -> None:
    """Compare the dialect and template hashes that files record, the first side with the others."""
    for what, columns in HASHES.items():
        recorded: dict[str, dict[str | None, list[str]]] = {}
        for side, path in sides:
            for value, where in _hashes(path, columns):
                recorded.setdefault(side, {}).setdefault(value, []).append(where)
        if not recorded:
            into.skip(f"dialects ({what})", f"no file has a column {', '.join(columns)}")
            continue
        for side in dict.fromkeys(side for side, _ in sides if side not in recorded):
            into.skip(f"dialects ({what}), {side}", f"no column {', '.join(columns)}")
        table = dialect_table(recorded, what=what)
        into.add(f"dialects ({what})", table.to_dict(), dialect_findings(table))


def _hashes(path: Path, columns: Sequence[str]) -> Iterator[tuple[str | None, str]]:
    name = None
    for number, (where, _, row) in enumerate(read_table(path)):
        if name is None:
            name = next((column for column in columns if column in row), None)
            if name is None and number >= PEEKED:
                return
        if name is not None:
            value = row.get(name)
            yield None if value in (None, "") else _as_hash(str(value)), where


def _as_hash(value: str) -> str:
    if len(value) <= _LONGEST_HASH:
        return value
    return blake2b(value.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
