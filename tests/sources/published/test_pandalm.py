"""PandaLM's test set: verdicts by three people, against its own published counts."""

import json
from collections import Counter
from pathlib import Path

import pytest

from judgesmith.errors import DataError
from judgesmith.records import AnnotatorKind, Choice, Split, index_by_id
from judgesmith.sources import ImportedLabel
from judgesmith.sources.published import pandalm

ROW = {
    "idx": 0, "motivation_app": "Grammarly", "cmp_key": "bloom-7b_llama-7b",
    "instruction": "Make it short.", "input": "A long, long text.", "response1": "Short.",
    "response2": True, "annotator1": 2, "annotator2": 0, "annotator3": 1,
}  # fmt: skip


def written(tmp_path: Path, **changes: object) -> Path:
    path = tmp_path / "testset-v1.json"
    path.write_text(json.dumps([{**ROW, **changes}]))
    return path


def labels_of(path: Path) -> list[ImportedLabel]:
    questions = index_by_id(pandalm.read_questions(path))  # type: ignore[arg-type]
    responses = index_by_id(pandalm.read_responses(path, questions))  # type: ignore[arg-type]
    found = list(pandalm.read_labels(path, questions, responses))
    assert all(isinstance(one, ImportedLabel) for one in found)
    return [one for one in found if isinstance(one, ImportedLabel)]


def said(label: ImportedLabel) -> str:
    assert isinstance(label.verdict, Choice)
    return label.verdict.value


def test_one_row_is_a_test_item_with_three_labels_by_people(tmp_path: Path) -> None:
    path = written(tmp_path)
    (question,) = pandalm.read_questions(path)
    assert (question.text, question.context) == ("Make it short.", "A long, long text.")  # type: ignore[union-attr]
    questions = {question.id: question}  # type: ignore[union-attr]
    first, second = pandalm.read_responses(path, questions)  # type: ignore[arg-type]
    assert (first.model, second.model) == ("bloom-7b", "llama-7b")  # type: ignore[union-attr]
    assert second.text == "True"  # type: ignore[union-attr]
    (item,) = pandalm.read_items(path, questions, index_by_id([first, second]))  # type: ignore[arg-type,list-item]
    assert item.split is Split.TEST  # type: ignore[union-attr]
    labels = labels_of(path)
    assert [said(one) for one in labels] == ["B", "TIE", "A"]
    assert {one.annotator_kind for one in labels} == {AnnotatorKind.PERSON}
    assert len({one.annotator for one in labels}) == 3


def test_another_verdict_is_refused_with_its_place(tmp_path: Path) -> None:
    path = written(tmp_path, annotator2=3)
    with pytest.raises(DataError, match=r"annotator2.*expected 0 or 1 or 2, found '3'"):
        labels_of(path)


@pytest.mark.wide
def test_the_published_set_has_its_known_counts(shared_data: Path) -> None:
    """Majority of three: 105 ties, 422 for the first, 472 for the second; all agree in 88.0%."""
    labels = labels_of(shared_data / "pandalm/data")
    by_item: dict[tuple[str, ...], list[str]] = {}
    for one in labels:
        by_item.setdefault(one.response_ids, []).append(said(one))
    votes = [said(one) for one in labels]
    rows = [votes[i : i + 3] for i in range(0, len(votes), 3)]
    assert len(rows) == 999
    majority = Counter(Counter(row).most_common(1)[0][0] for row in rows)
    assert majority == {"TIE": 105, "A": 422, "B": 472}
    assert round(sum(len(set(row)) == 1 for row in rows) / len(rows), 3) == 0.880
