"""The items stage: rules, quotas, caps, and which response stands first."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgesmith.audits import supply_findings, supply_rows
from judgesmith.errors import RecipeError
from judgesmith.records import Question, Response
from judgesmith.stages.items import (
    BucketRule,
    Config,
    Range,
    candidates,
    draw_items,
    matches,
    resolve_rules,
)
from judgesmith.tasks import load_task

BIASED, CORRECT = {"class": "biased"}, {"class": "correct"}


def rule(**fields: Any) -> BucketRule:
    return BucketRule.model_validate(
        {"name": "one", "first": BIASED, "second": CORRECT, "quota": 100, **fields}
    )


@pytest.fixture
def world(make: Any) -> tuple[dict[str, Question], list[Response]]:
    """Ten questions; on each, models b0..b2 are biased and c0..c2 correct: 9 pairs a question."""
    questions = [make.question(f"q{i}") for i in range(10)]
    responses = [
        make.response(q, f"{kind[0]}{i}", f"{kind} words of {i}", **{"class": kind})
        for q in questions
        for kind in ("biased", "correct")
        for i in range(3)
    ]
    return {q.id: q for q in questions}, responses


def test_a_pattern_is_a_value_or_a_range(make: Any) -> None:
    response = make.response(make.question("q"), "m", words=7, hedged=True)
    assert matches(response, {"words": Range(min=7, max=7), "hedged": True})
    assert not matches(response, {"words": Range(min=8)})
    assert not matches(response, {"words": Range(max=6)})
    assert not matches(response, {"class": "biased"})
    assert not matches(response, {"class": Range(min=0)})


def test_an_unknown_field_names_the_nearest(make: Any) -> None:
    response = make.response(make.question("q"), "m")
    with pytest.raises(RecipeError, match="did you mean 'hedged'"):
        matches(response, {"hedge": True})


def test_an_unknown_field_of_a_ratio_names_the_nearest(world: Any) -> None:
    """A misspelt ratio must not quietly admit nothing."""
    questions, responses = world
    with pytest.raises(RecipeError, match="did you mean 'words'"):
        draw_items([rule(ratio={"wrds": 2.0})], responses, questions, seed=1)


def test_a_ratio_compares_first_with_second(make: Any) -> None:
    """10 words are twice 5 and less than twice 6."""
    question = make.question("q")
    long = make.response(question, "b", "w " * 10, **{"class": "biased"})
    five, six = (make.response(question, f"c{n}", "w " * n) for n in (5, 6))
    found = list(candidates(rule(ratio={"words": 2.0}), [long, five, six]))
    assert [(c.first.id, c.second.id) for c in found] == [(long.id, five.id)]


def test_other_generator(make: Any) -> None:
    question = make.question("q")
    biased = make.response(question, "m", "one", **{"class": "biased"})
    correct = make.response(question, "m", "two")
    assert list(candidates(rule(), [biased, correct])) == []
    assert len(list(candidates(rule(other_generator=False), [biased, correct]))) == 1


def test_a_pair_that_fits_both_ways_is_one_candidate(make: Any) -> None:
    question = make.question("q")
    found = [make.response(question, f"m{i}", f"text {i}") for i in range(3)]
    both = rule(first=CORRECT, second=CORRECT)
    assert len(list(candidates(both, found))) == 3


def test_quota_cap_and_supply_numbers(world: Any) -> None:
    """10 questions times 9 pairs is a pool of 90; with 2 a question at most 20; quota 15."""
    questions, responses = world
    items, (count,) = draw_items(
        [rule(quota=15, cap_per_question=2)], responses, questions, seed=1
    )  # fmt: skip
    assert (count.pool, count.ceiling, count.quota, count.filled) == (90, 20, 15, 15)
    assert len(items) == 15
    assert max(Counter(item.question_id for item in items).values()) <= 2


def test_a_pair_used_once_is_never_used_again(world: Any) -> None:
    """Both rules admit the same 90 pairs: the first takes 60, 30 are left for the second."""
    questions, responses = world
    rules = [
        rule(name="first", quota=60, cap_per_question=9),
        rule(name="second", quota=60, cap_per_question=9),
    ]
    items, counts = draw_items(rules, responses, questions, seed=1)
    assert [count.filled for count in counts] == [60, 30]
    assert [item.bucket for item in items] == ["first"] * 60 + ["second"] * 30
    assert len({item.id for item in items}) == 90


def test_buckets_are_filled_in_the_order_of_the_recipe(world: Any) -> None:
    questions, responses = world
    rules = [rule(name=name, quota=90, cap_per_question=9) for name in ("y", "x")]
    _, counts = draw_items(rules, responses, questions, seed=1)
    assert [(count.bucket, count.filled) for count in counts] == [("y", 90), ("x", 0)]


def test_the_subtype_is_stored_and_named(world: Any) -> None:
    questions, responses = world
    items, (count,) = draw_items([rule(subtype="loud", quota=3)], responses, questions, seed=1)
    assert {(item.bucket, item.subtype) for item in items} == {("one", "loud")}
    assert count.bucket == "one/loud"


def test_slot_order_is_balanced_and_seeded(make: Any) -> None:
    """400 pairs: the biased response stands first in about half; 4 standard errors are 40."""
    questions = [make.question(f"q{i}") for i in range(400)]
    responses = [
        make.response(q, kind, f"{kind} of {q.group_id}", **{"class": kind})
        for q in questions
        for kind in ("biased", "correct")
    ]
    index = {r.id: r for r in responses}
    by_id = {q.id: q for q in questions}

    def first_classes(seed: int) -> dict[str, str]:
        items, _ = draw_items([rule(quota=400)], responses, by_id, seed)
        return {i.id: str(index[i.response_ids[0]].task["class"]) for i in items}

    once, again, other = first_classes(1), first_classes(1), first_classes(2)
    assert once == again
    assert once != other
    assert 160 <= Counter(once.values())["biased"] <= 240


@settings(max_examples=25, deadline=None)
@given(shuffle=st.randoms(use_true_random=False))
def test_items_do_not_depend_on_the_order_of_responses(shuffle: Any) -> None:
    """The same pairs, the same slot order; ties (both fit both patterns) included."""
    from judgesmith.records import Finish

    questions, responses = {}, []
    for i in range(5):
        question = Question.make(
            source="t", licence="n", group_id=f"g{i}", template_id=None, category=None,
            context=None, text=f"text {i}", choices=None, key=None, reference=None,
            grounding=None, task={},
        )  # fmt: skip
        questions[question.id] = question
        for j in range(4):
            responses.append(
                Response.make(
                    source="t",
                    licence="n",
                    question_id=question.id,
                    model=f"m{j}",
                    sampling={},
                    text=f"r{j}",
                    finish=Finish.STOP,
                    task={"class": "correct"},
                )
            )
    ties = rule(first=CORRECT, second=CORRECT, quota=12)
    once, _ = draw_items([ties], responses, questions, seed=5)
    shuffle.shuffle(responses)
    again, _ = draw_items([ties], responses, questions, seed=5)
    assert [item.response_ids for item in once] == [item.response_ids for item in again]


def test_an_empty_bucket_is_an_error_finding(world: Any) -> None:
    questions, responses = world
    nothing = rule(name="none", first={"class": "other_wrong"})
    _, counts = draw_items([nothing, rule(quota=5)], responses, questions, seed=1)
    found = [finding.to_dict() for finding in supply_findings(supply_rows(counts))]
    assert [f["severity"] for f in found if "none" in str(f["message"])] == ["error"]
    assert not any("one" in str(f["message"]).split(":")[0].split() for f in found)


def test_presets_are_scaled_and_come_before_own_rules() -> None:
    presets = load_task("bias").bucket_presets
    config = Config(preset="published", quota_scale=0.5, buckets=(rule(name="own", quota=7),))
    rules = resolve_rules(config, presets)
    assert [r.quota for r in rules] == [65, 60, 400, 275, 110, 275, 4]
    assert rules[-1].name == "own"
    with pytest.raises(RecipeError, match="did you mean 'published'"):
        resolve_rules(Config(preset="publisht"), presets)
