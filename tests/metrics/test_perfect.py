from dataclasses import replace

import numpy as np
import pytest

from judgesmith.metrics import (
    Estimate,
    cluster_bootstrap_accuracy,
    cluster_bootstrap_kappa,
    cluster_bootstrap_rate,
    cohen_kappa,
    order_effects,
    paired_bootstrap_rate_difference,
    wilson,
)
from judgesmith.metrics.agreement import kappa_of_counts
from judgesmith.metrics.perfect import (
    METHOD,
    bound_agreement,
    bound_share,
    bound_signed,
    most_wrong,
)
from judgesmith.metrics.weighted import ac1_of_counts, weighted_kappa_of_counts


def test_the_bound_of_a_share_is_wilsons() -> None:
    for n in (2, 10, 240):
        found = cluster_bootstrap_rate([True] * n, range(n), seed=1, resamples=50)
        expected = wilson(n, n)
        assert found.low == pytest.approx(expected.low, abs=1e-12)
        assert (found.value, found.high, found.method) == (1.0, 1.0, METHOD)
        never = cluster_bootstrap_rate([False] * n, range(n), seed=1, resamples=50)
        assert never.high == pytest.approx(wilson(0, n).high, abs=1e-12)
        assert (never.value, never.low) == (0.0, 0.0)
    assert cluster_bootstrap_accuracy("AB", "AB", "pq", seed=1, resamples=9).low < 1


def test_more_rows_of_one_question_prove_nothing_more() -> None:
    once = cluster_bootstrap_rate([True] * 10, range(10), seed=1, resamples=50)
    often = cluster_bootstrap_rate([True] * 50, [*range(10)] * 5, seed=1, resamples=50)
    assert often.low == once.low
    assert cluster_bootstrap_rate([True] * 5, "qqqqq", seed=1, resamples=50).low is None


def test_the_bound_of_kappa_by_hand() -> None:
    """Nine rows A-A and one B-B, u = 3.841459/13.841459 = .277533.

    Worst for kappa: the one B (.1) read as A, then .177533 of A read as B. Then po = .722467, the
    judge says A in .9 - .177533 + .1 = .822467, pe = .9 * .822467 + .1 * .177533 = .757974, and
    kappa = (.722467 - .757974) / (1 - .757974) = -.146707.
    """
    labels = ["A"] * 9 + ["B"]
    found = cluster_bootstrap_kappa(labels, labels, range(10), seed=1)
    assert (found.value, found.high, found.method) == (1.0, 1.0, METHOD)
    assert found.low == pytest.approx(-0.146707, abs=2e-6)
    even = cluster_bootstrap_kappa(["A", "B"] * 50, ["A", "B"] * 50, range(100), seed=1)
    assert even.low == pytest.approx(1 - 2 * most_wrong(100, 0.95), abs=1e-9)


def test_the_bound_is_the_same_by_either_method_and_grows_with_the_evidence() -> None:
    lows = []
    for pairs in (10, 40, 160):
        labels = ["A", "B", "B"] * pairs
        by = [
            cluster_bootstrap_kappa(labels, labels, range(3 * pairs), seed=1, method=method)
            for method in ("percentile", "bca")
        ]
        assert by[0].low == by[1].low
        lows.append(by[0].low)
    assert lows == sorted(lows)
    assert 0.9 < lows[-1] < 1.0


def table_of(x: np.ndarray, y: np.ndarray, size: int) -> np.ndarray:
    return np.bincount(x * size + y, minlength=size * size).astype(float)[None, :]


@pytest.mark.parametrize(
    ("name", "shares"),
    [
        ("kappa", [0.8, 0.2]),
        ("kappa", [0.5, 0.3, 0.2]),
        ("ac1", [0.7, 0.3]),
        ("wk", [0.3, 0.4, 0.3]),
    ],
)
def test_no_random_way_to_be_wrong_is_below_the_bound(name: str, shares: list[float]) -> None:
    """Spoil a share u of perfect rows in 300 random ways; the metric stays above the bound.

    AC1 and weighted kappa are no linear functions, so the three ways tried need not hold the very
    lowest; a hundredth is allowed.
    """
    size, n = len(shares), 2000
    statistic = {
        "kappa": kappa_of_counts,
        "ac1": ac1_of_counts,
        "wk": weighted_kappa_of_counts(size, "quadratic"),
    }[name]
    draw = np.random.default_rng(0)
    y = np.repeat(np.arange(size), (np.array(shares) * n).astype(int))
    counts = np.zeros((100, size * size))
    counts[:, :: size + 1] = np.array(shares)
    found = bound_agreement(
        Estimate(1.0, 1.0, 1.0, n=100, clusters=100, confidence=0.95), counts, statistic
    )
    wrong = round(most_wrong(100, 0.95) * n)
    lowest = 1.0
    for _ in range(300):
        x = y.copy()
        weights = draw.dirichlet(np.full(size, 0.3))[y] + 1e-9
        rows = draw.choice(n, wrong, replace=False, p=weights / weights.sum())
        x[rows] = (x[rows] + draw.integers(1, size, 1 if draw.random() < 0.5 else wrong)) % size
        lowest = min(lowest, float(statistic(table_of(x, y, size))[0]))
    assert found.low <= lowest + 0.01
    assert found.low >= lowest - 0.06


def test_an_interval_with_width_stays() -> None:
    kept = Estimate(1.0, 0.8, 1.0, n=10, clusters=10, confidence=0.95)
    assert bound_share(kept, 10) is kept
    part = Estimate(0.5, 0.5, 0.5, n=10, clusters=10, confidence=0.95)
    assert bound_share(part, 10) is part
    x, y = ["A", "B", "A", "B"] * 5, ["A", "B", "A", "A"] * 5
    found = cluster_bootstrap_kappa(x, y, range(20), seed=1, resamples=200)
    assert found.method == "percentile bootstrap over clusters"
    constant = cluster_bootstrap_kappa(["A"] * 20, y, range(20), seed=1, resamples=200)
    assert (constant.value, constant.low, constant.high) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("clusters", [30, 100])
def test_perfect_samples_of_imperfect_judges_are_covered(clusters: int) -> None:
    """Accuracy .97 evenly wrong on two even labels: kappa = .94. Most samples of 30 are perfect
    or nearly so; the bootstrap alone would then exclude .94.
    """
    held = perfect = 0
    draw = np.random.default_rng(clusters)
    for seed in range(200):
        y = draw.integers(0, 2, clusters)
        x = np.where(draw.random(clusters) < 0.97, y, 1 - y)
        if cohen_kappa(x.tolist(), y.tolist()).value != 1.0:
            continue
        perfect += 1
        found = cluster_bootstrap_kappa(
            x.tolist(), y.tolist(), range(clusters), seed=seed, resamples=50
        )
        held += found.low <= 0.94 <= found.high
    assert perfect > 0
    assert held == perfect


@pytest.mark.parametrize(("value", "low", "high"), [(0, -0.277533, 0.277533), (1, 0.444934, 1)])
def test_a_signed_mean_without_spread_is_bounded(value: int, low: float, high: float) -> None:
    """Ten clusters: u = 3.841459 / 13.841459. Away from 0 a row can move by 2."""
    alike = Estimate(float(value), float(value), float(value), n=10, clusters=10, confidence=0.95)
    found = bound_signed(alike, 10)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-6)
    turned = bound_signed(replace(alike, value=-value, low=-value, high=-value), 10)
    assert (turned.low, turned.high) == pytest.approx((-high, -low), abs=1e-6)
    assert found.method == turned.method == METHOD


def test_a_judge_that_never_flips_may_still_lean() -> None:
    """20 stable pairs: position bias 0, and up to u = 3.841459 / 23.841459 either way."""
    found = order_effects(["A", "B"] * 10, ["A", "B"] * 10, range(20), seed=1, resamples=50)
    bias = found.position_bias
    assert (bias.low, bias.high) == pytest.approx((-0.161125, 0.161125), abs=1e-6)
    assert found.position_bias_in_flips.value is None


def test_equal_hits_do_not_make_two_judges_equal() -> None:
    hits = [True, False, True] * 10
    found = paired_bootstrap_rate_difference(hits, hits, range(30), seed=1, resamples=50)
    assert found.value == 0.0
    assert (found.low, found.high) == pytest.approx(
        (-most_wrong(30, 0.95), most_wrong(30, 0.95)), abs=1e-9
    )
