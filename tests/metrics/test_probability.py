import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as sklearn_log_loss

from judgesmith.errors import DataError
from judgesmith.metrics.perfect import NO_SPREAD
from judgesmith.metrics.probability import brier, brier_binary, draws_of, log_loss, mean_of

NAMES = ["A", "B", "TIE"]


def simulated(seed: int, n: int) -> tuple[list[dict[str, float]], list[str], np.ndarray]:
    draw = np.random.default_rng(seed)
    table = draw.dirichlet([1.0, 1.0, 0.5], n)
    labels = draw.choice(NAMES, n).tolist()
    return [dict(zip(NAMES, row, strict=True)) for row in table.tolist()], labels, table


@pytest.mark.parametrize("seed", range(5))
def test_brier_and_log_loss_equal_scikit_learn(seed: int) -> None:
    rows, labels, table = simulated(seed, 150)
    expected = brier_score_loss(labels, table, labels=NAMES, scale_by_half=False)
    assert brier(rows, labels).value == pytest.approx(expected, abs=1e-9)
    expected = sklearn_log_loss(labels, table, labels=NAMES)
    assert log_loss(rows, labels).value == pytest.approx(expected, abs=1e-9)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=30))
def test_binary_brier_equals_scikit_learn_and_half_of_the_two_label_form(
    rows: list[tuple[float, bool]],
) -> None:
    stated, right = [c for c, _ in rows], [r for _, r in rows]
    found = brier_binary(stated, right).value
    expected = brier_score_loss(np.array(right), np.array(stated), pos_label=True)
    assert found == pytest.approx(expected, abs=1e-9)
    both = brier([{1: c, 0: 1 - c} for c in stated], [int(r) for r in right]).value
    assert both == pytest.approx(2 * found, abs=1e-9)


def test_by_hand() -> None:
    """Certain and right 0, certain and wrong 2, even on two labels .5: mean 2.5 / 3."""
    rows = [{"A": 1.0, "B": 0.0}, {"A": 0.0, "B": 1.0}, {"A": 0.5, "B": 0.5}]
    assert brier(rows, ["A", "A", "B"]).value == pytest.approx(2.5 / 3)
    assert log_loss([{"A": 0.25, "B": 0.75}], ["A"]).value == pytest.approx(math.log(4))
    assert "1 of 3 rows" in str(log_loss(rows, ["A", "A", "B"]).undefined)


def test_a_label_that_is_not_listed_had_probability_0() -> None:
    """.5^2 + .5^2 + 1^2 = 1.5, the same as when the 0 is written down."""
    short, long = {"A": 0.5, "B": 0.5}, {"A": 0.5, "B": 0.5, "TIE": 0.0}
    assert brier([short], ["TIE"]).value == brier([long], ["TIE"]).value == 1.5
    assert log_loss([short], ["TIE"]).undefined == log_loss([long], ["TIE"]).undefined


def test_undefined_without_rows() -> None:
    assert brier([], []).undefined == "there are no rows"
    assert brier_binary([], [], clusters=[], seed=1).undefined == "there are no rows"
    assert log_loss([], []).undefined == "there are no rows"


def test_interval_is_that_of_a_plain_loop_over_clusters() -> None:
    rows, labels, table = simulated(3, 120)
    clusters = [i // 3 for i in range(120)]
    found = brier(rows, labels, clusters=clusters, seed=5, resamples=4000)
    truth = np.array([NAMES.index(label) for label in labels])
    losses = ((table - np.eye(3)[truth]) ** 2).sum(axis=1).reshape(40, 3).sum(axis=1)
    draw = np.random.default_rng(0)
    means = [losses[draw.integers(0, 40, 40)].sum() / 120 for _ in range(4000)]
    assert (found.low, found.high) == pytest.approx(
        tuple(np.quantile(means, [0.025, 0.975])), abs=0.008
    )
    assert (found.clusters, found.n) == (40, 120)
    bca = brier(rows, labels, clusters=clusters, seed=5, resamples=4000, method="bca")
    assert bca.method == "BCa bootstrap over clusters"
    assert bca.low == pytest.approx(found.low, abs=0.02)


def test_interval_covers_the_truth() -> None:
    """Calibrated confidences from a uniform: the Brier score is the mean of c(1 - c) = 1/6."""
    covered = 0
    for seed in range(300):
        draw = np.random.default_rng(seed)
        stated = draw.random(200)
        right = draw.random(200) < stated
        found = brier_binary(
            stated.tolist(), right.tolist(), clusters=range(200), seed=seed, resamples=300
        )
        covered += found.low <= 1 / 6 <= found.high
    assert 0.91 <= covered / 300 <= 0.98


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.permutations(range(12)))
def test_row_order_names_of_labels_and_duplicates_change_nothing(
    seed: int, order: list[int]
) -> None:
    rows, labels, _ = simulated(seed, 12)
    clusters = [i // 2 for i in range(12)]
    options = {"seed": 2, "resamples": 50}
    found = brier(rows, labels, clusters=clusters, **options)
    moved = brier(
        [rows[i] for i in order],
        [labels[i] for i in order],
        clusters=[f"q{clusters[i]}" for i in order],
        **options,
    )
    assert moved == found
    name = {"A": "B", "B": "TIE", "TIE": "A"}
    renamed = [{name[k]: p for k, p in row.items()} for row in rows]
    assert brier(renamed, [name[y] for y in labels]).value == pytest.approx(found.value)
    assert brier(rows * 2, labels * 2).value == pytest.approx(found.value)


def test_no_width_is_no_interval() -> None:
    found = brier_binary([1.0] * 9, [True] * 9, clusters=range(9), seed=1, resamples=50)
    assert (found.value, found.low) == (0.0, None)
    assert found.no_interval == NO_SPREAD
    assert mean_of([0.0] * 9, clusters=range(9), seed=1, resamples=50).low == 0.0


def test_refuses_bad_input() -> None:
    with pytest.raises(DataError, match="sum 1"):
        brier([{"A": 0.5, "B": 0.4}], ["A"])
    with pytest.raises(DataError, match=r"distributions\[0\]"):
        brier([{"A": math.nan, "B": 0.4}], ["A"])
    with pytest.raises(DataError, match=r"distributions\[1\] is None"):
        brier([{"A": 1.0}, None], ["A", "A"])
    with pytest.raises(DataError, match=r"labels\[0\] is None"):
        brier([{"A": 1.0}], [None])
    with pytest.raises(DataError, match=r"confidences\[0\] is nan"):
        brier_binary([math.nan], [True])
    with pytest.raises(DataError, match=r"confidences\[0\] is 1.5"):
        brier_binary([1.5], [True])
    with pytest.raises(DataError, match=r"right\[0\] is 'yes'"):
        brier_binary([0.5], ["yes"])
    with pytest.raises(DataError, match="one length"):
        brier_binary([0.5], [])
    with pytest.raises(DataError, match="both clusters= and seed="):
        draws_of(2, {"seed": 1})
    with pytest.raises(DataError, match="both clusters= and seed="):
        draws_of(2, {"clusters": "ab"})
    with pytest.raises(DataError, match="one length"):
        draws_of(2, {"clusters": "abc", "seed": 1})
