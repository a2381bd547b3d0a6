"""Scores against scores: by hand, and against SciPy and scikit-learn."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import cohen_kappa_score, mean_absolute_error

from judgesmith.errors import DataError
from judgesmith.evaluation.score_numbers import (
    SCORE_METRICS,
    Columns,
    check_metric,
    grades_of,
    score_number,
)

GRADES = [1, 2, 3, 4, 5]
OPTIONS = {"seed": 3, "resamples": 200}


def columns(judge: Sequence[float], labels: Sequence[float]) -> Columns:
    return Columns(judge, labels, [str(i) for i in range(len(judge))])


def test_by_hand() -> None:
    """Scores 1 2 3 4 5 5, labels 1 3 3 2 5 4: 3 of 6 equal, 5 of 6 within one.

    Errors 0 1 0 2 0 1: mean 4/6.
    """
    rows = columns([1, 2, 3, 4, 5, 5], [1, 3, 3, 2, 5, 4])
    found = {
        name: score_number(name, rows, OPTIONS, grades=GRADES).value  # type: ignore[arg-type]
        for name in ("exact", "within one", "mean error")
    }
    assert found == {
        "exact": pytest.approx(3 / 6), "within one": pytest.approx(5 / 6),
        "mean error": pytest.approx(4 / 6),
    }  # fmt: skip


scores = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=3, max_size=40)


@settings(max_examples=40)
@given(scores)
def test_against_scipy_and_sklearn(pairs: list[tuple[int, int]]) -> None:
    judge, labels = ([float(pair[side]) for pair in pairs] for side in (0, 1))
    rows = columns(judge, labels)
    few = {"seed": 1, "resamples": 10}

    def value(name: str) -> float | None:
        return score_number(name, rows, few, grades=GRADES).value  # type: ignore[arg-type]

    assert value("mean error") == pytest.approx(mean_absolute_error(labels, judge))
    if len(set(judge)) > 1 and len(set(labels)) > 1:
        assert value("pearson") == pytest.approx(stats.pearsonr(judge, labels).statistic)
        assert value("spearman") == pytest.approx(stats.spearmanr(judge, labels).statistic)
        assert value("kendall") == pytest.approx(stats.kendalltau(judge, labels).statistic)
        wanted = cohen_kappa_score(judge, labels, labels=GRADES, weights="quadratic")
        assert value("weighted kappa") == pytest.approx(wanted)


def test_an_interval_comes_from_whole_questions() -> None:
    """40 scores of 4 questions: with every question's scores alike, intervals must be wider."""
    rng = np.random.default_rng(5)
    labels = rng.integers(1, 6, 40).astype(float).tolist()
    judge = [label if i % 10 < 6 else 6 - label for i, label in enumerate(labels)]
    alone = score_number("exact", columns(judge, labels), OPTIONS)
    few = Columns(judge, labels, [i // 10 for i in range(40)])
    assert (alone.clusters, score_number("exact", few, OPTIONS).clusters) == (40, 4)
    assert alone.low is not None
    assert alone.low < alone.value < alone.high  # type: ignore[operator]


def test_without_grades_there_is_no_kappa_and_a_constant_has_no_correlation() -> None:
    rows = columns([2.5, 2.5, 2.5], [1.0, 2.0, 3.0])
    found = score_number("weighted kappa", rows, OPTIONS)
    assert (found.value, found.undefined) == (None, "the scores are not whole numbers of one scale")
    correlation = score_number("pearson", rows, OPTIONS)
    assert correlation.value is None
    assert correlation.undefined


def test_hidden_is_carried_and_ranks_take_few_resamples() -> None:
    rows = columns([1, 2, 3], [1, 2, 2])
    assert score_number("exact", rows, OPTIONS, hidden="too few").hidden == "too few"
    many = {"seed": 1, "resamples": 5_000_000}
    assert score_number("spearman", rows, many).value == pytest.approx(0.8660254)


def test_grades() -> None:
    assert grades_of([1.0, 3.0], None) == [1, 2, 3]
    assert grades_of([1.0, 3.5], (1, 5)) == []
    assert grades_of([], (1, 5)) == []
    assert grades_of([1.0, 100.0], None) == []
    assert check_metric("exact") == "exact"
    assert "within one" in SCORE_METRICS
    with pytest.raises(DataError, match="expected one of pearson"):
        check_metric("r")
