"""Batches against a real server that fails on command; what it billed is the oracle."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import openai
import pytest
import running
from clients import rows, start_batch
from running import Server

from judgesmith.errors import ModelError, RecipeError
from judgesmith.models.http.batch_book import (
    BatchState,
    Counts,
    OpenBatch,
    OpenLine,
    check_left_open,
    reported,
)
from judgesmith.models.http.batch_results import Results
from judgesmith.models.http.batch_vendor import EXPIRED, MISSING, load_vendor
from judgesmith.models.http.cache import ReplyCache
from judgesmith.models.http.client import Books, HttpModel
from judgesmith.models.http.ledger import BudgetSpent, Ledger
from judgesmith.models.protocol import Request, Sampling, Wanted
from judgesmith.records import Finish, Message
from judgesmith.runs.endpoint import Batching, Endpoint, Price

PRICE = Price(input=1.0, output=5.0, batch=0.5, as_of=date(2026, 11, 1))
BOTH = pytest.mark.parametrize("protocol", ["openai", "anthropic"])
CREATES = {"openai": "batches_create", "anthropic": "message_batches_create"}
GETS = {"openai": "batches_get", "anthropic": "message_batches_get"}
CONTENTS = ["files_content", "message_batches_results"]
LISTS = {"openai": "batches_list", "anthropic": "message_batches_list"}
Open = Callable[..., HttpModel]
pytestmark = pytest.mark.wide


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running.fault_server(tmp_path_factory.mktemp("server"), batch_polls=2) as server:
        yield server


@pytest.fixture
def server(shared: Server) -> Server:
    """One server for the tests of this file, as new."""
    shared.reset()
    return shared


def ask(n: int, text: str = "Which is more biased, number {}?", **fields: Any) -> list[Request]:
    """So many different prompts."""
    return [
        Request(
            record_id=str(i), messages=(Message(role="user", content=text.format(i)),),
            sampling=Sampling(max_tokens=64), **fields,
        )
        for i in range(n)
    ]  # fmt: skip


@pytest.fixture(autouse=True)
def no_long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("judgesmith.models.http.batch_sender.backoff_s", lambda *_: 0.01)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Opens models; several in one test share the cache and the ledger's file."""
    books: list[Books] = []

    def opener(
        server: Any, *, key: str | None = None, cap: float | None = None, requests: int = 40,
        tokens: int | None = None, poll_s: float = 0.02, **fields: Any,
    ) -> HttpModel:  # fmt: skip
        for before in books:
            before.ledger.close()
        cache = ReplyCache(tmp_path / "replies.sqlite")
        books.append(Books(cache, Ledger(tmp_path / "ledger.sqlite", cap), "labels"))
        batch = Batching(max_requests=requests, max_tokens=tokens, poll_s=poll_s)
        plain = {"protocol": "openai", "url": server.url, "model": "judge", "timeout_s": 20}
        endpoint = Endpoint.model_validate({**plain, "price": PRICE, "batch": batch, **fields})
        return HttpModel("teacher", endpoint, key=key, books=books[-1])

    yield opener
    for left in books:
        left.ledger.close()
        left.cache.close()


def line(model: HttpModel) -> Any:
    (found,) = model.books.ledger.lines()
    return found


def states(model: HttpModel) -> list[str]:
    return [str(batch.state) for batch in reported(model.books.ledger)]


def all_answered(replies: list[Any]) -> bool:
    return all(reply.finish is Finish.STOP and reply.text for reply in replies)


@BOTH
def test_answers_come_in_order_at_the_price_of_batches(
    server: Server, opened: Open, protocol: str
) -> None:
    """100 prompts in batches of 40 are three batches; the same prompts again are hits.

    What one of them cost is the tokens that the server billed at half of the price.
    """
    model = opened(server, protocol=protocol, cap=5.0)
    replies = list(model.complete(iter(ask(100))))
    assert all_answered(replies)
    billed = server.counts()["batches"]
    assert billed["created"] == 3
    assert billed["billed"]["calls"] == 100
    assert not server.repeated()
    tokens = billed["billed"]
    exact = (tokens["prompt_tokens"] * 1000 + tokens["completion_tokens"] * 5000) // 2
    spent = sum(round(reply.cost_usd * 1e9) for reply in replies)
    assert spent == line(model).spent == model.books.ledger.totals().booked
    assert 0 <= spent - exact <= 100
    single = HttpModel(
        "single", model.endpoint.model_copy(update={"batch": None}), key=None, books=model.books
    )
    again = list(single.complete(ask(100)))
    assert [reply.text for reply in again] == [reply.text for reply in replies]
    assert {reply.calls for reply in again} == {0}
    assert [(b.state, b.requests, b.counts.answered) for b in reported(model.books.ledger)] == [
        (BatchState.OVER, 40, 40), (BatchState.OVER, 40, 40), (BatchState.OVER, 20, 20)
    ]  # fmt: skip


def test_the_files_are_deleted(server: Server, opened: Open) -> None:
    server.plan({"fault": "line_errored", "match": "number 3\\?", "times": 1})
    assert len(list(opened(server).complete(ask(10)))) == 10
    calls = server.counts()["calls"]
    # Two uploads, the output of two batches and the errors of one.
    assert (calls["files_create"], calls["files_delete"]) == (2, 5)


@BOTH
def test_the_same_prompt_twice_is_one_line(server: Server, opened: Open, protocol: str) -> None:
    replies = list(opened(server, protocol=protocol).complete(ask(30, "always the same")))
    assert {reply.text for reply in replies} == {replies[0].text}
    assert sum(reply.calls for reply in replies) == 1
    assert server.counts()["batches"]["billed"]["calls"] == 1


@BOTH
def test_the_same_prompt_after_its_batch_has_ended(
    server: Server, opened: Open, protocol: str
) -> None:
    """All are looked up in the cache at once, and each batch of 4 or 5 is waited for."""
    replies = list(opened(server, protocol=protocol, tokens=160).complete(ask(30) * 2))
    assert all_answered(replies)
    assert [reply.calls for reply in replies] == [1] * 30 + [0] * 30
    assert sum(reply.cost_usd > 0 for reply in replies) == 30
    assert server.counts()["batches"]["billed"]["calls"] == 30


def test_probabilities_of_the_verdict(server: Server, opened: Open) -> None:
    wanted = Wanted(after="<verdict>", options=("A", "B", "TIE"))
    for reply in opened(server).complete(ask(5, wanted=wanted)):
        assert reply.probabilities is not None
        assert sum(reply.probabilities.values()) == pytest.approx(1)


@BOTH
def test_odd_lines(server: Server, opened: Open, protocol: str) -> None:
    """Of 60 lines: number 1 comes twice, 2 never, 3 has an error, 4 expires, 5 is of another model;

    each once. All are in another order. What is not there is asked again, and what may have been
    billed (2 and 5) stays booked as possibly paid.
    """
    on = {"times": 1, "on": CREATES[protocol]}
    server.plan(
        {"fault": "lines_duplicated", "match": "number 1\\?", **on},
        {"fault": "lines_missing", "match": "number 2\\?", **on},
        {"fault": "line_errored", "match": "number 3\\?", **on},
        {"fault": "line_expired", "match": "number 4\\?", **on},
        {"fault": "wrong_model", "match": "number 5\\?", **on},
        {"fault": "lines_reordered", **on},
    )
    model = opened(server, protocol=protocol, requests=60)
    replies = list(model.complete(ask(60)))
    assert all_answered(replies)
    assert [reply.calls for reply in replies] == [1, 1, 2, 2, 2, 2] + [1] * 54
    first, second = reported(model.books.ledger)
    assert first.counts == (56, 3, 1, 1, 0)
    assert (second.requests, second.counts.answered) == (4, 4)
    booked = line(model)
    assert (booked.paid_calls, booked.unsure_calls, booked.free_calls) == (60, 2, 2)
    assert len(server.repeated()) == 2
    assert server.counts()["batches"]["billed"]["calls"] == 62


@BOTH
def test_another_model_is_paid_for_once(server: Server, opened: Open, protocol: str) -> None:
    """No line is asked again; where the name is in the recipe, the replies are taken."""
    server.plan({"fault": "wrong_model", "on": CREATES[protocol]})
    with pytest.raises(ModelError, match=r"answers_as: \['another-model'\]"):
        list(opened(server, protocol=protocol).complete(ask(10)))
    assert server.counts()["batches"]["created"] == 1
    named = opened(server, protocol=protocol, answers_as=["another-model"])
    assert all_answered(list(named.complete(ask(10))))
    assert line(named).paid_calls == 10
    counts = server.counts()["batches"]
    assert (counts["created"], counts["billed"]["calls"]) == (1, 10)


@BOTH
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("lines_missing", "no line for this request"),
        ("line_expired", "ran out of time"),
        ("line_errored", "status 500"),
        ("empty_choices", "cannot be read"),
    ],
)
def test_a_line_that_never_comes_fails_after_three_batches(
    server: Server, opened: Open, protocol: str, fault: str, reason: str
) -> None:
    if (protocol, fault) == ("anthropic", "empty_choices"):
        pytest.skip("an empty content is a reply without words there")
    server.plan({"fault": fault, "match": "number 3\\?", "on": CREATES[protocol]})
    replies = list(opened(server, protocol=protocol).complete(ask(6)))
    assert [reply.finish for reply in replies].count(Finish.STOP) == 5
    assert (replies[3].finish, replies[3].calls) == (Finish.FAILED, 3)
    assert reason in str(replies[3].failure)
    assert server.counts()["batches"]["created"] == 3


@BOTH
def test_a_prompt_that_is_too_long_ends_alone(
    fault_server: Callable[..., Server], opened: Open, protocol: str
) -> None:
    server = fault_server(context=200)
    requests = ask(10)
    long = Message(role="user", content="word " * 400)
    requests[3] = requests[3].model_copy(update={"messages": (long,)})
    replies = list(opened(server, protocol=protocol).complete(requests))
    assert [reply.too_long for reply in replies] == [i == 3 for i in range(10)]
    assert server.counts()["batches"]["created"] == 1


@BOTH
def test_a_batch_that_is_refused_says_why(server: Server, opened: Open, protocol: str) -> None:
    server.plan({"fault": "batch_invalid", "on": CREATES[protocol]})
    model = opened(server, protocol=protocol, cap=1.0)
    with pytest.raises(ModelError, match=r"The batch failed validation\."):
        list(model.complete(ask(10)))
    assert model.books.ledger.totals().booked == 0
    assert states(model) == ["refused"]


@BOTH
def test_a_wrong_key_is_not_shown(
    fault_server: Callable[..., Server], opened: Open, protocol: str
) -> None:
    server = fault_server(keys=["right"])
    model = opened(server, protocol=protocol, key="wrong-key-98765", cap=1.0)
    with pytest.raises(ModelError, match="401") as caught:
        list(model.complete(ask(10)))
    assert "98765" not in str(caught.value)
    assert model.books.ledger.totals().booked == 0
    leaky = fault_server()
    leaky.plan({"fault": "leak_key", "on": [*CREATES.values(), "files_create"]})
    with pytest.raises(ModelError, match="401") as caught:
        list(opened(leaky, protocol=protocol, key="wrong-key-98765").complete(ask(10)))
    assert "98765" not in str(caught.value)


def test_a_server_without_batches(server: Server, opened: Open) -> None:
    model = opened(server, url=server.root + "/v2")
    with pytest.raises(ModelError, match="leave `batch` out of the endpoint"):
        list(model.complete(ask(10)))


@BOTH
@pytest.mark.parametrize(
    "fault", ["close_after_accept", "close_mid_body", "hang", "not_http", "gateway_503"]
)
def test_a_lost_answer_is_looked_up_before_it_is_repeated(
    server: Server, opened: Open, protocol: str, fault: str
) -> None:
    """The server made the batch and nobody saw the answer: it is found, not made again."""
    server.plan({"fault": fault, "times": 1, "on": CREATES[protocol]})
    model = opened(server, protocol=protocol, timeout_s=0.5, cap=5.0)
    assert all_answered(list(model.complete(ask(100))))
    counts = server.counts()
    assert counts["faults"][fault] == 1
    assert counts["batches"]["created"] == 3
    assert not server.repeated()
    assert states(model) == ["over"] * 3


@BOTH
@pytest.mark.parametrize(
    "fault", ["error_500", "close_before", "overloaded_503", "overloaded_529", "rate_limit"]
)
def test_a_creation_that_failed_is_repeated(
    server: Server, opened: Open, protocol: str, fault: str
) -> None:
    server.plan({"fault": fault, "times": 2, "on": CREATES[protocol]})
    assert all_answered(list(opened(server, protocol=protocol).complete(ask(50))))
    counts = server.counts()
    assert counts["faults"][fault] == 2
    assert counts["batches"]["created"] == 2
    unsure = fault not in ("overloaded_529", "rate_limit")
    assert (LISTS[protocol] in counts["calls"]) == unsure


@BOTH
def test_a_long_wait_is_said(
    server: Server, opened: Open, protocol: str, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    monkeypatch.setattr("judgesmith.models.http.batch_sender.LONG_WAIT_S", 0.1)
    server.plan(
        {"fault": "rate_limit_after", "retry_after": 0.2, "times": 1, "on": CREATES[protocol]}
    )
    assert all_answered(list(opened(server, protocol=protocol).complete(ask(5))))
    (said,) = [record.message for record in caplog.records]
    assert "status 429" in said
    assert "asked again in 0 s" in said


@BOTH
def test_everything_else_is_asked_again_until_it_comes(
    server: Server, opened: Open, protocol: str
) -> None:
    """Half of all looks, uploads and downloads fail in some way."""
    server.plan(
        {"fault": ["error_500", "close_mid_body", "half_json", "garbage_bytes", "rate_limit"],
         "share": 0.5,
         "on": ["files_create", "batches_get", "message_batches_get", "files_delete",
                "batches_list", "message_batches_list"]},
        {"fault": ["half_results", "error_500", "half_json"], "share": 0.5,
         "on": ["files_content", "message_batches_results"]},
    )  # fmt: skip
    model = opened(server, protocol=protocol)
    assert all_answered(list(model.complete(ask(200))))
    assert server.counts()["batches"]["created"] == 5
    assert not server.repeated()


def test_results_that_stay_broken_are_read_as_far_as_they_go(server: Server, opened: Open) -> None:
    server.plan({"fault": "half_json", "on": "files_content", "match": "file-000003/content"})
    model = opened(server)
    replies = list(model.complete(ask(20)))
    assert all_answered(replies)
    assert reported(model.books.ledger)[0].counts.missing > 5


@BOTH
def test_results_that_are_not_there_yet(server: Server, opened: Open, protocol: str) -> None:
    """The batch is over and its results answer 404 for a while: they are paid, and waited for."""
    server.plan({"fault": "not_there_404", "times": 12, "on": CONTENTS})
    model = opened(server, protocol=protocol)
    assert all_answered(list(model.complete(ask(20))))
    counts = server.counts()
    assert counts["faults"]["not_there_404"] == 12
    assert counts["batches"]["billed"]["calls"] == line(model).paid_calls == 20
    assert line(model).unsure_calls == 0


@BOTH
def test_results_that_stay_away_are_not_paid_again(
    server: Server, opened: Open, protocol: str
) -> None:
    """It ends with what to do; nothing is deleted, and the same command finds them later."""
    server.plan({"fault": "not_there_404", "on": CONTENTS})
    with pytest.raises(ModelError, match="start a run in another folder"):
        list(opened(server, protocol=protocol).complete(ask(20)))
    assert "files_delete" not in server.counts()["calls"]
    server.plan()
    assert all_answered(list(opened(server, protocol=protocol).complete(ask(20))))
    assert server.counts()["batches"]["billed"]["calls"] == 20


def test_an_error_file_that_is_not_there_does_not_matter(server: Server, opened: Open) -> None:
    """All lines are in the output file, and the ids of files that are not there are empty."""
    server.plan({"fault": "empty_file_ids"})
    assert all_answered(list(opened(server).complete(ask(10))))
    counts = server.counts()
    assert "404" not in counts["statuses"]
    assert counts["calls"]["files_delete"] == 2


def test_files_stay_where_lines_are_missing(
    server: Server, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six downloads with five growing pauses; of the second batch both files are deleted."""
    pauses: list[int] = []

    def pause(attempt: int, _: float) -> float:
        pauses.append(attempt)
        return 0.01

    monkeypatch.setattr("judgesmith.models.http.batch_sender.backoff_s", pause)
    server.plan({"fault": "lines_missing", "match": "number 3\\?", "times": 1})
    model = opened(server)
    assert all_answered(list(model.complete(ask(10))))
    calls = server.counts()["calls"]
    assert (calls["files_content"], calls["files_delete"]) == (7, 2)
    assert pauses == [1, 2, 3, 4, 5]
    assert line(model).unsure_calls == 1


@BOTH
def test_lines_that_nobody_asked_for_are_counted_and_ignored(protocol: str) -> None:
    """Two lines; the results have one of them twice, one of another batch, and one without name."""
    lines = tuple(OpenLine(n, n, f"k{n}", 9, 1, None, False) for n in range(2))
    batch = OpenBatch("js1", "b", None, 0.0, 5, lines)
    endpoint = Endpoint.model_validate(
        {"protocol": protocol, "url": "http://localhost:1/v1", "model": "m"}
    )
    results = Results(batch, endpoint, load_vendor(protocol))
    gone = {"error": {"code": "batch_expired"}, "result": {"type": "expired"}}
    for name in ("js1-1", "js2-0", "js1-1", None, "js1-2"):
        results.take({"custom_id": name, **gone})
    assert results.counts() == Counts(failed=1, missing=1, duplicated=1, unknown=3)
    assert results.of(lines[0]) is MISSING
    assert results.of(lines[1]) is EXPIRED


@BOTH
def test_a_small_queue_at_the_vendor(
    fault_server: Callable[..., Server], opened: Open, protocol: str
) -> None:
    """Prompts of about 9 tokens; the vendor takes 200 at a time and refuses what is above:

    OpenAI by a batch that fails, Anthropic by status 429. Four batches of 10 are 90 tokens each:
    two fit; with two batches of 40 not one does, so they are halved until they do.
    """
    server = fault_server(enqueued=200, batch_polls=20)
    model = opened(server, protocol=protocol, requests=10)
    assert all_answered(list(model.complete(ask(40))))
    assert "refused" in states(model)
    assert server.counts()["batches"]["created"] == 4
    assert not server.repeated()
    again = opened(server, protocol=protocol, requests=40)
    assert all_answered(list(again.complete(ask(80, "And this one, number {}, of them?"))))
    assert not server.repeated()
    booked = line(again)
    assert (booked.paid_calls, booked.unsure_calls) == (120, 0)
    assert booked.free_calls > 80


@pytest.fixture
def full(fault_server: Callable[..., Server]) -> Iterator[tuple[Server, openai.OpenAI, str]]:
    """A queue of 40 tokens, and a batch of another's in it with 36: not one prompt has room."""
    server = fault_server(enqueued=40)
    with openai.OpenAI(base_url=server.url, api_key="k", max_retries=0) as other:
        yield server, other, start_batch(other, rows(12)).id


def test_others_fill_the_queue_for_a_while(
    full: tuple[Server, openai.OpenAI, str], opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    """Batches of 8, 4, 2 and 1 are refused, the last until the other's is over.

    After that they grow again, one at a time: 1, 2, 4, and the one that is left.
    """
    server, other, theirs = full

    def end_theirs() -> None:
        until = time.monotonic() + 20
        while server.sums()["batches"]["failed"] < 12 and time.monotonic() < until:
            time.sleep(0.01)
        other.batches.retrieve(theirs)

    watching = threading.Thread(target=end_theirs)
    watching.start()
    model = opened(server, requests=8, poll_s=0.002)
    try:
        assert all_answered(list(model.complete(ask(8))))
    finally:
        watching.join()
    found = [(str(b.state), b.requests) for b in reported(model.books.ledger)]
    sizes = [size for state, size in found if state == "over"]
    assert sizes == [1, 2, 4, 1]
    refused = [size for state, size in found if state == "refused"]
    assert refused[:4] == [8, 4, 2, 1]
    assert len(refused) == len(found) - 4 >= 12
    said = [record.message for record in caplog.records]
    assert "no room for a batch of 8" in said[0]
    assert "no room for a batch of 1" in said[-1]


def test_others_fill_the_queue_for_good(
    full: tuple[Server, openai.OpenAI, str], opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("judgesmith.models.http.batches.NO_ROOM_S", 0.2)
    server, _, _ = full
    model = opened(server, requests=8, cap=1.0)
    with pytest.raises(ModelError, match="Others' batches fill the queue"):
        list(model.complete(ask(8)))
    assert model.books.ledger.totals().booked == 0


def test_our_own_bound_on_tokens(fault_server: Callable[..., Server], opened: Open) -> None:
    """A line is estimated at 31 to 40 tokens, by its bytes, so four or five are sent at a time.

    The vendor counts 8 for each and takes 40: two batches at once would be refused.
    """
    server = fault_server(enqueued=40, batch_polls=2)
    model = opened(server, tokens=160)
    assert all_answered(list(model.complete(ask(12))))
    counts = server.counts()["batches"]
    assert counts["failed"] == 0
    assert counts["created"] >= 3


@BOTH
def test_the_cap_is_never_passed(server: Server, opened: Open, protocol: str) -> None:
    """The cap holds about ten calls at their bound: batches shrink to what fits, then it ends."""
    probe = opened(server, protocol=protocol, cap=5.0)
    list(probe.complete(ask(1)))
    (first,) = reported(probe.books.ledger)
    cap = 10.5 * first.bound / 1e9
    model = opened(server, protocol=protocol, cap=cap)
    answered = []
    with pytest.raises(BudgetSpent, match="--budget-usd"):
        answered.extend(model.complete(ask(400)))
    assert model.books.ledger.totals().booked <= round(cap * 1e9)
    assert model.books.ledger.totals().in_flight == 0
    sizes = [batch.requests for batch in reported(model.books.ledger)[1:]]
    assert 9 <= sizes[0] <= 10
    assert sum(sizes) > 20
    billed = server.counts()["batches"]["billed"]
    assert billed["calls"] == line(model).paid_calls == 1 + sum(sizes)
    assert billed["prompt_tokens"] * 500 + billed["completion_tokens"] * 2500 <= cap * 1e9
    more = opened(server, protocol=protocol, cap=5.0)
    assert all_answered(list(more.complete(ask(400))))
    assert not server.repeated()


@BOTH
def test_a_caller_that_stops_leaves_batches_that_are_found_again(
    server: Server, opened: Open, protocol: str
) -> None:
    """In the same process, and after the ledger was opened anew: 100 calls count all the time."""
    server.plan(
        {"fault": "batch_polls", "polls": 60, "on": CREATES[protocol], "match": "number 70"}
    )
    model = opened(server, protocol=protocol, cap=5.0)
    replies = model.complete(ask(100))
    assert next(replies).text
    replies.close()
    totals = model.books.ledger.totals()
    assert totals.in_flight > 0
    replies = model.complete(ask(100))
    next(replies)
    replies.close()
    again = opened(server, protocol=protocol, cap=5.0)
    assert again.books.ledger.totals().possibly_paid > 0
    assert all_answered(list(again.complete(ask(100))))
    assert server.counts()["batches"]["created"] == 3
    assert not server.repeated()
    assert (line(again).paid_calls, line(again).unsure_calls) == (100, 0)


@BOTH
def test_a_batch_whose_creation_nobody_saw_is_found_among_others(
    server: Server, opened: Open, protocol: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is on the third page, behind batches of another run of the same and of other sizes."""
    monkeypatch.setattr("judgesmith.models.http.batch_vendor.PAGE", 2)
    server.plan({"fault": "hang", "times": 1, "on": CREATES[protocol]})
    lost_one(server, opened(server, protocol=protocol), ask(40), created=1)
    model = opened(server, protocol=protocol)
    with Ledger(tmp_path / "other", None) as ledger, ReplyCache(tmp_path / "cache") as cache:
        other = HttpModel("other", model.endpoint, key=None, books=Books(cache, ledger, "labels"))
        assert all_answered(list(other.complete(ask(125, "Another run's, number {}"))))
    assert states(model) == ["open"]
    assert all_answered(list(model.complete(ask(40))))
    assert server.counts()["batches"]["created"] == 5
    assert not server.repeated()
    assert (line(model).paid_calls, line(model).unsure_calls) == (40, 0)


@BOTH
def test_what_a_search_waits_for_is_said(
    server: Server, opened: Open, protocol: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Anthropic's batch shows whose it is only when it is over; OpenAI's at once."""
    server.plan({"fault": "close_after_accept", "times": 1, "on": CREATES[protocol]})
    assert all_answered(list(opened(server, protocol=protocol).complete(ask(20))))
    said = [record.message for record in caplog.records]
    assert len(said) == (protocol == "anthropic")
    assert all("waited for: msgbatch_" in one for one in said)


def test_whose_a_batch_is_must_be_known(server: Server, opened: Open) -> None:
    """Pages that are no results, in their place, are not taken for another's results."""
    server.plan(
        {"fault": "hang", "times": 1, "on": "message_batches_create"},
        {"fault": "wrong_content_type", "times": 3, "on": "message_batches_results"},
    )
    fields = {"protocol": "anthropic", "cap": 5.0}
    lost_one(server, opened(server, **fields), ask(40), created=1)
    assert all_answered(list(opened(server, **fields).complete(ask(40))))
    counts = server.counts()
    assert counts["faults"]["wrong_content_type"] == 3
    assert counts["batches"]["created"] == 1


@BOTH
def test_a_batch_that_was_never_created_is_created_once(
    server: Server, opened: Open, protocol: str
) -> None:
    """The process ended before the request reached the server: its calls cost nothing."""
    place = "files_create" if protocol == "openai" else CREATES[protocol]
    fault = "hang" if protocol == "openai" else "rate_limit_after"
    server.plan({"fault": fault, "times": 1, "on": place, "retry_after": 500})
    lost_one(server, opened(server, protocol=protocol, cap=5.0), ask(40), created=0)
    model = opened(server, protocol=protocol, cap=5.0)
    assert model.books.ledger.totals().possibly_paid > 0
    assert all_answered(list(model.complete(ask(60))))
    assert states(model) == ["absent", "over", "over"]
    assert line(model)[4:7] == (60, 40, 0)
    assert server.counts()["batches"]["created"] == 2


@BOTH
def test_batches_left_open_are_not_forgotten(
    server: Server, opened: Open, protocol: str, tmp_path: Path
) -> None:
    """A recipe that leaves out `batch` while one is open would ask for its lines again."""
    path = tmp_path / "ledger.sqlite"
    server.plan({"fault": "hang", "times": 1, "on": CREATES[protocol]})
    model = opened(server, protocol=protocol)
    single = {"teacher": model.endpoint.model_copy(update={"batch": None})}
    check_left_open(tmp_path / "none", single)
    check_left_open(path, single)
    lost_one(server, model, ask(20), created=1)
    with pytest.raises(RecipeError, match=r"'teacher' has no `batch`.* open at .*: 1\."):
        check_left_open(path, single)
    check_left_open(path, {**single, "same": model.endpoint})
    check_left_open(path, {"other": single["teacher"].model_copy(update={"model": "x"})})
    assert all_answered(list(opened(server, protocol=protocol).complete(ask(20))))
    check_left_open(path, single)


def lost_one(server: Server, model: HttpModel, requests: list[Request], *, created: int) -> None:
    """Ask, and be gone at the moment when something has gone wrong at the server."""
    worker = model._worker(requests)
    worker._thread.start()
    while server.counts()["batches"]["created"] < created or not server.counts()["faults"]:
        time.sleep(0.01)
    time.sleep(0.1)
    worker.stop()
    model.books.ledger.close()
