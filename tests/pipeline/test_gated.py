"""What is told of a judge's gate, for a run whose gate said something of its student."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from judgesmith.inference.judge import Judge
from judgesmith.inference.judge_file import JudgeFile, write_judge_file
from judgesmith.pipeline import gated as module
from judgesmith.pipeline import read_recipe, start_run
from judgesmith.pipeline.gated import gated
from judgesmith.report.results import Check, GateResult
from judgesmith.runs.jsonl import write_json
from judgesmith.runs.layout import RunDir
from judgesmith.tasks import load_dialect, load_task

TINY = Path(__file__).resolve().parents[1] / "recipes" / "tiny.yaml"
PAIR = load_dialect(load_task("bias"), "bias-pair-compact")
JUDGE = Judge("tiny/student", "v1", PAIR, None, 60)  # type: ignore[arg-type]


def check(name: str, outcome: str, reason: str) -> Check:
    return Check.model_validate(
        {"name": name, "requirement": "r", "found": None, "outcome": outcome, "reason": reason,
         "labels_needed": None, "slice": None, "kappa_floor": None}
    )  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    made = start_run(tmp_path / "run", read_recipe(TINY))
    result = GateResult(
        judge="student", labels_title="labels: people", outcome="fail",
        checks=(check("kappa", "fail", "below .6"), check("coverage", "pass", "all")),
    )  # fmt: skip
    write_json(made.file("gate/gate.json"), result.model_dump(mode="json"))
    return made


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if every stage before the gate stood as it was."""
    monkeypatch.setattr(module, "require_fresh", lambda *_: None)


@pytest.mark.usefixtures("fresh")
def test_a_judge_that_failed_is_said_to_have_failed_and_why(run: RunDir) -> None:
    assert gated(run.path, JUDGE) == ("fail", "kappa: below .6")


def test_a_run_that_changed_since_says_nothing(run: RunDir) -> None:
    outcome, why = gated(run.path, JUDGE)
    assert outcome == "unknown"
    assert "stage 'questions' is missing" in why


@pytest.mark.usefixtures("fresh")
def test_the_gate_says_nothing_of_another_student_mode_or_dialect(run: RunDir) -> None:
    single = load_dialect(load_task("bias"), "bias-single-compact")
    for other in (
        replace(JUDGE, name="tiny/before training"),
        replace(JUDGE, mode="fast"),
        replace(JUDGE, dialect=single),
    ):
        outcome, why = gated(run.path, other)
        assert outcome == "none"
        assert why.startswith("the gate decided on student in bias-pair-compact (mode: rationale)")
        assert f"not on {other.name} in {other.dialect.name} (mode: {other.mode})" in why


def test_a_run_without_a_gate_a_rehearsal_and_an_exported_folder_say_so(
    run: RunDir, tmp_path: Path
) -> None:
    run.file("gate/gate.json").unlink()
    assert gated(run.path, JUDGE).outcome == "none"
    recipe = run.path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump({**yaml.safe_load(recipe.read_text()), "rehearsed": True}))
    assert gated(run.path, JUDGE).outcome == "rehearsed"
    write_judge_file(tmp_path, JudgeFile.of(JUDGE, "bias"))
    assert gated(tmp_path, JUDGE).outcome == "unknown"
