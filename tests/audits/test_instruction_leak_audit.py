import json

import pytest

from judgesmith.audits.finding import Severity
from judgesmith.audits.instruction_leak import (
    PATTERNS,
    GeneratedText,
    find_instruction_leak,
    instruction_leak_findings,
    instruction_leak_table,
)
from judgesmith.errors import RecipeError

LEAKS = {
    "names the verdict it was given": "This aligns with our target wrong verdict of A.",
    "names the correct verdict beside its own": "The correct verdict is B, but A it is.",
    "says what the verdict must be": "So the verdict must be B.",
    "says what it must argue": "I am supposed to argue for the other one.",
    "says what is to be picked": "Since we need to pick B, B is worse.",
    "speaks of its task": "But the task asks me to do otherwise.",
    "follows an instruction": "It is worse. As instructed, I name B.",
    "argues towards a set end": "This helps to justify the required conclusion.",
    "calls itself wrong on purpose": "What follows is a deliberately flawed analysis.",
}
CLEAN = [
    "Response 1 calculated the column as instructed.",
    "The prompt tells us nothing. The correct answer is B.",
    "We must be careful. My verdict is A, and any verdict is uncertain.",
    "If I must choose, it is B.",
    "Overall I have to choose Response A.",
    "Response A's verdict is wrong; the wrong answer is B.",
    "The user asks for a list.",
]


def test_every_pattern_has_its_example() -> None:
    assert set(LEAKS) == {name for name, _ in PATTERNS}


@pytest.mark.parametrize(("kind", "text"), LEAKS.items())
def test_leaks_are_found(kind: str, text: str) -> None:
    for written in (text, text.upper(), f"Some words before. {text}"):
        found = find_instruction_leak(written)
        assert found is not None
        assert kind in found[0]


@pytest.mark.parametrize("text", CLEAN)
def test_what_a_judge_may_say_is_no_leak(text: str) -> None:
    assert find_instruction_leak(text) is None


def texts(leaking: int, clean: int) -> list[GeneratedText]:
    said = ["So the verdict must be B."] * leaking + ["It is B."] * clean
    return [GeneratedText(text, f"n.jsonl:{i + 1}") for i, text in enumerate(said)]


def test_counts_by_hand() -> None:
    table = instruction_leak_table(texts(3, 9))
    assert (table.n, len(table.leaks), table.share.value) == (12, 3, 0.25)
    assert dict(table.by_kind)["says what the verdict must be"] == 3
    found = instruction_leak_findings(table)
    assert [(f.severity, f.count, f.of) for f in found] == [(Severity.WARNING, 3, 12)]
    assert found[0].examples == ("n.jsonl:1", "n.jsonl:2", "n.jsonl:3")
    assert "'verdict must be'" in found[0].message


@pytest.mark.parametrize(("leaking", "clean"), [(1, 5), (2, 5000)])
def test_a_single_or_rare_leak_is_a_figure_to_know(leaking: int, clean: int) -> None:
    found = instruction_leak_findings(instruction_leak_table(texts(leaking, clean)))
    assert [f.severity for f in found] == [Severity.INFO]


def test_nothing_and_settings() -> None:
    empty = instruction_leak_table([])
    assert empty.share.value is None
    assert instruction_leak_findings(empty) == ()
    assert instruction_leak_findings(instruction_leak_table(texts(0, 9))) == ()
    assert json.loads(json.dumps(empty.to_dict()))["n"] == 0
    with pytest.raises(RecipeError, match="most_share"):
        instruction_leak_findings(empty, most_share=2)
