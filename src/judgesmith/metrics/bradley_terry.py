"""Strengths of systems from a table of wins: the Bradley-Terry model, fitted exactly.

The model (Zermelo 1929; Bradley and Terry 1952): system i is preferred to j with probability
1 / (1 + exp(s(j) - s(i))). A tie counts as half a win for each, which keeps one parameter per
system; decision 0033 says why not Rao and Kupper. Strengths are natural log-odds with mean zero
over the systems, so only their differences mean something.

The likelihood has a finite maximum only where no group of systems won every comparison with the
others (Ford 1957): the wins, drawn as arrows, must lead from every system to every other.
"""

import numpy as np
from numpy.typing import NDArray

from judgesmith.metrics.coding import FloatArray

_STEPS = 60
_CLOSE = 1e-12


def bradley_terry(wins: FloatArray) -> FloatArray | None:
    """Strengths that make these wins likeliest, by Newton's method; None where there are none.

    Args:
        wins: shape (m, m), how often the row's system won against the column's; ties are halves.

    Three wins of four: log 3 apart, mean zero:

    >>> bradley_terry(np.array([[0.0, 3.0], [1.0, 0.0]])).round(6).tolist()
    [0.549306, -0.549306]
    >>> bradley_terry(np.array([[0.0, 3.0], [0.0, 0.0]])) is None
    True
    """
    found = strengths(np.asarray(wins, dtype=np.float64)[None])[0]
    return None if np.isnan(found).any() else found


def strengths(wins: FloatArray) -> FloatArray:
    """`bradley_terry` of many tables at once, shape (B, m, m) to (B, m); NaN where there is none.

    >>> strengths(np.array([[[0, 3.0], [1, 0]], [[0, 2.0], [0, 0]]])).round(6).tolist()
    [[0.549306, -0.549306], [nan, nan]]
    """
    count, m = wins.shape[0], wins.shape[1]
    found = np.full((count, m), np.nan)
    good = np.flatnonzero(_strongly_connected(wins))
    if m > 1 and len(good):
        found[good] = _newton(wins[good])
    elif m == 1:
        found[:] = 0.0
    return found


def _newton(wins: FloatArray) -> FloatArray:
    """Newton's method with halved steps: the log-likelihood is concave, so no step may lower it."""
    count, m = wins.shape[0], wins.shape[1]
    met = wins + wins.swapaxes(1, 2)
    won = wins.sum(axis=2)
    s = np.zeros((count, m))
    value = _log_likelihood(wins, s)
    for _ in range(_STEPS):
        chance = _chance(s)
        slope = won - (met * chance).sum(axis=2)
        weight = met * chance * (1 - chance)
        curve = -weight
        curve[:, np.arange(m), np.arange(m)] += weight.sum(axis=2)
        # The sum of strengths is free; adding 1 everywhere holds it at zero.
        step = np.linalg.solve(curve + 1.0, slope[:, :, None])[:, :, 0]
        size = np.ones((count, 1))
        tried = s + step
        after = _log_likelihood(wins, tried)
        while (worse := after < value - _CLOSE * np.abs(value)).any():
            size[worse] /= 2
            tried = s + size * step
            after = _log_likelihood(wins, tried)
        s, value = tried, after
        if np.abs(step).max() < _CLOSE:
            break
    centred: FloatArray = s - s.mean(axis=1, keepdims=True)
    return centred


def _chance(s: FloatArray) -> FloatArray:
    from scipy.special import expit  # slow to load

    found: FloatArray = expit(s[:, :, None] - s[:, None, :])
    return found


def _log_likelihood(wins: FloatArray, s: FloatArray) -> FloatArray:
    gap = s[:, :, None] - s[:, None, :]
    found: FloatArray = -(wins * np.logaddexp(0.0, -gap)).sum(axis=(1, 2))
    return found


def _strongly_connected(wins: FloatArray) -> NDArray[np.bool_]:
    """Whether wins lead from every system to every other, for each table."""
    m = wins.shape[1]
    reach = (wins > 0) | np.eye(m, dtype=bool)
    for _ in range(max(1, (m - 1).bit_length())):
        reach = (reach.astype(np.float32) @ reach.astype(np.float32)) > 0
    connected: NDArray[np.bool_] = np.asarray(reach.all(axis=(1, 2)))
    return connected
