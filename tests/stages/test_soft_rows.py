"""Soft labels beside the rows: written where the recipe asks, and the rows are as without."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from judgesmith.backends.soft_labels import NO_TOKEN
from judgesmith.errors import RecipeError
from judgesmith.evaluation.soft_targets import SOFT_ROWS, SoftLabel, read_chances
from judgesmith.judging.parse import parse_reply
from judgesmith.pipeline import read_recipe, run_recipe, start_run
from judgesmith.records import Choice, Item, Judgment, SftRow, index_by_id, reorder
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import Manifest
from judgesmith.stages import rows
from judgesmith.tasks import load_dialect, load_task

TINY = Path(__file__).resolve().parents[1] / "recipes" / "tiny.yaml"
PAIR = load_dialect(load_task("bias"), "bias-pair-compact")
TAUGHT = (
    "rows.labels=simulated",
    "labels.teachers={primary: sim, simulated: [{name: sim, accuracy: 0.8, doubt: 0.2}]}",
)
Made = tuple[RunDir, dict[str, Manifest]]


@pytest.fixture(scope="module")
def run_to_rows(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Made]:
    """A tiny run up to its rows; the first stages are made once."""
    first: list[Path] = []

    def made(*overrides: str) -> Made:
        folder = tmp_path_factory.mktemp("soft") / "run"
        if first:
            shutil.copytree(first[0], folder)
        recipe = read_recipe(TINY, overrides)
        run_dir = start_run(folder, recipe)
        found = {manifest.stage: manifest for manifest in run_recipe(recipe, run_dir, until="rows")}
        first.append(folder)
        return run_dir, found

    return made


def test_rows_are_byte_for_byte_what_they_were(run_to_rows: Callable[..., Made]) -> None:
    """Golden: the rows of a recipe that asks for nothing, and what makes its stage stale."""
    run_dir, found = run_to_rows()
    content = run_dir.file("rows/sft.jsonl").read_bytes()
    assert hashlib.sha256(content).hexdigest().startswith("92e1ff0462ae3bb5")
    assert list(found["rows"].outputs) == ["rows/sft.jsonl"]
    assert "soft" not in found["rows"].determined_by["config"]
    assert not run_dir.file(SOFT_ROWS).exists()


def test_soft_labels_stand_beside_the_same_rows(run_to_rows: Callable[..., Made]) -> None:
    run_dir, found = run_to_rows(*TAUGHT, "rows.soft=true")
    plain, _ = run_to_rows(*TAUGHT)
    name = "rows/sft.jsonl"
    assert run_dir.file(name).read_bytes() == plain.file(name).read_bytes()
    assert list(found["rows"].outputs) == [name, SOFT_ROWS]
    made = run_dir.read(name, SftRow)
    soft = {label.row_id: label for label in run_dir.read(SOFT_ROWS, SoftLabel)}
    table = found["rows"].report.tables["soft labels"]
    assert len(soft) == table["soft"] == len(made) > 50
    assert table["mean chance of the verdict"] == pytest.approx(0.8, abs=0.05)
    assert read_chances(run_dir, [PAIR]) == {i: label.chances for i, label in soft.items()}


def test_twins_have_turned_chances_and_the_label_its_confidence(
    run_to_rows: Callable[..., Made],
) -> None:
    """Of every row the verdict is the likeliest; of the twin it has the same chance."""
    run_dir, _ = run_to_rows(*TAUGHT, "rows.soft=true")
    soft = {label.row_id: label.chances for label in run_dir.read(SOFT_ROWS, SoftLabel)}
    by_item: dict[str, dict[tuple[int, ...], dict[str, float]]] = {}
    for row in run_dir.read("rows/sft.jsonl", SftRow):
        verdict = parse_reply(PAIR, row.completion).verdict
        assert isinstance(verdict, Choice)
        chances = soft[row.id]
        assert chances[verdict.value] == max(chances.values())
        by_item.setdefault(row.item_id, {})[row.order] = chances
    twins = [orders for orders in by_item.values() if len(orders) == 2]
    assert len(twins) > 20
    for orders in twins:
        for value, p in orders[1, 0].items():
            turned = reorder(Choice(kind="choice", value=value), (1, 0))
            assert isinstance(turned, Choice)
            assert orders[0, 1][turned.value] == pytest.approx(p, abs=2e-6)


def test_swapped_twins_of_a_teacher_asked_once(run_to_rows: Callable[..., Made]) -> None:
    """Each pair judged in one order; the made-up twin has what the judgment has, turned."""
    once = TAUGHT[1].replace("simulated:", "both_orders: false, simulated:")
    run_dir, _ = run_to_rows(TAUGHT[0], once, "rows.soft=true", "rows.augment={swap: both}")
    soft = {label.row_id: label.chances for label in run_dir.read(SOFT_ROWS, SoftLabel)}
    judged = {
        (j.item_id, j.order): j.distribution
        for j in run_dir.read("labels/judgments.jsonl", Judgment)
        if j.judge == "sim"
    }
    assert len({item for item, _ in judged}) == len(judged)
    turned = 0
    for row in run_dir.read("rows/sft.jsonl", SftRow):
        other = judged.get((row.item_id, row.order[::-1]))
        if other is None:
            assert soft[row.id] == pytest.approx(
                judged[row.item_id, row.order]["verdict"], abs=2e-6
            )
            continue
        letters = {"A": "B", "B": "A", "TIE": "TIE"}
        back = {letters[value]: p for value, p in other["verdict"].items()}
        assert soft[row.id] == pytest.approx(back, abs=2e-6)
        turned += 1
    assert turned > 5


def test_what_stays_hard_is_counted(run_to_rows: Callable[..., Made]) -> None:
    """The answer key states no chances, and an answer to the question is no verdict."""
    _, found = run_to_rows("rows.soft=true")
    told = found["rows"].report.tables["soft labels"]
    assert told == {"soft": 0, "hard, no distribution": found["rows"].report.tables["rows by side"]
                    ["train"] + found["rows"].report.tables["rows by side"]["dev"]}  # fmt: skip
    single = "bias-single-compact"
    names = [f"{stage}.dialect={single}" for stage in ("labels", "rows", "sft", "evaluate")]
    run_dir, found = run_to_rows(*TAUGHT, *names, "rows.soft=true")
    told = found["rows"].report.tables["soft labels"]
    made = run_dir.read("rows/sft.jsonl", SftRow)
    answers = sum(not row.order for row in made)
    assert told["hard, an answer, and no verdict"] == answers > 0
    assert told["soft"] == len(made) - answers
    items = index_by_id(run_dir.read("split/items.jsonl", Item))
    assert {label.slot for label in run_dir.read(SOFT_ROWS, SoftLabel)} == {"1"}
    assert all(row.item_id in items for row in made)


def test_a_panel_s_votes(run_to_rows: Callable[..., Made]) -> None:
    """Three teachers and a majority: thirds, and where all agree the label is certain."""
    panel = ", ".join(f"{{name: {name}, accuracy: 0.75, first_rate: 0}}" for name in "abc")
    given: Any = (
        "rows.labels=simulated",
        f"labels.teachers={{primary: a, panel: [b, c], panel_items: 500, policy: majority, "
        f"simulated: [{panel}]}}",
    )
    run_dir, found = run_to_rows(*given, "rows.soft=true")
    told = found["rows"].report.tables["soft labels"]
    soft = run_dir.read(SOFT_ROWS, SoftLabel)
    assert told["by origin"] == {"shares of votes": len(soft)}
    assert {round(max(label.chances.values()), 2) for label in soft} == {0.67, 1.0}
    assert 0 < told["certain, as good as hard"] < len(soft)


def test_the_stage_says_what_it_makes() -> None:
    plain, soft = (rows.Config(dialect="x", soft=soft) for soft in (False, True))
    assert (rows.outputs(plain), rows.outputs(soft)) == (
        ("rows/sft.jsonl",),
        ("rows/sft.jsonl", SOFT_ROWS),
    )
    assert ("soft" in plain.model_dump(), soft.model_dump()["soft"]) == (False, True)


@pytest.mark.slow
def test_a_student_learns_from_them(tmp_path: Path) -> None:
    """All rows are soft in training, too; without the file nothing is trained."""
    asked = (*TAUGHT, "sft.soft_labels=1.0", "sft.steps=4", "sft.dev_items=0")
    recipe = read_recipe(TINY, (*asked, "rows.soft=true"))
    run_dir = start_run(tmp_path / "run", recipe)
    found = {manifest.stage: manifest for manifest in run_recipe(recipe, run_dir, until="sft")}
    counts = found["sft"].report.tables["training"]
    assert counts["soft"] == len(run_dir.read(SOFT_ROWS, SoftLabel)) > 50
    assert counts["hard, no distribution"] == counts[NO_TOKEN] == 0
    assert SOFT_ROWS in found["sft"].inputs
    without = read_recipe(TINY, asked)
    with pytest.raises(RecipeError, match=r"Set rows\.soft: true"):
        list(run_recipe(without, start_run(tmp_path / "run", without), until="sft"))


def test_a_row_without_its_reason_keeps_its_soft_label(run_to_rows: Callable[..., Made]) -> None:
    """The same rows in the same order, some with another completion, and the same chances."""
    plain, _ = run_to_rows(*TAUGHT, "rows.soft=true")
    bare, found = run_to_rows(*TAUGHT, "rows.soft=true", "rows.without_reason=0.5")
    before, after = (run.read("rows/sft.jsonl", SftRow) for run in (plain, bare))
    changed = {n.id: o.id for n, o in zip(after, before, strict=True) if n.id != o.id}
    assert found["rows"].report.tables["rows without their reason"] == len(changed) > 0
    chances = [
        {changed.get(one.row_id, one.row_id): one.chances for one in run.read(SOFT_ROWS, SoftLabel)}
        for run in (plain, bare)
    ]
    assert chances[0] == chances[1] != {}
