import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from judgesmith.errors import DataError
from judgesmith.metrics import holm, mcnemar_exact, mcnemar_p


@settings(deadline=None)
@given(st.integers(0, 400), st.integers(0, 400))
def test_mcnemar_equals_statsmodels(gained: int, lost: int) -> None:
    expected = float(mcnemar([[7, gained], [lost, 9]], exact=True).pvalue)
    assert mcnemar_p(gained, lost) == pytest.approx(min(1.0, expected), abs=1e-9)
    assert mcnemar_p(lost, gained) == mcnemar_p(gained, lost)


def test_mcnemar_by_hand() -> None:
    """Five items: both right, gained twice (one by a failed parse), lost once, both wrong.

    m = 3, k = 1: p = 2 * (1 + 3) / 8 = 1.
    """
    found = mcnemar_exact(["A", "B", "A", "B", "T"], ["A", "A", None, "A", "B"], list("ABAAA"))
    assert (found.gained, found.lost, found.p, found.n) == (2, 1, 1.0, 5)


def test_no_item_decides() -> None:
    assert mcnemar_exact(["A"], ["A"], ["B"]).p == 1.0
    assert mcnemar_exact([], [], []).p == 1.0


def test_one_certain_difference() -> None:
    """Twenty gained, none lost: p = 2 / 2**20."""
    assert mcnemar_p(20, 0) == pytest.approx(2 / 2**20, rel=1e-12)


def test_mcnemar_refuses_bad_input() -> None:
    with pytest.raises(DataError, match=r"y\[0\] is None"):
        mcnemar_exact(["A"], ["A"], [None])
    with pytest.raises(DataError, match="at least 0"):
        mcnemar_p(-1, 2)


@settings(deadline=None, max_examples=6)  # the oracle takes 70 ms a call, more under load
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_equals_statsmodels(p_values: list[float]) -> None:
    expected = multipletests(p_values, method="holm")[1]
    assert holm(p_values) == pytest.approx(expected.tolist(), abs=1e-9)


def test_holm_of_nothing_and_of_nonsense() -> None:
    assert holm([]) == []
    for bad in (float("nan"), -0.1, 1.1):
        with pytest.raises(DataError, match=r"p_values\[1\]"):
            holm([0.5, bad])
