"""The server's bill never passes --budget-usd: with 256 calls in flight, faults, kills, batches."""

import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest
from labelling import FULL, KEYED, PRICE, Run, billed, requests, tell
from running import Server

UNSURE = ("close_mid_body", "half_json", "wrong_content_type", "wrong_model", "close_after_accept")
"""Billed, and not answered; a server that does so is not asked for fewer calls at a time."""
MIXED = (*UNSURE, "hang", "rate_limit", "rate_limit_after", "error_500")
IN_FLIGHT = 256 if FULL else 16
DEAR = {**PRICE, "input": 1000.0, "output": 5000.0, "cache_write": 1250.0}
"""A thousand times the price: a call costs dimes, so that a cent too much would be seen."""
SCALE = 1000
CAP = IN_FLIGHT * 3.2
NANO = 10**9


def wide(server: Server, **more: Any) -> dict[str, Any]:
    plain = {"url": server.url, "price": DEAR, "in_flight": IN_FLIGHT, "timeout_s": 3}
    return {**plain, **more}


@pytest.mark.parametrize("faults", [(), UNSURE, MIXED], ids=["none", "unsure", "mixed"])
def test_the_bill_stays_under_the_cap(labelling: Any, fault_server: Any, faults: Any) -> None:
    """Faults begin when all calls are in flight: before, the server's objections would keep them
    few. Then the same command again, with as much money: without faults nothing goes out, and
    with faults it is what there is still room for.
    """
    server = fault_server(latency_ms=300, template=KEYED)
    run = labelling("run", wide(server), "--budget-usd", CAP)
    process = run.begin()
    wait_until(process, lambda: server.sums()["open"] >= 0.9 * IN_FLIGHT)
    if faults:
        server.plan({"fault": faults, "share": 0.3, "retry_after": 0.05})
    words, _ = process.communicate()
    assert process.returncode == 2
    assert "The budget is spent" in words
    assert "--budget-usd" in words
    assert_under_the_cap(run, server)
    before = requests(server)
    assert "The budget is spent" in run.end(2)
    assert_under_the_cap(run, server)
    more = requests(server) - before
    assert more == 0 or faults
    tell(", ".join(faults) or "no faults", run, server, more=more)


def test_kills_do_not_make_room_under_the_cap(labelling: Any, fault_server: Any) -> None:
    """256 calls are in flight at each of two kills, and count as paid from then on."""
    server = fault_server(latency_ms=700, template=KEYED)
    run = labelling("run", wide(server), "--budget-usd", 2.2 * CAP)
    for _ in range(2):
        process = run.begin()
        wait_until(process, lambda: server.sums()["open"] >= 0.9 * IN_FLIGHT)
        process.send_signal(signal.SIGKILL)
        words, _ = process.communicate()
        assert process.returncode == -signal.SIGKILL, words
        assert_under_the_cap(run, server, 2.2 * CAP)
    assert "The budget is spent" in run.end(2)
    assert_under_the_cap(run, server, 2.2 * CAP)
    before = requests(server)
    run.end(2)
    assert requests(server) == before
    tell("two kills", run, server)


@pytest.mark.parametrize("protocol", ["openai", "anthropic"])
def test_batches_stay_under_the_cap(labelling: Any, fault_server: Any, protocol: str) -> None:
    server = fault_server(template=KEYED, batch_polls=2)
    on = ["batches_create", "message_batches_create"]
    server.plan(
        {"fault": "lines_missing", "share": 0.02},
        {"fault": ["wrong_model", "line_expired"], "share": 0.3, "on": on},
        {"fault": ["close_after_accept", "error_500"], "share": 0.3, "on": on},
    )
    batch = {"max_requests": 16, "poll_s": 0.05}
    run = labelling("run", wide(server, protocol=protocol, batch=batch), "--budget-usd", CAP / 4)
    assert "The budget is spent" in run.end(2)
    assert_under_the_cap(run, server, CAP / 4)
    assert "The budget is spent" in run.end(2)
    assert_under_the_cap(run, server, CAP / 4)
    tell(f"{protocol}, batches", run, server)


def wait_until(process: subprocess.Popen[str], reached: Callable[[], bool]) -> None:
    while process.poll() is None and not reached():
        time.sleep(0.005)


def assert_under_the_cap(run: Run, server: Server, cap: float = CAP) -> None:
    """Not by a nano-dollar; and the ledger knows of all of it."""
    booked = run.booked()
    bill = SCALE * billed(server)
    assert bill <= cap * NANO
    assert booked.paid + booked.possibly_paid <= cap * NANO
    assert bill <= booked.paid + booked.possibly_paid
