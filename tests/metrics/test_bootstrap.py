import time
from functools import partial

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from judgesmith.errors import DataError
from judgesmith.metrics import cluster_bootstrap_accuracy, cluster_bootstrap_kappa
from judgesmith.metrics.agreement import accuracy, cohen_kappa
from judgesmith.metrics.bootstrap import cluster_bootstrap, paired_cluster_bootstrap
from judgesmith.metrics.correlation import (
    kendall_tau_b,
    mean_absolute_error,
    pearson,
    spearman,
)
from judgesmith.metrics.interval import paired_bootstrap_kappa_difference
from judgesmith.metrics.perfect import METHOD, NO_SPREAD
from judgesmith.metrics.raters import krippendorff_alpha
from judgesmith.metrics.ties import accuracy_with_ties
from judgesmith.metrics.weighted import gwet_ac1, scott_pi, weighted_kappa

SCALE = [1, 2, 3, 4, 5]
judged = st.lists(
    st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(0, 8)), min_size=2, max_size=30
)


def scored(seed: int, clusters: int, size: int) -> tuple[list[int], list[int], list[int]]:
    """Scores 1 to 5 of a judge and of people, with a common effect of the question."""
    draw = np.random.default_rng(seed)
    n = clusters * size
    truth = np.repeat(draw.normal(size=clusters), size) + draw.normal(size=n)
    x = np.clip(np.round(3 + truth + draw.normal(size=n) * 0.8), 1, 5).astype(int)
    y = np.clip(np.round(3 + truth + draw.normal(size=n) * 0.5), 1, 5).astype(int)
    return x.tolist(), y.tolist(), np.repeat(np.arange(clusters), size).tolist()


KNOWN = [
    cohen_kappa,
    accuracy,
    partial(weighted_kappa, labels=SCALE),
    partial(weighted_kappa, weights="linear", labels=SCALE),
    partial(gwet_ac1, labels=SCALE),
    scott_pi,
    pearson,
    mean_absolute_error,
    partial(accuracy_with_ties, ties="half", tie=3),
    partial(accuracy_with_ties, ties="dropped", tie=3),
]


@pytest.mark.parametrize("metric", KNOWN)
@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_the_fast_way_and_the_slow_way_are_one_bootstrap(metric, method: str) -> None:  # type: ignore[no-untyped-def]
    x, y, clusters = scored(3, clusters=50, size=3)
    fast = cluster_bootstrap(metric, [x, y], clusters, seed=1, resamples=6000, method=method)
    slow = cluster_bootstrap(
        lambda a, b: metric(a, b), [x, y], clusters, seed=2, resamples=1000, method=method
    )
    assert fast.value == slow.value == metric(x, y).value
    width = fast.high - fast.low
    assert (slow.low, slow.high) == pytest.approx((fast.low, fast.high), abs=0.13 * width)
    assert (fast.method, fast.n, fast.clusters) == (slow.method, slow.n, slow.clusters)


def test_the_counted_functions_are_special_cases() -> None:
    x, y, clusters = scored(5, clusters=40, size=2)
    options = {"seed": 3, "resamples": 700, "method": "bca"}
    assert cluster_bootstrap(cohen_kappa, [x, y], clusters, **options) == cluster_bootstrap_kappa(
        x, y, clusters, **options
    )
    assert cluster_bootstrap(accuracy, [x, y], clusters, **options) == cluster_bootstrap_accuracy(
        x, y, clusters, **options
    )
    x2 = scored(6, clusters=40, size=2)[0]
    assert paired_cluster_bootstrap(
        cohen_kappa, x, x2, y, clusters, **options
    ) == paired_bootstrap_kappa_difference(x, x2, y, clusters, **options)


def test_one_row_clusters_equal_scipy_up_to_the_draws() -> None:
    x, y, _ = scored(9, clusters=70, size=1)
    theirs = scipy.stats.bootstrap(
        (x, y),
        lambda a, b: scipy.stats.spearmanr(a, b)[0],
        paired=True,
        vectorized=False,
        n_resamples=2500,
        method="BCa",
        rng=np.random.default_rng(1),
    ).confidence_interval
    ours = cluster_bootstrap(spearman, [x, y], range(70), seed=1, resamples=2500, method="bca")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.025)


@pytest.mark.parametrize("metric", [spearman, cohen_kappa, pearson])
@pytest.mark.parametrize("method", ["percentile", "bca"])
@settings(deadline=None, max_examples=25)
@given(data=judged, random=st.randoms(use_true_random=False))
def test_row_order_and_cluster_names_do_not_matter(metric, method, data, random) -> None:  # type: ignore[no-untyped-def]
    def run(rows, name):  # type: ignore[no-untyped-def]
        x, y = [a for a, _, _ in rows], [b for _, b, _ in rows]
        names = [name(c) for _, _, c in rows]
        return cluster_bootstrap(metric, [x, y], names, seed=1, resamples=20, method=method)

    once = run(data, lambda c: c)
    again = run(random.sample(data, len(data)), lambda c: f"question {-c}")
    assert again.value == (None if once.value is None else pytest.approx(once.value, abs=1e-12))
    assert again.low == (None if once.low is None else pytest.approx(once.low, abs=1e-9))
    assert again.high == (None if once.high is None else pytest.approx(once.high, abs=1e-9))
    assert again.undefined_resamples == once.undefined_resamples


@pytest.mark.parametrize("metric", [spearman, kendall_tau_b, krippendorff_alpha, *KNOWN])
def test_duplicating_every_cluster_keeps_the_value_and_narrows(metric) -> None:  # type: ignore[no-untyped-def]
    x, y, clusters = scored(2, clusters=40, size=2)
    other = [c + 100 for c in clusters]
    once = cluster_bootstrap(metric, [x, y], clusters, seed=1, resamples=150)
    twice = cluster_bootstrap(metric, [x * 2, y * 2], clusters + other, seed=1, resamples=150)
    # Alpha corrects for the number of ratings, so it moves by a little.
    slack = 0.01 if metric is krippendorff_alpha else 1e-12
    assert twice.value == pytest.approx(once.value, abs=slack)
    assert twice.high - twice.low < 0.95 * (once.high - once.low)


def test_copied_rows_of_a_cluster_change_nothing() -> None:
    x, y, clusters = scored(2, clusters=30, size=1)
    once = cluster_bootstrap(spearman, [x, y], clusters, seed=1, resamples=100)
    copied = cluster_bootstrap(spearman, [x * 4, y * 4], clusters * 4, seed=1, resamples=100)
    assert (copied.low, copied.high) == pytest.approx((once.low, once.high), abs=1e-12)
    assert copied.clusters == 30


def test_alpha_of_items_with_missing_ratings() -> None:
    """One column of items, or one column per rater: the same resamples and values."""
    draw = np.random.default_rng(3)
    truth = draw.integers(1, 6, 60)
    columns = [
        [int(v) if draw.random() < 0.85 else None for v in np.clip(truth + e, 1, 5)]
        for e in draw.integers(-1, 2, (3, 60))
    ]
    items = [list(item) for item in zip(*columns, strict=True)]
    metric = partial(krippendorff_alpha, level="ordinal")
    found = cluster_bootstrap(metric, columns, range(60), seed=1, resamples=200)
    assert found.value == metric(items).value
    assert found.low < found.value < found.high
    assert cluster_bootstrap(metric, [items], range(60), seed=1, resamples=200) == found


def test_paired_difference_of_ranks() -> None:
    x, y, clusters = scored(4, clusters=80, size=2)
    worse = [b if i % 6 else a for i, (a, b) in enumerate(zip(x, reversed(x), strict=True))]
    options = {"seed": 1, "resamples": 300}
    gap = paired_cluster_bootstrap(spearman, x, worse, y, clusters, **options)
    assert gap.value == float(spearman(x, y)) - float(spearman(worse, y))
    assert gap.low > 0
    back = paired_cluster_bootstrap(spearman, worse, x, y, clusters, **options)
    assert back.value == -gap.value
    alone = cluster_bootstrap(spearman, [x, y], clusters, **options)
    near = [b if i == 10 else a for i, (a, b) in enumerate(zip(x, y, strict=True))]
    assert sum(a != b for a, b in zip(near, x, strict=True)) == 1
    close = paired_cluster_bootstrap(spearman, near, x, y, clusters, **options, method="bca")
    assert close.high - close.low < (alone.high - alone.low) / 3


def test_equal_judges_differ_by_nothing_and_unequal_ones_need_spread() -> None:
    x, y, clusters = scored(4, clusters=20, size=2)
    for metric in (spearman, partial(weighted_kappa, labels=SCALE)):
        same = paired_cluster_bootstrap(metric, x, x, y, clusters, seed=1, resamples=50)
        assert (same.value, same.low, same.no_interval) == (0.0, None, NO_SPREAD)
    doubled = paired_cluster_bootstrap(
        spearman, x, [2 * a for a in x], y, clusters, seed=1, resamples=50
    )
    assert (doubled.value, doubled.low, doubled.no_interval) == (0.0, None, NO_SPREAD)


def test_what_never_varies_has_no_bootstrap_interval() -> None:
    y = [1, 2, 3, 4, 5] * 8
    for metric in (spearman, pearson, mean_absolute_error, krippendorff_alpha):
        found = cluster_bootstrap(metric, [y, y], range(40), seed=1, resamples=100)
        assert (found.low, found.no_interval) == (None, NO_SPREAD)
    for metric in (cohen_kappa, weighted_kappa, gwet_ac1, scott_pi, accuracy):
        found = cluster_bootstrap(metric, [y, y], range(40), seed=1, resamples=100)
        assert (found.value, found.high, found.method) == (1.0, 1.0, METHOD)
        assert 0 < found.low < 1


def test_undefined_values_are_counted_or_named() -> None:
    constant = cluster_bootstrap(spearman, [[1, 1], [1, 2]], "pq", seed=1)
    assert (constant.undefined, constant.clusters) == ("x holds only the value 1.0", 2)
    rare = cluster_bootstrap(
        spearman, [[0] * 9 + [1], list(range(10))], range(10), seed=1, resamples=2000
    )
    assert rare.undefined_resamples == pytest.approx(2000 * 0.9**10, abs=90)
    nan = cluster_bootstrap(lambda x: float("nan"), [[1, 2]], "pq", seed=1)
    assert nan.undefined == "the metric gives nan on all rows"
    one = cluster_bootstrap(spearman, [[1, 2, 3], [1, 3, 2]], "qqq", seed=1, resamples=9)
    assert one.no_interval == "a single cluster says nothing about its variation"
    empty = cluster_bootstrap(pearson, [[], []], [], seed=1)
    assert (empty.undefined, empty.clusters) == ("there are no rows", 0)


def test_plain_numbers_are_metrics_too() -> None:
    """The mean of 40 values: the bootstrap's standard error is the sample's, sd / sqrt(n)."""
    values = np.random.default_rng(8).normal(size=40).tolist()
    found = cluster_bootstrap(lambda v: float(np.mean(v)), [values], range(40), seed=1)
    half = 1.96 * float(np.std(values)) / 40**0.5
    assert found.high - found.low == pytest.approx(2 * half, rel=0.06)
    assert found.n == 40


def test_bad_input_is_named() -> None:
    with pytest.raises(DataError, match="at least one column"):
        cluster_bootstrap(spearman, [], [], seed=1)
    with pytest.raises(DataError, match=r"columns\[0\] has 2, columns\[1\] has 2, clusters has 1"):
        cluster_bootstrap(spearman, [[1, 2], [1, 2]], "p", seed=1)
    with pytest.raises(DataError, match=r"clusters\[1\] is None"):
        cluster_bootstrap(spearman, [[1, 2], [1, 2]], ["p", None], seed=1)
    with pytest.raises(DataError, match=r"x\[1\] is None"):
        cluster_bootstrap(spearman, [[1, None], [1, 2]], "pq", seed=1)
    with pytest.raises(DataError, match=r"y\[0\] is nan"):
        paired_cluster_bootstrap(spearman, [1, 2], [2, 1], [float("nan"), 2], "pq", seed=1)


def test_two_thousand_resamples_of_two_thousand_rows_take_seconds() -> None:
    x, y, clusters = scored(1, clusters=1000, size=2)
    started = time.perf_counter()
    cluster_bootstrap(spearman, [x, y], clusters, seed=1, resamples=2000)
    assert time.perf_counter() - started < 20  # 0.4 s on an idle core


def test_intervals_of_a_correlation_cover_the_truth() -> None:
    """Pairs with correlation .6, two to a question: one draw per question plus one per row.

    x = q + e, y = r*x + noise with q shared; the correlation of any one row is .6 by design.
    """
    held = 0
    for seed in range(120):
        draw = np.random.default_rng(seed)
        x = np.repeat(draw.normal(size=100), 2) * 0.6 + draw.normal(size=200) * 0.8
        y = 0.6 * x + 0.8 * (
            np.repeat(draw.normal(size=100), 2) * 0.6 + draw.normal(size=200) * 0.8
        )
        found = cluster_bootstrap(
            pearson, [x, y], np.repeat(np.arange(100), 2).tolist(), seed=seed, resamples=800
        )
        held += found.low <= 0.6 <= found.high
    assert held / 120 >= 0.89
