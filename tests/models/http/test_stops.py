"""When a run stops, when it must not, and what it has paid by then: against real servers."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from judgesmith.errors import ModelError, RunError
from judgesmith.models.http.client import HttpModel
from judgesmith.models.http.ledger import BudgetSpent
from judgesmith.models.http.prices import bound
from judgesmith.models.http.wires import load_wire
from judgesmith.models.protocol import Request, Sampling
from judgesmith.records import Finish, Message
from judgesmith.runs.endpoint import Price

pytestmark = pytest.mark.timeout(60)
PRICE = Price(input=1.0, output=5.0, as_of=date(2026, 11, 1))
Open = Callable[..., HttpModel]


def ask(*texts: str) -> list[Request]:
    """One prompt per text."""
    return [
        Request(
            record_id=str(i), messages=(Message(role="user", content=text),),
            sampling=Sampling(max_tokens=64),
        )
        for i, text in enumerate(texts)
    ]  # fmt: skip


def many(n: int) -> list[Request]:
    return ask(*(f"number {i:04d}" for i in range(n)))


def dearest(model: HttpModel) -> int:
    """The bound of any of `many`, in nano-dollars."""
    request = many(1)[0]
    return bound(model.endpoint, request, len(load_wire("openai").body(model.endpoint, request)))


def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("judgesmith.models.http.calls.backoff_s", lambda *_, **__: 0.01)


def test_a_stop_is_heard_while_the_thread_waits_for_room(made: Any, opened: Open) -> None:
    """The second prompt ends last: 16 + 64 others may begin after it, and the rest of 64 more."""

    async def handler(prompt: str) -> Any:
        if prompt == "number 0001":
            await asyncio.sleep(1.5)
            return made.refused(401)
        return made.replied()

    server = made.server(handler)
    with pytest.raises(ModelError, match="401"):
        list(opened(server, in_flight=4).complete(many(300)))
    assert len(server.asked) <= 16 + 64 + 64


def test_an_endpoint_that_dies_ends_the_run_with_few_calls(
    made: Any, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """64 are in flight and as many may follow their answers; then it is tried one by one."""
    quick(monkeypatch)
    server = made.server(lambda _: answered())

    async def answered() -> Any:
        await asyncio.sleep(0.005)
        return made.replied() if len(server.asked) <= 1000 else made.refused(502)

    with pytest.raises(ModelError, match=r"status 502.* does not answer"):
        list(opened(server, in_flight=64).complete(many(3000)))
    assert 1000 < len(server.asked) <= 1000 + 64 + 64 + 12


@pytest.mark.parametrize("calls", [16, 64])
def test_a_short_outage_is_waited_for(made: Any, opened: Open, calls: int) -> None:
    """For two seconds all fails; nothing ends with it, and it is not hammered."""
    began, bad = [0.0], [0]

    async def handler(_: str) -> Any:
        if len(server.asked) > 200:
            began[0] = began[0] or time.monotonic()
            if time.monotonic() < began[0] + 2:
                bad[0] += 1
                return made.refused(502)
        await asyncio.sleep(0.02)
        return made.replied()

    server = made.server(handler)
    replies = list(opened(server, in_flight=calls).complete(many(600)))
    assert [reply.finish for reply in replies] == [Finish.STOP] * 600
    assert bad[0] <= 2 * calls + 8


@pytest.mark.parametrize(("status", "calls", "owed"), [(504, 6, 6), (500, 60, 0)])
def test_an_endpoint_that_never_answers_gets_few_calls(
    made: Any, opened: Open, monkeypatch: pytest.MonkeyPatch, status: int, calls: int, owed: int
) -> None:
    """Six where each may be paid for; more where they are free: a server may still be starting."""
    quick(monkeypatch)

    async def handler(_: str) -> Any:
        return made.refused(status)

    server = made.server(handler)
    model = opened(server, price=PRICE, cap=5.0)
    with pytest.raises(ModelError, match="does not answer"):
        list(model.complete(many(400)))
    assert 6 <= len(server.asked) <= calls
    assert model.books.ledger.totals().possibly_paid == owed * dearest(model)


@pytest.mark.parametrize("count", [2, 5])
def test_prompts_that_always_fail_do_not_stop_the_others_nor_a_resumed_run(
    made: Any, opened: Open, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """The server is healthy; it cannot take some prompts, and never will."""
    quick(monkeypatch)
    poison = {f"number {i:04d}" for i in range(3, 3 + count)}

    async def handler(prompt: str) -> Any:
        return made.refused(504) if prompt in poison else made.replied()

    server = made.server(handler)
    for _ in range(3):
        replies = list(opened(server, price=PRICE, cap=5.0).complete(many(40)))
        assert sum(reply.finish is Finish.FAILED for reply in replies) == count
    again = [r for r in many(40) if r.messages[0].content in poison]
    replies = list(opened(server, price=PRICE, cap=5.0).complete(again))
    assert [reply.finish for reply in replies] == [Finish.FAILED] * count


def test_an_endpoint_that_answered_nothing_is_no_failed_prompt(
    made: Any, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch)

    async def handler(_: str) -> Any:
        return made.refused(500)

    with pytest.raises(ModelError, match="does not answer"):
        list(opened(made.server(handler)).complete(many(1)))


def test_a_prompt_that_the_server_cannot_take_ends_alone(
    made: Any, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch)

    async def handler(prompt: str) -> Any:
        return made.refused(500) if prompt == "number 0000" else made.replied()

    replies = list(opened(made.server(handler)).complete(many(40)))
    assert [i for i, reply in enumerate(replies) if reply.finish is Finish.FAILED] == [0]
    assert replies[0].calls == 6


def test_a_wrong_model_stops_after_one_call_and_says_what_to_write(made: Any, opened: Open) -> None:
    async def handler(_: str) -> Any:
        return made.replied(model="claude-4.5-sonnet")

    server = made.server(handler)
    fields = {"model": "claude-sonnet-4.5"}
    with pytest.raises(ModelError, match=r"answers_as: \['claude-4.5-sonnet'\]"):
        list(opened(server, **fields).complete(many(40)))
    assert len(server.asked) == 1
    more = opened(server, **fields, answers_as=["claude-4.5-sonnet"])
    assert len(list(more.complete(many(40)))) == 40


def test_a_server_that_asks_for_a_day_is_not_waited_for(made: Any, opened: Open) -> None:
    async def handler(_: str) -> Any:
        return made.refused(429, "daily limit", **{"Retry-After": "86400"})

    with pytest.raises(ModelError, match="takes no calls before 20"):
        list(opened(made.server(handler)).complete(many(5)))


def test_a_mistake_of_ours_ends_the_run_and_is_raised(
    made: Any, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def handler(_: str) -> Any:
        return made.replied()

    model = opened(made.server(handler), price=PRICE, cap=5.0)
    real = load_wire("openai").read

    def read(_: object, content: bytes, request: Request, **names: Any) -> Any:
        if request.record_id == "6":
            raise KeyError("a mistake")
        return real(content, request, **names)

    monkeypatch.setattr("judgesmith.models.http.openai_wire.OpenAIWire.read", read)
    with pytest.raises(KeyError, match="a mistake"):
        list(model.complete(many(300)))
    totals = model.books.ledger.totals()
    assert (totals.in_flight, totals.possibly_paid) == (0, dearest(model))


def test_books_that_cannot_be_written_end_the_run(
    made: Any, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def handler(_: str) -> Any:
        await asyncio.sleep(0.005)
        return made.replied()

    model = opened(made.server(handler))
    calls = iter(range(10**6))
    real = model.books.ledger.settle

    def settle(outcomes: Any) -> None:
        if next(calls) >= 5:
            raise OverflowError("too large to convert to SQLite INTEGER")
        real(outcomes)

    monkeypatch.setattr(model.books.ledger, "settle", settle)
    with pytest.raises(OverflowError, match="too large"):
        list(model.complete(many(300)))


def test_an_absurd_count_is_booked_at_the_bound(made: Any, opened: Open) -> None:
    async def handler(prompt: str) -> Any:
        odd = {"completion_tokens": 10**17} if prompt == "number 0004" else {}
        return made.replied(**odd)

    model = opened(made.server(handler), price=PRICE, cap=5.0)
    replies = list(model.complete(many(30)))
    assert round(replies[4].cost_usd * 1e9) == dearest(model)


def test_replies_outlive_a_cache_that_was_held_for_a_while(
    made: Any, opened: Open, tmp_path: Path
) -> None:
    """Another process holds the file for longer than we wait: what was paid is still kept."""

    async def handler(_: str) -> Any:
        await asyncio.sleep(0.05)
        return made.replied()

    server = made.server(handler)
    model = opened(server, wait_s=0.3)
    list(model.complete(ask(*(f"before {i}" for i in range(8)))))
    lock = sqlite3.connect(
        tmp_path / "replies.sqlite", isolation_level=None, check_same_thread=False
    )
    lock.execute("BEGIN IMMEDIATE")
    held = threading.Timer(0.5, lambda: lock.execute("ROLLBACK"))
    held.start()
    with pytest.raises(RunError, match="held by another process"):
        list(model.complete(many(40)))
    held.join()
    lock.close()
    asked = set(server.asked)
    assert len(list(opened(server).complete(many(40)))) == 40
    assert len(server.asked) == len(set(server.asked)) == 48
    assert len(asked) > 8


def bounds(model: HttpModel, n: float) -> float:
    return dearest(model) * n / 1e9


@pytest.mark.parametrize("room", [1.5, 10])
def test_the_budget_is_spent_before_it_is_said_to_be(made: Any, opened: Open, room: float) -> None:
    """A call costs a twentieth of its bound or so: a few bounds are room for many calls."""

    async def handler(_: str) -> Any:
        await asyncio.sleep(0.005)
        return made.replied(prompt_tokens=5, completion_tokens=1)

    server = made.server(handler)
    cap = bounds(opened(server, price=PRICE), room)
    model = opened(server, price=PRICE, cap=cap)
    spent = 5 * 1000 + 5000
    fit = int((cap * 1e9 - dearest(model)) // spent) + 1
    assert len(list(model.complete(many(min(fit, 40))))) == min(fit, 40)
    with pytest.raises(BudgetSpent):
        list(model.complete(many(2000)))
    assert dearest(model) > cap * 1e9 - model.books.ledger.totals().booked >= 0


@pytest.mark.parametrize("calls", [1, 4, 64])
def test_a_prompt_that_was_just_answered_is_not_paid_again(
    made: Any, opened: Open, calls: int
) -> None:
    async def handler(_: str) -> Any:
        await asyncio.sleep(0.005)
        return made.replied()

    server = made.server(handler)
    model = opened(server, price=PRICE, cap=5.0, in_flight=calls)
    replies = list(model.complete([r for r in many(30) for _ in "ab"] + many(30)))
    assert len(server.asked) == 30
    assert sum(reply.calls for reply in replies) == 30
    assert [reply.calls for reply in replies[::2]] == [1] * 30 + [0] * 15


def test_a_server_that_bills_beyond_the_limit_stops_the_run(made: Any, opened: Open) -> None:
    """64 tokens are allowed and 5,005 are billed; at most what was in flight goes beyond."""

    async def handler(_: str) -> Any:
        await asyncio.sleep(0.02)
        return made.replied(total_tokens=5025)

    model = opened(made.server(handler), price=PRICE, cap=0.5, in_flight=256)
    with pytest.raises(ModelError, match=r"5005 of reply. No budget can be kept"):
        list(model.complete(many(600)))
    totals = model.books.ledger.totals()
    assert totals.cap is not None
    assert totals.spent <= totals.cap
    assert model.books.ledger.lines()[0].paid_calls <= 4


def test_a_megabyte_that_cannot_fit_is_not_sent(made: Any, opened: Open) -> None:
    async def handler(_: str) -> Any:
        return made.replied()

    server = made.server(handler)
    texts = ["word " * 200_000, "short", "x" * 1_000_000, "-" * 30_000 + " fits after all"]
    replies = list(opened(server, context=8192).complete(ask(*texts)))
    assert [reply.too_long for reply in replies] == [True, False, True, False]
    assert [reply.calls for reply in replies] == [0, 1, 0, 1]
    assert "do not fit the `context` of 8,192 tokens" in (replies[0].failure or "")
    assert [len(text) for text in server.asked] == [5, 30_015]
