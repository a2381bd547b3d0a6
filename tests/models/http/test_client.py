"""The client against a real server that fails on command."""

import gc
import itertools
import time
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest

from judgesmith.errors import ModelError
from judgesmith.models.http.client import HttpModel
from judgesmith.models.http.ledger import BudgetSpent
from judgesmith.models.protocol import Request, Sampling, Wanted
from judgesmith.records import Finish, Message
from judgesmith.runs.endpoint import Price

PRICE = Price(input=1.0, output=5.0, as_of=date(2026, 11, 1))
Open = Callable[..., HttpModel]


def ask(n: int, text: str = "Which is more biased, number {}?", **fields: Any) -> list[Request]:
    """So many different prompts."""
    return [
        Request(
            record_id=str(i), messages=(Message(role="user", content=text.format(i)),),
            sampling=Sampling(max_tokens=64), **fields,
        )
        for i in range(n)
    ]  # fmt: skip


def line(model: HttpModel) -> Any:
    (found,) = model.books.ledger.lines()
    return found


@pytest.mark.parametrize("protocol", ["openai", "anthropic"])
def test_answers_come_in_order_and_are_not_asked_twice(
    fault_server: Any, opened: Open, protocol: str
) -> None:
    server = fault_server(latency_ms=5)
    first = opened(server, protocol=protocol, price=PRICE, cap=5.0)
    replies = list(first.complete(ask(200)))
    assert len({reply.text for reply in replies}) > 150
    assert all(r.finish is Finish.STOP and r.calls == 1 and r.cost_usd > 0 for r in replies)
    again = opened(server, protocol=protocol, price=PRICE, cap=5.0)
    repeated = list(again.complete(iter(ask(200))))
    assert [reply.text for reply in repeated] == [reply.text for reply in replies]
    assert {(reply.calls, reply.cost_usd) for reply in repeated} == {(0, 0.0)}
    counts = server.counts()
    assert counts["billed"]["calls"] == 200, counts
    assert (line(again).hits, line(again).paid_calls) == (200, 200)
    spent = sum(round(reply.cost_usd * 1e9) for reply in replies)
    assert line(again).spent == spent == again.books.ledger.totals().booked


def test_the_same_prompt_twice_is_one_call(fault_server: Any, opened: Open) -> None:
    server = fault_server(latency_ms=20)
    model = opened(server)
    replies = list(model.complete(ask(30, "the same every time")))
    assert {reply.text for reply in replies} == {replies[0].text}
    assert sum(reply.calls for reply in replies) == server.counts()["billed"]["calls"] == 1


def test_many_are_in_flight_but_never_more_than_allowed(fault_server: Any, opened: Open) -> None:
    server = fault_server(latency_ms=20)
    assert len(list(opened(server, in_flight=24).complete(ask(300)))) == 300
    assert 12 <= server.counts()["peak"] <= 24


def test_under_mixed_faults_everything_ends(fault_server: Any, opened: Open) -> None:
    """Three of ten attempts fail; each prompt ends with a reply, or with a reason."""
    server = fault_server(latency_ms=2)
    server.plan(
        {
            "fault": ["rate_limit", "error_500", "overloaded_503", "close_before", "close_mid_body",
                      "half_json", "wrong_content_type", "empty_choices", "wrong_model",
                      "garbage_bytes", "hang"],
            "share": 0.3,
        }
    )  # fmt: skip
    model = opened(server, timeout_s=1.0, price=PRICE, cap=50.0)
    replies = list(model.complete(ask(150)))
    assert len(replies) == 150
    for reply in replies:
        assert (reply.finish is Finish.FAILED) == (reply.failure is not None)
        assert reply.text or reply.failure
    assert sum(reply.finish is Finish.STOP for reply in replies) >= 145
    booked, counts = line(model), server.counts()
    assert booked.paid_calls == sum(reply.finish is Finish.STOP for reply in replies)
    # What the server billed is paid or possibly paid; nothing it billed is booked as free.
    assert counts["billed"]["calls"] <= booked.paid_calls + booked.unsure_calls
    assert booked.unsure_calls > 0
    assert booked.free_calls > 0


def test_retry_after_holds_all_calls(fault_server: Any, opened: Open) -> None:
    server = fault_server()
    server.plan({"fault": "rate_limit_after", "retry_after": 2, "share": 1.0, "times": 1,
                 "match": "number 0"})  # fmt: skip
    begun = time.monotonic()
    replies = list(opened(server).complete(ask(20)))
    assert [reply.calls for reply in replies] == [2] + [1] * 19
    assert time.monotonic() - begun >= 2.0


def test_the_window_shrinks_when_the_server_is_full(fault_server: Any, opened: Open) -> None:
    """A server that takes eight at a time: the client settles near that, and all is answered."""
    server = fault_server(latency_ms=10, capacity=8)
    replies = list(opened(server, in_flight=128).complete(ask(400)))
    assert all(reply.finish is Finish.STOP for reply in replies)
    refused = server.counts()["statuses"].get("503", 0)
    assert refused < 200, refused


@pytest.mark.parametrize(
    ("options", "fields", "message"),
    [
        ({"keys": ["right"]}, {"key": "wrong-key-9876"}, "401"),
        ({"models": ["other"]}, {}, "judge"),
    ],
)
def test_what_no_call_can_mend_stops_after_one_call(
    fault_server: Any, opened: Open, options: Any, fields: Any, message: str
) -> None:
    server = fault_server(**options)
    with pytest.raises(ModelError, match=message) as caught:
        list(opened(server, **fields).complete(ask(50)))
    assert sum(server.counts()["statuses"].values()) == 1
    assert "wrong-key-9876" not in str(caught.value)


def test_a_server_that_is_not_there(
    fault_server: Any, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = fault_server()
    model = opened(server)
    server.kill()
    monkeypatch.setattr("judgesmith.models.http.calls.backoff_s", lambda *_, **__: 0.01)
    with pytest.raises(ModelError, match="does not answer"):
        list(model.complete(ask(50)))


def test_an_endpoint_that_goes_away_stops_the_run_and_keeps_what_was_answered(
    fault_server: Any, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("judgesmith.models.http.calls.backoff_s", lambda *_, **__: 0.01)
    server = fault_server()
    model = opened(server)
    replies = model.complete(ask(5000))
    answered = [next(replies) for _ in range(100)]
    server.kill()
    with pytest.raises(ModelError, match="does not answer"):
        answered.extend(replies)
    assert 100 <= len(answered) < 5000
    assert all(reply.finish is Finish.STOP for reply in answered[:100])


@pytest.mark.parametrize("calls", [1, 256])
def test_the_cap_is_never_passed(fault_server: Any, opened: Open, calls: int) -> None:
    """With 256 calls in flight too: what the server billed stays below the cap."""
    server = fault_server(latency_ms=10)
    cap = 0.05
    model = opened(server, price=PRICE, cap=cap, in_flight=calls)
    answered = []
    with pytest.raises(BudgetSpent, match="--budget-usd"):
        answered.extend(model.complete(ask(2000)))
    totals = model.books.ledger.totals()
    assert totals.booked <= round(cap * 1e9)
    assert totals.in_flight == totals.possibly_paid == 0
    billed = server.counts()["billed"]["calls"]
    assert billed == line(model).paid_calls > 20
    # With more money the run goes on, and pays for nothing twice.
    more = opened(server, price=PRICE, cap=50.0, in_flight=64)
    assert len(list(more.complete(ask(billed + 30)))) == billed + 30
    assert not server.repeated()


def test_a_caller_that_stops_books_what_was_in_flight(fault_server: Any, opened: Open) -> None:
    server = fault_server(latency_ms=300)
    model = opened(server, price=PRICE, cap=5.0, in_flight=8)
    replies = model.complete(ask(100))
    next(replies)
    replies.close()
    gc.collect()
    totals, booked = model.books.ledger.totals(), line(model)
    assert totals.in_flight == 0
    assert booked.calls == booked.paid_calls + booked.unsure_calls + booked.free_calls


def test_an_endless_generator_is_read_as_needed(fault_server: Any, opened: Open) -> None:
    server = fault_server()
    taken = itertools.count()

    def endless() -> Iterator[Request]:
        while True:
            yield ask(1, f"prompt {next(taken)}")[0]

    replies = opened(server, in_flight=4).complete(endless())
    assert [bool(next(replies).text) for _ in range(50)] == [True] * 50
    time.sleep(0.5)
    assert next(taken) < 400
    replies.close()


def test_probabilities_of_the_verdict(fault_server: Any, opened: Open) -> None:
    server = fault_server()
    wanted = Wanted(after="<verdict>", options=("A", "B", "TIE"))
    for reply in opened(server).complete(ask(20, wanted=wanted)):
        verdict = reply.text.split("<verdict>")[1].split("<")[0]
        assert reply.probabilities is not None
        assert sum(reply.probabilities.values()) == pytest.approx(1)
        assert max(reply.probabilities, key=lambda v: reply.probabilities[v]) == verdict
        assert reply.covered == pytest.approx(0.96, abs=0.03)


@pytest.mark.parametrize(
    ("fault", "finish"), [("refusal", Finish.REFUSED), ("truncated", Finish.LENGTH)]
)
def test_how_a_reply_ended(fault_server: Any, opened: Open, fault: str, finish: Finish) -> None:
    server = fault_server()
    server.plan({"fault": fault})
    (reply,) = opened(server).complete(ask(1))
    assert reply.finish is finish


def test_a_prompt_that_is_too_long_ends_alone(fault_server: Any, opened: Open) -> None:
    server = fault_server(context=200)
    requests = ask(10)
    long = Message(role="user", content="word " * 400)
    requests[3] = requests[3].model_copy(update={"messages": (long,)})
    replies = list(opened(server).complete(requests))
    assert [reply.too_long for reply in replies] == [i == 3 for i in range(10)]
