"""Pairs by score gap: worked by hand, and by properties."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgesmith.judging.score_pairs import Scored, pairs_by_gap, verdict_by_scores
from judgesmith.records import choice


def test_quotas_gaps_and_ties_by_hand() -> None:
    """Scores 1, 3, 3, 5: one tie, four pairs two apart, one pair four apart."""
    scored = [Scored("q", name, s) for name, s in zip("abcd", (1.0, 3.0, 3.0, 5.0), strict=True)]
    drawn, supply = pairs_by_gap(scored, {0: 9, 2: 3, 3: 9}, seed=7, cap=9)
    assert supply == {0: 1, 2: 4, 3: 1}
    assert Counter(pair.gap for pair in drawn) == {0: 1, 2: 3, 3: 1}
    easy, _ = pairs_by_gap(scored, {0: 9, 2: 3, 3: 9}, seed=7, cap=9, easy_first=True)
    assert [pair.gap for pair in easy] == [3, 2, 2, 2, 0]
    few, _ = pairs_by_gap(scored, {2: 9}, seed=7, cap=1)
    assert len(few) == 1


def test_a_pair_below_every_gap_is_not_drawn_and_a_half_is_no_tie() -> None:
    scored = [Scored("q", "a", 3.0), Scored("q", "b", 3.5)]
    assert pairs_by_gap(scored, {0: 9, 1: 9}, seed=7, cap=9) == ([], {0: 0, 1: 0})
    other = [Scored("q", "a", 3.0), Scored("r", "b", 5.0)]
    assert pairs_by_gap(other, {1: 9}, seed=7, cap=9) == ([], {1: 0})


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 40), st.integers(1, 5)), max_size=40).map(
        lambda rows: [Scored(f"q{q}", f"q{q}r{r}", float(s)) for q, r, s in rows]
    ),
    st.integers(0, 9),
)
def test_slots_are_balanced_and_no_order_matters(scored: list[Scored], seed: int) -> None:
    quotas = {4: 5, 2: 7, 1: 9, 0: 3}
    known = {one.response_id: one for one in scored}
    drawn, supply = pairs_by_gap(known.values(), quotas, seed=seed, cap=3)
    again, _ = pairs_by_gap(list(known.values())[::-1], quotas, seed=seed, cap=3)
    assert drawn == again
    for gap, quota in quotas.items():
        found = [pair for pair in drawn if pair.gap == gap]
        assert len(found) <= min(quota, supply[gap])
        higher = sum(pair.first.score > pair.second.score for pair in found)
        if gap > 0:
            assert higher == (len(found) + 1) // 2
            assert all(abs(p.first.score - p.second.score) >= gap for p in found)
        else:
            assert all(p.first.score == p.second.score for p in found)
        per_question = Counter(pair.first.question_id for pair in found)
        assert all(n <= 3 for n in per_question.values())
    assert len({pair.key for pair in drawn}) == len(drawn)
    assert all(pair.first.question_id == pair.second.question_id for pair in drawn)


@pytest.mark.parametrize(("first", "second", "named"), [(5, 2, "A"), (2, 5, "B"), (3, 3, "TIE")])
def test_the_higher_score_wins(first: float, second: float, named: str) -> None:
    assert verdict_by_scores(first, second) == choice(named)
