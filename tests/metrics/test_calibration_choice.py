import numpy as np
import pytest

from judgesmith.errors import DataError
from judgesmith.metrics.calibration import IsotonicMap, Temperature
from judgesmith.metrics.calibration_choice import VerdictRows, calibrated, choose_calibration


def overconfident(n: int, temperature: float, seed: int = 1) -> VerdictRows:
    """Labels drawn from p; what is stated is p sharpened by the temperature; two per question."""
    generator = np.random.default_rng(seed)
    p = generator.dirichlet([1, 1, 1], n)
    labels = ["ABT"[int(generator.choice(3, p=row))] for row in p]
    sharp = p**temperature
    sharp /= sharp.sum(axis=1, keepdims=True)
    chances = [dict(zip("ABT", row.tolist(), strict=True)) for row in sharp]
    verdicts = [max(row, key=lambda k: row[k]) for row in chances]
    stated = [row[v] for row, v in zip(chances, verdicts, strict=True)]
    return VerdictRows(verdicts, stated, chances, labels, [i // 2 for i in range(n)])


def test_a_sharpened_judge_gets_its_temperature_back() -> None:
    found = choose_calibration(overconfident(3000, 3.0), seed=1, resamples=300)
    assert found.kind == "temperature"
    assert isinstance(found.fitted, Temperature)
    assert found.fitted.value == pytest.approx(3.0, rel=0.1)
    assert found.loss_change.high is not None
    assert found.loss_change.high < 0
    assert found.ece_before.error.value is not None
    assert found.ece_after.error.value is not None
    assert found.ece_after.error.value < 0.05 < found.ece_before.error.value


def test_a_bent_confidence_without_a_distribution_gets_an_isotonic_map() -> None:
    generator = np.random.default_rng(2)
    stated = generator.random(2000)
    right = generator.random(2000) < np.where(stated > 0.3, 0.9, 0.2)
    labels = ["A" if one else "B" for one in right]
    rows = VerdictRows(["A"] * 2000, stated.tolist(), None, labels, list(range(2000)))
    found = choose_calibration(rows, seed=1, resamples=200)
    assert (found.kind, set(found.losses)) == ("isotonic", {"none", "isotonic"})
    assert calibrated(found.fitted, "A", 0.1) == pytest.approx(0.2, abs=0.06)
    assert calibrated(found.fitted, "A", 0.8) == pytest.approx(0.9, abs=0.04)


def test_a_calibrated_judge_is_left_as_it_is_or_hardly_moved() -> None:
    rows = overconfident(400, 1.0)
    found = choose_calibration(rows, seed=1, resamples=200)
    assert found.kind in ("none", "temperature")
    assert found.losses[found.kind] <= found.losses["none"]
    if isinstance(found.fitted, Temperature):
        assert found.fitted.value == pytest.approx(1.0, abs=0.25)


def test_a_calibrated_judge_seldom_gets_a_map_and_none_that_is_not_shown_to_help() -> None:
    """The smallest loss alone would keep a map in 13 of 60."""
    found = [
        choose_calibration(overconfident(100, 1.0, seed=seed), seed=1, resamples=200)
        for seed in range(60)
    ]
    kept = [one for one in found if one.kind != "none"]
    assert len(kept) <= 4
    assert all(one.loss_change.high is not None and one.loss_change.high < 0 for one in kept)
    assert any(min(one.losses, key=lambda k: one.losses[k]) != one.kind for one in found)


def test_no_row_is_measured_by_a_map_that_saw_its_question() -> None:
    """Each question's two rows are a coin that only that question knows: nothing can be learned.

    Folds by row would let the isotonic map see the twin of every row.
    """
    generator = np.random.default_rng(5)
    stated = np.repeat(np.linspace(0.05, 0.95, 200), 2)
    right = np.repeat(generator.random(200) < 0.5, 2)
    labels = ["A" if one else "B" for one in right]
    clusters = [i // 2 for i in range(400)]
    grouped = choose_calibration(
        VerdictRows(["A"] * 400, stated.tolist(), None, labels, clusters), seed=1, resamples=100
    )
    leaked = choose_calibration(
        VerdictRows(["A"] * 400, stated.tolist(), None, labels, list(range(400))),
        seed=1, resamples=100,
    )  # fmt: skip
    assert grouped.losses["isotonic"] > np.log(2) - 0.01
    assert leaked.losses["isotonic"] < grouped.losses["isotonic"]


def test_an_isotonic_map_never_says_certain() -> None:
    sure = IsotonicMap((0.2, 0.8), (0.0, 1.0), n=18)
    assert calibrated(sure, "A", 1.0) == pytest.approx(19 / 20)
    assert calibrated(sure, "A", 0.0) == pytest.approx(1 / 20)


def test_refusals() -> None:
    rows = VerdictRows(["A"] * 3, [0.5] * 3, None, ["A"] * 3, [1, 2, 3])
    with pytest.raises(DataError, match="at least 5 questions"):
        choose_calibration(rows, seed=1)
    with pytest.raises(DataError, match="folds: expected at least 2"):
        choose_calibration(rows, folds=1, seed=1)
    with pytest.raises(DataError, match="needs the distribution"):
        calibrated(Temperature(2.0), "A", 0.5)
