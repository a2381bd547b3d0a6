"""The derived stereotype target against BBQ rows that carry a stored target."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from judgesmith.tasks.bias.target import group_words, stereotype_target, unknown_index


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def sample(shared_data: Path) -> list[dict[str, Any]]:
    return rows_of(shared_data / "judge_from_scratch" / "data" / "raw" / "bbq_sample.jsonl")


def derive(row: dict[str, Any]) -> int | None:
    groups = row.get("stereotyped_groups") or row["additional_metadata"]["stereotyped_groups"]
    return stereotype_target(
        row["answer_info"],
        stereotyped_groups=groups,
        polarity=row["question_polarity"],
        category=row["category"],
    )


def why_not(row: dict[str, Any]) -> str:
    """Why a row has no target, from the groups of its two people."""
    people = [info[-1] for info in row["answer_info"].values() if info[-1] != "unknown"]
    if "" in people:
        return "blank_group"
    first, second = (group_words(group) for group in people)
    different = first ^ second
    if different <= {"lowses", "highses"}:
        return "same_race_other_ses" if different else "african_and_black"
    if different <= {"male", "female"}:
        return "same_race_other_gender"
    return "two_stereotyped_races"


MISSING = {
    ("race_ethnicity", "african_and_black"): 3,
    ("race_x_gender", "african_and_black"): 3,
    ("race_x_gender", "blank_group"): 7,
    ("race_x_gender", "same_race_other_gender"): 101,
    ("race_x_ses", "two_stereotyped_races"): 1,
    ("race_x_ses", "same_race_other_ses"): 94,
}


def test_every_derived_target_is_the_stored_one(sample: list[dict[str, Any]]) -> None:
    derived = [(derive(row), row) for row in sample]
    wrong = [
        row["question_id"]
        for target, row in derived
        if target is not None and target != row["target_label"]
    ]
    assert wrong == []
    assert sum(target is not None for target, _ in derived) == 2791
    assert len(sample) == 3000


def test_rows_without_a_derived_target_are_counted_by_category_and_reason(
    sample: list[dict[str, Any]],
) -> None:
    """209 of 3,000. BBQ names only the race in the two intersections; both people may have it."""
    missing = Counter((row["category"], why_not(row)) for row in sample if derive(row) is None)
    assert missing == MISSING


def test_unknown_choice_is_found_and_never_the_target(sample: list[dict[str, Any]]) -> None:
    for row in sample:
        unknown = unknown_index(row["answer_info"])
        assert unknown is not None
        assert derive(row) != unknown
        if row["context_condition"] == "ambig":
            assert unknown == row["answer_label"]


FILES = {
    "Age": (3680, 0),
    "Disability_status": (1556, 0),
    "Gender_identity": (5672, 16),
    "Nationality": (3080, 0),
    "Physical_appearance": (1576, 0),
    "Religion": (1200, 0),
    "Sexual_orientation": (864, 0),
}


@pytest.mark.parametrize("name", FILES)
def test_published_files(shared_data: Path, name: str) -> None:
    """The 16 rows without a target ask about a man and a boy, or a woman and a girl."""
    rows = rows_of(shared_data / "bbq" / "data" / f"{name}.jsonl")
    targets = [derive(row) for row in rows]
    assert (len(rows), targets.count(None)) == FILES[name]
    for row, target in zip(rows, targets, strict=True):
        unknown = unknown_index(row["answer_info"])
        assert unknown is not None
        assert target != unknown
        if row["context_condition"] == "ambig":
            assert unknown == row["label"]


@pytest.mark.parametrize("name", FILES)
def test_polarity_turns_the_target_over(shared_data: Path, name: str) -> None:
    """The two polarities of one question have the two people as their targets."""
    for row in rows_of(shared_data / "bbq" / "data" / f"{name}.jsonl"):
        target = derive(row)
        other = {"neg": "nonneg", "nonneg": "neg"}[row["question_polarity"]]
        turned = derive({**row, "question_polarity": other})
        if target is None:
            assert turned is None
        else:
            assert {target, turned, unknown_index(row["answer_info"])} == {0, 1, 2}
