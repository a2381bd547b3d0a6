from fractions import Fraction
from itertools import combinations
from math import sqrt

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from judgesmith.errors import DataError
from judgesmith.metrics.correlation import (
    exact_match,
    kendall_tau_b,
    mean_absolute_error,
    pearson,
    spearman,
)

CORRELATIONS = (pearson, spearman, kendall_tau_b)
score = st.integers(-20, 20).map(lambda k: k / 4)
rows = st.lists(st.tuples(score, score), min_size=2, max_size=30)
Pairs = list[tuple[float, float]]


def columns(pairs: Pairs) -> tuple[list[float], list[float]]:
    return [a for a, _ in pairs], [b for _, b in pairs]


def hand_pearson(x: list[float], y: list[float]) -> float:
    """Exact sums in fractions; only the root rounds."""
    n, one, two = len(x), [Fraction(a) for a in x], [Fraction(b) for b in y]
    xy = n * sum(a * b for a, b in zip(one, two, strict=True)) - sum(one) * sum(two)
    xx = n * sum(a * a for a in one) - sum(one) ** 2
    yy = n * sum(b * b for b in two) - sum(two) ** 2
    return float(xy) / sqrt(xx * yy)


def hand_ranks(x: list[float]) -> list[float]:
    """Rank = values below + half of (equal ones + 1)."""
    return [sum(b < a for b in x) + (x.count(a) + 1) / 2 for a in x]


def hand_tau(x: list[float], y: list[float]) -> float:
    """Every pair of rows, one by one."""
    sign = [
        (np.sign(a - c), np.sign(b - d))
        for (a, b), (c, d) in combinations(zip(x, y, strict=True), 2)
    ]
    untied_x = sum(s != 0 for s, _ in sign)
    untied_y = sum(t != 0 for _, t in sign)
    return float(sum(s * t for s, t in sign)) / sqrt(untied_x * untied_y)


@settings(deadline=None)
@given(rows)
def test_correlations_equal_the_formulas_by_hand(pairs: Pairs) -> None:
    x, y = columns(pairs)
    if len(set(x)) == 1 or len(set(y)) == 1:
        side, value = ("x", x[0]) if len(set(x)) == 1 else ("y", y[0])
        for metric in CORRELATIONS:
            assert metric(x, y).undefined == f"{side} holds only the value {value!r}"
        return
    assert float(pearson(x, y)) == pytest.approx(hand_pearson(x, y), abs=1e-9)
    ranked = hand_pearson(hand_ranks(x), hand_ranks(y))
    assert float(spearman(x, y)) == pytest.approx(ranked, abs=1e-9)
    assert float(kendall_tau_b(x, y)) == pytest.approx(hand_tau(x, y), abs=1e-9)


def test_correlations_equal_scipy_on_real_numbers() -> None:
    for seed in range(30):
        draw = np.random.default_rng(seed)
        x = draw.normal(size=300) * 10.0 ** draw.integers(-8, 8)
        y = np.round(x / np.abs(x).max() + draw.normal(size=300), seed % 3)
        assert float(pearson(x, y)) == pytest.approx(scipy.stats.pearsonr(x, y)[0], abs=1e-9)
        assert float(spearman(x, y)) == pytest.approx(scipy.stats.spearmanr(x, y)[0], abs=1e-9)


@settings(deadline=None)
@given(rows, st.randoms(use_true_random=False))
def test_correlations_forget_what_they_must(pairs: Pairs, random) -> None:  # type: ignore[no-untyped-def]
    x, y = columns(pairs)
    mixed = columns(random.sample(pairs, len(pairs)))
    for metric in CORRELATIONS:
        value = metric(x, y).value
        expected = None if value is None else pytest.approx(value, abs=1e-12)
        minus = None if value is None else pytest.approx(-value, abs=1e-12)
        assert metric(y, x).value == expected
        assert metric(*mixed).value == expected
        assert metric([3 * a + 7 for a in x], y).value == expected
        assert metric([-a for a in x], y).value == minus
    cubed = [a**3 for a in x]
    for metric in (spearman, kendall_tau_b):
        value = metric(x, y).value
        assert metric(cubed, y).value == (
            None if value is None else pytest.approx(value, abs=1e-12)
        )


def test_pearson_keeps_its_digits_far_from_zero_and_near_the_limits() -> None:
    x, y = [1.0, 2.0, 3.0, 5.0], [2.0, 1.0, 3.0, 4.0]
    value = float(pearson(x, y))
    assert float(pearson([a + 1e9 for a in x], y)) == pytest.approx(value, abs=1e-9)
    for factor in (1e300, 1e-300):
        assert float(pearson([a * factor for a in x], y)) == pytest.approx(value, abs=1e-12)
    assert float(pearson(x, x)) <= 1.0


def test_error_and_exact_match_by_hand() -> None:
    """Distances 0, .5, 2 and 0: mean 2.5/4, two of four equal."""
    x, y = [1, 2.5, 3, 4], [1.0, 3, 5, 4]
    assert float(mean_absolute_error(x, y)) == 0.625
    assert float(exact_match(x, y)) == 0.5
    assert float(mean_absolute_error(y, x)) == 0.625
    assert mean_absolute_error([], []).undefined == "there are no rows"
    assert exact_match([], []).undefined == "there are no rows"


def test_too_few_rows() -> None:
    for metric in CORRELATIONS:
        assert metric([], []).undefined == "there are no rows"
        assert metric([1], [2]).undefined == "a correlation needs at least two rows, found 1"
        assert float(metric([1, 2], [7, 9])) == pytest.approx(1.0)


@pytest.mark.parametrize("bad", [None, float("nan"), float("inf"), "3", [1.0]])
def test_what_is_no_number_is_refused_with_its_position(bad: object) -> None:
    for metric in (*CORRELATIONS, mean_absolute_error, exact_match):
        with pytest.raises(DataError, match=r"y\[1\] is "):
            metric([1.0, 2.0], [1.0, bad])
        with pytest.raises(DataError, match="one length"):
            metric([1.0, 2.0], [1.0])
