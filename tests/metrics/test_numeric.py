import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from judgesmith.errors import DataError
from judgesmith.metrics.numeric import midranks, numbers


@settings(deadline=None)
@given(st.lists(st.integers(-3, 3) | st.floats(-1e6, 1e6), min_size=1, max_size=30))
def test_midranks_equal_scipy(values: list[float]) -> None:
    column = numbers("x", values)
    assert midranks(column).tolist() == scipy.stats.rankdata(values).tolist()


def test_numbers_of_every_kind() -> None:
    assert numbers("x", [True, 2, 0.5]).tolist() == [1.0, 2.0, 0.5]
    assert numbers("x", np.array([1, 2], dtype=np.int16)).dtype == np.float64
    assert numbers("x", []).tolist() == []


def test_a_table_is_no_column() -> None:
    with pytest.raises(DataError, match=r"x\[0\] is \[1, 2\]"):
        numbers("x", [[1, 2], [3, 4]])
    with pytest.raises(DataError, match=r"x\[1\] is \[1\]"):
        numbers("x", [1, [1]])
