import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from judgesmith.errors import DataError
from judgesmith.metrics.bradley_terry import bradley_terry, strengths
from judgesmith.metrics.system_ranking import Comparison, rank_systems


def glm(wins: np.ndarray) -> np.ndarray:
    """The same model as a binomial GLM of statsmodels: a logit on differences of indicators."""
    m = len(wins)
    rows, counts = [], []
    for i in range(m):
        for j in range(i + 1, m):
            if wins[i, j] + wins[j, i]:
                row = np.zeros(m)
                row[i], row[j] = 1, -1
                rows.append(row[1:])
                counts.append((wins[i, j], wins[j, i]))
    model = sm.GLM(np.array(counts), np.array(rows), family=sm.families.Binomial())
    with np.errstate(all="ignore"):  # its residual variance for two systems is x/0
        fitted = model.fit(tol=1e-14, maxiter=200)
    found = np.concatenate([[0.0], fitted.params])
    return found - found.mean()


@settings(deadline=None, max_examples=25)
@given(st.integers(2, 6), st.integers(0, 10_000))
def test_strengths_equal_statsmodels(m: int, seed: int) -> None:
    drawn = np.random.default_rng(seed).integers(1, 30, (m, m)) / 2
    np.fill_diagonal(drawn, 0)
    found = bradley_terry(drawn)
    assert found is not None
    assert np.abs(found - glm(drawn)).max() < 1e-6


def test_lopsided_and_sparse_tables_equal_statsmodels() -> None:
    """A ring of five systems, each met by two others only, one of them by thousands to one."""
    wins = np.zeros((5, 5))
    for i in range(5):
        wins[i, (i + 1) % 5], wins[(i + 1) % 5, i] = 5000.0, 0.5
    found = bradley_terry(wins)
    assert found is not None
    assert np.abs(found).max() < 1e-6  # by symmetry all are equal
    wins[0, 1], wins[1, 0] = 3.0, 4.0
    again = bradley_terry(wins)
    assert again is not None
    assert np.abs(again - glm(wins)).max() < 1e-6


def test_many_tables_are_the_same_as_one_by_one() -> None:
    tables = np.random.default_rng(3).integers(0, 3, (200, 4, 4)).astype(float)
    tables[:, np.arange(4), np.arange(4)] = 0
    together = strengths(tables)
    none = 0
    for table, row in zip(tables, together, strict=True):
        alone = bradley_terry(table)
        if alone is None:
            none += 1
            assert np.isnan(row).all()
        else:
            assert np.abs(alone - row).max() < 1e-8
    assert 0 < none < 200


def met(a: str, b: str, won: int, lost: int, tied: int = 0) -> list[Comparison]:
    shares = [1.0] * won + [0.0] * lost + [0.5] * tied
    return [Comparison(a, b, share, f"{a}{b}{i}") for i, share in enumerate(shares)]


def test_a_system_that_never_lost_has_no_strength_and_a_win_rate() -> None:
    found = rank_systems([*met("a", "b", 9, 0), *met("b", "c", 5, 4)], seed=1, resamples=200)
    assert found.unlinked is not None
    assert found.unlinked.startswith("a won every comparison with the others")
    assert [one.strength.value for one in found.standings] == [None] * 3
    best = found.standings[0]
    assert (best.name, best.win_rate.value) == ("a", 1.0)
    assert best.win_rate.low is not None
    assert 0.6 < best.win_rate.low < 1  # nine wins are no proof of all: Wilson's bound


def test_systems_that_never_met_are_named() -> None:
    found = rank_systems(
        [*met("a", "b", 3, 3), *met("c", "d", 2, 2), *met("c", "e", 2, 2)], seed=1, resamples=50
    )
    assert found.unlinked is not None
    assert found.unlinked.startswith("a, b never met the others")


def test_too_many_resamples_without_strengths_leave_no_interval() -> None:
    found = rank_systems(met("a", "b", 9, 1), seed=1, resamples=500)
    strength = found.standings[0].strength
    assert strength.value == pytest.approx(np.log(9) / 2)
    assert strength.low is None
    assert "a system won or lost everything" in str(strength.no_interval)


def test_duels_count_questions_and_common_opponents() -> None:
    """Against one baseline: a beats it on 12 questions where b loses, b on 2 where a loses."""
    rows = []
    for q in range(20):
        a, b = (1.0, 0.0) if q < 12 else (0.0, 1.0) if q < 14 else (1.0, 1.0)
        rows += [Comparison("a", "base", a, q), Comparison("base", "b", 1 - b, q)]
    duel = rank_systems(rows, seed=1, resamples=50).duel("a", "b")
    assert (duel.gained, duel.lost) == (12, 2)
    assert duel.p == pytest.approx(2 * (1 + 14 + 91) / 2**14)
    assert duel.p_holm >= duel.p


def test_repeats_of_a_question_are_one_vote() -> None:
    rows = [Comparison("a", "b", 1.0, "same question") for _ in range(50)]
    duel = rank_systems([*rows, *met("a", "b", 0, 1)], seed=1, resamples=50).duel("a", "b")
    assert (duel.gained, duel.lost, duel.p) == (1, 1, 1.0)


def test_order_of_rows_does_not_matter() -> None:
    rows = [*met("a", "b", 7, 3, 2), *met("b", "c", 4, 6), *met("c", "a", 2, 5)]
    one = rank_systems(rows, seed=5, resamples=300)
    assert one == rank_systems(rows[::-1], seed=5, resamples=300)


def test_equal_strengths_are_in_order_of_names() -> None:
    """The fit leaves them a few units of the last place apart."""
    rows = [one for name in "bcd" for one in met("a", name, 7, 2)]
    found = rank_systems(rows, seed=1, resamples=20)
    assert [one.name for one in found.standings] == ["a", "b", "c", "d"]


def test_bad_input() -> None:
    with pytest.raises(DataError, match="at least one comparison"):
        rank_systems([], seed=1)
    with pytest.raises(DataError, match=r"comparisons\[0\]: expected two systems"):
        rank_systems([Comparison("a", "a", 1.0, 1)], seed=1)
    with pytest.raises(DataError, match="expected two of the systems"):
        rank_systems(met("a", "b", 1, 1), seed=1, resamples=50).duel("a", "z")
