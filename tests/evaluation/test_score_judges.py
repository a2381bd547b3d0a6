"""Judges that give scores: what is read, what a slice says, who is better."""

from typing import Any

import pytest
from scipy.stats import binomtest
from sklearn.metrics import cohen_kappa_score

from judgesmith.evaluation.score_judges import (
    ScoreJudge,
    ScoreRead,
    compare_scores,
    graded,
    read_scores,
    score_part,
    score_scores,
)
from judgesmith.evaluation.score_numbers import Columns
from judgesmith.evaluation.sliced import Plan, Scored, SliceOfItems
from judgesmith.records import Item, Judgment, Kind, Scores, Status

SCALE = ("1", "2", "3", "4", "5")


def plan(least: int = 2, scale: tuple[str, ...] = SCALE) -> Plan:
    return Plan(
        seed=7, resamples=200, slice_resamples=100, confidence=0.95, least=least, scale=scale
    )  # fmt: skip


def rows(labels: list[float]) -> tuple[Scored, ...]:
    return tuple(
        Scored(f"i{n}", f"{label:g}", f"i{n}", None, {"bucket": "b"}, label)
        for n, label in enumerate(labels)
    )


def part(labels: list[float], kind: str = "domain") -> SliceOfItems:
    return SliceOfItems("in_domain", kind, "in domain", rows(labels))


def judge(scores: list[float | None], name: str = "j", **more: Any) -> ScoreJudge:
    reads = {f"i{n}": ScoreRead(score) for n, score in enumerate(scores)}
    return ScoreJudge(name, "student", "", reads, **more)


LABELS = [1.0, 2.0, 3.0, 4.0, 5.0, 3.0]


def test_a_slice_by_hand() -> None:
    """One of six is unread. Of the others 1 2 4 4 3 against 1 2 3 4 5: three equal, four near.

    Errors 0 0 1 0 2: .6 on average.
    """
    found = score_part(judge([1, 2, 4, 4, 3, None]), part(LABELS), plan())
    assert (found.coverage.value, found.coverage.n) == (pytest.approx(5 / 6), 6)
    assert (found.exact.value, found.exact.n) == (pytest.approx(3 / 5), 5)
    assert found.within_one.value == pytest.approx(4 / 5)
    assert found.mean_error.value == pytest.approx(0.6)
    wanted = cohen_kappa_score([1, 2, 4, 4, 3], [1, 2, 3, 4, 5], weights="quadratic")
    assert found.weighted_kappa.value == pytest.approx(wanted)
    assert found.confusion is not None
    assert found.confusion.counts[3] == (0, 0, 1, 1, 0)
    assert found.confusion.unparsed == (0, 0, 1, 0, 0)
    assert found.expected is None


def test_rank_correlations_and_pictures_are_for_whole_domains() -> None:
    found = score_part(judge([1, 2, 4, 4, 3, 3]), part(LABELS, "bucket"), plan())
    assert (found.spearman, found.kendall, found.confusion) == (None, None, None)
    assert found.pearson.value is not None


def test_too_few_scores_hide_agreement_but_not_coverage() -> None:
    found = score_part(judge([1, None, None, None, None, None]), part(LABELS), plan(least=6))
    assert found.exact.hidden == "among items with a parsed verdict: only 1 label, fewer than 6"
    assert found.coverage.hidden is None


def test_a_rule_that_counts_words_has_a_correlation_and_no_agreement() -> None:
    found = score_part(judge([10, 20, 30, 40, 50, 30], on_scale=False), part(LABELS), plan())
    assert found.pearson.value == pytest.approx(1.0)
    for number in (found.exact, found.within_one, found.mean_error, found.weighted_kappa):
        assert (number.value, number.undefined) == (None, "it is on no scale of scores")


def test_the_mean_is_on_no_grade_and_a_constant_has_kappa_0() -> None:
    mean = score_part(judge([3.2] * 6), part(LABELS), plan())
    assert mean.weighted_kappa.undefined == "the scores are not whole numbers of one scale"
    assert mean.mean_error.value == pytest.approx((2.2 + 1.2 + 0.2 + 0.8 + 1.8 + 0.2) / 6)
    constant = score_part(judge([3.0] * 6), part(LABELS), plan())
    assert constant.weighted_kappa.value == 0.0
    assert constant.pearson.undefined == "one score for every response has no correlation"


def test_half_grades_are_places_on_the_scale() -> None:
    half = ("1", "1.5", "2")
    found = graded(Columns([1.0, 1.5], [2.0, 1.5], "ab"), half)
    assert found == Columns([0.0, 1.0], [2.0, 1.0], "ab")
    assert graded(Columns([1.25], [2.0], "a"), half) is None


def judgment(item: Item, values: tuple[float, ...] | None, **more: Any) -> Judgment:
    fields: dict[str, Any] = {"order": tuple(range(len(item.response_ids))), "criteria": None}
    fields |= more
    verdict = None
    if values is not None:
        verdict = Scores(kind="scores", values=values, criteria=fields["criteria"])
    return Judgment.make(
        source="t", licence="n", item_id=item.id, judge="j", dialect="d", order=fields["order"],
        sample=0, reply="", rationale="why", verdict=verdict,
        distribution=fields.get("distribution"),
        status=Status.PARSED if values else Status.NO_VERDICT, reference=None,
    )  # fmt: skip


def item(*responses: str) -> Item:
    kind = Kind.SINGLE if len(responses) == 1 else Kind.PAIR
    return Item.make(
        source="t", licence="n", kind=kind, question_id="q", response_ids=responses, bucket="b",
        subtype=None, split=None,
    )  # fmt: skip


def test_what_is_read_of_single_responses_pairs_and_criteria() -> None:
    """Of a pair, a score for each response in item order; one of two pairs counts once."""
    one, pair, again = item("r1"), item("r2", "r3"), item("r3", "r4")
    several = item("r5")
    items = {each.id: each for each in (one, pair, again, several)}
    chances = {"1": {"1": 0.5, "2": 0.5}, "2": {"4": 1.0, "5": 0.0}}
    found = read_scores(
        "j", "student",
        [
            judgment(one, (4.0,)),
            judgment(pair, (2.0, 4.0), order=(1, 0), distribution=chances),
            judgment(again, (5.0, 3.0)),
            judgment(several, (3.0,), criteria={"style": (3.0,), "truth": (1.0,)}),
        ],
        items,
    )  # fmt: skip
    assert {key: read.score for key, read in found.reads.items()} == {
        one.id: 4.0, "r2": 4.0, "r3": 2.0, "r4": 3.0, f"{several.id} · style": 3.0,
        f"{several.id} · truth": 1.0,
    }  # fmt: skip
    assert (found.reads["r3"].expected, found.reads["r2"].expected) == (1.5, 4.0)
    assert found.reads[one.id].rationale == "why"
    assert read_scores("j", "student", [judgment(one, None)], items).reads == {}


def test_expected_scores_stand_beside_stated_ones() -> None:
    reads = {f"i{n}": ScoreRead(3.0, expected) for n, expected in enumerate([1.1, 2.2, 3, 4, 5, 3])}
    found = score_part(ScoreJudge("j", "student", "", reads), part(LABELS), plan())
    assert found.pearson.value is None
    assert found.expected is not None
    assert found.expected.mean_error.value == pytest.approx(0.3 / 6)
    assert found.expected.pearson.value > 0.99  # type: ignore[operator]


def test_two_judges_are_compared_in_weighted_kappa_and_by_who_is_closer() -> None:
    """On 20 items the first is right, the second one off on twelve and unread on four."""
    labels = [float(n % 5 + 1) for n in range(20)]
    other: list[float | None] = [
        label if n < 4 else None if n < 8 else label + (1 if label < 5 else -1)
        for n, label in enumerate(labels)
    ]
    first, second = judge([*labels], "first"), judge(other, "second")
    (found,) = compare_scores([(first, second)], [part(labels)], plan())
    assert (found.metric, found.gained, found.lost) == ("weighted kappa", 16, 0)
    assert found.p == pytest.approx(binomtest(16, 16).pvalue)
    said = [score for score in other if score is not None]
    there = [label for label, score in zip(labels, other, strict=True) if score is not None]
    kappa = cohen_kappa_score(said, there, weights="quadratic", labels=[1, 2, 3, 4, 5])
    assert found.difference.value == pytest.approx(1 - kappa)
    assert found.conclusion == "first is better"


def test_labels_between_two_grades_are_compared_in_ranks() -> None:
    labels = [1.5, 2.5, 3.5, 4.5] * 5
    first, second = judge([1, 2, 3, 4] * 5, "first"), judge([4, 3, 2, 1] * 5, "second")
    (found,) = compare_scores([(first, second)], [part(labels)], plan())
    assert (found.metric, found.difference.value) == ("spearman", pytest.approx(2.0))


def test_every_slice_is_scored() -> None:
    parts = [part(LABELS), SliceOfItems("bucket:b", "bucket", "b", rows(LABELS))]
    found = score_scores(judge([1, 2, 3, 4, 5, 3]), parts, plan())
    assert list(found.slices) == ["in_domain", "bucket:b"]
