"""A user's own files: what each row may hold, and what is said where it does not."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from judgesmith.errors import DataError, RecipeError
from judgesmith.records import Direction, Finish, Kind, Question, Response, Scores, choice
from judgesmith.sources import LABEL_READERS, QUESTION_READERS, About, reader
from judgesmith.sources.own_files import read_labels, read_pairs, read_responses

ORIGIN = {"source": "t", "licence": "t"}


def question(group: str) -> Question:
    return Question.make(
        **ORIGIN, group_id=group, template_id=None, category=None, context=None, text="who?",
        choices=None, key=None, reference=None, grounding=None, task={},
    )  # fmt: skip


def response(of: Question, text: str) -> Response:
    return Response.make(
        **ORIGIN, question_id=of.id, model="m", sampling={}, text=text, finish=Finish.STOP, task={}
    )


ONE, TWO = question("g1"), question("g2")
QUESTIONS = {ONE.id: ONE, TWO.id: TWO}
A, B, ELSEWHERE = response(ONE, "a"), response(ONE, "b"), response(TWO, "c")
RESPONSES = {r.id: r for r in (A, B, ELSEWHERE)}
LABEL = {"responses": [A.id, B.id], "verdict": "A", "names": "worse", "annotator": "p1"}
PAIR = {"question": "who?", "response_a": "a", "response_b": "b"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "own.jsonl"


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def changed(row: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**row, **changes}.items() if value != "REMOVED"}


def test_responses_name_their_question_by_id_or_group(path: Path) -> None:
    rows = [
        {"question": ONE.id, "model": "m", "text": "x"},
        {"question": "g2", "model": "m", "text": "y", "finish": "length", "sampling": {"seed": 1}},
    ]
    first, second = read_responses(write(path, *rows), QUESTIONS)
    assert (first.question_id, first.finish, first.text) == (ONE.id, Finish.STOP, "x")
    assert (second.question_id, second.finish) == (TWO.id, Finish.LENGTH)
    assert first.source == "file own.jsonl"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"question": "g3", "model": "m", "text": "x"}, "field 'question': expected the id or"),
        ({"question": "g1", "model": "m"}, "field 'text' is missing"),
        ({"question": "g1", "model": "m", "text": "x", "txt": 1}, "did you mean 'text'?"),
        ({"question": "g1", "model": "m", "text": None}, "field 'text'"),
        ({"question": "g1", "model": "m", "text": "x", "finish": "eos"}, "field 'finish'"),
    ],
)
def test_a_bad_response_is_named(row: dict[str, Any], said: str, path: Path) -> None:
    write(path, {"question": "g1", "model": "m", "text": "fine"}, row)
    with pytest.raises(DataError) as caught:
        list(read_responses(path, QUESTIONS))
    assert str(caught.value).startswith(f"{path}:2: ")
    assert said in str(caught.value)


def test_a_label_says_what_its_letter_names(path: Path) -> None:
    (label,) = read_labels(write(path, {**LABEL, "names": "better"}), QUESTIONS, RESPONSES)
    assert (label.direction, label.verdict) == (Direction.BETTER, choice("A"))
    assert label.response_ids == (A.id, B.id)


@pytest.mark.parametrize("grade", [4, 3.5, 0])
def test_a_number_is_the_grade_of_one_response(grade: float, path: Path) -> None:
    write(path, {**LABEL, "responses": [A.id], "verdict": grade, "names": "better"})
    (label,) = read_labels(path, QUESTIONS, RESPONSES)
    assert label.verdict == Scores(kind="scores", values=(float(grade),), criteria=None)
    assert (label.response_ids, label.direction) == ((A.id,), Direction.BETTER)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"verdict": 4}, "field 'verdict': expected A, B or TIE, found 4.0"),
        ({"responses": [A.id], "verdict": "4"}, "or one with a number as `verdict`, its grade"),
        ({"responses": [A.id], "verdict": None}, "field 'verdict"),
        ({"verdict": "C"}, "field 'verdict': expected A, B or TIE, found 'C'"),
        ({"names": "REMOVED"}, "field 'names' is missing"),
        ({"names": "best"}, "field 'names': Input should be 'better' or 'worse'"),
        ({"annotator": "REMOVED"}, "field 'annotator' is missing"),
        ({"responses": [A.id, "nobody"]}, "expected ids of responses of this run, found 'nobody'"),
        ({"responses": [A.id]}, "expected two different responses to one question"),
        ({"responses": [A.id, A.id]}, "expected two different responses to one question"),
        ({"responses": [A.id, B.id, ELSEWHERE.id]}, "expected two different responses to one"),
        ({"responses": [A.id, ELSEWHERE.id]}, "which answer 2 question(s)"),
        ({"responses": []}, "expected two different responses to one question"),
        ({"confidence": 4}, "field 'confidence': Input should be less than or equal to 1"),
        ({"confidence": -0.5}, "field 'confidence'"),
    ],
)
def test_a_bad_label_is_named(changes: dict[str, Any], said: str, path: Path) -> None:
    write(path, LABEL, changed(LABEL, changes))
    with pytest.raises(DataError) as caught:
        list(read_labels(path, QUESTIONS, RESPONSES))
    assert str(caught.value).startswith(f"{path}:2: ")
    assert said in str(caught.value)


def test_pairs_become_records_without_a_split(path: Path) -> None:
    (first, second) = read_pairs(write(path, {**PAIR, "id": "p1", "context": "c"}, PAIR))
    row, asked, (a, b), item, where = first
    assert where == f"{path}:1"
    assert (row.id, asked.group_id, asked.context) == ("p1", "p1", "c")
    assert (a.text, b.text, item.response_ids) == ("a", "b", (a.id, b.id))
    assert item.split is None
    assert second[1].group_id == "own.jsonl:2"


def test_two_equal_responses_are_still_two(path: Path) -> None:
    ((_, _, (a, b), item, _),) = read_pairs(write(path, {**PAIR, "response_b": "a"}))
    assert a.id != b.id
    assert len(set(item.response_ids)) == 2


@pytest.mark.parametrize("field", ["question", "response_a", "response_b"])
def test_a_bad_pair_is_named(field: str, path: Path) -> None:
    write(path, PAIR, changed(PAIR, {field: "REMOVED"}))
    with pytest.raises(DataError, match=f":2: not a valid PairRow:\n  field '{field}' is missing"):
        list(read_pairs(path))


def test_a_pair_brings_what_its_judge_is_shown(path: Path) -> None:
    fields = {"criterion": "true?", "levels": ["no", "yes"]}
    write(path, {**PAIR, "grounding": "The handbook.", "reference": "5 days", "fields": fields})
    (pair,) = read_pairs(path)
    asked = pair.question
    assert (asked.grounding, asked.reference, asked.task) == ("The handbook.", "5 days", fields)


def test_one_response_may_stand_alone_for_a_judge_of_single_ones(path: Path) -> None:
    write(path, {"question": "who?", "response": "me"})
    ((_, asked, (only,), item, _),) = read_pairs(path, Kind.SINGLE)
    assert (only.text, only.question_id) == ("me", asked.id)
    assert (item.kind, item.response_ids) == (Kind.SINGLE, (only.id,))


@pytest.mark.parametrize(
    ("row", "alone", "said"),
    [
        ({"response": "x"}, False, "field 'response_a' is missing: this judge compares two"),
        ({"response_a": "x"}, False, "field 'response_b' is missing: this judge compares two"),
        ({"response_b": "x"}, True, "field 'response_a' is missing (or `response`, for one"),
        ({"response_a": "x"}, True, "field 'response_b' is missing (or `response`, for one"),
        ({}, True, "field 'response_a' is missing (or `response`, for one response alone)"),
        ({"response": "x", "response_a": "y"}, True, "field 'response': expected it alone"),
        ({**PAIR, "response": "x"}, True, "field 'response': expected it alone"),
        ({**PAIR, "fields": {"tone": {"a": 1}}}, False, "field 'fields.tone"),
    ],
)
def test_what_is_to_be_judged_must_be_clear(
    row: dict[str, Any], alone: bool, said: str, path: Path
) -> None:
    write(path, PAIR, {"question": "who?", **row})
    with pytest.raises(DataError) as caught:
        list(read_pairs(path, Kind.SINGLE if alone else Kind.PAIR))
    assert str(caught.value).startswith(f"{path}:2: ")
    assert said in str(caught.value)


def test_an_unknown_kind_of_source_names_the_known_ones() -> None:
    with pytest.raises(RecipeError, match="unknown kind 'bbc' of source; did you mean 'bbq'"):
        reader(QUESTION_READERS, "bbc")
    assert reader(LABEL_READERS, "file") is read_labels


@pytest.mark.parametrize("name", ["", "  "])
def test_a_label_is_somebody_s(name: str, path: Path) -> None:
    write(path, {**LABEL, "annotator": name})
    with pytest.raises(DataError, match=r"field 'annotator': .*at least 1 character"):
        list(read_labels(path, QUESTIONS, RESPONSES))
    with pytest.raises(ValidationError, match="at least 1 character"):
        About(annotator=name)


def test_responses_of_systems_are_said_to_be_for_another_command(path: Path) -> None:
    path.write_text('{"question": "Why?", "model": "m", "text": "So."}\n')
    with pytest.raises(DataError, match=rf"`judgesmith rank --judge JUDGE {path}` compares"):
        next(read_pairs(path))


def test_fields_of_the_user_s_own_are_left_out_and_near_names_are_mistakes(path: Path) -> None:
    row = {"question": "Why?", "response_a": "x", "response_b": "y", "model": "m", "user": {"n": 1}}
    path.write_text(json.dumps(row) + "\n")
    assert [entry.row.question for entry in read_pairs(path)] == ["Why?"]
    path.write_text(json.dumps({**row, "contxt": "c"}) + "\n")
    with pytest.raises(
        DataError, match="field 'contxt' is unknown; did you mean 'context'"
    ) as told:
        next(read_pairs(path))
    assert "field 'user'" not in str(told.value)
    del row["response_a"], row["response_b"]
    path.write_text(json.dumps({**row, "answer_a": "x", "answer_b": "y"}) + "\n")
    with pytest.raises(DataError, match="field 'answer_a' is unknown"):
        next(read_pairs(path))
