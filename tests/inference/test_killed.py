"""Judging processes that are killed, for real: the benchmark of a million rows, at two thousand."""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS, LOT = 2000, 16
pytestmark = pytest.mark.wide


def test_three_kills_lose_and_double_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole chunks survive each kill; the file ends as that of a process left alone."""
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks.judge_stream import Process, in_place, work, write_rows

    rows = tmp_path / "rows.jsonl"
    write_rows(rows, ROWS)
    work(rows, tmp_path / "whole.jsonl", LOT)
    whole = (tmp_path / "whole.jsonl").read_bytes()
    process = Process(rows, tmp_path / "out.jsonl", LOT)
    at = [process.kill_at(len(whole) * tenths // 10) for tenths in (1, 4, 7)]
    assert 0 < at[0] < at[1] < at[2] < ROWS
    assert not process.out.exists()
    process.finish()
    assert process.out.read_bytes() == whole
    assert in_place(process.out, ROWS)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "out.jsonl", "rows.jsonl", "whole.jsonl",
    ]  # fmt: skip


def test_a_row_that_is_missing_or_doubled_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks.judge_stream import in_place

    lines = [json.dumps({"id": f"r{n}", "verdict": "A"}) + "\n" for n in (1, 2, 3)]
    file = tmp_path / "out.jsonl"
    for found, right in (
        (lines, True), (lines[:2], False), ([*lines[:2], lines[1]], False),
        ([lines[1], lines[0], lines[2]], False), ([*lines, lines[2]], False),
    ):  # fmt: skip
        file.write_text("".join(found))
        assert in_place(file, 3) is right
