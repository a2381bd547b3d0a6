"""A set that is named on the hub: fetched to run a stage, never to look at a run."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from judgesmith.backends import hub
from judgesmith.errors import DataError
from judgesmith.pipeline import open_run, read_recipe, run_recipe, start_run, survey
from judgesmith.runs.jsonl import file_sha256
from judgesmith.runs.manifest import read_manifest

NAME = "hf://datasets/owner/set/rows.jsonl"
ROWS = [{"prompt": f"Why {n}?", "chosen": f"So {n}.", "rejected": "No."} for n in range(8)]
SOURCE = {
    "kind": "preferences", "path": NAME,
    "about": {"annotator": "gpt-4", "annotator_kind": "model", "licence": "MIT"},
}  # fmt: skip
STAGES = ["questions", "responses", "items", "split", "labels"]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JUDGESMITH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "datasets"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was asked of the hub, whose answers come from here."""
    seen: list[str] = []

    def rows(name: hub.HubName, file: str | None) -> Iterator[dict[str, Any]]:
        seen.append(str(file))
        return iter(ROWS)

    monkeypatch.setattr(hub, "_rows", rows)
    return seen


@pytest.fixture
def run(tmp_path: Path) -> Callable[[], list[str]]:
    """Run the recipe in its folder; what it said of each stage."""
    recipe = {
        "name": "named", "task": "general", "seed": 1,
        "questions": {"sources": [SOURCE]}, "responses": {"imports": [SOURCE]},
        "items": {"imports": [SOURCE]}, "split": {"level": "question"},
        "labels": {"dialect": "prometheus-relative", "imports": [SOURCE]},
    }  # fmt: skip
    path = tmp_path / "named.yaml"
    path.write_text(yaml.safe_dump(recipe))

    def again() -> list[str]:
        read, said = read_recipe(path), []
        run_dir = start_run(tmp_path / "run", read)
        list(run_recipe(read, run_dir, announce=lambda stage, what: said.append(what)))
        return said

    return again


def states(folder: Path) -> list[str]:
    return [entry.state.value for entry in survey(*open_run(folder))]


def test_a_set_is_fetched_once_and_before_its_hash_is_taken(
    run: Callable[[], list[str]], asked: list[str], cache: Path, tmp_path: Path
) -> None:
    assert run() == ["not run yet"] * 5
    assert asked == ["rows.jsonl"]
    manifest = read_manifest(tmp_path / "run" / "questions")
    assert manifest is not None
    held = file_sha256(cache / "owner--set" / "rows.jsonl")
    assert manifest.inputs[f"outside:{NAME}"] == held
    assert run() == ["fresh"] * 5


def test_a_run_made_elsewhere_is_read_without_a_network(
    run: Callable[[], list[str]], asked: list[str], cache: Path, tmp_path: Path
) -> None:
    run()
    shutil.rmtree(cache)
    asked.clear()
    assert states(tmp_path / "run") == ["fresh"] * 5
    assert run() == ["fresh"] * 5
    assert asked == []
    assert not cache.exists()


def test_another_set_under_the_name_is_seen(
    run: Callable[[], list[str]], asked: list[str], cache: Path, tmp_path: Path
) -> None:
    run()
    with (cache / "owner--set" / "rows.jsonl").open("a") as file:
        file.write('{"prompt": "Who?", "chosen": "I.", "rejected": "You."}\n')
    assert states(tmp_path / "run")[:3] == ["stale"] * 3


def test_a_name_that_no_hub_has_stops_the_run_before_anything_is_written(
    run: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def away(name: hub.HubName, file: str | None) -> Iterator[dict[str, Any]]:
        raise ConnectionError("no route")

    monkeypatch.setattr(hub, "_rows", away)
    with pytest.raises(DataError, match="could not be fetched from the Hugging Face hub: no route"):
        run()
    assert not (tmp_path / "run" / "questions" / "questions.jsonl").exists()
    assert states(tmp_path / "run")[0] == "missing"
