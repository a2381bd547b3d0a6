"""Systems ranked by comparisons of two: win rates, strengths and paired tests over questions.

Where no finite strengths exist (see `bradley_terry`) none are given, with the reason, and systems
are in the order of their win rates, which exist in any case.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import NamedTuple, Unpack

import numpy as np

from judgesmith.errors import DataError
from judgesmith.metrics.bradley_terry import strengths
from judgesmith.metrics.coding import FloatArray, cluster_codes
from judgesmith.metrics.paired import holm, mcnemar_p
from judgesmith.metrics.perfect import bound_share, without_width
from judgesmith.metrics.resample import Resampling, ResamplingOptions, drawn_sums, with_interval
from judgesmith.metrics.result import Estimate

_TIED = 1e-9
_PLACES = 9


class Comparison(NamedTuple):
    """Two systems met: `share` is 1 where the first won, 0 where the second did, .5 for a tie."""

    first: str
    second: str
    share: float
    cluster: Hashable


@dataclass(frozen=True, slots=True)
class Standing:
    """One system.

    Attributes:
        name: the system.
        comparisons: how many it was in.
        win_rate: wins and half of the ties, over its comparisons.
        strength: Bradley-Terry strength, mean zero over systems.
    """

    name: str
    comparisons: int
    win_rate: Estimate
    strength: Estimate


@dataclass(frozen=True, slots=True)
class Duel:
    """Two systems on the same questions, by an exact sign test over questions.

    Attributes:
        a: a system.
        b: another.
        gained: questions on which a fared better than b.
        lost: questions on which b fared better.
        p: two-sided p-value.
        p_holm: adjusted over all pairs of systems.
    """

    a: str
    b: str
    gained: int
    lost: int
    p: float
    p_holm: float


@dataclass(frozen=True, slots=True)
class Ranked:
    """Systems, the strongest first (by win rate where there are no strengths); every pair of them.

    `unlinked` says why there are no strengths; None where there are.
    """

    standings: tuple[Standing, ...]
    duels: tuple[Duel, ...]
    unlinked: str | None

    def duel(self, a: str, b: str) -> Duel:
        """The test of a against b, seen from a."""
        for one in self.duels:
            if (one.a, one.b) == (a, b):
                return one
            if (one.b, one.a) == (a, b):
                return Duel(a, b, one.lost, one.gained, one.p, one.p_holm)
        raise DataError(f"expected two of the systems, found {a!r} and {b!r}")


def rank_systems(comparisons: Sequence[Comparison], **options: Unpack[ResamplingOptions]) -> Ranked:
    """Win rates, strengths and paired tests of systems.

    Intervals are percentile ones from resampled questions. A strength has no interval where more
    resamples than one tail of it, (1 - confidence)/2, have no finite strengths: its end would lie
    among them.

    The test of a against b counts, for each question, the direct meetings and the meetings with
    common opponents: with x the share that a took from b and y(a, k), y(b, k) their mean shares
    from opponent k, the question goes to a where 2x - 1 + sum over k of (y(a, k) - y(b, k)) > 0.
    Where the two are alike either sign is as likely, whatever the items of a question have in
    common, so the signs over questions are an exact binomial test. Holm's adjustment is over all
    pairs, as neighbours were found by ranking these comparisons.

    Args:
        comparisons: who met whom, who won, on which question.
        **options: see `ResamplingOptions`.

    Raises:
        DataError: no comparison, a system against itself, or a share out of 0 to 1.

    >>> met = [Comparison("x", "y", float(i % 4 > 0), i) for i in range(40)]
    >>> found = rank_systems(met, seed=1, resamples=200)
    >>> [(one.name, one.win_rate.value, round(one.strength.value, 3)) for one in found.standings]
    [('x', 0.75, 0.549), ('y', 0.25, -0.549)]
    >>> found.duel("x", "y").gained, found.duel("x", "y").p < 0.01
    (30, True)
    """
    _check(comparisons)
    plan = Resampling(**options)
    names = sorted({name for one in comparisons for name in (one.first, one.second)})
    tables = _tables(names, comparisons)
    unlinked = _unlinked(names, tables.sum(axis=0))
    return Ranked(_standings(names, tables, unlinked, plan), _duels(names, comparisons), unlinked)


def _check(comparisons: Sequence[Comparison]) -> None:
    if not comparisons:
        raise DataError("expected at least one comparison of two systems, found none")
    for position, one in enumerate(comparisons):
        if one.first == one.second or not 0 <= one.share <= 1:
            raise DataError(
                f"comparisons[{position}]: expected two systems and a share from 0 to 1, found "
                f"{one.first!r}, {one.second!r} and {one.share!r}"
            )


def _tables(names: Sequence[str], comparisons: Sequence[Comparison]) -> FloatArray:
    """Shape (questions, m, m): how often the row's system won against the column's."""
    codes, count = cluster_codes([one.cluster for one in comparisons])
    place = {name: i for i, name in enumerate(names)}
    found = np.zeros((count, len(names), len(names)))
    for code, one in zip(codes.tolist(), comparisons, strict=True):
        i, j = place[one.first], place[one.second]
        found[code, i, j] += one.share
        found[code, j, i] += 1 - one.share
    return found


def _standings(
    names: Sequence[str], tables: FloatArray, unlinked: str | None, plan: Resampling
) -> tuple[Standing, ...]:
    count, m = tables.shape[0], tables.shape[1]
    whole = tables.sum(axis=0)
    rates, scores = _of_tables(whole[None])
    generator = np.random.default_rng(plan.seed)
    drawn = [
        _of_tables(sums.reshape(-1, m, m))
        for sums in drawn_sums(tables.reshape(count, m * m), plan.resamples, generator)
    ]
    drawn_rates, drawn_scores = (np.concatenate(part) for part in zip(*drawn, strict=True))
    found = []
    for i, name in enumerate(names):
        n = round(float(whole[i].sum() + whole[:, i].sum()))
        rate = with_interval(Estimate.of(float(rates[0, i]), n), drawn_rates[:, i], count, plan)
        played = int((tables[:, i].sum(axis=1) + tables[:, :, i].sum(axis=1) > 0).sum())
        strength = (
            Estimate.missing(unlinked, n, count)
            if unlinked is not None
            else _with_ends(float(scores[0, i]), n, drawn_scores[:, i], count, plan)
        )
        found.append(Standing(name, n, bound_share(rate, played), strength))
    found.sort(key=lambda one: (-_coarse(one.strength), -_coarse(one.win_rate), one.name))
    return tuple(found)


def _coarse(found: Estimate) -> float:
    """A value without the noise of its sum, so that equal ones are in order of what comes next."""
    return round(found.value or 0.0, _PLACES)


def _of_tables(tables: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Win rates and strengths of many tables, shape (B, m) each; NaN where undefined."""
    won, met = tables.sum(axis=2), (tables + tables.swapaxes(1, 2)).sum(axis=2)
    rates = np.full(won.shape, np.nan)
    np.divide(won, met, out=rates, where=met > 0)
    return rates, strengths(tables)


def _with_ends(value: float, n: int, drawn: FloatArray, count: int, plan: Resampling) -> Estimate:
    found = without_width(with_interval(Estimate.of(value, n), drawn, count, plan))
    lost = found.undefined_resamples or 0
    if found.low is None or lost <= plan.resamples * (1 - plan.confidence) / 2:
        return found
    reason = f"in {lost:,} of {plan.resamples:,} resamples a system won or lost everything"
    return replace(found, low=None, high=None, no_interval=reason)


def _unlinked(names: Sequence[str], whole: FloatArray) -> str | None:
    """Why wins do not lead from every system to every other; None where they do."""
    from scipy.sparse.csgraph import connected_components  # slow to load

    for connection, why in (
        ("weak", "never met the others, not even over a third system"),
        ("strong", "won every comparison with the others, or lost every one"),
    ):
        parts, part_of = connected_components(whole > 0, connection=connection)
        if parts > 1:
            groups = [
                [n for n, p in zip(names, part_of, strict=True) if p == k] for k in range(parts)
            ]
            smallest = min(groups, key=lambda group: len(group))
            return f"{', '.join(smallest)} {why}, so no finite strengths exist"
    return None


def _duels(names: Sequence[str], comparisons: Sequence[Comparison]) -> tuple[Duel, ...]:
    """Every pair of systems that shares a question, directly or over an opponent."""
    shares: dict[Hashable, dict[tuple[str, str], list[float]]] = {}
    for one in comparisons:
        of_question = shares.setdefault(one.cluster, {})
        of_question.setdefault((one.first, one.second), []).append(one.share)
        of_question.setdefault((one.second, one.first), []).append(1 - one.share)
    means = [
        {pair: sum(found) / len(found) for pair, found in of_question.items()}
        for of_question in shares.values()
    ]
    counted = []
    for a, b in combinations(names, 2):
        gaps = [_gap(a, b, of_question, names) for of_question in means]
        gained, lost = sum(gap > _TIED for gap in gaps), sum(gap < -_TIED for gap in gaps)
        counted.append((a, b, gained, lost, mcnemar_p(gained, lost)))
    adjusted = holm([one[-1] for one in counted])
    return tuple(Duel(*one, p) for one, p in zip(counted, adjusted, strict=True))


def _gap(a: str, b: str, shares: dict[tuple[str, str], float], names: Sequence[str]) -> float:
    """By how much a fared better than b on one question."""
    direct = 2 * shares[a, b] - 1 if (a, b) in shares else 0.0
    return direct + sum(
        shares[a, k] - shares[b, k] for k in names if (a, k) in shares and (b, k) in shares
    )
