"""The numbers of scores against scores: one producer, for files and for runs alike."""

from collections.abc import Sequence
from functools import partial
from typing import Literal, NamedTuple, get_args

from judgesmith.errors import DataError
from judgesmith.evaluation.sliced import number
from judgesmith.metrics.bootstrap import cluster_bootstrap
from judgesmith.metrics.correlation import (
    exact_match,
    kendall_tau_b,
    mean_absolute_error,
    pearson,
    spearman,
)
from judgesmith.metrics.interval import cluster_bootstrap_accuracy
from judgesmith.metrics.raters import krippendorff_alpha
from judgesmith.metrics.resample import ResamplingOptions
from judgesmith.metrics.weighted import weighted_kappa
from judgesmith.report.results import Number

RANK_RESAMPLES = 500
"""Resamples for metrics without a fast way (rank correlations, alpha)."""

MOST_GRADES = 20

ScoreMetric = Literal[
    "pearson", "spearman", "kendall", "exact", "within one", "mean error", "weighted kappa", "alpha"
]
SCORE_METRICS: tuple[str, ...] = get_args(ScoreMetric)
_SLOW = ("spearman", "kendall", "alpha")
_OF_GRADES = ("weighted kappa", "alpha")
_PLAIN = {
    "pearson": pearson, "spearman": spearman, "kendall": kendall_tau_b, "exact": exact_match,
    "mean error": mean_absolute_error,
}  # fmt: skip

NO_GRADES = "the scores are not whole numbers of one scale"


class Columns(NamedTuple):
    """Scores of a judge and labels on the same items, with the question of each."""

    judge: Sequence[float]
    labels: Sequence[float]
    clusters: Sequence[int | str]


def score_number(
    metric: ScoreMetric, columns: Columns, options: ResamplingOptions, *,
    grades: Sequence[int] = (), hidden: str | None = None,
) -> Number:  # fmt: skip
    """One metric with its interval. Weighted kappa (quadratic) and alpha (ordinal) need `grades`.

    Rank correlations and alpha take at most `RANK_RESAMPLES` resamples.

    >>> found = score_number("within one", Columns([1, 3, 5], [2, 3, 3], "abc"), {"seed": 1})
    >>> round(found.value, 3), found.n
    (0.667, 3)
    """
    judge, labels, clusters = columns
    given: ResamplingOptions = {**options}
    if metric in _SLOW:
        given["resamples"] = min(RANK_RESAMPLES, options.get("resamples", RANK_RESAMPLES))
    if metric == "within one":
        near = [abs(a - b) <= 1 for a, b in zip(judge, labels, strict=True)]
        found = cluster_bootstrap_accuracy(near, [True] * len(near), clusters, **given)
        return number(found, hidden)
    if metric not in _OF_GRADES:
        found = cluster_bootstrap(_PLAIN[metric], [list(judge), list(labels)], clusters, **given)
        return number(found, hidden)
    if not grades:
        return Number(value=None, n=len(judge), undefined=NO_GRADES)
    whole = [[round(value) for value in column] for column in (judge, labels)]
    compute = (
        partial(weighted_kappa, labels=grades)
        if metric == "weighted kappa"
        else partial(krippendorff_alpha, level="ordinal", labels=grades)
    )
    return number(cluster_bootstrap(compute, whole, clusters, **given), hidden)


def grades_of(values: Sequence[float], limits: tuple[float, float] | None) -> list[int]:
    """The whole-number grades that these scores are on; nothing where some are no whole numbers.

    >>> grades_of([2.0, 4.0], (1, 5)), grades_of([2.0, 4.0], None), grades_of([2.5], None)
    ([1, 2, 3, 4, 5], [2, 3, 4], [])
    """
    if not values or not all(float(value).is_integer() for value in values):
        return []
    low, high = limits or (min(values), max(values))
    grades = range(round(min(low, *values)), round(max(high, *values)) + 1)
    return list(grades) if len(grades) <= MOST_GRADES else []


def check_metric(name: str) -> ScoreMetric:
    """The metric of that name; a DataError names those that there are."""
    if name not in SCORE_METRICS:
        raise DataError(f"expected one of {', '.join(SCORE_METRICS)}, found {name!r}")
    return name  # type: ignore[return-value]
