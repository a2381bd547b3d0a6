"""`judgesmith export`: the stage with what the command line says, on a run that is there."""

from collections.abc import Callable
from contextlib import closing
from typing import Any

from pydantic import ValidationError

from judgesmith.backends.adapters import is_adapter
from judgesmith.backends.origin import model_path
from judgesmith.errors import RecipeError
from judgesmith.pipeline.export_cards import STAGE, read_exports
from judgesmith.pipeline.opening import Models
from judgesmith.pipeline.report_run import write_report
from judgesmith.pipeline.running import State, require_fresh, run_anew, standing
from judgesmith.report.exports import Exports
from judgesmith.runs.layout import RunDir
from judgesmith.runs.recipe import Recipe
from judgesmith.runs.students import student_folder, student_stage
from judgesmith.stages.export.config import Config, student_of


def export_config(recipe: Recipe, given: dict[str, Any]) -> Config:
    """What the recipe says of an export, with what the command line says above it."""
    said = recipe.sections.get(STAGE)
    values = {} if said is None else said.model_dump()
    try:
        return Config.model_validate({**values, **given})
    except ValidationError as error:
        told = "; ".join(
            f"{d['loc'][0]}: {_ours(d['msg'])}, found {d['input']!r}"
            for d in error.errors(include_url=False)
        )
        raise RecipeError(f"export: {told}") from None


def _ours(said: str) -> str:
    """What pydantic says against a field, in the words of all our messages."""
    return said.removeprefix("Value error, ").replace("Input should be", "expected", 1)


def require_adapter(run_dir: RunDir, config: Config, flag: str) -> None:
    """Refuse a word on adapters where no checkpoint that is there is one."""
    folders = [run_dir.file(student_folder(student_of(name))) for name in config.checkpoints]
    there = [folder for folder in folders if folder.is_dir()]
    if there and not any(is_adapter(model_path(folder)) for folder in there):
        raise RecipeError(
            f"{flag}: expected a checkpoint that is an adapter, found whole models "
            f"({', '.join(config.checkpoints)}). Leave it out: a whole model has one form."
        )


def export_run(
    run_dir: RunDir, recipe: Recipe, config: Config,
    announce: Callable[[str, str], None] = lambda stage, what: None,
) -> Exports:  # fmt: skip
    """Export a run's checkpoints, unless that very export is there; what was found.

    Raises:
        RunError: a checkpoint is not there, or is not what the recipe would train now.
    """
    for checkpoint in config.checkpoints:
        require_fresh(run_dir, recipe, student_stage(student_of(checkpoint)))
    entry = standing(STAGE, config, run_dir)
    if entry.state is not State.FRESH:
        announce(STAGE, entry.reason)
        with closing(Models(run_dir)) as models:
            run_anew(entry, config, run_dir, models.opener(STAGE))
    found = read_exports(run_dir)
    assert found is not None
    write_report(run_dir, recipe)
    return found
