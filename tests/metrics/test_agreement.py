import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score, confusion_matrix

from judgesmith.errors import DataError
from judgesmith.metrics import accuracy, cohen_kappa, confusion, prevalence
from judgesmith.metrics.agreement import kappa_of_counts

rows = st.lists(st.tuples(st.sampled_from("ABT"), st.sampled_from("ABT")), min_size=1, max_size=60)


def columns(pairs: list[tuple[str, str]]) -> tuple[list[str], list[str]]:
    return [a for a, _ in pairs], [b for _, b in pairs]


def test_kappa_by_hand() -> None:
    """Ten rows, 3 right A, 2 right B, 1 right T, and A-B, A-T, B-A, T-A.

    d = 6; x counts A 5, B 3, T 2; y counts A 5, B 3, T 2; S = 25 + 9 + 4 = 38.
    kappa = (60 - 38) / (100 - 38) = 22/62.
    """
    x, y = list("AAABBTAABT"), list("AAABBTBTAA")
    assert float(cohen_kappa(x, y)) == pytest.approx(22 / 62, abs=1e-15)
    assert float(accuracy(x, y)) == 0.6


@settings(deadline=None)
@given(rows)
def test_kappa_equals_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    x, y = columns(pairs)
    found = cohen_kappa(x, y)
    if found.value is None:
        assert len(set(x) | set(y)) == 1
    else:
        assert found.value == pytest.approx(cohen_kappa_score(x, y), abs=1e-9)


@settings(deadline=None)
@given(rows)
def test_kappa_is_symmetric_and_ignores_row_order_and_names(
    pairs: list[tuple[str, str]],
) -> None:
    x, y = columns(pairs)
    kappa = cohen_kappa(x, y).value
    rename = {"A": "T", "B": "A", "T": "zzz"}
    assert cohen_kappa(y, x).value == kappa
    assert cohen_kappa(x[::-1], y[::-1]).value == kappa
    assert cohen_kappa([rename[a] for a in x], [rename[b] for b in y]).value == kappa
    assert cohen_kappa(x, y, labels=["unused", "T", "B", "A"]).value == kappa
    doubled = cohen_kappa(x * 2, y * 2).value
    assert doubled == (None if kappa is None else pytest.approx(kappa, abs=1e-12))


@settings(deadline=None)
@given(rows)
def test_confusion_equals_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    x, y = columns(pairs)
    found = confusion(x, y, labels=["T", "A", "B"])
    assert np.array_equal(found.counts, confusion_matrix(x, y, labels=["T", "A", "B"]))
    assert found.n == len(pairs)


@settings(deadline=None)
@given(rows)
def test_many_tables_at_once_equal_one_at_a_time(pairs: list[tuple[str, str]]) -> None:
    x, y = columns(pairs)
    flat = np.ravel(confusion(x, y, labels="ABT").counts).astype(float)
    expected = cohen_kappa(x, y).value
    found = kappa_of_counts(np.stack([flat, flat * 3]))
    if expected is None:
        assert np.isnan(found).all()
    else:
        assert found == pytest.approx([expected, expected], abs=1e-12)


def test_degenerate_kappas() -> None:
    assert "only the label 'A'" in str(cohen_kappa(["A"] * 5, ["A"] * 5).undefined)
    assert cohen_kappa([], []).undefined == "there are no rows"
    assert float(cohen_kappa(["A"] * 4, ["A", "A", "B", "B"])) == 0.0
    assert float(cohen_kappa(["A", "B"], ["B", "A"])) == -1.0


def test_labels_may_be_whole_numbers() -> None:
    assert float(cohen_kappa([1, 2, 3, 3], [1, 2, 3, 1])) == pytest.approx(
        cohen_kappa_score([1, 2, 3, 3], [1, 2, 3, 1])
    )


def test_bad_input_is_named() -> None:
    with pytest.raises(DataError, match=r"y\[1\] is None"):
        cohen_kappa(["A", "B"], ["A", None])
    with pytest.raises(DataError, match=r"x\[0\] is 'C'"):
        cohen_kappa(["C", "B"], ["A", "B"], labels=["A", "B"])
    with pytest.raises(DataError, match="one length"):
        accuracy(["A"], [])


def test_prevalence() -> None:
    assert float(prevalence(["A", "B", "B", "B"])) == 0.75
    assert prevalence([]).undefined == "there are no rows"
    assert accuracy([], []).undefined == "there are no rows"
