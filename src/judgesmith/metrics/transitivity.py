"""Do the verdicts on all pairs of responses to one question fit into one ranking?

A relation gives, for two responses of one question, the margin by which the first is preferred:
1, 0, -1 for a verdict, or any signed number such as a difference of probabilities. Margins of at
most the tolerance are ties.
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import TypeAlias, Unpack

import numpy as np
from numpy.typing import NDArray

from judgesmith.errors import DataError
from judgesmith.metrics.coding import IntArray, aligned
from judgesmith.metrics.resample import Resampling, ResamplingOptions
from judgesmith.metrics.result import Estimate, Headline
from judgesmith.metrics.score_and_pair import check_tolerance, margin_sign
from judgesmith.metrics.shares import share_interval

Relation: TypeAlias = Mapping[tuple[Hashable, Hashable], float | None]
"""Margin of the first response over the second for pairs of one question; None is unparsed."""

BoolArray: TypeAlias = NDArray[np.bool_]
NO_SUBSET = "no question has enough responses whose pairs are all known"
_MOST_SUBSETS = 1_000_000  # bounds the memory of one question to a few hundred MB


@dataclass(frozen=True, slots=True)
class NonTransitivity(Headline):
    """How many sets of k responses to one question cannot be ranked by their verdicts.

    Attributes:
        rate: share of subsets with a cycle or a tie violation: NTR_k.
        cycles: share with a cycle, x over y over z over x.
        tie_violations: share with x = y and y = z but not x = z. A subset can have both kinds,
            so the two add up to at least `rate`.
        closed_chains: share with x over y over z but x = z. Not part of NTR_k.
        k: size of the subsets.
        tie_within: the tolerance.
        left_out: subsets left out because the relation of a pair in them is not known.
        questions: number of questions.
    """

    rate: Estimate
    cycles: Estimate
    tie_violations: Estimate
    closed_chains: Estimate
    k: int
    tie_within: float
    left_out: int
    questions: int

    @property
    def headline(self) -> Estimate:
        """The main number: `rate`."""
        return self.rate


def non_transitivity(
    relations: Sequence[Relation],
    *,
    k: int = 3,
    tie_within: float = 0.0,
    clusters: Sequence[Hashable] | None = None,
    **options: Unpack[ResamplingOptions],
) -> NonTransitivity:
    """Share of k-subsets of responses in which some triple breaks transitivity (NTR_k).

    A triple breaks it in one of two ways (TrustJudge, arXiv 2509.21117):

        cycle           x over y, y over z, z over x
        tie violation   x = y, y = z, but not x = z

    and NTR_k = subsets with such a triple / all k-subsets, C(n, k) for n responses; over several
    questions the counts are added up. Ties alone can make the second kind: a judge that ranks by
    scores 1, 2, 3 and calls differences of at most 1 a tie is perfectly consistent and breaks it.
    So a lower rate after ties were abolished is partly definition; the cycles are what counts.
    With one tie in a triple the definition is silent; chains closed by a tie stand beside it.

    Undefined when no question has k responses whose pairs are all known.

    Args:
        relations: one for each question; a pair is given once, in either direction, and its
            margin is None where it is unparsed. Pairs not given are not known.
        k: size of the subsets, at least 3.
        tie_within: largest margin that counts as a tie.
        clusters: what the questions are resampled by; by default each is its own.
        **options: `seed`, `resamples`, `confidence`; see `ResamplingOptions`.

    Raises:
        DataError: a margin that is not finite, a response compared with itself, a pair given in
            both directions with margins that contradict each other, or a setting out of range.

    The first question is a cycle, the second has p = q, q = r and p over r, the third is a
    ranking:

    >>> found = non_transitivity(
    ...     [{("p", "q"): 1, ("q", "r"): 1, ("r", "p"): 1},
    ...      {("p", "q"): 0, ("q", "r"): 0, ("p", "r"): 1},
    ...      {("p", "q"): 1, ("q", "r"): 1, ("p", "r"): 1}], seed=1, resamples=200)
    >>> round(found.value, 3), round(found.cycles.value, 3), round(found.tie_violations.value, 3)
    (0.667, 0.333, 0.333)
    """
    plan = Resampling(**options)
    check_tolerance(tie_within)
    if k < 3:
        raise DataError(f"k: expected at least 3 responses, found {k!r}")
    groups = range(len(relations)) if clusters is None else clusters
    aligned(relations=relations, clusters=groups)
    counts = [
        _count(_matrix(position, relation, tie_within), k)
        for position, relation in enumerate(relations)
    ]
    below = [count[4] for count in counts]

    def share(column: int) -> Estimate:
        above = [count[column] for count in counts]
        return share_interval(above, below, groups, plan, NO_SUBSET)

    return NonTransitivity(
        rate=share(0),
        cycles=share(1),
        tie_violations=share(2),
        closed_chains=share(3),
        k=k,
        tie_within=tie_within,
        left_out=sum(count[5] for count in counts),
        questions=len(relations),
    )


def non_transitivity_sweep(
    relations: Sequence[Relation],
    tolerances: Sequence[float],
    *,
    k: int = 3,
    clusters: Sequence[Hashable] | None = None,
    **options: Unpack[ResamplingOptions],
) -> tuple[NonTransitivity, ...]:
    """Return `non_transitivity` at each tolerance, in the order given.

    Margins .1, .1 and .2 form a ranking; at a tolerance of .1 the first two become ties and the
    third does not; at .2 all three are ties:

    >>> sweep = non_transitivity_sweep(
    ...     [{("p", "q"): 0.1, ("q", "r"): 0.1, ("p", "r"): 0.2}], [0.0, 0.1, 0.2],
    ...     seed=1, resamples=50)
    >>> [found.value for found in sweep]
    [0.0, 1.0, 0.0]
    """
    return tuple(
        non_transitivity(relations, k=k, tie_within=tolerance, clusters=clusters, **options)
        for tolerance in tolerances
    )


def _matrix(position: int, relation: Relation, tie_within: float) -> tuple[IntArray, BoolArray]:
    """Return signs (first over second) and what is known, each shape (n, n)."""
    index: dict[Hashable, int] = {}
    for pair in relation:
        for response in pair:
            index.setdefault(response, len(index))
    signs = np.zeros((len(index), len(index)), dtype=np.int64)
    known = np.zeros(signs.shape, dtype=np.bool_)
    for (first, second), margin in relation.items():
        where = f"relations[{position}], pair {(first, second)!r}"
        a, b = index[first], index[second]
        if a == b:
            raise DataError(f"{where}: expected two different responses")
        if margin is None:
            continue
        if not math.isfinite(margin):
            raise DataError(f"{where}: expected a finite margin or None, found {margin!r}")
        sign = margin_sign(margin, tie_within)
        if known[a, b] and signs[a, b] != sign:
            raise DataError(
                f"{where}: the margin {margin!r} contradicts the one given for the other "
                "direction; decide on one verdict first, for example with agreed_verdict"
            )
        known[a, b] = known[b, a] = True
        signs[a, b], signs[b, a] = sign, -sign
    return signs, known


def _count(matrix: tuple[IntArray, BoolArray], k: int) -> tuple[int, int, int, int, int, int]:
    """Count subsets: violating, with cycle, with tie violation, with closed chain, all, left out.

    What is wrong with each triple is worked out once, for all triples together, and a subset
    looks its triples up.
    """
    signs, known = matrix
    n = len(signs)
    if math.comb(n, k) > _MOST_SUBSETS:
        raise DataError(
            f"{n} responses have {math.comb(n, k)} subsets of {k}, more than {_MOST_SUBSETS}; "
            "use a smaller k"
        )
    subsets = _subsets(n, k)
    complete = np.ones(len(subsets), dtype=np.bool_)
    for a, b in combinations(range(k), 2):
        complete &= known[subsets[:, a], subsets[:, b]]
    used = subsets[complete]
    cycles, ties, chains = (np.zeros(len(used), dtype=np.bool_) for _ in range(3))
    for triples, found in zip(_triples(signs), (cycles, ties, chains), strict=True):
        for a, b, c in combinations(range(k), 3):
            found |= triples[used[:, a], used[:, b], used[:, c]]
    return (
        int((cycles | ties).sum()),
        int(cycles.sum()),
        int(ties.sum()),
        int(chains.sum()),
        len(used),
        len(subsets) - len(used),
    )


def _triples(signs: IntArray) -> tuple[BoolArray, BoolArray, BoolArray]:
    """Return which triples (x, y, z) are a cycle, a tie violation, a chain closed by a tie."""
    xy, yz, zx = signs[:, :, None], signs[None, :, :], signs.T[:, None, :]
    cycle = (xy == yz) & (yz == zx) & (xy != 0)
    tied = (xy == 0).astype(np.int64) + (yz == 0) + (zx == 0)
    # With one tie, the two strict relations have the same sign around the triangle exactly when
    # they run through as a chain; their sum is then 2 or -2.
    chain = (tied == 1) & (np.abs(xy + yz + zx) == 2)
    return cycle, tied == 2, chain


@lru_cache(maxsize=4)
def _subsets(n: int, k: int) -> IntArray:
    """Return all k-subsets of range(n), shape (C(n, k), k)."""
    found = np.asarray(list(combinations(range(n), k)), dtype=np.int64).reshape(-1, k)
    found.setflags(write=False)
    return found
