"""What the gate found of a judge, for whoever is about to believe its verdicts."""

from pathlib import Path
from typing import Any, NamedTuple

from judgesmith.errors import JudgesmithError
from judgesmith.inference.judge import Judge
from judgesmith.inference.judge_file import is_exported
from judgesmith.pipeline.recipes import open_run
from judgesmith.pipeline.running import require_fresh
from judgesmith.runs.students import is_fast, made_as
from judgesmith.stages.gate import read_gate
from judgesmith.tasks import load_dialect, task_of


class Gated(NamedTuple):
    """A gate's outcome (or `rehearsed`, `none`, `unknown`), and why it is that."""

    outcome: str
    why: str


def gated(folder: Path, judge: Judge) -> Gated:
    """What the gate of a judge's run found of this judge, as it is asked now.

    `unknown` where the folder was exported or the run has changed since, `none` where no gate
    decided on this student in this dialect and mode.
    """
    if is_exported(folder):
        return Gated("unknown", "exported folders do not carry it; the judge card (README.md) does")
    run_dir, recipe = open_run(folder)
    if recipe.header.rehearsed:
        return Gated("rehearsed", "a rehearsal passes no gate")
    found = read_gate(run_dir)
    if found is None:
        return Gated("none", "the run has no gate, so nothing was required of this judge")
    try:
        require_fresh(run_dir, recipe, "gate")
    except JudgesmithError as error:
        return Gated("unknown", str(error))
    evaluate: Any = recipe.sections["evaluate"]
    main = load_dialect(task_of(run_dir.header), evaluate.dialect)
    mode = "fast" if is_fast(found.judge) else "rationale"
    student = made_as(judge.name.removeprefix(f"{run_dir.header.name}/"))
    if (made_as(found.judge), main.hash, mode) != (student, judge.dialect.hash, judge.mode):
        return Gated(
            "none",
            f"the gate decided on {found.judge} in {main.name} (mode: {mode}), not on {judge.name} "
            f"in {judge.dialect.name} (mode: {judge.mode})",
        )
    reasons = [f"{one.name}: {one.reason}" for one in found.checks if one.outcome == found.outcome]
    passed = found.outcome == "pass"
    return Gated(found.outcome, found.labels_title if passed else "; ".join(reasons))
