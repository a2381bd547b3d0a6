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


SYSTEM = {"role": "system", "content": "Be brief."}
EARLIER = "user: Hi\n\nassistant: Hello"


@pytest.mark.parametrize(
    ("row", "text", "context"),
    [
        # What is said beside the prompt, in the columns of common sets.
        (PLAIN | {"system": "Be brief."}, "Why?", "system: Be brief."),
        (
            {"instruction": "Make it short.", "input": "A long text."},
            "Make it short.", "A long text.",
        ),
        (
            {"instruction": "Make it short.", "input": "A long text.", "system": "Be brief."},
            "Make it short.", "system: Be brief.\n\ninput: A long text.",
        ),
        ({"system_prompt": "Be brief.", "input": "Why?"}, "Why?", "system: Be brief."),
        ({"prompt": "Why?", "input": "Why? ", "instruction": "Why?"}, "Why?", None),
        # Whole conversations, with a prompt that is one of their turns or all of them.
        (SKYWORK | {"prompt": "Hi"}, "Why?", EARLIER),
        (SKYWORK | {"prompt": "Why?", "history": [["Hi", "Hello"]]}, "Why?", EARLIER),
        (SKYWORK | {"prompt": turns("Hi", "Hello", "Why?")}, "Why?", EARLIER),
        (SKYWORK | {"prompt": "<user> Hi <bot> Hello <user> Why? <bot>"}, "Why?", EARLIER),
        (HH | {"prompt": HH_PROMPT["prompt"]}, "Why?", EARLIER),
        (
            {"chosen": [SYSTEM, *turns("Why?", "Because.")],
             "rejected": [SYSTEM, *turns("Why?", "No.")], "prompt": "Why?", "system": "Be brief."},
            "Why?", "system: Be brief.",
        ),
        # The prompt as messages, and responses that go on from there.
        (
            {"prompt": [SYSTEM, *turns("Hi", "Hello", "Why?")],
             "chosen": [{"role": "assistant", "content": "Because."}],
             "rejected": {"role": "assistant", "content": "No."}},
            "Why?", f"system: Be brief.\n\n{EARLIER}",
        ),
        (
            {"prompt": "Hi", "chosen": turns("Hi", "Hello", "Why?", "Because.")[1:],
             "rejected": turns("Hi", "Hello", "Why?", "No.")[1:]},
            "Why?", EARLIER,
        ),
        (
            {"system": "Be brief.", "conversations": [
                {"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"},
                {"from": "human", "value": "Why?"}],
             "chosen": {"from": "gpt", "value": "Because."},
             "rejected": {"from": "gpt", "value": "No."}},
            "Why?", f"system: Be brief.\n\n{EARLIER}",
        ),
        # A response that quotes turns is one response.
        ({"prompt": "Why?", "chosen": "Because.\n\nHuman: Oh."}, "Why?", None),
    ],
)  # fmt: skip
def test_all_that_was_said_before_is_the_question(
    row: dict[str, Any], text: str, context: str | None, read: Read, tmp_path: Path
) -> None:
    row = {"chosen": "Because.", "rejected": "No."} | row
    found = read(module, write_lines(tmp_path / "rows.jsonl", [row]), ABOUT)
    (question,) = found.questions.values()
    assert (question.text, question.context) == (text, context)
    chosen = "Because.\n\nHuman: Oh." if "Oh" in str(row["chosen"]) else "Because."
    assert {r.text.strip() for r in found.responses.values()} == {chosen, "No."}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"chosen": turns("a", "b"), "rejected": turns("c", "d")}, module.APART),
        ({"chosen": turns("a", "b", "c", "d"), "rejected": turns("a", "d")}, module.APART),
        ({"chosen": turns("a", "b", "c"), "rejected": turns("a", "b", "d")}, module.NO_RESPONSE),
        (
            {"chosen": "\n\nHuman: a\n\nAssistant: b\n\nHuman: c",
             "rejected": "\n\nHuman: a\n\nAssistant: b\n\nHuman: d"}, module.NO_RESPONSE,
        ),
        ({"prompt": turns("a", "b"), "chosen": "c", "rejected": "d"}, module.NO_QUESTION),
        ({"prompt": [SYSTEM], "chosen": "c", "rejected": "d"}, module.NO_QUESTION),
        (SKYWORK | {"prompt": "Who?"}, module.OTHER_PROMPT),
        (SKYWORK | {"prompt": turns("Hi", "Hello", "Who?")}, module.OTHER_PROMPT),
        (
            {"prompt": [SYSTEM, *turns("Why?")], "system": "Be long.", "chosen": "c",
             "rejected": "d"}, module.OTHER_SYSTEM,
        ),
    ],
)  # fmt: skip
def test_a_row_that_is_not_clear_is_dropped_by_its_reason(
    row: dict[str, Any], reason: str, read: Read, tmp_path: Path
) -> None:
    found = read(module, write_lines(tmp_path / "rows.jsonl", [row, PLAIN]), ABOUT)
    assert found.lost["questions"] == found.lost["items"] == found.lost["labels"] == [reason]
    assert len(found.items) == 1


def test_a_set_of_which_every_row_is_dropped_is_refused(tmp_path: Path) -> None:
    bad = {"chosen": turns("a", "b"), "rejected": turns("c", "d")}
    path = write_lines(tmp_path / "rows.jsonl", [bad, bad, PLAIN | {"rejected": ""}])
    with pytest.raises(DataError, match=rf"found none \({module.APART}: 2, {module.EMPTY}: 1\)"):
        list(module.read_questions(path))


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
        (
            PLAIN | {"history": [["Hi", "Hello"]]},
            r":1: field 'history' may hold a part of what was",
        ),
        (PLAIN | {"context": "A text."}, r":1: field 'context' may hold a part"),
        (PLAIN | {"question": "Who?"}, r":1: field 'question' may hold a part"),
        (PLAIN | {"chosen": [{"role": "user"}]}, r"'chosen': expected a text, or a list"),
        (PLAIN | {"chosen": []}, r"'chosen': expected a text, or a list"),
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
