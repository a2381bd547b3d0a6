"""BBQ's published files, all of them, and what is said about a row that is not BBQ's."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from judgesmith.errors import DataError
from judgesmith.records import Question
from judgesmith.sources.bbq import read_questions
from judgesmith.tasks.bias import TASK

ROW: dict[str, Any] = {
    "example_id": 0, "question_index": "1", "question_polarity": "neg",
    "context_condition": "ambig", "category": "Age",
    "answer_info": {"ans0": ["old man", "old"], "ans1": ["boy", "young"], "ans2": ["?", "unknown"]},
    "additional_metadata": {"subcategory": "None", "stereotyped_groups": ["old"]},
    "context": "Two people met.", "question": "Who forgot?", "ans0": "The old man",
    "ans1": "The boy", "ans2": "Unknown", "label": 2,
}  # fmt: skip


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_a_row_becomes_a_question(tmp_path: Path) -> None:
    (found,) = read_questions(write(tmp_path / "Age.jsonl", ROW))
    assert (found.group_id, found.template_id) == ("bbq/age::1::0::neg", "bbq/age::1")
    assert (found.key, found.choices) == (2, ("The old man", "The boy", "Unknown"))
    annotated = TASK.annotate_question(found)
    assert (annotated.task["target"], annotated.task["unknown"]) == (0, 2)
    assert annotated.id == found.id


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"label": 3}, "label"),
        ({"label": "2"}, "label"),
        ({"context_condition": "ambiguous"}, "context_condition"),
        ({"question_polarity": "negative"}, "question_polarity"),
        ({"answer_info": {"ans0": ["x", "old"]}}, "answer_info.ans1"),
        ({"additional_metadata": {}}, "additional_metadata.stereotyped_groups"),
        ({"ans3": "more"}, "ans3"),
    ],
)
def test_a_row_that_is_not_bbqs_is_named(
    changes: dict[str, Any], field: str, tmp_path: Path
) -> None:
    path = write(tmp_path / "Age.jsonl", ROW, {**ROW, **changes})
    with pytest.raises(DataError) as caught:
        list(read_questions(path))
    assert str(caught.value).startswith(f"{path}:2: not a valid BbqRow:")
    assert f"field {field!r}" in str(caught.value)


def test_a_path_is_needed_and_a_folder_must_hold_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="needs a `path`"):
        list(read_questions(None))
    with pytest.raises(DataError, match="found none in this folder"):
        list(read_questions(tmp_path))
    write(tmp_path / "Age.jsonl.partial", ROW)
    with pytest.raises(DataError, match="found none in this folder"):
        list(read_questions(tmp_path))


@pytest.fixture(scope="module")
def published(shared_data: Path) -> list[Question]:
    return list(read_questions(shared_data / "bbq" / "data"))


def test_every_published_file_is_read_whole(published: list[Question], shared_data: Path) -> None:
    """One question a line, all ids different, four equal cells in each file."""
    counts = Counter(q.category for q in published)
    lines = {
        path.stem.lower(): path.read_bytes().count(b"\n")
        for path in (shared_data / "bbq" / "data").glob("*.jsonl")
    }
    assert counts == lines
    assert len({q.id for q in published}) == len(published)
    cells = Counter((q.category, q.task["condition"], q.task["polarity"]) for q in published)
    assert all(cell * 4 == counts[category] for (category, *_), cell in cells.items())


def test_the_key_of_a_published_question_fits_its_context(published: list[Question]) -> None:
    for q in published:
        assert q.key is not None
        unknown = q.task["groups"][q.key] == "unknown"
        assert unknown == (q.task["condition"] == "ambig")


def test_the_published_judge_sampled_the_same_questions(
    published: list[Question], shared_data: Path
) -> None:
    """A question read from either place is one record, so that shared ones can be found."""
    from judgesmith.sources.judge_from_scratch import read_questions as read_sample

    by_group = {q.group_id: q for q in published}
    both = [q for q in read_sample(shared_data / "judge_from_scratch") if q.group_id in by_group]
    assert len(both) > 1000
    assert [q for q in both if q.id != by_group[q.group_id].id] == []
    assert [q for q in both if q.key != by_group[q.group_id].key] == []
