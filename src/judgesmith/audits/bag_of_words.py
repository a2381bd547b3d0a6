"""Do all words together tell the chosen texts of preference rows from the rejected ones?

`separability` asks it of one keyword. A student can add up many weak ones, so here a linear probe
weighs every word, by how often it stands in a text and by whether it does at all: ridge-penalised
logistic regression, fitted on four fifths of the groups and measured on the fifth, in turn. It is
measured in two ways, and both count:

- `alone`: is a text, seen by itself, chosen or rejected?
- `paired`: of the two texts of one row, which is the chosen one? This is what preference training
  is asked. A probe of its own is fitted on the differences of the counts; equal scores count half.

Length is among what is probed, since it is a sum of counts. All rows are probed, because all are
trained on. Rows of one group are not independent, so the intervals are Wilson's for as many rows as
there are groups, or fewer where groups differ in size: n = (sum of sizes)^2 / (sum of their
squares) (Kish 1965), which is what is left if rows of a group are no more than copies.

False alarms: "the words tell" is said only if an interval lies above one half and reaches over the
ceiling. Where the sides are alike, in 450 simulated sets of 150 or 400 groups of one row, the
interval of `alone` lay above one half in 1% and that of `paired` in 4% (its folds share rows, so it
is a little narrow); 4% of these sets were called errors. From 1,000 groups on such an interval
still ends below a ceiling of 0.6, so that practically none is.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from heapq import nsmallest
from typing import NamedTuple

import numpy as np

from judgesmith.audits.finding import Finding, Severity
from judgesmith.audits.separability import ContrastRow
from judgesmith.audits.surface_probe import ProbeRow, design, fit, fold_of
from judgesmith.errors import RecipeError
from judgesmith.metrics.coding import FloatArray
from judgesmith.metrics.interval import wilson
from judgesmith.metrics.result import Estimate

N_SHOWN = 10
"""Words in the table."""

CEILING = 0.6
"""Upper end of the accuracy up to which the sides count as alike."""

_TOO_FEW = (
    "fewer than two groups of rows with both texts: none to fit a probe on and another to ask"
)
_WORD = re.compile(r"[^\W_]+")
_EQUAL = 1e-6  # weights that cancel leave rounding behind, which says nothing


@dataclass(frozen=True, slots=True)
class WordUse:
    """How often one word stands in the counted chosen and rejected texts."""

    word: str
    chosen: int
    rejected: int


@dataclass(frozen=True, slots=True)
class BagTable:
    """How well all words together tell chosen from rejected.

    Attributes:
        rows: Rows with both texts.
        groups: Their groups.
        words: Different words in them.
        alone: Held-out accuracy on single texts: the share of both sides' texts that is told.
        paired: Held-out share of rows whose chosen text scores higher; equal scores count half.
        strongest: The words whose counts differ most between the sides.
    """

    rows: int
    groups: int
    words: int
    alone: Estimate
    paired: Estimate
    strongest: tuple[WordUse, ...]

    def to_dict(self) -> dict[str, object]:
        """Give the table as plain JSON values."""
        return asdict(self)


def word_list(text: str) -> list[str]:
    """The words of a text in lower case, in their order.

    >>> word_list("B is fair. Fair?")
    ['b', 'is', 'fair', 'fair']
    """
    return _WORD.findall(text.casefold())


def bag_table(rows: Sequence[ContrastRow], *, seed: int = 0) -> BagTable:
    """Measure how well all words together tell chosen from rejected texts.

    Args:
        rows: Preference rows in any order; rows without both texts are not looked at.
        seed: Key of the hash that makes the folds.

    Returns:
        The table; accuracies are undefined with fewer than two groups.

    >>> rows = [ContrastRow(f"q{i}", "is it biased", "is it better", f"x:{i}") for i in range(40)]
    >>> table = bag_table(rows)
    >>> table.alone.value, table.paired.value, table.strongest[0]
    (1.0, 1.0, WordUse(word='better', chosen=0, rejected=40))
    """
    counted = sorted(
        _Row(row.group, row.chosen, row.rejected)
        for row in rows
        if row.chosen is not None and row.rejected is not None
    )
    used = {side: _uses(getattr(row, side) for row in counted) for side in ("chosen", "rejected")}
    words = sorted(used["chosen"] | used["rejected"])
    gap = {word: abs(used["chosen"][word] - used["rejected"][word]) for word in words}
    sizes = Counter(row.group for row in counted)
    alone = paired = Estimate.missing(_TOO_FEW, len(counted), len(sizes))
    if len(sizes) > 1:
        alone, paired = _alone(counted, sizes, seed), _paired(counted, sizes, seed)
    return BagTable(
        rows=len(counted),
        groups=len(sizes),
        words=len(words),
        alone=alone,
        paired=paired,
        strongest=tuple(
            WordUse(word, used["chosen"][word], used["rejected"][word])
            for word in nsmallest(N_SHOWN, words, key=lambda word: (-gap[word], word))
        ),
    )


class _Row(NamedTuple):
    group: str
    chosen: str
    rejected: str


def _uses(texts: Iterable[str]) -> Counter[str]:
    return Counter(word for text in texts for word in word_list(text))


def _bag(text: str) -> dict[str, float]:
    """How often each word stands in a text, and that it does."""
    counts = Counter(word_list(text))
    return {f"{word} times": float(n) for word, n in counts.items()} | dict.fromkeys(counts, 1.0)


def _alone(counted: Sequence[_Row], sizes: Mapping[str, int], seed: int) -> Estimate:
    rows = [
        ProbeRow("", row.group, {"": 1.0, **_bag(text)}, is_chosen)
        for row in counted
        for text, is_chosen in ((row.chosen, True), (row.rejected, False))
    ]
    scores = _held_out(rows, seed)
    told = int((scores[0::2] > 0).sum()) + int((scores[1::2] <= 0).sum())
    return _share(told / len(rows), sizes)


def _paired(counted: Sequence[_Row], sizes: Mapping[str, int], seed: int) -> Estimate:
    rows = [
        ProbeRow("", row.group, _less(_bag(row.chosen), _bag(row.rejected)), True)
        for row in counted
    ]
    scores = _held_out(rows, seed)
    told = int((scores > _EQUAL).sum()) + int((abs(scores) <= _EQUAL).sum()) / 2
    return _share(told / len(rows), sizes)


def _share(value: float, sizes: Mapping[str, int]) -> Estimate:
    """A share of all rows with Wilson's interval for the number of rows that they amount to."""
    n = sum(sizes.values())
    independent = n * n // sum(size * size for size in sizes.values())
    found = wilson(math.ceil(value * independent), independent)
    assert found.low is not None
    return Estimate(
        value,
        min(found.low, value),
        found.high,
        n=n,
        clusters=len(sizes),
        confidence=found.confidence,
        method=f"Wilson's for {independent} rows, cross-fitted",
    )


def _held_out(rows: Sequence[ProbeRow], seed: int) -> FloatArray:
    """The score of every row by the probe that was fitted on the four folds without its group."""
    matrix, _ = design(rows)
    sides = np.array([1.0 if row.positive else -1.0 for row in rows])
    folds = fold_of([row.group for row in rows], seed)
    scores = np.zeros(len(rows))
    for fold in np.unique(folds):
        seen = folds != fold
        scores[~seen] = matrix[~seen] @ fit(matrix[seen], sides[seen], balanced=False)
    return scores


def _less(one: Mapping[str, float], other: Mapping[str, float]) -> dict[str, float]:
    names = sorted(one.keys() | other.keys())
    return {name: one.get(name, 0.0) - other.get(name, 0.0) for name in names}


def bag_findings(table: BagTable, *, ceiling: float = CEILING) -> tuple[Finding, ...]:
    """Report texts that their words give away, and rows too few to say that they do not.

    Args:
        table: What `bag_table` measured.
        ceiling: Where the upper end of both accuracies must lie or below; 0.5 to 1.

    Returns:
        Nothing if both upper ends lie at or below the ceiling. An error if one reaches over it and
        its interval lies above one half; else a warning that there is not enough evidence.

    Raises:
        RecipeError: If the ceiling lies outside its range.
    """
    if not 0.5 < ceiling <= 1:
        raise RecipeError(f"bag of words: expected 0.5 < ceiling <= 1, found {ceiling!r}")
    over = [
        (name, found)
        for name, found in (("single texts", table.alone), ("pairs of texts", table.paired))
        if found.high is None or found.high > ceiling
    ]
    if not over:
        return ()
    tells = [(name, found) for name, found in over if found.low is not None and found.low > 0.5]
    listed = "; ".join(_said(name, found) for name, found in tells or over)
    common = ", ".join(
        f"{use.word!r} ({use.chosen} chosen, {use.rejected} rejected)"
        for use in table.strongest[:3]
    )
    if tells:
        message = f"the words tell chosen from rejected texts: {listed}; most unequal: {common}"
    else:
        message = (
            f"not enough evidence that the words do not tell chosen from rejected texts: {listed}"
        )
    return (
        Finding(
            audit="bag_of_words",
            severity=Severity.ERROR if tells else Severity.WARNING,
            message=f"{message} (ceiling of the upper end: {ceiling:.0%})",
            count=table.rows,
            of=table.rows,
            examples=(),
            effect="training can prefer texts by their words and learn nothing of what is judged",
            remedy=(
                "balance the rejected texts against the chosen ones, or have them written anew"
                if tells
                else "make more rows, from more questions"
            ),
        ),
    )


def _said(name: str, found: Estimate) -> str:
    if found.value is None or found.low is None or found.high is None:
        return f"{name}: {found.undefined}"
    return (
        f"{found.value:.0%} of {name}, held out (95% interval {found.low:.0%} to {found.high:.0%})"
    )
