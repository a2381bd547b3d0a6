"""Run a recipe's stages in order; a fresh stage is not run again.

A stage is fresh when its manifest says that it was made from this config, VERSION, seed and task,
from inputs with these hashes, and its outputs are still what it wrote.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson

from judgesmith.backends.hub import fetch_named
from judgesmith.errors import (
    AuditError,
    DataError,
    JudgesmithError,
    RecipeError,
    RunError,
    nearest,
)
from judgesmith.models.protocol import ModelOpener
from judgesmith.pipeline.opening import Models
from judgesmith.pipeline.order import Stage, load_stage, outputs_of
from judgesmith.pipeline.stage_checks import check_before
from judgesmith.runs.jsonl import write_bytes, write_json
from judgesmith.runs.layout import RunDir, Stopwatch
from judgesmith.runs.manifest import (
    MANIFEST,
    Manifest,
    hash_inputs,
    make_manifest,
    read_manifest,
    write_manifest,
)
from judgesmith.runs.recipe import Recipe, Section
from judgesmith.tasks import load_dialect, task_of

STOPPED = "findings.json"
"""What an audit found when it stopped its stage."""
BEGUN = ".begun"
"""What an unfinished stage is being made from; its partial files are kept only if that is so."""
ASIDE = ".{}.before"
"""Folder of a run that keeps what a stale stage had made until it is made anew."""


class State(StrEnum):
    """Where a stage stands: not begun, begun, done and still valid, or done and overtaken."""

    MISSING = "missing"
    PARTIAL = "partial"
    FRESH = "fresh"
    STALE = "stale"


@dataclass(frozen=True)
class Standing:
    """A stage's state, why it is not fresh, and its manifest where it has one."""

    stage: str
    state: State
    reason: str
    manifest: Manifest | None


def determined_by(stage: Stage, config: Section, run_dir: RunDir) -> dict[str, Any]:
    """What a stage's outputs follow from, besides its input files."""
    task = task_of(run_dir.header)
    hashes = [load_dialect(task, name).hash for name in config.dialects]
    return {
        "dialect": hashes[0] if hashes else None,
        "other_dialects": hashes[1:],
        "version": stage.VERSION,
        "config": config.model_dump(mode="json"),
        "seed": run_dir.seed,
        "task": task.name,
        "task_version": task.version,
        "models": {name: run_dir.header.models[name].identity for name in config.asks},
    }


def _input_files(stage: Stage, config: Section, run_dir: RunDir) -> dict[str, Path]:
    files = {name: run_dir.file(name) for name in stage.inputs(config)}
    return files | {f"outside:{given}": path for given, path in stage.outside(config).items()}


def _made(stage: Stage, config: Section, run_dir: RunDir) -> dict[str, Path]:
    return {output: run_dir.file(output) for output in outputs_of(stage, config)}


def _known_inputs(stage: Stage, config: Section, run_dir: RunDir) -> dict[str, str]:
    """Hashes of the inputs at hand; a run can be read where its outside files are not.

    A set that is named on the hub and was not fetched on this machine is no reason to ask for it.
    """
    try:
        found = _input_files(stage, config, run_dir)
    except DataError:
        found = {name: run_dir.file(name) for name in stage.inputs(config)}
    within = set(stage.inputs(config))
    return hash_inputs({n: path for n, path in found.items() if n in within or path.exists()})


def standing(name: str, config: Section, run_dir: RunDir) -> Standing:
    """Whether a stage must run, and why."""
    stage = load_stage(name)
    folder = run_dir.file(name)
    manifest = read_manifest(folder)
    if manifest is None:
        begun = folder.is_dir() and any(folder.iterdir())
        state = State.PARTIAL if begun else State.MISSING
        return Standing(name, state, "interrupted" if begun else "not run yet", None)

    def stale(reason: str) -> Standing:
        return Standing(name, State.STALE, reason, manifest)

    wanted = determined_by(stage, config, run_dir)
    before = manifest.determined_by
    changed = [key for key in wanted if key in before and before[key] != wanted[key]]
    if changed:
        return stale(f"changed: {', '.join(changed)}")
    inputs = manifest.inputs | _known_inputs(stage, config, run_dir)
    other = [key for key in inputs if inputs[key] != manifest.inputs.get(key)]
    if other:
        return stale(f"changed input: {', '.join(sorted(other))}")
    outputs = hash_inputs(_made(stage, config, run_dir))
    touched = [key for key in outputs if outputs[key] != manifest.outputs.get(key)]
    if touched:
        return stale(f"changed output: {', '.join(touched)}")
    return Standing(name, State.FRESH, "", manifest)


def survey(run_dir: RunDir, recipe: Recipe) -> list[Standing]:
    """The standing of every stage of the recipe; what follows a stage that must run is stale."""
    found: list[Standing] = []
    for name, config in recipe.sections.items():
        entry = standing(name, config, run_dir)
        upstream = [e.stage for e in found if e.state is not State.FRESH]
        if upstream and entry.state is State.FRESH:
            entry = Standing(name, State.STALE, f"follows {upstream[0]}", entry.manifest)
        found.append(entry)
    return found


def require_fresh(run_dir: RunDir, recipe: Recipe, stage: str) -> None:
    """Refuse to show results that the run's present recipe and files did not give."""
    for entry in survey(run_dir, recipe):
        if entry.state is not State.FRESH:
            raise RunError(
                f"{run_dir.path}: stage {entry.stage!r} is {entry.state.value} ({entry.reason}), "
                f"so what {stage!r} holds is not what this run would give. Run the recipe again: "
                f"judgesmith run {run_dir.path}/recipe.yaml --run {run_dir.path}"
            )
        if entry.stage == stage:
            return
    raise RunError(f"{run_dir.path}: the recipe has no stage {stage!r}.")


def run_stage(name: str, config: Section, run_dir: RunDir, models: ModelOpener) -> Manifest:
    """Run one stage; its manifest is written last."""
    stage = load_stage(name)
    watch = Stopwatch()
    run_dir.file(name).mkdir(parents=True, exist_ok=True)
    run_dir.file(f"{name}/{MANIFEST}").unlink(missing_ok=True)
    inputs = hash_inputs(_input_files(stage, config, run_dir))
    try:
        report = stage.run(config, run_dir, models)
    except AuditError as error:
        write_json(run_dir.file(f"{name}/{STOPPED}"), error.findings)
        raise
    manifest = make_manifest(
        name, stage.VERSION, determined_by=determined_by(stage, config, run_dir), inputs=inputs,
        outputs=hash_inputs(_made(stage, config, run_dir)),
        report=report, wall_s=watch.seconds(),
    )  # fmt: skip
    write_manifest(run_dir.file(name), manifest)
    return manifest


def run_anew(
    entry: Standing, config: Section, run_dir: RunDir, models: ModelOpener
) -> Manifest:  # fmt: skip
    """Run a stage that is not fresh; what it had made before stays until it is made anew."""
    _discard_unfit(entry.stage, entry, config, run_dir)
    try:
        manifest = run_stage(entry.stage, config, run_dir, models)
    except JudgesmithError:
        _put_back(entry.stage, run_dir)
        raise
    shutil.rmtree(run_dir.file(ASIDE.format(entry.stage)), ignore_errors=True)
    return manifest


def check_until(recipe: Recipe, until: str | None) -> None:
    """Refuse a stage that the recipe does not have."""
    if until is not None and until not in recipe.sections:
        raise RecipeError(f"--until: unknown stage {until!r}; {nearest(until, recipe.sections)}")


def run_recipe(
    recipe: Recipe, run_dir: RunDir, *, until: str | None = None, budget_usd: float | None = None,
    announce: Callable[[str, str], None] = lambda stage, what: None,
) -> Iterator[Manifest]:  # fmt: skip
    """Run what is not fresh, in order, and yield each stage's manifest."""
    check_until(recipe, until)
    models = Models(run_dir, budget_usd)
    models.check(_asked(recipe, run_dir, until))
    with closing(models):
        for name, config in recipe.sections.items():
            entry = standing(name, config, run_dir)
            announce(name, "fresh" if entry.state is State.FRESH else entry.reason)
            if entry.state is State.FRESH and entry.manifest is not None:
                yield entry.manifest
            else:
                check_before(name, recipe, run_dir, until=until)
                fetch_named(load_stage(name).outside(config))
                yield run_anew(entry, config, run_dir, models.opener(name))
            if name == until:
                break


def _asked(recipe: Recipe, run_dir: RunDir, until: str | None) -> list[str]:
    """Names of the recipe's models that the stages will ask which are not fresh."""
    names: list[str] = []
    for entry in survey(run_dir, recipe):
        if entry.state is not State.FRESH:
            names += recipe.sections[entry.stage].asks
        if entry.stage == until:
            break
    return list(dict.fromkeys(names))


def _discard_unfit(name: str, entry: Standing, config: Section, run_dir: RunDir) -> None:
    """Throw away what an interrupted stage left, unless it was made from the very same things.

    A stale stage starts from nothing: one of its outputs may have been edited, and no stage may
    build on that. What it had made is put aside until it is made anew. Temporary files of a write
    that a kill cut off are removed everywhere.
    """
    note = run_dir.file(f"{name}/{BEGUN}")
    stage = load_stage(name)
    basis = determined_by(stage, config, run_dir) | {
        "inputs": hash_inputs(_input_files(stage, config, run_dir))
    }
    text = orjson.dumps(basis, option=orjson.OPT_SORT_KEYS)
    for torn in (*run_dir.path.glob(".*.tmp"), *run_dir.file(name).glob(".*.tmp")):
        torn.unlink(missing_ok=True)
    unfit = entry.state is State.STALE or not note.exists() or note.read_bytes() != text
    if unfit:
        if entry.manifest is not None:
            aside = run_dir.file(ASIDE.format(name))
            shutil.rmtree(aside, ignore_errors=True)
            run_dir.file(name).rename(aside)
        shutil.rmtree(run_dir.file(name), ignore_errors=True)
        write_bytes(note, text)


def _put_back(name: str, run_dir: RunDir) -> None:
    """What a stage had made before, where a user's mistake ended it before it made anything."""
    folder, aside = run_dir.file(name), run_dir.file(ASIDE.format(name))
    if aside.is_dir() and {path.name for path in folder.iterdir()} <= {BEGUN}:
        shutil.rmtree(folder)
        aside.rename(folder)
