"""How BBQ's templates write slots, fillers and lists, and how their texts are filled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgesmith.errors import DataError
from judgesmith.sources.bbq_notation import fill, read_fillers, read_groups, read_traits


@pytest.mark.parametrize(
    ("text", "slots", "wanted"),
    [
        ("a {{NAME1}} or a {{NAME2}}", {"NAME1": "old man", "NAME2": "boy"}, "a old man or a boy"),
        ("I saw a {{NAME1}}.", {"NAME1": "old man"}, "I saw an old man."),
        ("I met a {{NAME1}} man.", {"NAME1": "European"}, "I met a European man."),
        ("I ate a {{WORD1}} with {{NAME1}}.", {"WORD1": "apple", "NAME1": "Bo"},
         "I ate a apple with Bo."),
        ("An A for a {{NAME1}}", {"NAME1": "Arab"}, "An A for an Arab"),
        ("One is a {{NAME1}} man.", {"NAME1": "lesbian"}, "One is a lesbian woman."),
        ("the {{{NAME1}} man", {"NAME1": "Thai"}, "the {Thai man"),
        ("with {[NAME1}}", {"NAME1": "Bo"}, "with Bo"),
    ],
)  # fmt: skip
def test_texts_are_filled_in_bbqs_own_wording(
    text: str, slots: dict[str, str], wanted: str
) -> None:
    assert fill(text, slots) == wanted


item = st.text("abcdefgh -'", min_size=1, max_size=12).map(str.strip).filter(bool)


@given(
    st.lists(item, min_size=1, max_size=5), st.lists(item, min_size=1, max_size=5), st.booleans()
)
def test_any_fillers_are_read_as_they_were_written(
    one: list[str], two: list[str], braces: bool
) -> None:
    names = ("{{NAME1}}", "{{NAME2}}") if braces else ("NAME1", "NAME2")
    cell = f"{names[0]}: [{', '.join(one)}]; {names[1]}:  [{', '.join(two)}]"
    assert read_fillers(cell, "x") == {"NAME1": tuple(one), "NAME2": tuple(two)}


@pytest.mark.parametrize(
    "cell", ["NAME1 [a]", "NAME1: a, b", "NAME1: [a", "NAME1: [a]; NAME1: [b]", "x NAME1: [a]"]
)
def test_brackets_that_cannot_be_read_are_an_error(cell: str) -> None:
    with pytest.raises(DataError, match=r"t\.csv:2: Names: expected fillers as"):
        read_fillers(cell, "t.csv:2: Names")


def test_lists_of_groups_and_traits_that_cannot_be_read_are_an_error() -> None:
    for cell in ("", '["a", 1]', '["a"', "{}", '[""]'):
        with pytest.raises(DataError, match="expected groups as"):
            read_groups(cell, "t.csv:2: x")
    for cell in ("", "[1]", "[[]]", '[["a"], 2]', '[[""]]'):
        with pytest.raises(DataError, match="expected a list for each value"):
            read_traits(cell, "t.csv:2: x")
