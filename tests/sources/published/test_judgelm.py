"""JudgeLM's schema: two conditions, scores that must agree with their text, and its errors."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from published_rows import judgelm, write_lines

from judgesmith.errors import DataError
from judgesmith.records import AnnotatorKind, Kind, Split
from judgesmith.sources import About
from judgesmith.sources.published import judgelm as module

Read = Callable[..., SimpleNamespace]


def test_a_row_is_a_pair_with_two_judgments(read: Read, tmp_path: Path) -> None:
    found = read(module, write_lines(tmp_path / "judgelm_train_100k.jsonl", [judgelm(1)]))
    (question,) = found.questions.values()
    (item,) = found.items
    assert (question.text, question.reference) == ("\nWhat is 1 + 1?", "2")
    assert (item.kind, item.split, item.question_id) == (Kind.PAIR, None, question.id)
    shown = [found.responses[i] for i in item.response_ids]
    assert [(r.model, r.text) for r in shown] == [
        ("llama", "It is many."), ("vicuna", "It is 2."),
    ]  # fmt: skip
    assert shown[0].sampling == {"decoding_method": "top_p_sampling"}
    bare, supported = found.labels
    assert (bare.dialect, bare.verdict.values) == ("judgelm", (2.0, 9.0))
    assert (supported.dialect, supported.verdict.values) == ("judgelm-reference", (1.0, 10.0))
    assert bare.rationale == "Assistant 1's answer is vague, Assistant 2 gives the sum."
    assert bare.annotator_kind is AnnotatorKind.MODEL
    assert bare.response_ids == item.response_ids
    assert "CC-BY-NC-4.0" in question.licence
    assert "OpenAI" in bare.licence


def test_what_the_set_marks_or_contradicts_is_dropped_with_its_reason(
    read: Read, tmp_path: Path
) -> None:
    """The word error drops the row; a text with other scores than the column loses its judgment."""
    rows = [
        judgelm(1),
        judgelm(2, text="error"),
        judgelm(3, text="9 2\nAssistant 1 wins."),
        judgelm(4, text="Assistant 1: 2, Assistant 2: 9\nSo."),
        judgelm(5, text_w_reference="error", score_w_reference=[-1, -1]),
        judgelm(6, answer2_body="It is many.", answer2_model_id="llama"),
    ]
    found = read(module, write_lines(tmp_path / "rows.jsonl", rows))
    assert len(found.questions) == 5
    assert found.lost["questions"] == [module.ERROR]
    assert found.lost["items"] == [module.ERROR, "both responses are the same"]
    assert found.lost["labels"] == [
        module.ERROR, module.OTHER_SCORES, module.NO_SCORES, module.ERROR,
    ]  # fmt: skip
    assert len(found.labels) == 2 * 5 - 3


def test_a_sample_of_questions_leaves_the_other_rows_out(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "rows.jsonl", [judgelm(n) for n in range(5)])
    questions = list(module.read_questions(path))
    known = {questions[3].id: questions[3]}
    responses = list(module.read_responses(path, known))
    assert [getattr(r, "question_id", None) for r in responses].count(questions[3].id) == 2
    assert len(responses) == 4 + 2
    with pytest.raises(DataError, match=r"add the same source \(kind judgelm\)"):
        list(module.read_responses(path, {}))
    with pytest.raises(DataError, match=r"rows\.jsonl:4: a response of this row .*imports"):
        list(module.read_items(path, known, {}))


def test_the_validation_answers_join_their_judgments_and_are_on_test(
    read: Read, tmp_path: Path
) -> None:
    """The published files: answers, judgments without and with references, references."""
    ids = (1, 2)
    keep = {"question_id", "question_body"} | {
        f"answer{n}_{p}" for n in (1, 2) for p in ("body", "model_id", "metadata")
    }
    answers = [{k: v for k, v in judgelm(n).items() if k in keep} for n in ids]
    noted = [a | {"score": [{"logprobs": -7.0}, {"logprobs": -8.0}]} for a in answers]
    write_lines(tmp_path / "judgelm_train_100k.jsonl", [judgelm(7)])
    write_lines(tmp_path / module.VALIDATION, noted)
    for column, name in (("text", "text"), ("text_w_reference", "text")):
        rows = [{"question_id": n, name: judgelm(n)[column]} for n in ids]
        write_lines(tmp_path / module.BESIDE[column], rows)
    references = [{"question_id": n, "reference": judgelm(n)["reference"]} for n in ids]
    write_lines(tmp_path / module.BESIDE["reference"], references)
    found = read(module, tmp_path)
    assert [item.split for item in found.items] == [None, Split.TEST, Split.TEST]
    assert [x.dialect for x in found.labels] == ["judgelm", "judgelm-reference"] * 3
    assert {q.reference for q in found.questions.values()} == {"8", "2", "3"}
    only = read(module, tmp_path / module.VALIDATION)
    assert [item.split for item in only.items] == [Split.TEST, Split.TEST]
    write_lines(tmp_path / module.BESIDE["reference"], references[::-1])
    with pytest.raises(DataError, match=r"references\.jsonl:1: field 'question_id': expected 1"):
        read(module, tmp_path / module.VALIDATION)
    write_lines(tmp_path / module.BESIDE["reference"], references[:1])
    with pytest.raises(DataError, match=r"references\.jsonl: expected a row for each row of"):
        read(module, tmp_path / module.VALIDATION)


def test_several_answers_are_a_list(read: Read, tmp_path: Path) -> None:
    row = judgelm(
        1, answer3_body="Three.", answer3_model_id="gt", score=[1, 2, 3], text="1 2 3\nSo.",
        text_w_reference=None, score_w_reference=None,
    )  # fmt: skip
    found = read(module, write_lines(tmp_path / "rows.jsonl", [row]))
    assert [(i.kind, len(i.response_ids)) for i in found.items] == [(Kind.LIST, 3)]
    assert [(x.dialect, x.verdict.values) for x in found.labels] == [
        ("judgelm-list", (1.0, 2.0, 3.0))
    ]


def test_packed_files_and_own_terms(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(judgelm(1)).encode()))
    about = About(licence="internal", annotator="our gpt-4", annotator_kind="person")
    found = read(module, path, about)
    assert {q.licence for q in found.questions.values()} == {"internal"}
    assert {(x.annotator, x.annotator_kind.value) for x in found.labels} == {
        ("our gpt-4", "person")
    }


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    row = judgelm(1)
    del row["question_body"]
    path = write_lines(tmp_path / "rows.jsonl", [judgelm(2), row])
    with pytest.raises(DataError, match=r"rows\.jsonl:2: .*\n.*'question_body' is missing"):
        list(module.read_questions(path))
    with pytest.raises(DataError, match="needs a `path`"):
        list(module.read_questions(None))
