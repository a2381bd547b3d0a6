"""Ranking from responses and from judged rows, with a judge that prefers the longer response."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from judgesmith.errors import DataError
from judgesmith.inference.judge import Judge
from judgesmith.judging.dialect import Dialect
from judgesmith.models.protocol import Completion, Request
from judgesmith.pipeline.ranking import judge_systems, rank_files, read_meetings
from judgesmith.records import Finish
from judgesmith.sources.system_responses import read_system_responses

ASK = "1: {{ responses[0].text }} 2: {{ responses[1].text }} end"


def dialect(direction: str) -> Dialect:
    return Dialect.model_validate({
        "name": f"longer-{direction}", "kind": "pair", "direction": direction,
        "user": "{{ question }} " + ASK, "scale": ["A", "B", "TIE"],
        "reply": "{rationale} Verdict: {verdict}",
    })  # fmt: skip


class Longer:
    """Names the longer response (of a dialect that names the worse, the shorter)."""

    name = "longer"

    def __init__(self, asked: Dialect, *, fail_after: int | None = None) -> None:
        self.dialect, self.asked, self.fail_after = asked, 0, fail_after

    lot = 4

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        for request in requests:
            if self.fail_after is not None and self.asked >= self.fail_after:
                raise KeyboardInterrupt
            self.asked += 1
            text = request.messages[-1].content
            one, two = text.split("1: ")[1].removesuffix(" end").split(" 2: ")
            order = (len(one) > len(two)) - (len(one) < len(two))
            if self.dialect.direction == "worse":
                order = -order
            yield Completion(
                text=self.dialect.write_reply("So.", {1: "A", -1: "B", 0: "TIE"}[order]),
                finish=Finish.STOP, prompt_tokens=1, completion_tokens=1,
            )  # fmt: skip


def judge_of(direction: str = "better", **options: Any) -> tuple[Judge, Longer]:
    asked = dialect(direction)
    model = Longer(asked, **options)
    return Judge("demo/student", "v1", asked, model, 60), model


LENGTHS = {"long": 30, "middle": 20, "short": 12}


def write_responses(folder: Path, questions: int = 30) -> list[Path]:
    """One file for each system; lengths vary so much that every system wins sometimes."""
    generator = np.random.default_rng(4)
    paths = []
    for system, length in LENGTHS.items():
        path = folder / f"{system}.jsonl"
        rows = [
            {"question": f"What is {q}?", "text": "x" * int(length + generator.integers(-9, 10))}
            for q in range(questions)
        ]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        paths.append(path)
    return paths


@pytest.mark.parametrize("direction", ["better", "worse"])
def test_systems_are_ranked_whatever_a_verdict_names(direction: str, tmp_path: Path) -> None:
    judge, model = judge_of(direction)
    judged = judge_systems(judge, write_responses(tmp_path), tmp_path / "out", None)
    assert model.asked == 30 * 3 * 2
    _, ranked = rank_files([judged], tmp_path / "out", seed=1, resamples=200)
    assert [one.name for one in ranked.standings] == ["long", "middle", "short"]
    assert ranked.duel("long", "short").p_holm < 0.05
    written = json.loads((tmp_path / "out/ranking.json").read_text())
    assert written["judges"] == [
        {"name": "demo/student", "version": judge.version, "mode": "rationale"}
    ]
    assert (written["questions"], written["comparisons"]) == (30, 90)
    assert [one["name"] for one in written["systems"]] == ["long", "middle", "short"]
    assert {tuple(sorted((one["a"], one["b"]))) for one in written["pairs"]} == {
        ("long", "middle"), ("long", "short"), ("middle", "short"),
    }  # fmt: skip


def test_against_a_baseline_only(tmp_path: Path) -> None:
    judge, model = judge_of()
    judged = judge_systems(judge, write_responses(tmp_path), tmp_path / "out", "middle")
    assert model.asked == 30 * 2 * 2
    met, ranked = rank_files([judged], tmp_path / "out", seed=1, resamples=200)
    assert all("middle" in one[:2] for one in met.comparisons)
    duel = ranked.duel("long", "short")  # never met: over the baseline
    assert duel.gained > duel.lost
    with pytest.raises(DataError, match=r"--baseline 'midle': .*middle"):
        judge_systems(judge, write_responses(tmp_path), tmp_path / "out", "midle")


def test_what_was_judged_is_not_judged_again_and_a_killed_call_goes_on(tmp_path: Path) -> None:
    paths, out = write_responses(tmp_path), tmp_path / "out"
    killed, _ = judge_of(fail_after=50)
    with pytest.raises(KeyboardInterrupt):
        judge_systems(killed, paths, out, None)
    again, model = judge_of()
    judged = judge_systems(again, paths, out, None)
    assert 0 < model.asked <= 180 - 48
    once_more, silent = judge_of()
    assert judge_systems(once_more, paths, out, None) == judged
    assert silent.asked == 0
    assert len(judged.read_text().splitlines()) == 90


ROW = {
    "id": "r1", "models": ["a", "b"], "question_key": "q1", "verdict": "A", "names": "better",
    "judge": "j", "version": "v1", "mode": "rationale",
}  # fmt: skip


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in rows))
    return path


def test_judges_are_told_apart_and_no_row_counts_twice(tmp_path: Path) -> None:
    plain = write_rows(tmp_path / "plain.jsonl", [ROW, {**ROW, "id": "r2"}])
    others = [{**ROW, "mode": "fast"}, {**ROW, "version": "v2"}, {**ROW, "judge": "k"}]
    other = write_rows(tmp_path / "other.jsonl", others)
    met = read_meetings([plain, other])
    assert len(met.comparisons) == 5
    assert len(met.judges) == 4
    assert str(met.judges[1]) == "j (fast, version v1)"
    again = write_rows(tmp_path / "again.jsonl", [{**ROW, "id": "r3"}, ROW])
    with pytest.raises(DataError, match=r"again\.jsonl:2: .*'j' judged 'r1' before, in .*:1"):
        read_meetings([plain, again])


def test_rows_without_a_verdict_are_counted(tmp_path: Path) -> None:
    rows = [
        ROW,
        {**ROW, "id": "r2", "verdict": None, "status": "abstained"},
        {**ROW, "id": "r3", "verdict": None},
    ]
    path = write_rows(tmp_path / "judged.jsonl", rows)
    met = read_meetings([path])
    assert len(met.comparisons) == 1
    assert met.dropped == {"abstained": 1, "no verdict over both orders": 1}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"id": 1, "verdict": "A"}], r"judged\.jsonl:1: field 'models' is missing"),
        (
            [{**ROW, "verdict": "C"}],
            r"judged\.jsonl:1: field 'verdict': expected A, B or TIE, found 'C'",
        ),
        ([{**ROW, "verdict": None}], "no row has a verdict"),
        (
            [ROW, {**ROW, "id": "r2", "models": ["a", "a"]}],
            r"judged\.jsonl:2: field 'models': expected two systems, found 'a' twice",
        ),
    ],
)
def test_judged_rows_that_cannot_be_ranked(
    rows: list[dict[str, Any]], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "judged.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in rows))
    with pytest.raises(DataError, match=said):
        read_meetings([path])


def test_responses_that_cannot_be_paired(tmp_path: Path) -> None:
    judge, _ = judge_of()
    path = tmp_path / "one.jsonl"

    def refused(*rows: dict[str, Any]) -> str:
        path.write_text("".join(json.dumps(one) + "\n" for one in rows))
        with pytest.raises(DataError) as caught:
            judge_systems(judge, [path], tmp_path / "out", None)
        return str(caught.value)

    row = {"question": "Q?", "model": "a", "text": "x"}
    assert "two systems or more, found a" in refused(row)
    assert "one.jsonl:2: field 'question': 'a' answered this question before" in refused(row, row)
    told = refused(row, {**row, "model": "b", "fields": {"criterion": "Is it kind?"}})
    assert "one.jsonl:2: field 'fields': found {'criterion': 'Is it kind?'}" in told
    assert "and for the same question {}, in " in told
    assert "one.jsonl:1. " in told
    assert "field 'reference'" in refused({**row, "reference": "Yes."}, {**row, "model": "b"})
    other = {"question": "Another?", "model": "b", "text": "x"}
    assert "no question was answered by two systems" in refused(row, other)
    assert "one.jsonl:1: not a valid SystemRow" in refused({"question": "Q?", "model": "a"})


def test_a_file_without_responses_is_named(tmp_path: Path) -> None:
    full, empty = tmp_path / "m.jsonl", tmp_path / "n.jsonl"
    full.write_text('{"question": "Why?", "text": "So."}\n')
    empty.touch()
    with pytest.raises(DataError, match=r"n\.jsonl: expected at least one response, found"):
        read_system_responses([full, empty])
