"""Shares of counted rows, as the metrics of order, style, consistency and fidelity report them."""

from collections.abc import Hashable, Sequence
from dataclasses import replace

from judgesmith.metrics.interval import ratio_interval
from judgesmith.metrics.perfect import bound_share, bound_signed
from judgesmith.metrics.resample import Resampling
from judgesmith.metrics.result import Estimate


def share_interval(
    above: Sequence[int],
    below: Sequence[int],
    clusters: Sequence[Hashable],
    plan: Resampling,
    nothing: str,
) -> Estimate:
    """Sum of one count over sum of another, over the clusters that hold a row that counts.

    Where all rows or none are hits, every resample is the same; the interval is then the Wilson
    bound of `perfect`.

    Args:
        above: what each row adds to the numerator, 0 to `below` of the same row.
        below: what each row adds to the denominator; the estimate's `n` is their sum.
        clusters: the question of each row.
        plan: settings of the bootstrap.
        nothing: the reason to give when the denominator is 0.

    Two clusters count, the third does not. Both have a hit, so the interval ends at 1 and starts
    at 1 - z*z / (2 + z*z) = 2 / 5.841459:

    >>> found = share_interval([1, 1, 0], [1, 1, 0], "abc", Resampling(seed=1), "no rows")
    >>> found.value, round(found.low, 5), found.n, found.clusters
    (1.0, 0.34238, 2, 2)
    """
    found = _counted(above, below, clusters, plan, nothing)
    return bound_share(found, found.clusters or 0)


def hit_share(
    hits: Sequence[bool], clusters: Sequence[Hashable], plan: Resampling, nothing: str
) -> Estimate:
    """Share of rows that are hits: `share_interval` where every row counts.

    >>> hit_share([True, False], "ab", Resampling(seed=1), "no rows").value
    0.5
    """
    return share_interval([int(hit) for hit in hits], [1] * len(hits), clusters, plan, nothing)


def signed_interval(
    above: Sequence[int],
    below: Sequence[int],
    clusters: Sequence[Hashable],
    plan: Resampling,
    nothing: str,
) -> Estimate:
    """The same as `share_interval` for rows that add -1, 0 or 1 to the numerator.

    >>> found = signed_interval([0, 0, 0], [1, 1, 1], "abc", Resampling(seed=1), "no rows")
    >>> found.value, round(found.low, 5), round(found.high, 5)
    (0.0, -0.5615, 0.5615)
    """
    found = _counted(above, below, clusters, plan, nothing)
    return bound_signed(found, found.clusters or 0)


def _counted(
    above: Sequence[int],
    below: Sequence[int],
    clusters: Sequence[Hashable],
    plan: Resampling,
    nothing: str,
) -> Estimate:
    """Resample the clusters that hold a row that counts."""
    kept = [i for i, count in enumerate(below) if count > 0]
    return ratio_interval(
        [above[i] for i in kept],
        [below[i] for i in kept],
        [clusters[i] for i in kept],
        plan,
        nothing,
    )


def mirrored(share: Estimate) -> Estimate:
    """Return 1 minus a share, with the interval mirrored.

    >>> found = mirrored(Estimate(0.75, 0.5, 1.0, n=4))
    >>> found.value, found.low, found.high
    (0.25, 0.0, 0.5)
    """
    if share.value is None:
        return share
    low, high = share.low, share.high
    return replace(
        share,
        value=1 - share.value,
        low=None if high is None else 1 - high,
        high=None if low is None else 1 - low,
    )
