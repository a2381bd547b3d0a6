from math import sqrt
from statistics import NormalDist

import numpy as np
import pytest

from judgesmith.errors import DataError
from judgesmith.metrics import Estimate
from judgesmith.metrics.paired import mcnemar_p
from judgesmith.metrics.power import (
    detectable_from_interval,
    mcnemar_power,
    minimum_detectable_difference,
)


@pytest.mark.parametrize(
    ("n", "share", "lead", "alpha"),
    [(60, 0.3, 0.15, 0.05), (240, 0.12, 0.06, 0.05), (240, 0.12, 0.08, 0.01), (25, 0.6, 0.4, 0.1)],
)
def test_power_equals_a_simulation(n: int, share: float, lead: float, alpha: float) -> None:
    """6,000 comparisons, each through `mcnemar_p`: the standard error is at most .0065."""
    draw = np.random.default_rng(n)
    counts = draw.multinomial(n, [(share + lead) / 2, (share - lead) / 2, 1 - share], 6000)
    found = [g > lost and mcnemar_p(g, lost) <= alpha for g, lost, _ in counts.tolist()]
    assert float(mcnemar_power(n, share, lead, alpha=alpha)) == pytest.approx(
        float(np.mean(found)), abs=0.025
    )


@pytest.mark.parametrize(
    ("n", "share", "power"), [(60, 0.4, 0.8), (500, 0.1, 0.9), (240, 1.0, 0.5)]
)
def test_the_least_difference_has_the_power_asked_for(n: int, share: float, power: float) -> None:
    least = float(minimum_detectable_difference(n, share, power=power))
    assert float(mcnemar_power(n, share, least)) == pytest.approx(power, abs=1e-9)
    assert float(mcnemar_power(n, share, least * 0.99)) < power


@pytest.mark.parametrize(("n", "share"), [(2000, 0.1), (20_000, 0.3), (100_000, 0.05)])
def test_large_samples_approach_the_normal_formula(n: int, share: float) -> None:
    """Connor 1987: d * sqrt(n) = z_a * sqrt(s) + z_b * sqrt(s - d*d), solved by repetition."""
    z_a, z_b = NormalDist().inv_cdf(0.975), NormalDist().inv_cdf(0.8)
    lead = 0.0
    for _ in range(100):
        lead = (z_a * sqrt(share) + z_b * sqrt(share - lead * lead)) / sqrt(n)
    found = float(minimum_detectable_difference(n, share))
    assert lead < found < 1.06 * lead


def test_more_items_and_fewer_discordant_ones_find_less() -> None:
    by_n = [float(minimum_detectable_difference(n, 0.2)) for n in (50, 100, 200, 400)]
    assert by_n == sorted(by_n, reverse=True)
    by_share = [float(minimum_detectable_difference(300, s)) for s in (0.05, 0.1, 0.2, 0.4)]
    assert by_share == sorted(by_share)
    assert float(mcnemar_power(200, 0.2, 0.0)) < 0.025


def test_published_comparison_could_not_find_what_it_claimed() -> None:
    """Sixty pairs, 1 gained and 3 lost: four discordant items can never be significant."""
    assert "with a chance of" in str(minimum_detectable_difference(60, 4 / 60).undefined)
    assert mcnemar_p(0, 4) > 0.05
    enough = minimum_detectable_difference(600, 4 / 60)
    assert (enough.n, enough.undefined) == (600, None)


def test_detectable_from_an_interval() -> None:
    """Standard error .05: half width .098; a true .14 lies 2.8 errors from 0: power 80%."""
    half = 0.05 * NormalDist().inv_cdf(0.975)
    gap = Estimate(0.01, 0.01 - half, 0.01 + half, n=50, confidence=0.95)
    found = float(detectable_from_interval(gap))
    draw = np.random.default_rng(1).normal(found, 0.05, 200_000)
    assert float((draw - half > 0).mean()) == pytest.approx(0.8, abs=0.004)
    assert float(detectable_from_interval(gap, power=0.5)) == pytest.approx(half, abs=1e-12)


def test_no_interval_nothing_detectable() -> None:
    missing = detectable_from_interval(Estimate.missing("no rows", 0))
    assert missing.undefined == "there is no interval: no rows"
    bare = detectable_from_interval(Estimate.of(0.1, 5))
    assert bare.undefined == "there is no interval: none was asked for"
    flat = Estimate(0.0, 0.0, 0.0, n=4, confidence=0.95)
    assert detectable_from_interval(flat).undefined == "the interval has no width"
    with pytest.raises(DataError, match="confidence=None"):
        detectable_from_interval(Estimate(0.0, -0.1, 0.1, n=4))


def test_numbers_out_of_range_are_refused() -> None:
    assert mcnemar_power(0, 0.5, 0.1).undefined == "there are no items"
    assert minimum_detectable_difference(0, 0.5).undefined == "there are no items"
    with pytest.raises(DataError, match="discordant_share=0"):
        minimum_detectable_difference(10, 0)
    with pytest.raises(DataError, match=r"discordant share 0\.1, found 0\.2"):
        mcnemar_power(10, 0.1, 0.2)
    with pytest.raises(DataError, match="power: expected above alpha"):
        minimum_detectable_difference(10, 0.1, power=0.01)
    with pytest.raises(DataError, match=r"power: expected at least 0\.5"):
        detectable_from_interval(Estimate(0, -1, 1, n=4, confidence=0.9), power=0.2)
    with pytest.raises(DataError, match="confidence between 0 and 1"):
        mcnemar_power(10, 0.1, 0.1, alpha=0.0)
