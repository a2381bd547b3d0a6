"""What the gate found of a judge, for whoever is about to believe its verdicts."""

from pathlib import Path
from typing import Any

from judgesmith.errors import JudgesmithError
from judgesmith.inference.judge import Judge
from judgesmith.inference.judge_file import Gated, JudgeFile, is_exported, read_judge_file
from judgesmith.pipeline.recipes import open_run
from judgesmith.pipeline.running import require_fresh
from judgesmith.runs.layout import RunDir
from judgesmith.runs.recipe import Recipe
from judgesmith.runs.students import is_fast, made_as
from judgesmith.stages.gate import read_gate
from judgesmith.tasks import load_dialect, task_of

_CHANGED = "the run has changed since its gate decided, or its gate has not run"


def gated(folder: Path, judge: Judge) -> Gated:
    """What the gate of a judge's run found of this judge, as it is asked now.

    `unknown` where the run has changed since, `none` where no gate decided on this student in this
    dialect and mode.
    """
    if not is_exported(folder):
        return gated_in(*open_run(folder), judge)
    held = read_judge_file(folder)
    if judge.mode != held.mode and held.gate.outcome not in ("rehearsed", "none", "unknown"):
        why = f"the gate decided on it in the mode {held.mode}, not in the mode {judge.mode}"
        return Gated(outcome="none", why=why)
    return held.gate


def gated_for_others(run_dir: RunDir, recipe: Recipe, held: JudgeFile) -> Gated:
    """The same for an exported folder, which names no place on this machine."""
    found = gated_in(run_dir, recipe, held)
    return Gated(outcome="unknown", why=_CHANGED) if found.outcome == "unknown" else found


def gated_in(run_dir: RunDir, recipe: Recipe, judge: Judge | JudgeFile) -> Gated:
    """What the gate of a run found of a judge that was made in it."""
    if recipe.header.rehearsed:
        return Gated(outcome="rehearsed", why="a rehearsal passes no gate")
    found = read_gate(run_dir)
    if found is None:
        why = "the run has no gate, so nothing was required of this judge"
        return Gated(outcome="none", why=why)
    try:
        require_fresh(run_dir, recipe, "gate")
    except JudgesmithError as error:
        return Gated(outcome="unknown", why=str(error))
    evaluate: Any = recipe.sections["evaluate"]
    main = load_dialect(task_of(run_dir.header), evaluate.dialect)
    mode = "fast" if is_fast(found.judge) else "rationale"
    student = made_as(judge.name.removeprefix(f"{run_dir.header.name}/"))
    if (made_as(found.judge), main.hash, mode) != (student, judge.dialect.hash, judge.mode):
        why = (
            f"the gate decided on {found.judge} in {main.name} (mode: {mode}), not on {judge.name} "
            f"in {judge.dialect.name} (mode: {judge.mode})"
        )
        return Gated(outcome="none", why=why)
    reasons = [f"{one.name}: {one.reason}" for one in found.checks if one.outcome == found.outcome]
    passed = found.outcome == "pass"
    return Gated(outcome=found.outcome, why=found.labels_title if passed else "; ".join(reasons))
