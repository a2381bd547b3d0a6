import numpy as np
import pytest

from judgesmith.errors import DataError
from judgesmith.metrics.coding import aligned, cluster_codes, distinct, encode, ordered_labels


def test_columns_of_different_length_are_named() -> None:
    with pytest.raises(DataError, match="x has 2, y has 3"):
        aligned(x="AB", y="ABC")


def test_an_unparsed_verdict_is_refused_with_its_position() -> None:
    with pytest.raises(DataError, match=r"x\[2\] is None.*agreement_bounds"):
        distinct("x", ["A", "B", None])


@pytest.mark.parametrize("value", [float("nan"), 1.5, float("inf"), b"A", ("A",)])
def test_what_is_no_label_is_refused(value: object) -> None:
    with pytest.raises(DataError, match=r"x\[1\] is"):
        distinct("x", ["A", value])


def test_an_unhashable_value_is_refused() -> None:
    with pytest.raises(DataError, match=r"x\[0\] is \['A'\]"):
        distinct("x", [["A"], "B"])


def test_a_label_off_the_scale_is_named() -> None:
    with pytest.raises(DataError, match=r"x\[1\] is 'C': expected one of \['A', 'B'\]"):
        encode("x", ["A", "C"], ["A", "B"])


def test_numpy_columns_are_labels() -> None:
    assert encode("x", np.array(["B", "A"]), ["A", "B"]).tolist() == [1, 0]
    assert distinct("x", np.array([3, 1, 3])) == {1, 3}
    assert distinct("x", np.array([True, False])) == {0, 1}


def test_whole_numbers_are_labels_however_they_are_held() -> None:
    """Scores read from a table are often floats; 3.0 and 3 are one label."""
    assert distinct("x", [3, 3.0, np.float64(3)]) == {3}
    assert encode("x", [2.0, 1], [1, 2]).tolist() == [1, 0]


def test_labels_have_one_order_whatever_the_set_order() -> None:
    assert ordered_labels({"b", 10, "a", 9}) == (9, 10, "a", "b")
    with pytest.raises(DataError, match="each label once"):
        ordered_labels({"A"}, ["A", "A"])


def test_clusters_may_be_anything_hashable_but_none() -> None:
    codes, count = cluster_codes([("q", 1), 7, ("q", 1), "7"])
    assert (codes.tolist(), count) == ([0, 1, 0, 2], 3)
    with pytest.raises(DataError, match=r"clusters\[1\] is None"):
        cluster_codes(["q", None])
