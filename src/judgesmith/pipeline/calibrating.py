"""Labelled items through a run's judge, and the calibration that they give it."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from judgesmith.audits.leak import normalise
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
from judgesmith.records import Item, Kind, Question, Split, index_by_id
from judgesmith.runs.jsonl import file_sha256
from judgesmith.runs.layout import RunDir
from judgesmith.runs.progress import progress_bar
from judgesmith.sources.own_files import OwnPair, PairRow, read_pairs
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
        dev = _dev_set(run_dir, judge)
        rows, source = list(_dev_rows(dev, judge)), _of_dev(dev)
    else:
        known = _known(judge, labelled, _sides(run_dir))
        rows = list(_file_rows(judge, labelled))
        source = LabelSource(labelled.name, file_sha256(labelled), "the file's", also_chose=known)
    calibration = fit_calibration(judge, rows, source, seed=seed)
    keep_calibration(run_dir.file(CALIBRATION_FILE), calibration)
    return judge, calibration


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
    for entry in read_pairs(path, alone=judge.takes_single):
        side = sides.get(_asked(entry.row.question, entry.row.context))
        if side is Split.TRAIN:
            raise DataError(
                f"{entry.where}: field 'question': expected one that the judge was not trained on, "
                "found one of the run's train side. What it says there says nothing of its errors "
                "on new questions. Leave such rows out."
            )
        found = found or side is Split.DEV
    return found


def _file_rows(judge: Judge, path: Path) -> Iterator[Labelled]:
    if check_labels(judge, path) is Kind.SINGLE and judge.dialect.scored:
        raise DataError(f"{path}: {_NO_SCORES}")
    for judged in judge_rows(judge, path):
        row = judged.entry.row
        question = _asked(row.question, row.context)
        yield Labelled(judged, label_of(judged.entry, judge.dialect), question)


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


def _dev_rows(dev: DevSet, judge: Judge) -> Iterator[Labelled]:
    """The dev items as the judge sees them now."""
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
