"""Which items a dialect is about, and what labels and judgments say of them."""

from typing import Any

import pytest

from judgesmith.judging.dialect import Dialect
from judgesmith.models.about import (
    SCORED_ALONE,
    expected_units,
    form_of,
    kinds_about,
    letter_of,
    score_units,
    scores_alone,
    verdict_scale,
)
from judgesmith.records import (
    AnnotatorKind,
    Item,
    Judgment,
    Kind,
    Label,
    Ranking,
    Scores,
    Status,
    choice,
)


def dialect(kind: str, scale: Any) -> Dialect:
    reply = {"kind": "scores_first"} if kind == "pair" and isinstance(scale, dict) else {}
    more = {"reply": reply} if reply else {}
    return Dialect(name="d", kind=kind, user="x", scale=scale, direction="better", **more)


PAIR = dialect("pair", ["A", "B", "TIE"])
TWO = dialect("pair", {"low": 1, "high": 10})
ALONE = dialect("single", {"low": 1, "high": 5})
CLASSES = dialect("single", ["good", "bad"])


def item(*responses: str) -> Item:
    return Item.make(
        source="t", licence="n", kind=Kind.PAIR if len(responses) == 2 else Kind.SINGLE,
        question_id="q", response_ids=responses, bucket="b", subtype=None, split=None,
    )  # fmt: skip


ONE, BOTH = item("r1"), item("r2", "r3")


def scores(*values: float, **criteria: tuple[float, ...]) -> Scores:
    return Scores(kind="scores", values=values, criteria=criteria or None)


def label(of: Item, verdict: Any, policy: str = "p") -> Label:
    return Label.make(
        source="t", licence="n", item_id=of.id, verdict=verdict, direction=None, confidence=None,
        policy=policy, judgment_ids=(), annotator_kind=AnnotatorKind.KEY, annotator="a",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("made", "alone", "letter"),
    [
        (label(BOTH, choice("B")), False, "B"),
        (label(BOTH, scores(8, 6), "primary, scored in judgelm"), False, "A"),
        (label(BOTH, scores(7, 7)), False, "TIE"),
        (label(BOTH, scores(2, 4), f"degree, {SCORED_ALONE}"), True, None),
        (label(ONE, scores(4)), True, None),
        (label(ONE, choice("good")), False, "good"),
        (label(BOTH, Ranking(kind="ranking", groups=((0,), (1,)))), False, None),
    ],
)  # fmt: skip
def test_what_a_label_says(made: Label, alone: bool, letter: str | None) -> None:
    of = ONE if made.item_id == ONE.id else BOTH
    assert (scores_alone(made, of), letter_of(made, of)) == (alone, letter)


def test_how_a_judge_is_measured() -> None:
    """A judge of single responses by scores where labels score alone, else by pairs."""
    items = {one.id: one for one in (ONE, BOTH)}
    letters, by_score = [label(BOTH, choice("A"))], [label(ONE, scores(3))]
    both_ways = [*letters, label(BOTH, scores(2, 4), f"k, {SCORED_ALONE}")]
    assert form_of(ALONE, letters, items) == "pairs"
    assert form_of(ALONE, by_score, items) == form_of(ALONE, both_ways, items) == "scores"
    for other in (PAIR, TWO, CLASSES):
        assert form_of(other, both_ways, items) == "pairs"
    assert form_of(ALONE, by_score, {}) == "pairs"


def test_which_items_it_is_asked_about() -> None:
    assert kinds_about(PAIR, "pairs") == kinds_about(ALONE, "pairs") == (Kind.PAIR,)
    assert kinds_about(CLASSES, "pairs") == (Kind.SINGLE,)
    assert Kind.PAIR in kinds_about(ALONE, "scores")


def test_verdicts_of_judges_that_give_scores_are_letters() -> None:
    assert verdict_scale(TWO).values == verdict_scale(ALONE).values == ("A", "B", "TIE")
    assert verdict_scale(PAIR).values == ("A", "B", "TIE")
    assert verdict_scale(CLASSES).values == ("good", "bad")


def test_scores_by_key() -> None:
    assert score_units(scores(4), ONE) == {ONE.id: 4}
    assert score_units(scores(4, 2), BOTH) == {"r2": 4, "r3": 2}
    assert score_units(scores(4, 2, style=(1, 5)), BOTH) == {"r2 · style": 1, "r3 · style": 5}
    assert score_units(scores(4), BOTH) == score_units(choice("A"), ONE) == {}


def test_expected_scores_by_key_in_the_order_shown() -> None:
    def judged(of: Item, order: tuple[int, ...], chances: Any) -> Judgment:
        return Judgment.make(
            source="t", licence="n", item_id=of.id, judge="j", dialect="d", order=order, sample=0,
            reply="", rationale=None, verdict=scores(*(1.0 for _ in order)), distribution=chances,
            status=Status.PARSED, reference=None,
        )  # fmt: skip

    swapped = judged(BOTH, (1, 0), {"1": {"1": 0.5, "2": 0.5}, "2": {"5": 1.0}})
    assert expected_units(swapped, BOTH) == {"r3": 1.5, "r2": 5.0}
    by_criterion = judged(ONE, (0,), {"1/style": {"2": 1.0}})
    assert expected_units(by_criterion, ONE) == {f"{ONE.id} · style": 2.0}
    assert expected_units(judged(ONE, (0,), None), ONE) == {}
    assert expected_units(judged(ONE, (0,), {"verdict": {"A": 1.0}}), ONE) == {}
