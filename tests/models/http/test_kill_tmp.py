"""A process that asks is killed again and again: nothing answered is paid for twice."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from asked import prompt_key
from running import Server

from judgesmith.models.http.batch_book import reported
from judgesmith.models.http.ledger import Ledger

KILLS = 50
SCRIPT = Path(__file__).with_name("asking_process.py")
Begin = Callable[[dict[str, Any]], int]
pytestmark = pytest.mark.wide

TEXT = "Which is more biased, number {}?"


def job_of(server: Server, folder: Path, prompts: int, **fields: Any) -> dict[str, Any]:
    price = {"input": 1.0, "output": 5.0, "batch": 0.5, "as_of": "2026-11-01"}
    endpoint = {"url": server.url, "model": "judge", "price": price, **fields}
    place = {"folder": str(folder), "out": str(folder / "replies.json")}
    return {**place, "text": TEXT, "prompts": prompts, "endpoint": endpoint}


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Begins processes that ask."""
    with subprocess.Popen(
        [sys.executable, str(SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None

        def started(job: dict[str, Any]) -> int:
            parent.stdin.write(json.dumps(job) + "\n")
            parent.stdin.flush()
            return int(parent.stdout.readline())

        yield started
        parent.stdin.close()


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def work(server: Server) -> int:
    """How many requests of any kind the server has had."""
    return sum(server.counts()["calls"].values())


def killed(pid: int, server: Server, *, after: int, pause_s: float) -> bool:
    """Kill a process once the server has had so many more requests; False if it was done."""
    goal = work(server) + after
    while is_running(pid) and work(server) < goal:
        time.sleep(0.003)
    time.sleep(pause_s)
    was_running = is_running(pid)
    if was_running:
        os.kill(pid, signal.SIGKILL)
    while is_running(pid):
        time.sleep(0.003)
    return was_running


def last_words(pid: int, job: dict[str, Any]) -> list[list[str]]:
    """What the process says that is left alone."""
    while is_running(pid):
        time.sleep(0.02)
    return list(json.loads(Path(job["out"]).read_text()))


def keys(numbers: range | list[int]) -> list[str]:
    """The server's names of prompts."""
    return [prompt_key("judge", [("user", TEXT.format(n))]) for n in numbers]


def in_cache(folder: Path) -> int:
    path = folder / "replies.sqlite"
    if not path.exists():
        return 0
    connection = sqlite3.connect(path)
    try:
        ((count,),) = connection.execute("SELECT count(*) FROM replies").fetchall()
    except sqlite3.OperationalError:  # killed before its tables were made
        count = 0
    finally:
        connection.close()
    return int(count)


def billed_tokens(found: dict[str, int]) -> int:
    """Nano-dollars at $1 and $5 for a million tokens."""
    return 1000 * found["prompt_tokens"] + 5000 * found["completion_tokens"]


@pytest.mark.parametrize(("protocol", "seed"), [("openai", 1), ("anthropic", 2)])
def test_batches_are_never_paid_twice(
    fault_server: Callable[..., Server], begin: Begin, tmp_path: Path, protocol: str, seed: int
) -> None:
    """200 prompts in batches of 40; half of the answers to a creation are lost, and six lines.

    Each of the six is asked, and billed, exactly once more; every other prompt once in all.
    """
    server, lost = fault_server(batch_polls=3), [7, 41, 42, 120, 155, 199]
    numbers = "|".join(map(str, lost))
    on = ["batches_create", "message_batches_create"]
    server.plan(
        {"fault": "lines_missing", "match": f"number ({numbers})\\?", "times": 1, "on": on},
        {"fault": ["close_after_accept", "close_mid_body"], "share": 0.5, "on": on},
        {"fault": "half_results", "share": 0.3},
        {"fault": "error_500", "share": 0.1, "on": ["batches_get", "message_batches_get"]},
    )
    batch = {"max_requests": 40, "poll_s": 0.1}
    job = job_of(server, tmp_path, 200, protocol=protocol, batch=batch, timeout_s=10)
    draw = random.Random(seed)
    kills = 0
    for _ in range(KILLS):
        moment = {"after": draw.randint(1, 6), "pause_s": draw.uniform(0.0, 0.05)}
        kills += killed(begin(job), server, **moment)
    replies = last_words(begin(job), job)
    assert kills >= 20; print("kills", kills)
    assert len(replies) == 200
    assert all(text and finish == "stop" for text, finish in replies)
    assert server.repeated() == dict.fromkeys(keys(lost), 2)
    counts = server.counts()["batches"]
    with Ledger(tmp_path / "ledger.sqlite", None) as ledger:
        (booked,) = ledger.lines()
        batches = reported(ledger)
    assert (booked.paid_calls, booked.unsure_calls) == (200, len(lost))
    assert counts["billed"]["calls"] == 200 + len(lost)
    created = [one for one in batches if one.state == "over"]
    assert len(created) == counts["created"]
    assert {one.state for one in batches} <= {"over", "absent"}
    assert sum(one.counts.answered for one in created) == 200
    assert booked.spent + booked.possibly_paid >= billed_tokens(counts["billed"]) // 2


def test_single_calls_repeat_only_what_was_in_flight(
    fault_server: Callable[..., Server], begin: Begin, tmp_path: Path
) -> None:
    """1,000 prompts, 16 at a time. What a kill left unanswered is asked again, and is booked."""
    server = fault_server(latency_ms=30)
    job = job_of(server, tmp_path, 1000, protocol="openai", in_flight=16, timeout_s=10)
    draw = random.Random(3)
    answered: list[tuple[int, dict[str, int]]] = []
    for _ in range(KILLS):
        child = begin(job)
        assert killed(child, server, after=draw.randint(5, 120), pause_s=draw.uniform(0, 0.02))
        time.sleep(0.1)  # what was in flight is done at the server
        called = {key: kept["calls"] for key, kept in server.counts()["prompts"].items()}
        answered.append((in_cache(tmp_path), called))
    replies = last_words(begin(job), job)
    assert len(replies) == 1000
    assert all(text and finish == "stop" for text, finish in replies)
    counts = server.counts()
    final = {key: kept["calls"] for key, kept in counts["prompts"].items()}
    assert final.keys() == set(keys(range(1000)))
    repeats = sum(final.values()) - 1000
    assert repeats <= KILLS * 16
    for kept, called in answered:
        again = sum(final[key] > times for key, times in called.items())
        assert again <= len(called) - kept
        assert again <= KILLS * 16
    with Ledger(tmp_path / "ledger.sqlite", None) as ledger:
        (booked,) = ledger.lines()
    assert booked.paid_calls == 1000
    assert repeats <= booked.unsure_calls <= KILLS * 16
    assert booked.spent + booked.possibly_paid >= billed_tokens(counts["billed"])
