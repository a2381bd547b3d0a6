import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from judgesmith.errors import DataError
from judgesmith.metrics.length_win_rate import (
    ALL_ALIKE,
    SEPARATED,
    length_controlled_win_rate,
)


def simulated(n: int, intercept: float, slope: float, seed: int) -> tuple[list[float], list[float]]:
    random = np.random.default_rng(seed)
    gaps = random.normal(100, 300, n)
    term = np.tanh(gaps / gaps.std())
    won = random.random(n) < 1 / (1 + np.exp(-(intercept + slope * term)))
    return won.astype(float).tolist(), gaps.tolist()


def test_against_statsmodels_with_clustered_variance() -> None:
    won, gaps = simulated(400, 0.4, 1.2, seed=2)
    won[:40] = [0.5] * 40
    groups = [i // 4 for i in range(400)]
    found = length_controlled_win_rate(won, gaps, groups)
    x = np.asarray(gaps)
    design = sm.add_constant(np.tanh(x / x.std()))
    model = sm.GLM(np.asarray(won), design, family=sm.families.Binomial())
    fitted = model.fit(cov_type="cluster", cov_kwds={"groups": np.asarray(groups)}, tol=1e-14)
    low, high = 1 / (1 + np.exp(-fitted.conf_int()[0]))
    assert found.value == pytest.approx(1 / (1 + np.exp(-fitted.params[0])), abs=1e-9)
    assert found.slope == pytest.approx(fitted.params[1], abs=1e-8)
    assert found.controlled.low == pytest.approx(low, abs=1e-9)
    assert found.controlled.high == pytest.approx(high, abs=1e-9)
    assert (found.controlled.n, found.controlled.clusters) == (400, 100)
    plain = sm.GLM(np.asarray(won), np.ones((400, 1)), family=sm.families.Binomial())
    raw = plain.fit(cov_type="cluster", cov_kwds={"groups": np.asarray(groups)}, tol=1e-14)
    assert found.raw.value == pytest.approx(np.mean(won))
    assert found.raw.low == pytest.approx(1 / (1 + np.exp(-raw.conf_int()[0][0])), abs=1e-9)


def test_length_is_taken_out() -> None:
    """Without length the system is even; being longer by default carries its raw win rate."""
    won, gaps = simulated(4000, 0.0, 2.0, seed=7)
    found = length_controlled_win_rate(won, gaps, range(4000))
    assert found.controlled.low < 0.5 < found.controlled.high
    assert found.raw.low > 0.5
    assert found.slope == pytest.approx(2.0, abs=0.25)


def test_half_wins_and_unparsed() -> None:
    found = length_controlled_win_rate([0.5, 0.5, None, 0.5], [3, -2, 5, 0], "wxyz")
    assert (found.value, found.raw.value, found.unparsed) == (pytest.approx(0.5), 0.5, 1)
    assert found.controlled.n == 3


def test_no_fit_has_a_reason() -> None:
    separated = length_controlled_win_rate([1, 1, 0, 0], [3, 2, -1, -2], range(4))
    assert separated.controlled.undefined == SEPARATED
    assert (separated.raw.value, separated.slope) == (0.5, None)
    touching = length_controlled_win_rate([1, 1, 0, 0], [3, 2, 2, -2], range(4))
    assert touching.controlled.undefined == SEPARATED
    won_all = length_controlled_win_rate([1, 1, 1], [3, 2, -1], range(3))
    assert won_all.controlled.undefined == SEPARATED
    assert "all of one kind" in str(won_all.raw.no_interval)
    alike = length_controlled_win_rate([1, 0, 1], [7, 7, 7], range(3))
    assert alike.controlled.undefined == ALL_ALIKE
    far = length_controlled_win_rate([1, 0, 1], [1_000_000, 1_000_001, 1_000_002], range(3))
    assert far.controlled.undefined == ALL_ALIKE
    nothing = length_controlled_win_rate([None], [1], "x")
    assert nothing.controlled.undefined == "there are no parsed preferences"


def test_too_little_for_an_interval() -> None:
    one = length_controlled_win_rate([1, 0, 1, 0], [3, 2, -1, -2], "xxxx")
    assert "a single cluster" in str(one.controlled.no_interval)
    two = length_controlled_win_rate([0.4, 0.6], [3, -2], "xy")
    assert two.controlled.no_interval == "2 rows are too few for 2 parameters"


def test_equal_length_outside_the_data_is_said() -> None:
    """Always shorter, by a little or a lot: the value is where the fitted line would go."""
    found = length_controlled_win_rate([0.2, 0.4, 0.3, 0.6], [-9, -4, -8, -2], range(4))
    assert found.extrapolated
    assert found.value > 0.6
    assert found.controlled.low < found.value < found.controlled.high
    assert not length_controlled_win_rate([1, 0, 0.5], [-1, 0, -2], range(3)).extrapolated


def test_a_fit_that_runs_far_beyond_the_data_stays_finite() -> None:
    """Cases that a fit of the term as it is cannot tell apart from a singular one."""
    for won, gaps in (
        ([0.0, 0.5, 0.5], [-18, -15, -18]),
        ([0.0, 0.5, 0.0], [-6, -9, -10]),
        ([0.8, 0.0, 1.0], [-15, -18, -18]),
    ):
        found = length_controlled_win_rate(won, gaps, range(3))
        if found.value is not None:
            assert 0 <= found.controlled.low <= found.value <= found.controlled.high <= 1


def test_bad_input_is_refused() -> None:
    with pytest.raises(DataError, match=r"preferences\[1\] is 1.5"):
        length_controlled_win_rate([1, 1.5], [1, 2], "xy")
    with pytest.raises(DataError, match=r"length_difference\[0\] is nan"):
        length_controlled_win_rate([1], [float("nan")], "x")
    with pytest.raises(DataError, match="confidence"):
        length_controlled_win_rate([1], [1], "x", confidence=1.0)


rows_of = st.lists(
    st.tuples(st.sampled_from([0.0, 0.5, 1.0, 0.8]), st.integers(-20, 20), st.integers(0, 4)),
    min_size=3,
    max_size=25,
)


@settings(deadline=None)
@given(rows_of, st.integers(1, 9))
def test_seen_from_the_opponent_in_any_order_and_unit(
    rows: list[tuple[float, int, int]], unit: int
) -> None:
    one = length_controlled_win_rate([r[0] for r in rows], [r[1] for r in rows],
                                     [r[2] for r in rows])  # fmt: skip
    back = rows[::-1]
    two = length_controlled_win_rate([1 - r[0] for r in back], [-r[1] * unit for r in back],
                                     [r[2] for r in back])  # fmt: skip
    assert one.controlled.undefined == two.controlled.undefined
    if one.value is not None:
        assert one.value == pytest.approx(1 - two.value, abs=1e-6)
        assert one.slope == pytest.approx(two.slope, rel=1e-6, abs=1e-6)
        assert one.extrapolated == two.extrapolated
        for end in (one.controlled.low, one.controlled.high):
            assert end is None or 0 <= end <= 1
