import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from judgesmith.errors import DataError
from judgesmith.metrics import (
    Estimate,
    Slice,
    cluster_bootstrap_accuracy,
    cluster_bootstrap_kappa,
    cluster_bootstrap_rate,
    cohen_kappa,
    paired_bootstrap_kappa_difference,
    paired_bootstrap_rate_difference,
    slice_kappa_difference,
    wilson,
)
from judgesmith.metrics.agreement import cells, kappa_of_counts
from judgesmith.metrics.resample import Resampling, cell_counts, replicates, with_interval

judged = st.lists(
    st.tuples(st.sampled_from("ABT"), st.sampled_from("ABT"), st.integers(0, 8)),
    min_size=1,
    max_size=40,
)


def simulated(seed: int, clusters: int, size: int) -> tuple[list[str], list[str], list[int]]:
    """Draw clustered judgments: one accuracy per cluster, labels with shares .4, .4, .2."""
    draw = np.random.default_rng(seed)
    right = draw.random(clusters * size) < np.repeat(draw.beta(6, 2, clusters), size)
    y = draw.choice(3, clusters * size, p=[0.4, 0.4, 0.2])
    x = np.where(right, y, (y + draw.integers(1, 3, clusters * size)) % 3)
    names = np.array(["A", "B", "TIE"])
    return names[x].tolist(), names[y].tolist(), np.repeat(np.arange(clusters), size).tolist()


@settings(deadline=None)
@given(st.integers(0, 300), st.integers(1, 300), st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_equals_statsmodels(successes: int, n: int, confidence: float) -> None:
    successes = min(successes, n)
    low, high = proportion_confint(successes, n, alpha=1 - confidence, method="wilson")
    found = wilson(successes, n, confidence)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)
    assert found.value == successes / n


def test_wilson_refuses_and_is_undefined() -> None:
    assert wilson(0, 0).undefined == "there are no rows"
    with pytest.raises(DataError, match="successes=3, n=2"):
        wilson(3, 2)
    with pytest.raises(DataError, match="confidence"):
        wilson(1, 2, confidence=95)


def test_two_clusters_by_hand() -> None:
    """Cluster p holds 4 right of 4, cluster q 0 of 2.

    A resample is pp, pq, qp or qq: accuracy 1, 4/6, 4/6, 0 with shares 1/4, 1/2, 1/4. Hence the
    2.5% and 97.5% quantiles are 0 and 1, and the 60% interval runs from 0 to 1 as well, while
    the 40% interval is the point 4/6.
    """
    hits, clusters = [True] * 4 + [False] * 2, list("ppppqq")
    wide = cluster_bootstrap_rate(hits, clusters, seed=3, resamples=4000)
    assert (wide.low, wide.high, wide.n, wide.clusters) == (0.0, 1.0, 6, 2)
    narrow = cluster_bootstrap_rate(hits, clusters, seed=3, resamples=4000, confidence=0.4)
    assert (narrow.low, narrow.high) == pytest.approx((4 / 6, 4 / 6))
    assert float(wide) == pytest.approx(4 / 6)


def test_agrees_with_a_plain_loop_over_clusters() -> None:
    """The straightforward way, rows of drawn clusters into the kappa of scalars."""
    x, y, clusters = simulated(seed=5, clusters=60, size=3)
    rows = {c: [i for i, d in enumerate(clusters) if d == c] for c in set(clusters)}
    draw = np.random.default_rng(11)
    values = []
    for _ in range(1500):
        picked = [i for c in draw.integers(0, 60, 60).tolist() for i in rows[c]]
        values.append(float(cohen_kappa([x[i] for i in picked], [y[i] for i in picked])))
    low, high = np.quantile(values, [0.025, 0.975])
    found = cluster_bootstrap_kappa(x, y, clusters, seed=1)
    assert found.low == pytest.approx(low, abs=0.02)
    assert found.high == pytest.approx(high, abs=0.02)
    assert float(found) == float(cohen_kappa(x, y))


def test_clusters_widen_the_interval() -> None:
    """Each row four times over in its own cluster says no more than once."""
    x, y, clusters = simulated(seed=8, clusters=80, size=1)
    once = cluster_bootstrap_kappa(x, y, clusters, seed=2)
    copied = cluster_bootstrap_kappa(x * 4, y * 4, clusters * 4, seed=2)
    as_rows = cluster_bootstrap_kappa(x * 4, y * 4, range(320), seed=2)
    assert (copied.low, copied.high) == pytest.approx((once.low, once.high), abs=1e-12)
    assert as_rows.high - as_rows.low == pytest.approx((once.high - once.low) / 2, rel=0.08)


@settings(max_examples=50, deadline=None)
@given(judged, st.randoms(use_true_random=False))
def test_row_order_and_cluster_names_do_not_matter(rows, random) -> None:  # type: ignore[no-untyped-def]
    shuffled = random.sample(rows, len(rows))
    x, y, clusters = map(list, zip(*rows, strict=True))
    x2, y2, clusters2 = map(list, zip(*shuffled, strict=True))
    first = cluster_bootstrap_kappa(x, y, clusters, seed=4, resamples=60)
    second = cluster_bootstrap_kappa(x2, y2, [f"q{c}" for c in clusters2], seed=4, resamples=60)
    assert first == second


@settings(max_examples=50, deadline=None)
@given(judged)
def test_duplicating_every_cluster_keeps_the_value(rows) -> None:  # type: ignore[no-untyped-def]
    x, y, clusters = map(list, zip(*rows, strict=True))
    once = cluster_bootstrap_kappa(x, y, clusters, seed=4, resamples=30)
    twice = cluster_bootstrap_kappa(
        x * 2, y * 2, clusters + [c + 100 for c in clusters], seed=4, resamples=30
    )
    assert twice.clusters == 2 * once.clusters
    assert twice.value == (None if once.value is None else pytest.approx(once.value, abs=1e-12))


def test_a_seed_fixes_the_interval_and_another_moves_it() -> None:
    x, y, clusters = simulated(seed=9, clusters=50, size=2)
    first = cluster_bootstrap_kappa(x, y, clusters, seed=1, resamples=500)
    assert cluster_bootstrap_kappa(x, y, clusters, seed=1, resamples=500) == first
    assert cluster_bootstrap_kappa(x, y, clusters, seed=2, resamples=500).low != first.low


def test_undefined_resamples_are_counted() -> None:
    """Two one-row clusters, A-A and B-B: half of the resamples hold one label only."""
    found = cluster_bootstrap_kappa(["A", "B"], ["A", "B"], ["p", "q"], seed=1, resamples=4000)
    assert found.undefined_resamples == pytest.approx(2000, abs=150)
    rare = cluster_bootstrap_kappa(["A"] * 9 + ["B"], ["A"] * 9 + ["B"], range(10), seed=1)
    assert rare.undefined_resamples == pytest.approx(10_000 * 0.9**10, abs=250)
    assert (rare.value, rare.high) == (1.0, 1.0)
    assert rare.low < 0  # ten rows, one of them B: see test_perfect


def test_a_single_cluster_has_a_value_and_no_interval() -> None:
    found = cluster_bootstrap_kappa(["A", "B"], ["A", "B"], ["q", "q"], seed=1)
    assert found.no_interval == "a single cluster says nothing about its variation"
    assert (found.value, found.low, found.high, found.clusters) == (1.0, None, None, 1)


def test_mostly_undefined_resamples_give_no_interval() -> None:
    plan = Resampling(seed=1, resamples=100)
    values = np.array([np.nan] * 51 + [0.5] * 49)
    found = with_interval(Estimate.of(0.5, n=9), values, 9, plan)
    assert found.no_interval == "the metric is undefined in 51 of 100 resamples"
    assert (found.low, found.undefined_resamples) == (None, 51)
    enough = with_interval(Estimate.of(0.5, n=9), np.append(values[1:], 0.5), 9, plan)
    assert (enough.low, enough.high, enough.undefined_resamples) == (0.5, 0.5, 50)


def test_both_ways_to_draw_agree() -> None:
    """Few patterns are drawn as a multinomial, many as single clusters; both are one bootstrap."""
    x, y, _ = simulated(seed=6, clusters=400, size=1)
    few = cluster_bootstrap_kappa(x, y, range(400), seed=1)
    counts = cell_counts(cells(x, y)[0], 9, np.arange(400))
    marked = np.hstack([counts, np.arange(400)[:, None]])  # no two clusters alike any more
    values = replicates(
        marked, [lambda sums: kappa_of_counts(sums[:, :9])], 10_000, np.random.default_rng(1)
    )[0]
    many = np.quantile(values, [0.025, 0.975])
    assert [few.low, few.high] == pytest.approx(many.tolist(), abs=0.006)


def test_a_paired_difference_is_sharper_than_two_intervals() -> None:
    x1, y, clusters = simulated(seed=3, clusters=120, size=2)
    x2 = [b if i % 12 == 0 else a for i, (a, b) in enumerate(zip(x1, y, strict=True))]
    gain = paired_bootstrap_kappa_difference(x2, x1, y, clusters, seed=1)
    alone = cluster_bootstrap_kappa(x1, y, clusters, seed=1)
    expected = float(cohen_kappa(x2, y)) - float(cohen_kappa(x1, y))
    assert float(gain) == pytest.approx(expected, abs=1e-12)
    assert gain.high - gain.low < (alone.high - alone.low) / 2
    back = paired_bootstrap_kappa_difference(x1, x2, y, clusters, seed=1)
    assert float(back) == -float(gain)


def test_equal_judges_differ_by_exactly_nothing() -> None:
    x, y, clusters = simulated(seed=3, clusters=30, size=2)
    same = paired_bootstrap_kappa_difference(x, x, y, clusters, seed=1, resamples=300)
    assert (same.value, same.low, same.high) == (0.0, None, None)
    assert "nothing is known" in str(same.no_interval)


def test_a_difference_with_an_undefined_side_says_which() -> None:
    found = paired_bootstrap_kappa_difference(["A", "A"], ["A", "B"], ["A", "A"], "pq", seed=1)
    assert found.value is None
    assert str(found.undefined).startswith("the first value is undefined: both sides hold only")


def test_rates_and_their_difference() -> None:
    x, y, clusters = simulated(seed=3, clusters=60, size=2)
    hits = [a == b for a, b in zip(x, y, strict=True)]
    rate = cluster_bootstrap_rate(hits, clusters, seed=1)
    assert cluster_bootstrap_accuracy(x, y, clusters, seed=1) == rate
    none = [False] * len(hits)
    gap = paired_bootstrap_rate_difference(hits, none, clusters, seed=1)
    assert float(gap) == pytest.approx(float(rate))
    assert gap.low == pytest.approx(rate.low, abs=0.01)
    with pytest.raises(DataError, match=r"hits\[0\] is None"):
        cluster_bootstrap_rate([None], ["p"], seed=1)
    assert paired_bootstrap_rate_difference([], [], [], seed=1).undefined == "there are no rows"


def test_slices_are_drawn_independently() -> None:
    """The variance of the gap is the sum of both variances: widths add in squares."""
    x1, y1, c1 = simulated(seed=3, clusters=150, size=2)
    x2, y2, c2 = simulated(seed=4, clusters=150, size=2)
    c2 = [c + 1000 for c in c2]
    gap = slice_kappa_difference(Slice(x1, y1, c1), Slice(x2, y2, c2), seed=1)
    one = cluster_bootstrap_kappa(x1, y1, c1, seed=1)
    two = cluster_bootstrap_kappa(x2, y2, c2, seed=1)
    expected = ((one.high - one.low) ** 2 + (two.high - two.low) ** 2) ** 0.5
    assert gap.high - gap.low == pytest.approx(expected, rel=0.05)
    assert (gap.n, gap.clusters) == (600, 300)
    itself = slice_kappa_difference(
        Slice(x1, y1, c1), Slice(x1, y1, [c + 1000 for c in c1]), seed=1
    )
    assert itself.low < 0 < itself.high


def test_slices_that_share_a_question_are_refused() -> None:
    part = Slice(["A", "B"], ["A", "B"], ["q1", "q2"])
    with pytest.raises(DataError, match="2 in both, among them 'q1'"):
        slice_kappa_difference(part, part, seed=1)


def test_an_undefined_slice_names_itself() -> None:
    empty = Slice([], [], [])
    found = slice_kappa_difference(Slice(["A", "B"], ["A", "B"], "pq"), empty, seed=1)
    assert found.undefined == "the second value is undefined: there are no rows"


@pytest.mark.parametrize("bad", [{"seed": -1}, {"seed": 1, "resamples": 0}])
def test_settings_out_of_range_are_refused(bad: dict[str, int]) -> None:
    with pytest.raises(DataError, match="seed >= 0 and resamples >= 1"):
        cluster_bootstrap_kappa(["A", "B"], ["A", "B"], "pq", **bad)


def simulated_coverage(data_sets: int, clusters: int) -> float:
    """Share of 95% intervals that hold the true kappa of clustered judgments.

    Truth: labels .4/.4/.2, accuracy .75 on average (Beta(6, 2) per cluster), errors even. Then
    po = .75, the judge's shares are .75*share + .125*(1 - share) = .375, .375, .25 and
    pe = 2 * .4 * .375 + .2 * .25 = .35, so kappa = (.75 - .35) / (1 - .35) = 8/13.
    """
    held = 0
    for seed in range(data_sets):
        x, y, groups = simulated(1000 + seed, clusters, size=3)
        found = cluster_bootstrap_kappa(x, y, groups, seed=seed, resamples=1000)
        held += found.low <= 8 / 13 <= found.high
    return held / data_sets


def test_intervals_cover_the_truth() -> None:
    assert 0.90 <= simulated_coverage(data_sets=200, clusters=100) <= 0.99
