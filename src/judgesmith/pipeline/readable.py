"""Anything that holds judgments and labels, as a stream of rows that can be read again.

A shipped benchmark, files with a mapping, files in our own columns, and a run's own test items
all become a `Readable`; what is measured, compared or audited starts from it.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from judgesmith.errors import DataError, nearest
from judgesmith.evaluation.judges import reasons
from judgesmith.evaluation.measure import Subject
from judgesmith.inference.students import margin_of
from judgesmith.judging.dialect import Dialect
from judgesmith.models.about import form_of
from judgesmith.models.pointwise import pair_verdict
from judgesmith.pipeline.recipes import open_run
from judgesmith.pipeline.running import require_fresh
from judgesmith.records import (
    TIE,
    AnnotatorKind,
    Item,
    Judgment,
    Kind,
    Label,
    Question,
    Response,
    Status,
    index_by_id,
)
from judgesmith.runs.jsonl import file_sha256
from judgesmith.runs.layout import RunDir
from judgesmith.runs.outside import VARIABLE
from judgesmith.runs.progress import progress_bar
from judgesmith.sources import mapping as schema
from judgesmith.sources.benchmarks import load_shipped, shipped
from judgesmith.sources.decisions import flip_letter
from judgesmith.sources.imported import ImportedItem, ImportedJudgment, ImportedRow
from judgesmith.sources.load_mapping import load_mapping
from judgesmith.sources.mapped import read_mapped
from judgesmith.sources.patterns import find_files
from judgesmith.sources.plain import choose_plain
from judgesmith.stages.evaluate.labelled_side import read_labelled_side
from judgesmith.tasks import load_dialect, task_of

PLAIN = "plain"
"""Name of the shipped mapping for files in our own columns."""

MOST_HASHED = 50
"""Files whose hashes the report lists."""

Read = Callable[[], Iterator[ImportedRow]]


@dataclass(frozen=True)
class Readable:
    """Rows and what they mean. `read` starts from the beginning each time it is called."""

    name: str
    title: str
    subject: Subject
    read: Read
    notes: tuple[str, ...] = ()
    provenance: tuple[tuple[str, str], ...] = ()


def read_counted(source: Readable, label: str = "read") -> Iterator[ImportedRow]:
    """All rows of a source, with a progress bar."""
    with progress_bar(label, None) as bar:
        for count, row in enumerate(source.read(), start=1):
            yield row
            if count % 1_000 == 0:
                bar.advance(1_000)


def open_readable(
    targets: Sequence[str], *, mapping: Path | None = None, data: Path | None = None,
    beside: Sequence[Path] = (),
) -> Readable:  # fmt: skip
    """What the user named: one shipped benchmark, or one or more files or folders.

    `beside` are files that are read apart, and say what these in our own columns are.

    Raises:
        DataError: nothing of that name exists; the message says what would.
    """
    first = Path(targets[0])
    if mapping is None and len(targets) == 1 and targets[0] in shipped() and not first.exists():
        return _benchmark(targets[0], data)
    paths = [Path(target) for target in targets]
    for path in paths:
        if not path.exists():
            raise DataError(
                f"{path}: expected a file, a folder or the name of a benchmark, found none of "
                f"them; {nearest(str(path), shipped())}"
            )
    if mapping is not None:
        return from_mapping(load_mapping(mapping), paths)
    used, files = choose_plain(paths, beside)
    return from_mapping(used, files)


def _benchmark(name: str, data: Path | None) -> Readable:
    used = load_shipped(name)
    root = data or Path(os.environ.get(VARIABLE, "data"))
    if not root.is_dir():
        raise DataError(
            f"{root}: expected a folder that holds the files of {name!r}, found none. Fetch them "
            f"({used.published}) and name the folder: --data FOLDER (or set {VARIABLE})."
        )
    return from_mapping(used, root)


def from_mapping(used: schema.Mapping, where: Path | Sequence[Path]) -> Readable:
    """Files read through a mapping; `where` is a data folder, or the files themselves."""
    if not isinstance(where, Path) and len(where) == 1 and where[0].is_dir():
        where = where[0]
    return Readable(
        name=used.name if used.name != PLAIN else _names(where),
        title=used.title,
        subject=subject_of(used),
        read=lambda: read_mapped(used, where),
        notes=(*used.notes, f"Published: {used.published}", f"Licence: {used.licence}")
        if used.name != PLAIN
        else used.notes,
        provenance=tuple(
            (f"sha256 of {one.file.path.name}", file_sha256(one.file.path)[:16])
            for one in find_files(used, where)[:MOST_HASHED]
            if one.file.path.is_file()
        ),
    )


def _names(where: Path | Sequence[Path]) -> str:
    paths = [where] if isinstance(where, Path) else where
    return " and ".join(path.name.split(".")[0] for path in paths[:3])


def subject_of(used: schema.Mapping) -> Subject:
    """What a mapping says about verdicts and labels."""
    return Subject(
        kind=used.kind,
        names=used.names,
        scale=used.scale,
        tie=used.tie if used.kind == "pair" else None,
        labels=used.labels,
        teacher=used.teacher,
        student=used.student,
        scores_of=tuple(used.scores_of.items()),
        limits=used.range,
        order_proof=used.order_proof,
    )


def from_run(folder: Path, name: str | None = None) -> Readable:
    """A run's test items, their labels, and its students' judgments.

    `name` is put before its judges' names: by default the recipe's.

    Raises:
        DataError: what its students score are single responses, which is not read here.
    """
    run_dir, recipe = open_run(folder)
    require_fresh(run_dir, recipe, "evaluate")
    config: Any = recipe.sections["evaluate"]
    dialect = load_dialect(task_of(run_dir.header), config.dialect)
    _require_pairs(run_dir, dialect)
    kind = config.labels
    name = name or run_dir.header.name
    return Readable(
        name=name,
        title=f"run {name}",
        subject=Subject(
            kind="pair",
            names=dialect.direction,
            scale=dialect.pair_scale.values,
            tie=TIE if dialect.pair_scale.has_tie else None,
            labels="majority" if kind is AnnotatorKind.PERSON else "key",
            student=f"{name}/{config.students[0]}",
            order_proof=tuple(f"{name}/{judge}" for judge in config.students)
            if dialect.kind is Kind.SINGLE
            else (),
        ),
        read=lambda: _run_rows(run_dir, dialect, kind, name, config.students),
        provenance=((f"seed of {name}", str(run_dir.seed)),),
    )


def _require_pairs(run_dir: RunDir, dialect: Dialect) -> None:
    """Refuse a run of scores before a row is read, so that what else it holds can be looked at."""
    items = index_by_id(run_dir.read("split/items.jsonl", Item))
    if form_of(dialect, run_dir.read("labels/labels.jsonl", Label), items) == "scores":
        raise DataError(
            f"{run_dir.path}: evaluate.dialect {dialect.name!r} scores single responses, and the "
            "judgments of a run are read here as verdicts on pairs only. The run's report "
            f"(`judgesmith report {run_dir.path}`) has its figures, and compares the judges of one "
            "run with each other (`evaluate.students`, `evaluate.baselines`). Files of scores are "
            "read by `judgesmith evaluate`, `compare` and `audit`."
        )


def _run_rows(
    run_dir: RunDir, dialect: Dialect, kind: AnnotatorKind, name: str, students: Sequence[str]
) -> Iterator[ImportedRow]:
    side = read_labelled_side(run_dir, kind, dialect)
    path = run_dir.file("evaluate/judgments.jsonl")
    by_item: dict[str, list[Judgment]] = {}
    for judgment in run_dir.read("evaluate/judgments.jsonl", Judgment):
        if judgment.dialect == dialect.hash and judgment.judge in students:
            by_item.setdefault(judgment.item_id, []).append(judgment)
    margins = {judge: margin_of(judge, dialect, run_dir) for judge in students}
    role: schema.Role = "person" if kind is AnnotatorKind.PERSON else "key"
    for item in side.items:
        shown = _item(item, side.questions[item.question_id], side.responses, str(path))
        labels = tuple(
            a_label(item.id, annotator, role, verdicts[item.id], str(path))
            for annotator, verdicts in side.said.items()
            if item.id in verdicts
        )
        found = tuple(
            as_imported(one, f"{name}/{one.judge}", str(path), margins[one.judge])
            for one in by_item.get(item.id, ())
        )
        yield ImportedRow(shown, labels + found)


def _item(
    item: Item, question: Question, responses: Mapping[str, Response], where: str
) -> ImportedItem:
    pair = [responses[i] for i in item.response_ids]
    return ImportedItem(
        id=item.id,
        cluster=question.group_id,
        question=f"{question.context or ''}\n{question.text}".strip(),
        reference=question.reference,
        responses=tuple(response.text for response in pair),
        models=tuple(response.model for response in pair),
        fields={"bucket": item.bucket, "category": question.category or "none"},
        where=f"{where}: item {item.id}",
    )


def a_label(item: str, by: str, role: schema.Role, verdict: str, where: str) -> ImportedJudgment:
    """A label as a row of evidence."""
    return ImportedJudgment(
        item=item, by=by, role=role, criterion=None, verdict=verdict, scores=None,
        distribution=None, confidence=None, swapped=False, sample=0, status=Status.PARSED,
        rationale=None, reply=None, where=f"{where}: item {item}",
    )  # fmt: skip


def as_imported(
    judgment: Judgment, by: str, where: str, margin: float | None = None
) -> ImportedJudgment:
    """A judgment record as a row of evidence, in item order; `margin` makes scores a verdict."""
    return ImportedJudgment(
        item=judgment.item_id,
        by=by,
        role="judge",
        criterion=None,
        verdict=pair_verdict(judgment, margin),
        scores=None,
        distribution=judgment.distribution_in_item_order(),
        confidence=None,
        swapped=judgment.order == (1, 0),
        sample=judgment.sample,
        status=judgment.status,
        rationale=reasons(judgment),
        reply=judgment.reply,
        where=f"{where}: item {judgment.item_id}",
    )


def _turned(row: ImportedRow) -> ImportedRow:
    """The same judgments by the response that they do not name."""
    return ImportedRow(row.item, tuple(_name_other(one) for one in row.judgments))


def _name_other(judgment: ImportedJudgment) -> ImportedJudgment:
    chances = judgment.distribution
    turned = chances and {str(flip_letter(name)): p for name, p in chances.items()}
    return judgment._replace(verdict=flip_letter(judgment.verdict), distribution=turned)


def together(parts: Sequence[Readable]) -> Readable:
    """Several sources as one, joined by item id; a judge's name must not occur in two of them.

    Where one's verdicts name the better response and another's the worse, the letters of the
    later one are turned to what the first says.

    Raises:
        DataError: they do not judge the same thing, single responses or pairs.
    """
    first = parts[0]
    for other in parts[1:]:
        if first.subject.kind != other.subject.kind:
            raise DataError(
                f"{first.name} and {other.name} cannot be compared: one holds "
                f"{first.subject.kind} items, the other {other.subject.kind} items."
            )

    def read() -> Iterator[ImportedRow]:
        for part in parts:
            same = part.subject.names == first.subject.names
            yield from part.read() if same else map(_turned, part.read())

    return Readable(
        name=" against ".join(dict.fromkeys(part.name for part in parts)),
        title="; ".join(dict.fromkeys(part.title for part in parts)),
        subject=replace(
            first.subject,
            student=None,
            teacher=None,
            order_proof=tuple(name for part in parts for name in part.subject.order_proof),
        ),
        read=read,
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
        provenance=tuple(dict.fromkeys(row for part in parts for row in part.provenance)),
    )
