import pytest

from judgesmith.metrics import Estimate, wilson
from judgesmith.metrics.resample import Resampling
from judgesmith.metrics.shares import mirrored, share_interval

PLAN = Resampling(seed=1, resamples=200)


def test_a_share_without_variation_has_the_wilson_bound() -> None:
    """Ten clusters of one row: the ends of Wilson's interval for 10 of 10 and 0 of 10."""
    every = share_interval([1] * 10, [1] * 10, range(10), PLAN, "no rows")
    none = share_interval([0] * 10, [1] * 10, range(10), PLAN, "no rows")
    assert (every.low, every.high) == (pytest.approx(wilson(10, 10).low), 1.0)
    assert (none.low, none.high) == (0.0, pytest.approx(wilson(0, 10).high))


def test_clusters_without_a_row_that_counts_are_not_resampled() -> None:
    some = share_interval([1, 0, 1, 0, 0], [1, 1, 1, 0, 0], "abcde", PLAN, "no rows")
    alone = share_interval([1, 0, 1], [1, 1, 1], "abc", PLAN, "no rows")
    assert some == alone
    nothing = share_interval([0], [0], "a", PLAN, "no rows that count")
    assert nothing.undefined == "no rows that count"


def test_mirroring_a_missing_value_or_interval() -> None:
    assert mirrored(Estimate.missing("no rows", 0)).undefined == "no rows"
    assert mirrored(Estimate.of(0.25, 4)).value == 0.75
    assert mirrored(Estimate.of(0.25, 4)).low is None
