"""A judge by the folder that holds it."""

from pathlib import Path

from judgesmith.errors import RecipeError
from judgesmith.inference.judge import Judge
from judgesmith.inference.judge_file import is_exported
from judgesmith.inference.opening import judge_of_folder, judge_of_run
from judgesmith.pipeline.recipes import open_run


def open_judge(
    folder: Path, *, dialect: str | None = None, student: str | None = None, calibrated: bool = True
) -> Judge:
    """The judge of a run's folder, or of one that `judgesmith export` made.

    `dialect` and `student` choose among those of a run, and without `calibrated` one of a run comes
    without the calibration that the run keeps. Raises RecipeError where it has no such
    one, and RunError for a folder that holds no judge.
    """
    if not is_exported(folder):
        return judge_of_run(
            *open_run(folder), dialect=dialect, student=student, calibrated=calibrated
        )
    if student is not None:
        raise RecipeError(
            f"--student {student!r}: {folder} holds one exported judge. Leave the option out."
        )
    return judge_of_folder(folder, dialect=dialect)
