"""A dialect of the user's own: what is refused when it is made, and with which words."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from judgesmith.judging.dialect import Dialect
from judgesmith.judging.examples import Example
from judgesmith.judging.parse import parse_reply
from judgesmith.judging.render import render_prompt
from judgesmith.records import Finish, Kind, Question, Scores, Status, choice

HOWTO = Path(__file__).parents[2] / "docs/howto/own-dialect.md"

GOOD = """
kind: pair
direction: better
user: |
  {{ question }}
  {% for response in responses %}
  Response {{ response.letter }}: {{ response.text }}
  {% endfor %}
scale: [A, B, TIE]
reply: "{rationale} Verdict: {verdict}"
"""


def made(text: str = GOOD, **changes: Any) -> Dialect:
    return Dialect(name="mine", **{**yaml.safe_load(text), **changes})


def test_a_dialect_in_yaml() -> None:
    dialect = made()
    assert parse_reply(dialect, "So. Verdict: tie").verdict == choice("TIE")
    assert dialect.system is None
    assert dialect.kind is Kind.PAIR


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reply": "{reason} Verdict: {verdict}"}, "unknown slot {reason} in .*valid: rationale"),
        ({"reply": "{rational} {verdict}"}, "unknown slot {rational} in .*mean 'rationale'"),
        ({"reply": "{rationale} so"}, "expected one of {verdict}.*found rationale"),
        ({"reply": "so"}, "found no slot"),
        ({"reply": "{verdict} or {verdict}"}, "expected one of {verdict}.*found verdict, verdict"),
        ({"reply": "{score} or {verdict}"}, "expected one of {verdict}"),
        ({"reply": "{rationale}{verdict}"}, "expected words or a line break between"),
        ({"reply": "{rationale} {verdict}"}, "expected words or a line break between"),
        ({"reply": ""}, "at least 1 character"),
        ({"reply": {"kind": "regex", "text": "x"}}, "'regex' .*does not match any of the expected"),
        ({"reply": {"kind": "tags", "text": "{verdict}"}}, "reply.tags.text"),
        ({"reply": {"kind": "pattern", "text": "{verdict}", "tags": 1}}, "reply.pattern.tags"),
        ({"reply": {"kind": "json", "verdict": "rationale"}}, "expected two different fields"),
        ({"reply": {"kind": "scores_first"}}, "needs a scale with `low` and `high`"),
        ({"reply": "Scores: {scores}"}, "{scores} does not fit: a pair dialect on the scale A, B"),
        ({"reply": "Score: {score}"}, "{score} does not fit"),
        ({"scale": {"low": 1, "high": 5}, "reply": "Score: {score}"}, "has {verdict} or {scores}"),
        ({"scale": {"low": 1, "high": 5, "step": 0.3}}, "steps of 0.3"),
        ({"scale": ["A"]}, "expected two or more different choices"),
        ({"say": {"C": "third"}}, "`say`: expected values of the scale .A, B, TIE., found 'C'"),
        ({"say": {"A": "one", "B": "one"}}, "two values are written alike"),
        ({"say": {"A": " one"}}, "could not read ' one' back"),
        ({"criteria": ["clarity"]}, "`criteria` need a reply by criterion"),
        ({"user": "{{ qestion }}"}, "`user`: 'qestion' is undefined; did you mean 'question'"),
        ({"user": "a\n{% for x in %}"}, "`user`, line 2: Expected an expression"),
        ({"user": "{{ fields.x }"}, "`user`, line 1: unexpected"),
        ({"kind": "triple"}, "Input should be 'single', 'pair' or 'list'"),
        ({"direction": "up"}, "Input should be 'better' or 'worse'"),
        ({"parser": "x"}, "Extra inputs are not permitted"),
        ({"say": {"A": "x Verdict: y"}}, "cannot read its own writing of 'A'"),
        ({"scale": {"low": 1, "high": 5}, "say": {"1": "very bad"}}, "cannot read its own writing"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_dialect_is_said(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said.replace("{", r"\{").replace("}", r"\}")):
        made(**changes)


def test_numbers_without_quotes_are_words() -> None:
    dialect = made(scale=["A", "B"], say={"A": 1, "B": 2}, reply="{rationale}\n{verdict}")
    assert parse_reply(dialect, "So.\n2").verdict == choice("B")
    grades = made(kind="single", user="{{ responses[0].text }}", scale=[1, 2, 3], say={1: "one"})
    assert grades.scale.values == ("1", "2", "3")
    with pytest.raises(ValidationError, match="valid string"):
        made(scale=[True, False])


def test_a_dialect_says_what_its_prompt_shows() -> None:
    assert made(user="{{ reference }}").shows("reference")
    assert not made(user="reference {# reference #}").shows("reference")


CRITERIA = {
    "kind": "single", "scale": {"low": 1, "high": 5}, "criteria": ["clarity", "depth"],
    "reply": {"kind": "json", "by_criterion": True},
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"criteria": ["a", "a"]}, "expected different names as criteria"),
        ({"criteria": ["rationale"]}, "has the rationale's name"),
        ({"scale": ["A", "B"]}, "a reply by criterion holds scores"),
    ],
)
def test_what_is_wrong_with_criteria_is_said(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        made(**{**CRITERIA, **changes})


def test_criteria_are_part_of_the_hash() -> None:
    assert made(**CRITERIA).hash != made(**{**CRITERIA, "criteria": ["clarity"]}).hash


def test_examples_hold() -> None:
    examples = [
        {"reply": "So. Verdict: A", "verdict": "A", "rationale": "So."},
        {"reply": "So. verdict:B", "verdict": "B"},
        {"reply": "So.", "status": "no_verdict"},
        {"reply": "So. Verdict:", "status": "truncated", "finish": "length"},
    ]
    dialect = made(examples=examples)
    assert dialect.hash == made().hash
    assert dialect.examples[3].finish is Finish.LENGTH


@pytest.mark.parametrize(
    ("example", "said"),
    [
        (
            {"reply": "I choose A", "verdict": "A"},
            "example 2, 'I choose A': expected 'A', and the dialect reads no_verdict",
        ),
        ({"reply": "So. Verdict: B", "verdict": "A"}, "expected 'A', and the dialect reads 'B'"),
        ({"reply": "Verdict: B", "status": "off_scale"}, "expected off_scale.*reads 'B'"),
        (
            {"reply": "So. Verdict: B", "verdict": "B", "rationale": "Not so."},
            "expected 'B' with rationale 'Not so.', and the dialect reads 'B' .rationale 'So.'",
        ),
        ({"reply": "x"}, "expected either a verdict or a status other than parsed"),
        ({"reply": "x", "verdict": "A", "status": "off_scale"}, "expected either a verdict"),
    ],
)
def test_a_dialect_that_cannot_read_its_example_is_refused(
    example: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        made(examples=[{"reply": "Verdict: A", "verdict": "A"}, example])


def test_examples_of_scores() -> None:
    numbers = made(
        scale={"low": 1, "high": 10}, reply={"kind": "scores_first"},
        examples=[{"reply": "8 9\nSo.", "verdict": [8, 9], "rationale": "So."}],
    )  # fmt: skip
    assert numbers.examples[0].expected(numbers) == Scores(
        kind="scores", values=(8.0, 9.0), criteria=None
    )
    each = '{"clarity": {"verdict": 4}, "depth": {"verdict": 1}}'
    made(**CRITERIA, examples=[Example(reply=each, verdict={"clarity": 4, "depth": 1})])
    with pytest.raises(ValidationError, match=r"example 1.*reads"):
        made(**CRITERIA, examples=[Example(reply=each, verdict={"clarity": 4, "depth": 2})])


def yaml_blocks(text: str) -> list[Any]:
    return [yaml.safe_load(part.split("```")[0]) for part in text.split("```yaml\n")[1:]]


def test_the_howto_is_a_dialect_that_runs() -> None:
    """Its YAML is parsed, its prompt rendered, and the replies that it talks of are read."""
    found = yaml_blocks(HOWTO.read_text())
    dialects = {
        name: Dialect(name=name, **fields)
        for block in found
        for name, fields in block.get("dialects", {}).items()
    }
    assert set(dialects) == {
        "support-quality", "support-grade", "two-marks", "four-criteria", "which-is-safer"
    }  # fmt: skip
    own = dialects["support-quality"]
    asked = Question.make(
        source="t", licence="t", group_id="g", template_id=None, category=None, context=None,
        text="My card was charged twice.", choices=None, key=None, reference=None,
        grounding="Refunds take five days.", task={"tone": "calm"},
    )  # fmt: skip
    (system, user) = render_prompt(own, asked, ["Wait five days."])
    assert "Refunds take five days." in user.content
    assert "calm" in user.content
    assert own.rubric is not None
    assert own.reply_form is not None
    assert "Grade:" not in own.rubric
    assert "Grade:" in system.content
    assert parse_reply(own, own.write_reply("It says when.", "4")).rationale == "It says when."
    assert all(dialect.examples for dialect in dialects.values())
    assert parse_reply(own, "Grade: 9").status is Status.OFF_SCALE
