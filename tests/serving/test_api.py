"""What a client of `/v1/judgments` gets, from the real server and a judge by a rule."""

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from judges import FAULT, PAIR, Scripted, scripted_judge
from served import CHAT, JUDGMENTS, Server, served, until

from judgesmith.inference.abstaining import Abstaining
from judgesmith.inference.judge import Judge
from judgesmith.judging.library import LIBRARY
from judgesmith.metrics import Abstention
from judgesmith.records import Kind
from judgesmith.serving.batching import Room
from judgesmith.serving.desk import Opened
from judgesmith.serving.door import HEADERS
from judgesmith.serving.keys import Keys
from judgesmith.web.keys import hash_key

Serve = Callable[..., Server]
Made = Callable[..., tuple[Judge, Scripted]]


@pytest.fixture
def server(serve: Serve, scripted: Made) -> Server:
    judge, _ = scripted()
    return serve(judge)


@pytest.fixture(scope="module")
def lasting() -> Iterator[Server]:
    """One server for many questions: to stop one takes a fifth of a second."""
    with served(scripted_judge()[0]) as server:
        yield server


def test_a_pair_is_judged_in_both_orders(server: Server) -> None:
    said = server.judge({**PAIR, "id": "p1"}).json
    assert (said["id"], said["verdict"], said["names"], said["status"]) == (
        "p1", "A", "better", "parsed",
    )  # fmt: skip
    assert said["distribution"] == {"A": 0.8, "B": 0.2}
    assert (said["confidence"], said["preference"]) == (0.8, 0.6)
    assert said["order_agreement"] is True
    assert [(one["shown"], one["verdict"]) for one in said["orders"]] == [("ab", "A"), ("ba", "A")]
    assert [one["rationale"] for one in said["orders"]] == [None, None]
    assert said["judge"] == {
        "name": "scripted", "version": scripted_judge()[0].version,
        "dialect": "prometheus-relative",
        "dialect_hash": LIBRARY["prometheus-relative"].hash, "calibration": None,
    }  # fmt: skip


def test_reasons_come_where_they_are_asked_for(server: Server) -> None:
    said = server.judge({**PAIR, "rationale": True}).json
    assert [one["rationale"] for one in said["orders"]] == ["So.", "So."]


def test_many_rows_are_judged_in_their_order(server: Server) -> None:
    swapped = {**PAIR, "response_a": "awful", "response_b": "splendid"}
    said = server.judge({"items": [PAIR, swapped, {**PAIR, "id": "x"}], "rationale": True}).json
    assert [one["verdict"] for one in said["judgments"]] == ["A", "B", "A"]
    assert [one["id"] for one in said["judgments"]] == [None, None, "x"]
    assert server.number("judgments_total", verdict="A", status="parsed") == 2


def test_responses_are_scored_alone_where_the_judge_does_so(serve: Serve, scripted: Made) -> None:
    judge, _ = scripted("prometheus-absolute")
    server = serve(judge)
    fields = {"criterion": "Does it say when?", "levels": list("12345")}
    one = server.judge({"question": "Where?", "fields": fields, "response": "splendid"}).json
    assert (one["verdict"], one["scores"], one["orders"]) == (None, [4.5], [])
    two = server.judge({**PAIR, "fields": fields, "rationale": True}).json
    assert (two["verdict"], two["order_agreement"], len(two["scores"])) == ("A", None, 2)
    assert two["rationale"] == "So.\nSo."
    about = server.call("/v1/judge").json
    assert (about["kind"], about["low"], about["high"]) == ("single", 1, 5)
    assert about["needs"] == ["context", "fields.criterion", "fields.levels"]


def test_a_list_is_judged_by_a_judge_of_lists(serve: Serve, scripted: Made) -> None:
    judge, _ = scripted("judgelm-list")
    server = serve(judge)
    said = server.judge({"question": "Where?", "responses": ["a", "b", "c"]}).json
    # 9, 5, 1 in the order shown, whatever it is: so both ends are 5 over both orders.
    assert (said["scores"], said["status"], said["verdict"]) == ([5.0, 5.0, 5.0], "parsed", None)
    assert [one["shown"] for one in said["orders"]] == ["abc", "cba"]
    wrong = server.judge({"question": "Where?", "responses": ["a"]})
    assert (wrong.status, wrong.error["param"]) == (422, "responses")


@pytest.mark.parametrize(
    ("body", "param", "told"),
    [
        ({"response_a": "a", "response_b": "b"}, "question", "expected this field"),
        ({**PAIR, "wrong": 1}, "wrong", "no such field"),
        ({**PAIR, "question": 3}, "question", "found 3"),
        ({**PAIR, "mode": "slow"}, "mode", "'rationale' or 'fast'"),
        (
            {"question": "x", "fields": PAIR["fields"], "response": "a"},
            "response_a",
            "compares two",
        ),
        ({**PAIR, "fields": {}}, "fields.criterion", "criterion"),
        ({**PAIR, "responses": ["a", "b"]}, "responses", "takes no list"),
        ({"items": [PAIR, {**PAIR, "question": None}]}, "items.1.question", "found None"),
        ({"items": [PAIR, {**PAIR, "fields": {}}]}, "items.1.fields.criterion", "criterion"),
        ({"items": []}, "items", "at least 1"),
        ({"items": [PAIR] * 65}, "items", "at most 64"),
        ([PAIR], None, "expected a JSON object"),
        (b"{", None, "expected JSON"),
        (b'{"question": "\\ud800"}', None, "surrogate"),
        (b'{"question": NaN}', None, "expected JSON"),
        (b"[" * 100_000, None, "expected JSON"),
        (b"\xff", None, "expected JSON"),
    ],
)
def test_what_is_wrong_is_named(body: Any, param: str | None, told: str, lasting: Server) -> None:
    before = lasting.number("requests_total", path=JUDGMENTS, outcome="invalid")
    found = lasting.judge(body)
    assert found.status == 422
    assert found.error["param"] == param
    assert told in found.error["message"]
    assert (found.error["type"], found.error["code"]) == ("invalid_request_error", "invalid")
    after = lasting.number("requests_total", path=JUDGMENTS, outcome="invalid")
    assert after == before + 1


def test_a_found_value_is_repeated_in_short(server: Server) -> None:
    found = server.judge({**PAIR, "question": ["x" * 10_000]})
    assert len(found.error["message"]) < 400


def test_json_must_say_that_it_is(server: Server) -> None:
    """A page of another site can send text without being asked first; JSON it cannot."""
    found = server.call(JUDGMENTS, PAIR, {"Content-Type": "text/plain"})
    assert (found.status, "application/json" in found.error["message"]) == (422, True)


def test_a_body_that_is_too_large_is_refused(serve: Serve, scripted: Made) -> None:
    server = serve(scripted()[0], body_bytes=2_000)
    large = {**PAIR, "response_a": "x" * 3_000}
    for found in (server.judge(large), server.call(JUDGMENTS, _in_pieces(large), method="POST")):
        assert (found.status, found.error["code"]) == (413, "too_large")
        assert "2000 bytes" in found.error["message"]
    assert server.number("requests_total", outcome="too_large") == 2
    assert server.judge(PAIR).status == 200


def _in_pieces(body: object) -> Any:
    """Without a length before: the server must count."""
    data = json.dumps(body).encode()
    return iter([data[i : i + 500] for i in range(0, len(data), 500)])


def test_keys_are_asked_for_before_anything_is_read(serve: Serve, scripted: Made) -> None:
    judge, _ = scripted()
    server = serve(judge, keys=Keys((hash_key("mine"),)), hosts=None)
    for path in (JUDGMENTS, CHAT, "/v1/models", "/v1/judge", "/metrics", "/other"):
        found = server.call(path, b"not even JSON" if path in (JUDGMENTS, CHAT) else None)
        assert (found.status, found.headers["www-authenticate"]) == (401, "Bearer"), path
    for path in ("/", "/docs", "/openapi.json", "/healthz", "/readyz", "/page/style.css"):
        assert server.call(path).status == 200, path
    assert server.judge(PAIR, Authorization="Bearer mine").status == 200
    assert server.judge(PAIR, Authorization="Bearer yours").status == 401
    schemes = server.call("/openapi.json").json["components"]["securitySchemes"]
    assert schemes == {"HTTPBearer": {"type": "http", "scheme": "bearer"}}


def test_another_name_of_this_address_is_refused(server: Server) -> None:
    """So that no web page can reach a judge on loopback by a name of its own (DNS rebinding)."""
    for host, status in (("evil.example", 421), ("localhost:1", 200), ("[::1]:8000", 200)):
        assert server.call("/v1/judge", headers={"Host": host}).status == status, host


def test_it_is_ready_when_the_judge_has_judged(serve: Serve, scripted: Made) -> None:
    judge, model = scripted()
    model.held.clear()
    server = serve(judge, ready=False)
    assert server.call("/healthz").json == {"status": "alive"}
    assert server.call("/readyz").json == {"status": "loading"}
    for path, body in ((JUDGMENTS, PAIR), ("/v1/models", None)):
        found = server.call(path, body)
        assert (found.status, found.error["code"]) == (503, "loading")
        assert int(found.headers["retry-after"]) > 0
    assert server.number("ready") == 0
    model.held.set()
    until(lambda: server.call("/readyz").status == 200)
    assert len(model.batches) == 1
    assert server.number("ready") == 1


def test_a_judge_that_cannot_be_opened_is_never_ready(serve: Serve) -> None:
    def open_judge() -> Judge:
        raise OSError("no weights")

    server = serve(open_judge, ready=False)
    until(lambda: server.desk.failure is not None)
    assert server.call("/readyz").json == {"status": "failed"}
    assert server.judge(PAIR).status == 503


def test_a_fault_of_the_model_is_told_to_one_client_only(serve: Serve, scripted: Made) -> None:
    server = serve(scripted()[0], room=Room(64, 8, 0.1))
    with_fault = {"items": [PAIR, {**PAIR, "question": FAULT}]}
    found = server.judge(with_fault)
    assert (found.status, found.error["type"]) == (500, "server_error")
    assert "at its end" not in found.content.decode()
    assert server.judge(PAIR).json["verdict"] == "A"


def test_every_reply_has_a_name_and_strict_headers(server: Server) -> None:
    for path in ("/", "/v1/judge", "/nothing", "/metrics"):
        found = server.call(path)
        assert (
            HEADERS.items() <= {name: found.headers.get(name.lower()) for name in HEADERS}.items()
        )
        assert re.fullmatch("[0-9a-f]{32}", found.headers["x-request-id"])
    kept = server.call("/healthz", headers={"X-Request-Id": "run-7:3"})
    assert kept.headers["x-request-id"] == "run-7:3"
    changed = server.call("/healthz", headers={"X-Request-Id": "a b"})
    assert re.fullmatch("[0-9a-f]{32}", changed.headers["x-request-id"])


def test_pages_load_nothing_from_elsewhere(server: Server) -> None:
    for path in ("/", "/docs"):
        page = server.call(path).content.decode()
        assert not re.search(r"https?://", page)
        parts = re.findall(r'(?:src|href)="(/[^"]*)"', page)
        assert {"/page/style.css"} < set(parts)
        for part in parts:
            found = server.call(part)
            assert found.status == 200, part
            assert not re.search(rb"https?://(?!www\.w3\.org/2000/svg)", found.content)
            assert re.search(r"<script[^>]*>[^<]", page) is None
    assert server.call("/page/../app.py").status == 404
    assert server.call("/page/none.js").status == 404


def test_the_api_describes_itself(server: Server) -> None:
    found = server.call("/openapi.json").json
    assert set(found["paths"]) == {
        JUDGMENTS, "/v1/judge", CHAT, "/v1/models", "/v1/models/{name}", "/healthz", "/readyz",
        "/metrics",
    }  # fmt: skip
    replies = found["paths"][JUDGMENTS]["post"]["responses"]
    assert set(replies) == {"200", "401", "408", "413", "422", "503"}
    assert "HTTPValidationError" not in found["components"]["schemas"]


def test_metrics_say_what_happened(server: Server) -> None:
    server.judge({"items": [PAIR] * 3})
    server.judge(PAIR)
    server.judge({})
    assert server.number("requests_total", path=JUDGMENTS, outcome="answered") == 2
    assert server.number("request_seconds_count", path=JUDGMENTS) == 2
    assert server.number("judgments_total") == 4
    assert server.number("queue_items") == 0
    assert server.number("queue_seconds_count") == 4
    assert server.number("batch_items_sum") == 4
    page = server.call("/metrics").content.decode()
    assert 'judgesmith_judge_info{calibration="",dialect="prometheus-relative",' in page


def test_a_judge_that_abstains_withholds_its_verdict(serve: Serve, scripted: Made) -> None:
    """Its verdicts have the probability .8: below one threshold, above another."""
    judge, _ = scripted()
    for above, verdict, status in ((0.85, None, "abstained"), (0.75, "A", "parsed")):
        rule = Abstention(0.1, 0.05, 100, above, 80, 1, 0.08)
        server = serve(Opened(judge, Abstaining(rule, Kind.PAIR)))
        said = server.judge(PAIR).json
        assert (said["verdict"], said["status"], said["confidence"]) == (verdict, status, 0.8)
        told = (said["preference"], said["distribution"], said["orders"][0]["verdict"])
        assert (None in told, told == (None,) * 3) == (verdict is None,) * 2
        assert server.number("abstentions_total") == (status == "abstained")
        assert said["abstention"] == {"risk": 0.1, "delta": 0.05, "above": above}
        chat = {"model": "scripted", "messages": [{"role": "user", "content": "A: splendid"}]}
        assert server.call(CHAT, chat).error["code"] == "abstains"
        other = server.judge({**PAIR, "mode": "fast"})
        assert (other.status, other.error["param"]) == (422, "mode")


def test_a_promise_about_one_kind_of_row_refuses_another(serve: Serve, scripted: Made) -> None:
    judge, _ = scripted()
    rule = Abstention(0.1, 0.05, 100, 0.75, 80, 1, 0.08)
    found = serve(Opened(judge, Abstaining(rule, Kind.SINGLE))).judge(PAIR)
    assert found.status == 422
    assert "expected one response, found two responses" in found.error["message"]


def test_either_mode_is_asked_for_by_request(serve: Serve, scripted: Made) -> None:
    judge, model = scripted()
    server = serve(judge)
    for mode, forced in (("rationale", None), ("fast", "Feedback: ")):
        said = server.judge({**PAIR, "mode": mode}).json
        assert (said["mode"], said["verdict"]) == (mode, "A")
        found = model.requests[-1].forced
        assert found is None if forced is None else str(found).startswith(forced)


def test_a_model_without_fast_mode_says_so(serve: Serve, scripted: Made) -> None:
    judge, model = scripted()
    model.takes_forced = False
    found = serve(judge).judge({**PAIR, "mode": "fast"})
    assert (found.status, "mode fast" in found.error["message"]) == (422, True)


def test_modes_do_not_share_a_batch(serve: Serve, scripted: Made) -> None:
    judge, model = scripted()
    server = serve(judge, room=Room(64, 16, 0.1))
    with ThreadPoolExecutor(6) as crowd:
        modes = ["fast", "rationale"] * 3
        said = list(crowd.map(lambda mode: server.judge({**PAIR, "mode": mode}).json, modes))
    assert [one["mode"] for one in said] == modes
    assert {len({request.forced for request in batch}) for batch in model.asked} == {1}
