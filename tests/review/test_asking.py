"""How a verdict is asked for, of every kind of scale, and what was given."""

import pytest

from judgesmith.errors import DataError
from judgesmith.judging.scale import PAIR_SCALE, Scale
from judgesmith.records import Choice, Scores, choice
from judgesmith.review.asking import given_in, rows_of, verdict_in

TEN = Scale(low=1, high=10)


def keys(scale: Scale, letters: str = "AB") -> list[str | None]:
    return [one.key for one in rows_of(scale, letters, ())[0].values]


def test_a_pair_is_answered_by_its_letters() -> None:
    assert keys(PAIR_SCALE) == ["A", "B", "T"]
    assert keys(Scale(choices=("A", "B"))) == ["A", "B"]


def test_a_list_offers_only_the_responses_that_are_there() -> None:
    scale = Scale(choices=(*"ABCDEF", "TIE"))
    assert [one.value for one in rows_of(scale, "ABC", ())[0].values] == ["A", "B", "C", "TIE"]


def test_no_key_of_a_verdict_does_something_else() -> None:
    taken = set("QXSPUGRNJKL")
    letters = "ABCDEFGHIJKLMNOP"
    found = keys(Scale(choices=(*letters, "TIE")), letters)
    assert not taken & set(found)


@pytest.mark.parametrize(
    ("scale", "expected"),
    [
        (Scale(low=1, high=5), list("12345")),
        (TEN, [*"123456789", "0"]),
        (Scale(low=0, high=10), [*"1234567890", None]),
        (Scale(low=1, high=3, step=0.5), list("12345")),
        (Scale(choices=("good", "bad")), ["1", "2"]),
    ],
)
def test_scores_are_keys(scale: Scale, expected: list[str]) -> None:
    assert keys(scale, "A") == expected


def test_many_values_are_a_number() -> None:
    row = rows_of(Scale(low=0, high=100), "A", ())[0]
    assert (row.values, row.low, row.high, row.step) == ((), "0", "100", "1")


@pytest.mark.parametrize(
    ("scale", "letters", "criteria", "given"),
    [
        (PAIR_SCALE, "AB", (), {"verdict": "TIE"}),
        (TEN, "A", (), {"1": "7"}),
        (TEN, "AB", (), {"1": "7", "2": "10"}),
        (Scale(low=1, high=5, step=0.5), "A", (), {"1": "4.5"}),
        (TEN, "AB", ("x", "y"), {"1/x": "1", "2/x": "2", "1/y": "3", "2/y": "4"}),
    ],
)
def test_what_was_given_comes_back(
    scale: Scale, letters: str, criteria: tuple[str, ...], given: dict[str, str]
) -> None:
    rows = rows_of(scale, letters, criteria)
    assert given_in(verdict_in(given, rows, scale)) == given


def test_scores_by_criterion_keep_the_order_of_responses() -> None:
    rows = rows_of(TEN, "AB", ("x", "y"))
    verdict = verdict_in({"1/x": "1", "2/x": "2", "1/y": "3", "2/y": "4"}, rows, TEN)
    assert isinstance(verdict, Scores)
    assert verdict.criteria == {"x": (1.0, 2.0), "y": (3.0, 4.0)}
    assert verdict.values == (2.0, 3.0)


@pytest.mark.parametrize("given", [{}, {"verdict": "C"}, {"verdict": "A", "more": "B"}])
def test_what_is_not_on_the_scale_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(DataError, match="expected"):
        verdict_in(given, rows_of(PAIR_SCALE, "AB", ()), PAIR_SCALE)
    assert isinstance(choice("A"), Choice)
