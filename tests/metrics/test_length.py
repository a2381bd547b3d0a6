import pytest

from judgesmith.errors import DataError
from judgesmith.metrics import verbosity_preference, wilson


def test_by_hand() -> None:
    """Six items: equal lengths (out), unparsed (out), and four that count.

    Longer is A, A, B, B. The judge says A, B, B, TIE: 2 of 3. The labels say A, A, TIE, A:
    2 of 3 as well (their tie is another item). Difference 0 with n = 4.
    """
    found = verbosity_preference(
        ["A", None, "A", "B", "B", "TIE"],
        ["A", "A", "A", "A", "TIE", "A"],
        [(5, 5), (9, 1), (9, 1), (9, 1), (1, 9), (1, 9)],
        list("uvwxyz"),
        seed=1,
        resamples=500,
    )
    assert (found.items, found.unparsed, found.equal_length) == (4, 1, 1)
    assert (found.judge.value, found.judge.n) == (pytest.approx(2 / 3), 3)
    assert (found.labels.value, found.labels.n) == (pytest.approx(2 / 3), 3)
    assert (found.difference.value, found.difference.n) == (0.0, 4)
    assert found.difference.clusters == 4


def test_a_judge_equal_to_the_labels_has_no_preference_of_its_own() -> None:
    """The labels favour length, so the judge's share is high and the difference is nothing."""
    labels, lengths = ["A", "A", "B"] * 10, [(9, 1), (9, 1), (1, 9)] * 10
    found = verbosity_preference(labels, labels, lengths, range(30), seed=1, resamples=300)
    assert float(found.judge) == 1.0
    assert found.judge.low == pytest.approx(wilson(30, 30).low)
    assert (found.difference.value, found.difference.low) == (0.0, None)
    assert "nothing is known" in str(found.difference.no_interval)


def test_exchanging_the_slots_changes_nothing() -> None:
    judge, labels = list("ABAABB") * 4, list("ABBABA") * 4
    lengths = [(i % 7 + 1, i % 5 + 1) for i in range(24)]
    other = {"A": "B", "B": "A"}
    one = verbosity_preference(judge, labels, lengths, range(24), seed=1, resamples=200)
    two = verbosity_preference(
        [other[v] for v in judge],
        [other[v] for v in labels],
        [(b, a) for a, b in lengths],
        range(24),
        seed=1,
        resamples=200,
    )
    assert one == two


def test_undefined_when_nobody_names_a_response() -> None:
    found = verbosity_preference(["TIE"], ["A"], [(1, 2)], ["q"], seed=1, resamples=20)
    assert "no verdict names" in str(found.judge.undefined)
    assert "the first value is undefined" in str(found.difference.undefined)
    nothing = verbosity_preference([], [], [], [], seed=1, resamples=20)
    assert nothing.items == 0
    assert nothing.difference.value is None


def test_bad_input_is_named() -> None:
    with pytest.raises(DataError, match=r"lengths\[0\] is \(-1, 2\)"):
        verbosity_preference(["A"], ["A"], [(-1, 2)], ["q"], seed=1)
    with pytest.raises(DataError, match=r"labels\[0\] is None"):
        verbosity_preference(["A"], [None], [(1, 2)], ["q"], seed=1)
    with pytest.raises(DataError, match="two different labels"):
        verbosity_preference(["A"], ["A"], [(1, 2)], ["q"], slots=("A", "A"), seed=1)
