"""Prompt, chosen and rejected, as texts, as messages and as whole conversations."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from published_rows import write_lines

from judgesmith.errors import DataError
from judgesmith.records import AnnotatorKind
from judgesmith.sources import About
from judgesmith.sources.published import preferences as module

Read = Callable[..., SimpleNamespace]
ABOUT = About(annotator="crowd", annotator_kind=AnnotatorKind.PERSON, licence="MIT")


def turns(*texts: str) -> list[dict[str, str]]:
    return [
        {"role": "user" if i % 2 == 0 else "assistant", "content": text}
        for i, text in enumerate(texts)
    ]


PLAIN = {"prompt": "Why?", "chosen": "Because.", "rejected": "No."}
ULTRAFEEDBACK = {
    "prompt": "Why?", "chosen": turns("Why?", "Because."), "rejected": turns("Why?", "No."),
    "score_chosen": 8.5, "score_rejected": "4",
}  # fmt: skip
SKYWORK = {"chosen": turns("Hi", "Hello", "Why?", "Because."),
           "rejected": turns("Hi", "Hello", "Why?", "No."), "category": "chat"}  # fmt: skip
HH = {
    "chosen": "\n\nHuman: Hi\n\nAssistant: Hello\n\nHuman: Why?\n\nAssistant: Because.",
    "rejected": "\n\nHuman: Hi\n\nAssistant: Hello\n\nHuman: Why?\n\nAssistant: No.",
}
HH_PROMPT = {"prompt": "\n\nHuman: Hi\n\nAssistant: Hello\n\nHuman: Why?\n\nAssistant:",
             "chosen": " Because.", "rejected": " No."}  # fmt: skip


@pytest.mark.parametrize("row", [PLAIN, ULTRAFEEDBACK, SKYWORK, HH, HH_PROMPT])
def test_every_form_is_one_question_and_two_responses(
    row: dict[str, Any], read: Read, tmp_path: Path
) -> None:
    found = read(module, write_lines(tmp_path / "rows.jsonl", [row]), ABOUT)
    (question,) = found.questions.values()
    (label,) = found.labels
    assert (question.text, question.licence) == ("Why?", "MIT")
    earlier = "user: Hi\n\nassistant: Hello"
    assert question.context == (earlier if row in (SKYWORK, HH, HH_PROMPT) else None)
    named = {"A": 0, "B": 1}[label.verdict.value]
    texts = [found.responses[i].text.strip() for i in label.response_ids]
    assert (texts[named], texts[1 - named]) == ("Because.", "No.")
    assert label.annotator_kind is AnnotatorKind.PERSON
    ratings = {r.text: r.task.get("rating") for r in found.responses.values()}
    if row is ULTRAFEEDBACK:
        assert ratings == {"Because.": 8.5, "No.": 4.0}


def test_neither_slot_is_the_chosen_one_more_often(read: Read, tmp_path: Path) -> None:
    """Which side stands first follows from the ids, so a judge cannot learn the slot."""
    rows = [
        {"prompt": f"Why {n}?", "chosen": f"So {n}.", "rejected": f"No {n}."} for n in range(200)
    ]
    found = read(module, write_lines(tmp_path / "rows.jsonl", rows), ABOUT)
    assert 70 < sum(x.verdict.value == "A" for x in found.labels) < 130


def test_what_teaches_nothing_is_dropped(read: Read, tmp_path: Path) -> None:
    rows = [PLAIN, PLAIN | {"rejected": " "}, PLAIN | {"rejected": "Because."}]
    found = read(module, write_lines(tmp_path / "rows.jsonl", rows), ABOUT)
    assert found.lost["items"] == [module.EMPTY, module.SAME]


@pytest.mark.parametrize(
    ("row", "match"),
    [
        ({"prompt": "x", "chosen": "y"}, r":1: expected the field 'rejected'"),
        ({"prompt": "x", "chosen": 3, "rejected": "y"}, r"'chosen': expected a text, or a list"),
        ({"chosen": "y", "rejected": "z"}, r":1: expected a prompt, found none"),
        ({"chosen": turns("a", "b"), "rejected": turns("c", "d")}, "differ in the last message"),
        (PLAIN | {"score_chosen": "high"}, r"'score_chosen': expected a number"),
    ],
)
def test_a_bad_row_is_named(row: dict[str, Any], match: str, read: Read, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=match):
        read(module, write_lines(tmp_path / "rows.jsonl", [row]), ABOUT)


def test_who_preferred_is_asked_for_with_labels_only(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "rows.jsonl", [PLAIN])
    questions = {q.id: q for q in module.read_questions(path)}
    responses = {r.id: r for r in module.read_responses(path, questions)}
    assert len(responses) == 2
    with pytest.raises(DataError, match="does not say whose verdict"):
        list(module.read_labels(path, questions, responses))
