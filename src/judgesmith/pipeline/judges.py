"""A judge by the folder that holds it."""

from pathlib import Path

from judgesmith.errors import RecipeError
from judgesmith.inference.judge import Judge
from judgesmith.inference.judge_file import is_exported
from judgesmith.inference.opening import judge_of_folder, judge_of_run
from judgesmith.models.protocol import Mode
from judgesmith.pipeline.recipes import open_run


def open_judge(
    folder: Path, *, dialect: str | None = None, student: str | None = None,
    mode: Mode | None = None,
) -> Judge:  # fmt: skip
    """The judge of a run's folder, or of one that `judgesmith export` made.

    `dialect` and `student` choose among those of a run; `mode` is another than it was made for.
    Raises RecipeError where it has no such one, and RunError for a folder that holds no judge.
    """
    if not is_exported(folder):
        return judge_of_run(*open_run(folder), dialect=dialect, student=student, mode=mode)
    if student is not None:
        raise RecipeError(
            f"--student {student!r}: {folder} holds one exported judge. Leave the option out."
        )
    return judge_of_folder(folder, dialect=dialect, mode=mode)
