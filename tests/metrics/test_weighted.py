from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa

from judgesmith.errors import DataError
from judgesmith.metrics.agreement import cohen_kappa, confusion
from judgesmith.metrics.raters import fleiss_kappa
from judgesmith.metrics.weighted import (
    ac1_of_counts,
    gwet_ac1,
    pi_of_counts,
    scott_pi,
    weighted_kappa,
    weighted_kappa_of_counts,
)

SCALE = [1, 2, 3, 4, 5]
rows = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=60)
Pairs = list[tuple[int, int]]
both_weights = pytest.mark.parametrize("weights", ["linear", "quadratic"])


def columns(pairs: Pairs) -> tuple[list[int], list[int]]:
    return [a for a, _ in pairs], [b for _, b in pairs]


@both_weights
@settings(deadline=None)
@given(pairs=rows)
def test_weighted_kappa_equals_scikit_learn(weights: str, pairs: Pairs) -> None:
    x, y = columns(pairs)
    for labels in (None, SCALE, SCALE[::-1]):
        found = weighted_kappa(x, y, weights=weights, labels=labels)
        if found.value is None:
            assert len({*x, *y}) == 1
        else:
            expected = cohen_kappa_score(x, y, weights=weights, labels=labels)
            assert found.value == pytest.approx(expected, abs=1e-9)


@both_weights
def test_weighted_kappa_equals_statsmodels(weights: str) -> None:
    for seed in range(40):
        draw = np.random.default_rng(seed)
        x = draw.integers(1, 6, 200)
        y = np.clip(x + draw.integers(-1, 2, 200), 1, 5)
        table = np.asarray(confusion(x.tolist(), y.tolist(), labels=SCALE).counts)
        expected = cohens_kappa(table, wt=weights, return_results=False)
        found = weighted_kappa(x, y, weights=weights, labels=SCALE)
        assert found.value == pytest.approx(expected, abs=1e-9)


@both_weights
def test_weighted_kappa_by_hand(weights: str) -> None:
    """x = 1 2 3 1, y = 1 3 3 3, n = 4. Margins (2, 1, 1) and (1, 0, 3).

    Quadratic: observed 0 + 1 + 0 + 4 = 5; expected (1,3) 2*3*4 + (2,1) 1*1*1 + (2,3) 1*3*1 +
    (3,1) 1*1*4 = 24 + 1 + 3 + 4 = 32; 1 - 20/32 = 3/8. Linear: observed 3, expected
    12 + 1 + 3 + 2 = 18; 1 - 12/18 = 1/3.
    """
    expected = {"quadratic": 3 / 8, "linear": 1 / 3}[weights]
    assert float(weighted_kappa([1, 2, 3, 1], [1, 3, 3, 3], weights=weights)) == expected


def test_positions_count_and_not_values() -> None:
    """Without a named scale 1, 2, 5 are three neighbours; 3 and 4 between them widen the gap."""
    x, y = [1, 2, 5, 5], [1, 5, 5, 2]
    ranks = {1: 1, 2: 2, 5: 3}
    as_ranks = weighted_kappa([ranks[a] for a in x], [ranks[b] for b in y])
    assert weighted_kappa(x, y) == as_ranks
    assert weighted_kappa(x, y, labels=SCALE).value != as_ranks.value
    assert weighted_kappa(x, y, labels=[0, 1, 2, 5, 9]) == as_ranks


@settings(deadline=None)
@given(rows, st.sampled_from(["linear", "quadratic"]))
def test_weighted_kappa_keeps_under_what_it_must_ignore(pairs: Pairs, weights: str) -> None:
    x, y = columns(pairs)
    value = weighted_kappa(x, y, weights=weights, labels=SCALE).value
    names = dict(zip(SCALE, "abcde", strict=True))
    named = weighted_kappa(
        [names[a] for a in x], [names[b] for b in y], weights=weights, labels="abcde"
    )
    upside = weighted_kappa([6 - a for a in x], [6 - b for b in y], weights=weights, labels=SCALE)
    assert named.value == value
    assert upside.value == value
    assert weighted_kappa(y, x, weights=weights, labels=SCALE).value == value
    assert weighted_kappa(x[::-1], y[::-1], weights=weights, labels=SCALE).value == value
    doubled = weighted_kappa(x * 2, y * 2, weights=weights, labels=SCALE).value
    assert doubled == (None if value is None else pytest.approx(value, abs=1e-12))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=40))
def test_two_labels_make_all_weights_one(pairs: Pairs) -> None:
    x, y = columns(pairs)
    expected = cohen_kappa(x, y).value
    for weights in ("linear", "quadratic"):
        assert weighted_kappa(x, y, weights=weights).value == expected


def exact_ac1(x: list[int], y: list[int], labels: list[int]) -> Fraction:
    """The definition in fractions: shares, not counts."""
    n = len(x)
    agreeing = Fraction(sum(a == b for a, b in zip(x, y, strict=True)), n)
    shares = [Fraction(x.count(k) + y.count(k), 2 * n) for k in labels]
    chance = sum((s * (1 - s) for s in shares), Fraction(0)) / (len(labels) - 1)
    return (agreeing - chance) / (1 - chance)


@settings(deadline=None)
@given(rows)
def test_ac1_equals_its_definition(pairs: Pairs) -> None:
    x, y = columns(pairs)
    value = gwet_ac1(x, y, SCALE).value
    assert value == pytest.approx(float(exact_ac1(x, y, SCALE)), abs=1e-12)
    assert gwet_ac1(y, x, SCALE[::-1]).value == value
    assert gwet_ac1(x[::-1], y[::-1], SCALE).value == value
    assert gwet_ac1(x * 3, y * 3, SCALE).value == pytest.approx(value, abs=1e-12)


def test_ac1_of_the_published_paradox() -> None:
    """Table of 118 ++, 5 +-, 2 -+, 0 -- (Gwet 2008): kappa -.023, AC1 .941.

    po = 118/125 = .944; the share of + is (123 + 120)/250 = .972, pe = 2 * .972 * .028 = .054432.
    """
    x = ["+"] * 123 + ["-"] * 2
    y = ["+"] * 118 + ["-"] * 5 + ["+"] * 2
    assert float(gwet_ac1(x, y)) == pytest.approx((0.944 - 0.054432) / (1 - 0.054432), abs=1e-12)
    assert float(cohen_kappa(x, y)) == pytest.approx(-0.0234, abs=5e-5)


def test_the_number_of_labels_moves_ac1() -> None:
    """po = 3/4, s = 7/8, 1/8, sum of s(1-s) = 14/64; K = 3 halves pe: (96 - 14) / (128 - 14)."""
    assert float(gwet_ac1("AAAB", "AAAA")) == pytest.approx(0.68)
    assert float(gwet_ac1("AAAB", "AAAA", labels="ABC")) == pytest.approx(82 / 114 + 0, abs=1e-12)
    assert float(gwet_ac1("AA", "AA", labels="AB")) == 1.0


@settings(deadline=None)
@given(rows)
def test_pi_is_the_kappa_of_two_interchangeable_raters(pairs: Pairs) -> None:
    x, y = columns(pairs)
    value = scott_pi(x, y).value
    assert scott_pi(y, x).value == value
    fleiss = fleiss_kappa(x, y).value
    pooled = cohen_kappa(x + y, y + x).value  # both sides now use the labels equally often
    if value is None:
        assert fleiss is None
    else:
        assert fleiss == pytest.approx(value, abs=1e-12)
        assert pooled == pytest.approx(value, abs=1e-12)


@settings(deadline=None)
@given(rows)
def test_many_tables_at_once_equal_one_at_a_time(pairs: Pairs) -> None:
    x, y = columns(pairs)
    flat = np.ravel(confusion(x, y, labels=SCALE).counts).astype(float)
    tables = np.stack([flat, 2 * flat])
    for found, value in (
        (
            weighted_kappa_of_counts(5, "linear"),
            weighted_kappa(x, y, weights="linear", labels=SCALE),
        ),
        (weighted_kappa_of_counts(5, "quadratic"), weighted_kappa(x, y, labels=SCALE)),
        (ac1_of_counts, gwet_ac1(x, y, SCALE)),
        (pi_of_counts, scott_pi(x, y, SCALE)),
    ):
        if value.value is None:
            assert np.isnan(found(tables)).all()
        else:
            assert found(tables) == pytest.approx([value.value] * 2, abs=1e-12)


def test_degenerate_cases() -> None:
    for metric in (weighted_kappa, gwet_ac1, scott_pi):
        assert metric([], []).undefined == "there are no rows"
        assert float(metric([1, 2], [1, 2])) == 1.0
    assert "only the label 3" in str(weighted_kappa([3, 3], [3, 3], labels=SCALE).undefined)
    assert "only the label 3" in str(scott_pi([3, 3], [3, 3], labels=SCALE).undefined)
    assert "at least two labels, found 1" in str(gwet_ac1([3, 3], [3, 3]).undefined)
    assert float(weighted_kappa([3, 3, 3], [1, 2, 5])) == 0.0
    assert float(weighted_kappa([1, 5], [5, 1])) == -1.0


def test_bad_input_is_named() -> None:
    with pytest.raises(DataError, match=r"\['bad', 'good'\], which have no order"):
        weighted_kappa(["bad"], ["good"])
    with pytest.raises(DataError, match=r"y\[1\] is 7: expected one of"):
        weighted_kappa([1, 2], [1, 7], labels=SCALE)
    with pytest.raises(DataError, match="expected 'linear' or 'quadratic', found 'cubic'"):
        weighted_kappa([1], [1], weights="cubic")
    with pytest.raises(DataError, match="one length"):
        weighted_kappa([1], [])
    for metric in (weighted_kappa, gwet_ac1, scott_pi):
        with pytest.raises(DataError, match=r"y\[1\] is None"):
            metric([1, 2], [1, None])
        with pytest.raises(DataError, match=r"x\[0\] is nan"):
            metric([float("nan"), 2], [1, 2])
