"""Feedback and Preference Collection, Feedback Bench, and the files that hold whole prompts."""

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from published_rows import LEVELS, STEPS, feedback, preference, prompt, write_lines

from judgesmith.errors import DataError
from judgesmith.records import AnnotatorKind, Kind, index_by_id
from judgesmith.sources import About, Dropped
from judgesmith.sources.published import feedback as absolute
from judgesmith.sources.published import preference_collection as relative
from judgesmith.sources.published.prompts import (
    END,
    INSTRUCTION,
    QUOTED,
    REFERENCE,
    RESPONSE,
    RUBRIC,
    take_apart,
)
from judgesmith.sources.published.prompts import LEVELS as LEVELS_UNCLEAR

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


def test_the_order_of_the_rows_does_not_matter(read: Read, tmp_path: Path) -> None:
    """An item's own order is that of neither row; a judgment keeps the order it was made in."""
    rows = [
        preference(flipped, orig_instruction=f"Explain {n}.")
        for n in range(40) for flipped in (False, True)
    ]  # fmt: skip
    one = read(relative, write_lines(tmp_path / "rows.jsonl", rows))
    two = read(relative, write_lines(tmp_path / "back.jsonl", rows[::-1]))
    assert (one.questions, one.responses) == (two.questions, two.responses)
    assert index_by_id(one.items) == index_by_id(two.items)
    nowhere = [{label._replace(where=None) for label in found.labels} for found in (one, two)]
    assert nowhere[0] == nowhere[1]
    best_first = sum(one.responses[x.response_ids[0]].text == "The moon pulls." for x in one.items)
    assert 20 < best_first < 60


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


def parts(text: str) -> Any:
    return take_apart(text, where="f:1", field="instruction")


def test_levels_in_another_order_are_put_in_theirs() -> None:
    """The fifth stands first; a level that is missing, or there twice, is not guessed."""
    backwards = "\n".join(f"Score {n}: {STEPS[n - 1]}" for n in (5, 3, 1, 2, 4))
    whole = prompt("The moon.")
    rubric = whole[whole.index("Score 1:") : whole.index("\n\n###Feedback")]
    assert parts(whole.replace(rubric, backwards)) == parts(whole)
    for wrong in (
        backwards.replace("Score 2", "Score 3"), backwards.replace("Score 5", "Score 6"),
        backwards.replace("Score 1", "Score 0"), rubric + "\nScore 5: Again.",
    ):  # fmt: skip
        assert parts(whole.replace(rubric, wrong)) == Dropped(LEVELS_UNCLEAR)


@pytest.mark.parametrize("reference", ["Pull of the moon.", None])
def test_what_a_text_quotes_is_no_heading_or_the_row_is_dropped(reference: str | None) -> None:
    """Each heading in a line of its own, or within one, in the response and in the instruction."""
    names = (INSTRUCTION, RESPONSE, REFERENCE, RUBRIC, END)
    for name in names:
        inline = f"The moon, not {name} as they say."
        assert parts(prompt(inline, reference=reference)).response == inline
        quoting = f"The moon.\n\n{name}\nno such thing\n\nThe end."
        found = parts(prompt(quoting, reference=reference))
        if name in (RESPONSE, REFERENCE):
            assert found == Dropped(QUOTED)
        else:
            assert (found.response, found.reference) == (quoting, reference)
        found = parts(prompt("The moon.", asked=quoting, reference=reference))
        if name in (RESPONSE, REFERENCE):
            assert found == Dropped(QUOTED)
        else:
            assert (found.instruction, found.response) == (quoting, "The moon.")
    for text in (prompt("The moon.", reference=reference), prompt("x", reference="Sun.")):
        assert parts(prompt(text, reference=reference)) == Dropped(QUOTED)
    assert parts(prompt("The moon.", reference=reference) + "Feedback: It is.") == Dropped(QUOTED)


@given(
    st.text("ab#: \nS[]", max_size=30), st.text("ab#: \nS[]", max_size=30),
    st.none() | st.text("ab#: \nS[]", min_size=1, max_size=30), st.permutations(range(1, 6)),
)  # fmt: skip
def test_what_a_prompt_was_filled_with_is_found_again(
    asked: str, response: str, reference: str | None, order: list[int]
) -> None:
    """But for line breaks at the end of a text, which the layout has too."""
    whole = prompt(response, asked=asked, reference=reference)
    named = dict(re.findall(r"\nScore (\d): (.*)", whole.rpartition(RUBRIC)[2]))
    start, end = whole.rindex("\nScore 1:"), whole.rindex("\n\n###Feedback")
    shuffled = "".join(f"\nScore {n}: {named[str(n)]}" for n in order)
    found = parts(whole[:start] + shuffled + whole[end:])
    assert found == (asked, response, reference, "Is it right?", STEPS)


def test_the_columns_are_read_where_both_are_there_and_must_agree(
    read: Read, tmp_path: Path
) -> None:
    """A prompt that quotes headings cannot be taken apart, but its columns say what is what."""
    quoting = "The moon.\n\n###Response to evaluate:\nanother"
    rows = [
        feedback(4), feedback(3, orig_response=quoting),
        feedback(2) | {"orig_response": "Another than in the prompt."},
        feedback(2) | {"orig_score2_description": "Another level."},
        feedback(1, instruction="a prompt of another layout"),
    ]  # fmt: skip
    found = read(absolute, write_lines(tmp_path / "rows.jsonl", rows))
    assert [x.verdict.values[0] for x in found.labels] == [4, 3, 1]
    assert found.responses[found.labels[1].response_ids[0]].text == quoting
    assert found.lost["items"] == found.lost["labels"] == [absolute.OTHER_PROMPT] * 2


def test_prompts_that_cannot_be_taken_apart_are_counted(read: Read, tmp_path: Path) -> None:
    good = {"instruction": prompt("Good."), "gpt4_score": 4}
    bad = {"instruction": prompt("No.\n###Response to evaluate:\n"), "gpt4_score": 1}
    found = read(absolute, write_lines(tmp_path / "a.jsonl", [bad, good]))
    assert (len(found.labels), found.lost["labels"]) == (1, [QUOTED])
    two = {"chosen_instruction": good["instruction"], "rejected_instruction": bad["instruction"]}
    both = {"chosen_instruction": prompt("Good."), "rejected_instruction": prompt("Bad.")}
    about = About(annotator="crowd", annotator_kind=AnnotatorKind.PERSON)
    found = read(relative, write_lines(tmp_path / "b.jsonl", [two, both]), about)
    assert (len(found.labels), found.lost["labels"]) == (1, [QUOTED])


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
