"""Dry runs: bounds decide, few items cannot pass by luck, and unread replies do not help."""

import json
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from judgesmith.errors import DataError, RecipeError
from judgesmith.evaluation.dry_run import (
    Check,
    DryRun,
    Limits,
    Outcome,
    ResponseLimits,
    dry_run,
    response_dry_run,
    worst,
)
from judgesmith.evaluation.judges import Read
from judgesmith.evaluation.scoring import Plan
from judgesmith.evaluation.teacher_reading import Teacher
from judgesmith.metrics import cohen_kappa, wilson
from judgesmith.records import TIE, Item, Kind, Question, Status

PLAN = Plan(
    seed=5, resamples=400, slice_resamples=400, confidence=0.95, least=20, scale=("A", "B", TIE)
)
OTHER = {"A": "B", "B": TIE, TIE: "A"}


def teacher(name: str, items: list[Item], column: list[str | None]) -> Teacher:
    """Both orders say the same; None is parsed in neither, and "torn" names a slot twice."""
    reads, statuses = {}, {}
    for item, v in zip(items, column, strict=True):
        reads[item.id] = Read("A", "B", None) if v == "torn" else Read(v, v, v)
        statuses[item.id] = (Status.NO_VERDICT if v is None else Status.PARSED,) * 2
    return Teacher(name, "teacher", False, "", reads, statuses=statuses)


def run(
    x: list[str | None],
    y: list[str | None],
    buckets: str = "",
    *,
    limits: Limits | None = None,
    per_group: int = 1,
) -> DryRun:
    """A dry run of two models on items that have these verdicts and buckets."""
    items, questions = [], {}
    for n, bucket in enumerate(buckets or "e" * len(x)):
        question = Question.make(
            source="test", licence="none", group_id=f"g{n // per_group}", template_id=None,
            category=None, context=None, text=f"question {n}", choices=None, key=None,
            reference=None, grounding=None, task={},
        )  # fmt: skip
        questions[question.id] = question
        item = Item.make(
            source="test", licence="none", kind=Kind.PAIR, question_id=question.id,
            response_ids=(f"{n}a", f"{n}b"), bucket=bucket, subtype=None, split=None,
        )  # fmt: skip
        items.append(item)
    first, second = (teacher(name, items, column) for name, column in (("x", x), ("y", y)))
    return dry_run(
        items, (first, second), questions=questions, limits=limits or Limits(), plan=PLAN
    )


def check(found: DryRun, name: str) -> Check:
    return next(check for check in found.checks if check.name == name)


def said(n: int) -> list[str | None]:
    """A, B, TIE in turn."""
    return [("A", "B", TIE)[i % 3] for i in range(n)]


def spoiled(column: list[str | None], every: int) -> list[str | None]:
    """The column with another verdict at every so manieth item."""
    return [OTHER[str(v)] if i % every == 0 else v for i, v in enumerate(column)]


def test_two_models_that_agree_pass_with_all_the_numbers() -> None:
    """60 items, 6 of them different: kappa about .85, its lower end above .6."""
    x = said(60)
    y = spoiled(x, 10)
    found = run(x, y)
    kappa = check(found, "kappa, all items")
    assert found.outcome is Outcome.PASS
    assert kappa.pass_on.value == cohen_kappa(x, y).value  # type: ignore[arg-type]
    assert kappa.pass_on == kappa.abort_on  # nothing is unread
    assert kappa.pass_on.low is not None
    assert kappa.pass_on.low >= 0.6
    assert f"{kappa.pass_on.low:.3f}" in kappa.reason
    assert check(found, "coverage, x").pass_on.value == 1.0
    assert found.buckets[0].agree == 54
    json.dumps(found.model_dump(mode="json"), allow_nan=False)


def test_two_models_that_do_not_agree_abort() -> None:
    """Half of 120 verdicts differ: kappa .25, upper end below .4."""
    x = said(120)
    found = run(x, spoiled(x, 2))
    kappa = check(found, "kappa, all items")
    assert (found.outcome, kappa.outcome) == (Outcome.ABORT, Outcome.ABORT)
    assert kappa.abort_on.high is not None
    assert kappa.abort_on.high < 0.4
    assert kappa.items_needed is None


def test_a_low_value_alone_does_not_abort() -> None:
    """Half of 40 differ: kappa .25 is below .4, but its upper end is not."""
    x = said(40)
    kappa = check(run(x, spoiled(x, 2)), "kappa, all items")
    assert kappa.abort_on.value == pytest.approx(0.25, abs=0.01)
    assert kappa.outcome is Outcome.REVIEW
    assert kappa.items_needed is None  # more of the same would not bring it up to .6


def test_numbers_that_settle_nothing_are_a_review_and_say_how_many_would() -> None:
    """40 items, a quarter different: kappa about .63; its lower end is far below .6."""
    x = said(40)
    found = run(x, spoiled(x, 4))
    kappa = check(found, "kappa, all items")
    assert kappa.outcome is Outcome.REVIEW
    assert kappa.pass_on.value is not None
    assert kappa.pass_on.value > 0.6
    assert kappa.items_needed is not None
    assert kappa.items_needed > 40


def test_items_needed_are_items_and_not_judgments() -> None:
    """6 of 40 items are read in neither order: 68 of 80 judgments, that is .85, its low end < .8.

    Consistency rests on the 34 items that were read, 8 of which contradict themselves: 26 of 34.
    """
    x: list[str | None] = [
        None if n < 6 else "torn" if n < 14 else v for n, v in enumerate(said(40))
    ]
    found = run(x, said(40))
    for name, n in (("coverage, x", 80), ("consistency, x", 34)):
        one = check(found, name)
        share = one.pass_on
        assert (one.outcome, share.n) == (Outcome.REVIEW, n)
        assert share.value is not None
        assert share.low is not None
        times = ((share.value - share.low) / (share.value - one.pass_above)) ** 2
        assert one.items_needed == math.ceil(40 * times)


@pytest.mark.parametrize("n", [1, 5, 19])
def test_few_items_cannot_pass_though_all_agree(n: int) -> None:
    found = run(said(n), said(n))
    assert found.outcome is Outcome.REVIEW
    assert "fewer than 20" in check(found, "kappa, all items").reason


def test_twenty_items_that_all_agree_pass_by_wilsons_bound_not_by_a_width_of_zero() -> None:
    """u = 3.8415 / 23.8415 = .161 of 20 groups may hold an error: kappa stays above .6."""
    kappa = check(run(said(20), said(20)), "kappa, all items")
    assert kappa.outcome is Outcome.PASS
    assert kappa.pass_on.low is not None
    assert 0.6 <= kappa.pass_on.low < 0.8


def test_many_items_of_few_groups_are_few() -> None:
    """60 items on 6 groups are 6 observations."""
    found = run(said(60), said(60), per_group=10)
    assert found.outcome is Outcome.REVIEW
    assert check(found, "kappa, all items").reason == "only 6 groups, fewer than 20"


def test_one_verdict_that_holds_nearly_all_is_a_review() -> None:
    """All say TIE: they agree on every item, and that says nothing."""
    same: list[str | None] = [TIE] * 60
    found = run(same, same)
    assert found.outcome is Outcome.REVIEW
    assert "more than 90%" in check(found, "kappa, all items").reason


def test_hard_buckets_are_tested_by_themselves() -> None:
    """400 easy items agree, of 120 hard ones half do not: the whole passes, the hard aborts."""
    x = said(520)
    y = [*x[:400], *spoiled(x, 2)[400:]]
    buckets = "e" * 400 + "h" * 60 + "k" * 60
    assert run(x, y, buckets).outcome is Outcome.PASS
    found = run(x, y, buckets, limits=Limits(hard=("h", "k")))
    assert check(found, "kappa, all items").outcome is Outcome.PASS
    assert check(found, "kappa, hard buckets").outcome is Outcome.ABORT
    assert check(found, "kappa, hard buckets").abort_on.n == 120
    assert found.outcome is Outcome.ABORT
    assert [(b.bucket, b.items, b.agree) for b in found.buckets] == [
        ("e", 400, 400), ("h", 60, 30), ("k", 60, 30),
    ]  # fmt: skip


def test_unread_items_cannot_lift_a_run_over_the_line() -> None:
    """100 items, of which 25 are unread by one model; on the 75 others both agree, kappa 1.

    The pass counts the 25 as disagreement, so the run is a review. It does not abort for them
    either: the items that both read agree.
    """
    x = said(100)
    lost: list[str | None] = [None if i % 4 == 0 else v for i, v in enumerate(x)]
    found = run(x, lost)
    kappa = check(found, "kappa, all items")
    assert (kappa.abort_on.value, kappa.abort_on.n) == (1.0, 75)
    assert kappa.pass_on.value is not None
    assert kappa.pass_on.value < 0.75
    assert kappa.pass_on.n == 100
    assert kappa.outcome is Outcome.REVIEW
    assert check(found, "coverage, y").outcome is Outcome.REVIEW


def test_two_unread_replies_are_no_agreement() -> None:
    """Both lose the same 30 of 60 items: on all 60 they agree on 30."""
    lost: list[str | None] = [v if i % 2 else None for i, v in enumerate(said(60))]
    kappa = check(run(lost, lost), "kappa, all items")
    assert kappa.abort_on.value == 1.0
    assert kappa.pass_on.value is not None
    assert kappa.pass_on.value < 0.5


def test_a_model_that_cannot_be_read_aborts() -> None:
    """20 of 80 parsed: the upper end of .25 is below .5. None of 80 has no kappa at all."""
    x = said(80)
    quarter: list[str | None] = [v if i % 4 == 0 else None for i, v in enumerate(x)]
    for y in (quarter, [None] * 80):
        found = run(x, y)
        assert check(found, "coverage, y").outcome is Outcome.ABORT
        assert check(found, "coverage, x").outcome is Outcome.PASS
        assert found.outcome is Outcome.ABORT


def test_what_contradicts_itself_is_no_lack_of_coverage() -> None:
    """Of 100 pairs y names a slot twice on 25: all parsed, three in four consistent, kappa counted.

    Where both decide kappa is 1. With the 25 against it is less than .75, as for unread ones.
    """
    x = said(100)
    torn: list[str | None] = ["torn" if i % 4 == 0 else v for i, v in enumerate(x)]
    found = run(x, torn)
    kappa = check(found, "kappa, all items")
    assert (kappa.abort_on.value, kappa.abort_on.n) == (1.0, 75)
    assert kappa.pass_on.value is not None
    assert kappa.pass_on.value < 0.75
    assert check(found, "coverage, y").outcome is Outcome.PASS
    assert check(found, "coverage, y").pass_on.n == 200
    consistency = check(found, "consistency, y")
    assert (consistency.pass_on.value, consistency.outcome) == (0.75, Outcome.PASS)
    assert [t.contradicts for t in found.teachers] == [0, 25]
    assert (found.buckets[0].items, found.buckets[0].both) == (100, 75)
    assert found.buckets[0].kappa == kappa.pass_on
    assert found.buckets[0].kappa_of_both == kappa.abort_on


def test_a_model_that_follows_the_slot_aborts_for_that() -> None:
    """It names a slot twice on every pair: all parsed, never consistent, and no kappa at all."""
    found = run(said(80), ["torn"] * 80)
    assert check(found, "coverage, y").outcome is Outcome.PASS
    assert check(found, "consistency, y").outcome is Outcome.ABORT
    assert found.outcome is Outcome.ABORT


def test_nothing_drawn_is_a_review_not_a_pass() -> None:
    assert run([], []).outcome is Outcome.REVIEW


def test_at_the_threshold_few_dry_runs_pass() -> None:
    """Each verdict is copied with chance .6, else drawn anew: kappa .6 exactly.

    At most 2.5% are promised at 40 items; of 150 runs more than 10 would have a chance of .2%.
    """
    rng = random.Random(11)
    passed = 0
    for _ in range(150):
        x = [rng.choice(("A", "B", TIE)) for _ in range(40)]
        y = [v if rng.random() < 0.6 else rng.choice(("A", "B", TIE)) for v in x]
        passed += run([*x], [*y]).outcome is Outcome.PASS
    assert passed <= 10


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(*[st.sampled_from(["A", "B", TIE, None])] * 2), max_size=60))
def test_any_verdicts_have_an_outcome_that_does_not_depend_on_who_is_first(
    pairs: list[tuple[str | None, str | None]],
) -> None:
    x, y = [p[0] for p in pairs], [p[1] for p in pairs]
    found, turned = run(x, y), run(y, x)
    assert found.outcome is turned.outcome
    assert found.outcome is worst([check.outcome for check in found.checks])
    if len(pairs) < 20:
        assert found.outcome is not Outcome.PASS


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValidationError, match="abort above"):
        Limits(pass_above=0.4, abort_below=0.5)
    with pytest.raises(ValidationError, match="abort above"):
        Limits(consistency_pass=0.3)
    with pytest.raises(RecipeError, match="no item is in bucket 'hard'"):
        run(said(4), said(4), limits=Limits(hard=("hard",)))
    one = Teacher("x", "teacher", False, "", {})
    with pytest.raises(DataError, match="twice"):
        dry_run([], (one, one), questions={}, limits=Limits(), plan=PLAN)


@pytest.mark.parametrize(
    ("counts", "outcome"),
    [
        ((100, 90, 30), Outcome.PASS),
        ((100, 49, 30), Outcome.ABORT),  # 49% parsed
        ((100, 100, 9), Outcome.ABORT),  # 9% biased
        ((100, 100, 12), Outcome.REVIEW),  # 12%, from 7% on
        ((40, 22, 10), Outcome.REVIEW),  # 55% parsed, from 40% on
        ((0, 0, 0), Outcome.ABORT),
        ((10, 0, 0), Outcome.ABORT),
    ],
)
def test_a_generator_must_be_read_and_be_biased_now_and_then(
    counts: tuple[int, int, int], outcome: Outcome
) -> None:
    found = response_dry_run("gen", counts, limits=ResponseLimits())
    assert found.outcome is outcome
    assert found.items == counts[0]
    parse, biased = found.checks
    assert (parse.pass_on.n, biased.pass_on.n) == counts[:2]
    if counts[1]:
        assert parse.pass_on.low == wilson(counts[1], counts[0]).low
        assert biased.pass_on.value == counts[2] / counts[1]


def test_ten_responses_cannot_pass_by_luck() -> None:
    """2 of 10 biased is 20%, but its lower end is 5.7%."""
    found = response_dry_run("gen", (10, 10, 2), limits=ResponseLimits())
    assert found.outcome is Outcome.REVIEW
    assert found.checks[1].items_needed is not None


def test_responses_needed_are_those_asked_for() -> None:
    """3 of 20 parsed are biased, of 40 asked: Wilson's lower end is .0524, where .1 must be.

    (.0976 / .05)**2 is 3.813: that many times the 40 asked for are 152.5.
    """
    found = response_dry_run("gen", (40, 20, 3), limits=ResponseLimits())
    assert (found.checks[1].outcome, found.checks[1].items_needed) == (Outcome.REVIEW, 153)


def test_counts_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match="biased <= parsed <= asked"):
        response_dry_run("gen", (10, 5, 6), limits=ResponseLimits())
