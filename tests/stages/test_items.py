"""The items stage: rules, quotas, caps, and which response stands first."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgesmith.audits import Severity, supply_findings, supply_rows
from judgesmith.errors import RecipeError
from judgesmith.records import Question, Response
from judgesmith.runs.layout import Header, RunDir
from judgesmith.stages.items import (
    BucketRule,
    Config,
    Range,
    candidates,
    draw_items,
    ingredients,
    matches,
    resolve_rules,
    run,
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


def test_differs_asks_for_another_value(make: Any) -> None:
    """Of the three pairs of A, A and B, two differ; the same pair both ways is one candidate."""
    question = make.question("q")
    found = [
        make.response(question, f"m{i}", f"text {i}", **{"class": "biased", "letter": letter})
        for i, letter in enumerate("AAB")
    ]
    both = rule(first=BIASED, second=BIASED, differs=["letter"])
    pairs = list(candidates(both, found))
    assert len(pairs) == 2
    assert all({c.first.task["letter"], c.second.task["letter"]} == {"A", "B"} for c in pairs)
    with pytest.raises(RecipeError, match="did you mean 'letter'"):
        list(candidates(rule(first=BIASED, second=BIASED, differs=["leter"]), found))


def test_a_rule_draws_from_the_questions_it_names(make: Any) -> None:
    """Two of three questions are open; one pair each."""
    questions = {
        q.id: q
        for i, condition in enumerate(("ambig", "disambig", "ambig"))
        for q in [make.question(f"q{i}", condition=condition)]
    }
    responses = [
        make.response(q, kind, f"{kind} of {q.group_id}", **{"class": kind})
        for q in questions.values()
        for kind in ("biased", "correct")
    ]
    is_open = rule(question={"condition": "ambig"})
    items, (count,) = draw_items([is_open], responses, questions, seed=1)
    assert count.pool == 2
    assert {questions[i.question_id].task["condition"] for i in items} == {"ambig"}
    with pytest.raises(RecipeError, match=r"questions have no field 'conditon'.*'condition'"):
        draw_items([rule(question={"conditon": "ambig"})], responses, questions, seed=1)


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


def test_the_two_presets_draw_the_same_published_items(make: Any) -> None:
    """Where no question tracks two stereotypes, what the second preset adds finds nothing."""
    questions = [make.question(f"q{i}", form="one_stereotype") for i in range(10)]
    responses = [
        make.response(q, f"{kind[0]}{i}", f"{kind} words of {i}", **{"class": kind})
        for q in questions
        for kind in ("biased", "correct", "other_wrong")
        for i in range(2)
    ]
    by_id, presets = {q.id: q for q in questions}, load_task("bias").bucket_presets
    drawn = {}
    for name in ("published", "published_and_two"):
        rules = resolve_rules(Config(preset=name, quota_scale=0.1), presets)
        drawn[name], counts = draw_items(rules, responses, by_id, seed=1)
    assert drawn["published"] == drawn["published_and_two"] != []
    assert [count.pool for count in counts[-2:]] == [0, 0]
    bare = [r.model_copy(update={"question": {}}) for r in rules]
    assert draw_items(bare[:-2], responses, by_id, seed=1)[0] == drawn["published"]


def test_balanced_ties_are_of_right_answers_and_of_wrong_ones(make: Any) -> None:
    """Two biased answers tie where the context is settled, two clean ones in both kinds."""
    questions = [
        make.question(f"{condition}{i}", form="one_stereotype", condition=condition)
        for i in range(4)
        for condition in ("ambig", "disambig")
    ]
    responses = [
        make.response(q, f"{kind}{i}", f"{kind} words of {i}", **{"class": kind})
        for q in questions
        for kind in ("biased", "correct")
        for i in range(2)
    ]
    by_id, presets = {q.id: q for q in questions}, load_task("bias").bucket_presets
    ties = [r for r in resolve_rules(Config(preset="balanced"), presets) if "tie" in r.name]
    items, _ = draw_items(ties, responses, by_id, seed=1)
    found = Counter((i.bucket, by_id[i.question_id].task["condition"]) for i in items)
    assert found == {
        ("both_clean_tie", "ambig"): 4, ("both_clean_tie", "disambig"): 4,
        ("both_biased_tie", "disambig"): 4,
    }  # fmt: skip


def test_each_bucket_of_a_preset_is_of_one_form(make: Any) -> None:
    """On a question with two targets both biased responses count, and only in its own bucket."""
    two = make.question("q", form="two_stereotypes")
    responses = [
        make.response(two, model, model, **{"class": kind, "letter": letter})
        for model, kind, letter in (
            ("m1", "biased", "A"), ("m2", "biased", "B"), ("m3", "biased", "A"),
            ("m4", "correct", "C"),
        )
    ]  # fmt: skip
    presets = load_task("bias").bucket_presets
    rules = resolve_rules(Config(preset="published_and_two"), presets)
    items, counts = draw_items(rules, responses, {two.id: two}, seed=1)
    assert [count.pool for count in counts] == [0, 0, 0, 0, 0, 0, 2, 3]
    assert Counter((i.bucket, i.subtype) for i in items) == {
        ("two_stereotypes", "bias_vs_bias"): 2,
        ("two_stereotypes", "bias_vs_clean"): 3,
    }


def test_the_audit_of_the_task_is_in_the_stage_report(
    make: Any, empty_run: RunDir, no_models: Any
) -> None:
    """Planted: every biased response follows stereotype 1; 12 of 12 is p = 2 / 4096."""
    questions = [
        make.question(
            f"q{i}", form="two_stereotypes", groups=["old", "young", "unknown"],
            stereotyped_groups=["old", "young"],
        )
        for i in range(12)
    ]  # fmt: skip
    responses = [
        make.response(q, kind, f"{kind} of {q.group_id}", **{"class": kind})
        for q in questions
        for kind in ("biased", "correct")
    ]
    empty_run.write("questions/questions.jsonl", questions)
    empty_run.write("responses/responses.jsonl", responses)
    report = run(Config(buckets=(rule(quota=12),)), empty_run, no_models)
    table = report.tables["two stereotypes"]
    assert (table["picks"]["first"], table["picks"]["second"]) == (12, 0)
    audited = [f for f in report.tables["findings"] if f["audit"] == "two_stereotypes"]
    assert any("12 follow stereotype 1 and 0 stereotype 2" in f["message"] for f in audited)
    assert {f["severity"] for f in audited} == {"warning"}


def test_without_such_questions_the_report_has_no_such_table(
    make: Any, empty_run: RunDir, no_models: Any, world: Any
) -> None:
    questions, responses = world
    empty_run.write("questions/questions.jsonl", list(questions.values()))
    empty_run.write("responses/responses.jsonl", responses)
    report = run(Config(buckets=(rule(quota=12),)), empty_run, no_models)
    assert "two stereotypes" not in report.tables
    assert not any(f["audit"] == "two_stereotypes" for f in report.tables["findings"])


def test_presets_are_scaled_and_come_before_own_rules() -> None:
    presets = load_task("bias").bucket_presets
    config = Config(preset="published", quota_scale=0.5, buckets=(rule(name="own", quota=7),))
    rules = resolve_rules(config, presets)
    assert [r.quota for r in rules] == [65, 60, 400, 275, 110, 275, 4]
    assert rules[-1].name == "own"
    own = resolve_rules(Config(preset="singles", buckets=(rule(name="own"),)), presets)
    assert [r.name for r in own] == ["own"]
    with pytest.raises(RecipeError, match=r"did you mean 'published'.*singles"):
        resolve_rules(Config(preset="publisht"), presets)


def test_a_preset_that_does_not_fit_names_those_that_do(
    make: Any, tmp_path: Path, no_models: Any, world: Any
) -> None:
    """Questions of the user's own have no key, so nothing is known of right lines held."""
    questions, responses = world
    run_dir = RunDir(tmp_path, Header(name="own", task="general", seed=3))
    run_dir.write("questions/questions.jsonl", list(questions.values()))
    run_dir.write(
        "responses/responses.jsonl", [r.with_fields(task={"words": 3}) for r in responses]
    )
    with pytest.raises(RecipeError, match=r"items.preset: 'graded' .*'held'.*fit these: any_pair"):
        run(Config(preset="graded"), run_dir, no_models)
    report = run(Config(preset="any_pair"), run_dir, no_models)
    assert report.made == 40
    assert not [f for f in report.tables["findings"] if f["audit"] == "supply"]


def test_a_quota_of_null_is_all_there_are_and_none_is_still_an_error(world: Any) -> None:
    """9 pairs on each of 10 questions, 4 of each by the cap; nobody is cheerful."""
    questions, responses = world
    _, (count,) = draw_items([rule(quota=None)], responses, questions, seed=1)
    assert (count.filled, count.quota) == (40, 40)
    nothing = rule(quota=None, first={"class": "cheerful"})
    _, (count,) = draw_items([nothing], responses, questions, seed=1)
    (found,) = supply_findings(supply_rows([count]))
    assert found.severity is Severity.ERROR


def test_a_rule_without_patterns_leaves_no_empty_slot() -> None:
    assert ingredients(rule(first={}, second={})) == "responses beside others of other models"
    one = rule(first={}, second={}, other_generator=False, differs=["held"])
    assert ingredients(one) == "responses beside others and another held"
