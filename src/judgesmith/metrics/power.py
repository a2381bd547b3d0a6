"""What a comparison of two judges could have found: power and the least detectable difference.

"No significant difference" says little without the difference that would have been found. How
many labels an interval needs is in `sample_size`.
"""

from statistics import NormalDist

import numpy as np

from judgesmith.errors import DataError
from judgesmith.metrics.resample import check_confidence
from judgesmith.metrics.result import Estimate

_NEGLIGIBLE = 1e-12
_STEPS = 60  # halvings; leaves the answer exact to the last digit
_MOST_PRECISE = 1e-12


def mcnemar_power(
    n: int, discordant_share: float, difference: float, *, alpha: float = 0.05
) -> Estimate:
    """Chance that the exact McNemar test finds the better of two judges to be better, 0 to 1.

    Formula: the number m of items on which exactly one judge is right is binomial(n, s) with s
    the discordant share; of these the better one wins each with p = (s + d) / (2s), d being its
    lead in accuracy. With c(m) the most losses at which `mcnemar_p` is at most alpha,

        power = sum over m of P(m) * P(binomial(m, 1 - p) <= c(m))

    This is the unconditional power of the exact conditional test (Duffy 1984), computed and not
    approximated. A rejection in favour of the worse judge does not count. Items are taken as
    independent: where several rest on one question, n is nearer to the number of questions.

    Args:
        n: items compared.
        discordant_share: share of items on which exactly one judge is right, above 0.
        difference: accuracy of the better minus accuracy of the other, 0 to `discordant_share`.
        alpha: two-sided level of the test.

    Raises:
        DataError: a number out of range.

    With all of 6 items discordant only 6 to 0 has p <= .05 (2/64), so power is p**6, .95**6 here:

    >>> round(mcnemar_power(6, 1.0, 0.9).value, 6)
    0.735092
    """
    _check(n, discordant_share, alpha)
    if not 0 <= difference <= discordant_share:
        raise DataError(
            f"difference: expected 0 to the discordant share {discordant_share!r}, "
            f"found {difference!r}"
        )
    if n == 0:
        return Estimate.missing("there are no items", n=0)
    return Estimate.of(_Test(n, discordant_share, alpha).power(difference), n)


def minimum_detectable_difference(
    n: int, discordant_share: float, *, alpha: float = 0.05, power: float = 0.8
) -> Estimate:
    """Least lead in accuracy that the exact McNemar test finds with the stated power, 0 to 1.

    The difference d at which `mcnemar_power(n, discordant_share, d)` reaches `power`, found by
    halving. For large n it is near (z_a * sqrt(s) + z_b * sqrt(s - d*d)) / sqrt(n) with s the
    discordant share, z_a and z_b the normal quantiles at 1 - alpha/2 and `power` (Connor 1987);
    the exact test needs a little more.

    Undefined without items, and when even judges of which one is right on every discordant item
    would be told apart more rarely than `power`.

    Args:
        n: items compared; see `mcnemar_power` for items that share questions.
        discordant_share: share of items on which exactly one judge is right, above 0.
        alpha: two-sided level of the test.
        power: chance with which the difference is to be found, above alpha.

    Raises:
        DataError: a number out of range.

    All of 6 items discordant, power p**6 = .8: p = .8**(1/6) = .963492 and d = 2p - 1:

    >>> round(minimum_detectable_difference(6, 1.0).value, 6)
    0.926985
    >>> minimum_detectable_difference(5, 1.0).undefined
    'even with every discordant item won by one judge the test finds it with a chance of 0.000'
    """
    _check(n, discordant_share, alpha)
    if not alpha < power < 1:
        raise DataError(f"power: expected above alpha={alpha!r} and below 1, found {power!r}")
    if n == 0:
        return Estimate.missing("there are no items", n=0)
    test = _Test(n, discordant_share, alpha)
    most = test.power(discordant_share)
    if most < power:
        few = "even with every discordant item won by one judge the test finds it"
        return Estimate.missing(f"{few} with a chance of {most:.3f}", n)
    low, high = 0.0, discordant_share
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if test.power(middle) >= power else (middle, high)
    return Estimate.of(high, n)


def detectable_from_interval(difference: Estimate, *, power: float = 0.8) -> Estimate:
    """Least true difference that a comparison as precise as this one finds, in its own unit.

    For a paired difference of any metric (kappa, correlation) with a clustered interval. A
    difference is found when its interval excludes 0. With h half of the width, taken as z_a
    standard errors, that happens with the stated power at

        h * (1 + z_b / z_a),  z_a and z_b the normal quantiles at (1 + confidence)/2 and `power`

    The normal approximation of a difference whose standard error stays what it is (Bloom 1995).

    Undefined without an interval, and for one without width.

    Args:
        difference: the difference with its interval; its value plays no part.
        power: chance with which it is to be found, at least 1/2.

    Raises:
        DataError: power out of range, or an interval whose confidence is not stated.

    Half width .1, z_a = 1.959964, z_b = .841621: .1 * 1.429406:

    >>> gap = Estimate(0.02, -0.08, 0.12, n=300, confidence=0.95)
    >>> round(detectable_from_interval(gap).value, 6)
    0.142941
    """
    if not 0.5 <= power < 1:
        raise DataError(f"power: expected at least 0.5 and below 1, found {power!r}")
    if difference.low is None or difference.high is None:
        reason = difference.undefined or difference.no_interval or "none was asked for"
        return Estimate.missing(f"there is no interval: {reason}", difference.n)
    if difference.confidence is None:
        raise DataError("expected an interval with its confidence, found confidence=None")
    half = (difference.high - difference.low) / 2
    if half < _MOST_PRECISE:
        return Estimate.missing("the interval has no width", difference.n)
    normal = NormalDist()
    ratio = normal.inv_cdf(power) / normal.inv_cdf((1 + difference.confidence) / 2)
    return Estimate.of(half * (1 + ratio), difference.n)


def _check(n: int, discordant_share: float, alpha: float) -> None:
    check_confidence(1 - alpha)
    if n < 0 or not 0 < discordant_share <= 1:
        raise DataError(
            "expected n >= 0 and a discordant share above 0 and at most 1, found "
            f"n={n!r}, discordant_share={discordant_share!r}"
        )


class _Test:
    """The exact McNemar test on n items, prepared for many differences."""

    def __init__(self, n: int, share: float, alpha: float) -> None:
        from scipy.special import bdtr  # both are slow to load
        from scipy.stats import binom

        self._share = share
        counts = binom(n, share)
        few, many = counts.ppf(_NEGLIGIBLE), counts.ppf(1 - _NEGLIGIBLE)
        discordant = np.arange(max(0, int(few)), int(many) + 1)
        least = np.asarray(binom.ppf(alpha / 2, discordant, 0.5), dtype=np.float64)
        losses = least - (2 * bdtr(least, discordant, 0.5) > alpha)
        rejects = losses >= 0
        self._discordant, self._losses = discordant[rejects], losses[rejects]
        self._weights = counts.pmf(discordant)[rejects]

    def power(self, difference: float) -> float:
        from scipy.special import bdtr

        lost = (1 - difference / self._share) / 2
        found = self._weights @ bdtr(self._losses, self._discordant, lost)
        return min(1.0, float(found))
