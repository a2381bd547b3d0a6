"""PandaLM's test set: verdicts by three people, against its own published counts."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from judgesmith.errors import DataError
from judgesmith.records import (
    AnnotatorKind,
    Choice,
    Item,
    Label,
    Question,
    Split,
    index_by_id,
)
from judgesmith.runs.layout import Header, RunDir
from judgesmith.sources import ImportedLabel
from judgesmith.sources.published import pandalm
from judgesmith.stages import items, labels, questions, responses, split
from judgesmith.stages.labels.people import verdicts_of

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


def test_most_of_the_three_people_decide_and_nobody_where_they_all_differ(tmp_path: Path) -> None:
    """Each person's verdict is a label of the run; one for all of them is formed of those.

    Row 0: 2, 2, 0, so the second. Row 1: 1, 1, 1, so the first. Row 2: 2, 0, 1, so none.
    """
    votes = [(2, 2, 0), (1, 1, 1), (2, 0, 1)]
    rows = [
        {**ROW, "input": f"Text {n}.", **dict(zip(pandalm.ANNOTATORS, said, strict=True))}
        for n, said in enumerate(votes)
    ]
    path = tmp_path / "testset-v1.json"
    path.write_text(json.dumps(rows))
    source = {"kind": "pandalm", "path": str(path)}
    run_dir = RunDir(tmp_path / "run", Header(name="t", task="general", seed=7))
    plan: dict[Any, dict[str, Any]] = {
        questions: {"sources": [source]}, responses: {"imports": [source]},
        items: {"imports": [source]}, split: {"level": "question"},
        labels: {"dialect": "judgelm", "imports": [source]},
    }  # fmt: skip
    for stage, config in plan.items():
        stage.run(stage.Config.model_validate(config), run_dir, lambda name: None)
    asked = {q.id: q.context for q in run_dir.read("questions/questions.jsonl", Question)}
    made = index_by_id(run_dir.read("split/items.jsonl", Item))
    assert {item.split for item in made.values()} == {Split.TEST}
    given = run_dir.read("labels/labels.jsonl", Label)
    assert Counter(one.annotator for one in given) == dict.fromkeys(
        [f"PandaLM {name}" for name in pandalm.ANNOTATORS], 3
    )
    decided = {asked[made[i].question_id]: v for i, v in verdicts_of(given).items()}
    assert decided == {"Text 0.": "B", "Text 1.": "A"}


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
