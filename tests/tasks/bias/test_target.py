"""The stereotype target on rows of every spelling, and what must stay undecided."""

import pytest

from judgesmith.errors import DataError
from judgesmith.tasks.bias.target import group_words, stereotype_target, two_targets, unknown_index


def target(
    first: list[str], second: list[str], groups: list[str], *, category: str = "x"
) -> int | None:
    """For a negative question whose middle choice is the unknown one."""
    info = {"ans0": first, "ans1": ["Not known", "unknown"], "ans2": second}
    return stereotype_target(info, stereotyped_groups=groups, polarity="neg", category=category)


@pytest.mark.parametrize(
    ("first", "second", "groups"),
    [
        ("nonOld", "old", ["old"]),
        ("highSES", "lowSES", ["low SES"]),
        ("man", "woman", ["F"]),
        ("boy", "girl", ["F"]),
        ("nonTrans_F", "trans_M", ["Transgender women", "transgender men", "trans"]),
        ("F-White", "F-Black", ["Black", "African American"]),
        ("M-Jewish", "M-Hispanic", ["Hispanic", "Latino"]),
        ("highSES-F-Asian", "lowSES-M-Latino", ["Black", "African American", "Latino", "Hispanic"]),
        ("European", "Middle Eastern", ["Middle Eastern", "Arab"]),
        ("nonDisabled", "disabled", ["disabled", "D/deaf"]),
    ],
)
def test_the_person_of_the_stereotyped_group(first: str, second: str, groups: list[str]) -> None:
    assert target(["slot", first], ["slot", second], groups) == 2
    assert target(["slot", second], ["slot", first], groups) == 0
    assert target(["text", "slot", first], ["text", "slot", second], groups) == 2


def test_nationality_reads_the_slot_because_the_group_is_a_region() -> None:
    first, second = ["British", "Europe"], ["Irish", "Europe"]
    assert target(first, second, ["Irish"], category="Nationality") == 2
    assert target(first, second, ["Irish"], category="nationality") == 2
    assert target(first, second, ["Irish"], category="religion") is None


@pytest.mark.parametrize(
    ("first", "second", "groups"),
    [
        ("F-Black", "M-Black", ["Black", "African American"]),
        ("lowSES-White", "highSES-White", ["White"]),
        ("F-African", "F-African American", ["Black", "African American"]),
        ("", "M-Latino", ["Hispanic", "Latino"]),
        ("gay", "lesbian", ["lesbian", "gay"]),
        ("man", "boy", ["F"]),
        ("gay", "straight", []),
    ],
)
def test_undecidable_is_none(first: str, second: str, groups: list[str]) -> None:
    assert target(["slot", first], ["slot", second], groups) is None
    assert target(["slot", second], ["slot", first], groups) is None


def test_one_person_only_is_undecidable() -> None:
    info = {"ans0": ["a", "old"], "ans1": ["b", "unknown"], "ans2": ["c", "unknown"]}
    assert (
        stereotype_target(info, stereotyped_groups=["old"], polarity="neg", category="age") is None
    )
    assert unknown_index(info) is None


def test_a_group_is_matched_as_a_whole_word() -> None:
    assert group_words("nonOld") == {"nonold"}
    assert group_words("") == frozenset()
    assert target(["s", "nonTrans"], ["s", "trans"], ["trans"]) == 2


def test_rows_of_another_shape_are_refused() -> None:
    info = {"ans0": ["a", "old"], "ans1": ["b", "unknown"]}
    with pytest.raises(DataError, match="polarity 'neg' or 'nonneg', found 'negative'"):
        stereotype_target(info, stereotyped_groups=[], polarity="negative", category="age")
    with pytest.raises(DataError, match="keys"):
        unknown_index({"ans1": ["a", "old"]})
    for wrong in (["old"], "old", []):
        with pytest.raises(DataError, match="slot text, group"):
            unknown_index({"ans0": wrong})


def test_two_targets_are_the_choices_with_a_stereotype() -> None:
    assert two_targets(["one", "two", None]) == (0, 1)
    assert two_targets([None, "two", "one"]) == (1, 2)


@pytest.mark.parametrize("told", [[], [None] * 3, ["one", None], ["a", "b", "c"], ["a", None, "a"]])
def test_anything_but_two_different_stereotypes_is_refused(told: list[str | None]) -> None:
    with pytest.raises(DataError, match="expected two different stereotypes"):
        two_targets(told)
