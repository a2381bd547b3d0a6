import pytest

from judgesmith.metrics import Slice, cluster_bootstrap_kappa, slice_kappa_difference


def test_a_perfect_slice_leaves_doubt_about_the_drop() -> None:
    """Both slices perfect: d = 0, and the ends are the two bounds themselves."""
    y = ["A", "B"] * 15
    first, second = Slice(y, y, range(30)), Slice(y, y, range(30, 60))
    gap = slice_kappa_difference(first, second, seed=1, resamples=100)
    alone = cluster_bootstrap_kappa(y, y, range(30), seed=1, resamples=100)
    assert alone.low is not None
    assert gap.value == 0.0
    assert (gap.low, gap.high) == pytest.approx((alone.low - 1, 1 - alone.low), abs=1e-9)


def test_a_perfect_slice_beside_another_widens_the_difference() -> None:
    y, x = ["A", "B"] * 15, ["A", "B"] * 13 + ["B", "A"] * 2
    perfect, weak = Slice(y, y, range(30)), Slice(x, y, range(30, 60))
    gap = slice_kappa_difference(weak, perfect, seed=1, resamples=500)
    own = cluster_bootstrap_kappa(x, y, range(30), seed=1, resamples=500)
    assert gap.low is not None
    assert gap.high is not None
    assert own.low is not None
    assert own.high is not None
    assert gap.low == pytest.approx(own.low - 1, abs=0.03)
    assert gap.high > own.high - 1
    turned = slice_kappa_difference(perfect, weak, seed=1, resamples=500)
    assert (turned.low, turned.high) == pytest.approx((-gap.high, -gap.low), abs=0.03)
