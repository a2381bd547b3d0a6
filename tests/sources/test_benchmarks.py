"""Every shipped mapping loads; the published files hold what their pages say they hold.

Data sets that are not at hand are tested on hand-made rows of their published schemas.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from judgesmith.errors import DataError, RecipeError
from judgesmith.sources.benchmarks import load_shipped, shipped
from judgesmith.sources.imported import ImportedJudgment, ImportedRow
from judgesmith.sources.mapped import read_mapped

WANTED = {
    "judge_from_scratch",
    "llmbar",
    "pandalm",
    "auto_j",
    "alpaca_eval",
    "qlora_gpt4_vicuna",
    "vicuna_blog_eval",
    "prometheus_eval",
    "just_eval",
    "unieval_human",
    "judge_bench_human",
    "xstest",
    "halueval",
    "triviaqa_judges",
    "shepherd",
    "feedback_bench",
    "preference_bench",
    "mt_bench_human",
    "judgebench",
    "rewardbench",
    "rewardbench_2",
}


class Counts(NamedTuple):
    """Items, judgments and labels, how many of those are ties, and how many have no verdict."""

    items: int
    judgments: int
    ties: int
    unparsed: int


STAGED = {
    "alpaca_eval": Counts(17 * 805 + 13 * 805 + 804 + 802, 30586, 159, 8),
    "auto_j": Counts(1392, 3 * 1392, 488, 0),
    "auto_j_critiques": Counts(232, 232, 5, 0),
    "bbq_mturk": Counts(300, 1500 + 300, 0, 0),
    "halueval": Counts(4507, 4507, 0, 0),
    "judge_bench_human": Counts(420 + 52 + 756, 12888, 0, 0),
    "judge_bench_human_labels": Counts(350 + 990 + 756 + 300, 117615, 0, 0),
    "judge_from_scratch": Counts(300, 300 + 12600, 3541, 432),
    "judge_from_scratch_teacher": Counts(804, 4 * 50 + 779, 60, 0),
    "just_eval": Counts(1400, 800 * 5 + 600, 0, 43),
    "llmbar": Counts(1134, 18580, 280, 93 + 2),
    "pandalm": Counts(999, 999 * 5, 471, 25),
    "prometheus_eval": Counts(640, 640 * 3, 0, 0),
    "prometheus_hhh": Counts(221, 221, 0, 0),
    "qlora_gpt4_vicuna": Counts(2240, 4480, 600, 13),
    "shepherd": Counts(1317, 1317 * 2, 0, 0),
    "triviaqa_judges": Counts(3600, 3600 * 12, 0, 10 * 5 + 135),
    "unieval_human": Counts(875 + 1181 + 360, 2 * (3 * (875 + 1181) + 6 * 360), 0, 0),
    "vicuna_blog_eval": Counts(1040, 1040, 100, 0),
    "xstest": Counts(2250, 2250 * 5, 0, 11),
}
NO_RESPONSES = {"bbq_mturk"}
"""A worker's verdict is one of the question's own options."""
EMPTY = {"roscoe-cosmos 145"}
"""The generated response of this item is empty in the published file."""


def test_all_wanted_are_shipped() -> None:
    assert set(shipped()) >= WANTED
    assert set(STAGED) <= set(shipped())


@pytest.mark.parametrize("name", shipped())
def test_every_mapping_loads_and_says_what_it_is(name: str) -> None:
    mapping = load_shipped(name)
    assert mapping.name == name
    assert mapping.title
    assert mapping.licence
    assert "http" in mapping.published or "arXiv" in mapping.published
    assert mapping.notes
    assert (mapping.kind == "pair") == (mapping.names is not None)


def test_unknown_benchmark_names_the_nearest() -> None:
    with pytest.raises(RecipeError, match="did you mean 'pandalm'"):
        load_shipped("pandalmm")


def read(name: str, at: Path | Sequence[Path]) -> list[ImportedRow]:
    return list(read_mapped(load_shipped(name), at))


def judged(rows: Iterable[ImportedRow]) -> list[ImportedJudgment]:
    return [judgment for row in rows for judgment in row.judgments]


@pytest.mark.parametrize("name", STAGED)
def test_published_files(name: str, shared_data: Path) -> None:
    rows = read(name, shared_data)
    check_counts(name, rows)
    check_items(name, rows)
    check_names(name, {(j.by, j.role) for j in judged(rows)})


def check_counts(name: str, rows: list[ImportedRow]) -> None:
    every, tie = judged(rows), load_shipped(name).tie
    found = Counts(
        len({row.item.id for row in rows}),
        len(every),
        sum(j.verdict == tie for j in every if j.verdict is not None),
        sum(j.verdict is None for j in every),
    )
    assert found == STAGED[name]
    keys = Counter((j.item, j.by, j.criterion, j.swapped, j.sample) for j in every)
    assert max(keys.values()) == 1


def check_items(name: str, rows: list[ImportedRow]) -> None:
    """An item has its texts in some row, and the same ones in every row that has any."""
    texts: dict[str, set[tuple[str | None, tuple[str, ...]]]] = {}
    for row in rows:
        if row.item.responses is not None:
            texts.setdefault(row.item.id, set()).add((row.item.question, row.item.responses))
    assert max((len(found) for found in texts.values()), default=1) == 1
    assert {row.item.id for row in rows} - set(texts) <= EMPTY or name in NO_RESPONSES


def check_names(name: str, found: set[tuple[str, str]]) -> None:
    """Everybody whom the mapping names is in the files, and so is what judges are measured by."""
    mapping = load_shipped(name)
    names, roles = {by for by, _ in found}, {role for _, role in found}
    named = {mapping.teacher, mapping.student, *mapping.scores_of, *mapping.scores_of.values()}
    assert named - {None} <= names
    by_policy = {"key": "key", "majority": "person", "mean": "person"}
    if mapping.labels in by_policy:
        assert by_policy[mapping.labels] in roles
    else:
        assert mapping.labels in names


# Published schemas, rows made by hand


def write(folder: Path, name: str, rows: list[dict[str, Any]]) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_feedback_bench(tmp_path: Path) -> None:
    """The score is a text in the published table."""
    row = {
        "orig_instruction": "Name a prime.",
        "orig_response": "Nine.",
        "orig_reference_answer": "Seven.",
        "orig_criteria": "Is it right?",
        "orig_feedback": "Nine is 3 * 3.",
        "orig_score": "1",
    }
    path = write(tmp_path, "rows.jsonl", [row, {**row, "orig_response": "2", "orig_score": 5}])
    rows = read("feedback_bench", [path])
    assert [j.scores for j in judged(rows)] == [(1.0,), (5.0,)]
    assert rows[0].item.reference == "Seven."
    assert rows[0].item.cluster == rows[1].item.cluster == "Name a prime."
    assert rows[0].judgments[0].rationale == "Nine is 3 * 3."


def test_feedback_bench_score_outside(tmp_path: Path) -> None:
    row = {"orig_instruction": "q", "orig_response": "r", "orig_score": "6"}
    (found,) = judged(read("feedback_bench", [write(tmp_path, "rows.jsonl", [row])]))
    assert (found.verdict, str(found.status)) == (None, "off_scale")


def test_preference_bench(tmp_path: Path) -> None:
    row = {
        "orig_instruction": "Name a prime.",
        "orig_response_A": "Nine.",
        "orig_response_B": "Seven.",
        "orig_reference_answer": "Two.",
        "orig_criteria": "Is it right?",
        "orig_score_A": "1",
        "orig_score_B": "5",
        "orig_feedback": "B is prime.",
        "orig_preference": "B",
    }
    (found,) = read("preference_bench", [write(tmp_path, "rows.jsonl", [row])])
    assert found.item.responses == ("Nine.", "Seven.")
    assert [(j.by, j.verdict) for j in found.judgments] == [("gpt-4", "B")]


def test_preference_bench_refuses_a_tie(tmp_path: Path) -> None:
    row = {"orig_instruction": "q", "orig_response_A": "a", "orig_response_B": "b"}
    path = write(tmp_path, "rows.jsonl", [{**row, "orig_preference": "tie"}])
    with pytest.raises(DataError, match=r"rows\.jsonl:1.*orig_preference.*'tie'"):
        read("preference_bench", [path])


def conversation(*answers: str) -> list[dict[str, str]]:
    return [
        {"role": role, "content": text}
        for turn, answer in enumerate(answers, start=1)
        for role, text in (("user", f"question {turn}"), ("assistant", answer))
    ]


def vote(first: str, second: str, winner: str, turn: int, judge: Any) -> dict[str, Any]:
    return {
        "question_id": 81,
        "model_a": first,
        "model_b": second,
        "winner": winner,
        "judge": judge,
        "conversation_a": conversation(f"{first} 1", f"{first} 2"),
        "conversation_b": conversation(f"{second} 1", f"{second} 2"),
        "turn": turn,
    }


def test_mt_bench_human(tmp_path: Path) -> None:
    """The same pair in both orders is one item, turned to the alphabetical order of the systems.

    alpaca before gpt: the second vote lists gpt first and prefers it, so it names B.
    """
    votes = [
        vote("alpaca", "gpt", "model_b", 1, "expert_1"),
        vote("gpt", "alpaca", "model_a", 1, "expert_2"),
        vote("gpt", "alpaca", "tie", 2, "author_0"),
    ]
    write(tmp_path, "data/human-00000.jsonl", votes)
    gpt4 = [vote("gpt", "alpaca", "tie (inconsistent)", 1, ["gpt-4", "pair-v2"])]
    write(tmp_path, "data/gpt4_pair-00000.jsonl", gpt4)
    rows = read("mt_bench_human", tmp_path)
    first = "81 turn 1: alpaca / gpt"
    assert [(j.item, j.by, j.role, j.verdict) for j in judged(rows)] == [
        (first, "expert_1", "person", "B"),
        (first, "expert_2", "person", "B"),
        ("81 turn 2: alpaca / gpt", "author_0", "person", "TIE"),
        (first, "gpt4-pair", "judge", "TIE"),
    ]
    assert {row.item.cluster for row in rows} == {"81"}
    assert [row.item.responses for row in rows] == [
        ("alpaca 1", "gpt 1"),
        ("alpaca 1", "gpt 1"),
        ("alpaca 2", "gpt 2"),
        ("alpaca 1", "gpt 1"),
    ]
    assert rows[2].item.question == "question 1\n\nquestion 2"
    assert judged(rows)[-1].reply == "tie (inconsistent)"


def test_judgebench(tmp_path: Path) -> None:
    """The second judgment saw the responses swapped: "A>B" there is B; null is no verdict."""
    pair = {
        "pair_id": "e3",
        "original_id": 1,
        "source": "mmlu-pro-law",
        "question": "q",
        "response_model": "gpt-4o",
        "response_A": "a",
        "response_B": "b",
        "label": "A>B",
    }
    decided = [
        [{"judgment": {"response": "[[A>B]]"}, "decision": "A>B"}, {"decision": "A>B"}],
        [None, {"judgment": {"response": "same"}, "decision": "A=B"}],
        [{"decision": "B>A"}],
    ]
    pairs = [{**pair, "pair_id": f"e{n}"} for n in range(3)]
    write(tmp_path, "data/dataset=judgebench,response_model=gpt-4o.jsonl", pairs)
    prefix = "dataset=judgebench,response_model=gpt-4o"
    outputs = [{**p, "judgments": j} for p, j in zip(pairs, decided, strict=True)]
    write(tmp_path, f"outputs/{prefix},judge_name=arena_hard,judge_model=o1-mini.jsonl", outputs)
    every = judged(read("judgebench", tmp_path))
    assert [j.verdict for j in every if j.role == "key"] == ["A", "A", "A"]
    judge = [(j.item, j.swapped, j.verdict) for j in every if j.role == "judge"]
    assert {j.by for j in every if j.role == "judge"} == {"o1-mini (arena_hard)"}
    assert [row for row in judge if row[2] is not None] == [
        ("e0", False, "A"),
        ("e0", True, "B"),
        ("e1", True, "TIE"),
        ("e2", False, "B"),
    ]


def test_rewardbench(tmp_path: Path) -> None:
    """Chosen comes first in the table; stored alphabetically, so that labels take both slots."""
    row = {
        "id": 7,
        "prompt": "q",
        "chosen": "apple",
        "chosen_model": "good",
        "rejected": "pear",
        "rejected_model": "bad",
        "subset": "donotanswer",
    }
    turned = {**row, "id": 8, "chosen": "pear", "rejected": "apple"}
    rows = read("rewardbench", [write(tmp_path, "filtered.jsonl", [row, turned])])
    assert [(j.item, j.role, j.verdict) for j in judged(rows)] == [
        ("7", "key", "A"),
        ("8", "key", "B"),
    ]
    assert rows[1].item.responses == ("apple", "pear")
    assert rows[1].item.models == ("bad", "good")
    assert rows[0].item.fields == {"subset": "donotanswer"}


def test_rewardbench_2(tmp_path: Path) -> None:
    """One chosen and three rejected make three pairs, two of each make four."""
    best = {"id": "1", "prompt": "q", "subset": "Math"}
    ties = {"id": "tied:1", "prompt": "r", "subset": "Ties"}
    table = [
        {**best, "chosen": ["b"], "rejected": ["a", "c", "d"]},
        {**ties, "chosen": ["x", "y"], "rejected": ["v", "z"]},
    ]
    rows = read("rewardbench_2", [write(tmp_path, "test.jsonl", table)])
    assert [(j.item, j.verdict) for j in judged(rows)] == [
        ("1: 0 / 0", "B"),
        ("1: 0 / 1", "A"),
        ("1: 0 / 2", "A"),
        ("tied:1: 0 / 0", "B"),
        ("tied:1: 0 / 1", "A"),
        ("tied:1: 1 / 0", "B"),
        ("tied:1: 1 / 1", "A"),
    ]
    assert Counter(row.item.cluster for row in rows) == {"1": 3, "tied:1": 4}
