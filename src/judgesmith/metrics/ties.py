"""Accuracy where some verdicts or labels are ties: the three conventions of the field.

Published accuracies of pairwise judges differ by several points by nothing but this choice. Print
which one is meant, and never compare two numbers made by different ones.
"""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np

from judgesmith.errors import DataError
from judgesmith.metrics.agreement import NO_ROWS
from judgesmith.metrics.coding import IntArray, Label, aligned, distinct
from judgesmith.metrics.result import Estimate

TieRule: TypeAlias = Literal["wrong", "half", "dropped"]
"""What a row earns on which exactly one side is a tie, or whether ties count at all."""

_RULES = ("wrong", "half", "dropped")


def accuracy_with_ties(
    x: Sequence[Label], y: Sequence[Label], *, ties: TieRule, tie: Label = "TIE"
) -> Estimate:
    """Accuracy under a stated convention for ties, 0 to 1.

    What a row earns, and whether it counts:

        verdict, label          wrong   half   dropped
        equal, no tie             1      1        1
        both a tie                1      1     left out
        exactly one is a tie      0     1/2    left out
        different, no tie         0      0        0

    "wrong" is plain `accuracy`. With "half", a judge that always says tie gets at least 1/2, and
    so does a coin on labels without ties. "dropped" rests on rows that the judge chose itself:
    by saying tie wherever it is unsure, it raises the number and lowers `n`.

    Unparsed verdicts are no ties (None is refused); see `coverage`. Undefined without rows, and
    with "dropped" when no row is left.

    Args:
        x: verdicts.
        y: labels.
        ties: "wrong", "half" or "dropped".
        tie: the label that means a tie.

    Raises:
        DataError: different lengths, None, or an unknown rule.

    Five rows: right, wrong, tie on both sides, and a tie on one side twice. 2/5, 3/5 and 1/2:

    >>> x, y = ["A", "A", "TIE", "TIE", "B"], ["A", "B", "TIE", "A", "TIE"]
    >>> [accuracy_with_ties(x, y, ties=rule).value for rule in ("wrong", "half", "dropped")]
    [0.4, 0.6, 0.5]
    >>> accuracy_with_ties(x, y, ties="dropped").n
    2
    """
    if aligned(x=x, y=y) == 0:
        tie_halves(x, y, ties, tie)
        return Estimate.missing(NO_ROWS, n=0)
    halves, counted = tie_halves(x, y, ties, tie).sum(axis=0).tolist()
    if counted == 0:
        return Estimate.missing("every row has a tie on one side at least", n=0)
    return Estimate.of(halves / counted, counted // 2)


def tie_halves(x: Sequence[Label], y: Sequence[Label], ties: TieRule, tie: Label) -> IntArray:
    """Return what each row earns and what it could earn, in halves of a point, shape (n, 2).

    >>> tie_halves(["A", "TIE"], ["A", "A"], "half", "TIE").tolist()
    [[2, 2], [1, 2]]
    """
    if ties not in _RULES:
        raise DataError(f"ties: expected one of {list(_RULES)!r}, found {ties!r}")
    distinct("x", x)
    distinct("y", y)
    earned = {(True, False): 2, (True, True): 2, (False, True): 1 if ties == "half" else 0}
    rows = [
        (0, 0)
        if ties == "dropped" and tie in (a, b)
        else (earned.get((a == b, tie in (a, b)), 0), 2)
        for a, b in zip(x, y, strict=True)
    ]
    return np.asarray(rows, dtype=np.int64).reshape(-1, 2)
