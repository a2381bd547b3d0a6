"""Labelled items through a run's judge, and the calibration that they give it."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import orjson

from judgesmith.audits.leak import normalise
from judgesmith.errors import DataError, RunError
from judgesmith.inference.calibration import (
    CALIBRATION_FILE,
    Calibration,
    keep_calibration,
    replaced_by,
)
from judgesmith.inference.fitting import Labelled, LabelSource, fit_calibration
from judgesmith.inference.judge import Judge
from judgesmith.inference.judge_file import is_exported
from judgesmith.inference.judged import Judged
from judgesmith.inference.opening import judge_of_run
from judgesmith.inference.replacing import check_direction, check_enough
from judgesmith.inference.rows.checking import check_rows
from judgesmith.inference.rows.chunks import Chunk, Raw, Source, chunk_size, in_chunks
from judgesmith.inference.rows.growing import growing
from judgesmith.inference.rows.stream import judge_chunk
from judgesmith.models.dev import Asking, DevSet, DevSets
from judgesmith.models.protocol import Mode
from judgesmith.pipeline.measure_pairs import check_labels, label_of
from judgesmith.pipeline.recipes import open_run
from judgesmith.records import Item, Kind, Question, Split, content_id, index_by_id
from judgesmith.runs.jsonl import file_sha256
from judgesmith.runs.layout import RunDir
from judgesmith.runs.progress import progress_bar, say
from judgesmith.sources.own_files import OwnPair, PairRow, read_pairs
from judgesmith.tasks import known_dialects, task_of

CHUNK = 256
"""Items that a kill may lose: fewer than a model takes at once, as labels are few."""

DEV = "the dev side of the run"
_EVERY = 10**9
T = TypeVar("T")


class Calibrated(NamedTuple):
    """A judge, the calibration that it now has, and the one that this replaced, if any."""

    judge: Judge
    calibration: Calibration
    replaced: Calibration | None


class _Work(NamedTuple, Generic[T]):
    """Labelled items of type T to judge; `basis` names all that the outcome follows from."""

    source: LabelSource
    basis: str
    total: int
    chunks: Iterator[Chunk[T]]
    judged: Callable[[Chunk[T]], list[Labelled]]


def calibrate(
    folder: Path, labelled: Path | None, *, dialect: str | None = None, student: str | None = None,
    mode: Mode | None = None, seed: int = 0, replace: bool = False,
) -> Calibrated:  # fmt: skip
    """Fit a calibration to a run's judge, and keep it in the run.

    On the labelled rows of a file; without one on all labelled items of the run's dev side. A call
    that was killed goes on where it was.

    Raises DataError where there are too few labels, or none that the judge can be held to; unless
    `replace`, also where few would replace a calibration on more, or a file's seem turned about.
    Raises RunError for an exported folder.
    """
    if is_exported(folder):
        raise RunError(
            f"{folder}: expected a run, found an exported judge, which has the calibration that "
            "its run had. Calibrate the run, and export it again."
        )
    run_dir, recipe = open_run(folder)
    judge = judge_of_run(
        run_dir, recipe, dialect=dialect, student=student, mode=mode, calibrated=False
    )
    work: _Work[Any] = (
        _dev_work(run_dir, judge) if labelled is None else _file_work(run_dir, judge, labelled)
    )
    partial = run_dir.file(f".calibrating.{work.basis}.partial")
    rows = _judge_all(work, partial)
    try:
        calibration = fit_calibration(judge, rows, work.source, seed=seed)
    except DataError:
        partial.unlink()
        raise
    path = run_dir.file(CALIBRATION_FILE)
    before = replaced_by(path, calibration)
    if not replace:
        check_enough(calibration, before)
    if not replace and labelled is not None:
        check_direction(rows, work.source.what, seed)
    keep_calibration(path, calibration)
    partial.unlink()
    return Calibrated(judge, calibration, before)


def _judge_all(work: _Work[Any], partial: Path) -> list[Labelled]:
    """What the judge says of all items; what stands in the file is not judged again."""
    with growing(partial) as file:
        left = file.left(work.chunks)
        found = [_read(line) for line in file.read()]
        if found:
            say(f"calibrate: going on after {len(found):,} of {work.total:,} items.")
        with progress_bar("calibrate", work.total, done=len(found)) as bar:
            for chunk in left:
                some = work.judged(chunk)
                file.append(
                    orjson.dumps(one._asdict(), option=orjson.OPT_APPEND_NEWLINE) for one in some
                )
                found += some
                bar.advance(len(some))
    return found


def _read(line: bytes) -> Labelled:
    found = Labelled(**orjson.loads(line))
    return found._replace(kind=Kind(found.kind))


def _asked(text: str, context: str | None) -> str:
    """What makes two rows one question."""
    return f"{normalise(context or '')}\n{normalise(text)}"


def _sides(run_dir: RunDir) -> dict[str, Split]:
    """The side of the run that each of its questions is on."""
    questions = index_by_id(run_dir.read("questions/questions.jsonl", Question))
    asked = {name: _asked(one.text, one.context) for name, one in questions.items()}
    items = run_dir.read("split/items.jsonl", Item)
    return {asked[one.question_id]: one.split for one in items if one.split is not None}


def _known(judge: Judge, path: Path, sides: Mapping[str, Split]) -> bool:
    """Whether a file has questions that chose the judge's checkpoint or tie margin.

    Raises DataError naming file and line of one that the judge was trained on.
    """
    found = False
    for entry in read_pairs(path, judge.dialect.kind):
        side = sides.get(_asked(entry.row.question, entry.row.context))
        if side is Split.TRAIN:
            raise DataError(
                f"{entry.where}: field 'question': expected one that the judge was not trained on, "
                "found one of the run's train side. What it says there says nothing of its errors "
                "on new questions. Leave such rows out."
            )
        found = found or side is Split.DEV
    return found


def _file_work(run_dir: RunDir, judge: Judge, path: Path) -> _Work[Raw]:
    known = _known(judge, path, _sides(run_dir))
    if check_labels(judge, path) is Kind.SINGLE and judge.dialect.scored:
        raise DataError(f"{path}: {_NO_SCORES}")
    rows = Source(path)
    total = check_rows(judge, path, rows.rows)

    def judged(chunk: Chunk[Raw]) -> list[Labelled]:
        return [_of_file(one, judge) for one in judge_chunk(judge, path, chunk)]

    return _Work(
        source=LabelSource(path.name, file_sha256(path), "the file's", also_chose=known),
        basis=content_id("calibrate", file_sha256(path), path.name, judge.name, judge.version),
        total=total, chunks=in_chunks(rows.rows(), min(CHUNK, chunk_size(judge))), judged=judged,
    )  # fmt: skip


def _of_file(judged: Judged, judge: Judge) -> Labelled:
    row = judged.entry.row
    label = label_of(judged.entry, judge.dialect)
    return Labelled.of(judged, label, _asked(row.question, row.context))


_NO_SCORES = (
    "expected pairs, or responses with a choice as label; found scores of single responses. A "
    "score is wrong by degrees, so that no share of wrong ones can be promised."
)


def _dev_set(run_dir: RunDir, judge: Judge) -> DevSet:
    """The run's labelled dev items, those that chose the checkpoint and the tie margin."""
    asking = Asking(judge.dialect, judge.max_tokens, _EVERY, run_dir.seed)
    dev = DevSets.of_run(run_dir, [asking], known_dialects(task_of(run_dir.header))).first
    if dev.form == "scores":
        raise DataError(f"{run_dir.path}: the dev labels: {_NO_SCORES}")
    if not dev.items:
        raise DataError(
            f"{run_dir.path}: no dev item has a label that this judge can be held to. Give "
            "labelled rows: `judgesmith calibrate RUN LABELLED.jsonl`."
        )
    return dev


def _of_dev(dev: DevSet) -> LabelSource:
    templates = {dev.questions[item.question_id].template_id for item in dev.items} - {None}
    kinds = ", ".join(sorted(kind.value for kind in dev.labelled_by))
    return LabelSource(DEV, None, kinds, also_chose=True, templates=len(templates) or None)


def _dev_work(run_dir: RunDir, judge: Judge) -> _Work[tuple[Item, str]]:
    dev = _dev_set(run_dir, judge)
    pairs = list(zip(dev.items, dev.labels, strict=True))

    def judged(chunk: Chunk[tuple[Item, str]]) -> list[Labelled]:
        found = judge.judge([_entry(dev, item) for item, _ in chunk.rows])
        return [
            Labelled.of(one, label, dev.questions[item.question_id].group_id)
            for (item, label), one in zip(chunk.rows, found, strict=True)
        ]

    asked = [[item.id, label] for item, label in pairs]
    return _Work(
        source=_of_dev(dev),
        basis=content_id("calibrate", asked, judge.name, judge.version),
        total=len(pairs),
        chunks=(Chunk(at, pairs[at : at + CHUNK]) for at in range(0, len(pairs), CHUNK)),
        judged=judged,
    )


def _entry(dev: DevSet, item: Item) -> OwnPair:
    question = dev.questions[item.question_id]
    responses = tuple(dev.responses[name] for name in item.response_ids)
    row = PairRow(id=item.id, question=question.text)  # what is shown is in the records
    return OwnPair(row, question, responses, item, f"item {item.id}")
