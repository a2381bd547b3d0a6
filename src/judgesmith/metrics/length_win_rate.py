"""Win rate of a system at equal length, by a logistic regression on the length difference."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from judgesmith.errors import DataError
from judgesmith.metrics.coding import FloatArray, IntArray, aligned, cluster_codes
from judgesmith.metrics.resample import check_confidence
from judgesmith.metrics.result import Estimate, Headline

NO_PREFERENCES = "there are no parsed preferences"
ALL_ALIKE = "the length differences hardly vary, so their effect cannot be told from the rest"
SEPARATED = "the preferences are separated by length or all of one kind, so no finite fit exists"
METHOD = "normal on the log odds, sandwich variance of clusters"
_LEAST_SPREAD = 1e-3  # of tanh(d / s); less means that all d lie far to one side of 0


@dataclass(frozen=True, slots=True)
class LengthControlledWinRate(Headline):
    """A win rate as it is and as the fitted model has it at equal length.

    Attributes:
        controlled: win rate at a length difference of 0.
        raw: mean preference.
        slope: what one unit of the length term adds to the log odds of a win; None where the
            fit does not exist. Positive means that being longer helps.
        extrapolated: every response of the system is longer than its opponent's, or every one
            shorter, so that equal length lies outside the data.
        unparsed: rows left out because the preference is None.
    """

    controlled: Estimate
    raw: Estimate
    slope: float | None
    extrapolated: bool
    unparsed: int

    @property
    def headline(self) -> Estimate:
        """The main number: `controlled`."""
        return self.controlled


def length_controlled_win_rate(
    preferences: Sequence[float | None],
    length_difference: Sequence[float],
    clusters: Sequence[Hashable],
    *,
    confidence: float = 0.95,
) -> LengthControlledWinRate:
    """Win rate at equal length, from a logistic regression on the length difference.

    With d the length of the system's response minus that of its opponent and s the standard
    deviation of d (n in the denominator, taken as known), the model is

        log odds of a win = a + b * tanh(d / s)

    fitted by maximum likelihood, and the value is 1 / (1 + exp(-a)). This is the simple form of
    the length-controlled win rate of Dubois et al. 2024 (arXiv 2404.04475), and not the same
    number: theirs also has a term for the difficulty of each instruction, fitted over many
    systems, and a penalty. On 11 systems of their leaderboard this one lies 12 points away on
    average, most where a system is hardly ever as long as its opponent, so that a difference of 0
    is a guess beyond the data. Use it to see whether length carries a win rate, not to reproduce
    a leaderboard.

    The interval is the normal one on the log odds, with the sandwich variance of clusters (small
    sample factor G/(G-1) * (n-1)/(n-parameters)). Undefined without parsed preferences, when d
    hardly varies, and when length separates wins from losses, as no finite fit exists then.

    Args:
        preferences: 1 where the system wins, 0 where it loses, between them for a tie (0.5) or a
            probability; None is unparsed.
        length_difference: length of the system's response minus the opponent's.
        clusters: the question of each row.
        confidence: level of the intervals.

    Raises:
        DataError: different lengths, a preference outside 0 to 1, a difference that is not
            finite, or a confidence out of range.

    The system wins 3 of 4 when longer and 1 of 4 when equally shorter: 1/2 without length:

    >>> found = length_controlled_win_rate(
    ...     [1, 1, 1, 0, 0, 0, 0, 1], [5, 5, 5, 5, -5, -5, -5, -5], range(8))
    >>> found.raw.value, round(found.value, 6), found.slope > 0
    (0.5, 0.5, True)

    It always wins 3 of 4, longer or shorter: 3/4 without length too:

    >>> found = length_controlled_win_rate(
    ...     [1, 1, 1, 0, 1, 1, 1, 0], [5, 5, 5, 5, -5, -5, -5, -5], range(8))
    >>> round(found.value, 6)
    0.75
    """
    check_confidence(confidence)
    aligned(preferences=preferences, length_difference=length_difference, clusters=clusters)
    _check_numbers(preferences, length_difference)
    kept = [i for i, preference in enumerate(preferences) if preference is not None]
    unparsed = len(preferences) - len(kept)
    codes, count = cluster_codes([clusters[i] for i in kept])
    if not kept:
        nothing = Estimate.missing(NO_PREFERENCES, 0, 0)
        return LengthControlledWinRate(nothing, nothing, None, False, unparsed)
    won = np.asarray([preferences[i] for i in kept], dtype=np.float64)
    gaps = np.asarray([length_difference[i] for i in kept], dtype=np.float64)
    extrapolated = bool(gaps.min() > 0 or gaps.max() < 0)
    raw = _raw(won, codes, confidence)
    spread = float(gaps.std())
    term = np.tanh(gaps / spread) if spread > 0 else np.zeros(len(kept))
    reason = _no_fit(term, won)
    if reason is not None:
        missing = Estimate.missing(reason, len(kept), count)
        return LengthControlledWinRate(missing, raw, None, extrapolated, unparsed)
    controlled, slope = _at_zero(term, won, codes, confidence)
    return LengthControlledWinRate(controlled, raw, slope, extrapolated, unparsed)


def _check_numbers(preferences: Sequence[float | None], gaps: Sequence[float]) -> None:
    for position, (preference, gap) in enumerate(zip(preferences, gaps, strict=True)):
        if preference is not None and not 0 <= preference <= 1:
            raise DataError(
                f"preferences[{position}] is {preference!r}: expected a number from 0 to 1, or "
                "None for an unparsed one"
            )
        if not math.isfinite(gap):
            raise DataError(f"length_difference[{position}] is {gap!r}: expected a finite number")


def _no_fit(term: FloatArray, won: FloatArray) -> str | None:
    """Return why no finite maximum exists: one dimension, so the ranges must overlap both ways."""
    if np.ptp(term) < _LEAST_SPREAD:
        return ALL_ALIKE
    wins, losses = term[won > 0], term[won < 1]
    if not len(wins) or not len(losses):
        return SEPARATED
    overlap = losses.max() > wins.min() and wins.max() > losses.min()
    return None if overlap else SEPARATED


def _sigmoid(odds: FloatArray) -> FloatArray:
    from scipy.special import expit  # slow to load

    values: FloatArray = expit(np.asarray(odds))
    return values


def _at_zero(
    term: FloatArray, won: FloatArray, codes: IntArray, confidence: float
) -> tuple[Estimate, float]:
    """Return the win rate where the length term is 0, and the slope of the term."""
    # Fitted on the centred term, where intercept and slope are told apart best.
    middle, width = float(term.mean()), float(np.ptp(term))
    design = np.column_stack([np.ones(len(term)), (term - middle) / width])
    beta = _fit(design, won)
    at = np.asarray([1.0, -middle / width])
    share = float(_sigmoid(at @ beta))
    return _with_ends(share, beta, at, design, (won, codes), confidence), float(beta[1]) / width


def _raw(won: FloatArray, codes: IntArray, confidence: float) -> Estimate:
    """Return the mean preference, with the interval of a model that is an intercept only."""
    share, clusters = float(won.mean()), int(codes.max()) + 1
    if not 0 < share < 1:
        reason = "the preferences are all of one kind, so the log odds have no finite value"
        return Estimate(share, None, None, len(won), clusters, no_interval=reason)
    beta = np.asarray([math.log(share / (1 - share))])
    design = np.ones((len(won), 1))
    return _with_ends(share, beta, np.ones(1), design, (won, codes), confidence)


def _fit(design: FloatArray, won: FloatArray) -> FloatArray:
    """Return the coefficients that maximise the likelihood."""
    from scipy.optimize import minimize  # slow to load

    def loss(beta: FloatArray) -> float:
        odds = design @ beta
        return float((np.logaddexp(0, odds) - won * odds).mean())

    def gradient(beta: FloatArray) -> FloatArray:
        missing: FloatArray = design.T @ (_sigmoid(design @ beta) - won) / len(won)
        return missing

    def curvature(beta: FloatArray) -> FloatArray:
        return _information(design, beta) / len(won)

    found = minimize(
        loss, np.zeros(design.shape[1]), jac=gradient, hess=curvature, method="trust-exact",
        options={"gtol": 1e-9},
    )  # fmt: skip
    beta: FloatArray = found.x
    for _ in range(2):  # the loss is flat to the last digit before the coefficients are
        beta = beta - np.linalg.pinv(curvature(beta)) @ gradient(beta)
    return beta


def _information(design: FloatArray, beta: FloatArray) -> FloatArray:
    share = _sigmoid(design @ beta)
    weighted: FloatArray = design.T @ (design * (share * (1 - share))[:, None])
    return weighted


def _with_ends(
    share: float,
    beta: FloatArray,
    at: FloatArray,
    design: FloatArray,
    observed: tuple[FloatArray, IntArray],
    confidence: float,
) -> Estimate:
    """Return the share with the interval of its log odds, at @ beta, mapped back."""
    won, codes = observed
    n, width = design.shape
    clusters = int(codes.max()) + 1
    if clusters < 2 or n <= width:
        reason = "a single cluster says nothing about its variation"
        if clusters >= 2:
            reason = f"{n} rows are too few for {width} parameters"
        return Estimate(share, None, None, n, clusters, no_interval=reason)
    scores = design * (won - _sigmoid(design @ beta))[:, None]
    by_cluster = np.zeros((clusters, width))
    np.add.at(by_cluster, codes, scores)
    weights = np.linalg.pinv(_information(design, beta)) @ at
    factor = clusters / (clusters - 1) * (n - 1) / (n - width)
    spread = math.sqrt(float(((by_cluster @ weights) ** 2).sum()) * factor)
    half = NormalDist().inv_cdf((1 + confidence) / 2) * spread
    odds = float(at @ beta)
    low, high = _sigmoid(np.asarray([odds - half, odds + half]))
    return Estimate(
        share, float(low), float(high), n, clusters, confidence=confidence, method=METHOD
    )
