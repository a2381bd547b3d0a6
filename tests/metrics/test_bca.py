import numpy as np
import pytest
import scipy.stats
from numpy.typing import NDArray

from judgesmith.errors import DataError
from judgesmith.metrics import (
    Estimate,
    Slice,
    cluster_bootstrap_accuracy,
    cluster_bootstrap_kappa,
    cohen_kappa,
    paired_bootstrap_kappa_difference,
    paired_bootstrap_rate_difference,
    slice_kappa_difference,
)
from judgesmith.metrics.agreement import cells, kappa_of_counts
from judgesmith.metrics.bca import acceleration, bca_ends
from judgesmith.metrics.resample import (
    Resampling,
    cell_counts,
    ratio,
    with_interval,
    without_each,
)

BCA = "BCa bootstrap over clusters"
Codes = NDArray[np.int64]


def judged(seed: int, n: int, right: float = 0.8) -> tuple[Codes, Codes]:
    draw = np.random.default_rng(seed)
    y = draw.choice(3, n, p=[0.5, 0.3, 0.2])
    wrong = (y + draw.integers(1, 3, n)) % 3
    return np.where(draw.random(n) < right, y, wrong), y


def kappa(x: Codes, y: Codes) -> float:
    """Scalar kappa for SciPy's loop."""
    return float(cohen_kappa(x.tolist(), y.tolist()))


def scipy_bca(x: Codes, y: Codes, resamples: int, confidence: float):  # type: ignore[no-untyped-def]
    return scipy.stats.bootstrap(
        (x, y),
        kappa,
        paired=True,
        vectorized=False,
        n_resamples=resamples,
        confidence_level=confidence,
        method="BCa",
        rng=np.random.default_rng(7),
    )


def one_row_tables(x: Codes, y: Codes) -> Codes:
    return cell_counts(cells(x.tolist(), y.tolist())[0], 9, np.arange(len(x)))


@pytest.mark.parametrize(("seed", "confidence"), [(1, 0.95), (2, 0.9), (3, 0.99)])
def test_the_ends_equal_scipy_on_the_same_replicates(seed: int, confidence: float) -> None:
    x, y = judged(seed, 80)
    theirs = scipy_bca(x, y, 400, confidence)
    left_out = without_each(one_row_tables(x, y), kappa_of_counts)
    ends = bca_ends(theirs.bootstrap_distribution, kappa(x, y), [left_out], confidence)
    assert ends == pytest.approx(tuple(theirs.confidence_interval), abs=1e-9)


def test_the_whole_interval_equals_scipy_up_to_the_draws() -> None:
    x, y = judged(5, 60, right=0.93)
    theirs = scipy_bca(x, y, 3000, 0.95).confidence_interval
    ours = cluster_bootstrap_kappa(x.tolist(), y.tolist(), range(60), seed=1, method="bca")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.02)
    plain = cluster_bootstrap_kappa(x.tolist(), y.tolist(), range(60), seed=1)
    assert (ours.method, ours.value) == (BCA, plain.value)
    assert ours.low < plain.low - 0.01  # replicates of a high kappa lean; BCa leans back
    assert ours.high < plain.high


def test_two_samples_equal_scipy() -> None:
    """The difference of two means, each sample with its own jackknife."""
    draw = np.random.default_rng(3)
    one, two = draw.exponential(size=20), draw.exponential(2.0, size=31)

    def gap(a, b, axis=-1):  # type: ignore[no-untyped-def]
        return a.mean(axis=axis) - b.mean(axis=axis)

    theirs = scipy.stats.bootstrap((one, two), gap, n_resamples=999, method="BCa", rng=draw)
    ours = bca_ends(
        theirs.bootstrap_distribution,
        float(gap(one, two)),
        [(one.sum() - one) / 19 - two.mean(), one.mean() - (two.sum() - two) / 30],
        0.95,
    )
    assert ours == pytest.approx(tuple(theirs.confidence_interval), abs=1e-9)


def test_the_jackknife_leaves_out_whole_clusters() -> None:
    """Clusters p = 4 of 4, q = 0 of 2, r = 1 of 1 and a second like r: 6/8 in all.

    Without p 2/4, without q 6/6, without either of r 5/7.
    """
    counts = np.array([[4, 4], [0, 2], [1, 1], [1, 1]])
    assert without_each(counts, ratio(0, 1)).tolist() == [2 / 4, 6 / 6, 5 / 7, 5 / 7]


def test_acceleration_by_hand() -> None:
    """Values 1, 1, 4 left out: mean 2, u = (1, 1, -2): (1 + 1 - 8) / (6 * 6**1.5)."""
    assert acceleration([np.array([1.0, 1, 4])]) == pytest.approx(-1 / 6**1.5, abs=1e-15)
    assert acceleration([np.array([2.0, 2])]) == 0.0


def test_why_there_may_be_no_bca_interval() -> None:
    values = np.linspace(0, 1, 100)
    assert "without one of the clusters" in bca_ends(values, 0.5, [np.array([0.1, np.nan])], 0.95)
    assert "one side of the value" in bca_ends(values, 2.0, [np.array([0.1, 0.2])], 0.95)
    skewed = [np.array([0.0] + [1.0] * 500)]
    reason = bca_ends(np.linspace(0, 1, 1000), 0.999, skewed, 0.99999)
    assert reason == "the acceleration 0.166 is too large for BCa"
    found = cluster_bootstrap_kappa(["A", "B", "B"], ["A", "B", "A"], "pqq", seed=1, method="bca")
    assert str(found.no_interval).startswith("without one of the clusters the metric is undefined")
    assert (found.value is None, found.low, found.high) == (False, None, None)


def test_a_number_without_a_jackknife_refuses_bca() -> None:
    plan = Resampling(seed=1, resamples=5, method="bca")
    with pytest.raises(DataError, match="'bca' is not offered for this number"):
        with_interval(Estimate.of(0.5, 4), np.linspace(0, 1, 5), 4, plan)
    with pytest.raises(DataError, match=r"method: expected one of .*found 'basic'"):
        Resampling(seed=1, method="basic")


def test_every_counted_interval_offers_bca() -> None:
    x1, y = judged(1, 90)
    x2 = judged(2, 90)[0]
    clusters = np.repeat(np.arange(30), 3).tolist()
    columns = x1.tolist(), x2.tolist(), y.tolist()
    plain = {"seed": 4, "resamples": 2000}
    half = Slice(columns[0][:45], columns[2][:45], clusters[:45])
    rest = Slice(columns[0][45:], columns[2][45:], clusters[45:])
    hits = [a == b for a, b in zip(x1, y, strict=True)]
    other = [a == b for a, b in zip(x2, y, strict=True)]
    for metric, given in (
        (cluster_bootstrap_kappa, (columns[0], columns[2], clusters)),
        (cluster_bootstrap_accuracy, (columns[0], columns[2], clusters)),
        (paired_bootstrap_kappa_difference, (*columns, clusters)),
        (paired_bootstrap_rate_difference, (hits, other, clusters)),
        (slice_kappa_difference, (half, rest)),
    ):
        found, percentile = metric(*given, **plain, method="bca"), metric(*given, **plain)
        assert found.method == BCA
        assert found.value == percentile.value
        width = percentile.high - percentile.low
        assert (found.low, found.high) == pytest.approx(
            (percentile.low, percentile.high), abs=0.2 * width
        )
        assert metric(*given, **plain, method="bca") == found


def test_bca_covers_where_kappa_is_high() -> None:
    """Truth as below: accuracy .92 evenly wrong, labels .5/.3/.2, 60 rows.

    The judge's shares are .92*s + .04*(1 - s) = .88*s + .04: .48, .304, .216;
    pe = .24 + .0912 + .0432 = .3744, kappa = (.92 - .3744) / .6256 = .872123.
    """
    held = 0
    for seed in range(150):
        x, y = judged(500 + seed, 60, right=0.92)
        found = cluster_bootstrap_kappa(
            x.tolist(), y.tolist(), range(60), seed=seed, resamples=800, method="bca"
        )
        held += found.low is not None and found.low <= 0.872123 <= found.high
    assert held / 150 >= 0.88
