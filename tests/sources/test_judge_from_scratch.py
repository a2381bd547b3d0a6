"""The published bias judge's files: their known counts, and nothing taken from its own columns."""

import json
from collections import Counter
from pathlib import Path

import pytest

from judgesmith.errors import DataError
from judgesmith.records import Question, Response, Split, index_by_id
from judgesmith.sources import judge_from_scratch
from judgesmith.sources.judge_from_scratch import (
    read_items,
    read_labels,
    read_questions,
    read_responses,
)
from judgesmith.tasks.bias import TASK


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    return shared_data / "judge_from_scratch"


@pytest.fixture(scope="module")
def questions(folder: Path) -> dict[str, Question]:
    return index_by_id(read_questions(folder))


@pytest.fixture(scope="module")
def responses(folder: Path, questions: dict[str, Question]) -> dict[str, Response]:
    return index_by_id(read_responses(folder, questions))


def test_the_known_counts(
    folder: Path, questions: dict[str, Question], responses: dict[str, Response]
) -> None:
    items = list(read_items(folder, questions, responses))
    labels = list(read_labels(folder, questions, responses))
    assert (len(questions), len(responses), len(items), len(labels)) == (3000, 2857, 2370, 300)
    assert len(index_by_id(items)) == 2370
    assert Counter(item.split for item in items) == {Split.TEST: 300, None: 2070}
    on_test = {frozenset(item.response_ids) for item in items if item.split is Split.TEST}
    assert {frozenset(label.response_ids) for label in labels} == on_test
    assert {label.direction.value for label in labels} == {"worse"}
    assert all(label.confidence is None or 0 < label.confidence <= 1 for label in labels)


def test_the_target_is_never_the_stored_column(
    folder: Path, questions: dict[str, Question], tmp_path: Path
) -> None:
    """Overwrite every stored target: the records and the derived targets stay the same."""
    raw = tmp_path / "data" / "raw"
    raw.mkdir(parents=True)
    lines = (folder / "data/raw/bbq_sample.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert all("target_label" in row for row in rows)
    for row in rows:
        row["target_label"] = 1
    (raw / "bbq_sample.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    planted = index_by_id(read_questions(tmp_path))
    assert planted == questions
    derived = Counter(TASK.annotate_question(q).task["target"] for q in planted.values())
    assert len(derived) == 4  # three places, and None where it cannot be decided


def test_the_stored_response_levels_are_not_read(
    folder: Path, questions: dict[str, Question], responses: dict[str, Response], tmp_path: Path
) -> None:
    pairs = tmp_path / "data" / "pairs"
    pairs.mkdir(parents=True)
    text = (folder / "data/pairs/pairs.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.splitlines()]
    for row in rows:
        for side in ("response_a", "response_b"):
            row[side]["suspected_bias_level"] = "planted"
    (pairs / "pairs.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert index_by_id(read_responses(tmp_path, questions)) == responses
    assert all(response.task == {} for response in responses.values())


def test_what_is_missing_is_named(folder: Path, questions: dict[str, Question]) -> None:
    with pytest.raises(DataError, match="needs a `path`"):
        list(read_questions(None))
    with pytest.raises(DataError, match=r"pairs\.jsonl:1: field 'question_id'.*questions\.sources"):
        list(read_responses(folder, {}))
    with pytest.raises(DataError, match=r"pairs\.jsonl:1: a response .*responses\.imports"):
        list(read_items(folder, questions, {}))


@pytest.mark.parametrize("verdict", ["C", "a", None])
def test_a_verdict_off_the_scale_is_refused(
    verdict: str | None, folder: Path, questions: dict[str, Question],
    responses: dict[str, Response], tmp_path: Path,
) -> None:  # fmt: skip
    pairs = tmp_path / "data" / "pairs"
    pairs.mkdir(parents=True)
    text = (folder / "data/pairs/eval_set_unlabeled.jsonl").read_text(encoding="utf-8")
    row = json.loads(text.splitlines()[0])
    row["human_verdict"] = verdict
    (pairs / "eval_set_unlabeled.jsonl").write_text(json.dumps(row), encoding="utf-8")
    with pytest.raises(DataError, match=r":1: field 'human_verdict': expected A, B or TIE"):
        list(read_labels(tmp_path, questions, responses))


def test_labels_are_the_verdicts_of_the_file(folder: Path, questions: dict[str, Question],
    responses: dict[str, Response],
) -> None:  # fmt: skip
    text = (folder / "data/pairs/eval_set_unlabeled.jsonl").read_text(encoding="utf-8")
    stored = [json.loads(line) for line in text.splitlines()]
    for row, label in zip(stored, read_labels(folder, questions, responses), strict=True):
        assert label.verdict.value == row["human_verdict"]
        shown = [responses[i].text for i in label.response_ids]
        assert shown == [row["response_a"]["text"], row["response_b"]["text"]]
    assert label.annotator == judge_from_scratch.ANNOTATOR
