import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from judgesmith.errors import DataError
from judgesmith.metrics import order_effects, swap_verdict
from judgesmith.metrics.flips import (
    FlipMatrix,
    flip_kinds,
    flip_matrix,
    primacy_recency,
    slot_axis,
)

verdicts = st.sampled_from(["A", "B", "TIE", None])
pairs = st.lists(st.tuples(verdicts, verdicts, st.integers(0, 5)), max_size=30)
Rows = list[tuple[str | None, str | None, int]]

ORIGINAL = ["A", "B", "TIE", "B", "A", "A", "A", "B", "TIE", "A", None, None]
SWAPPED = ["A", "B", "TIE", "B", "B", "B", "TIE", "A", "A", None, "B", None]


def columns(rows: Rows) -> tuple[list[str | None], list[str | None], list[int]]:
    return [a for a, _, _ in rows], [b for _, b, _ in rows], [c for _, _, c in rows]


def transposed(found: FlipMatrix) -> tuple[tuple[int, ...], ...]:
    return tuple(zip(*found.table.counts, strict=True))


def test_matrix_by_hand() -> None:
    """Nine parsed pairs: A-A 1, A-TIE 1, A-B 2, TIE-A 1, TIE-TIE 1, B-A 1, B-B 2; three not."""
    found = flip_matrix(ORIGINAL, SWAPPED)
    assert found.table.labels == ("A", "TIE", "B")
    assert found.table.counts == ((1, 1, 2), (1, 1, 0), (1, 0, 2))
    assert (found.original_unparsed, found.swapped_unparsed, found.both_unparsed) == (1, 1, 1)


def test_the_matrix_has_all_cells_without_any_row() -> None:
    assert flip_matrix([], []).table.counts == ((0,) * 3,) * 3
    assert flip_matrix([1, 2], [1, 1], slots=(1, 2), tie=None).table.counts == ((1, 0), (1, 0))


def test_primacy_by_hand() -> None:
    """Reversals: A-B twice (the first slot), B-A once: 2/3 and 1/3; p = 1 for 1 of 3."""
    found = primacy_recency(ORIGINAL, SWAPPED, range(12), seed=1, resamples=500)
    assert (found.first, found.second, found.others, found.left_out) == (2, 1, 6, 3)
    assert float(found.primacy) == pytest.approx(2 / 3)
    assert float(found.recency) == pytest.approx(1 / 3)
    assert found.primacy.n == found.recency.n == 3
    assert found.p == 1.0


@pytest.mark.parametrize(("first", "second"), [(0, 1), (3, 4), (9, 1), (2, 12), (20, 20)])
def test_the_p_value_is_the_exact_binomial_one(first: int, second: int) -> None:
    original = ["A"] * first + ["B"] * second
    swapped = ["B"] * first + ["A"] * second
    found = primacy_recency(original, swapped, range(first + second), seed=1, resamples=20)
    assert found.p == pytest.approx(binomtest(first, first + second).pvalue, abs=1e-12)


def test_no_reversal_has_a_reason() -> None:
    found = primacy_recency(["A", "TIE"], ["A", "A"], "xy", seed=1, resamples=20)
    expected = "no pair has verdicts that name different responses in the two orders"
    assert found.primacy.undefined == found.recency.undefined == expected
    assert (found.p, found.others) == (1.0, 2)


def test_kinds_by_hand() -> None:
    """Of nine parsed pairs 3 reverse (A-B twice, B-A), one goes to a tie, one comes from one."""
    found = flip_kinds(ORIGINAL, SWAPPED, range(12), seed=1, resamples=500)
    assert (found.pairs, found.left_out) == (9, 3)
    assert float(found.win_to_loss) == pytest.approx(3 / 9)
    assert float(found.win_to_tie) == float(found.tie_to_win) == pytest.approx(1 / 9)
    assert found.win_to_loss.clusters == 9


def test_no_pair_has_a_reason() -> None:
    found = flip_kinds(["A", None], [None, "B"], "xy", seed=1, resamples=20)
    assert found.win_to_tie.undefined == "no pair has a parsed verdict in both orders"


def test_other_labels_and_slots_are_refused() -> None:
    with pytest.raises(DataError, match=r"swapped\[1\] is 'C'.*None for an unparsed"):
        flip_matrix(["A", "A"], ["A", "C"])
    with pytest.raises(DataError, match="different labels"):
        slot_axis(("A", "B"), "B")
    with pytest.raises(DataError, match="different labels"):
        primacy_recency([], [], [], slots=("A", "A"), seed=1)
    with pytest.raises(DataError, match="one length"):
        flip_matrix(["A"], [])


@settings(deadline=None)
@given(pairs)
def test_everything_adds_up_to_the_effects_of_order(rows: Rows) -> None:
    original, swapped, groups = columns(rows)
    options = {"seed": 1, "resamples": 20}
    effects = order_effects(original, swapped, groups, **options)
    matrix = flip_matrix(original, swapped)
    found = primacy_recency(original, swapped, groups, **options)
    kinds = flip_kinds(original, swapped, groups, **options)
    assert matrix.table.n == effects.pairs == kinds.pairs
    left_out = matrix.original_unparsed + matrix.swapped_unparsed + matrix.both_unparsed
    assert left_out == effects.left_out == found.left_out == kinds.left_out
    assert (found.first, found.second) == (effects.first_slot, effects.second_slot)
    assert found.first + found.second + found.others + found.left_out == len(rows)
    if effects.pairs:
        parts = [kinds.win_to_loss, kinds.win_to_tie, kinds.tie_to_win]
        assert sum(map(float, parts)) == pytest.approx(float(effects.flip_rate))


@settings(deadline=None)
@given(pairs)
def test_renaming_the_slots_and_exchanging_the_orders(rows: Rows) -> None:
    """Storing the pairs the other way round exchanges the orders and renames the verdicts: what
    the judge saw first stays first, and only the names of the tie kinds change.
    """
    original, swapped, groups = columns(rows)
    options = {"seed": 1, "resamples": 20}
    other = [swap_verdict(v) for v in swapped], [swap_verdict(v) for v in original]
    one = primacy_recency(original, swapped, groups, **options)
    two = primacy_recency(*other, groups, **options)
    assert one == two
    before = flip_kinds(original, swapped, groups, **options)
    after = flip_kinds(*other, groups, **options)
    assert before.win_to_loss == after.win_to_loss
    assert before.win_to_tie == after.tie_to_win
    exchanged = flip_matrix(swapped, original)
    assert transposed(flip_matrix(original, swapped)) == exchanged.table.counts


@settings(deadline=None)
@given(pairs, st.randoms(use_true_random=False))
def test_neither_row_order_nor_repeated_rows_matter(rows: Rows, random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    options = {"seed": 3, "resamples": 50}
    found = flip_kinds(*columns(rows), **options)
    assert found == flip_kinds(*columns(shuffled), **options)
    twice = flip_kinds(*columns(rows + rows), **options)
    assert (twice.win_to_tie.value, twice.win_to_tie.low, twice.win_to_tie.high) == (
        found.win_to_tie.value,
        found.win_to_tie.low,
        found.win_to_tie.high,
    )
