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
    KINDS,
    cross_check,
    draw,
    equal_shares,
    quota_table,
    quotas,
    supply_of,
)
from judgesmith.evaluation.judges import Read
from judgesmith.evaluation.scoring import Plan
from judgesmith.evaluation.teacher_reading import Teacher
from judgesmith.metrics import cohen_kappa
from judgesmith.records import TIE, Item, Kind, Question, Status

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


def teacher(name: str, items: list[Item], verdicts: list[str | None]) -> Teacher:
    """Both orders say the same; None is parsed in neither, and "torn" names a slot twice."""
    reads, statuses = {}, {}
    for item, v in zip(items, verdicts, strict=True):
        reads[item.id] = Read("A", "B", None) if v == "torn" else Read(v, v, v)
        statuses[item.id] = (Status.NO_VERDICT if v is None else Status.PARSED,) * 2
    return Teacher(name, "teacher", False, "", reads, statuses=statuses)


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
    found = cross_check(items, panel, questions=questions, people={}, key={}, plan=PLAN)
    json.dumps(found, allow_nan=False)
    assert found["items"] == {
        ALL: dict(zip(KINDS, (80, 55, 20, 0, 5), strict=True)),
        "e": dict(zip(KINDS, (40, 40, 0, 0, 0), strict=True)),
        "h": dict(zip(KINDS, (40, 15, 20, 0, 5), strict=True)),
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
    assert found["errors not measured"] == "people judged none of these items outside a queue"


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
    found = cross_check(items, panel, questions=questions, people=labels, key={}, plan=PLAN)[
        "errors"
    ]
    assert found["labels"] == 50
    assert [round(p["correlation"]["value"], 6) for p in found["pairs"]] == [1.0, -0.25, -0.25]
    assert [p["both wrong"] for p in found["pairs"]] == [10, 0, 0]
    assert round(found["effective votes"]["value"], 6) == 2.25
    assert found["effective votes"]["hidden"] is None
    few = dict(list(labels.items())[:19])
    short = cross_check(items, panel, questions=questions, people=few, key={}, plan=PLAN)["errors"]
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
        found = cross_check(items, panel, questions=questions, people={}, key={}, plan=PLAN)
        kappa = found["kappas"][0]["pairs"][0]["kappa"]
        assert kappa["clusters"] == 40
        widths.append(kappa["high"] - kappa["low"])
    assert widths[1] == pytest.approx(widths[0], rel=0.15)


def test_a_teacher_that_was_never_read_and_an_empty_panel() -> None:
    items, questions = made("e" * 30)
    panel = [teacher("x", items, ["A", "B"] * 15), teacher("mute", items, [None] * 30)]
    found = cross_check(items, panel, questions=questions, people={}, key={}, plan=PLAN)
    kappa = found["kappas"][0]["pairs"][0]
    assert (kappa["kappa of both"]["value"], kappa["left out"]) == (None, 30)
    assert kappa["kappa"]["value"] is None or kappa["kappa"]["value"] <= 0
    assert found["items"][ALL]["not all read"] == 30
    with pytest.raises(DataError, match="at least one judge"):
        cross_check(items, [], questions=questions, people={}, key={}, plan=PLAN)
    nothing = cross_check([], panel, questions={}, people={}, key={}, plan=PLAN)
    assert nothing["items"] == {ALL: dict.fromkeys(KINDS, 0)}


def test_what_contradicts_itself_is_parsed_and_counts_against_agreement() -> None:
    """x says A, B in turn on 60 items; y the same on 40, and names a slot twice on 20 (10 A, 10 B).

    Coverage of y is 1 (120 of 120 judgments), its consistency 40/60. Where both decide kappa is 1.
    With the 20 as disagreement: agreement 40/60; by chance (30*20 + 30*20)/3600 = 1/3, so .5.
    """
    items, questions = made("h" * 30 + "e" * 30)
    x: list[str | None] = ["A", "B"] * 30
    y: list[str | None] = [*x[:40], *["torn"] * 20]
    panel = [teacher("x", items, x), teacher("y", items, y)]
    found = cross_check(items, panel, questions=questions, people={}, key={}, plan=PLAN)
    assert list(found["items"]) == [ALL, "e", "h"]
    assert [one["bucket"] for one in found["kappas"]] == [ALL, "e", "h"]
    assert found["items"][ALL] == dict(zip(KINDS, (60, 40, 0, 20, 0), strict=True))
    one, two = found["teachers"]
    assert [(t["coverage"]["value"], t["coverage"]["n"]) for t in (one, two)] == [(1.0, 120)] * 2
    assert (two["judgments"], two["statuses"], two["contradicts"]) == (120, {"parsed": 120}, 20)
    assert (one["consistency"]["value"], one["position_bias"]["value"]) == (1.0, 0.0)
    assert two["consistency"]["value"] == pytest.approx(40 / 60)
    assert two["position_bias"]["value"] == pytest.approx(20 / 60)  # it names what is first
    (pair,) = found["kappas"][0]["pairs"]
    assert (pair["kappa of both"]["value"], pair["kappa of both"]["n"]) == (1.0, 40)
    assert pair["kappa"]["value"] == pytest.approx(0.5)
    assert (pair["kappa"]["n"], pair["left out"]) == (60, 20)


def test_a_teacher_asked_in_one_order_has_no_consistency() -> None:
    items, questions = made("e" * 30)
    reads = {item.id: Read("A", None, "A") for item in items}
    once = Teacher(
        "x", "teacher", False, "", reads, both_orders=False,
        statuses={item.id: (Status.PARSED,) for item in items},
    )  # fmt: skip
    found = cross_check(items, [once], questions=questions, people={}, key={}, plan=PLAN)
    (row,) = found["teachers"]
    assert (row["judgments"], row["coverage"]["value"]) == (30, 1.0)
    assert (row["consistency"], row["position_bias"], row["contradicts"]) == (None, None, 0)
    assert found["items"][ALL]["all agree"] == 30


def test_the_answer_key_has_numbers_of_its_own() -> None:
    """People judged nothing, the key all 40 items: x errs on 10 of them, y on the same 10."""
    items, questions = made("e" * 40)
    truth = ["A", "B"] * 20
    wrong: list[str | None] = [("B" if t == "A" else "A") if n < 10 else t for n, t in
                               enumerate(truth)]  # fmt: skip
    panel = [teacher("x", items, wrong), teacher("y", items, wrong)]
    key = {item.id: t for item, t in zip(items, truth, strict=True)}
    found = cross_check(items, panel, questions=questions, people={}, key=key, plan=PLAN)
    assert (found["errors"], found["errors not measured"]) == (
        None, "people judged none of these items outside a queue",
    )  # fmt: skip
    assert found["errors against the key"]["labels"] == 40
    assert found["errors against the key"]["effective votes"]["value"] == pytest.approx(1.0)


def test_a_mean_is_hidden_where_a_pair_is() -> None:
    """50 labels; z has verdicts on 10 of them only, so its pairs rest on 10."""
    items, questions = made("e" * 50)
    truth = ["A", "B"] * 25
    wrong: list[str | None] = ["A"] * 50
    panel = [
        teacher("x", items, wrong),
        teacher("y", items, ["B"] * 50),
        teacher("z", items, [*["A", "A", "B", "B"] * 2, "A", "A", *[None] * 40]),
    ]
    labels = dict(zip([i.id for i in items], truth, strict=True))
    found = cross_check(items, panel, questions=questions, people=labels, key={}, plan=PLAN)
    errors = found["errors"]
    assert [p["correlation"]["n"] for p in errors["pairs"]] == [50, 10, 10]
    assert errors["pairs"][0]["correlation"]["hidden"] is None
    for name in ("mean correlation", "effective votes"):
        assert errors[name]["hidden"] == "only 10 labels, fewer than 20"
