"""The log: each judgment once, a share of the requests, and no text where none is wanted."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from judges import PAIR, Scripted
from served import CHAT, Server

from judgesmith.errors import DataError
from judgesmith.inference.judge import Judge
from judgesmith.serving.judgment_log import JudgmentLog, redacted, sampled

Serve = Callable[..., Server]
Made = Callable[..., tuple[Judge, Scripted]]


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_judgments_are_kept_with_what_was_asked(
    serve: Serve, scripted: Made, tmp_path: Path
) -> None:
    path = tmp_path / "log.jsonl"
    server = serve(scripted()[0], log=JudgmentLog(path))
    server.judge({"items": [PAIR, {**PAIR, "id": "x"}]}, **{"X-Request-Id": "r1"})
    server.judge({})
    found = lines(path)
    assert [line["request"] for line in found] == ["r1", "r1"]
    assert found[1]["asked"]["response_a"] == "splendid"
    assert (found[1]["said"]["id"], found[1]["said"]["verdict"]) == ("x", "A")
    assert found[1]["said"]["orders"][0]["rationale"] == "So."  # though nobody asked for it
    chat = {"model": "scripted", "messages": [{"role": "user", "content": "splendid, awful"}]}
    server.call(CHAT, chat, {"X-Request-Id": "r2"})
    assert (lines(path)[2]["request"], lines(path)[2]["said"]["model"]) == ("r2", "scripted")


def test_no_text_is_kept_where_none_is_wanted(serve: Serve, scripted: Made, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    server = serve(scripted()[0], log=JudgmentLog(path, redact=True))
    server.judge({**PAIR, "id": "x", "context": "the context", "rationale": True})
    chat = {"model": "scripted", "messages": [{"role": "user", "content": "splendid, awful"}]}
    server.call(CHAT, chat)
    kept = path.read_text()
    for text in ("splendid", "awful", "context", "Where is it?", "Does it say when?", "So."):
        assert f'"{text}"' not in kept.replace('"context":', ""), text
    row = lines(path)[0]
    assert row["asked"]["response_a"] == redacted("splendid")
    assert (row["asked"]["id"], row["said"]["verdict"]) == ("x", "A")
    assert row["said"]["orders"][0]["rationale"] == redacted("So.")
    assert "splendid" not in json.dumps(lines(path)[1])


def test_a_share_of_the_requests_is_kept_by_their_names(
    serve: Serve, scripted: Made, tmp_path: Path
) -> None:
    path = tmp_path / "log.jsonl"
    server = serve(scripted()[0], log=JudgmentLog(path, rate=0.3))
    names = [f"r{n}" for n in range(30)]
    for name in names:
        server.judge(PAIR, **{"X-Request-Id": name})
    kept = [line["request"] for line in lines(path)]
    assert kept == [name for name in names if sampled(name, 0.3)]
    assert 0 < len(kept) < 30


def test_a_log_that_is_moved_away_begins_anew(serve: Serve, scripted: Made, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    server = serve(scripted()[0], log=JudgmentLog(path))
    server.judge(PAIR)
    path.rename(tmp_path / "log.1")
    server.judge(PAIR)
    assert len(lines(path)) == len(lines(tmp_path / "log.1")) == 1


def test_a_log_that_cannot_be_written_is_said_and_stops_nothing(
    serve: Serve, scripted: Made, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    server = serve(scripted()[0], log=JudgmentLog(folder / "log.jsonl"))
    (folder / "log.jsonl").unlink()
    folder.rmdir()
    assert server.judge(PAIR).status == 200
    assert server.number("log_failures_total") == 1
    assert "could not be logged" in caplog.text


def test_a_log_in_no_folder_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--log"):
        JudgmentLog(tmp_path / "none" / "log.jsonl")
