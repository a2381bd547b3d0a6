"""Agreement of two or more raters: Fleiss' kappa, and Krippendorff's alpha for any of them.

Both take either ONE argument, a sequence of items each of which is a sequence with one rating per
rater, or TWO OR MORE arguments, one column of ratings per rater. So `f(items)`, `f(x, y)` and
`f(first, second, third)` all work. None is a missing rating; only alpha can use such items.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from judgesmith.errors import DataError
from judgesmith.metrics.agreement import NO_ROWS
from judgesmith.metrics.coding import (
    FloatArray,
    IntArray,
    Label,
    aligned,
    encode,
    is_label,
    ordered_labels,
    shown,
)
from judgesmith.metrics.numeric import is_number, midranks, ranked
from judgesmith.metrics.result import Estimate

Level: TypeAlias = Literal["nominal", "ordinal", "interval", "ratio"]
"""What the difference of two ratings means."""

Rating: TypeAlias = Label | float | None

_LEVELS = ("nominal", "ordinal", "interval", "ratio")
_PAIR = 2  # ratings that an item needs to say anything about agreement
_CELLS_AT_ONCE = 4_000_000


class _Ratings(NamedTuple):
    """Ratings one after the other: what was said, of which item, and by which rater of it."""

    values: list[Any]
    items: IntArray
    raters: IntArray

    def place(self, index: int) -> str:
        """Say where a rating stood."""
        return f"item {self.items[index]}, rater {self.raters[index]}"

    def first(self, bad: Callable[[Any], bool]) -> int | None:
        """Return the first rating that is bad."""
        return next((i for i, value in enumerate(self.values) if bad(value)), None)


def fleiss_kappa(*ratings: Sequence[Any]) -> Estimate:
    """Fleiss' kappa, at most 1: agreement beyond chance of m raters who rate every item.

    The raters need not be the same people from item to item. Formula (Fleiss 1971), with N items,
    m ratings each, n(i, k) how many of them give item i the label k, and p(k) the share of label
    k among all N * m ratings:

        po = (sum of n(i, k)**2 - N*m) / (N * m * (m - 1)),   pe = sum of p(k)**2
        kappa = (po - pe) / (1 - pe)

    Undefined without items, and when all ratings are the same label. `n` is the number of items.

    Args:
        *ratings: items with their ratings, or one column per rater; see the module.

    Raises:
        DataError: items with different numbers of ratings or fewer than two (also when a rating
            is None), or a rating that is no string or whole number.

    Two items, three raters: the squares add up to 9 + 1 + 4 = 14, po = (14 - 6) / 12 = 2/3;
    labels A and B hold 4 and 2 of 6, pe = 20/36 = 5/9; (6/9 - 5/9) / (4/9) = 1/4:

    >>> round(fleiss_kappa([["A", "A", "A"], ["A", "B", "B"]]).value, 6)
    0.25
    >>> round(fleiss_kappa(["A", "A"], ["A", "B"], ["A", "B"]).value, 6)
    0.25
    """
    found = _long(ratings)
    if not found.values:
        return Estimate.missing(NO_ROWS, n=0)
    each = _equal_sizes(found)
    codes, labels = _nominal(found)
    n, total = len(found.values) // each, len(found.values)
    held = np.unique(found.items * len(labels) + codes, return_counts=True)[1]
    shares = np.bincount(codes, minlength=len(labels))
    chance = sum(count * count for count in shares.tolist())
    if chance == total * total:
        return Estimate.missing(f"every rating is {shown(labels[0])}, so chance agreement is 1", n)
    agreeing = int((held * held).sum()) - total
    # Both shares over the common denominator total**2 * (each - 1): whole numbers, so exact.
    above = agreeing * total - chance * (each - 1)
    return Estimate.of(above / ((total * total - chance) * (each - 1)), n)


def krippendorff_alpha(
    *ratings: Sequence[Any], level: Level = "nominal", labels: Sequence[Label] | None = None
) -> Estimate:
    """Krippendorff's alpha, at most 1: agreement of any number of raters, ratings may be missing.

    Formula (Krippendorff 2019, ch. 12): alpha = 1 - Do / De. Over the n ratings of items with two
    or more, with m(u) the ratings of item u and d the difference function of the level,

        Do = sum over items u of (sum over ordered pairs in u of d) / (m(u) - 1) / n
        De = sum over ordered pairs of all n ratings of d / (n * (n - 1))

        nominal   d = 1 unless equal
        ordinal   d = (difference of the mean ranks among the n ratings)**2
        interval  d = (a - b)**2
        ratio     d = ((a - b) / (a + b))**2, 0 for two zeros

    This is the coincidence-matrix form with equal terms put together, and exact. For the ordinal
    level his sum of the counts between two values is their difference in mean rank.

    Undefined when no item has two ratings, and when all that count are the same. `n` is the
    number of items with two or more ratings; the others are left out.

    Args:
        *ratings: items with their ratings, or one column per rater; see the module.
        level: what the difference of two ratings means.
        labels: for ordinal strings: the scale from low to high.

    Raises:
        DataError: a rating that the level cannot use (NaN among them), an unknown level, labels
            for a level other than ordinal.

    Two items, three raters: only A-B-B disagrees, (9 - 5) / 2 = 2 of Do; with 4 A and 2 B of
    n = 6, De holds (36 - 20) / 5 = 3.2; 1 - 2 / 3.2:

    >>> krippendorff_alpha([["A", "A", "A"], ["A", "B", "B"]]).value
    0.375

    Two raters, the third item has one rating and is left out: Do holds 2 * 1, De
    2 * 4 * 2.75 / 3 = 22/3, so alpha is 1 - 6/22 = 8/11:

    >>> found = krippendorff_alpha([1, 3, 5], [2, 3, None], level="interval")
    >>> round(found.value, 6), found.n
    (0.727273, 2)
    """
    if level not in _LEVELS:
        raise DataError(f"level: expected one of {list(_LEVELS)!r}, found {level!r}")
    if labels is not None and level != "ordinal":
        raise DataError(f"labels: only the ordinal level has an order to name, not {level!r}")
    found = _long(ratings)
    kept = [i for i, value in enumerate(found.values) if value is not None]
    known = _Ratings([found.values[i] for i in kept], found.items[kept], found.raters[kept])
    values = _nominal(known)[0].astype(np.float64) if level == "nominal" else _scores(known, labels)
    if level == "ratio" and len(values) and values.min() < 0:
        place = known.place(int(values.argmin()))
        raise DataError(f"{place} is {values.min()}: the ratio level expects numbers from 0 up")
    return _alpha(values, known.items, level)


def _alpha(values: FloatArray, items: IntArray, level: Level) -> Estimate:
    """Alpha of numbers (codes for nominal) and the items they belong to."""
    order = np.lexsort((values, items))  # the last digit must not turn on who is rater one
    values, items = values[order], items[order]
    sizes = np.bincount(items) if len(items) else np.zeros(0, dtype=np.int64)
    paired = sizes[items] >= _PAIR
    values = values[paired]
    units = np.unique(items[paired], return_inverse=True)[1]
    n = int((sizes >= _PAIR).sum())
    if n == 0:
        return Estimate.missing("no item has two ratings", n=0)
    if values.min() == values.max():
        return Estimate.missing("all ratings are the same, so no disagreement is expected", n)
    if level == "ordinal":
        values = midranks(values)
    within = {"nominal": _unequal_pairs, "ratio": _ratio_pairs}.get(level, _squared_pairs)
    m = np.bincount(units)
    observed = float((within(values, units) / (m - 1)).sum())
    everything = np.zeros(len(values), dtype=np.int64)
    whole = _ratio_pairs_of_all if level == "ratio" else within
    expected = float(whole(values, everything)[0]) / (len(values) - 1)
    return Estimate.of(1 - observed / expected, n)


def _unequal_pairs(values: FloatArray, units: IntArray) -> FloatArray:
    """Ordered pairs of different values within each unit."""
    codes = ranked(values)[0]
    width = int(codes.max()) + 1
    cell, held = np.unique(units * width + codes, return_counts=True)
    m = np.bincount(units)
    return (m * m - np.bincount(cell // width, weights=held * held)).astype(np.float64)


def _squared_pairs(values: FloatArray, units: IntArray) -> FloatArray:
    """Sum of squared differences over ordered pairs within each unit: 2 m * (sum of squares)."""
    m = np.bincount(units)
    scaled = values / np.abs(values).max()  # both sums shrink alike; nothing can overflow
    away = scaled - (np.bincount(units, weights=scaled) / m)[units]
    return (2.0 * m * np.bincount(units, weights=away * away)).astype(np.float64)


def _ratio_pairs(values: FloatArray, units: IntArray) -> FloatArray:
    """Sum of the ratio differences over ordered pairs within each unit, one size at a time."""
    order = np.argsort(units, kind="stable")
    m = np.bincount(units)
    first = np.cumsum(m) - m
    sums = np.zeros(len(m))
    for size in np.unique(m).tolist():
        alike = np.flatnonzero(m == size)
        step = max(1, _CELLS_AT_ONCE // (size * size))
        for start in range(0, len(alike), step):
            block = alike[start : start + step]
            rows = values[order[first[block][:, None] + np.arange(size)]]
            sums[block] = _ratio(rows[:, :, None], rows[:, None, :]).sum(axis=(1, 2))
    return sums


def _ratio_pairs_of_all(values: FloatArray, units: IntArray) -> FloatArray:
    """The same over all values as one unit, each distinct value once with its count."""
    distinct, held = np.unique(values, return_counts=True)
    step = max(1, _CELLS_AT_ONCE // len(distinct))
    total = 0.0
    for start in range(0, len(distinct), step):
        block = slice(start, start + step)
        total += float(held[block] @ _ratio(distinct[block, None], distinct[None, :]) @ held)
    return np.array([total])


def _ratio(a: FloatArray, b: FloatArray) -> FloatArray:
    both = a + b
    share = np.zeros(np.broadcast_shapes(a.shape, b.shape))
    np.divide(a - b, both, out=share, where=both > 0)
    return share * share


def _long(ratings: Sequence[Sequence[Any]]) -> _Ratings:
    """Put either calling convention into one long form."""
    if not ratings:
        raise DataError("expected items with their ratings, or one column per rater, found nothing")
    if len(ratings) == 1:
        return _of_items(ratings[0])
    n = aligned(**{f"rater {i}": column for i, column in enumerate(ratings)})
    values = [value for column in ratings for value in column]
    who = np.arange(len(ratings))
    return _Ratings(values, np.tile(np.arange(n), len(ratings)), np.repeat(who, n))


def _of_items(items: Sequence[Any]) -> _Ratings:
    sizes: list[int] = []
    values: list[Any] = []
    for position, item in enumerate(items):
        if isinstance(item, str) or not hasattr(item, "__len__"):
            raise DataError(
                f"item {position} is {item!r}: expected the ratings of an item, one per rater. "
                "For one column per rater pass two columns or more"
            )
        sizes.append(len(item))
        values.extend(item)
    each = np.asarray(sizes, dtype=np.int64)
    first = np.repeat(np.cumsum(each) - each, each)
    return _Ratings(values, np.repeat(np.arange(len(each)), each), np.arange(len(values)) - first)


def _equal_sizes(found: _Ratings) -> int:
    """Return how many ratings every item has."""
    advice = "use krippendorff_alpha, which takes items with missing ratings"
    if (gap := found.first(lambda value: value is None)) is not None:
        raise DataError(f"{found.place(gap)} is None: Fleiss' kappa needs every rating; {advice}")
    sizes = np.bincount(found.items)
    odd = np.flatnonzero(sizes != sizes[0])
    if len(odd):
        raise DataError(
            f"expected equally many ratings for every item, found {sizes[0]} for item 0 and "
            f"{sizes[odd[0]]} for item {odd[0]}; {advice}"
        )
    if sizes[0] < _PAIR:
        raise DataError(f"expected two ratings or more for every item, found {sizes[0]}")
    return int(sizes[0])


def _nominal(found: _Ratings) -> tuple[IntArray, list[Label]]:
    """Return a code for each rating, and the labels."""
    try:
        labels = list(dict.fromkeys(found.values))
        fine = all(map(is_label, labels))
    except TypeError:
        labels, fine = [], False
    if not fine:
        bad = found.first(lambda value: not is_label(value)) or 0
        value = shown(found.values[bad])
        raise DataError(f"{found.place(bad)} is {value}: expected a string or whole number")
    return encode("ratings", found.values, labels), labels


def _scores(found: _Ratings, labels: Sequence[Label] | None) -> FloatArray:
    """Return each rating as a number: itself, or its position on the given scale."""
    if labels is None:
        bad = found.first(lambda value: not is_number(value))
        if bad is None:
            return np.asarray(found.values, dtype=np.float64)
        advice = "; name the scale from low to high with labels=[...]"
        hint = advice if isinstance(found.values[bad], str) else ""
        raise DataError(
            f"{found.place(bad)} is {found.values[bad]!r}: expected a finite number{hint}"
        )
    scale = list(ordered_labels(set(labels), labels))
    if (bad := found.first(lambda value: value not in scale)) is not None:
        raise DataError(f"{found.place(bad)} is {found.values[bad]!r}: expected one of {scale!r}")
    return encode("ratings", found.values, scale).astype(np.float64)
