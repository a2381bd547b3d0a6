"""Judge new pairs, or responses alone, with a run's student: resumable, one line of JSON each."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from judgesmith.backends.origin import require_trained_in
from judgesmith.errors import DataError, JudgesmithError, RecipeError, nearest
from judgesmith.evaluation.judges import Read, read_judgments
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.render import render_prompt, render_reference_prompt
from judgesmith.models.judge import judge, showings, shown_at_once
from judgesmith.models.pointwise import expected_scores, verdict_letter
from judgesmith.models.protocol import Model
from judgesmith.pipeline.opening import own_model
from judgesmith.records import TIE, Judgment, Kind, Scores, content_id
from judgesmith.runs.jsonl import PartialFile, file_sha256, write_bytes
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import read_manifest
from judgesmith.runs.progress import progress_bar
from judgesmith.runs.recipe import Recipe
from judgesmith.runs.students import student_stage
from judgesmith.sources.own_files import OwnPair, PairRow, read_pairs
from judgesmith.stages.evaluate.asking import origin_of
from judgesmith.stages.evaluate.stage import check_dialect, margin_of
from judgesmith.tasks import load_dialect, task_of

CHUNK = 256
BRINGS = (
    "A row brings what its judge is shown in `context`, `choices`, `reference`, `grounding` and "
    '`fields`, such as "fields": {"criterion": "..."}.'
)


class Judged(NamedTuple):
    """A row, the judgments of it, and of a pair the verdict over both orders.

    `read` is None of a response that was judged alone: it has no letter.
    """

    entry: OwnPair
    read: Read | None
    judgments: tuple[Judgment, ...]

    @property
    def parsed(self) -> bool:
        """Whether there is a verdict."""
        if self.read is None:
            return self.judgments[0].verdict is not None
        return self.read.averaged is not None


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

    def rows(self, path: Path) -> Iterator[OwnPair]:
        """What a file holds for this judge: pairs, and for one of single responses those, too."""
        return read_pairs(path, alone=self.dialect.kind is Kind.SINGLE)


def own_judge(run_dir: RunDir, recipe: Recipe, dialect_name: str | None = None) -> OwnJudge:
    """The judge that a run made, in the dialect that it is measured in first, or another it knows.

    Raises RecipeError where the student was not trained in the dialect that is asked for.
    """
    sft: Any = recipe.sections.get("sft")
    if sft is None:
        raise JudgesmithError(f"{run_dir.path}: the recipe trains no student (no `sft` section).")
    measured: Any = recipe.sections.get("evaluate")
    known = [(sft.dialects[0], next(iter(sft.students)))]
    if measured is not None:
        known = [(part.dialect, part.students[0]) for part in measured.parts]
    name, student = next((one for one in known if one[0] == dialect_name), known[0])
    if dialect_name is not None:
        name = dialect_name
        _check_known(run_dir, student, name)
    dialect = load_dialect(task_of(run_dir.header), name)
    check_dialect(run_dir, dialect)
    require_trained_in(origin_of(run_dir, student), dialect, student=student)
    return OwnJudge(
        run_dir, student, dialect, sft.reply_tokens, margin_of(student, dialect, run_dir)
    )


def _check_known(run_dir: RunDir, student: str, name: str) -> None:
    origin = origin_of(run_dir, student)
    if origin is not None and origin.dialects and name not in origin.dialects:
        raise RecipeError(
            f"--dialect {name!r}: {run_dir.header.name}/{student} was trained in "
            f"{', '.join(origin.dialects)}; {nearest(name, origin.dialects)}"
        )


def judge_pairs(own: OwnJudge, path: Path, partial: PartialFile | None = None) -> list[Judged]:
    """Every row of a file, in order, in both orders or each response alone, as the judge was made.

    `partial` keeps finished chunks.
    """
    entries = list(own.rows(path))
    _check_names(path, [entry.row for entry in entries])
    _check_prompts(own, entries)
    done: dict[tuple[str, tuple[int, ...]], Judgment] = {}
    if partial is not None:
        done = {(j.item_id, j.order): j for j in partial.load(Judgment)}
    judged: list[Judged] = []
    model = own_model(own.run_dir, own.student)
    with progress_bar("judge", len(entries)) as bar:
        for start in range(0, len(entries), CHUNK):
            chunk = entries[start : start + CHUNK]
            shown = showings([entry.item for entry in chunk], own.dialect)
            found = [done[e.item.id, e.order] for e in shown if (e.item.id, e.order) in done]
            if len(found) < len(shown):
                found = _judge_chunk(own, model, chunk)
                if partial is not None:
                    with partial as file:
                        file.append(found)
            judged += _paired(own, chunk, found)
            bar.advance(len(chunk))
    return judged


def _judge_chunk(own: OwnJudge, model: Model, chunk: Sequence[OwnPair]) -> list[Judgment]:
    questions = {entry.question.id: entry.question for entry in chunk}
    responses = {response.id: response for entry in chunk for response in entry.responses}
    shown = showings([entry.item for entry in chunk], own.dialect)
    replies = judge(
        model, shown, questions, responses, dialect=own.dialect, max_tokens=own.max_tokens
    )
    return [judgment for judgment, _ in replies]


def _paired(own: OwnJudge, chunk: Sequence[OwnPair], found: Sequence[Judgment]) -> list[Judged]:
    tie = TIE if own.dialect.pair_scale.has_tie else None
    of_pairs = [judgment for judgment in found if len(judgment.order) == 2]
    reads = read_judgments("student", "student", of_pairs, tie=tie, margin=own.margin).verdicts
    each = len(found) // len(chunk)
    return [
        Judged(entry, reads.get(entry.item.id), tuple(found[each * i : each * (i + 1)]))
        for i, entry in enumerate(chunk)
    ]


def _check_prompts(own: OwnJudge, entries: Sequence[OwnPair]) -> None:
    """Refuse a row that the judge cannot be asked about, before anything is judged."""
    dialect = own.dialect
    for entry in entries:
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


def _check_names(path: Path, rows: Sequence[PairRow]) -> None:
    names = Counter(row.id for row in rows if row.id is not None)
    twice = sorted(name for name, count in names.items() if count > 1)
    if twice:
        raise DataError(f"{path}: field 'id': {twice[:3]} are used by more than one row.")
    if not rows:
        raise DataError(f"{path}: expected at least one pair, found an empty file.")


def as_row(judged: Judged, own: OwnJudge, position: int) -> dict[str, Any]:
    """What is written for a row; letters follow the file's own a and b."""
    row, read = judged.entry.row, judged.read
    name = row.id if row.id is not None else position
    said = _alone(judged, own) if read is None else _of_pair(judged, own, read)
    return {"id": name, **said, "judge": own.name, "dialect": own.dialect.hash}


def _of_pair(judged: Judged, own: OwnJudge, read: Read) -> dict[str, Any]:
    both = own.margin is None and read.stored is not None and read.swapped is not None
    return {
        "verdict": read.averaged,
        "names": None if own.dialect.direction is None else own.dialect.direction.value,
        "probability": None if read.probability is None else round(read.probability, 6),
        "consistent": read.stored == read.swapped if both else None,
        "own_reference": judged.judgments[0].reference,
        **(_orders(judged, read) if own.margin is None else _scores(judged)),
    }


def _alone(judged: Judged, own: OwnJudge) -> dict[str, Any]:
    """The expected score of one response, or the choice about it, and the reason for it."""
    (judgment,) = judged.judgments
    scores = expected_scores(judgment)
    said: dict[str, Any] = {"score": None if scores is None else round(scores[0], 6)}
    verdict = judgment.verdict
    if isinstance(verdict, Scores) and verdict.criteria is not None:
        said["criteria"] = {name: values[0] for name, values in verdict.criteria.items()}
    if not own.dialect.scored:
        said = {"verdict": verdict_letter(verdict)}
    return {
        **said,
        "own_reference": judgment.reference,
        "status": judgment.status.value,
        "rationale": judgment.rationale,
    }


def _orders(judged: Judged, read: Read) -> dict[str, Any]:
    verdicts = (read.stored, read.swapped)
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
    """The expected score of each of two responses, each scored alone, and the reason for it."""
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
