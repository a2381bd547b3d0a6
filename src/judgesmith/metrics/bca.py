"""The bias-corrected and accelerated (BCa) bootstrap interval, from replicates and a jackknife.

The percentile interval is off when the replicates are skewed or lie to one side of the estimate,
as those of a kappa near 1 are. BCa shifts the two quantiles that are read off the same replicates
(Efron 1987, Better bootstrap confidence intervals):

    end(t) = quantile of the replicates at  Phi(z0 + (z0 + t) / (1 - a * (z0 + t)))
    t      = -z and +z, z the normal quantile at (1 + confidence) / 2
    z0     = the normal quantile of the share of replicates below the estimate (equal ones half)
    a      = sum over clusters of u**3 / (6 * (sum over clusters of u**2) ** 1.5)

with u = (mean of the leave-one-cluster-out values) - (the value without this cluster), times
(C - 1) / C for a sample of C clusters. The factor matters only where several independent samples
are put together.
"""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from judgesmith.metrics.coding import FloatArray

_NORMAL = NormalDist()
_ROUNDING = 1e-9  # of the spread: replicates that differ from the estimate by less are equal to it


def acceleration(left_out: Sequence[FloatArray]) -> float:
    """The constant `a` above; 0 where leaving out a cluster never changes anything.

    Args:
        left_out: for each independent sample, the values without each of its clusters.

    Without 1, 2 or 6 of them the mean of (1, 2, 6) is 4, 3.5 or 1.5, and u is -1, -.5, 1.5:
    (-1 - .125 + 3.375) / (6 * 3.5**1.5) = 2.25 / 39.2874

    >>> round(acceleration([np.array([4.0, 3.5, 1.5])]), 6)
    0.05727
    """
    cubes = squares = 0.0
    for given in left_out:
        values = np.sort(given)  # so that sums do not depend on the order in which clusters arrive
        pull = (values.mean() - values) * (1 - 1 / len(values))
        cubes += float((pull**3).sum())
        squares += float((pull**2).sum())
    return 0.0 if squares == 0.0 else cubes / (6 * squares**1.5)


def bca_ends(
    values: FloatArray, point: float, left_out: Sequence[FloatArray], confidence: float
) -> tuple[float, float] | str:
    """The two ends of the BCa interval, or the reason why there is none.

    There is none when leaving out some cluster leaves the metric undefined, when all replicates
    lie on one side of the estimate, and when the acceleration is too large for the formula.

    Args:
        values: replicates, all defined.
        point: the estimate.
        left_out: as in `acceleration`.
        confidence: level, between 0 and 1.

    Without bias (z0 = 0) and acceleration it is the percentile interval:

    >>> low, high = bca_ends(np.linspace(0, 1, 101), 0.5, [np.array([0.4, 0.6])], 0.9)
    >>> round(low, 6), round(high, 6)
    (0.05, 0.95)
    """
    if any(np.isnan(part).any() for part in left_out):
        return "without one of the clusters the metric is undefined, so BCa has no jackknife"
    equal = np.abs(values - point) <= _ROUNDING * float(np.ptp(values))
    below = float((values[~equal] < point).sum() + equal.sum() / 2) / len(values)
    if not 0 < below < 1:
        return "all resamples lie on one side of the value, so BCa has no bias correction"
    shift, bend = _NORMAL.inv_cdf(below), acceleration(left_out)
    z = _NORMAL.inv_cdf((1 + confidence) / 2)
    levels = []
    for side in (-z, z):
        squeeze = 1 - bend * (shift + side)
        if squeeze <= 0:
            return f"the acceleration {bend:.3g} is too large for BCa"
        levels.append(_NORMAL.cdf(shift + (shift + side) / squeeze))
    low, high = np.quantile(values, levels)
    return float(low), float(high)
