"""Labels and clusters as whole numbers, with the checks that every metric needs.

A label is a string or a whole number; which labels exist is never assumed. `None` means "no
parsed verdict" and is refused here: a metric that can count unparsed verdicts takes them out
itself and says how.
"""

from collections.abc import Hashable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from judgesmith.errors import DataError

Label: TypeAlias = str | int
Verdict: TypeAlias = Label | None
IntArray: TypeAlias = NDArray[np.int64]
FloatArray: TypeAlias = NDArray[np.float64]


def aligned(**columns: Sequence[object]) -> int:
    """Return the common length of the columns.

    Raises:
        DataError: the columns differ in length.

    >>> aligned(x=["A", "B"], y=["A", "A"])
    2
    """
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise DataError(f"expected columns of one length, found: {found}; align them by item first")
    return next(iter(lengths.values()), 0)


def is_label(value: object) -> bool:
    """Whether a value is a string or a whole number, as a float (1.0) or numpy number too.

    >>> [is_label(value) for value in ("A", 3, 3.0, 2.5, float("nan"), None)]
    [True, True, True, False, False, False]
    """
    if isinstance(value, float | np.floating):
        return float(value).is_integer()
    return isinstance(value, str | int | np.integer | np.bool_)


def shown(value: object) -> str:
    """Return a value as messages print it, a numpy one like a plain one.

    >>> shown(np.str_("A")), shown(np.int64(1))
    ("'A'", '1')
    """
    return repr(value.item() if isinstance(value, np.generic) else value)


def _refuse(name: str, values: Sequence[object], labels: Sequence[object] | None) -> DataError:
    """Describe the first value of a column that is not a usable label."""
    for position, value in enumerate(values):
        if value is None:
            return DataError(
                f"{name}[{position}] is None: expected a label. Leave unparsed verdicts out and "
                "report coverage, or use agreement_bounds"
            )
        if not is_label(value):
            return DataError(
                f"{name}[{position}] is {shown(value)}: expected a string or whole number"
            )
        if labels is not None and value not in labels:
            found = f"{name}[{position}] is {shown(value)}"
            return DataError(f"{found}: expected one of {list(labels)!r}")
    return DataError(f"{name}: expected labels, found {values!r}")


def distinct(name: str, values: Sequence[Label]) -> set[Label]:
    """Return the labels of a column; refuse None, NaN and anything that is no label."""
    try:
        found = set(values)
    except TypeError:
        raise _refuse(name, values, None) from None
    if not all(map(is_label, found)):
        raise _refuse(name, values, None)
    return found


def ordered_labels(found: set[Label], given: Sequence[Label] | None = None) -> tuple[Label, ...]:
    """Return the given labels, or the found ones in a fixed order (numbers, then strings).

    Raises:
        DataError: a given label is repeated.

    >>> ordered_labels({"TIE", "A", 2})
    (2, 'A', 'TIE')
    """
    if given is None:
        return tuple(sorted(found, key=lambda label: (isinstance(label, str), label)))
    if len(set(given)) != len(given):
        raise DataError(f"labels: expected each label once, found {list(given)!r}")
    return tuple(given)


def encode(name: str, values: Sequence[Label], labels: Sequence[Label]) -> IntArray:
    """Return the position of each value in `labels`.

    Raises:
        DataError: a value is None or not among the labels; the message names its position.

    >>> encode("x", ["B", "A"], ["A", "B"]).tolist()
    [1, 0]
    """
    index = {label: code for code, label in enumerate(labels)}
    try:
        return np.fromiter(map(index.__getitem__, values), np.int64, len(values))
    except (KeyError, TypeError):
        raise _refuse(name, values, labels) from None


def cluster_codes(clusters: Sequence[Hashable]) -> tuple[IntArray, int]:
    """Return a code for each row's cluster, and the number of clusters.

    Raises:
        DataError: a cluster is None.

    >>> codes, count = cluster_codes(["q7", "q7", "q1"])
    >>> codes.tolist(), count
    ([0, 0, 1], 2)
    """
    seen: dict[Hashable, int] = {}
    codes = [seen.setdefault(cluster, len(seen)) for cluster in clusters]
    if None in seen:
        position = next(i for i, cluster in enumerate(clusters) if cluster is None)
        raise DataError(f"clusters[{position}] is None: expected the id of the row's question")
    return np.asarray(codes, dtype=np.int64), len(seen)
