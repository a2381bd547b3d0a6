import dataclasses
import json

import numpy as np
import pytest

from judgesmith import metrics
from judgesmith.errors import DataError
from judgesmith.metrics import Confusion, Estimate, Headline, mcnemar_exact


def test_a_value_and_a_reason_exclude_each_other() -> None:
    with pytest.raises(DataError, match="a value or the reason"):
        Estimate(0.5, None, None, n=3, undefined="no rows")
    with pytest.raises(DataError, match="a value or the reason"):
        Estimate(None, None, None, n=3)


def test_an_interval_has_both_ends() -> None:
    with pytest.raises(DataError, match="both ends"):
        Estimate(0.5, 0.4, None, n=3)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_no_field_can_be_nan(bad: float) -> None:
    with pytest.raises(DataError, match="finite"):
        Estimate(bad, None, None, n=3)
    with pytest.raises(DataError, match="finite"):
        Estimate(0.5, bad, 0.6, n=3)


def test_float_of_an_undefined_value_says_why() -> None:
    with pytest.raises(DataError, match="because: no rows"):
        float(Estimate.missing("no rows", n=0))


def test_an_estimate_is_plain_json() -> None:
    fields = dataclasses.asdict(Estimate(0.5, 0.25, 0.75, n=8, clusters=4))
    assert json.loads(json.dumps(fields, allow_nan=False))["low"] == 0.25


def test_confusion_names_an_unknown_label() -> None:
    with pytest.raises(DataError, match="expected one of"):
        Confusion(("A",), ((1,),)).count("A", "B")


def test_numpy_numbers_become_plain_ones() -> None:
    found = Estimate(np.float64(0.5), np.float32(0.25), np.float64(0.75), n=8)
    assert [type(end) for end in (found.value, found.low, found.high)] == [float] * 3


HEADLINES = [
    result
    for result in vars(metrics).values()
    if isinstance(result, type) and issubclass(result, Headline) and result is not Headline
]


@pytest.mark.parametrize("result", HEADLINES, ids=lambda result: result.__name__)
def test_a_result_reads_like_its_main_number(result: type[Headline]) -> None:
    """Every part is a different estimate, so that exactly one of them can be the main number."""
    names = [field.name for field in dataclasses.fields(result)]  # type: ignore[arg-type]
    parts: dict[str, object] = {
        name: Estimate.of(i / 64, n=9) for i, name in enumerate(names, start=1)
    }
    found = result(**parts)
    assert found.value == float(found)
    assert [part for part in parts.values() if part is found.headline]
    nothing = result(**dict.fromkeys(names, Estimate.missing("no rows", n=0)))
    assert nothing.value is None
    with pytest.raises(DataError, match="because: no rows"):
        float(nothing)


def test_every_result_with_an_estimate_has_a_main_number() -> None:
    """All but the tables, which have many numbers and no main one."""
    tables = {
        "AgreementBounds",
        "Bounds",
        "CalibrationBin",
        "CalibrationChoice",
        "FlipKinds",
        "Standing",
    }
    for name, result in vars(metrics).items():
        if dataclasses.is_dataclass(result) and isinstance(result, type):
            parts = [field.type for field in dataclasses.fields(result)]
            if Estimate in parts and name not in tables:
                assert issubclass(result, Headline), name


def test_mcnemar_reads_like_its_p_value() -> None:
    found = mcnemar_exact("AAAB", "BBBB", "AAAB")
    assert found.value == float(found) == found.p == 0.25


COLUMNS = [
    "accuracy", "cohen_kappa", "weighted_kappa", "gwet_ac1", "krippendorff_alpha", "fleiss_kappa",
    "pearson", "spearman", "kendall_tau_b",
]  # fmt: skip


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_may_be_any_sequence_of_scores(name: str) -> None:
    metric = getattr(metrics, name)
    x, y = [1, 2, 3, 3, 1], [1, 2, 2, 3, 1]
    value = float(metric(x, y))
    assert type(metric(np.array(x), np.array(y)).value) is float
    for held in (tuple, np.array, lambda column: np.array(column, dtype=float), list):
        assert float(metric(held(x), held(y))) == value
    assert metric([], []).value is None
    with pytest.raises(DataError, match="nan: expected"):
        metric([1.0, float("nan")], [1, 2])
    sides = [np.array([True, False, True]), [True, True, False]]
    assert float(metric(*sides)) == float(metric([1, 0, 1], [1, 1, 0]))


@pytest.mark.parametrize("name", ["krippendorff_alpha", "fleiss_kappa"])
def test_items_with_their_ratings_may_be_an_array(name: str) -> None:
    metric = getattr(metrics, name)
    items = [[1, 1, 2], [2, 2, 2], [3, 1, 3]]
    value = float(metric(items))
    for held in (np.array(items), np.array(items, dtype=float), [tuple(row) for row in items]):
        assert float(metric(held)) == value
    assert metric([]).value is None


def test_reasons_print_numpy_labels_plainly() -> None:
    reason = metrics.cohen_kappa(np.array(["A", "A"]), np.array(["A", "A"])).undefined
    assert "the label 'A'," in str(reason)
