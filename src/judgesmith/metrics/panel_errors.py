"""Errors that the judges of a panel share, and how many independent votes that leaves.

Nine judges that err on the same items are not nine votes. Both functions look at the indicator
"the verdict is not the label", on rows with a parsed verdict of both judges of a pair.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Unpack

import numpy as np

from judgesmith.metrics.coding import FloatArray, IntArray, Label, aligned, distinct
from judgesmith.metrics.panel import Panel, check_panel
from judgesmith.metrics.probability import Draws, IntervalOptions, draws_of
from judgesmith.metrics.resample import Statistic, cell_counts, counted_interval, with_interval
from judgesmith.metrics.result import Estimate, Headline

_CELLS = 4  # both right, second wrong, first wrong, both wrong


@dataclass(frozen=True, slots=True)
class PairCorrelation(Headline):
    """How far two judges err on the same rows.

    Attributes:
        first: name of a judge.
        second: name of another judge.
        phi: correlation of the two error indicators, -1 to 1; `n` is the rows both parsed.
        both_wrong: rows that both have wrong.
        same_error: rows on which both are wrong with the same verdict.
    """

    first: str
    second: str
    phi: Estimate
    both_wrong: int
    same_error: int

    @property
    def headline(self) -> Estimate:
        """The main number: `phi`."""
        return self.phi


@dataclass(frozen=True, slots=True)
class ErrorCorrelation(Headline):
    """Correlation of errors of every two judges.

    Attributes:
        judges: names, in the order given.
        pairs: each two judges once.
        mean: the mean over all pairs, `n` the rows that any pair shares; undefined when any pair
            is, or with a single judge.
    """

    judges: tuple[str, ...]
    pairs: tuple[PairCorrelation, ...]
    mean: Estimate

    @property
    def headline(self) -> Estimate:
        """The main number: `mean`."""
        return self.mean

    def matrix(self) -> tuple[tuple[float | None, ...], ...]:
        """Return phi as a symmetric matrix, 1 on the diagonal, None where undefined."""
        phi = {frozenset((pair.first, pair.second)): pair.phi.value for pair in self.pairs}
        return tuple(
            tuple(1.0 if a == b else phi[frozenset((a, b))] for b in self.judges)
            for a in self.judges
        )


@dataclass(frozen=True, slots=True)
class EffectiveVotes(Headline):
    """How many independent judges a panel is worth.

    Attributes:
        votes: the effective number; `n` the rows that any two judges share.
        members: the number of judges.
        mean_correlation: mean correlation of their errors.
    """

    votes: Estimate
    members: int
    mean_correlation: Estimate

    @property
    def headline(self) -> Estimate:
        """The main number: `votes`."""
        return self.votes


def error_correlation(
    judges: Panel, labels: Sequence[Label], **interval: Unpack[IntervalOptions]
) -> ErrorCorrelation:
    """Phi of the error indicators of every two judges.

    Formula, with n11 rows that both have wrong, n00 both right, n10 and n01 only one wrong:

        phi = (n11*n00 - n10*n01) / sqrt((n11+n10)(n01+n00)(n11+n01)(n10+n00))

    (Yule 1912; Pearson's correlation of two 0/1 columns.) Undefined when one of the two is never
    wrong, or always, on the rows that both parsed.

    Args:
        judges: verdicts by name of the judge.
        labels: the labels.
        **interval: see `IntervalOptions`.

    Raises:
        DataError: no judges, different lengths, or a label that is None.

    n11 = 1, n00 = 2, n10 = 1, n01 = 0: phi = 2 / sqrt(2 * 2 * 1 * 3) = .57735:

    >>> panel = {"x": list("BBAA"), "y": list("BAAA")}
    >>> found = error_correlation(panel, list("AAAA"))
    >>> round(found.pairs[0].phi.value, 5), found.pairs[0].both_wrong
    (0.57735, 1)
    """
    n = _check(judges, labels)
    draws = draws_of(n, interval)
    pairs = []
    for first, second in combinations(judges, 2):
        table = _table(judges, (first, second), labels, draws)
        phi = _phi(table.sum(axis=0), (first, second))
        if draws is not None:
            phi = _with_interval(phi, table, phi_of_counts, draws)
        pairs.append(
            PairCorrelation(
                first,
                second,
                phi,
                int(table[:, 3].sum()),
                _same_error(judges, first, second, labels),
            )
        )
    return ErrorCorrelation(tuple(judges), tuple(pairs), _mean(judges, labels, draws))


def effective_votes(
    judges: Panel, labels: Sequence[Label], **interval: Unpack[IntervalOptions]
) -> EffectiveVotes:
    """How many judges with independent errors a panel of k is worth.

    Formula (Kish 1965, the design effect of k members of one cluster), with r the mean
    correlation of errors over all pairs:

        votes = k / (1 + (k - 1) * r)

    1 when all err on the same rows (r = 1), k when errors are uncorrelated (r = 0), more than k
    when they tend to exclude each other (r < 0). A single judge is 1 vote. Undefined when some
    pair has no correlation, and when r <= -1/(k - 1), where the formula has no finite value.
    It is the variance of the mean error that this describes, not the accuracy of the majority.

    Args:
        judges: verdicts by name of the judge.
        labels: the labels.
        **interval: see `IntervalOptions`.

    Raises:
        DataError: no judges, different lengths, or a label that is None.

    Two judges with phi = .57735: 2 / 1.57735 = 1.26795:

    >>> votes = effective_votes({"x": list("BBAA"), "y": list("BAAA")}, list("AAAA"))
    >>> round(votes.value, 5), votes.members
    (1.26795, 2)
    """
    n = _check(judges, labels)
    draws = draws_of(n, interval)
    members = len(judges)
    mean = _mean(judges, labels, draws)
    if members == 1:
        return EffectiveVotes(Estimate.of(1.0, n), 1, mean)
    if mean.value is None:
        return EffectiveVotes(
            Estimate.missing(str(mean.undefined), mean.n, mean.clusters), members, mean
        )
    spread = 1 + (members - 1) * mean.value
    if spread <= 0:
        reason = f"the mean error correlation {mean.value:.3f} is at or below -1/{members - 1}"
        return EffectiveVotes(Estimate.missing(reason, mean.n, mean.clusters), members, mean)
    votes = Estimate.of(members / spread, mean.n)
    if draws is not None:
        tables = _tables(judges, labels, draws)
        votes = _with_interval(votes, tables, _votes_of(members), draws)
    return EffectiveVotes(votes, members, mean)


def phi_of_counts(counts: FloatArray) -> FloatArray:
    """Phi of many 2 x 2 tables at once; NaN marks the undefined ones, for resampling only.

    Args:
        counts: shape (tables, 4): n00, n01, n10, n11.

    >>> phi_of_counts(np.array([[2.0, 0.0, 1.0, 1.0], [3.0, 0.0, 1.0, 0.0]])).round(5).tolist()
    [0.57735, nan]
    """
    none, second, first, both = counts.T
    margins = (both + first) * (second + none) * (both + second) * (first + none)
    phi = np.full(len(counts), np.nan)
    np.divide(both * none - first * second, np.sqrt(margins), out=phi, where=margins > 0)
    return phi


def _check(judges: Panel, labels: Sequence[Label]) -> int:
    n = check_panel(judges)
    aligned(judges=range(n), labels=labels)
    distinct("labels", labels)
    return n


def _table(
    judges: Panel, pair: tuple[str, str], labels: Sequence[Label], draws: Draws | None
) -> IntArray:
    """Return the cells of a pair per cluster, shape (C, 4); all rows are one cluster without."""
    rows, cells = [], []
    for position, (a, b, label) in enumerate(
        zip(judges[pair[0]], judges[pair[1]], labels, strict=True)
    ):
        if a is not None and b is not None:
            rows.append(position)
            cells.append(2 * (a != label) + (b != label))
    count = 1 if draws is None else draws.count
    codes = np.zeros(len(rows), dtype=np.int64) if draws is None else draws.codes[rows]
    table = np.zeros((count, _CELLS), dtype=np.int64)
    found = cell_counts(np.asarray(cells, dtype=np.int64), _CELLS, codes)
    table[: len(found)] = found  # those without a row that both parsed stay at 0
    return table


def _tables(judges: Panel, labels: Sequence[Label], draws: Draws | None) -> IntArray:
    """Return the cells of all pairs side by side, shape (C, 4 * pairs)."""
    return np.hstack([_table(judges, pair, labels, draws) for pair in combinations(judges, 2)])


def _phi(counts: IntArray, pair: tuple[str, str]) -> Estimate:
    """Return phi of one table, or why there is none."""
    n = int(counts.sum())
    if n == 0:
        return Estimate.missing(f"{pair[0]!r} and {pair[1]!r} share no parsed row", 0)
    value = float(phi_of_counts(counts[None].astype(np.float64))[0])
    if not np.isnan(value):
        return Estimate.of(value, n)
    for name, wrong in ((pair[0], counts[2] + counts[3]), (pair[1], counts[1] + counts[3])):
        if wrong in (0, n):
            often = "never" if wrong == 0 else "always"
            reason = f"{name!r} is {often} wrong on the {n} rows shared with the other judge"
            return Estimate.missing(reason, n)
    raise AssertionError("phi is defined when both judges are right and wrong")


def _mean(judges: Panel, labels: Sequence[Label], draws: Draws | None) -> Estimate:
    """Return the mean correlation over all pairs."""
    if len(judges) == 1:
        return Estimate.missing("a single judge has no pair", len(labels))
    n = _shared(judges)
    tables = _tables(judges, labels, draws)
    total = tables.sum(axis=0).reshape(-1, _CELLS)
    phis = [_phi(row, pair) for row, pair in zip(total, combinations(judges, 2), strict=True)]
    for phi in phis:
        if phi.value is None:
            return Estimate.missing(str(phi.undefined), n)
    point = Estimate.of(float(np.mean([float(phi) for phi in phis])), n)
    return point if draws is None else _with_interval(point, tables, _mean_phi, draws)


def _shared(judges: Panel) -> int:
    """Count the rows that two judges or more parsed."""
    return sum(
        len(row) - row.count(None) > 1 for row in zip(*judges.values(), strict=True)
    )  # fmt: skip


def _mean_phi(sums: FloatArray) -> FloatArray:
    """Return the mean phi of the tables that lie side by side; NaN when one is undefined."""
    phi = phi_of_counts(sums.reshape(-1, _CELLS)).reshape(len(sums), -1)
    mean: FloatArray = phi.mean(axis=1)
    return mean


def _votes_of(members: int) -> Statistic:
    """Return the statistic: effective votes from the tables of all pairs."""

    def compute(sums: FloatArray) -> FloatArray:
        spread = 1 + (members - 1) * _mean_phi(sums)
        votes = np.full(len(sums), np.nan)
        np.divide(members, spread, out=votes, where=spread > 0)
        return votes

    return compute


def _with_interval(
    point: Estimate, table: IntArray, statistic: Statistic, draws: Draws
) -> Estimate:
    """Resample the clusters that have a row in the table: the others are no observations of it."""
    kept = table[table.any(axis=1)]
    if point.value is None:
        return with_interval(point, np.empty(0), len(kept), draws.plan)
    return counted_interval(point, kept, statistic, draws.plan)


def _same_error(judges: Panel, first: str, second: str, labels: Sequence[Label]) -> int:
    """Count the rows on which both give the same wrong verdict."""
    rows = zip(judges[first], judges[second], labels, strict=True)
    return sum(a is not None and a == b and a != label for a, b, label in rows)
