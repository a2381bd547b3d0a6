import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgesmith.errors import DataError
from judgesmith.metrics import Estimate, labels_for_half_width, labels_for_lower_bound, wilson


def test_by_hand() -> None:
    """Half width .08 wanted .02: 4**2 * 50 = 800. Lower end .1 below, allowed .04: 50 * 6.25."""
    kappa = Estimate(0.64, 0.54, 0.70, n=50)
    assert labels_for_half_width(kappa, 0.02) == 800
    assert labels_for_lower_bound(kappa, 0.60) == math.ceil(50 * 6.25)


def test_no_number_of_labels_would_do() -> None:
    assert labels_for_lower_bound(Estimate(0.6, 0.5, 0.7, n=50), 0.6) is None
    assert labels_for_lower_bound(Estimate.missing("no rows", n=0), 0.6) is None
    assert labels_for_lower_bound(Estimate.of(0.9, n=1), 0.6) is None
    assert labels_for_half_width(Estimate.of(0.9, n=1), 0.1) is None


@settings(deadline=None)
@given(st.integers(1, 500), st.floats(0.05, 0.95), st.floats(0.0, 0.9))
def test_at_most_n_exactly_when_the_bound_holds(n: int, value: float, threshold: float) -> None:
    found = Estimate(value, value - 0.04, value + 0.03, n=n)
    needed = labels_for_lower_bound(found, threshold)
    if value <= threshold:
        assert needed is None
    elif abs(found.low - threshold) > 1e-6:
        assert needed is not None
        if found.low > threshold:
            assert needed <= n
        else:
            assert needed >= n


def test_the_plan_comes_true_for_a_share() -> None:
    """85 of 100 right: the lower end reaches .80 at about the number that the plan names."""
    needed = labels_for_lower_bound(wilson(85, 100), 0.80)
    assert needed is not None
    assert wilson(round(0.85 * needed), needed).low == pytest.approx(0.80, abs=0.005)


def test_settings_are_checked() -> None:
    with pytest.raises(DataError, match="half_width"):
        labels_for_half_width(Estimate(0.5, 0.4, 0.6, n=5), 0)
    with pytest.raises(DataError, match="threshold"):
        labels_for_lower_bound(Estimate(0.5, 0.4, 0.6, n=5), float("nan"))
