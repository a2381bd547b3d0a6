import json

import pytest

from judgesmith.audits.family import ModelPair, families, family_findings, family_table
from judgesmith.audits.finding import Severity


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("claude-sonnet-4-6", ("claude",)),
        ("gpt-4-0613", ("openai",)),
        ("text_davinci_003", ("openai",)),
        ("gpt-3.5-turbo", ("openai",)),
        ("o1-mini", ("openai",)),
        ("google/gemma-4-E4B", ("gemma",)),
        ("meta-llama/llama-3.1-8b-instruct", ("llama",)),
        ("JudgeLM-7B-v1.0", ("llama",)),
        ("13b-guanaco", ("llama",)),
        ("answer_vicuna-13b", ("llama",)),
        ("mistralai/mistral-7b-instruct-v0.1", ("mistral",)),
        ("prometheus-7b-v2.0", ("mistral",)),
        ("DeepSeek-R1-Distill-Llama-8B", ("llama", "deepseek")),
        ("cerebras-gpt-6.7B", ("cerebras",)),
        ("opt-7b", ("opt",)),
        ("adopt-7b", ()),
        ("my-judge", ()),
        ("", ()),
    ],
)
def test_families(name: str, expected: tuple[str, ...]) -> None:
    assert families(name) == expected


def test_pairs_of_one_family_are_counted_and_placed() -> None:
    rows = [
        *(ModelPair(f"r:{i}", "judge", "gpt-4", "generator", "chatgpt") for i in range(7)),
        ModelPair("r:7", "judge", "gpt-4", "generator", "vicuna-7b"),
        ModelPair("r:8", "teacher", "gpt-4", "student", "own-model"),
    ]
    found = family_findings(family_table(rows))
    assert [(f.severity, f.count, f.of) for f in found] == [
        (Severity.WARNING, 7, 9),
        (Severity.INFO, 1, 9),
    ]
    assert found[0].examples == tuple(f"r:{i}" for i in range(5))
    assert found[1].message == "the family of 'own-model' is not known"
    assert "rates text of its own family" in found[0].effect


def test_a_student_of_its_own_family_repeats_errors() -> None:
    pair = ModelPair("r:1", "teacher", "Qwen3-235B", "student", "qwen-2.5-7b")
    assert "repeats the teacher's own errors" in family_findings(family_table([pair]))[0].effect


def test_no_pairs_and_json() -> None:
    assert family_findings(family_table([])) == ()
    table = family_table([ModelPair("r:1", "judge", "x", "generator", "y")])
    assert json.loads(json.dumps(table.to_dict()))["pairs"][0]["unknown"] == ["x", "y"]
