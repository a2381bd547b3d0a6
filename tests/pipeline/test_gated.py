"""What is told of a judge's gate, for a run whose gate said something of its student."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from judgesmith.errors import DataError
from judgesmith.inference.judge import Judge
from judgesmith.inference.judge_file import JUDGE_FILE, Gated, JudgeFile, write_judge_file
from judgesmith.pipeline import gated as module
from judgesmith.pipeline import read_recipe, start_run
from judgesmith.pipeline.gated import gated, gated_for_others
from judgesmith.pipeline.judges import is_rehearsed
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
    assert gated(run.path, JUDGE) == Gated(outcome="fail", why="kappa: below .6")


def test_a_run_that_changed_since_says_nothing(run: RunDir) -> None:
    found = gated(run.path, JUDGE)
    assert found.outcome == "unknown"
    assert "stage 'questions' is missing" in found.why


@pytest.mark.usefixtures("fresh")
def test_the_gate_says_nothing_of_another_student_mode_or_dialect(run: RunDir) -> None:
    single = load_dialect(load_task("bias"), "bias-single-compact")
    for other in (
        replace(JUDGE, name="tiny/before training"),
        replace(JUDGE, mode="fast"),
        replace(JUDGE, dialect=single),
    ):
        found = gated(run.path, other)
        assert found.outcome == "none"
        why = found.why
        assert why.startswith("the gate decided on student in bias-pair-compact (mode: rationale)")
        assert f"not on {other.name} in {other.dialect.name} (mode: {other.mode})" in why


def test_a_run_without_a_gate_and_a_rehearsal_say_so(run: RunDir) -> None:
    run.file("gate/gate.json").unlink()
    assert gated(run.path, JUDGE).outcome == "none"
    recipe = run.path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump({**yaml.safe_load(recipe.read_text()), "rehearsed": True}))
    assert gated(run.path, JUDGE).outcome == "rehearsed"


def test_an_exported_folder_says_what_its_run_said(
    run: RunDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gate decided in one mode; and no place on this machine is told to others."""
    recipe, held = read_recipe(TINY), JudgeFile.of(JUDGE, "bias")
    found = gated_for_others(run, recipe, held)
    assert found.outcome == "unknown"
    assert str(run.path) not in found.why
    monkeypatch.setattr(module, "require_fresh", lambda *_: None)
    found = gated_for_others(run, recipe, held)
    write_judge_file(tmp_path, JudgeFile.of(JUDGE, "bias", rehearsed=False, gate=found))
    assert gated(tmp_path, JUDGE) == Gated(outcome="fail", why="kappa: below .6")
    assert not is_rehearsed(tmp_path)
    other = gated(tmp_path, replace(JUDGE, mode="fast"))
    assert (other.outcome, "mode rationale" in other.why) == ("none", True)
    rehearsed = Gated(outcome="rehearsed", why="a rehearsal passes no gate")
    write_judge_file(tmp_path, JudgeFile.of(JUDGE, "bias", rehearsed=True, gate=rehearsed))
    assert gated(tmp_path, replace(JUDGE, mode="fast")) == rehearsed
    assert is_rehearsed(tmp_path)


def test_a_file_of_before_the_gate_was_told_is_read_and_a_later_one_refused(
    tmp_path: Path
) -> None:  # fmt: skip
    write_judge_file(tmp_path, JudgeFile.of(JUDGE, "bias"))
    file = tmp_path / JUDGE_FILE
    held = json.loads(file.read_text())
    before = {k: v for k, v in held.items() if k not in ("gate", "rehearsed")} | {"schema": 1}
    file.write_text(json.dumps(before))
    found = gated(tmp_path, JUDGE)
    assert (found.outcome, "before folders carried it" in found.why) == ("unknown", True)
    assert not is_rehearsed(tmp_path)
    for wrong, said in (
        (held | {"schema": 3}, "field schema: Input should be 1 or 2"),
        (held | {"gate": None}, "field gate"),
        (before | {"schema": 2}, "expected gate, rehearsed"),
    ):
        file.write_text(json.dumps(wrong))
        with pytest.raises(DataError, match=rf"judge\.json: not a valid judge: .*{said}"):
            gated(tmp_path, JUDGE)
