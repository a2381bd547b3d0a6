"""Where verdicts go when nobody says: another call's verdicts are never written over."""

import fcntl
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from longer import Longer, Struck, judge, read, rows, write

from judgesmith.cli.judging import JudgeOptions, judge_command
from judgesmith.inference.abstaining import Abstaining
from judgesmith.inference.judge import Judge
from judgesmith.inference.rows.chunks import Source
from judgesmith.inference.rows.stream import judge_file
from judgesmith.inference.rows.target import choose_target, left_unfinished
from judgesmith.metrics import Abstention
from judgesmith.metrics.selective import KEEPS_ALL
from judgesmith.pipeline.gated import Gated
from judgesmith.records import Kind

FIRST, OTHER = judge(), judge(version="v2")


def rule(risk: float, above: float = KEEPS_ALL, second: Judge | None = None) -> Abstaining:
    return Abstaining(Abstention(risk, 0.05, 100, above, 100, 0, 0.05), Kind.PAIR, second)


def test_the_same_judge_replaces_what_it_said_and_another_does_not(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", rows(6))
    source = Source(path)
    usual = choose_target(FIRST, source, None)
    assert usual == tmp_path / "rows.judged.jsonl"
    judge_file(FIRST, path, usual)
    assert choose_target(FIRST, source, None) == usual
    others = [
        choose_target(OTHER, source, None),
        choose_target(replace(FIRST, mode="fast"), source, None),
        choose_target(replace(FIRST, name="run/after DPO"), source, None),
        choose_target(FIRST, source, rule(0.1)),
        choose_target(FIRST, source, rule(0.2)),
        choose_target(FIRST, source, rule(0.1, second=OTHER)),
    ]
    assert len({usual, *others}) == 7
    assert all(one.name.endswith(".judged.jsonl") for one in others)
    assert others[0] == choose_target(OTHER, source, None), "the same call finds its file again"
    limited = Source(path, limit=2)
    assert choose_target(OTHER, limited, None).name == "rows.first-2.judged.jsonl"


@pytest.mark.parametrize("second", [None, OTHER])
def test_verdicts_under_a_promise_are_known_again(tmp_path: Path, second: Judge | None) -> None:
    """Longer is sure to .85 or .8, so a threshold of .99 withholds all."""
    path = write(tmp_path / "rows.jsonl", rows(4))
    strict, source = rule(0.1, above=0.99, second=second), Source(path)
    usual = choose_target(FIRST, source, strict)
    judge_file(FIRST, path, usual, abstaining=strict)
    assert choose_target(FIRST, source, strict) == usual
    other = rule(0.1, above=0.99, second=None if second else OTHER)
    assert choose_target(FIRST, source, other) != usual
    assert choose_target(FIRST, source, None) != usual


def named(*names: str | None) -> list[dict[str, Any]]:
    return [{**row, "id": name} for row, name in zip(rows(len(names)), names, strict=True)]


@pytest.mark.parametrize(
    ("found", "replaced"),
    [
        (named("a", "b", "c"), True),
        (named("a", "b", "c", "d"), True),
        (named("a", "b"), False),
        (named("a", "c", "b"), False),
        (named(None, None, None), False),
    ],
)
def test_rows_added_go_into_the_same_file_and_other_rows_do_not(
    tmp_path: Path, found: list[dict[str, Any]], replaced: bool
) -> None:
    path = write(tmp_path / "rows.jsonl", named("a", "b", "c"))
    usual = choose_target(FIRST, Source(path), None)
    judge_file(FIRST, path, usual)
    write(path, found)
    assert (choose_target(FIRST, Source(path), None) == usual) is replaced


def test_what_is_no_file_of_verdicts_is_not_replaced(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", rows(2))
    (tmp_path / "rows.judged.jsonl").write_text("my notes\n")
    assert choose_target(FIRST, Source(path), None).name != "rows.judged.jsonl"


def test_unfinished_verdicts_of_another_call_are_told_unless_it_is_running(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = write(tmp_path / "rows[1].jsonl", rows(6)), tmp_path / "rows[1].judged.jsonl"
    with pytest.raises(Struck):
        judge_file(judge(Longer(8)), path, out)
    (begun,) = tmp_path.glob(".*.partial")
    write(path, rows(7))
    judge_file(judge(), path, out)
    told = " ".join(capsys.readouterr().err.split())
    assert f"judge: {begun} holds unfinished verdicts of another call" in told
    assert begun.exists(), "what was judged may have been paid for"
    with begun.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert left_unfinished(out, out) == []
    assert left_unfinished(out, begun) == []


def test_the_command_says_where_verdicts_went(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "rows.jsonl", rows(3))
    for each in (FIRST, OTHER):
        monkeypatch.setattr("judgesmith.cli.judging.open_told", lambda *_, each=each, **__: each)
        monkeypatch.setattr(
            "judgesmith.cli.opening.gated", lambda *_: Gated(outcome="fail", why="kappa: too low.")
        )
        assert judge_command(path, tmp_path, JudgeOptions(None, None, None, None, None))
    told = " ".join(capsys.readouterr().out.split())
    assert "rows.judged.jsonl has verdicts of another judge, setting or file, and stays" in told
    assert "Confidence: 85% on average of 3 rows, not calibrated" in told
    assert "warning: Gate: FAIL (kappa: too low)." in told
    files = sorted(tmp_path.glob("*.judged.jsonl"))
    assert sorted(read(one)[0]["version"] for one in files) == sorted(
        [FIRST.version, OTHER.version]
    )
