"""The students of a run as somebody finds them who asks them: origin, tie margin, model."""

from pathlib import Path

from judgesmith.backends.origin import Origin, model_path, read_origin
from judgesmith.errors import DataError, RunError
from judgesmith.judging.dialect import Dialect, names_of
from judgesmith.models.pointwise import read_margin
from judgesmith.models.protocol import Model
from judgesmith.runs.jsonl import read_rows
from judgesmith.runs.layout import RunDir
from judgesmith.runs.students import student_folder, student_stage
from judgesmith.tasks import known_dialects, task_of

MACHINE = "machine.json"
"""Where a run keeps what its machine computes fastest with."""


def weights_folder(run_dir: RunDir, student: str) -> Path:
    """The folder of a student's weights; of the student before training, where they came from.

    Raises RunError where the student is not there yet.
    """
    folder = run_dir.file(student_folder(student))
    if not folder.exists():
        raise RunError(
            f"{folder}: not there yet; run the recipe up to --until {student_stage(student)} first."
        )
    return Path(model_path(folder))


def own_model(run_dir: RunDir, name: str) -> Model:
    """One of the run's own models by its name; see `judgesmith.runs.students`."""
    return local_model(name, weights_folder(run_dir, name), run_dir.file(MACHINE))


def local_model(name: str, weights: Path, machine: Path) -> Model:
    """The model of a folder, with as many threads as the file `machine` says or a probe finds."""
    from judgesmith.backends.local_model import LocalModel
    from judgesmith.backends.threads import choose_threads

    choose_threads(machine)
    return LocalModel(name, str(weights))


def origin_of(run_dir: RunDir, student: str) -> Origin | None:
    """Where a student of the run comes from; None for one that was not trained here.

    The student before training may be one that another run trained.
    """
    return read_origin(model_path(run_dir.file(student_folder(student))))


def margin_of(name: str, dialect: Dialect, run_dir: RunDir) -> float | None:
    """The tie margin of a student that scores each response alone; None for one shown pairs.

    It lies beside the weights: those of the student before training may be of another run.
    """
    return margin_in(Path(model_path(run_dir.file(student_folder(name)))), dialect)


def margin_in(weights: Path, dialect: Dialect) -> float | None:
    """The tie margin that a folder of weights keeps for a dialect; None for one shown pairs."""
    if not dialect.scores_alone:
        return None
    return read_margin(weights, dialect.hash)


def check_dialect(run_dir: RunDir, dialect: Dialect) -> None:
    """Refuse to ask a student in another dialect than its rows were written in."""
    path = run_dir.file("rows/sft.jsonl")
    strangers: set[str] = set()
    for _, row in read_rows(path) if path.exists() else ():
        if row["dialect"] == dialect.hash:
            return
        strangers.add(str(row["dialect"]))
    if strangers:
        told = names_of(strangers, known_dialects(task_of(run_dir.header)))
        raise DataError(
            f"{path}: rows were written in {told}, not in evaluate.dialect = {dialect.name!r}. "
            "Train and judge in the dialect of the rows."
        )
