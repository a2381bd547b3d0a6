"""A judge's one verdict, and whether it is right, are what `evaluate` makes of its judgments."""

import sqlite3
from pathlib import Path

import pytest
from looked import ALONE, PAIR, a_judgment, evaluated, made
from starlette.testclient import TestClient

from judgesmith.models.pointwise import write_margin
from judgesmith.records import TIE, Item, Scores, choice
from judgesmith.review.looking.index import open_index
from judgesmith.review.looking.serving import create_look_app
from judgesmith.runs.layout import RunDir


@pytest.fixture
def run_dir(tmp_path: Path) -> RunDir:
    return made(tmp_path)


def said(db: sqlite3.Connection, judge: str) -> list[tuple[object, ...]]:
    asked = "SELECT verdict, flip, against FROM opinions WHERE judge = ? ORDER BY n"
    return [tuple(row) for row in db.execute(asked, (judge,))]


def test_two_orders_that_contradict_are_a_tie_and_what_is_unread_is_no_verdict(
    run_dir: RunDir,
) -> None:
    first, second = run_dir.read("split/items.jsonl", Item)
    evaluated(
        run_dir, ["A", TIE],
        [
            a_judgment(first, "student", PAIR, (0, 1), choice("A")),
            a_judgment(first, "student", PAIR, (1, 0), choice("B")),
            a_judgment(second, "student", PAIR, (0, 1), choice("A")),
            a_judgment(second, "student", PAIR, (1, 0), choice("A")),
            a_judgment(first, "before training", PAIR, (0, 1), choice("B")),
            a_judgment(first, "before training", PAIR, (1, 0), choice("A")),
            a_judgment(second, "before training", PAIR, (0, 1), choice("A")),
            a_judgment(second, "before training", PAIR, (1, 0), None),
        ],
        PAIR, ["student", "before training"],
    )  # fmt: skip
    db = open_index(run_dir)
    assert said(db, "student") == [("A", 0, "right"), (TIE, 1, "right")]
    assert said(db, "before training") == [("B", 0, "wrong"), (None, None, "no verdict")]


def test_scores_of_responses_alone_are_a_verdict_by_the_judges_own_margin(
    run_dir: RunDir,
) -> None:
    """Stated scores are 1 and 0 both times; expected ones differ by more than the margin once."""
    items = run_dir.read("split/items.jsonl", Item)
    folder = run_dir.file("sft/student")
    folder.mkdir(parents=True)
    write_margin(folder, 0.3, ALONE.hash)
    judgments = [
        a_judgment(
            item, "student", ALONE, (0, 1), Scores(kind="scores", values=(1.0, 0.0), criteria=None),
            {"1": {"0": 1 - p, "1": p}, "2": {"0": 0.6, "1": 0.4}},
        )
        for item, p in zip(items, (0.6, 0.9), strict=True)
    ]  # fmt: skip
    evaluated(run_dir, ["A", "A"], judgments, ALONE, ["student"])
    db = open_index(run_dir)
    assert said(db, "student") == [(TIE, None, "wrong"), ("A", None, "right")]
    client = TestClient(create_look_app(run_dir, hosts=None))
    wrong = client.get("/look?judge=student&against=wrong").text
    assert items[0].id in wrong
    assert items[1].id not in wrong
    assert 'data-is="wrong"' in client.get(f"/look/{items[0].id}").text
