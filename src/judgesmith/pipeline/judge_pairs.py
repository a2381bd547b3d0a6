"""Judge new pairs with a run's student, resumable, one line of JSON a pair."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from judgesmith.backends.origin import require_trained_in
from judgesmith.errors import DataError, JudgesmithError
from judgesmith.evaluation.judges import Read, read_judgments
from judgesmith.evaluation.measure import Subject
from judgesmith.judging.dialect import Dialect
from judgesmith.models.judge import judge, showings
from judgesmith.models.pointwise import expected_scores
from judgesmith.models.protocol import Model
from judgesmith.pipeline.opening import own_model
from judgesmith.pipeline.readable import Readable, a_label, as_imported
from judgesmith.pipeline.recipes import open_run
from judgesmith.records import TIE, Item, Judgment, Question, Response, content_id
from judgesmith.runs.jsonl import PartialFile, file_sha256, write_bytes
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import read_manifest
from judgesmith.runs.progress import progress_bar
from judgesmith.runs.recipe import Recipe
from judgesmith.runs.students import student_stage
from judgesmith.sources.imported import ImportedItem, ImportedRow
from judgesmith.sources.own_files import PairRow, read_pairs
from judgesmith.stages.evaluate.asking import origin_of
from judgesmith.stages.evaluate.stage import check_dialect, margin_of
from judgesmith.tasks import load_dialect, task_of

CHUNK = 256
Entry = tuple[PairRow, Question, tuple[Response, Response], Item]


class Judged(NamedTuple):
    """A pair, its item, the verdict over both orders, and the judgments behind it."""

    row: PairRow
    item: Item
    read: Read
    judgments: tuple[Judgment, ...]


class OwnJudge(NamedTuple):
    """A run's student, the dialect that it was trained in, and its tie margin if it scores."""

    run_dir: RunDir
    student: str
    dialect: Dialect
    max_tokens: int
    margin: float | None

    @property
    def name(self) -> str:
        """The judge as verdicts name it."""
        return f"{self.run_dir.header.name}/{self.student}"


def own_judge(run_dir: RunDir, recipe: Recipe) -> OwnJudge:
    """The judge that a run made."""
    sft: Any = recipe.sections.get("sft")
    if sft is None:
        raise JudgesmithError(f"{run_dir.path}: the recipe trains no student (no `sft` section).")
    measured: Any = recipe.sections.get("evaluate")
    name = sft.dialects[0] if measured is None else measured.dialect
    dialect = load_dialect(task_of(run_dir.header), name)
    check_dialect(run_dir, dialect)
    student = next(iter(sft.students)) if measured is None else measured.students[0]
    require_trained_in(origin_of(run_dir, student), dialect, student=student)
    return OwnJudge(
        run_dir, student, dialect, sft.reply_tokens, margin_of(student, dialect, run_dir)
    )


def judge_pairs(own: OwnJudge, path: Path, partial: PartialFile | None = None) -> list[Judged]:
    """Every pair of a file, in order, in both orders or each response alone, as the judge was made.

    `partial` keeps finished chunks.
    """
    entries = list(read_pairs(path))
    _check_names(path, [row for row, *_ in entries])
    done: dict[tuple[str, tuple[int, ...]], Judgment] = {}
    if partial is not None:
        done = {(j.item_id, j.order): j for j in partial.load(Judgment)}
    judged: list[Judged] = []
    model = own_model(own.run_dir, own.student)
    with progress_bar("judge", len(entries)) as bar:
        for start in range(0, len(entries), CHUNK):
            chunk = entries[start : start + CHUNK]
            shown = showings([item for *_, item in chunk], own.dialect)
            found = [done[e.item.id, e.order] for e in shown if (e.item.id, e.order) in done]
            if len(found) < len(shown):
                found = _judge_chunk(own, model, chunk)
                if partial is not None:
                    with partial as file:
                        file.append(found)
            judged += _paired(own, chunk, found)
            bar.advance(len(chunk))
    return judged


def _judge_chunk(own: OwnJudge, model: Model, chunk: Sequence[Entry]) -> list[Judgment]:
    questions = {question.id: question for _, question, _, _ in chunk}
    responses = {response.id: response for _, _, pair, _ in chunk for response in pair}
    shown = showings([item for *_, item in chunk], own.dialect)
    replies = judge(
        model, shown, questions, responses, dialect=own.dialect, max_tokens=own.max_tokens
    )
    return [judgment for judgment, _ in replies]


def _paired(own: OwnJudge, chunk: Sequence[Entry], found: Sequence[Judgment]) -> list[Judged]:
    tie = TIE if own.dialect.pair_scale.has_tie else None
    reads = read_judgments("student", "student", found, tie=tie, margin=own.margin).verdicts
    each = len(found) // len(chunk)
    return [
        Judged(row, item, reads[item.id], tuple(found[each * i : each * (i + 1)]))
        for i, (row, _, _, item) in enumerate(chunk)
    ]


def _check_names(path: Path, rows: Sequence[PairRow]) -> None:
    names = Counter(row.id for row in rows if row.id is not None)
    twice = sorted(name for name, count in names.items() if count > 1)
    if twice:
        raise DataError(f"{path}: field 'id': {twice[:3]} are used by more than one row.")
    if not rows:
        raise DataError(f"{path}: expected at least one pair, found an empty file.")


def as_row(judged: Judged, own: OwnJudge, position: int) -> dict[str, Any]:
    """What is written for a pair; letters follow the file's own a and b."""
    read = judged.read
    both = own.margin is None and read.stored is not None and read.swapped is not None
    return {
        "id": judged.row.id if judged.row.id is not None else position,
        "verdict": read.averaged,
        "names": None if own.dialect.direction is None else own.dialect.direction.value,
        "probability": None if read.probability is None else round(read.probability, 6),
        "consistent": read.stored == read.swapped if both else None,
        "own_reference": judged.judgments[0].reference,
        **(_orders(judged) if own.margin is None else _scores(judged)),
        "judge": own.name,
        "dialect": own.dialect.hash,
    }


def _orders(judged: Judged) -> dict[str, Any]:
    verdicts = (judged.read.stored, judged.read.swapped)
    return {
        "orders": [
            {
                "shown": "ab" if judgment.order == (0, 1) else "ba",
                "verdict": verdict,
                "status": judgment.status.value,
                "rationale": judgment.rationale,
            }
            for judgment, verdict in zip(judged.judgments, verdicts, strict=True)
        ]
    }


def _scores(judged: Judged) -> dict[str, Any]:
    """The expected score of each response, which was scored alone, and the reason for it."""
    (judgment,) = judged.judgments
    scores = expected_scores(judgment)
    reasons = [line or None for line in (judgment.rationale or "\n").split("\n")]
    return {
        "scores": None if scores is None else [round(score, 6) for score in scores],
        "status": judgment.status.value,
        "rationales": reasons,
    }


def write_judged(own: OwnJudge, path: Path, out: Path) -> list[Judged]:
    """Judge a file into another, which appears whole or not at all; a killed call goes on."""
    if not path.exists():
        raise DataError(f"{path}: expected a JSON Lines file of pairs, found no file there.")
    student = read_manifest(own.run_dir.file(student_stage(own.student)))
    basis = content_id(
        file_sha256(path), own.dialect.hash, own.student,
        student.outputs if student is not None else None,
    )  # fmt: skip
    partial = PartialFile(out.with_name(f".{out.name}.{basis}.partial"))
    judged = judge_pairs(own, path, partial)
    rows = [as_row(entry, own, i) for i, entry in enumerate(judged, start=1)]
    write_bytes(out, b"".join(orjson.dumps(row) + b"\n" for row in rows))
    partial.path.unlink(missing_ok=True)
    return judged


def check_verdicts(own: OwnJudge, path: Path) -> None:
    """Refuse a file of which a row has no verdict to measure against, before anything is judged."""
    values = own.dialect.pair_scale.values
    for position, (row, *_) in enumerate(read_pairs(path), start=1):
        if row.verdict not in values:
            raise DataError(
                f"{path}: pair {row.id or position}: field 'verdict': expected one of "
                f"{', '.join(values)} to measure against, found {row.verdict!r}."
            )
        if row.names is None:
            raise DataError(
                f"{path}: pair {row.id or position}: field 'names' is missing: say whether the "
                'verdict names the "better" or the "worse" response.'
            )


def _label(row: PairRow, dialect: Dialect) -> str:
    """The row's verdict in the judge's direction."""
    turned = {"A": "B", "B": "A"} if row.names is not dialect.direction else {}
    return turned.get(str(row.verdict), str(row.verdict))


def judged_pairs(folder: Path, path: Path) -> Readable:
    """A run's student on labelled pairs, beside the file's own verdicts."""
    run_dir, recipe = open_run(folder)
    own = own_judge(run_dir, recipe)
    check_verdicts(own, path)
    judged = judge_pairs(own, path)
    student = own.name
    scale = own.dialect.pair_scale
    return Readable(
        name=path.name.split(".")[0],
        title=f"{student} on the pairs of {path.name}",
        subject=Subject(
            kind="pair", names=own.dialect.direction, scale=scale.values,
            tie=TIE if scale.has_tie else None, labels="majority", student=student,
            order_proof=() if own.margin is None else (student,),
        ),
        read=lambda: (_row(entry, own, student, path) for entry in judged),
        provenance=((f"sha256 of {path.name}", file_sha256(path)[:16]),),
    )  # fmt: skip


def _row(entry: Judged, own: OwnJudge, student: str, path: Path) -> ImportedRow:
    row, name = entry.row, entry.item.id
    item = ImportedItem(
        id=name,
        cluster=f"{row.question}\n{row.context or ''}",
        question=row.question if row.context is None else f"{row.context}\n{row.question}",
        reference=row.reference,
        responses=(row.response_a, row.response_b),
        models=None,
        fields={},
        where=f"{path}: pair {row.id or name}",
    )
    label = a_label(name, "label", "person", _label(row, own.dialect), str(path))
    said = tuple(
        as_imported(judgment, student, str(path), own.margin) for judgment in entry.judgments
    )
    return ImportedRow(item, (label, *said))
