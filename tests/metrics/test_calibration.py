import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from sklearn.isotonic import IsotonicRegression

from judgesmith.errors import DataError
from judgesmith.metrics.calibration import (
    COLDEST,
    HOTTEST,
    IsotonicMap,
    ProbabilityRows,
    Temperature,
    calibrate_and_measure,
    fit_isotonic,
    fit_temperature,
)

NAMES = ["A", "B", "TIE"]


def overconfident(seed: int, n: int, heat: float = 2.5) -> tuple[list[dict[str, float]], list[str]]:
    """Labels drawn from true probabilities; the judge states them at temperature 1/heat."""
    draw = np.random.default_rng(seed)
    true = draw.dirichlet([2.0, 2.0, 1.0], n)
    labels = [NAMES[draw.choice(3, p=row)] for row in true]
    stated = true**heat / (true**heat).sum(axis=1, keepdims=True)
    return [dict(zip(NAMES, row, strict=True)) for row in stated.tolist()], labels


def rows(seed: int, n: int, name: str) -> ProbabilityRows:
    stated, labels = overconfident(seed, n)
    ids = [f"{name}{i}" for i in range(n)]
    return ProbabilityRows(ids, stated, labels, [f"{name}{i // 2}" for i in range(n)])


def test_temperature_recovers_the_truth_and_minimises_the_loss() -> None:
    stated, labels = overconfident(1, 4000)
    found = fit_temperature(stated, labels)
    assert found.value == pytest.approx(2.5, rel=0.08)
    table = np.array([[row[k] for k in NAMES] for row in stated])
    truth = np.array([NAMES.index(label) for label in labels])

    def loss(heat: float) -> float:
        scaled = np.maximum(table, 1e-6) ** (1 / heat)
        return float(
            -np.log((scaled / scaled.sum(axis=1, keepdims=True))[range(4000), truth]).mean()
        )

    best = minimize_scalar(loss, bounds=(0.5, 10), method="bounded", options={"xatol": 1e-10})
    assert found.value == pytest.approx(float(best.x), abs=1e-5)
    assert loss(found.value) <= loss(found.value * 1.01)
    assert loss(found.value) <= loss(found.value / 1.01)
    assert not found.at_bound


def test_temperature_by_hand() -> None:
    """Always .8 against .2 and right in 2 of 3: odds 4 become 2 = 4 ** (1/2), so T = 2."""
    found = fit_temperature([{"A": 0.8, "B": 0.2}] * 3, ["A", "A", "B"])
    assert float(found) == pytest.approx(2.0, abs=1e-9)
    assert found.apply({"A": 0.8, "B": 0.2})["A"] == pytest.approx(2 / 3)
    assert (found.labels, found.n) == (("A", "B"), 3)


def test_certain_probabilities_are_handled() -> None:
    """1 and 0 count as 1 and 1e-6: odds 1e6 become 3, T = 6 ln 10 / ln 3."""
    found = fit_temperature([{"A": 1.0, "B": 0.0}] * 4, ["A", "A", "A", "B"])
    assert found.value == pytest.approx(6 * math.log(10) / math.log(3), abs=1e-6)
    assert found.apply({"A": 1.0}) == pytest.approx({"A": 0.75, "B": 0.25})
    assert sum(Temperature(1.0).apply({"A": 1.0, "B": 0.0}).values()) == pytest.approx(1.0)


def test_temperature_at_its_bounds() -> None:
    right = fit_temperature([{"A": 0.6, "B": 0.4}] * 5, ["A"] * 5)
    assert (right.value, right.at_bound) == (COLDEST, True)
    wrong = fit_temperature([{"A": 0.6, "B": 0.4}] * 5, ["B"] * 5)
    assert (wrong.value, wrong.at_bound) == (HOTTEST, True)
    assert max(wrong.apply({"A": 0.6, "B": 0.4}).values()) < 0.51
    even = fit_temperature([{"A": 0.5, "B": 0.5}] * 3, ["A", "A", "B"])
    assert (even.value, even.at_bound) == (1.0, False)
    assert fit_temperature([{"A": 1.0}], ["A"]).value == 1.0


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.permutations(range(20)))
def test_temperature_ignores_order_names_and_duplicates(seed: int, order: list[int]) -> None:
    stated, labels = overconfident(seed, 20)
    found = fit_temperature(stated, labels)
    moved = fit_temperature([stated[i] for i in order], [labels[i] for i in order])
    assert moved.value == pytest.approx(found.value, rel=1e-7)
    name = {"A": 7, "B": 3, "TIE": 5}
    renamed = fit_temperature(
        [{name[k]: p for k, p in row.items()} for row in stated], [name[y] for y in labels]
    )
    assert renamed.value == pytest.approx(found.value, rel=1e-7)
    assert fit_temperature(stated * 2, labels * 2).value == pytest.approx(found.value, rel=1e-7)
    applied = found.apply(stated[0])
    assert max(applied, key=applied.__getitem__) == max(stated[0], key=stated[0].__getitem__)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 1).map(lambda c: round(c, 2)), st.booleans()),
        min_size=1,
        max_size=40,
    )
)
def test_isotonic_equals_scikit_learn(pairs: list[tuple[float, bool]]) -> None:
    stated, right = [c for c, _ in pairs], [r for _, r in pairs]
    found = fit_isotonic(stated, right)
    oracle = IsotonicRegression(out_of_bounds="clip").fit(stated, np.array(right, dtype=float))
    grid = np.linspace(0, 1, 53)
    expected = oracle.predict(grid)
    assert [found.apply(c) for c in grid.tolist()] == pytest.approx(expected.tolist(), abs=1e-9)
    assert list(found.values) == sorted(found.values)
    assert fit_isotonic(stated[::-1], right[::-1]) == found


def test_calibration_helps_an_overconfident_judge_on_test() -> None:
    dev, test = rows(1, 1500, "d"), rows(2, 1500, "t")
    for kind in ("temperature", "isotonic"):
        found = calibrate_and_measure(dev, test, kind, seed=1, resamples=300)
        assert (found.dev_n, found.test_n) == (1500, 1500)
        assert float(found.ece_after) < 0.05 < 0.1 < float(found.ece_before)
        assert found.brier_change.high < 0
        assert found.brier_change.value == pytest.approx(
            found.brier_after.value - found.brier_before.value
        )
        assert found.brier_change.clusters == 750
    assert isinstance(found.fitted, IsotonicMap)


def test_what_the_map_learnt_depends_on_dev_only() -> None:
    dev = rows(1, 200, "d")
    one = calibrate_and_measure(dev, rows(2, 50, "t"), seed=1, resamples=20)
    other = calibrate_and_measure(dev, rows(3, 80, "u"), seed=1, resamples=20)
    assert one.fitted == other.fitted == fit_temperature(dev.distributions, dev.labels)


def test_refuses_overlap_and_bad_input() -> None:
    dev, test = rows(1, 10, "d"), rows(2, 10, "t")
    shared = test._replace(item_ids=[*test.item_ids[:-1], "d3"])
    with pytest.raises(DataError, match=r"item_ids.*1 in both, among them 'd3'"):
        calibrate_and_measure(dev, shared, seed=1)
    question = test._replace(clusters=["d0"] * 10)
    with pytest.raises(DataError, match=r"clusters.*'d0'.*split by question"):
        calibrate_and_measure(dev, question, seed=1)
    with pytest.raises(DataError, match=r"test: expected columns of one length"):
        calibrate_and_measure(dev, test._replace(labels=["A"]), seed=1)
    with pytest.raises(DataError, match="kind"):
        calibrate_and_measure(dev, test, "platt", seed=1)
    with pytest.raises(DataError, match="at least one dev row"):
        fit_temperature([], [])
    with pytest.raises(DataError, match="at least one dev row"):
        fit_isotonic([], [])
    with pytest.raises(DataError, match="sum 1"):
        Temperature(2.0).apply({"A": 0.5})
    with pytest.raises(DataError, match="above 0"):
        Temperature(0.0)
    with pytest.raises(DataError, match="finite"):
        IsotonicMap((0.5,), (0.5,), 1).apply(math.nan)
