import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgesmith.errors import DataError
from judgesmith.metrics import (
    agreed_verdict,
    average_distributions,
    order_averaged,
    order_effects,
    swap_verdict,
    wilson,
)

verdicts = st.sampled_from(["A", "B", "TIE", None])
pairs = st.lists(st.tuples(verdicts, verdicts), max_size=30)


def test_effects_by_hand() -> None:
    """Ten pairs: four stable, three name the first slot twice, one the second, one turns into a
    tie, one is unparsed. Of 9 pairs 5 flip; bias (3 - 1) / 9, among flips 2 / 5.
    """
    original = ["A", "B", "TIE", "B", "A", "A", "A", "B", "TIE", "A"]
    swapped = ["A", "B", "TIE", "B", "B", "B", "B", "A", "A", None]
    found = order_effects(original, swapped, range(10), seed=1, resamples=500)
    assert (found.pairs, found.left_out, found.flips) == (9, 1, 5)
    assert (found.first_slot, found.second_slot) == (3, 1)
    assert float(found.position_bias) == pytest.approx(2 / 9)
    assert float(found.position_bias_in_flips) == pytest.approx(2 / 5)
    assert found.position_bias_in_flips.n == 5
    assert found.flip_rate == wilson(5, 9)
    assert float(found.consistency) == float(found.consistency_clustered) == pytest.approx(4 / 9)
    assert found.flip_rate_clustered.clusters == 9
    assert found.matrix.count("A", "B") == 3
    assert found.matrix.count("TIE", "A") == 1
    assert found.matrix.n == 9


def test_raw_replies_that_always_name_one_slot() -> None:
    """A raw reply "first" in both orders is A in the stored order and B mapped back."""
    swapped = [swap_verdict("A")] * 8
    found = order_effects(["A"] * 8, swapped, range(8), seed=1, resamples=50)
    assert (float(found.flip_rate), float(found.position_bias)) == (1.0, 1.0)
    mirrored = order_effects(["B"] * 8, [swap_verdict("B")] * 8, range(8), seed=1, resamples=50)
    assert float(mirrored.position_bias) == -1.0


def test_any_two_labels_can_be_the_slots() -> None:
    found = order_effects(
        ["left", "left"], ["right", "left"], "pq", slots=("left", "right"), seed=1, resamples=50
    )
    assert found.first_slot == 1
    with pytest.raises(DataError, match="two different labels"):
        order_effects([], [], [], slots=("A", "A"), seed=1)


def test_a_scale_without_slots_has_flips_but_no_direction() -> None:
    found = order_effects(["yes", "no"], ["no", "no"], "pq", seed=1, resamples=50)
    assert (float(found.flip_rate), found.first_slot, found.second_slot) == (0.5, 0, 0)
    assert float(found.position_bias) == 0.0


def test_undefined_without_pairs_and_without_flips() -> None:
    nothing = order_effects(["A", None], [None, "B"], "pq", seed=1, resamples=50)
    assert nothing.left_out == 2
    assert nothing.consistency.undefined == "there are no rows"
    assert nothing.position_bias.undefined == "no pair has a parsed verdict in both orders"
    stable = order_effects(["A"] * 3, ["A"] * 3, "pqr", seed=1, resamples=50)
    assert stable.position_bias_in_flips.undefined == "no verdict flipped"
    assert float(stable.position_bias) == 0.0


@settings(deadline=None)
@given(pairs)
def test_exchanging_the_orders_turns_the_sign(rows: list[tuple[str, str]]) -> None:
    original, swapped = [a for a, _ in rows], [b for _, b in rows]
    groups = range(len(rows))
    one = order_effects(original, swapped, groups, seed=1, resamples=20)
    two = order_effects(swapped, original, groups, seed=1, resamples=20)
    assert (one.first_slot, one.second_slot) == (two.second_slot, two.first_slot)
    assert one.flip_rate == two.flip_rate
    assert one.pairs + one.left_out == len(rows)
    assert one.flips >= one.first_slot + one.second_slot


@settings(deadline=None)
@given(verdicts)
def test_swapping_twice_is_the_identity(verdict: str | None) -> None:
    assert swap_verdict(swap_verdict(verdict)) == verdict


@settings(deadline=None)
@given(verdicts, verdicts)
def test_the_agreed_verdict_does_not_depend_on_the_order(a: str | None, b: str | None) -> None:
    assert agreed_verdict(a, b) == agreed_verdict(b, a)
    assert swap_verdict(agreed_verdict(a, b)) == agreed_verdict(swap_verdict(a), swap_verdict(b))


def test_agreed_verdicts() -> None:
    assert agreed_verdict("B", "B") == "B"
    assert agreed_verdict("A", "TIE") == "TIE"
    assert agreed_verdict(None, None) is None
    assert agreed_verdict("yes", "no", tie=None) is None
    assert agreed_verdict("yes", "yes", tie=None) == "yes"


def test_averaged_distributions() -> None:
    """A: (.6 + .3)/2 = .45, B: (.1 + .5)/2 = .3, TIE: (.3 + .2)/2 = .25."""
    first, second = {"A": 0.6, "B": 0.1, "TIE": 0.3}, {"A": 0.3, "B": 0.5, "TIE": 0.2}
    assert average_distributions(first, second) == pytest.approx({"A": 0.45, "B": 0.3, "TIE": 0.25})
    assert order_averaged(first, second) == "A"


def test_a_judge_that_only_follows_the_slot_ties() -> None:
    first, second = {"A": 0.7, "B": 0.2, "TIE": 0.1}, {"A": 0.2, "B": 0.7, "TIE": 0.1}
    assert order_averaged(first, second) == "TIE"
    assert order_averaged({"yes": 0.7, "no": 0.3}, {"yes": 0.3, "no": 0.7}, tie=None) is None


def test_a_missing_distribution_gives_no_verdict() -> None:
    assert order_averaged(None, {"A": 1.0}) is None
    assert order_averaged({"A": 1.0}, None) is None


@pytest.mark.parametrize(
    "bad", [{"A": 0.5, "B": 0.4}, {"A": 1.5, "B": -0.5}, {"A": float("nan"), "B": 1.0}, {}]
)
def test_what_is_no_distribution_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(DataError, match="swapped: expected probabilities"):
        average_distributions({"A": 1.0}, bad)


def test_a_judge_that_follows_the_slot_is_not_decided_by_the_last_decimals() -> None:
    """Means .50002 and .49998 are a tie; .51 and .49 are .02 apart and are not."""
    near = order_averaged({"A": 0.99996, "B": 0.00004}, {"A": 0.00008, "B": 0.99992})
    far = order_averaged({"A": 0.99, "B": 0.01}, {"A": 0.03, "B": 0.97})
    assert (near, far) == ("TIE", "A")
