"""The examples of the page on teachers are rehearsed as they stand there."""

import csv
import json
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from judgesmith.pipeline import read_recipe, run_recipe, start_run
from judgesmith.records import AnnotatorKind, Item, Label, SftRow
from judgesmith.runs.layout import RunDir
from judgesmith.sources.queue import read_queue

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "teachers.md"


def blocks() -> list[str]:
    """The indented blocks of the page, in order; an empty line is part of one."""
    found: list[list[str]] = [[]]
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("    ") or (found[-1] and not line):
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return [textwrap.dedent("\n".join(block)).strip("\n") + "\n" for block in found if block]


RECIPE, REHEARSE, COMMAND, PAID, PEOPLE, PEOPLE_FILE, PERSON, QUEUE, SIMULATED = blocks()


def merged(tree: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """What a reader makes of a block that says a part of a section."""
    return tree | {
        key: merged(tree[key], value) if isinstance(tree.get(key), dict) else value
        for key, value in changes.items()
    }


@pytest.fixture
def rehearsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., RunDir]:
    """Run the page's recipe with further blocks laid over it, in the folder of the test."""
    monkeypatch.chdir(tmp_path)

    def run(*more: str, until: str = "rows") -> RunDir:
        text = RECIPE + REHEARSE
        for block in more:
            text = yaml.safe_dump(merged(yaml.safe_load(text), yaml.safe_load(block)))
        Path("mine.yaml").write_text(text, encoding="utf-8")
        recipe = read_recipe(Path("mine.yaml"), rehearse=True)
        run_dir = start_run(Path("runs/mine"), recipe)
        for _ in run_recipe(recipe, run_dir, until=until):
            pass
        return run_dir

    return run


def test_the_page_shows_the_commands_that_are_tried_here() -> None:
    assert COMMAND.split() == ["judgesmith", "run", "mine.yaml", "--rehearse"]
    assert PAID.startswith("judgesmith run mine.yaml --budget-usd")


def test_the_recipe_is_rehearsed_to_its_rows(rehearsed: Callable[..., RunDir]) -> None:
    run = rehearsed()
    assert run.header.rehearsed
    assert len(run.read("rows/sft.jsonl", SftRow)) > 100
    labels = run.read("labels/labels.jsonl", Label)
    assert {label.annotator_kind for label in labels} == {AnnotatorKind.SIMULATED}


def test_labels_by_people_are_read_as_the_page_writes_them(
    rehearsed: Callable[..., RunDir],
) -> None:
    """Both rows of the page's file, with ids of two pairs in the place of its made-up ones."""
    first, second = rehearsed(until="split").read("split/items.jsonl", Item)[:2]
    rows = [json.loads(line) for line in PEOPLE_FILE.splitlines()]
    rows[0]["responses"], rows[1]["responses"] = first.response_ids, second.response_ids[::-1]
    Path("people.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = [
        label
        for label in rehearsed(PEOPLE, until="labels").read("labels/labels.jsonl", Label)
        if label.annotator_kind is AnnotatorKind.PERSON
    ]
    assert {(one.item_id, one.annotator, one.confidence) for one in found} == {
        (first.id, "ann", 0.9), (second.id, "ben", None)
    }  # fmt: skip


def test_a_queue_goes_out_and_comes_back(rehearsed: Callable[..., RunDir]) -> None:
    run = rehearsed(PERSON, until="labels")
    (path,) = run.file("queue").iterdir()
    issued = {row.item_id for row in read_queue(path)}
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(issued) > 0
    assert "<reasoning>" not in path.read_text(encoding="utf-8")
    for row in rows:
        row["verdict"], row["annotator"] = "TIE", "ann"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    named = QUEUE.replace("disagreements-1a2b3c4d.csv", path.name)
    assert named != QUEUE
    run = rehearsed(PERSON, named, until="labels")
    labelled = {label.item_id for label in run.read("labels/labels.jsonl", Label)}
    assert issued <= labelled
    assert list(run.file("queue").glob("*.csv")) == [path]


def test_simulated_teachers_for_good(rehearsed: Callable[..., RunDir]) -> None:
    """The block is the whole of both sections, so that nothing of the recipe's own is left."""
    sections = yaml.safe_load(SIMULATED)
    tree = yaml.safe_load(RECIPE + REHEARSE)
    del tree["rehearse"]["labels"], tree["rehearse"]["models"]
    Path("mine.yaml").write_text(yaml.safe_dump(tree | sections))
    recipe = read_recipe(Path("mine.yaml"), rehearse=True)
    run_dir = start_run(Path("runs/sim"), recipe)
    for _ in run_recipe(recipe, run_dir, until="rows"):
        pass
    assert run_dir.read("rows/sft.jsonl", SftRow)
