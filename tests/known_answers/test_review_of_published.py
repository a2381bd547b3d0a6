"""Published labels given again in a review: what is exported measures the same as the original."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from judgesmith.cli.main import app
from judgesmith.cli.opened_review import Wanted, open_review
from judgesmith.records import choice, reorder
from judgesmith.review.exporting import FILES
from judgesmith.review.review import Review
from judgesmith.review.types import Answer

Read = Callable[[str], Any]


def command(*words: object) -> str:
    found = CliRunner().invoke(app, [str(word) for word in words])
    assert found.exit_code == 0, found.output
    return found.output


def labelled(review: Review, name: str, says: Mapping[str, str]) -> None:
    """Somebody answers all that comes, in the order shown, by what they say of the named item."""
    review.add_annotator(name, ["label"])
    items = {row["id"]: review.item(row["id"]) for row in review.store.rows("SELECT id FROM items")}
    while todo := review.next(name, 50):
        for shown in todo:
            item = items[shown.item_id]
            order = tuple(item.responses.index(text) for text in shown.responses)
            back = tuple(order.index(place) for place in range(len(order)))
            verdict = reorder(choice(says[item.name]), back)
            review.save(name, Answer(f"{name} {item.id}", item.id, "verdict", verdict, None, "",
                                     1.0, None))  # fmt: skip


def judged(published: Any, path: Path) -> Path:
    """The published judgments in our own columns."""
    with path.open("w", encoding="utf-8") as file:
        for one in published.judgments:
            if one.role == "judge":
                file.write(json.dumps({
                    "item": one.item, "judge": one.by, "sample": one.sample,
                    "names": published.mapping.names.value,
                    "order": "swapped" if one.swapped else "stored",
                    "verdict": one.verdict or one.status.value,
                }) + "\n")  # fmt: skip
    return path


def measured(folder: Path) -> dict[str, Any]:
    """What a report says of each judge, of all items: numbers, intervals and counts."""
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))["evaluation"]
    return {one["name"]: one["slices"]["all"] for one in report["judges"]}


def test_the_300_pairs_labelled_again_and_exported_measure_the_same(
    published: Read, shared_data: Path, tmp_path: Path
) -> None:
    original = published("judge_from_scratch")
    wanted = Wanted("bias-pair", tmp_path / "review", shared_data)
    review = open_review("judge_from_scratch", wanted)
    says = original.verdicts("human")
    assert len(says) == 300
    labelled(review, "human", says)
    assert review.export().rows["labels.jsonl"] == 300
    first = {name: (review.folder / name).read_bytes() for name in FILES}
    rows = map(json.loads, first["labels.jsonl"].splitlines())
    assert {row["item"]: row["label"] for row in rows} == says
    how = ("--resamples", 100, "--no-audit", "--out")
    command("evaluate", "judge_from_scratch", "--data", shared_data, *how, tmp_path / "one")
    judgments = judged(original, tmp_path / "judgments.jsonl")
    command("evaluate", review.folder / "labels.jsonl", judgments, *how, tmp_path / "two")
    one, two = measured(tmp_path / "one"), measured(tmp_path / "two")
    assert len(one) == 9  # three checkpoints in two runs, and what needs no judge
    assert two.keys() == one.keys()
    for name, numbers in one.items():
        assert two[name] == numbers, name
    review.export()
    assert {name: (review.folder / name).read_bytes() for name in first} == first


@pytest.mark.slow
def test_three_peoples_labels_of_pandalm_give_the_same_ceiling(
    published: Read, shared_data: Path, tmp_path: Path
) -> None:
    original = published("pandalm")
    dialect = tmp_path / "better.yaml"
    dialect.write_text(DIALECT, encoding="utf-8")
    wanted = Wanted(str(dialect), tmp_path / "review", shared_data, (), {"overlap": 3})
    review = open_review("pandalm", wanted)
    people = sorted({one.by for one in original.judgments if one.role == "person"})
    assert len(people) == 3
    for name in people:
        labelled(review, name, original.verdicts(name))
    review.export()
    judgments = judged(original, tmp_path / "judgments.jsonl")
    how = ("--resamples", 100, "--no-audit", "--out")
    command("evaluate", "pandalm", "--data", shared_data, *how, tmp_path / "one")
    command("evaluate", review.folder / "labels.jsonl", judgments, *how, tmp_path / "two")
    one, two = ceiling(tmp_path / "one"), ceiling(tmp_path / "two")
    assert len(one) == 6
    assert two == one
    agreement = review.agreement()
    kappas = [row for row in (*agreement.pairs, *agreement.ceiling) if row.measure == "kappa"]
    found = {(row.first, str(row.second)): row.estimate.value for row in kappas}
    assert found == {who: number["value"] for who, number in one.items()}


def ceiling(folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """What a report says of people with each other, with intervals and counts."""
    evidence = json.loads((folder / "report.json").read_text(encoding="utf-8"))["evidence"]
    return {(first, second): number for first, second, number in evidence["people"]}


DIALECT = """
kind: pair
direction: better
scale: [A, B, TIE]
system: Which response follows the instruction better?
user: "{{ question }} {{ responses[0] }} {{ responses[1] }}"
reply: "{verdict}"
"""
