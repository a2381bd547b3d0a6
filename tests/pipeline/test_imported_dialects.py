"""Imported judgments are written in the dialects that their set names: a changed one is seen."""

import json
from pathlib import Path

import pytest
import yaml

from judgesmith.judging.library import LIBRARY
from judgesmith.pipeline import open_run, read_recipe, run_recipe, start_run, survey

NAMED = "judgelm-reference"
"""A dialect that the recipe nowhere names; the rows of the set do."""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    row = {
        "answer1_body": "Many.", "answer2_body": "Two.", "score": [2, 9], "text": "2 9\nSo.",
        "score_w_reference": [1, 10], "text_w_reference": "1 10\nSo.", "reference": {"text": "2"},
    }  # fmt: skip
    made = [{"question_body": f"What is 1 + 1, {n}?", **row} for n in range(8)]
    file = tmp_path / "judgelm_train_100k.jsonl"
    file.write_text("".join(json.dumps(one) + "\n" for one in made))
    source = {"kind": "judgelm", "path": str(file)}
    recipe = {
        "name": "named", "task": "general", "seed": 1,
        "questions": {"sources": [source]}, "responses": {"imports": [source]},
        "items": {"imports": [source]}, "split": {"level": "question"},
        "labels": {"dialect": "judgelm", "imports": [source]},
    }  # fmt: skip
    path = tmp_path / "named.yaml"
    path.write_text(yaml.safe_dump(recipe))
    read = read_recipe(path)
    run_dir = start_run(tmp_path / "run", read)
    list(run_recipe(read, run_dir))
    return tmp_path / "run"


def test_judgments_in_a_dialect_that_changed_are_stale(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [entry.state.value for entry in survey(*open_run(run))] == ["fresh"] * 5
    held = (run / "labels" / "judgments.jsonl").read_text()
    assert LIBRARY[NAMED].hash in held
    changed = LIBRARY[NAMED].model_copy(update={"user": LIBRARY[NAMED].user + " Be brief."})
    monkeypatch.setitem(LIBRARY, NAMED, changed)
    labels = survey(*open_run(run))[-1]
    assert (labels.state.value, labels.reason) == ("stale", "changed: other_dialects")
