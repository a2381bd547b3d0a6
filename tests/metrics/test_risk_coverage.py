import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgesmith.errors import DataError
from judgesmith.metrics.perfect import NO_SPREAD
from judgesmith.metrics.risk_coverage import risk_coverage

rows_of = st.lists(
    st.tuples(st.sampled_from([0.1, 0.2, 0.5, 0.9]), st.booleans()), min_size=1, max_size=25
)


def slow_area(confidences: list[float], right: list[bool]) -> float:
    """Mean risk over k, with the errors of a block of equal confidences spread evenly."""
    total = 0.0
    n = len(right)
    for k in range(1, n + 1):
        cut = sorted(confidences, reverse=True)[k - 1]
        above = [r for c, r in zip(confidences, right, strict=True) if c > cut]
        at = [r for c, r in zip(confidences, right, strict=True) if c == cut]
        wrong = above.count(False) + at.count(False) * (k - len(above)) / len(at)
        total += wrong / k
    return total / n


@settings(deadline=None)
@given(rows_of)
def test_areas_equal_a_slow_reference(rows: list[tuple[float, bool]]) -> None:
    stated, right = [c for c, _ in rows], [r for _, r in rows]
    found = risk_coverage(stated, right)
    assert found.value == pytest.approx(slow_area(stated, right), abs=1e-9)
    oracle = slow_area([float(r) + i * 1e-6 for i, r in enumerate(right)], right)
    assert found.excess_area.value == pytest.approx(slow_area(stated, right) - oracle, abs=1e-9)
    assert found.excess_area.value >= 0
    share_wrong = right.count(False) / len(right)
    assert found.accuracy_at[1.0].value == pytest.approx(1 - share_wrong)
    assert (found.points[-1].kept, found.points[-1].coverage) == (len(rows), 1.0)
    assert found.points[-1].risk == pytest.approx(share_wrong)


def test_ties_are_the_mean_over_all_orders() -> None:
    """A block of two right and one wrong: wrong first 1 + 1/2 + 1/3, second 1/2 + 1/3, third 1/3.

    Mean area (11/6 + 5/6 + 2/6) / 3 / 3 = 3/9, which is the error rate.
    """
    assert risk_coverage([0.5] * 3, [True, True, False]).value == pytest.approx(1 / 3)


def test_curve_and_selective_accuracy_by_hand() -> None:
    """Coverage .5 of five rows keeps 3: .9, then two of the three at .7 with 1 wrong: 2/3 wrong."""
    found = risk_coverage(
        [0.7, 0.9, 0.7, 0.7, 0.1], [True, True, False, True, False], coverages=[0.5, 0.8]
    )
    assert [(p.threshold, p.kept, p.wrong) for p in found.points] == [
        (0.9, 1, 0),
        (0.7, 4, 1),
        (0.1, 5, 2),
    ]
    assert found.accuracy_at[0.5].value == pytest.approx(1 - (2 / 3) / 3)
    assert found.accuracy_at[0.5].n == 3
    assert found.accuracy_at[0.8].value == pytest.approx(0.75)


def test_interval_is_that_of_a_plain_loop_over_clusters() -> None:
    draw = np.random.default_rng(4)
    stated = draw.integers(0, 12, 90) / 12
    right = draw.random(90) < 0.4 + stated / 2
    clusters = np.repeat(np.arange(30), 3)
    found = risk_coverage(
        stated.tolist(),
        right.tolist(),
        coverages=[0.5],
        clusters=clusters.tolist(),
        seed=3,
        resamples=2000,
    )
    areas, halves = [], []
    for _ in range(400):
        rows = np.concatenate([np.flatnonzero(clusters == c) for c in draw.integers(0, 30, 30)])
        one = risk_coverage(stated[rows].tolist(), right[rows].tolist(), coverages=[0.5])
        areas.append(one.value)
        halves.append(one.accuracy_at[0.5].value)
    for estimate, loop in ((found.area, areas), (found.accuracy_at[0.5], halves)):
        assert (estimate.low, estimate.high) == pytest.approx(
            tuple(np.quantile(loop, [0.025, 0.975])), abs=0.025
        )
    assert found.area.low < found.value < found.area.high


@settings(deadline=None, max_examples=40)
@given(rows_of, st.randoms())
def test_row_order_scale_and_duplicates(rows: list[tuple[float, bool]], random) -> None:
    stated, right = [c for c, _ in rows], [r for _, r in rows]
    clusters = [i // 2 for i in range(len(rows))]
    found = risk_coverage(stated, right, clusters=clusters, seed=1, resamples=30)
    order = random.sample(range(len(rows)), len(rows))
    moved = risk_coverage(
        [stated[i] for i in order],
        [right[i] for i in order],
        clusters=[f"q{clusters[i]}" for i in order],
        seed=1,
        resamples=30,
    )
    assert moved == found
    stretched = risk_coverage([math.log(c) for c in stated], right, coverages=[0.5])
    assert stretched.value == pytest.approx(found.value, abs=1e-12)
    whole = risk_coverage(stated * 50, right * 50, coverages=[1.0])
    assert whole.accuracy_at[1.0].value == pytest.approx(found.accuracy_at[1.0].value)


def test_no_error_at_all() -> None:
    """Ten right rows: the lower end at full coverage is Wilson's 1 - z*z / (10 + z*z)."""
    found = risk_coverage([0.9] * 10, [True] * 10, clusters=range(10), seed=1, resamples=20)
    assert (found.value, found.area.low) == (0.0, None)
    assert found.area.no_interval == NO_SPREAD
    assert found.accuracy_at[1.0].low == pytest.approx(1 - 0.277533, abs=1e-6)


def test_undefined_and_refused() -> None:
    none = risk_coverage([], [])
    assert none.area.undefined == none.accuracy_at[0.5].undefined == "there are no rows"
    with pytest.raises(DataError, match="coverages"):
        risk_coverage([0.5], [True], coverages=[0.0])
    with pytest.raises(DataError, match=r"confidences\[0\] is inf"):
        risk_coverage([math.inf], [True])
    with pytest.raises(DataError, match=r"confidences\[0\] is None"):
        risk_coverage([None], [True])
