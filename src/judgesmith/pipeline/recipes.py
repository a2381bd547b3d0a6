"""Recipes and run folders: finding, reading, starting, opening."""

from collections.abc import Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from judgesmith.errors import RecipeError, RunError, nearest
from judgesmith.inference.judge_file import is_exported
from judgesmith.pipeline.order import STAGES, load_stage
from judgesmith.pipeline.recipe_checks import check_sections
from judgesmith.runs.jsonl import write_bytes
from judgesmith.runs.layout import RunDir
from judgesmith.runs.outside import use_data_folder
from judgesmith.runs.recipe import Recipe, load_recipe
from judgesmith.runs.rehearsal import MODELS, Rates
from judgesmith.runs.students import AFTER_DPO, BEFORE, MERGED, made_as
from judgesmith.tasks import load_dialect, task_of

RECIPE = "recipe.yaml"
MODEL_FILES = ("judgesmith.json", "adapter_config.json", "config.json")


def shipped_recipes() -> dict[str, Path]:
    """Recipes that come with the package, by name."""
    folder = Path(str(resources.files("judgesmith") / "recipes"))
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def find_recipe(name: str) -> Path:
    """A recipe by the name of a shipped one, or by its path."""
    shipped = shipped_recipes()
    if name in shipped:
        return shipped[name]
    if Path(name).suffix in (".yaml", ".yml") or Path(name).exists():
        return Path(name)
    raise RecipeError(
        f"{name}: neither a recipe file nor a shipped recipe; {nearest(name, shipped)}"
    )


def read_recipe(
    path: Path, overrides: Sequence[str] = (), *, rehearse: bool = False, of_a_run: bool = False
) -> Recipe:
    """A recipe, checked against every stage's config; its rehearsal if that is asked for.

    What was made from the recipe of a run can be read, though it would not be started again.
    """
    stages = {name: load_stage(name).Config for name in STAGES}
    recipe = load_recipe(path, stages, overrides, rehearse=rehearse)
    for section in recipe.header.rehearse:
        if section not in (*STAGES, MODELS):
            raise RecipeError(f"{path}: rehearse.{section}: {nearest(section, (*STAGES, MODELS))}")
    for stage, config in recipe.sections.items():
        for name in config.asks:
            if name not in recipe.header.models:
                raise RecipeError(
                    f"{path}: {stage!r} asks model {name!r}, which the section `models` does not "
                    f"describe; {nearest(name, recipe.header.models)}"
                )
    _check_dialects(path, recipe)
    _check_students(path, recipe)
    if not of_a_run:
        check_sections(path, recipe)
    return as_rehearsal(recipe) if recipe.header.rehearsed else recipe


def _check_dialects(path: Path, recipe: Recipe) -> None:
    """Refuse a dialect that nobody wrote before the first stage runs, not when it is asked in."""
    task = task_of(recipe.header)
    for stage, config in recipe.sections.items():
        for name in config.dialects:
            try:
                load_dialect(task, name)
            except RecipeError as error:
                raise RecipeError(f"{path}: {stage}: {error}") from None


def _check_students(path: Path, recipe: Recipe) -> None:
    """Refuse to measure or merge a student that no stage of the recipe makes."""
    sft, evaluate, merge = (recipe.sections.get(name) for name in ("sft", "evaluate", "merge"))
    trained = tuple(getattr(sft, "students", ()))
    made = {"dpo": AFTER_DPO, "merge": MERGED}
    known = {*trained, BEFORE, *(name for stage, name in made.items() if stage in recipe.sections)}
    measured = [made_as(name) for name in getattr(evaluate, "everybody", ())]
    asked = [("evaluate.students", name, known) for name in measured]
    asked += [("merge.judges", name, set(trained)) for name in getattr(merge, "judges", ())]
    for setting, name, there in asked if sft is not None else ():
        if name not in there:
            raise RecipeError(
                f"{path}: {setting}: no stage of the recipe makes {name!r}; {nearest(name, there)}"
            )


def as_rehearsal(recipe: Recipe) -> Recipe:
    """The recipe with simulated models in place of those that it describes."""
    task = task_of(recipe.header)
    rates = Rates(recipe.header.rehearse.get(MODELS), task.responder_rates)
    sections = {name: section.rehearsed(rates) for name, section in recipe.sections.items()}
    rates.require_all_used(recipe.header.models)
    header = recipe.header.model_copy(update={"models": {}})
    return replace(recipe, header=header, sections=sections)


def is_run(folder: Path) -> bool:
    """Whether a folder is a run."""
    return (folder / RECIPE).is_file()


def open_run(folder: Path) -> tuple[RunDir, Recipe]:
    """An existing run with the recipe it was made from."""
    if not is_run(folder):
        raise RunError(f"{folder}: {_instead_of_a_run(folder)}")
    recipe = read_recipe(folder / RECIPE, of_a_run=True)
    use_data_folder(folder, None)
    return RunDir(folder, recipe.header), recipe


def _instead_of_a_run(folder: Path) -> str:
    """What stands where a run was expected, and what to do."""
    make = f"`judgesmith run RECIPE --run {folder}` makes one."
    if not folder.exists():
        beside = [str(one) for one in _folders(folder.parent) if is_run(one) or is_exported(one)]
        near = f"; {nearest(str(folder), beside)}" if beside else ""
        return f"expected a run folder, found nothing there{near}. {make}"
    if is_exported(folder):
        return (
            "expected a run folder, found an exported judge (it has judge.json), which `judge`, "
            "`rank` and `serve` take. All else is done with the run that it was exported from."
        )
    held = [one.name for one in _folders(folder) if is_exported(one)]
    if held:
        return (
            f"expected a run folder, found one that holds the exported judges {', '.join(held)}: "
            f"name one of them for `judge`, `rank` or `serve`, such as {folder / held[0]}."
        )
    return f"not a run folder (it has no recipe.yaml). {_for_a_model(folder) or make}"


def _folders(folder: Path) -> list[Path]:
    return sorted(one for one in folder.iterdir() if one.is_dir()) if folder.is_dir() else []


def model_file(folder: Path) -> str | None:
    """The file by which a folder is that of a model or adapter; None where it has none."""
    return next((name for name in MODEL_FILES if (folder / name).is_file()), None)


def _for_a_model(folder: Path) -> str:
    """What to do with the folder of a model or adapter, such as a merged judge; else nothing."""
    held = model_file(folder)
    if held is None:
        return ""
    return (
        f"It is a model's folder (it has {held}), and a model judges in a run: name it as "
        f"`sft.student: {folder}` in a recipe, where `evaluate.students: [before training]` is the "
        "model as it is. A recipe's `merge` stage makes a merged judge in the run itself. See "
        "docs/howto/merge-judges.md."
    )


def start_run(folder: Path, recipe: Recipe) -> RunDir:
    """The run folder for a recipe; another recipe's run is not overwritten."""
    path = folder / RECIPE
    if path.exists():
        before, wanted = _kind_of_run(read_recipe(path, of_a_run=True)), _kind_of_run(recipe)
        if before != wanted:
            raise RunError(
                f"{folder}: holds {before}, not {wanted}. Choose another folder with --run."
            )
    elif folder.exists() and any(p.name != ".lock" for p in folder.iterdir()):
        what = f"Choose another with --run. {_for_a_model(folder)}".rstrip()
        raise RunError(f"{folder}: is not empty and is no run folder. {what}")
    text = yaml.safe_dump(_with_reasons(recipe), sort_keys=False, allow_unicode=True, width=100)
    run_dir = RunDir(folder, recipe.header)
    with run_dir.locked():
        write_bytes(path, text.encode())
    return run_dir


def _kind_of_run(recipe: Recipe) -> str:
    what = "a rehearsal" if recipe.header.rehearsed else "a run"
    return f"{what} of recipe {recipe.header.name!r}"


def _with_reasons(recipe: Recipe) -> Any:
    """The recipe as plain values with its reasons put back where they were."""

    def rebuild(value: Any, at: str) -> Any:
        inner = value
        if isinstance(value, dict):
            inner = {k: rebuild(v, f"{at}.{k}" if at else str(k)) for k, v in value.items()}
        elif isinstance(value, list):
            inner = [rebuild(v, f"{at}.{i}") for i, v in enumerate(value)]
        return {"value": inner, "why": recipe.why[at]} if at in recipe.why else inner

    return rebuild(recipe.plain, "")
