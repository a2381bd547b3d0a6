"""Feedback and Preference Collection, Feedback Bench, and the files that hold whole prompts."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from published_rows import LEVELS, feedback, preference, prompt, write_lines

from judgesmith.errors import DataError
from judgesmith.records import AnnotatorKind, Kind
from judgesmith.sources import About
from judgesmith.sources.published import feedback as absolute
from judgesmith.sources.published import preference_collection as relative

Read = Callable[..., SimpleNamespace]


@pytest.mark.parametrize("score", [4, "4", 4.0])
def test_a_feedback_row(read: Read, tmp_path: Path, score: int | str) -> None:
    found = read(absolute, write_lines(tmp_path / "rows.jsonl", [feedback(score)]))
    (question,) = found.questions.values()
    assert question.task == {
        "criterion": "Is the explanation right?", "levels": list(LEVELS.values()),
    }  # fmt: skip
    assert question.reference == "The moon and the sun pull at the sea."
    (item,) = found.items
    (label,) = found.labels
    assert (item.kind, item.response_ids) == (Kind.SINGLE, label.response_ids)
    assert (label.verdict.values, label.dialect) == ((4.0,), "prometheus-absolute-reference")
    assert label.rationale == f"The response is right in {score} ways."
    assert "OpenAI" in label.licence


def test_without_a_reference_the_condition_is_another(read: Read, tmp_path: Path) -> None:
    row = feedback(orig_reference_answer="", orig_feedback=None)
    (label,) = read(absolute, write_lines(tmp_path / "rows.jsonl", [row])).labels
    assert (label.dialect, label.rationale) == ("prometheus-absolute", None)


def test_both_orders_of_a_pair_are_one_item(read: Read, tmp_path: Path) -> None:
    rows = [preference(), preference(flipped=True)]
    found = read(relative, write_lines(tmp_path / "rows.jsonl", rows))
    assert len({item.id for item in found.items}) == 1
    one, two = found.labels
    assert one.response_ids == two.response_ids[::-1]
    assert (one.verdict.value, two.verdict.value) == ("A", "B")
    assert {one.dialect, two.dialect} == {"prometheus-relative-reference"}
    assert (one.rationale or "").startswith("Response A names")


def test_one_instruction_in_both_sets_is_one_group_and_one_template(
    read: Read, tmp_path: Path
) -> None:
    """A split of both sets together must not part it; another rubric is another question."""
    one = read(absolute, write_lines(tmp_path / "a.jsonl", [
        feedback(), feedback(orig_criteria="Is it kind?"),
    ]))  # fmt: skip
    two = read(relative, write_lines(tmp_path / "b.jsonl", [preference()]))
    first, kind = one.questions.values()
    (other,) = two.questions.values()
    assert first.group_id == kind.group_id == other.group_id
    assert first.template_id == other.template_id != kind.template_id
    assert len({first.id, kind.id, other.id}) == 3
    assert {r.question_id for r in one.responses.values()} == {first.id, kind.id}


def test_whole_prompts_with_several_scores_and_people(read: Read, tmp_path: Path) -> None:
    quoting = "The moon.\n\n###Score Rubrics:\nnot the real one"
    row = {
        "instruction": prompt(quoting), "response_source": "m", "gpt4_score": [3, "4"],
        "gpt4_feedback": ["So.", "Well."], "human_score": [2],
    }  # fmt: skip
    found = read(absolute, write_lines(tmp_path / "rows.jsonl", [row]))
    (question,) = found.questions.values()
    (response,) = found.responses.values()
    assert (question.text, question.reference) == ("Explain tides.", "Pull of the moon.")
    assert question.task["criterion"] == "Is it right?"
    assert question.task["levels"] == [f"Level {n}." for n in range(1, 6)]
    assert (response.text, response.model) == (quoting, "m")
    assert [(x.verdict.values[0], x.rationale, x.annotator_kind) for x in found.labels] == [
        (3.0, "So.", AnnotatorKind.MODEL),
        (4.0, "Well.", AnnotatorKind.MODEL),
        (2.0, None, AnnotatorKind.PERSON),
    ]


def test_chosen_and_rejected_prompts_need_somebody_who_chose(read: Read, tmp_path: Path) -> None:
    rows = [
        {"chosen_instruction": prompt("Good."), "rejected_instruction": prompt("Bad."), "tie": 0},
        {"chosen_instruction": prompt("Fair."), "rejected_instruction": prompt("Even."), "tie": 1},
    ]
    path = write_lines(tmp_path / "rows.jsonl", rows)
    with pytest.raises(DataError, match=r"rows\.jsonl:1: .*`about: \{annotator"):
        read(relative, path)
    found = read(relative, path, About(annotator="crowd", annotator_kind=AnnotatorKind.PERSON))
    better, tie = found.labels
    named = {"A": 0, "B": 1}[better.verdict.value]
    assert found.responses[better.response_ids[named]].text == "Good."
    assert tie.verdict.value == "TIE"
    other = rows[0] | {"rejected_instruction": prompt("Bad.", reference=None)}
    with pytest.raises(DataError, match="differ in the response alone"):
        read(relative, write_lines(path, [other]))


@pytest.mark.parametrize(
    ("module", "row", "match"),
    [
        (absolute, feedback(orig_score="good"), r":1: field 'orig_score': expected a number"),
        (absolute, {"question": "x"}, r":1: expected the field 'orig_instruction'"),
        (absolute, {"instruction": "x", "gpt4_score": 3}, r"headings '###The instruction"),
        (relative, preference(orig_preference="C"), r"'orig_preference': expected A or B"),
        (relative, {"question": "x"}, r":1: expected the field 'orig_instruction'"),
    ],
)
def test_a_bad_row_is_named(
    module: object, row: dict[str, object], match: str, read: Read, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=match):
        read(module, write_lines(tmp_path / "rows.jsonl", [row]))
