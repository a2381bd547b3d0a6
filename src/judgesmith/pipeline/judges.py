"""A judge by the folder that holds it."""

from pathlib import Path

from judgesmith.errors import RecipeError
from judgesmith.inference.engines import LLAMA_CPP, check_engine, on_engine
from judgesmith.inference.judge import Judge
from judgesmith.inference.judge_file import is_exported, read_judge_file
from judgesmith.inference.opening import judge_of_folder, judge_of_run
from judgesmith.models.protocol import Mode
from judgesmith.pipeline.recipes import is_run, open_run


def is_rehearsed(folder: Path) -> bool:
    """Whether a folder is the run of a rehearsal, or was exported from one."""
    if is_exported(folder):
        return bool(read_judge_file(folder).rehearsed)
    return is_run(folder) and open_run(folder)[1].header.rehearsed


def open_judge(
    folder: Path, *, dialect: str | None = None, student: str | None = None,
    mode: Mode | None = None, engine: str | None = None,
) -> Judge:  # fmt: skip
    """The judge of a run's folder, or of one that `judgesmith export` made.

    `dialect` and `student` choose among those of a run; `mode` is another than it was made for.
    `engine` is what computes, see `inference.engines`. Raises RecipeError where it has no such one,
    and RunError for a folder that holds no judge.
    """
    if engine is not None:
        check_engine(engine)
    if not is_exported(folder) and engine is not None and engine.startswith(LLAMA_CPP):
        raise RecipeError(
            f"--engine {engine}: {folder} is a run, and GGUF files are in exported folders. "
            f"`judgesmith export {folder} --gguf q8_0` makes one."
        )
    if not is_exported(folder):
        judge = judge_of_run(*open_run(folder), dialect=dialect, student=student, mode=mode)
        return judge if engine is None else on_engine(judge, folder, engine)
    if student is not None:
        raise RecipeError(
            f"--student {student!r}: {folder} holds one exported judge. Leave the option out."
        )
    judge = judge_of_folder(folder, dialect=dialect, mode=mode)
    return judge if engine is None else on_engine(judge, folder, engine)
