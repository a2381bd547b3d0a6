"""The promise of a threshold, by simulation, and its parts by hand. In full: benchmarks."""

import numpy as np
import pytest

from judgesmith.errors import DataError
from judgesmith.metrics.selective import KEEPS_ALL, abstention, one_per_cluster

# Risk at confidence c, and the distribution of c on a grid, so that the true risk is exact.
GRID = np.linspace(0.005, 0.995, 100)
FALLING = 0.45 * (1 - GRID) ** 1.5
HUMP = np.where(GRID > 0.9, 0.35, 0.02)  # the surest are the worst: no ranking may be assumed
EVEN = np.full(100, 0.101)  # a hair above a limit of .1 at every threshold


def true_risk(risk_at: np.ndarray, above: float) -> float:
    kept = above < GRID
    return float(risk_at[kept].mean())


@pytest.mark.parametrize("risk_at", [FALLING, HUMP, EVEN], ids=["falling", "hump", "even"])
@pytest.mark.parametrize("n", [60, 250])
def test_the_promise_is_broken_in_at_most_delta(risk_at: np.ndarray, n: int) -> None:
    """800 calibrations at delta .2: three standard errors above it are .242."""
    generator = np.random.default_rng(7)
    broken = given = 0
    for _ in range(800):
        drawn = generator.integers(0, 100, n)
        right = generator.random(n) >= risk_at[drawn]
        found = abstention(GRID[drawn], right.tolist(), risk=0.1, delta=0.2)
        if found.above is not None:
            given += 1
            broken += true_risk(risk_at, found.above) > 0.1
    assert broken <= 0.242 * 800
    if risk_at is FALLING and n == 250:
        assert given > 500, "the promise must not be kept by never giving a verdict"


def test_without_a_union_bound_the_promise_would_break() -> None:
    """The test above can fail: the same search at level delta for each threshold breaks it."""
    from scipy.special import bdtr

    generator = np.random.default_rng(7)
    broken = 0
    for _ in range(800):
        drawn = generator.integers(0, 100, 250)
        right = generator.random(250) >= EVEN[drawn]
        order = np.argsort(-drawn, kind="stable")
        wrong = np.cumsum(~right[order])
        broken += any(bdtr(wrong[k], k + 1, 0.1) <= 0.2 for k in range(9, 250))
    assert broken > 0.3 * 800


def test_questions_with_many_items_would_break_it_and_one_per_question_does_not() -> None:
    """40 items of a question are right or wrong together."""
    generator = np.random.default_rng(1)
    broken = {"items": 0, "questions": 0}
    for _ in range(300):
        of_question = generator.random(30) >= 0.12
        right = np.repeat(of_question, 40)
        stated = generator.random(len(right))
        clusters = np.repeat(np.arange(30), 40).tolist()
        drawn = one_per_cluster(clusters, seed=3)
        assert len(drawn) == 30
        for name, rows in (("items", range(len(right))), ("questions", drawn)):
            kept = list(rows)
            found = abstention(stated[kept], right[kept].tolist(), risk=0.1)
            broken[name] += found.above is not None
    assert broken["questions"] <= 0.05 * 300 + 3 * (0.05 * 0.95 * 300) ** 0.5
    assert broken["items"] > 0.2 * 300


def test_all_is_kept_where_all_is_good() -> None:
    found = abstention([0.5] * 100, [True] * 100, risk=0.1)
    assert (found.above, found.kept, found.coverage) == (KEEPS_ALL, 100, 1.0)
    assert found.gives(0.0)
    # From half of 100 on (.9**50 = .005 <= .05 / 6) six ranks are tried; Clopper and Pearson:
    assert found.upper == pytest.approx(1 - (0.05 / 6) ** (1 / 100))


def test_ties_at_the_threshold_are_left_out() -> None:
    stated = [0.9] * 60 + [0.5] * 40
    right = [True] * 60 + [False] * 40
    found = abstention(stated, right, risk=0.1)
    assert (found.above, found.kept, found.wrong) == (0.5, 60, 0)
    assert not found.gives(0.5)


def test_where_no_verdict_is_right_the_nearest_is_all_of_them() -> None:
    found = abstention([0.5] * 12, [False] * 12, risk=0.9)
    assert (found.above, found.kept, found.wrong, found.upper) == (None, 12, 12, 1.0)


def test_how_many_questions_would_do() -> None:
    right = ([True] * 19 + [False]) * 2
    found = abstention([0.7] * 40, right, risk=0.1)
    assert found.above is None
    needed = found.questions_needed
    assert needed is not None
    times = -(-needed // 20)
    assert (
        abstention([0.7] * 20 * times, ([True] * 19 + [False]) * times, risk=0.1).above is not None
    )
    hopeless = abstention([0.7] * 40, [True, False] * 20, risk=0.1)
    assert (hopeless.above, hopeless.questions_needed) == (None, None)


@pytest.mark.parametrize(("risk", "delta"), [(0.0, 0.05), (1.0, 0.05), (0.1, 0.0), (0.1, 1.0)])
def test_refuses_levels_out_of_range(risk: float, delta: float) -> None:
    with pytest.raises(DataError, match="above 0 and below 1"):
        abstention([0.5], [True], risk=risk, delta=delta)


def test_refuses_bad_columns() -> None:
    with pytest.raises(DataError, match="found none"):
        abstention([], [], risk=0.1)
    with pytest.raises(DataError, match=r"confidences\[0\] is 1.5"):
        abstention([1.5], [True], risk=0.1)
    with pytest.raises(DataError, match="one length"):
        abstention([0.5], [True, False], risk=0.1)
