import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgesmith.errors import DataError
from judgesmith.metrics import swap_verdict
from judgesmith.metrics.score_and_pair import conflict_ratio, margin_sign, three_way

score = st.one_of(st.none(), st.integers(1, 5))
rows_of = st.lists(
    st.tuples(score, score, st.sampled_from(["A", "B", "TIE", None]), st.integers(0, 5)),
    max_size=30,
)
Rows = list[tuple[int | None, int | None, str | None, int]]


def columns(rows: Rows) -> tuple[list[int | None], list[int | None], list[str | None], list[int]]:
    return (
        [r[0] for r in rows],
        [r[1] for r in rows],
        [r[2] for r in rows],
        [r[3] for r in rows],
    )


EIGHT: Rows = [
    (5, 3, "A", 0),  # agrees
    (3, 5, "B", 1),  # agrees
    (3, 3, "TIE", 2),  # agrees
    (5, 3, "B", 3),  # reversal
    (3, 3, "B", 4),  # score tie
    (3, 3, "A", 5),  # score tie
    (2, 4, "TIE", 6),  # verdict tie
    (4, 3, "A", 7),  # agrees, unless one point is a tie
    (None, 3, "A", 8),
    (4, 3, None, 9),
]


def test_conflicts_by_hand() -> None:
    """Of 8 parsed rows 1 reversal, 2 score ties, 1 verdict tie: 4/8."""
    found = conflict_ratio(*columns(EIGHT), seed=1, resamples=300)
    assert (found.value, found.rate.n, found.left_out) == (0.5, 8, 2)
    assert found.strict_reversals.value == found.verdict_ties.value == 0.125
    assert found.score_ties.value == 0.25
    assert found.rate.low < 0.5 < found.rate.high


def test_the_tolerance_moves_rows_between_kinds() -> None:
    """Within one point the last row is a score tie; within two all scores tie: 5 named rows."""
    one = conflict_ratio(*columns(EIGHT), tie_within=1, seed=1, resamples=30)
    assert (one.score_ties.value, one.value) == (0.375, 0.625)
    two = conflict_ratio(*columns(EIGHT), tie_within=2, seed=1, resamples=30)
    assert (two.strict_reversals.value, two.verdict_ties.value, two.value) == (0, 0, 0.75)


def test_three_way_by_hand() -> None:
    """Of 8 parsed rows 2 prefer nothing; of 6: 3 consistent, 1 inconsistent, 2 ties."""
    found = three_way(*columns(EIGHT), seed=1, resamples=300)
    assert (found.value, float(found.inconsistent), float(found.tie)) == (1 / 2, 1 / 6, 2 / 6)
    assert (found.consistent.n, found.left_out, found.no_preference) == (6, 2, 2)


def test_nothing_parsed_has_a_reason() -> None:
    conflicts = conflict_ratio([None], [1], ["A"], "x", seed=1, resamples=20)
    assert conflicts.rate.undefined == "no row has two parsed scores and a parsed verdict"
    shares = three_way([1], [2], ["TIE"], "x", seed=1, resamples=20)
    assert (shares.value, shares.no_preference) == (None, 1)
    assert "names a response" in str(shares.tie.undefined)


@pytest.mark.parametrize("step", [0.1, 0.2, 0.3, 0.7])
def test_a_margin_at_the_tolerance_is_a_tie_whatever_the_rounding(step: float) -> None:
    for k in range(100):
        assert margin_sign((k + 1) * step - k * step, step) == 0
    assert margin_sign(step * 1.001, step) == 1
    assert margin_sign(1e-300, 0.0) == 1


def test_bad_input_is_refused() -> None:
    with pytest.raises(DataError, match=r"second_scores\[0\] is nan"):
        conflict_ratio([1], [float("nan")], ["A"], "x", seed=1)
    with pytest.raises(DataError, match=r"verdicts\[0\] is 'C'"):
        three_way([1], [2], ["C"], "x", seed=1)
    with pytest.raises(DataError, match="tie_within"):
        conflict_ratio([1], [2], ["A"], "x", tie_within=-1, seed=1)


@settings(deadline=None)
@given(rows_of, st.integers(0, 3))
def test_the_kinds_add_up(rows: Rows, tolerance: int) -> None:
    found = conflict_ratio(*columns(rows), tie_within=tolerance, seed=1, resamples=20)
    shares = three_way(*columns(rows), tie_within=tolerance, seed=1, resamples=20)
    assert found.rate.n + found.left_out == len(rows)
    assert shares.consistent.n + shares.no_preference + shares.left_out == len(rows)
    if found.value is not None:
        parts = (found.strict_reversals, found.score_ties, found.verdict_ties)
        assert found.value == pytest.approx(sum(map(float, parts)))
    if shares.value is not None:
        parts = (shares.consistent, shares.inconsistent, shares.tie)
        assert sum(map(float, parts)) == pytest.approx(1)
        assert found.strict_reversals.value is not None
        reversals = round(float(found.strict_reversals) * found.rate.n)
        assert reversals == round(float(shares.inconsistent) * shares.tie.n)


@settings(deadline=None)
@given(rows_of, st.randoms(use_true_random=False))
def test_slots_row_order_and_repeated_rows_do_not_matter(rows: Rows, random: object) -> None:
    other = [(b, a, swap_verdict(v), c) for a, b, v, c in rows]
    random.shuffle(other)  # type: ignore[attr-defined]
    one = conflict_ratio(*columns(rows), seed=1, resamples=30)
    assert one == conflict_ratio(*columns(other), seed=1, resamples=30)  # type: ignore[arg-type]
    twice = conflict_ratio(*columns(rows + rows), seed=1, resamples=30)
    assert (twice.value, twice.rate.low, twice.rate.high) == (
        one.value,
        one.rate.low,
        one.rate.high,
    )
    assert three_way(*columns(rows), seed=1, resamples=30) == three_way(
        *columns(other), seed=1, resamples=30  # type: ignore[arg-type]
    )  # fmt: skip
