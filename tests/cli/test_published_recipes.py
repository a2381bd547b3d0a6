"""The published judges' recipes: valid as they are and as rehearsals, and one run to its report."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from judgesmith.pipeline import read_recipe, shipped_recipes
from judgesmith.pipeline.order import STAGES
from judgesmith.runs.manifest import read_manifest
from judgesmith.tasks import load_dialect, task_of

PUBLISHED = ("bias-judge-gemma4", "judgelm-7b", "prometheus-gemma3-merge")


@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize("rehearse", [False, True])
def test_every_recipe_is_whole(name: str, rehearse: bool) -> None:
    """From questions to gate, every dialect known; a rehearsal has the same stages."""
    recipe = read_recipe(shipped_recipes()[name], rehearse=rehearse)
    task = task_of(recipe.header)
    for section in recipe.sections.values():
        for dialect in section.dialects:
            assert load_dialect(task, dialect).name == dialect
    stages = [stage for stage in STAGES if stage in recipe.sections]
    assert stages[:2] == ["questions", "responses"]
    assert stages[-2:] == ["evaluate", "gate"]
    assert recipe.header.rehearsed is rehearse
    if rehearse:
        assert list(recipe.sections) == list(read_recipe(shipped_recipes()[name]).sections)
        assert not any(section.asks for section in recipe.sections.values())


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_hyperparameter_that_was_chosen_has_its_reason(name: str) -> None:
    why = read_recipe(shipped_recipes()[name]).why
    for field in ("student", "learning_rate"):
        assert why[f"sft.{field}"]
    assert why["split.level"]
    assert any("published" in reason for reason in why.values())


LITTLE = {
    "questions.sources.0.count": "120", "items.quota_scale": "0.08", "split.max_train": "60",
    "split.max_test": "30", "sft.epochs": "null", "sft.steps": "4", "sft.eval_every": "4",
    "sft.dry_run": "4", "sft.dev_items": "2", "sft.reply_tokens": "8",
    "sft.student.vocabulary": "400", "merge.search.items": "2", "merge.search.reply_tokens": "8",
    "evaluate.reply_tokens": "8", "evaluate.resamples": "100", "evaluate.slice_resamples": "100",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.wide
def test_the_merged_judge_is_rehearsed_to_its_report(command: Any, tmp_path: Path) -> None:
    """Three adapters of a random Gemma 3, merged, measured in both formats, never passed."""
    options = [part for item in LITTLE.items() for part in ("--set", "=".join(item))]
    ran = command("run", PUBLISHED[2], "--rehearse", *options, cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    run = tmp_path / "runs/prometheus-gemma3-merge-rehearsal"
    assert "Rehearsed." in ran.stdout
    assert (run / "report/index.html").stat().st_size > 10_000
    trained = read_manifest(run / "sft")
    assert trained is not None
    assert list(trained.report.tables["students"]) == ["absolute", "pairwise", "joint"]
    config = orjson.loads((run / "merge/student/adapter_config.json").read_bytes())
    ranks = [
        orjson.loads((run / f"sft/{name}/student/adapter_config.json").read_bytes())["r"]
        for name in ("absolute", "pairwise")
    ]
    assert config["r"] == sum(ranks) == 64 + 128
    tried = orjson.loads((run / "merge/search.json").read_bytes())
    names = [row["name"] for row in tried]
    assert names[0] == "nuslerp 0.5 : 0.5"
    assert names[-4:] == ["routed", "absolute", "pairwise", "joint"]
    assert sum(row["chosen"] for row in tried) == 1
    gate = orjson.loads((run / "gate/gate.json").read_bytes())
    assert gate["outcome"] != "pass"
