"""Pairs out of responses that were scored alone, by how far their scores are apart.

The verdict on a pair is the higher score, or a tie. A quota for each gap makes a curriculum: large
gaps are easy, small ones hard, equal scores are ties.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from judgesmith.records import LETTERS, TIE, Scores, Verdict, choice, keyed_rng


class Scored(NamedTuple):
    """A response to a question and the score it was given alone."""

    question_id: str
    response_id: str
    score: float


class ScorePair(NamedTuple):
    """Two scored responses in the order shown. `gap` is the one of the quotas that it falls in."""

    first: Scored
    second: Scored
    gap: float

    @property
    def key(self) -> str:
        """What names the pair in whatever order it is shown."""
        return "/".join(sorted((self.first.response_id, self.second.response_id)))


def named(first: float, second: float, margin: float) -> str:
    """The letter of the higher score; a tie within the margin.

    >>> named(0.9, 0.2, 0.1), named(0.2, 0.9, 0.1), named(0.5, 0.45, 0.1)
    ('A', 'B', 'TIE')
    """
    if abs(first - second) <= margin:
        return TIE
    return LETTERS[0] if first > second else LETTERS[1]


def verdict_by_scores(first: float, second: float, *, scored: bool = False) -> Verdict:
    """What two scores say of a pair: the letter of the higher one, or both scores.

    >>> verdict_by_scores(2, 5).value, verdict_by_scores(3, 3).value
    ('B', 'TIE')
    >>> verdict_by_scores(2, 5, scored=True).values
    (2.0, 5.0)
    """
    if scored:
        return Scores(kind="scores", values=(float(first), float(second)), criteria=None)
    return choice(named(first, second, margin=0.0))


def pairs_by_gap(
    scored: Iterable[Scored], quotas: Mapping[float, int], *, seed: int, cap: int,
    easy_first: bool = False,
) -> tuple[list[ScorePair], dict[float, int]]:  # fmt: skip
    """Pairs for each gap up to its quota, and how many there were to draw from.

    A pair falls in the largest gap of `quotas` that is not above its own; where none is, it is not
    drawn. Of the pairs of one gap the higher score stands first in every other one, so that no slot
    pays. `cap` is the most pairs of one question in one gap.

    Args:
        scored: responses; only those to one question make pairs.
        quotas: the most pairs by gap; 0 is for ties.
        seed: of the draw, which depends on the responses' ids and nothing else.
        cap: see above.
        easy_first: the largest gap first, ties last; else as the quotas are listed.

    >>> two = [Scored("q", "x", 1.0), Scored("q", "y", 4.0), Scored("q", "z", 4.0)]
    >>> drawn, supply = pairs_by_gap(two, {3: 1, 0: 9}, seed=7, cap=4)
    >>> [pair.gap for pair in drawn], supply
    ([3, 0], {3: 2, 0: 1})
    """
    pools = _pools(scored, list(quotas))
    gaps = sorted(quotas, reverse=True) if easy_first else list(quotas)
    drawn: list[ScorePair] = []
    for gap in gaps:
        taken = _taken(pools[gap], quotas[gap], seed, cap)
        drawn += [_shown(pair, gap, i % 2 == 0) for i, pair in enumerate(taken)]
    return drawn, {gap: len(pools[gap]) for gap in gaps}


def _pools(
    scored: Iterable[Scored], gaps: Sequence[float]
) -> dict[float, list[tuple[Scored, Scored]]]:
    by_question: dict[str, dict[str, Scored]] = defaultdict(dict)
    for one in scored:
        by_question[one.question_id][one.response_id] = one
    pools: dict[float, list[tuple[Scored, Scored]]] = {gap: [] for gap in gaps}
    for found in by_question.values():
        for pair in combinations(sorted(found.values(), key=lambda s: s.response_id), 2):
            apart = abs(pair[0].score - pair[1].score)
            # A tie is a tie: a pair with any gap at all is no tie with a rounding.
            below = [gap for gap in gaps if gap <= apart and (gap > 0 or apart == 0)]
            if below:
                pools[max(below)].append(pair)
    return pools


def _taken(
    pool: Sequence[tuple[Scored, Scored]], quota: int, seed: int, cap: int
) -> list[tuple[Scored, Scored]]:
    def drawn_at(pair: tuple[Scored, Scored]) -> float:
        ids = (pair[0].response_id, pair[1].response_id)
        return keyed_rng(seed, "score pair", *ids).random()

    per_question: Counter[str] = Counter()
    taken: list[tuple[Scored, Scored]] = []
    for pair in sorted(pool, key=drawn_at):
        if len(taken) < quota and per_question[pair[0].question_id] < cap:
            per_question[pair[0].question_id] += 1
            taken.append(pair)
    return taken


def _shown(pair: tuple[Scored, Scored], gap: float, higher_first: bool) -> ScorePair:
    ordered = sorted(pair, key=lambda s: (s.score, s.response_id), reverse=higher_first)
    return ScorePair(ordered[0], ordered[1], gap)
