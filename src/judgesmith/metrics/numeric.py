"""Columns of numbers, with the checks that every metric on scores needs."""

import math
from collections.abc import Sequence

import numpy as np

from judgesmith.errors import DataError
from judgesmith.metrics.coding import FloatArray, IntArray, shown


def numbers(name: str, values: Sequence[float]) -> FloatArray:
    """Return a column as floats; refuse None, NaN, infinity and anything that is no number.

    Raises:
        DataError: a value is no finite number; the message names its position.

    >>> numbers("x", [1, 2.5]).tolist()
    [1.0, 2.5]
    """
    try:
        found = np.asarray(values)
    except ValueError:  # sequences of different lengths
        raise _refuse(name, values) from None
    if found.ndim != 1 or (found.size and found.dtype.kind not in "fiub"):
        raise _refuse(name, values)
    column = found.astype(np.float64)
    if not np.isfinite(column).all():
        raise _refuse(name, values)
    return column


def is_number(value: object) -> bool:
    """Whether a value is a finite number.

    >>> [is_number(value) for value in (1, 2.5, True, float("nan"), None, "3")]
    [True, True, True, False, False, False]
    """
    if isinstance(value, int | float | np.floating | np.integer | np.bool_):
        return math.isfinite(float(value))
    return False


def _refuse(name: str, values: Sequence[object]) -> DataError:
    for position, value in enumerate(values):
        if value is None:
            return DataError(
                f"{name}[{position}] is None: expected a number. Leave rows without a score out "
                "and report coverage"
            )
        if not is_number(value):
            return DataError(f"{name}[{position}] is {shown(value)}: expected a finite number")
    return DataError(f"{name}: expected one column of finite numbers, found {type(values)!r}")


def midranks(column: FloatArray) -> FloatArray:
    """Return the rank of each value, 1 for the lowest; equal values share their mean rank.

    >>> midranks(np.array([10.0, 30.0, 10.0, 20.0])).tolist()
    [1.5, 4.0, 1.5, 3.0]
    """
    which, held = ranked(column)
    return (np.cumsum(held) - (held - 1) / 2)[which]


def ranked(column: FloatArray) -> tuple[IntArray, IntArray]:
    """Return for each value its place among the distinct ones, and how often each occurs.

    >>> [part.tolist() for part in ranked(np.array([10.0, 30.0, 10.0]))]
    [[0, 1, 0], [2, 1]]
    """
    _, which, held = np.unique(column, return_inverse=True, return_counts=True)
    return which, held
