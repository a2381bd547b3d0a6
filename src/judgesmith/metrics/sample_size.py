"""How many labels an interval needs, from the interval that the labels at hand give.

Both functions scale the clustered standard error that was observed. It shrinks with the square
root of the number of rows, so

    n_needed = n * (se / se_allowed) ** 2, rounded up

This holds when further rows are like those at hand: same questions-to-rows ratio, same mix of
buckets and labels, and an estimate that stays where it is. It is a plan, not a promise. `n` counts
rows of the estimate (for a difference of two slices, both together in their present shares).
"""

import math

from judgesmith.errors import DataError
from judgesmith.metrics.result import Estimate


def labels_for_half_width(estimate: Estimate, half_width: float) -> int | None:
    """Labels in all for an interval of at most plus or minus `half_width`, at its own confidence.

    Formula: n * ((high - low) / 2 / half_width) ** 2, rounded up, at least 1.

    Returns:
        The number in all, those at hand included, or None without an interval to scale.

    Raises:
        DataError: half_width is not above 0.

    Half the width needs four times the labels:

    >>> labels_for_half_width(Estimate(0.6, 0.5, 0.7, n=200), 0.05)
    800
    """
    if not half_width > 0:
        raise DataError(f"half_width: expected a number above 0, found {half_width!r}")
    if estimate.low is None or estimate.high is None:
        return None
    return _scaled(estimate.n, (estimate.high - estimate.low) / 2, half_width)


def labels_for_lower_bound(estimate: Estimate, threshold: float) -> int | None:
    """Labels in all until the lower end of the interval reaches `threshold`.

    Formula: n * ((value - low) / (value - threshold)) ** 2, rounded up, at least 1. The distance
    to the lower end is used rather than half of the width, so that the answer is at most n
    exactly when the lower end reaches the threshold already.

    Returns:
        The number in all, those at hand included. None when the value itself is at or below
        the threshold (no number of such labels would do), is undefined, or has no interval.

    Raises:
        DataError: the threshold is not finite.

    The lower end is .15 below the value and may be .05 below it: 100 * 3**2 = 900 labels:

    >>> labels_for_lower_bound(Estimate(0.65, 0.5, 0.75, n=100), 0.6)
    900
    >>> labels_for_lower_bound(Estimate(0.55, 0.4, 0.7, n=100), 0.6)
    """
    if not math.isfinite(threshold):
        raise DataError(f"threshold: expected a finite number, found {threshold!r}")
    if estimate.value is None or estimate.low is None or estimate.value <= threshold:
        return None
    return _scaled(estimate.n, estimate.value - estimate.low, estimate.value - threshold)


def _scaled(n: int, observed: float, allowed: float) -> int:
    # Rounding error of a few ulp must not add a label to a whole number.
    return max(1, math.ceil(n * (observed / allowed) ** 2 * (1 - 1e-12)))
