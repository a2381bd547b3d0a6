"""Values of a log's columns: choices and keys, and what no record can hold."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from judgesmith.sources.log_values import find_key, plain_text, read_choices, scalar
from judgesmith.sources.templates import RowProblem


@pytest.mark.parametrize(
    ("key", "keys", "place"),
    [
        (1, {}, 1), ("1", {}, 1), ("Bob", {}, 1), ("B", {"B": 1}, 1), (1, {"1": 0}, 0),
        (None, {}, None), ("", {}, None), (0.0, {}, 0),
    ],
)  # fmt: skip
def test_a_key_is_a_place_a_text_or_what_the_mapping_says(
    key: Any, keys: dict[str, int], place: int | None
) -> None:
    assert find_key(key, ["Ann", "Bob"], keys, "{k}") == place


@pytest.mark.parametrize(
    ("choices", "key", "keys", "said"),
    [
        (["Ann", "Bob"], 2, {}, "{k}: expected the right choice by its place from 0 or its text"),
        (["Ann", "Bob"], "C", {}, "found 'C'; the choices are 'Ann', 'Bob'. Say in `keys`"),
        (["Ann", "Bob"], "C", {"C": 2}, "found 'C'"),
        (["Ann", "Bob"], -1, {}, "found -1"),
        (["Ann", "Bob"], True, {}, "found True"),
        (["1", "0"], "1", {}, "found both a place and the text of another choice"),
        (["Ann", "Ann"], "Ann", {}, "found both a place"),
        (["Ann", "Bob"], [0], {}, "found [0]"),
    ],
)
def test_a_key_that_cannot_be_meant(
    choices: list[str], key: Any, keys: dict[str, int], said: str
) -> None:
    with pytest.raises(RowProblem) as caught:
        find_key(key, choices, keys, "{k}")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        (["Ann"], "{cs}: expected a text for each of at least two choices, found ['Ann']"),
        (["Ann", None], "at least two choices, found ['Ann', None]"),
        (["Ann", " "], "at least two choices, found ['Ann', ' ']"),
        ("Ann", "{cs}: expected a list, found 'Ann'. Where each element has a column"),
        ([["Ann"], "Bob"], "{cs}: expected text, found ['Ann']"),
    ],
)
def test_choices_that_cannot_be_meant(choices: Any, said: str) -> None:
    with pytest.raises(RowProblem) as caught:
        read_choices("{cs}")({"cs": choices})
    assert said in str(caught.value)


@pytest.mark.parametrize("choices", [None, []])
def test_no_choices_are_none(choices: Any) -> None:
    assert read_choices("{cs}")({"cs": choices}) is None
    assert read_choices(("{cs}", "{cs}"))({"cs": None}) is None


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [1], {"a": 1}, b"x", (1,), {1}])
def test_what_no_record_can_hold_is_refused(value: Any) -> None:
    for refuse in (scalar, plain_text):
        with pytest.raises(RowProblem, match=r"\{x\}: expected text"):
            refuse(value, "{x}")


def test_dates_and_decimals_are_texts_and_numbers_stay() -> None:
    assert scalar(datetime(2026, 3, 1), "") == "2026-03-01 00:00:00"
    assert scalar(Decimal("0.10"), "") == "0.10"
    assert [scalar(value, "") for value in (True, 1, 0.5, "x", None)] == [True, 1, 0.5, "x", None]
    assert [plain_text(value, "") for value in (True, 1.0, "x", None)] == ["true", "1", "x", None]
