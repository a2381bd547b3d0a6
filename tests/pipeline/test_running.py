"""Fresh, stale, partial, missing: when a stage runs again, and what it may build on."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from judgesmith.errors import DataError, RecipeError, RunError
from judgesmith.pipeline import State, open_run, read_recipe, run_recipe, start_run, survey
from judgesmith.records import Item
from judgesmith.runs.layout import RunDir
from judgesmith.runs.recipe import Recipe
from judgesmith.stages import items
from judgesmith.stages.rows import stage as rows

TINY = Path(__file__).resolve().parents[1] / "recipes" / "tiny.yaml"
LIGHT = ("questions", "responses", "items", "split", "labels", "rows")
Run = tuple[RunDir, Recipe]


def start(folder: Path, *overrides: str, until: str = "rows") -> Run:
    recipe = read_recipe(TINY, overrides)
    run_dir = start_run(folder, recipe)
    list(run_recipe(recipe, run_dir, until=until))
    return run_dir, recipe


def announced(run: Run, until: str = "rows") -> dict[str, str]:
    said: dict[str, str] = {}
    list(run_recipe(run[1], run[0], until=until, announce=said.__setitem__))
    return said


def states(run: Run) -> dict[str, str]:
    return {entry.stage: entry.state.value for entry in survey(*run)}


def reasons(run: Run) -> dict[str, str]:
    return {entry.stage: entry.reason for entry in survey(*run)}


def contents(run: Run) -> dict[str, bytes]:
    folder = run[0].path
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for stage in LIGHT
        for path in sorted((folder / stage).glob("*.jsonl"))
    }


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("once") / "run"
    start(folder)
    return folder


@pytest.fixture
def done(made_once: Path, tmp_path: Path) -> Run:
    return open_run(Path(shutil.copytree(made_once, tmp_path / "run")))


def test_nothing_changed(done: Run) -> None:
    times = {p: p.stat().st_mtime_ns for p in done[0].path.rglob("*.json*")}
    assert announced(done) == dict.fromkeys(LIGHT, "fresh")
    assert times == {p: p.stat().st_mtime_ns for p in done[0].path.rglob("*.json*")}
    after = states(done)
    assert [after[stage] for stage in LIGHT] == ["fresh"] * 6
    assert [after[stage] for stage in ("sft", "evaluate", "gate")] == ["missing"] * 3


def test_until_stops_after_the_stage_it_names(tmp_path: Path) -> None:
    run = start(tmp_path / "run", until="items")
    assert run[0].file("items/manifest.json").exists()
    assert not run[0].file("split").exists()
    with pytest.raises(RecipeError, match="did you mean 'items'"):
        list(run_recipe(run[1], run[0], until="item"))


def test_a_changed_config_makes_its_stage_and_what_follows_stale(done: Run) -> None:
    changed = (done[0], read_recipe(TINY, ["split.max_dev=3"]))
    found, why = states(changed), reasons(changed)
    assert [found[s] for s in LIGHT] == ["fresh", "fresh", "fresh", "stale", "stale", "stale"]
    assert (why["split"], why["labels"]) == ("changed: config", "follows split")
    said = announced(changed)
    assert [said[s] for s in LIGHT[:4]] == ["fresh", "fresh", "fresh", "changed: config"]
    assert said["labels"] == "changed input: split/items.jsonl"


def test_another_seed_makes_everything_stale(done: Run) -> None:
    recipe = read_recipe(TINY, ["seed=8"])
    changed = (RunDir(done[0].path, recipe.header), recipe)
    assert reasons(changed)["questions"] == "changed: seed"
    assert {states(changed)[stage] for stage in LIGHT} == {"stale"}


def test_a_raised_version_runs_the_stage_and_stops_where_bytes_are_equal(
    done: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new version gives the same items, so nothing after them needs to run."""
    monkeypatch.setattr(items, "VERSION", 99)
    assert reasons(done)["items"] == "changed: version"
    said = announced(done)
    assert said["items"] == "changed: version"
    assert [said[s] for s in ("split", "labels", "rows")] == ["fresh"] * 3


def test_an_edited_file_is_noticed_by_its_maker_and_its_readers(done: Run) -> None:
    before = contents(done)
    path = done[0].file("questions/questions.jsonl")
    path.write_bytes(path.read_bytes().replace(b'"neg"', b'"nonneg"', 1))
    why = reasons(done)
    assert why["questions"] == "changed output: questions/questions.jsonl"
    assert why["responses"] == "changed input: questions/questions.jsonl"
    announced(done)
    assert contents(done) == before


@pytest.mark.parametrize("stage", LIGHT)
def test_an_edited_or_deleted_output_is_made_again(done: Run, stage: str) -> None:
    before = contents(done)
    path = next(done[0].file(stage).glob("*.jsonl"))
    path.write_bytes(path.read_bytes()[:-40])
    assert states(done)[stage] == "stale"
    announced(done)
    path.unlink()
    assert states(done)[stage] == "stale"
    announced(done)
    assert contents(done) == before


def test_a_stale_stage_builds_on_nothing_it_made_before(done: Run) -> None:
    """A left-over partial file with an edited response must not be taken for finished work."""
    before = contents(done)
    path = done[0].file("responses/responses.jsonl")
    edited = path.read_bytes().replace(b'"text":"', b'"text":"EDITED ', 1)
    path.with_name("responses.jsonl.partial").write_bytes(edited)
    path.write_bytes(edited)
    announced(done)
    assert contents(done) == before


def test_an_outside_file_is_an_input(
    done: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    item = done[0].read("split/items.jsonl", Item)[0]
    row: dict[str, Any] = {
        "responses": item.response_ids, "verdict": "A", "names": "worse", "annotator": "p",
    }  # fmt: skip
    Path("mine.jsonl").write_bytes(orjson.dumps(row))
    source = "labels.imports=[{kind: file, path: mine.jsonl}]"
    changed = (done[0], read_recipe(TINY, [source]))
    assert announced(changed)["labels"] == "changed: config"
    assert states(changed)["labels"] == "fresh"
    Path("mine.jsonl").write_bytes(orjson.dumps({**row, "verdict": "B"}))
    assert reasons(changed)["labels"] == "changed input: outside:mine.jsonl"


def test_a_stage_keeps_what_it_had_until_it_is_made_anew(
    done: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An import that cannot be read costs no labels; they are stale, and gone once it can be."""
    monkeypatch.chdir(tmp_path)
    before = contents(done)
    item = done[0].read("split/items.jsonl", Item)[0]
    row = {"responses": item.response_ids, "verdict": "A", "names": "worse", "annotator": "p"}
    Path("mine.jsonl").write_bytes(orjson.dumps({**row, "verdict": "C"}))
    changed = (
        done[0],
        read_recipe(TINY, ["labels.imports=[{kind: file, path: mine.jsonl}]"]),
    )
    with pytest.raises(DataError, match=r"mine\.jsonl:1"):
        announced(changed)
    assert contents(done) == before
    assert (states(changed)["labels"], reasons(changed)["labels"]) == ("stale", "changed: config")
    Path("mine.jsonl").write_bytes(orjson.dumps(row))
    announced(changed)
    assert states(changed)["labels"] == "fresh"
    assert contents(done)["labels/labels.jsonl"] != before["labels/labels.jsonl"]
    assert list(done[0].path.glob(".*.before")) == []


def fail_after(function: Callable[..., Any], calls: int) -> Callable[..., Any]:
    made = 0

    def limited(*args: Any, **kwargs: Any) -> Any:
        nonlocal made
        made += 1
        if made > calls:
            raise OSError("planted")
        return function(*args, **kwargs)

    return limited


def test_a_stage_that_raises_leaves_no_manifest_and_no_half_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    with monkeypatch.context() as patched:
        patched.setattr(rows, "build_rows", fail_after(rows.build_rows, 5))
        with pytest.raises(OSError, match="planted"):
            start(folder)
    run = open_run(folder)
    assert [path.name for path in run[0].file("rows").iterdir()] == [".begun"]
    assert (states(run)["labels"], states(run)["rows"]) == ("fresh", "partial")
    assert announced(run)["rows"] == "interrupted"
    assert contents(run) == contents(start(tmp_path / "other"))


def test_a_stage_that_raises_when_run_again_is_not_complete_any_more(
    done: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manifest of the run before must not vouch for what a failed run left."""
    changed = (
        done[0],
        read_recipe(TINY, [f"{one}.dialect=bias-pair" for one in ("rows", "sft", "evaluate")]),
    )
    monkeypatch.setattr(rows, "build_rows", fail_after(rows.build_rows, 5))
    with pytest.raises(OSError, match="planted"):
        announced(changed)
    assert states(changed)["rows"] == "partial"
    assert states(done)["rows"] == "partial"
    assert not done[0].file("rows/sft.jsonl").exists()


def test_partial_work_made_from_another_config_is_thrown_away(tmp_path: Path) -> None:
    """Interrupted with bias_rate .35, gone on with .9: as if the first had never been."""
    wanted = contents(start(tmp_path / "a", "responses.simulated.0.bias_rate=0.8"))
    run = start(tmp_path / "b")
    path = run[0].file("responses/responses.jsonl")
    lines = path.read_bytes().splitlines(keepends=True)
    path.with_name("responses.jsonl.partial").write_bytes(b"".join(lines[:300]))
    run[0].file("responses/manifest.json").unlink()
    path.unlink()
    assert states(run)["responses"] == "partial"
    again = start(tmp_path / "b", "responses.simulated.0.bias_rate=0.8")
    assert contents(again) == wanted


def test_temporary_files_of_a_killed_write_are_removed(done: Run) -> None:
    torn = [done[0].path / ".test_looks.jsonl.1.tmp", done[0].file("rows/.sft.jsonl.1.tmp")]
    for path in torn:
        path.write_bytes(b"half")
    done[0].file("rows/manifest.json").unlink()
    announced(done)
    assert not any(path.exists() for path in torn)


def test_another_recipe_may_not_use_the_folder(done: Run, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(TINY.read_text().replace("name: tiny", "name: other", 1))
    with pytest.raises(RunError, match="holds a run of recipe 'tiny', not a run of recipe 'other'"):
        start_run(done[0].path, read_recipe(other))
    strange = tmp_path / "mine"
    strange.mkdir()
    (strange / "thesis.tex").write_text("x")
    with pytest.raises(RunError, match="is no run folder"):
        start_run(strange, read_recipe(TINY))


def test_the_reasons_of_a_recipe_are_kept_in_the_run(tmp_path: Path) -> None:
    recipe = tmp_path / "r.yaml"
    recipe.write_text(TINY.read_text().replace("quota: 30", "quota: {value: 30, why: enough}", 1))
    start_run(tmp_path / "run", read_recipe(recipe))
    assert open_run(tmp_path / "run")[1].why == {"items.buckets.0.quota": "enough"}


def test_two_commands_may_not_write_to_one_run(done: Run) -> None:
    other = RunDir(done[0].path, done[0].header)
    with done[0].locked(), pytest.raises(RunError, match="another judgesmith command"):
        other.locked().__enter__()


def test_a_refused_command_leaves_the_recipe_of_the_running_one(done: Run) -> None:
    path = done[0].path / "recipe.yaml"
    before = path.read_bytes()
    with done[0].locked(), pytest.raises(RunError, match="another judgesmith command"):
        start_run(done[0].path, read_recipe(TINY, ["split.max_dev=1"]))
    assert path.read_bytes() == before


def test_a_manifest_of_another_schema_is_refused(done: Run) -> None:
    path = done[0].file("items/manifest.json")
    path.write_bytes(path.read_bytes().replace(b'"record_schema": 1', b'"record_schema": 99'))
    with pytest.raises(RunError, match="expected record schema 1, found 99"):
        survey(*done)


def test_states_are_named(done: Run) -> None:
    assert {state.value for state in State} == {"missing", "partial", "fresh", "stale"}
