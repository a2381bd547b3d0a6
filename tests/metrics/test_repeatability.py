from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgesmith.errors import DataError
from judgesmith.metrics import order_effects
from judgesmith.metrics.repeatability import position_apart, repeatability, self_consistency

verdicts = st.sampled_from(["A", "B", "TIE", None])
samples = st.lists(st.lists(verdicts, max_size=6), max_size=12)
Samples = list[list[str | None]]


def naive(given: Samples) -> float | None:
    """Every pair of parsed repeats of every item, written out."""
    means = []
    for item in given:
        found = [a == b for a, b in combinations([v for v in item if v is not None], 2)]
        if found:
            means.append(sum(found) / len(found))
    return sum(means) / len(means) if means else None


def test_by_hand() -> None:
    """Items: 5 alike (1), 4 and 1 (6 of 10 pairs), 3 and 2 (3 + 1 of 10): (1 + .6 + .4) / 3."""
    found = repeatability(["AAAAA", "AAAAB", "AAABB"], "xyz", seed=1, resamples=300)
    assert found.value == pytest.approx(2 / 3)
    assert found.disagreement.value == pytest.approx(1 / 3)
    assert found.agreement.n == found.items == 3
    assert found.agreement.low is not None
    assert found.agreement.low <= 2 / 3 <= found.agreement.high


def test_unparsed_repeats_leave_their_item() -> None:
    """Item 1 keeps A, B (0), item 2 one repeat and none, so it is left out; 3 unparsed in all."""
    found = repeatability(
        [["A", None, "B"], ["A", None], [None], ["B", "B"]], "wxyz", seed=1, resamples=50
    )
    assert (found.value, found.items, found.left_out, found.unparsed) == (0.5, 2, 2, 3)


def test_undefined_without_repeats() -> None:
    found = repeatability([["A"], [None, "B"]], "xy", seed=1, resamples=20)
    assert found.agreement.undefined == "no item has two parsed verdicts in one order"
    assert found.value is None
    nothing = self_consistency([], [], seed=1, resamples=20)
    assert nothing.undefined == "no item has at least two repeats, all of them parsed"


def test_self_consistency_leaves_incomplete_items_out() -> None:
    """Complete items: AAA (same), AAB, BBB (same): 2/3. The item with None is not counted."""
    found = self_consistency(["AAA", "AAB", ["A", None, "A"], "BBB"], "wxyz", seed=1, resamples=100)
    assert (found.value, found.n) == (2 / 3, 3)
    assert self_consistency(["A", "B"], "xy", seed=1, resamples=20).value is None


def test_self_consistency_needs_equal_numbers() -> None:
    with pytest.raises(DataError, match=r"\[2, 3\]; use repeatability"):
        self_consistency(["AA", "AAA"], "xy", seed=1)


def test_a_coin_flips_by_sampling_alone() -> None:
    """A judge that tosses a coin in both orders flips in half of the pairs, all of it noise."""
    random = np.random.default_rng(5)
    first = [[str(v) for v in random.choice(["A", "B"], 4)] for _ in range(2000)]
    second = [[str(v) for v in random.choice(["A", "B"], 4)] for _ in range(2000)]
    found = position_apart(first, second, range(2000), seed=1, resamples=500)
    assert float(found.flip_rate) == pytest.approx(0.5, abs=0.03)
    assert found.excess.low < 0 < found.excess.high


def test_the_excess_is_half_the_squared_distance() -> None:
    """P(A) = .9 in one order and .5 in the other: ((.4)**2 + (.4)**2) / 2 = .16."""
    random = np.random.default_rng(6)
    n = 4000
    first = [["A" if u < 0.9 else "B" for u in random.random(5)] for _ in range(n)]
    second = [["A" if u < 0.5 else "B" for u in random.random(5)] for _ in range(n)]
    found = position_apart(first, second, range(n), seed=1, resamples=500)
    assert found.excess.low < 0.16 < found.excess.high
    assert float(found.flip_rate) == pytest.approx(0.5, abs=0.02)


def test_repeats_in_one_order_only() -> None:
    """Flips: A, A, B against B is 2/3; the noise of A, A, B is 2/3, so nothing is left."""
    found = position_apart([["A", "A", "B"]], [["B"]], "x", seed=1, resamples=20)
    assert (float(found.flip_rate), float(found.noise), found.value) == (2 / 3, 2 / 3, 0.0)
    assert found.excess.no_interval == "a single cluster says nothing about its variation"


def test_single_calls_cannot_tell_position_from_noise() -> None:
    found = position_apart([["A"], ["A", "A"]], [["B"], [None]], "xy", seed=1, resamples=20)
    assert found.excess.undefined == found.noise.undefined
    assert "two of them in one order" in str(found.excess.undefined)
    assert (found.items, found.left_out, found.unparsed) == (0, 2, 1)


def test_without_noise_the_excess_is_the_flip_rate() -> None:
    original, swapped = ["A", "A", "B", "TIE"], ["A", "B", "B", "B"]
    found = position_apart(
        [[v] * 3 for v in original], [[v] * 2 for v in swapped], range(4), seed=1, resamples=200
    )
    effects = order_effects(original, swapped, range(4), seed=1, resamples=200)
    assert found.value == float(found.flip_rate) == float(effects.flip_rate) == 0.5
    assert float(found.noise) == 0.0


@settings(deadline=None)
@given(samples)
def test_against_all_pairs_written_out(rows: Samples) -> None:
    found = repeatability(rows, range(len(rows)), seed=1, resamples=20)
    expected = naive(rows)
    if expected is None:
        assert found.value is None
    else:
        assert found.value == pytest.approx(expected, abs=1e-12)
        assert found.disagreement.value == pytest.approx(1 - expected, abs=1e-12)
    assert found.items + found.left_out == len(rows)


@settings(deadline=None)
@given(st.lists(st.tuples(st.lists(verdicts, max_size=4), st.lists(verdicts, max_size=4))))
def test_the_orders_can_change_places(
    rows: list[tuple[list[str | None], list[str | None]]],
) -> None:
    first, second = [a for a, _ in rows], [b for _, b in rows]
    groups = range(len(rows))
    one = position_apart(first, second, groups, seed=1, resamples=30)
    assert one == position_apart(second, first, groups, seed=1, resamples=30)
    if one.value is not None:
        assert one.value == pytest.approx(float(one.flip_rate) - float(one.noise))
        reverse = list(reversed(range(len(rows))))
        shuffled = position_apart(
            [first[i] for i in reverse], [second[i] for i in reverse], groups, seed=1, resamples=30
        )
        assert shuffled.excess == one.excess


def test_many_different_numbers_of_repeats_stay_close() -> None:
    """Common denominators beyond 2**31 are rounded for the resamples, never for the value."""
    rows = [["A"] * k + ["B"] for k in range(1, 60)]
    found = repeatability(rows, range(len(rows)), seed=1, resamples=200)
    assert found.value == pytest.approx(naive(rows), abs=1e-12)
    assert found.agreement.low < found.value < found.agreement.high


def test_nothing_that_varies_gives_a_bound_or_a_reason() -> None:
    """Ten items that never change: at most z*z / (10 + z*z) = .278 of items do, and the
    difference of two constants has no interval.
    """
    still = [["A", "A"]] * 10
    found = position_apart(still, still, range(10), seed=1, resamples=50)
    assert (found.flip_rate.low, found.flip_rate.high) == (0.0, pytest.approx(0.277533, abs=1e-6))
    assert (found.value, found.excess.low) == (0.0, None)
    assert "every resample gives the same value" in str(found.excess.no_interval)
    assert repeatability(still, range(10), seed=1, resamples=50).agreement.high == 1.0
