"""Which style of response a judge prefers, beside what the labels prefer."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Unpack

import numpy as np

from judgesmith.errors import DataError
from judgesmith.metrics.coding import FloatArray, Label, Verdict, aligned, cluster_codes, distinct
from judgesmith.metrics.flips import verdict_signs
from judgesmith.metrics.perfect import bound_share, without_width
from judgesmith.metrics.resample import (
    Resampling,
    ResamplingOptions,
    Statistic,
    counted_interval,
    ratio,
    sums_by_cluster,
)
from judgesmith.metrics.result import Estimate, Headline
from judgesmith.metrics.shares import mirrored


@dataclass(frozen=True, slots=True)
class StyleCell(Headline):
    """Two styles against each other, seen from the first.

    Attributes:
        style: the style that wins or loses.
        against: the other one.
        wins: items in which the verdict names the response in `style`.
        ties: items in which it names neither.
        losses: items in which it names the other.
        judge: (wins + ties / 2) / items of the judge.
        labels: the same for the labels; None when no labels were given.
        difference: judge minus labels, both resampled together; None when no labels were given.
    """

    style: str
    against: str
    wins: int
    ties: int
    losses: int
    judge: Estimate
    labels: Estimate | None
    difference: Estimate | None

    @property
    def headline(self) -> Estimate:
        """The main number: `judge`."""
        return self.judge


@dataclass(frozen=True, slots=True)
class StyleMatrix:
    """All pairs of styles that met.

    Attributes:
        styles: the styles, sorted.
        cells: one cell for each two styles that met, the one that sorts first seen as `style`.
        unparsed: rows left out because the verdict is unparsed.
        same_style: parsed rows left out because both responses have one style.
    """

    styles: tuple[str, ...]
    cells: tuple[StyleCell, ...]
    unparsed: int
    same_style: int

    def cell(self, style: str, against: str) -> StyleCell | None:
        """Return the cell of two styles, seen from the first; None when they never met.

        Raises:
            DataError: a style that is not in the matrix.
        """
        for name in (style, against):
            if name not in self.styles:
                raise DataError(f"expected one of {list(self.styles)!r}, found {name!r}")
        for found in self.cells:
            if (found.style, found.against) == (style, against):
                return found
            if (found.against, found.style) == (style, against):
                return _reversed(found)
        return None


def style_matrix(
    verdicts: Sequence[Verdict],
    styles: Sequence[tuple[str, str]],
    clusters: Sequence[Hashable],
    *,
    labels: Sequence[Label] | None = None,
    slots: tuple[Label, Label] = ("A", "B"),
    tie: Label | None = "TIE",
    **options: Unpack[ResamplingOptions],
) -> StyleMatrix:
    """Win rate of each style of response against each other, ties counting half.

    A style can win with good reason, so with labels each cell also has the rate of the labels on
    the same items, and only the difference speaks about the judge. The function does not know
    whether a verdict names the better or the worse response: a win is a verdict that names it.

    Args:
        verdicts: verdicts of the judge; None is unparsed.
        styles: style of the response in each slot, for example ("list", "prose").
        clusters: the question of each item.
        labels: labels of the same items.
        slots: the labels that name the first and the second style.
        tie: the label for "no difference", or None on a scale without one.
        **options: `seed`, `resamples`, `confidence`; see `ResamplingOptions`.

    Raises:
        DataError: different lengths, another label, a label None, or a setting out of range.

    Lists beat prose once, tie once, lose once: (1 + 1/2) / 3 = 1/2. The labels name prose in all
    three:

    >>> found = style_matrix(
    ...     ["A", "TIE", "A"], [("list", "prose"), ("list", "prose"), ("prose", "list")], "xyz",
    ...     labels=["B", "B", "A"], seed=1, resamples=200)
    >>> cell = found.cell("list", "prose")
    >>> cell.wins, cell.ties, cell.losses, cell.judge.value, cell.difference.value
    (1, 1, 1, 0.5, 0.5)
    >>> found.cell("prose", "list").difference.value
    -0.5
    """
    plan = Resampling(**options)
    aligned(verdicts=verdicts, styles=styles, clusters=clusters)
    signs = verdict_signs("verdicts", verdicts, slots, tie)
    gold: list[int | None] = [0] * len(verdicts)
    if labels is not None:
        aligned(verdicts=verdicts, labels=labels)
        distinct("labels", labels)
        gold = verdict_signs("labels", labels, slots, tie)
    rows: dict[tuple[str, str], list[tuple[int, int, Hashable]]] = {}
    same_style = 0
    for sign, label, pair, cluster in zip(signs, gold, styles, clusters, strict=True):
        if sign is None or label is None:
            continue
        if pair[0] == pair[1]:
            same_style += 1
        elif pair[0] < pair[1]:
            rows.setdefault(pair, []).append((sign, label, cluster))
        else:
            rows.setdefault((pair[1], pair[0]), []).append((-sign, -label, cluster))
    cells = [_cell(pair, rows[pair], plan, labels is not None) for pair in sorted(rows)]
    names = tuple(sorted({name for pair in styles for name in pair}))
    return StyleMatrix(names, tuple(cells), signs.count(None), same_style)


def _cell(
    pair: tuple[str, str], rows: list[tuple[int, int, Hashable]], plan: Resampling, labelled: bool
) -> StyleCell:
    """Turn rows (sign of the verdict, sign of the label, cluster) into one cell."""
    n = len(rows)
    judge, label = [row[0] for row in rows], [row[1] for row in rows]
    codes, count = cluster_codes([row[2] for row in rows])
    # A sign plus 1 is two points for a win and one for a tie, of two points per item.
    points = np.asarray([[a + 1, b + 1, 2] for a, b in zip(judge, label, strict=True)])
    sums = sums_by_cluster(points.astype(np.int64), codes)
    rate, gold = (
        Estimate.of((sum(judge) + n) / (2 * n), n),
        Estimate.of((sum(label) + n) / (2 * n), n),
    )
    gap = Estimate.of((sum(judge) - sum(label)) / (2 * n), n)
    of_judge, of_labels = ratio(0, 2), ratio(1, 2)

    def share(point: Estimate, statistic: Statistic) -> Estimate:
        return bound_share(counted_interval(point, sums, statistic, plan), count)

    def between(drawn: FloatArray) -> FloatArray:
        return of_judge(drawn) - of_labels(drawn)

    difference = without_width(counted_interval(gap, sums, between, plan))
    return StyleCell(
        style=pair[0],
        against=pair[1],
        wins=judge.count(1),
        ties=judge.count(0),
        losses=judge.count(-1),
        judge=share(rate, of_judge),
        labels=share(gold, of_labels) if labelled else None,
        difference=difference if labelled else None,
    )


def _reversed(cell: StyleCell) -> StyleCell:
    """Return the same cell, seen from the other style."""
    return StyleCell(
        style=cell.against,
        against=cell.style,
        wins=cell.losses,
        ties=cell.ties,
        losses=cell.wins,
        judge=mirrored(cell.judge),
        labels=None if cell.labels is None else mirrored(cell.labels),
        difference=None if cell.difference is None else _negated(cell.difference),
    )


def _negated(difference: Estimate) -> Estimate:
    """Return a difference the other way round."""
    if difference.value is None:
        return difference
    low, high = difference.low, difference.high
    return replace(
        difference,
        value=0.0 - difference.value,  # 0.0 - x, so that no difference prints as -0.0
        low=None if high is None else 0.0 - high,
        high=None if low is None else 0.0 - low,
    )
