"""kill -9 at random moments of a labelling run: nothing is lost, and nothing is paid for twice.

The server counts what was called and billed. Its replies hold its names of the prompts, so that
what the cache and the records hold can be held against its counts, call by call.
"""

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from typing import Any, NamedTuple

import pytest
from labelling import (
    FULL,
    ITEMS,
    KEY,
    KEYED,
    KILLS,
    RECORDS,
    Booked,
    Run,
    billed,
    billed_calls,
    cost,
    requests,
)
from running import Server

IN_FLIGHT = 16
PROMPTS = 2 * ITEMS
PLAIN = {"in_flight": IN_FLIGHT, "timeout_s": 20}
LINES = 50 if FULL else 10
BUDGET = ("--budget-usd", 100)


class Moment(NamedTuple):
    """When to kill: so many prompts billed in all, so many requests after that, and a pause.

    Where `billed` is None it is the pause alone, from the start of the process.
    """

    billed: int | None
    requests: int
    pause_s: float


def moments(seed: int, *, most_requests: int) -> list[Moment]:
    """Random moments over the whole run; every tenth is in the first second of a process."""
    draw = random.Random(seed)
    goals = sorted(draw.randint(1, int(0.85 * PROMPTS)) for _ in range(KILLS))
    return [
        Moment(None, 0, draw.uniform(0.2, 1.2))
        if n % 10 == 9
        else Moment(goal, draw.randint(1, most_requests), draw.uniform(0.0, 0.03))
        for n, goal in enumerate(goals)
    ]


def kill(process: subprocess.Popen[str], server: Server, moment: Moment) -> bool:
    """Kill at a moment; False where the process was through before."""
    if moment.billed is not None:
        wait_until(process, lambda: billed_calls(server) >= moment.billed)
        goal = requests(server) + moment.requests
        wait_until(process, lambda: requests(server) >= goal)
    time.sleep(moment.pause_s)
    process.send_signal(signal.SIGKILL)
    words, _ = process.communicate()
    assert process.returncode in (-signal.SIGKILL, 0), words
    while server.sums()["open"]:
        time.sleep(0.005)
    return process.returncode != 0


def kill_at_the_end(run: Run) -> None:
    """Kill when all is judged, and the records are about to be written."""
    process = run.begin()
    wait_until(process, lambda: run.written() >= PROMPTS)
    process.send_signal(signal.SIGKILL)
    words, _ = process.communicate()
    assert process.returncode in (-signal.SIGKILL, 0), words


def wait_until(process: subprocess.Popen[str], reached: Any) -> None:
    end = time.monotonic() + 60
    while process.poll() is None and not reached():
        assert time.monotonic() < end
        time.sleep(0.004)


def told(what: str, moments: list[Moment], found: dict[str, Any]) -> None:
    """Print the moments and the figures, for whoever runs it at full scale."""
    said = [m.pause_s if m.billed is None else (m.billed, m.requests) for m in moments]
    sys.stdout.write(f"\n{what}: killed at {said}\n{what}: {found}\n")


def undisturbed(labelling: Any, server: Server, protocol: str = "openai") -> list[bytes]:
    """The files of a run by single calls that nobody disturbs; the server has forgotten it then."""
    endpoint = {"url": server.url, "protocol": protocol, **PLAIN}
    run = labelling("undisturbed", endpoint, *BUDGET)
    run.end()
    judgments = run.rows(RECORDS[0])
    assert (len(judgments), billed_calls(server)) == (PROMPTS, PROMPTS)
    assert {row["status"] for row in judgments} == {"parsed"}
    files: list[bytes] = run.records()
    server.reset()
    return files


def test_killed_with_calls_in_flight(labelling: Any, fault_server: Any) -> None:
    """What was in flight at a kill may be repeated, and is booked; nothing else is."""
    server = fault_server(latency_ms=60, template=KEYED)
    wanted = undisturbed(labelling, server)
    run = labelling("killed", {"url": server.url, **PLAIN}, *BUDGET)
    plan = moments(1, most_requests=60)
    kills, before = 0, Counter[str]()
    known: list[tuple[set[str], Counter[str]]] = []
    cut: list[int] = []
    for moment in plan:
        kills += kill(run.begin(), server, moment)
        calls = called(server)
        written = run.cached()
        assert run.judged() <= written
        unanswered = {key for key in calls - before if key not in written}
        booked = run.booked()
        assert len(unanswered) <= booked.count("in_flight") <= IN_FLIGHT
        assert calls.total() <= booked.all
        assert booked.paid <= billed(server) <= booked.paid + booked.possibly_paid
        known.append((written, calls))
        cut.append(len(unanswered))
        before = calls
    assert kills == KILLS
    kill_at_the_end(run)
    run.end()
    final = called(server)
    for written, calls in known:
        assert all(final[key] == calls[key] for key in written)
    repeats = final.total() - PROMPTS
    booked = run.booked()
    told(
        "calls",
        plan,
        figures(server, booked) | {"kills": kills, "repeats": repeats, "in flight": cut},
    )
    assert len(final) == PROMPTS
    assert repeats <= sum(cut)
    assert repeats <= booked.count("possibly_paid") <= IN_FLIGHT * len(plan)
    assert booked.paid == sum(
        cost(kept) // kept["billed"] for kept in server.counts()["prompts"].values()
    )
    assert billed(server) <= booked.paid + booked.possibly_paid
    assert_whole(run, booked)
    assert run.records() == wanted


@pytest.mark.parametrize(("protocol", "seed"), [("openai", 2), ("anthropic", 3)][: 1 + FULL])
def test_killed_with_batches_open(
    labelling: Any, fault_server: Any, protocol: str, seed: int
) -> None:
    """No batch is created, and so paid, twice, though a third of the answers to creations are lost.

    The records are those of single calls: it does not matter to them how they were asked.
    """
    server = fault_server(template=KEYED, batch_polls=3)
    wanted = undisturbed(labelling, server, protocol)
    on = ["batches_create", "message_batches_create"]
    server.plan({"fault": ["close_after_accept", "close_mid_body"], "share": 0.33, "on": on})
    batch = {"max_requests": LINES, "max_tokens": 3 * LINES * 700, "poll_s": 0.1}
    endpoint = {"url": server.url, "protocol": protocol, "batch": batch, "timeout_s": 20}
    run = labelling("killed", endpoint, *BUDGET)
    plan = moments(seed, most_requests=8)
    kills = 0
    for moment in plan:
        kills += kill(run.begin(), server, moment)
        booked = run.booked()
        assert run.judged() <= run.cached()
        assert server.repeated() == {}
        assert booked.paid <= billed(server) <= booked.paid + booked.possibly_paid + PROMPTS
    assert kills == KILLS
    kill_at_the_end(run)
    run.end()
    counts = server.counts()["batches"]
    booked = run.booked()
    told(protocol, plan, figures(server, booked) | {"kills": kills, "batches": counts["created"]})
    assert set(counts["by_prompt"].values()) == {1}
    assert counts["billed"]["calls"] == PROMPTS
    assert booked.count("possibly_paid", "in_flight") == 0
    assert 0 <= booked.paid - billed(server) <= PROMPTS
    assert_whole(run, booked)
    assert run.records() == wanted


def called(server: Server) -> Counter[str]:
    """How often the server was called with each prompt."""
    return Counter({key: kept["calls"] for key, kept in server.counts()["prompts"].items()})


def assert_whole(run: Run, booked: Booked) -> None:
    """No item is lost, and each reply is paid for once."""
    rows = run.rows(RECORDS[0])
    assert len({key for row in rows for key in KEY.findall(row["reply"])}) == len(rows) == PROMPTS
    assert len({row["item_id"] for row in rows}) == ITEMS
    assert (booked.count("paid"), booked.count("in_flight")) == (PROMPTS, 0)


def figures(server: Server, booked: Booked) -> dict[str, Any]:
    """What was billed, and what was booked."""
    sums = server.sums()
    return {
        "billed calls": billed_calls(server),
        "billed $": billed(server) / 1e9,
        "single calls $": cost(sums["billed"]) / 1e9,
        "booked calls": booked.calls,
        "paid $": booked.paid / 1e9,
        "possibly paid $": booked.possibly_paid / 1e9,
    }
