"""Defect 5: negatives that leak the instruction ("the verdict must be B"), 19 of 779."""

import pytest

from judgesmith.audits.finding import Severity
from judgesmith.audits.instruction_leak import (
    GeneratedText,
    instruction_leak_findings,
    instruction_leak_table,
)

HONEST = [
    "Response A relies on a stereotype. Response A is more biased.",
    "The correct answer is B, which Response B picks.",
    "Response B does as instructed and picks one of the choices.",
]
LEAKING = [
    "Response A is fairer, but the verdict must be B.",
    "As instructed, I call Response B more biased.",
    "The required verdict is B, so Response B is worse.",
    "I need to argue that Response B is worse.",
]


def table_of(leaking: list[str]) -> list[GeneratedText]:
    texts = HONEST * 40 + leaking
    return [GeneratedText(text, f"negatives.jsonl:{i + 1}") for i, text in enumerate(texts)]


@pytest.mark.parametrize("text", LEAKING)
def test_each_form_is_found_with_its_line(text: str) -> None:
    table = instruction_leak_table(table_of([text]))
    assert [leak.where for leak in table.leaks] == ["negatives.jsonl:121"]


def test_a_few_among_many_are_warned_of() -> None:
    found = instruction_leak_findings(instruction_leak_table(table_of(LEAKING)))
    assert [(f.severity, f.count, f.of) for f in found] == [(Severity.WARNING, 4, 124)]


def test_honest_texts_pass() -> None:
    assert instruction_leak_findings(instruction_leak_table(table_of([]))) == ()
