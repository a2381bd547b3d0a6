"""The cross-check: which items it draws, and what its tables say."""

import json
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgesmith.errors import DataError, RecipeError
from judgesmith.evaluation.cross_check import (
    ALL,
    cross_check,
    draw,
    equal_shares,
    quota_table,
    quotas,
    supply_of,
)
from judgesmith.evaluation.judges import Judge, Read
from judgesmith.evaluation.scoring import Plan
from judgesmith.metrics import cohen_kappa
from judgesmith.records import TIE, Item, Kind, Question

PLAN = Plan(
    seed=5, resamples=300, slice_resamples=300, confidence=0.95, least=20, scale=("A", "B", TIE)
)
SUPPLY = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(0, 60), min_size=1)


def made(buckets: str, *, per_group: int = 1) -> tuple[list[Item], dict[str, Question]]:
    """One item per letter, its bucket; `per_group` neighbours share a group."""
    items, questions = [], {}
    for n, bucket in enumerate(buckets):
        question = Question.make(
            source="test", licence="none", group_id=f"g{n // per_group}", template_id=None,
            category=None, context=None, text=f"question {n}", choices=None, key=None,
            reference=None, grounding=None, task={},
        )  # fmt: skip
        questions[question.id] = question
        items.append(
            Item.make(
                source="test",
                licence="none",
                kind=Kind.PAIR,
                question_id=question.id,
                response_ids=(f"{n}a", f"{n}b"),
                bucket=bucket,
                subtype=None,
                split=None,
            )
        )
    return items, questions


def teacher(name: str, items: list[Item], verdicts: list[str | None]) -> Judge:
    reads = {i.id: Read(v, v, v) for i, v in zip(items, verdicts, strict=True)}
    return Judge(name, "teacher", False, "", reads)


@given(SUPPLY, st.integers(0, 400))
def test_equal_shares_use_the_total_and_are_as_equal_as_supply_allows(
    supply: dict[str, int], total: int
) -> None:
    """No bucket gives what it does not have; one that has more left gives at least as many."""
    found = equal_shares(supply, total)
    assert found.keys() == supply.keys()
    assert sum(found.values()) == min(total, sum(supply.values()))
    assert all(0 <= found[name] <= supply[name] for name in supply)
    most = max(found.values())
    assert all(found[name] >= most - 1 for name in supply if found[name] < supply[name])


def test_quotas_go_by_difficulty_not_by_supply() -> None:
    """900 easy, 100 hard: 50 of each. A stated quota that lacks items is not made up elsewhere."""
    assert quotas({"easy": 900, "hard": 100}, 100) == {"easy": 50, "hard": 50}
    wanted = {"hard": 150, "easy": 10}
    quota = quotas({"easy": 900, "hard": 100, "odd": 5}, 0, wanted)
    assert quota == {"easy": 10, "hard": 100, "odd": 0}
    assert quota_table({"hard": 100}, quota, wanted)["hard"] == {
        "supply": 100, "wanted": 150, "drawn": 100,
    }  # fmt: skip
    with pytest.raises(RecipeError, match="did you mean 'hard'"):
        quotas({"easy": 1, "hard": 1}, 0, {"hrad": 1})
    with pytest.raises(RecipeError, match="0 or more"):
        quotas({"easy": 1}, 0, {"easy": -1})


@given(st.text("xyz", min_size=1, max_size=40), st.integers(0, 3), st.randoms())
def test_a_draw_does_not_depend_on_order_and_a_larger_one_keeps_it(
    buckets: str, seed: int, shuffler: random.Random
) -> None:
    items, _ = made(buckets)
    small = dict.fromkeys("xyz", 3)
    large = dict.fromkeys("xyz", 5)
    kept = draw(items, small, seed=seed, purpose="panel")
    assert Counter(i.bucket for i in kept) == Counter(
        {b: min(3, n) for b, n in Counter(buckets).items()}
    )
    shuffled = items[:]
    shuffler.shuffle(shuffled)
    again = draw(shuffled, small, seed=seed, purpose="panel")
    assert {i.id for i in again} == {i.id for i in kept}
    assert {i.id for i in kept} <= {
        i.id for i in draw(items, large, seed=seed, purpose="panel")
    }  # fmt: skip
    assert [i for i in items if i in kept] == kept


def test_draws_for_two_purposes_and_seeds_differ() -> None:
    items, _ = made("x" * 60)
    drawn = [
        {i.id for i in draw(items, {"x": 20}, seed=seed, purpose=purpose)}
        for seed, purpose in ((1, "panel"), (1, "dry run"), (2, "panel"))
    ]
    assert len({frozenset(ids) for ids in drawn}) == 3
    assert supply_of(items) == {"x": 60}


def test_tables_say_who_agrees_where() -> None:
    """40 easy items on which x and y agree; 40 hard ones on which they agree on half.

    Hard: x says A, B in turn, y says A always: po .5, y constant, so kappa is 0, and it is not to
    be shown, as A holds all of y's verdicts. z leaves the last 10 hard ones unread.
    """
    items, questions = made("e" * 40 + "h" * 40)
    x: list[str | None] = ["A", "B"] * 40
    y: list[str | None] = [*(["A", "B"] * 20), *["A"] * 40]
    z: list[str | None] = [*x[:70], *[None] * 10]
    panel = [teacher(n, items, c) for n, c in (("x", x), ("y", y), ("z", z))]
    found = cross_check(items, panel, questions=questions, labels={}, plan=PLAN)
    json.dumps(found, allow_nan=False)
    assert found["items"] == {
        ALL: {"items": 80, "all agree": 55, "disagree": 20, "not all read": 5},
        "e": {"items": 40, "all agree": 40, "disagree": 0, "not all read": 0},
        "h": {"items": 40, "all agree": 15, "disagree": 20, "not all read": 5},
    }
    everything, easy, hard = found["kappas"]
    assert (everything["bucket"], easy["bucket"], hard["bucket"]) == (ALL, "e", "h")
    pair = everything["pairs"][0]
    assert (pair["first"], pair["second"], pair["left out"]) == ("x", "y", 0)
    assert pair["kappa"]["value"] == cohen_kappa(x, y).value  # type: ignore[arg-type]
    assert pair["kappa"]["low"] < pair["kappa"]["value"] < pair["kappa"]["high"]
    assert pair["kappa"]["clusters"] == 80
    assert easy["pairs"][0]["kappa"]["value"] == 1.0
    assert easy["pairs"][0]["kappa"]["low"] < 0.9
    assert "more than 90%" in hard["pairs"][0]["kappa"]["hidden"]
    assert hard["pairs"][1]["left out"] == 10
    coverage = {row["teacher"]: row["coverage"]["value"] for row in found["teachers"]}
    assert coverage == {"x": 1.0, "y": 1.0, "z": 70 / 80}
    assert found["errors"] is None
    assert "no item" in found["errors not measured"]


def test_errors_are_held_against_labels_not_against_the_panel_itself() -> None:
    """x and y err on the same 10 of 50 items, z on 10 others.

    phi(x, y) = 1; phi(x, z): n11 = 0, n00 = 30, n10 = n01 = 10: (0 - 100) / 400 = -.25. The mean
    of 1, -.25, -.25 is 1/6: 3 / (1 + 2/6) = 2.25 votes.
    """
    items, questions = made("e" * 60)
    truth = ["A", "B"] * 25
    wrong = {"A": "B", "B": "A"}
    twin: list[str | None] = [wrong[t] if n < 10 else t for n, t in enumerate(truth)]
    other: list[str | None] = [wrong[t] if 10 <= n < 20 else t for n, t in enumerate(truth)]
    more: list[str | None] = ["A"] * 10
    panel = [
        teacher("x", items, twin + more), teacher("y", items, twin + more),
        teacher("z", items, other + more),
    ]  # fmt: skip
    labels = {item.id: t for item, t in zip(items, truth, strict=False)}
    found = cross_check(items, panel, questions=questions, labels=labels, plan=PLAN)["errors"]
    assert found["labels"] == 50
    assert [round(p["correlation"]["value"], 6) for p in found["pairs"]] == [1.0, -0.25, -0.25]
    assert [p["both wrong"] for p in found["pairs"]] == [10, 0, 0]
    assert round(found["effective votes"]["value"], 6) == 2.25
    assert found["effective votes"]["hidden"] is None
    few = dict(list(labels.items())[:19])
    short = cross_check(items, panel, questions=questions, labels=few, plan=PLAN)["errors"]
    assert short["effective votes"]["hidden"] == "only 19 labels, fewer than 20"


def test_items_of_one_group_are_one_observation() -> None:
    """Ten copies of each item give no narrower interval than one."""
    rng = random.Random(2)
    x: list[str | None] = [rng.choice("AB") for _ in range(40)]
    y = [v if rng.random() < 0.8 else "A" for v in x]
    widths = []
    for copies in (1, 10):
        items, questions = made("e" * 40 * copies, per_group=copies)
        panel = [
            teacher(name, items, [v for v in column for _ in range(copies)])
            for name, column in (("x", x), ("y", y))
        ]
        found = cross_check(items, panel, questions=questions, labels={}, plan=PLAN)
        kappa = found["kappas"][0]["pairs"][0]["kappa"]
        assert kappa["clusters"] == 40
        widths.append(kappa["high"] - kappa["low"])
    assert widths[1] == pytest.approx(widths[0], rel=0.15)


def test_a_teacher_that_was_never_read_and_an_empty_panel() -> None:
    items, questions = made("e" * 30)
    panel = [teacher("x", items, ["A", "B"] * 15), teacher("mute", items, [None] * 30)]
    found = cross_check(items, panel, questions=questions, labels={}, plan=PLAN)
    kappa = found["kappas"][0]["pairs"][0]
    assert (kappa["kappa"]["value"], kappa["left out"]) == (None, 30)
    assert found["items"][ALL]["not all read"] == 30
    with pytest.raises(DataError, match="at least one judge"):
        cross_check(items, [], questions=questions, labels={}, plan=PLAN)
    nothing = cross_check([], panel, questions={}, labels={}, plan=PLAN)
    assert nothing["items"] == {
        ALL: {"items": 0, "all agree": 0, "disagree": 0, "not all read": 0}
    }  # fmt: skip
