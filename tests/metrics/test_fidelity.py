import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgesmith.errors import DataError
from judgesmith.metrics import swap_verdict
from judgesmith.metrics.fidelity import RepeatedErrors, repeats_teacher_errors

verdict = st.sampled_from(["A", "B", "TIE", None])
rows_of = st.lists(
    st.tuples(verdict, verdict, st.sampled_from(["A", "B", "TIE"]), st.integers(0, 5)), max_size=30
)
Rows = list[tuple[str | None, str | None, str, int]]
NAMES = ("repeated", "expected", "excess", "corrected", "kept", "repeated_of_all")


def measured(rows: Rows, resamples: int = 30) -> RepeatedErrors:
    return repeats_teacher_errors(
        [r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows], [r[3] for r in rows],
        seed=1, resamples=resamples,
    )  # fmt: skip


def test_by_hand() -> None:
    """Labels A (5 items) and B (4). The teacher errs on A as B, A as TIE, B as A; parsed with
    the student: three errors, two repeated, one corrected. On A the student says A 2, B 1,
    TIE 1 of 4 (one unparsed); on B it says A 1, B 3 of 4. Expected (1/4 + 1/4 + 1/4) / 3.
    """
    rows: Rows = [
        ("A", "A", "A", 0),
        ("B", "B", "A", 1),
        ("TIE", "TIE", "A", 2),
        ("A", "A", "A", 3),
        ("A", None, "A", 4),
        ("A", "B", "B", 5),
        ("B", "B", "B", 6),
        ("B", "A", "B", 7),
        (None, "B", "B", 8),
        ("B", "B", "B", 9),
    ]
    # The unparsed teacher leaves item 8 out, so on B the student says A 1, B 3 of 4.
    found = measured(rows, resamples=300)
    assert found.value == pytest.approx(2 / 3)
    assert float(found.expected) == pytest.approx(1 / 4)
    assert float(found.excess) == pytest.approx(2 / 3 - 1 / 4)
    assert float(found.corrected) == pytest.approx(1 / 3)
    assert float(found.kept) == pytest.approx(4 / 5)
    assert float(found.repeated_of_all) == pytest.approx(2 / 4)
    assert (found.repeated.n, found.kept.n, found.repeated_of_all.n) == (3, 5, 4)
    assert (found.teacher_unparsed, found.student_unparsed) == (1, 1)


def test_independent_errors_are_no_inheritance() -> None:
    """Two judges right in 70% and 60%, independently given the label: the excess covers 0."""
    random = np.random.default_rng(8)
    labels = random.choice(["A", "B", "TIE"], 3000)
    others = {"A": ["B", "TIE"], "B": ["A", "TIE"], "TIE": ["A", "B"]}

    def judge(accuracy: float) -> list[str]:
        return [
            str(y) if random.random() < accuracy else str(random.choice(others[y])) for y in labels
        ]

    rows = [
        (t, s, str(y), i)
        for i, (t, s, y) in enumerate(zip(judge(0.7), judge(0.6), labels, strict=True))
    ]
    found = measured(rows, resamples=500)  # type: ignore[arg-type]
    assert found.excess.low < 0 < found.excess.high
    assert float(found.expected) == pytest.approx(0.2, abs=0.02)


def test_a_perfect_copy_repeats_everything() -> None:
    rows: Rows = [("A", "A", "A", 0), ("B", "B", "A", 1), ("A", "A", "B", 2), ("A", "A", "A", 3)]
    found = measured(rows)
    assert (found.value, float(found.corrected), float(found.kept)) == (1.0, 0.0, 1.0)
    assert float(found.repeated_of_all) == 1.0


def test_a_teacher_without_errors_has_a_reason() -> None:
    found = measured([("A", "A", "A", 0), ("B", "A", "B", 1)])
    assert found.value is None
    assert found.expected.undefined == found.excess.undefined == found.repeated.undefined
    assert found.repeated_of_all.undefined == "the teacher is right everywhere"
    assert float(found.kept) == 0.5
    assert measured([]).kept.undefined is not None
    with pytest.raises(DataError, match=r"labels\[0\] is None"):
        repeats_teacher_errors(["A"], ["A"], [None], "x", seed=1)  # type: ignore[list-item]


def test_an_unparsed_teacher_cannot_be_repeated() -> None:
    found = measured([(None, "A", "B", 0), ("A", "A", "B", 1)])
    assert (found.value, float(found.repeated_of_all)) == (1.0, 0.5)


@settings(deadline=None)
@given(rows_of, st.randoms(use_true_random=False))
def test_slots_and_row_order_do_not_matter(rows: Rows, random: object) -> None:
    other = [(swap_verdict(t), swap_verdict(s), str(swap_verdict(y)), c) for t, s, y, c in rows]
    random.shuffle(other)  # type: ignore[attr-defined]
    one, two = measured(rows), measured(other)  # type: ignore[arg-type]
    for name in NAMES:
        assert getattr(one, name).value == pytest.approx(getattr(two, name).value)
        assert getattr(one, name).n == getattr(two, name).n


@settings(deadline=None)
@given(rows_of)
def test_repeating_every_row_inside_its_cluster_changes_no_value_or_interval(rows: Rows) -> None:
    one, two = measured(rows), measured(rows + rows)
    for name in NAMES:
        first, second = getattr(one, name), getattr(two, name)
        assert (first.value, first.low, first.high) == pytest.approx(
            (second.value, second.low, second.high)
        )
    if one.value is not None:
        assert float(one.excess) == pytest.approx(one.value - float(one.expected))
        assert 0 <= float(one.repeated) + float(one.corrected) <= 1 + 1e-12


def test_bca_intervals_are_offered() -> None:
    random = np.random.default_rng(4)
    rows: Rows = [
        (*(str(v) for v in random.choice(["A", "B", "TIE"], 3)), i // 2)  # type: ignore[misc]
        for i in range(200)
    ]
    found = repeats_teacher_errors(
        [r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows], [r[3] for r in rows],
        seed=1, resamples=500, method="bca",
    )  # fmt: skip
    for name in NAMES:
        estimate = getattr(found, name)
        assert estimate.method == "BCa bootstrap over clusters"
        assert estimate.low < estimate.value < estimate.high
    assert found.excess.low < 0 < found.excess.high
