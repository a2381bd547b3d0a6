"""Judge new pairs with a run's student, in both orders, resumable, one line of JSON a pair."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from judgesmith.errors import DataError, JudgesmithError
from judgesmith.evaluation.judges import Read, read_judgments
from judgesmith.evaluation.scoring import Plan, Scored, SliceOfItems, score_judge
from judgesmith.judging.dialect import Dialect
from judgesmith.models.judge import both_orders, judge
from judgesmith.models.protocol import Model
from judgesmith.pipeline.own_models import model_opener
from judgesmith.records import TIE, Item, Judgment, Question, Response, content_id
from judgesmith.report.results import JudgeResult
from judgesmith.runs.jsonl import PartialFile, file_sha256, write_bytes
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import read_manifest
from judgesmith.runs.progress import progress_bar
from judgesmith.runs.recipe import Recipe
from judgesmith.sources.own_files import PairRow, read_pairs
from judgesmith.stages.evaluate.stage import check_dialect
from judgesmith.tasks import load_dialect, load_task

CHUNK = 256
Entry = tuple[PairRow, Question, tuple[Response, Response], Item]


class Judged(NamedTuple):
    """A pair, its item, the verdict over both orders, and the judgments behind it."""

    row: PairRow
    item: Item
    read: Read
    judgments: tuple[Judgment, ...]


class OwnJudge(NamedTuple):
    """A run's student and the dialect that it was trained in."""

    run_dir: RunDir
    dialect: Dialect
    max_tokens: int


def own_judge(run_dir: RunDir, recipe: Recipe) -> OwnJudge:
    """The judge that a run made."""
    sft: Any = recipe.sections.get("sft")
    if sft is None:
        raise JudgesmithError(f"{run_dir.path}: the recipe trains no student (no `sft` section).")
    dialect = load_dialect(load_task(run_dir.header.task), sft.dialect)
    check_dialect(run_dir, dialect)
    return OwnJudge(run_dir, dialect, sft.reply_tokens)


def judge_pairs(own: OwnJudge, path: Path, partial: PartialFile | None = None) -> list[Judged]:
    """Every pair of a file, in order, judged in both orders; `partial` keeps finished chunks."""
    entries = list(read_pairs(path))
    _check_names(path, [row for row, *_ in entries])
    done: dict[tuple[str, tuple[int, ...]], Judgment] = {}
    if partial is not None:
        done = {(j.item_id, j.order): j for j in partial.load(Judgment)}
    judged: list[Judged] = []
    model = model_opener(own.run_dir)("student")
    with progress_bar("judge", len(entries)) as bar:
        for start in range(0, len(entries), CHUNK):
            chunk = entries[start : start + CHUNK]
            shown = both_orders([item for *_, item in chunk])
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
    shown = both_orders([item for *_, item in chunk])
    replies = judge(
        model, shown, questions, responses, dialect=own.dialect, max_tokens=own.max_tokens
    )
    return [judgment for judgment, _ in replies]


def _paired(own: OwnJudge, chunk: Sequence[Entry], found: Sequence[Judgment]) -> list[Judged]:
    tie = TIE if own.dialect.scale.has_tie else None
    reads = read_judgments("student", "student", found, tie=tie).verdicts
    return [
        Judged(row, item, reads[item.id], tuple(found[2 * i : 2 * i + 2]))
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
    both = read.stored is not None and read.swapped is not None
    return {
        "id": judged.row.id if judged.row.id is not None else position,
        "verdict": read.averaged,
        "names": None if own.dialect.direction is None else own.dialect.direction.value,
        "probability": None if read.probability is None else round(read.probability, 6),
        "consistent": read.stored == read.swapped if both else None,
        "orders": [
            {
                "shown": "ab" if judgment.order == (0, 1) else "ba",
                "verdict": verdict,
                "status": judgment.status.value,
                "rationale": judgment.rationale,
            }
            for judgment, verdict in zip(judged.judgments, (read.stored, read.swapped), strict=True)
        ],
        "judge": f"{own.run_dir.header.name}/student",
        "dialect": own.dialect.hash,
    }


def write_judged(own: OwnJudge, path: Path, out: Path) -> list[Judged]:
    """Judge a file into another, which appears whole or not at all; a killed call goes on."""
    if not path.exists():
        raise DataError(f"{path}: expected a JSON Lines file of pairs, found no file there.")
    student = read_manifest(own.run_dir.file("sft"))
    basis = content_id(
        file_sha256(path), own.dialect.hash, student.outputs if student is not None else None
    )
    partial = PartialFile(out.with_name(f".{out.name}.{basis}.partial"))
    judged = judge_pairs(own, path, partial)
    rows = [as_row(entry, own, i) for i, entry in enumerate(judged, start=1)]
    write_bytes(out, b"".join(orjson.dumps(row) + b"\n" for row in rows))
    partial.path.unlink(missing_ok=True)
    return judged


def check_verdicts(own: OwnJudge, path: Path) -> None:
    """Refuse a file of which a row has no verdict to measure against, before anything is judged."""
    values = own.dialect.scale.values
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


def score_judged(own: OwnJudge, judged: Sequence[Judged], seed: int) -> JudgeResult:
    """Agreement with the `verdict` column of the file; see `check_verdicts`."""
    values = own.dialect.scale.values
    rows = tuple(
        Scored(
            item_id=entry.item.id,
            label=_label(entry.row, own.dialect),
            cluster=entry.row.question + "\n" + (entry.row.context or ""),
            words=(len(entry.row.response_a.split()), len(entry.row.response_b.split())),
            fields={},
        )
        for entry in judged
    )
    plan = Plan(
        seed=seed, resamples=10_000, slice_resamples=2_000, confidence=0.95, least=20, scale=values
    )
    result = read_judgments(
        "student", "student", [j for entry in judged for j in entry.judgments],
        tie=TIE if own.dialect.scale.has_tie else None,
    )  # fmt: skip
    return score_judge(result, [SliceOfItems("all", "domain", "all pairs", rows)], plan)
