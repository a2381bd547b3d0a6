import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, chisquare, fisher_exact

from judgesmith.audits.association import (
    binomial_p,
    check_share,
    equal_shares_p,
    more_often_p,
    related_p,
)
from judgesmith.errors import DataError, RecipeError


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_more_often_is_fishers_one_sided_test(a: int, b: int, c: int, d: int) -> None:
    found = more_often_p(a, a + b, c, c + d)
    expected = fisher_exact([[a, b], [c, d]], alternative="greater").pvalue
    if not (a + b and c + d and a + c):
        assert found == 1.0
    else:
        assert found == pytest.approx(expected, abs=1e-12)


def test_the_permutation_test_is_near_the_chi_squared_one() -> None:
    """30 of 200, 45 of 200, 25 of 200: chi2 of the 3 x 2 table, p = .021."""
    hits, totals = [30, 45, 25], [200, 200, 200]
    table = [hits, [n - h for h, n in zip(hits, totals, strict=True)]]
    assert related_p(hits, totals) == pytest.approx(chi2_contingency(table).pvalue, abs=0.012)
    assert equal_shares_p([30, 45, 25]) == pytest.approx(chisquare([30, 45, 25]).pvalue, abs=0.012)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=5))
def test_p_values_are_probabilities_and_repeat(rows: list[tuple[int, int]]) -> None:
    hits, totals = [a for a, _ in rows], [a + b for a, b in rows]
    p = related_p(hits, totals)
    assert 0 < p <= 1
    assert p == related_p(hits, totals)
    assert 0 < equal_shares_p(hits) <= 1


def test_degenerate_counts_give_one() -> None:
    assert related_p([], []) == related_p([3], [5]) == related_p([0, 0], [5, 5]) == 1.0
    assert related_p([5, 5], [5, 5]) == related_p([0, 3], [0, 5]) == 1.0
    assert equal_shares_p([]) == equal_shares_p([0, 0]) == equal_shares_p([9]) == 1.0
    assert binomial_p(0, 0, 0.3) == more_often_p(0, 0, 1, 2) == 1.0


def test_binomial_by_hand() -> None:
    """0 to 3 of 3 at one third have 8, 12, 6 and 1 chances of 27; 0 is as rare as 8 + 6 + 1."""
    assert binomial_p(0, 3, 1 / 3) == pytest.approx(15 / 27)


def test_counts_that_cannot_be_are_refused() -> None:
    with pytest.raises(DataError, match="expected hits"):
        related_p([3], [2])
    with pytest.raises(DataError, match="at least 0"):
        equal_shares_p([-1, 2])
    with pytest.raises(DataError, match="expected hits of n"):
        more_often_p(3, 2, 0, 1)
    with pytest.raises(RecipeError, match="some limits, level"):
        check_share("some limits", level=math.nan)
