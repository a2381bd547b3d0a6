"""Unparsed verdicts: how many there are, and how far they could move the agreement.

Leaving unparsed verdicts out inflates agreement when hard items fail more often. So three more
numbers stand beside it: the largest and the smallest that any reading of the unparsed replies
could give, and the one that counts each of them as wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from judgesmith.errors import DataError
from judgesmith.metrics.agreement import NO_ROWS, accuracy, cohen_kappa
from judgesmith.metrics.coding import Label, Verdict, aligned, distinct, encode, ordered_labels
from judgesmith.metrics.interval import wilson
from judgesmith.metrics.result import Estimate

UNPARSED = "(unparsed)"
"""The category that stands for an unparsed verdict where it is counted as wrong."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """One measure of agreement under four readings of the unparsed verdicts.

    Attributes:
        parsed: over items with a parsed verdict only.
        worst: the smallest value over all ways to give each unparsed item a label.
        wrong: over all items, an unparsed verdict being an extra category that no label equals.
        best: the largest value over all ways to give each unparsed item a label.
    """

    parsed: Estimate
    worst: Estimate
    wrong: Estimate
    best: Estimate


@dataclass(frozen=True, slots=True)
class AgreementBounds:
    """Coverage, and accuracy and kappa with their bounds under parse failure."""

    coverage: Estimate
    accuracy: Bounds
    kappa: Bounds


def coverage(verdicts: Sequence[Verdict], confidence: float = 0.95) -> Estimate:
    """Share of items with a parsed verdict, with Wilson's interval. Undefined without items.

    >>> coverage(["A", None, "TIE", "B"]).value
    0.75
    """
    return wilson(len(parsed_positions(verdicts)), len(verdicts), confidence)


def parsed_positions(*columns: Sequence[Verdict]) -> list[int]:
    """Return the positions at which no column is None.

    >>> parsed_positions(["A", None, "B"], ["A", "A", None])
    [0]
    """
    aligned(**{f"column {i}": column for i, column in enumerate(columns)})
    return [i for i, row in enumerate(zip(*columns, strict=True)) if None not in row]


def mark_unparsed(verdicts: Sequence[Verdict]) -> list[Label]:
    """Replace None by the category `UNPARSED`, so that it counts as wrong in any agreement.

    Raises:
        DataError: the category is already in use as a verdict.

    >>> mark_unparsed(["A", None])
    ['A', '(unparsed)']
    """
    if UNPARSED in verdicts:
        raise DataError(f"{UNPARSED!r} is a verdict here: rename that label, it is reserved")
    return [UNPARSED if verdict is None else verdict for verdict in verdicts]


def agreement_bounds(
    x: Sequence[Verdict], y: Sequence[Label], labels: Sequence[Label] | None = None
) -> AgreementBounds:
    """Accuracy and kappa over parsed items, and their bounds over all items.

    Let n items have label counts c(k), d parsed verdicts that are right, and u unparsed ones.

    Accuracy: parsed d / (n - u); wrong and worst d / n; best (d + u) / n.

    Kappa: `wrong` adds a category that is never a label, so it agrees with nothing and adds
    nothing to chance agreement. `best` and `worst` are exact over all fillings. With D agreeing
    rows and S = sum of count_x(k) * c(k), kappa = (n*D - S) / (n*n - S), and an item with label
    j filled with i adds n*[i = j] - c(i) to the numerator and -c(i) to the denominator. Such a
    ratio of sums is optimised by Dinkelbach's method (1967): with the ratio L reached so far,
    choose for every item the i that is best for n*[i = j] - (1 - L)*c(i), and repeat until L
    stays. In exact fractions this ends at the optimum. Where the bound is not negative, `best`
    is the filling with the true labels, and `worst` gives each item the most common label other
    than its own.

    Kappa bounds are undefined without items, and where all labels are one label and no parsed
    verdict differs from it (some filling then has chance agreement 1).

    Args:
        x: verdicts; None is unparsed.
        y: labels.
        labels: the labels an unparsed reply could have meant; default: those in x and y.

    Raises:
        DataError: different lengths, None in y, or a value outside `labels`.

    n = 4, parsed 2 of 3 right, one unparsed item labelled A:

    >>> found = agreement_bounds(["A", "B", "A", None], ["A", "B", "B", "A"])
    >>> [round(float(b), 6) for b in (found.accuracy.worst, found.accuracy.best)]
    [0.5, 0.75]
    >>> kappa = found.kappa
    >>> [round(float(b), 6) for b in (kappa.parsed, kappa.worst, kappa.wrong, kappa.best)]
    [0.4, 0.0, 0.2, 0.5]
    """
    n = aligned(x=x, y=y)
    seen: set[Label] = {verdict for verdict in x if verdict is not None}
    axis = ordered_labels(seen | distinct("y", y), labels)
    encode("y", y, axis)
    kept = parsed_positions(x)
    parsed_x, parsed_y = [x[i] for i in kept], [y[i] for i in kept]
    read = [verdict for verdict in parsed_x if verdict is not None]
    encode("x", read, axis)
    marked = mark_unparsed(x)
    return AgreementBounds(
        coverage=coverage(x),
        accuracy=_accuracy_bounds(accuracy(read, parsed_y), accuracy(marked, y), n, len(axis)),
        kappa=Bounds(
            parsed=cohen_kappa(read, parsed_y),
            worst=_extreme_kappa(x, y, axis, sign=-1),
            wrong=cohen_kappa(marked, y),
            best=_extreme_kappa(x, y, axis, sign=1),
        ),
    )


def _accuracy_bounds(parsed: Estimate, wrong: Estimate, n: int, labels: int) -> Bounds:
    """Return accuracy under the four readings."""
    if n == 0:
        return Bounds(parsed, wrong, wrong, wrong)
    right = round(float(wrong) * n)
    best = Estimate.of((right + n - parsed.n) / n, n)
    # With a single label there is no wrong one to fill in.
    return Bounds(parsed, wrong if labels > 1 else best, wrong, best)


def _extreme_kappa(
    x: Sequence[Verdict], y: Sequence[Label], axis: tuple[Label, ...], *, sign: int
) -> Estimate:
    """Return the largest (sign 1) or smallest (sign -1) kappa over all fillings."""
    n = len(y)
    if n == 0:
        return Estimate.missing(NO_ROWS, n=0)
    width = len(axis)
    held = np.bincount(encode("y", y, axis), minlength=width).tolist()
    read = [(a, b) for a, b in zip(x, y, strict=True) if a is not None]
    if max(held) == n and all(a == b for a, b in read):
        reason = f"all labels are {y[0]!r} and some reading of the unparsed replies is, too"
        return Estimate.missing(reason if len(read) < n else str(cohen_kappa(y, y).undefined), n)
    open_items = [b for a, b in zip(x, y, strict=True) if a is None]
    missing = np.bincount(encode("y", open_items, axis), minlength=width).tolist()
    chance = sum(held[code] for code in encode("x", [a for a, _ in read], axis).tolist())
    above = n * sum(a == b for a, b in read) - chance
    return Estimate.of(float(_dinkelbach(above, n * n - chance, held, missing, sign)), n)


def _dinkelbach(above: int, below: int, held: list[int], missing: list[int], sign: int) -> Fraction:
    """Optimise (above + gains) / (below + losses) over the labels given to unparsed items.

    Args:
        above: numerator of kappa from the parsed items.
        below: denominator of kappa from the parsed items.
        held: how many items have each label.
        missing: how many unparsed items have each label.
        sign: 1 for the largest ratio, -1 for the smallest.
    """
    n = sum(held)
    reached: Fraction | None = None
    ratio = Fraction(0)
    while ratio != reached:
        reached = ratio
        top, bottom = above, below
        for label, count in enumerate(missing):
            if count:
                gains = [
                    sign * (n * (i == label) - (1 - ratio) * held[i]) for i in range(len(held))
                ]
                chosen = gains.index(max(gains))
                top += count * (n * (chosen == label) - held[chosen])
                bottom -= count * held[chosen]
        ratio = Fraction(top, bottom)
    return ratio
