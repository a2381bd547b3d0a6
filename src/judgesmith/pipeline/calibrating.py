"""Labelled items through a run's judge, and the calibration that they give it."""

from collections.abc import Iterator
from pathlib import Path

from judgesmith.errors import DataError
from judgesmith.inference.calibration import CALIBRATION_FILE, Calibration, keep_calibration
from judgesmith.inference.fitting import Labelled, LabelSource, fit_calibration
from judgesmith.inference.judge import Judge
from judgesmith.inference.opening import judge_of_run
from judgesmith.inference.rows.stream import judge_rows
from judgesmith.models.dev import Asking, DevSet, DevSets
from judgesmith.models.protocol import Mode
from judgesmith.pipeline.measure_pairs import check_labels, label_of
from judgesmith.pipeline.recipes import open_run
from judgesmith.records import Item, Kind, Label
from judgesmith.runs.jsonl import file_sha256
from judgesmith.runs.layout import RunDir
from judgesmith.runs.progress import progress_bar
from judgesmith.sources.own_files import OwnPair, PairRow
from judgesmith.tasks import known_dialects, task_of

CHUNK = 256
DEV = "the dev side of the run"
_EVERY = 10**9


def calibrate(
    folder: Path, labelled: Path | None, *, dialect: str | None = None, student: str | None = None,
    mode: Mode | None = None, seed: int = 0,
) -> tuple[Judge, Calibration]:  # fmt: skip
    """Fit a calibration to a run's judge, and keep it in the run.

    On the labelled rows of a file; without one on all labelled items of the run's dev side.

    Raises DataError where there are too few labels, or none that the judge can be held to.
    """
    run_dir, recipe = open_run(folder)
    judge = judge_of_run(
        run_dir, recipe, dialect=dialect, student=student, mode=mode, calibrated=False
    )
    if labelled is None:
        rows, source = list(_dev_rows(run_dir, judge)), _of_dev(run_dir)
    else:
        rows = list(_file_rows(judge, labelled))
        source = LabelSource(labelled.name, file_sha256(labelled), "the file's", also_chose=False)
    calibration = fit_calibration(judge, rows, source, seed=seed)
    keep_calibration(run_dir.file(CALIBRATION_FILE), calibration)
    return judge, calibration


def _file_rows(judge: Judge, path: Path) -> Iterator[Labelled]:
    if check_labels(judge, path) is Kind.SINGLE and judge.dialect.scored:
        raise DataError(f"{path}: {_NO_SCORES}")
    for judged in judge_rows(judge, path):
        row = judged.entry.row
        question = f"{row.question}\n{row.context or ''}"
        yield Labelled(judged, label_of(row, judge.dialect), question)


_NO_SCORES = (
    "expected pairs, or responses with a choice as label; found scores of single responses. A "
    "score is wrong by degrees, so that no share of wrong ones can be promised."
)


def _of_dev(run_dir: RunDir) -> LabelSource:
    on_dev = {item.id for item in run_dir.read("split/items.jsonl", Item) if item.split == "dev"}
    kinds = {
        label.annotator_kind.value
        for label in run_dir.read("labels/labels.jsonl", Label)
        if label.item_id in on_dev and label.annotator_kind != "person"
    }
    return LabelSource(DEV, None, ", ".join(sorted(kinds)), also_chose=True)


def _dev_rows(run_dir: RunDir, judge: Judge) -> Iterator[Labelled]:
    """The run's dev items as the judge sees them now; labels by people are left for the test."""
    asking = Asking(judge.dialect, judge.max_tokens, _EVERY, run_dir.seed)
    dev = DevSets.of_run(run_dir, [asking], known_dialects(task_of(run_dir.header))).first
    if dev.form == "scores":
        raise DataError(f"{run_dir.path}: the dev labels: {_NO_SCORES}")
    if not dev.items:
        raise DataError(
            f"{run_dir.path}: no dev item has a label that no person gave. Give labelled rows: "
            "`judgesmith calibrate RUN LABELLED.jsonl`."
        )
    with progress_bar("calibrate", len(dev.items)) as bar:
        for start in range(0, len(dev.items), CHUNK):
            some, labels = dev.items[start : start + CHUNK], dev.labels[start : start + CHUNK]
            judged = judge.judge([_entry(dev, item) for item in some])
            for item, label, one in zip(some, labels, judged, strict=True):
                yield Labelled(one, label, dev.questions[item.question_id].group_id)
            bar.advance(len(some))


def _entry(dev: DevSet, item: Item) -> OwnPair:
    question = dev.questions[item.question_id]
    responses = tuple(dev.responses[name] for name in item.response_ids)
    row = PairRow(id=item.id, question=question.text)  # what is shown is in the records
    return OwnPair(row, question, responses, item, f"item {item.id}")
