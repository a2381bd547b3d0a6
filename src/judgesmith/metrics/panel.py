"""Panels: how far several judges agree, and what they say together.

A panel is a mapping from the judge's name to its column of verdicts, one per row, None where
unparsed. How often its members err together is in `panel_errors`, what each one adds in
`panel_members`.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Unpack

from judgesmith.errors import DataError
from judgesmith.metrics.agreement import cohen_kappa
from judgesmith.metrics.coding import Label, Verdict, aligned
from judgesmith.metrics.coverage import mark_unparsed, parsed_positions
from judgesmith.metrics.interval import cluster_bootstrap_kappa
from judgesmith.metrics.probability import Draws, IntervalOptions, draws_of
from judgesmith.metrics.result import Estimate, Headline
from judgesmith.metrics.suppress import not_shown_because

UNPARSED_TOO = "(unparsed too)"
"""The second judge's missing verdict: two of them are no agreement."""

Panel = Mapping[str, Sequence[Verdict]]
"""Verdicts of each judge, by the name of the judge."""


@dataclass(frozen=True, slots=True)
class PairAgreement(Headline):
    """Agreement of two judges, on the rows on which both have a verdict and on all.

    Attributes:
        first: name of a judge.
        second: name of another judge.
        kappa: Cohen's kappa; `n` is the number of rows on which both have a verdict.
        left_out: rows without a verdict of at least one of the two.
        not_shown: why this kappa must not be shown, or None.
        counted: Cohen's kappa on all rows, a missing verdict being a disagreement with whatever
            the other says, also where that one has none either.
        counted_not_shown: why this one must not be shown, or None.
    """

    first: str
    second: str
    kappa: Estimate
    left_out: int
    not_shown: str | None
    counted: Estimate
    counted_not_shown: str | None

    @property
    def headline(self) -> Estimate:
        """The main number: `kappa`."""
        return self.kappa


@dataclass(frozen=True, slots=True)
class KappaMatrix:
    """Agreement of every two judges on one bucket.

    Attributes:
        bucket: the bucket; None for all rows together.
        judges: names, in the order given.
        pairs: each two judges once, in that order.
    """

    bucket: Hashable | None
    judges: tuple[str, ...]
    pairs: tuple[PairAgreement, ...]

    def pair(self, first: str, second: str) -> PairAgreement:
        """Return the agreement of two judges, named in either order.

        Raises:
            DataError: there is no such pair.
        """
        for found in self.pairs:
            if {found.first, found.second} == {first, second}:
                return found
        raise DataError(f"expected two of {list(self.judges)!r}, found {first!r} and {second!r}")


def panel_verdict(judges: Panel, *, tie: Label | None = None) -> list[Verdict]:
    """The most common parsed verdict of each row.

    When several verdicts share the first place the panel has not decided: the row gets `tie`,
    the scale's label for "no difference", or None on a scale without one. A tie verdict of a
    member is a vote like any other. None also where no member has a parsed verdict. One vote is
    enough; report how many members had a verdict where that matters.

    Args:
        judges: verdicts by name of the judge.
        tie: the verdict of a row that the panel cannot decide.

    Raises:
        DataError: no judges, or columns of different lengths.

    >>> panel = {"x": ["A", "A", None], "y": ["A", "B", None], "z": ["B", None, None]}
    >>> panel_verdict(panel), panel_verdict(panel, tie="TIE")
    (['A', None, None], ['A', 'TIE', None])
    """
    return [first[0] if len(first) == 1 else tie if first else None for first in leading(judges)]


def leading(judges: Panel) -> list[tuple[Label, ...]]:
    """The verdicts that share the first place in each row; none where no member has one.

    >>> leading({"x": ["A", None], "y": ["B", None]})
    [('A', 'B'), ()]
    """
    check_panel(judges)
    found = []
    for row in zip(*judges.values(), strict=True):
        votes = Counter(verdict for verdict in row if verdict is not None)
        most = max(votes.values(), default=0)
        found.append(tuple(verdict for verdict, count in votes.items() if count == most))
    return found


def kappa_matrix(
    judges: Panel,
    buckets: Sequence[Hashable] | None = None,
    *,
    least: int = 20,
    **interval: Unpack[IntervalOptions],
) -> tuple[KappaMatrix, ...]:
    """Cohen's kappa of every two judges, on all rows and on each bucket.

    Each pair has two: one on the rows on which both have a verdict, and one on all rows with a
    missing verdict counted against them, as leaving it out inflates agreement where hard items fail
    more often. A kappa is marked as not to be shown when its rows are fewer than `least`, or when
    one of the two gives more than 90% of them the same verdict.

    Args:
        judges: verdicts by name of the judge.
        buckets: the bucket of each row.
        least: smallest number of rows that is enough.
        **interval: see `IntervalOptions`.

    Returns:
        All rows first, then the buckets in the order of their first row.

    Raises:
        DataError: no judges, columns of different lengths, or a bucket that is None.

    >>> panel = {"x": ["A", "B", "A", "B"], "y": ["A", "B", "A", "A"], "z": [None, "B", "A", "B"]}
    >>> everything, = kappa_matrix(panel)
    >>> everything.pair("y", "x").kappa.value, everything.pair("x", "z").kappa.n
    (0.5, 3)
    >>> everything.pair("x", "y").not_shown
    'only 4 labels, fewer than 20'

    z has no verdict on one of four rows: agreement 3/4, by chance (1*2 + 2*2)/16 = .375, so .6:

    >>> everything.pair("x", "z").kappa.value, everything.pair("x", "z").counted.value
    (1.0, 0.6)
    """
    n = check_panel(judges)
    draws = draws_of(n, interval)
    parts: dict[Hashable | None, list[int]] = {None: list(range(n))}
    if buckets is not None:
        aligned(rows=range(n), buckets=buckets)
        for position, bucket in enumerate(buckets):
            if bucket is None:
                raise DataError(f"buckets[{position}] is None: expected the bucket of the row")
            parts.setdefault(bucket, []).append(position)
    return tuple(
        KappaMatrix(
            bucket,
            tuple(judges),
            tuple(
                _pair_agreement(pair, judges, rows, least, draws)
                for pair in combinations(judges, 2)
            ),
        )
        for bucket, rows in parts.items()
    )


def check_panel(judges: Panel) -> int:
    """Return the number of rows; refuse an empty panel and columns of different lengths."""
    if not judges:
        raise DataError("judges: expected at least one judge, found none")
    return aligned(**{repr(name): column for name, column in judges.items()})


def _pair_agreement(
    pair: tuple[str, str], judges: Panel, rows: Sequence[int], least: int, draws: Draws | None
) -> PairAgreement:
    """Return the agreement of two judges on some rows."""
    columns = [[judges[name][row] for row in rows] for name in pair]
    kept = parsed_positions(*columns)
    x, y = ([v for v in (column[i] for i in kept) if v is not None] for column in columns)
    hidden = not_shown_because(x, least=least) or not_shown_because(y, least=least)
    kappa = _kappa(x, y, [rows[i] for i in kept], draws)
    if len(kept) == len(rows):
        return PairAgreement(*pair, kappa, 0, hidden, kappa, hidden)
    one, two = against_each_other(*columns)
    counted = _kappa(one, two, rows, draws)
    counted_hidden = not_shown_because(one, least=least) or not_shown_because(two, least=least)
    lopsided = kept and (not_shown_because(x, least=1) or not_shown_because(y, least=1))
    if counted_hidden is None and lopsided:
        counted_hidden = f"among rows with both verdicts: {lopsided}"
    return PairAgreement(*pair, kappa, len(rows) - len(kept), hidden, counted, counted_hidden)


def against_each_other(
    first: Sequence[Verdict], second: Sequence[Verdict]
) -> tuple[list[Label], list[Label]]:
    """Two columns in which a missing verdict agrees with nothing, not even with another one.

    >>> against_each_other(["A", None], [None, None])
    (['A', '(unparsed)'], ['(unparsed too)', '(unparsed too)'])
    """
    return mark_unparsed(first), [UNPARSED_TOO if v is None else v for v in second]


def _kappa(
    x: Sequence[Label], y: Sequence[Label], rows: Sequence[int], draws: Draws | None
) -> Estimate:
    """Kappa of two columns on these rows, with an interval where one was asked for."""
    if draws is None:
        return cohen_kappa(x, y)
    codes = draws.codes[list(rows)].tolist()
    return cluster_bootstrap_kappa(x, y, codes, **draws.options())
