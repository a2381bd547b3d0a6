"""One judge in two formats: hand-worked conflicts, and what expected scores change."""

from typing import Any

import pytest

from judgesmith.evaluation.between import LABELS, OWN, between_formats, own_verdict, pair_scores
from judgesmith.evaluation.judges import Judge, Read
from judgesmith.evaluation.sliced import Plan, Scored
from judgesmith.records import Judgment, Scores, Status

PLAN = Plan(
    seed=1, resamples=100, slice_resamples=100, confidence=0.95, least=2, scale=("A", "B")
)  # fmt: skip


def scored(
    name: str, values: tuple[float, float] | None, *, order: tuple[int, int] = (0, 1),
    chances: Any = None,
) -> Judgment:  # fmt: skip
    verdict = None if values is None else Scores(kind="scores", values=values, criteria=None)
    return Judgment.make(
        source="t", licence="n", item_id=name, judge="j", dialect="d", order=order, sample=0,
        reply="", rationale=None, verdict=verdict, distribution=chances,
        status=Status.PARSED if values else Status.NO_VERDICT, reference=None,
    )  # fmt: skip


SCORES = [(5, 3), (2, 4), (3, 3), (4, 2), (5, 1), None]
VERDICTS = ["A", "A", "B", "TIE", "A", "A"]
GOLD = ["A", "B", "A", "A", "B", "A"]
"""Six pairs: agreement, a reversal, a score tie, a verdict tie, agreement, and one unread."""


def judge(verdicts: list[str | None]) -> Judge:
    reads = {f"i{n}": Read(v, v, v) for n, v in enumerate(verdicts)}
    return Judge("j", "student", order_proof=False, note="", verdicts=reads)


def rows() -> list[Scored]:
    return [Scored(f"i{n}", label, n, None, {}) for n, label in enumerate(GOLD)]


def test_by_hand() -> None:
    """Against its own verdicts: of five pairs three are in conflict, one of each kind.

    Four have a preference: consistent i0 and i4, inconsistent i1, tie i2. Against the labels, of
    five: consistent i0, i1, i3; inconsistent i4; tie i2.
    """
    said = [scored(f"i{n}", values) for n, values in enumerate(SCORES)]
    own, gold = between_formats(judge(VERDICTS), said, rows(), PLAN)
    assert (own.against, gold.against, own.scores) == (OWN, LABELS, "stated")
    assert own.conflicts is not None
    assert (own.conflicts.value, own.conflicts.n) == (pytest.approx(3 / 5), 5)
    for part in (own.reversals, own.score_ties, own.verdict_ties):
        assert part is not None
        assert part.value == pytest.approx(1 / 5)
    shares = [one.value for one in (own.consistent, own.inconsistent, own.tie)]
    assert shares == [pytest.approx(2 / 4), pytest.approx(1 / 4), pytest.approx(1 / 4)]
    assert (own.left_out, own.no_preference) == (1, 1)
    shares = [one.value for one in (gold.consistent, gold.inconsistent, gold.tie)]
    assert shares == [pytest.approx(3 / 5), pytest.approx(1 / 5), pytest.approx(1 / 5)]
    assert (gold.conflicts, gold.left_out, gold.no_preference) == (None, 1, 0)


def test_a_lower_score_that_is_better_is_turned_round() -> None:
    said = [scored(f"i{n}", values) for n, values in enumerate(SCORES)]
    own, _ = between_formats(judge(VERDICTS), said, rows(), PLAN, same_direction=False)
    assert (own.consistent.value, own.inconsistent.value) == (0.25, 0.5)


def test_expected_scores_break_ties_and_follow_the_order_shown() -> None:
    """3 and 3 are 2.9 and 3.2 when expected; shown swapped, the first of them is the second's."""
    chances = {"1": {"2": 0.1, "3": 0.9}, "2": {"3": 0.8, "4": 0.2}}
    stored = scored("i2", (3, 3), chances=chances)
    swapped = scored("i2", (3, 3), chances=chances, order=(1, 0))
    assert pair_scores([stored], "stated")["i2"] == (3, 3)
    assert pair_scores([stored], "expected")["i2"] == pytest.approx((2.9, 3.2))
    assert pair_scores([swapped], "expected")["i2"] == pytest.approx((3.2, 2.9))
    found = between_formats(judge(VERDICTS), [stored], rows()[2:3], PLAN)
    assert [(one.scores, one.against, one.tie.value) for one in found] == [
        ("stated", OWN, 1.0), ("stated", LABELS, 1.0),
        ("expected", OWN, 0.0), ("expected", LABELS, 0.0),
    ]  # fmt: skip


def test_expected_scores_need_probabilities_of_every_reply() -> None:
    chances = {"1": {"3": 1.0}, "2": {"4": 1.0}}
    said = [scored("i0", (3, 4), chances=chances), scored("i1", (3, 4)), scored("i2", None)]
    assert pair_scores(said, "expected") == {}
    assert {one.scores for one in between_formats(judge(VERDICTS), said, rows(), PLAN)} == {
        "stated"
    }  # fmt: skip


def test_nothing_read_is_no_row() -> None:
    assert between_formats(judge(VERDICTS), [scored("i0", None)], rows(), PLAN) == []


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (Read("A", "A", "A"), "A"), (Read("A", "B", None), "TIE"), (Read("A", None, None), None),
        (Read("A", "B", "B"), "B"), (None, None),
    ],
)  # fmt: skip
def test_orders_that_name_different_responses_are_a_tie(read: Read | None, said: str) -> None:
    assert own_verdict(read) == said


def test_the_published_shares_and_the_conflict_ratio_that_they_imply() -> None:
    """The Gemma 3 judge's 77.83% consistent, 3.50% inconsistent and 18.67% ties fit 600 pairs.

    467, 21 and 112 of them; every score tie against a strict verdict is a conflict, so TrustJudge's
    ratio is (21 + 112) / 600 = 22.17%.
    """
    made = [(5.0, 3.0)] * 467 + [(3.0, 5.0)] * 21 + [(4.0, 4.0)] * 112
    said = [scored(f"i{n}", values) for n, values in enumerate(made)]
    items = [Scored(f"i{n}", "A", n // 3, None, {}) for n in range(600)]
    own, _ = between_formats(judge(["A"] * 600), said, items, PLAN)
    shares = [one.value for one in (own.consistent, own.inconsistent, own.tie)]
    assert [round(100 * float(share or 0), 2) for share in shares] == [77.83, 3.50, 18.67]
    assert own.conflicts is not None
    assert round(100 * float(own.conflicts.value or 0), 2) == 22.17
