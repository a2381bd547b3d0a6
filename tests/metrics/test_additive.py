from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgesmith.metrics.additive import additive
from judgesmith.metrics.agreement import accuracy, cohen_kappa
from judgesmith.metrics.correlation import exact_match, mean_absolute_error, pearson, spearman
from judgesmith.metrics.perfect import without_width
from judgesmith.metrics.result import Estimate
from judgesmith.metrics.ties import accuracy_with_ties
from judgesmith.metrics.weighted import gwet_ac1, scott_pi, weighted_kappa

rows = st.lists(
    st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(0, 6)), min_size=1, max_size=40
)
FAST = [
    accuracy,
    cohen_kappa,
    exact_match,
    mean_absolute_error,
    pearson,
    weighted_kappa,
    scott_pi,
    gwet_ac1,
    partial(weighted_kappa, weights="linear", labels=range(1, 6)),
    partial(gwet_ac1, labels=range(1, 6)),
    *(partial(accuracy_with_ties, ties=rule, tie=3) for rule in ("wrong", "half", "dropped")),
]


@pytest.mark.parametrize("metric", FAST)
@settings(deadline=None, max_examples=60)
@given(data=rows)
def test_sums_give_what_the_metric_gives(metric, data) -> None:  # type: ignore[no-untyped-def]
    x, y = [a for a, _, _ in data], [b for _, b, _ in data]
    codes = np.unique([c for _, _, c in data], return_inverse=True)[1]
    form = additive(metric, (x, y), codes)
    value = metric(x, y).value
    found = form.statistic(form.sums.sum(axis=0, keepdims=True).astype(float))[0]
    if value is None:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(value, abs=1e-9)


def test_sums_of_real_scores_give_pearson() -> None:
    for seed in range(20):
        draw = np.random.default_rng(seed)
        x = draw.normal(size=90) * 10.0 ** (seed - 10) + 1e3 * (seed % 3)
        y = x * draw.random() + draw.normal(size=90) * x.std()
        form = additive(pearson, (x, y), np.arange(90) // 3)
        found = form.statistic(form.sums.sum(axis=0, keepdims=True))[0]
        assert found == pytest.approx(float(pearson(x, y)), abs=1e-9)


def test_a_constant_resample_has_no_pearson() -> None:
    """Far from zero the sums of a constant column are large and their difference is noise."""
    x, y = [0.1] * 6 + [1e6 + 0.3] * 3 + [-7.7], [float(i) for i in range(10)]
    form = additive(pearson, (x, y), np.arange(10))
    for held in (range(6), range(6, 9)):
        drawn = form.sums[
            [int(np.flatnonzero(form.sums[:, 2] == form.sums[i, 2])[0]) for i in held]
        ]
        assert np.isnan(form.statistic(drawn.sum(axis=0, keepdims=True))[0])


def test_other_metrics_have_no_known_sums() -> None:
    codes = np.array([0, 1])
    assert additive(spearman, ([1, 2], [1, 2]), codes) is None
    assert additive(lambda x, y: accuracy(x, y), ([1, 2], [1, 2]), codes) is None
    assert additive(partial(cohen_kappa, [1, 2]), ([1, 2],), codes) is None


def test_an_interval_without_width_is_taken_away() -> None:
    wide = Estimate(0.5, 0.4, 0.6, n=9)
    assert without_width(wide) is wide
    missing = Estimate.missing("no rows", 0)
    assert without_width(missing) is missing
    assert without_width(Estimate(3.0, 3.0, 3.0, n=9)).low is None
