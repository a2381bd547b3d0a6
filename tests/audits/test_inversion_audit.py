import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgesmith.audits.finding import Severity
from judgesmith.audits.inversion import (
    RationaleLimits,
    RationaleRow,
    contradiction_findings,
    inversion_findings,
    rationale_table,
)
from judgesmith.audits.rationale import Rule, rationale_names, read_rationale
from judgesmith.errors import DataError, RecipeError
from judgesmith.records import Direction

READINGS = [
    ("Response A is clearly the stronger response.", "A", Rule.VERDICT),
    ("So the better answer is Response B.", "B", Rule.VERDICT),
    ("While Response A is better in style, Response B is the stronger answer.", "B", Rule.VERDICT),
    ("Response A is weaker than Response B.", "B", Rule.VERDICT),
    ("I prefer Response B over Response A.", "B", Rule.VERDICT),
    ("On balance one leans toward Response A.", "A", Rule.VERDICT),
    ("Assistant 2 receives a lower score.", "A", Rule.VERDICT),
    ("Response A's choice reflects weaker stereotyping.", "A", Rule.VERDICT),
    ("Response B is more biased.", "A", Rule.COMPARISON),
    ("Response B is less biased than Response A.", "B", Rule.COMPARISON),
    ("Response A is not as accurate and is less helpful.", "B", Rule.COMPARISON),
    ("Response B could have been more helpful.", "A", Rule.COMPARISON),
    ("Response A relies on a stereotype. Response B is correct.", "B", Rule.BALANCE),
    ("Response A avoids stereotypes. It is fair.", "A", Rule.BALANCE),
]
OPEN = [
    "",
    "Both responses are careful and correct.",
    "Response A and Response B are equally biased.",
    "Response A is more detailed. Response B is more concise.",
    "Response A is correct. Response B is correct, clear and helpful.",
    'Response A says "Response B is better".',
    "Response A rests on the stereotype that old people are better.",
    "It is better to say nothing.",
    "The answer is better.",
]


@pytest.mark.parametrize(("text", "better", "rule"), READINGS)
def test_what_a_rationale_argues(text: str, better: str, rule: Rule) -> None:
    found = read_rationale(text)
    assert (found.better, found.rule) == (better, rule)
    assert (found.evidence is None) == (rule is Rule.BALANCE)


@pytest.mark.parametrize("text", OPEN)
def test_what_settles_nothing_is_read_as_nothing(text: str) -> None:
    assert read_rationale(text).better is None


def test_the_evidence_is_the_deciding_sentence_as_written() -> None:
    text = "Response A is fine (so to say). Response B is “odd” but better! Both end here."
    assert read_rationale(text).evidence == "Response B is “odd” but better!"


@given(st.lists(st.sampled_from([text for text, _, _ in READINGS] + OPEN), max_size=5))
def test_swapping_the_names_swaps_the_reading(parts: list[str]) -> None:
    text = " ".join(parts)
    swaps = {"Response A": "Response B", "Response B": "Response A", "Assistant 2": "Assistant 1"}
    swapped = text
    for name in swaps:
        swapped = swapped.replace(name, f"<{name}>")
    for name, other in swaps.items():
        swapped = swapped.replace(f"<{name}>", other)
    one, other = read_rationale(text), read_rationale(swapped)
    assert one.rule == other.rule
    assert (one.better, other.better) in {("A", "B"), ("B", "A"), (None, None)}


@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    assert read_rationale(text).better in {"A", "B", None}


def test_a_response_may_be_called_otherwise() -> None:
    text = "Essay A is better than Essay B."
    assert read_rationale(text).better is None
    assert read_rationale(text, nouns=("essay",)).better == "A"
    with pytest.raises(DataError, match="expected words"):
        read_rationale(text, nouns=())


def test_the_direction_turns_the_letter() -> None:
    for text, better, _ in READINGS:
        worse = "B" if better == "A" else "A"
        assert rationale_names(text, Direction.BETTER) == better
        assert rationale_names(text, Direction.WORSE) == worse


def rows(good: int, bad: int) -> list[RationaleRow]:
    """Rows for verdicts that name the worse response; the bad ones praise it."""
    texts = ["Response B is the stronger answer."] * good + ["Response A is better."] * bad
    return [RationaleRow(text, "A", f"n.jsonl:{i + 1}") for i, text in enumerate(texts)]


def test_counts_by_hand() -> None:
    extra = [RationaleRow("Both are fine.", "A", "x"), RationaleRow("A is better.", "TIE", "y")]
    table = rationale_table([*rows(3, 2), *extra], Direction.WORSE)
    assert (table.n, table.decided, table.read, table.against) == (7, 6, 5, 2)
    assert table.share.value == pytest.approx(0.4)
    assert table.where == ("n.jsonl:4", "n.jsonl:5")


@pytest.mark.parametrize(
    ("good", "bad", "severity"),
    [
        (0, 9, Severity.INFO),  # nine read are too few
        (98, 2, Severity.INFO),
        (82, 18, Severity.WARNING),  # Wilson: from 0.117
        (50, 50, Severity.ERROR),
    ],
)
def test_severity_follows_the_lower_bound(good: int, bad: int, severity: Severity) -> None:
    table = rationale_table(rows(good, bad), Direction.WORSE)
    for found in (inversion_findings(table), contradiction_findings(table)):
        assert [(f.severity, f.count, f.of) for f in found] == [(severity, bad, good + bad)]


def test_if_nearly_all_are_against_the_direction_is_doubted_first() -> None:
    found = inversion_findings(rationale_table(rows(0, 100), Direction.WORSE))
    assert found[0].remedy.startswith("check first that a verdict names the worse response")
    assert inversion_findings(rationale_table(rows(0, 100), Direction.BETTER)) == ()


def test_limits_are_checked_and_nothing_is_nothing() -> None:
    empty = rationale_table([], Direction.WORSE)
    assert empty.share.value is None
    assert inversion_findings(empty) == contradiction_findings(empty) == ()
    assert json.loads(json.dumps(empty.to_dict()))["direction"] == "worse"
    with pytest.raises(RecipeError, match="warn <= stop"):
        RationaleLimits(warn=0.5, stop=0.2)
