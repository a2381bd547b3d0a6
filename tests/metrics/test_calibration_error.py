import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from judgesmith.errors import DataError
from judgesmith.metrics.calibration_error import expected_calibration_error
from judgesmith.metrics.interval import wilson
from judgesmith.metrics.perfect import NO_SPREAD

rows_of = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.5, 0.7, 0.9, 1.0]), st.booleans()),
    min_size=1,
    max_size=40,
)


def simulated(seed: int, n: int) -> tuple[list[float], list[bool]]:
    draw = np.random.default_rng(seed)
    stated = draw.beta(4, 2, n)
    return stated.tolist(), (draw.random(n) < 0.5 + (stated - 0.5) * 0.6).tolist()


@pytest.mark.parametrize("binning", ["width", "mass"])
@pytest.mark.parametrize("bins", [5, 10])
def test_bins_equal_scikit_learn(binning: str, bins: int) -> None:
    stated, right = simulated(bins, 200)
    found = expected_calibration_error(stated, right, bins=bins, binning=binning)
    strategy = {"width": "uniform", "mass": "quantile"}[binning]
    shares, means = calibration_curve(right, stated, n_bins=bins, strategy=strategy)
    used = [b for b in found.bins if b.n]
    assert [b.share_right.value for b in used] == pytest.approx(shares.tolist(), abs=1e-9)
    assert [b.mean_confidence for b in used] == pytest.approx(means.tolist(), abs=1e-9)
    weights = np.array([b.n for b in used]) / 200
    assert float(found) == pytest.approx(float((weights * abs(shares - means)).sum()), abs=1e-9)
    if binning == "mass":
        assert {b.n for b in used} == {200 // bins}


def test_edges_by_hand() -> None:
    """Ten bins: .3 belongs to (.2, .3], 0 to the first, 1 to the last; the others are empty."""
    found = expected_calibration_error([0.3, 0.0, 1.0], [True, False, True])
    assert [b.n for b in found.bins] == [1, 0, 1, 0, 0, 0, 0, 0, 0, 1]
    assert found.value == pytest.approx(0.7 / 3)
    empty = found.bins[1]
    assert (empty.low, empty.high, empty.mean_confidence) == (0.1, 0.2, None)
    assert empty.share_right.undefined == "there are no rows"
    assert found.bins[2].share_right == wilson(1, 1)
    assert (found.binning, found.asked_bins) == ("width", 10)


def test_equal_confidences_stay_in_one_mass_bin() -> None:
    """Seven rows at .5 of ten: two bins asked, middles of ranks 3.5, 7.5, 8.5, 9.5 of 10."""
    stated = [0.5] * 7 + [0.6, 0.7, 0.8]
    found = expected_calibration_error(stated, [True] * 10, bins=2, binning="mass")
    assert [(b.low, b.high, b.n) for b in found.bins] == [(0.5, 0.5, 7), (0.6, 0.8, 3)]


def test_noise_by_hand() -> None:
    """Four rows at .5 in one bin: sqrt(2/pi * 1) / 4."""
    found = expected_calibration_error([0.5] * 4, [True, False] * 2, bins=1)
    assert found.noise == pytest.approx(np.sqrt(2 / np.pi) / 4)
    assert found.value == 0.0


def test_noise_is_the_mean_error_of_calibrated_confidences() -> None:
    draw = np.random.default_rng(0)
    stated = draw.beta(4, 2, 500)
    errors = [
        float(expected_calibration_error(stated.tolist(), (draw.random(500) < stated).tolist()))
        for _ in range(300)
    ]
    noise = expected_calibration_error(stated.tolist(), [True] * 500).noise
    assert np.mean(errors) == pytest.approx(noise, rel=0.06)


@pytest.mark.parametrize("squeeze", [1.0, 0.7, 0.3])
def test_interval_covers_the_error_of_the_bins(squeeze: float) -> None:
    """The truth is the error of the same bins with half a million rows; 1.0 is calibrated."""
    big = np.random.default_rng(9).beta(4, 2, 500_000)
    chance = 0.5 + (big - 0.5) * squeeze
    codes = np.minimum((big * 10).astype(int), 9)
    truth = np.abs(np.bincount(codes, big - chance)).sum() / len(big)
    covered, reps = 0, 200
    for seed in range(reps):
        draw = np.random.default_rng(seed)
        stated = draw.beta(4, 2, 400)
        right = draw.random(400) < 0.5 + (stated - 0.5) * squeeze
        found = expected_calibration_error(
            stated.tolist(), right.tolist(), clusters=range(400), seed=seed, resamples=300
        )
        covered += found.error.low <= truth <= found.error.high
        assert found.error.low <= found.value <= found.error.high
    assert covered / reps >= 0.9


@settings(deadline=None, max_examples=60)
@given(rows_of, st.integers(1, 12), st.sampled_from(["width", "mass"]), st.randoms())
def test_row_order_and_duplicates_change_nothing(rows, bins, binning, random) -> None:
    stated, right = [c for c, _ in rows], [r for _, r in rows]
    clusters = [i // 2 for i in range(len(rows))]
    found = expected_calibration_error(
        stated, right, bins=bins, binning=binning, clusters=clusters, seed=1, resamples=40
    )
    order = random.sample(range(len(rows)), len(rows))
    moved = expected_calibration_error(
        [stated[i] for i in order],
        [right[i] for i in order],
        bins=bins,
        binning=binning,
        clusters=[clusters[i] for i in order],
        seed=1,
        resamples=40,
    )
    assert moved.value == pytest.approx(found.value, abs=1e-12)
    assert (moved.error.low is None) == (found.error.low is None)
    if found.error.low is not None:
        assert (moved.error.low, moved.error.high) == pytest.approx(
            (found.error.low, found.error.high), abs=1e-9
        )
    twice = expected_calibration_error(stated * 2, right * 2, bins=bins, binning=binning)
    assert twice.value == pytest.approx(found.value, abs=1e-12)
    assert sum(b.n for b in found.bins) == len(rows)
    assert 0 <= found.value <= 1


def test_undefined_and_refused() -> None:
    none = expected_calibration_error([], [], clusters=[], seed=1)
    assert none.error.undefined == "there are no rows"
    assert (none.noise, none.bins) == (None, ())
    with pytest.raises(DataError, match="undefined"):
        float(none)
    same = expected_calibration_error([0.75] * 5, [True] * 5, clusters=range(5), seed=1)
    assert same.error.no_interval == NO_SPREAD
    with pytest.raises(DataError, match="bins=0"):
        expected_calibration_error([0.5], [True], bins=0)
    with pytest.raises(DataError, match="binning='equal'"):
        expected_calibration_error([0.5], [True], binning="equal")
    with pytest.raises(DataError, match="0 to 1"):
        expected_calibration_error([-0.1], [True])
    with pytest.raises(DataError, match="not offered"):
        expected_calibration_error(
            [0.2, 0.9], [True, False], clusters="ab", seed=1, resamples=20, method="bca"
        )
