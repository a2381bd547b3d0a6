import time
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgesmith.errors import DataError
from judgesmith.metrics.transitivity import (
    Relation,
    non_transitivity,
    non_transitivity_sweep,
)


def full(margins: list[int | None], n: int) -> dict[tuple[object, object], float | None]:
    return dict(zip(combinations(range(n), 2), margins, strict=True))


def naive(relation: Relation, n: int, k: int) -> tuple[int, int, int, int, int]:
    """The two conditions and the closed chain, over every ordered triple of every subset."""
    over = dict(relation)
    over.update({(b, a): None if m is None else -m for (a, b), m in relation.items()})
    totals = [0] * 5
    for subset in combinations(range(n), k):
        if any(over.get(pair) is None for pair in permutations(subset, 2)):
            continue
        triples = list(permutations(subset, 3))
        cycle = any(over[x, y] > 0 and over[y, z] > 0 and over[z, x] > 0 for x, y, z in triples)
        tie = any(over[x, y] == 0 == over[y, z] and over[x, z] != 0 for x, y, z in triples)
        chain = any(over[x, y] > 0 and over[y, z] > 0 and over[x, z] == 0 for x, y, z in triples)
        for i, hit in enumerate((cycle or tie, cycle, tie, chain, True)):
            totals[i] += hit
    return tuple(totals)  # type: ignore[return-value]


@st.composite
def questions(draw: st.DrawFn) -> tuple[list[int | None], int, int]:
    n = draw(st.integers(3, 6))
    size = n * (n - 1) // 2
    margin = st.sampled_from([1, 0, -1, None] if draw(st.booleans()) else [1, 0, -1])
    return draw(st.lists(margin, min_size=size, max_size=size)), n, draw(st.integers(3, n))


def test_the_four_kinds_of_triple_by_hand() -> None:
    """A ranking, a cycle, a tie violation, a chain closed by a tie; the last breaks no rule."""
    relations = [full(m, 3) for m in ([1, 1, 1], [1, -1, 1], [0, 1, 0], [1, 0, 1])]
    # Pairs are (0,1), (0,2), (1,2): the second is 0 over 1, 1 over 2, 2 over 0.
    found = non_transitivity(relations, seed=1, resamples=200)
    assert (found.value, found.rate.n, found.rate.clusters) == (0.5, 4, 4)
    assert (float(found.cycles), float(found.tie_violations)) == (0.25, 0.25)
    assert float(found.closed_chains) == 0.25
    assert (found.questions, found.left_out, found.k) == (4, 0, 3)


def test_a_subset_is_counted_once_however_many_triples_break() -> None:
    """0 over 1 over 2 over 0, and all over 3: of 4 triples one is a cycle; the 4-subset has it."""
    relation = {(0, 1): 1, (1, 2): 1, (2, 0): 1, (0, 3): 1, (1, 3): 1, (2, 3): 1}
    assert non_transitivity([relation], k=3, seed=1, resamples=20).value == 0.25
    four = non_transitivity([relation], k=4, seed=1, resamples=20)
    assert (four.value, four.rate.n) == (1.0, 1)
    assert four.rate.no_interval == "a single cluster says nothing about its variation"


def test_subsets_with_an_unknown_pair_are_left_out() -> None:
    """Of four responses the pair 0-1 is unparsed and 2-3 is not there: no triple is complete."""
    relation = {(0, 1): None, (0, 2): 1, (0, 3): 1, (1, 2): 1, (1, 3): 1}
    found = non_transitivity([relation], seed=1, resamples=20)
    assert (found.value, found.left_out) == (None, 4)
    assert "all known" in str(found.rate.undefined)
    relation[(2, 3)] = 1
    again = non_transitivity([relation], seed=1, resamples=20)
    assert (again.rate.n, again.left_out, again.value) == (2, 2, 0.0)


def test_a_consistent_scorer_breaks_the_tie_rule_by_the_tolerance_alone() -> None:
    """Scores 1, 2, 3: with ties within 1 the ends differ. Chains are closed in no tolerance."""
    scores = [1.0, 2.0, 3.0, 5.0, 9.0]
    relation = {(a, b): scores[a] - scores[b] for a, b in combinations(range(5), 2)}
    sweep = non_transitivity_sweep([relation], [0, 1, 2, 10], seed=1, resamples=20)
    assert [found.tie_within for found in sweep] == [0, 1, 2, 10]
    assert [found.value for found in sweep] == [0.0, 0.1, 0.2, 0.0]
    assert all(float(found.cycles) == float(found.closed_chains) == 0 for found in sweep)


def test_five_of_ten_responses_on_many_questions_is_quick() -> None:
    """C(10, 5) = 252 subsets of 10 triples on 200 questions."""
    random = np.random.default_rng(1)
    relations = [full(random.integers(-1, 2, 45).tolist(), 10) for _ in range(200)]
    start = time.perf_counter()
    found = non_transitivity(relations, k=5, seed=1, resamples=100)
    assert time.perf_counter() - start < 3
    assert found.rate.n == 200 * 252
    assert naive(relations[0], 10, 5)[:4] == tuple(
        round(float(e) * 252)
        for one in [non_transitivity(relations[:1], k=5, seed=1, resamples=20)]
        for e in (one.rate, one.cycles, one.tie_violations, one.closed_chains)
    )


def test_bad_input_is_refused() -> None:
    with pytest.raises(DataError, match=r"relations\[0\], pair \('p', 'p'\): expected two"):
        non_transitivity([{("p", "p"): 1}], seed=1)
    with pytest.raises(DataError, match="finite margin"):
        non_transitivity([{("p", "q"): float("nan")}], seed=1)
    with pytest.raises(DataError, match="contradicts"):
        non_transitivity([{("p", "q"): 1, ("q", "p"): 1}], seed=1)
    with pytest.raises(DataError, match="at least 3"):
        non_transitivity([], k=2, seed=1)
    with pytest.raises(DataError, match="subsets of 10"):
        non_transitivity([full([0] * 780, 40)], k=10, seed=1)
    with pytest.raises(DataError, match="one length"):
        non_transitivity([{("p", "q"): 1}], clusters=[], seed=1)


def test_a_pair_may_be_given_in_both_directions_when_they_agree() -> None:
    relation = {("p", "q"): 1, ("q", "p"): -1, ("q", "r"): 1, ("p", "r"): 1}
    assert non_transitivity([relation], seed=1, resamples=20).value == 0.0
    assert non_transitivity([], seed=1, resamples=20).value is None


@settings(deadline=None)
@given(questions())
def test_against_the_definition_written_out(given: tuple[list[int | None], int, int]) -> None:
    margins, n, k = given
    relation = full(margins, n)
    found = non_transitivity([relation], k=k, seed=1, resamples=20)
    expected = naive(relation, n, k)
    assert found.rate.n == expected[4]
    if expected[4]:
        parts = (found.rate, found.cycles, found.tie_violations, found.closed_chains)
        for share, count in zip(parts, expected, strict=False):
            assert float(share) == pytest.approx(count / expected[4])


@settings(deadline=None)
@given(questions(), st.randoms(use_true_random=False))
def test_names_directions_and_order_do_not_matter(
    given: tuple[list[int | None], int, int], random: object
) -> None:
    margins, n, k = given
    one = full(margins, n)
    names = list("uvwxyz"[:n])
    random.shuffle(names)  # type: ignore[attr-defined]
    other = {(names[b], names[a]): None if m is None else -m for (a, b), m in reversed(one.items())}
    assert non_transitivity([one], k=k, seed=1, resamples=20) == non_transitivity(
        [other], k=k, seed=1, resamples=20
    )


@settings(deadline=None)
@given(st.lists(st.integers(1, 5), min_size=3, max_size=6), st.integers(3, 6))
def test_whatever_ranks_by_scores_is_transitive(scores: list[int], k: int) -> None:
    relation = {(a, b): scores[a] - scores[b] for a, b in combinations(range(len(scores)), 2)}
    found = non_transitivity([relation], k=k, seed=1, resamples=20)
    assert found.value in (None, 0.0)
