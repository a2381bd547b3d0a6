"""Every way a call can go wrong, and what is done about it."""

import asyncio
import errno
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import client_exceptions as foreign
from aiohttp import http_exceptions as parsing

from judgesmith.models.http.faults import (
    Action,
    Fault,
    of_exception,
    of_status,
    of_unreadable,
    retry_after_s,
)
from judgesmith.models.http.wires import OtherModel, Unreadable
from judgesmith.runs.endpoint import Endpoint

RETRY, FAIL, STOP = Action.RETRY, Action.FAIL, Action.STOP


def endpoint(**fields: Any) -> Endpoint:
    here = {"protocol": "openai", "url": "http://localhost:8000/v1", "model": "judge"}
    return Endpoint.model_validate({**here, **fields})


def said(status: int, message: str = "no", here: Endpoint | None = None, **more: Any) -> Fault:
    content = orjson.dumps({"error": {"message": message, **more}})
    return of_status(status, {}, content, here or endpoint())


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 520, 529])
def test_statuses_that_may_pass(status: int) -> None:
    fault = said(status)
    assert fault.action is RETRY
    assert fault.slow_down is (status in (429, 503, 529))
    assert fault.what == f"status {status}: no"


@pytest.mark.parametrize("status", [*range(300, 309), *range(400, 452), *range(500, 530)])
def test_no_status_is_paid_for_but_those_of_a_gateway_that_lost_its_server(status: int) -> None:
    """The server behind it may have gone on, and billed what nobody received."""
    assert said(status).maybe_paid is (status in (408, 502, 504, 520, 521, 522, 523, 524))


def test_an_overload_is_free_and_a_connection_that_was_reset_is_not() -> None:
    envoy = "upstream connect error or disconnect/reset before headers. reset reason: {}"
    assert said(503, envoy.format("connection termination")).maybe_paid
    assert not said(503, "overloaded; your limits reset in a minute").maybe_paid


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after": " 0.5 "}, 0.5),
        ({"RETRY-AFTER": "0"}, 0.0),
        ({"Retry-After": "9", "retry-after-ms": "250"}, 0.25),
        ({"Retry-After": "Sun, 09 Sep 2001 01:46:50 GMT"}, 10.0),
        ({"Retry-After": "Sun, 09 Sep 2001 01:46:50"}, 10.0),
        ({"Retry-After": "Sun, 09 Sep 2001 01:46:30 GMT"}, 0.0),
        ({"Retry-After": "Sun, 09 Sep 2001 01:46:50 GMT",
          "Date": "Sun, 09 Sep 2001 01:46:45 GMT"}, 5.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "1e9"}, None),
        ({"Retry-After": ""}, None),
        ({"Retry-After": "9" * 400}, None),
    ],
)  # fmt: skip
def test_how_long_the_server_asks_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    """`now` is 10^9 seconds after the epoch: 01:46:40 on 9 September 2001."""
    assert retry_after_s(headers, now=1e9) == seconds
    fault = of_status(429, headers, b"", endpoint(), now=1e9)
    assert fault.retry_after_s == seconds


@pytest.mark.parametrize(
    ("status", "more", "todo"),
    [
        (401, {"message": "Incorrect API key"}, "name one with `key_env` or `key_file`"),
        (403, {"message": "Forbidden"}, "No key was sent"),
        (402, {"message": "Payment required"}, "no money or quota left"),
        (429, {"code": "insufficient_quota"}, "no money or quota left"),
        (400, {"message": "Your credit balance is too low"}, "no money or quota left"),
        (400, {"message": "You have reached your specified API usage limits."}, "no money"),
        (404, {"code": "model_not_found"}, "check `model`"),
        (404, {}, "`url` ends right before /chat/completions"),
        (400, {"message": "The model `judge` does not exist"}, "check `model`"),
        (405, {}, "check `model`"),
        (308, {}, "found a redirection"),
    ],
)
def test_what_every_further_call_would_get_stops(
    status: int, more: dict[str, Any], todo: str
) -> None:
    fault = said(status, **{"message": "no", **more})
    assert fault.action is STOP
    assert todo in fault.what


def test_the_place_of_a_wrong_key_is_named() -> None:
    assert "the variable MY_KEY" in said(401, here=endpoint(key_env="MY_KEY", price="free")).what
    assert "the file /k" in said(401, here=endpoint(key_file="/k", price="free")).what


@pytest.mark.parametrize(
    ("message", "remedy"),
    [
        ("Unsupported parameter: 'max_tokens' is not supported with this model. Use "
         "'max_completion_tokens' instead.", "`options: {max_completion_tokens: true}`"),
        ("Unsupported value: 'temperature' does not support 0 with this model.",
         "`options: {temperature: null}`"),
        ("`temperature` is deprecated for this model.", "`options: {temperature: null}`"),
        ("top_logprobs: Extra inputs are not permitted",
         "`options: {logprobs: null, top_logprobs: null}`"),
        ("Unknown parameter: 'speed'.", "the option 'speed'; mend `options`"),
        ("Invalid schema for response_format 'reply': 'required' is missing.", "change its schema"),
        ("output_config.format.schema: 'additionalProperties' must be false", "change its schema"),
    ],
)  # fmt: skip
def test_a_field_that_the_model_does_not_take_is_said_with_its_remedy(
    message: str, remedy: str
) -> None:
    fault = said(400, message, endpoint(options={"speed": "fast"}))
    assert fault.action is STOP
    assert remedy in fault.what


@pytest.mark.parametrize(
    ("status", "message", "code"),
    [
        (400, "no", "context_length_exceeded"),
        (400, "This model's maximum context length is 4096 tokens.", None),
        (400, "'max_tokens' is too large: 500. This model's maximum context length is 128.", None),
        (400, "prompt is too long: 210000 tokens > 200000 maximum", "invalid_request_error"),
        (400, "the request exceeds the available context size", "exceed_context_size_error"),
        (500, "Requested tokens (900) exceed context window of 512", None),
        (413, "Request exceeds the maximum size", "request_too_large"),
    ],
)
def test_a_prompt_that_is_too_long_ends_only_itself(
    status: int, message: str, code: str | None
) -> None:
    fault = said(status, message, code=code)
    assert (fault.action, fault.too_long) == (FAIL, True)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "The response was filtered due to the content management policy: content_filter"),
        (400, "Invalid prompt: your prompt was flagged"),
        (403, "Your input needs moderation by openai/gpt-5.4"),
    ],
)
def test_a_prompt_that_the_vendor_refuses_ends_only_itself(status: int, message: str) -> None:
    fault = said(status, message)
    assert (fault.action, fault.refused) == (FAIL, True)


@pytest.mark.parametrize("status", [400, 406, 415, 418, 422, 451])
def test_a_fault_that_may_be_the_recipes_stops_the_first_call_only(status: int) -> None:
    fault = said(status, "something is wrong")
    assert (fault.action, fault.stop_if_first) == (FAIL, True)


def test_a_rate_limit_that_advertises_its_billing_page_is_no_empty_account() -> None:
    """OpenAI and others end their rate limit messages so; the money is not spent."""
    message = (
        "Rate limit reached for judge on requests per min. Add a payment method at "
        "https://example.org/account/billing to raise it."
    )
    assert said(429, message, code="rate_limit_exceeded").action is RETRY


def test_a_request_beyond_the_rate_limit_itself_is_not_tried_again() -> None:
    message = "Request too large for judge on tokens per min: Limit 30000, Requested 40000."
    assert said(429, message).action is FAIL


def test_words_of_the_prompt_in_an_error_mean_nothing() -> None:
    """FastAPI gives back the rejected input, here a response that wants to stop the run."""
    hostile = "insufficient_quota context_length model not found flagged unsupported temperature"
    detail = [{"loc": ["body", "messages"], "msg": "Field required", "input": hostile}]
    fault = of_status(422, {}, orjson.dumps({"detail": detail}), endpoint())
    assert (fault.action, fault.too_long, fault.refused) == (FAIL, False, False)
    assert "Field required" in fault.what
    far = said(400, "wrong: " + "x " * 1000 + hostile)
    assert (far.action, far.too_long, far.refused) == (FAIL, False, False)


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>\n<h1>Bad gateway</h1></html>", b"\xff", b"null", b"[]", b'"x"', b'{"error": 5}',
     b'{"error": "busy"}', b'{"error": null}', b'{"detail": [5]}', b"x" * 2_000_000,
     b'{"type": "error", "error": {"type": "api_error", "message": "Internal"}}'],
)  # fmt: skip
def test_any_body_makes_a_short_line(content: bytes) -> None:
    fault = of_status(502, {}, content, endpoint())
    assert fault.action is RETRY
    assert fault.what.isprintable()
    assert len(fault.what) < 200


def test_what_cannot_be_read_may_have_been_paid() -> None:
    assert of_unreadable("x") == Fault(RETRY, "the reply cannot be read: x", maybe_paid=True)


def test_another_model_is_the_recipes_mistake_where_nothing_was_answered_yet() -> None:
    assert of_unreadable(OtherModel("x")).stop_if_first
    assert not of_unreadable(Unreadable("x")).stop_if_first


HOST: Any = SimpleNamespace(host="api.example", port=443, ssl=True, is_ssl=True)
INFO: Any = SimpleNamespace(
    real_url="https://api.example", headers={"Authorization": "Bearer sk-secret"}
)
REFUSED = OSError(errno.ECONNREFUSED, "Connect call failed")
UNTRUSTED = ssl.SSLCertVerificationError("self-signed certificate")
LOST = (RETRY, True)
UNSENT = (RETRY, False)
GIVEN_UP = (STOP, False)

CASES: list[tuple[Exception, tuple[Action, bool]]] = [
    (foreign.ClientError("x"), LOST),
    (foreign.ClientResponseError(INFO, ()), LOST),
    (foreign.ContentTypeError(INFO, ()), LOST),
    (foreign.WSServerHandshakeError(INFO, ()), LOST),
    (foreign.ClientHttpProxyError(INFO, (), status=407), GIVEN_UP),
    (foreign.TooManyRedirects(INFO, ()), GIVEN_UP),
    (foreign.ClientConnectionError("x"), LOST),
    (foreign.ClientConnectionResetError("x"), LOST),
    (foreign.ClientOSError(errno.ECONNRESET, "x"), LOST),
    (foreign.ClientConnectorError(HOST, REFUSED), UNSENT),
    (foreign.ClientConnectorDNSError(HOST, socket.gaierror(-2, "no such name")), UNSENT),
    (foreign.ClientProxyConnectionError(HOST, REFUSED), UNSENT),
    (foreign.UnixClientConnectorError("/s", HOST, REFUSED), UNSENT),
    (foreign.ClientSSLError(HOST, REFUSED), UNSENT),
    (foreign.ClientConnectorSSLError(HOST, REFUSED), UNSENT),
    (foreign.ClientConnectorCertificateError(HOST, UNTRUSTED), GIVEN_UP),
    (foreign.ServerConnectionError("x"), LOST),
    (foreign.ServerDisconnectedError(), LOST),
    (foreign.ServerTimeoutError("x"), LOST),
    (foreign.ConnectionTimeoutError("x"), UNSENT),
    (foreign.SocketTimeoutError("x"), LOST),
    (foreign.ServerFingerprintMismatch(b"a", b"b", "h", 1), GIVEN_UP),
    (foreign.ClientPayloadError("x"), LOST),
    (foreign.InvalidURL("x"), GIVEN_UP),
    (foreign.InvalidUrlClientError("x"), GIVEN_UP),
    (foreign.RedirectClientError("x"), GIVEN_UP),
    (foreign.InvalidUrlRedirectClientError("x"), GIVEN_UP),
    (foreign.NonHttpUrlClientError("x"), GIVEN_UP),
    (foreign.NonHttpUrlRedirectClientError("x"), GIVEN_UP),
    (parsing.HttpProcessingError(message="x"), LOST),
    (parsing.TransferEncodingError("x"), LOST),
    (TimeoutError(), LOST),
    (ConnectionResetError(), LOST),
    (BrokenPipeError(), LOST),
    (ConnectionRefusedError(), UNSENT),
    (socket.gaierror(-2, "no such name"), UNSENT),
    (UNTRUSTED, GIVEN_UP),
    (ssl.SSLError("bad record"), LOST),
    (OSError(errno.EPIPE, "x"), LOST),
    (asyncio.IncompleteReadError(b"", 5), LOST),
]


@pytest.mark.parametrize(("error", "expected"), CASES, ids=lambda c: type(c).__name__)
def test_each_foreign_error(error: Exception, expected: tuple[Action, bool]) -> None:
    fault = of_exception(error)
    assert (fault.action, fault.maybe_paid) == expected
    assert fault.slow_down is isinstance(error, TimeoutError)
    assert "sk-secret" not in fault.what
    assert len(fault.what) < 400


def tree(root: type[BaseException]) -> set[type[BaseException]]:
    return {root}.union(*(tree(sub) for sub in root.__subclasses__()))


def test_each_class_of_aiohttps_errors_is_mapped() -> None:
    """A class that a new release brings must be thought about; one of them is new in 3.14."""
    mapped = {type(error) for error, _ in CASES}
    aborted = getattr(aiohttp, "UploadAbortedError", None)
    if aborted is not None:
        mapped.add(aborted)
        assert of_exception(aborted("x")).maybe_paid
    theirs = {c for c in tree(aiohttp.ClientError) if c.__module__.startswith("aiohttp")}
    assert theirs - mapped == set()


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), RuntimeError("closed")])
def test_a_mistake_of_ours_is_not_a_fault(error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        of_exception(error)
    assert caught.value is error


def test_no_more_open_files_asks_for_fewer_calls() -> None:
    full = OSError(errno.EMFILE, "Too many open files")
    assert of_exception(foreign.ClientConnectorError(HOST, full)).slow_down


def test_a_proxy_that_is_busy_may_pass() -> None:
    assert of_exception(foreign.ClientHttpProxyError(INFO, (), status=503)).action is RETRY


@contextmanager
def serving(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A real server that answers its first connection as told."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def once() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                answer(connection)

        thread = threading.Thread(target=once)
        thread.start()
        yield server.getsockname()[1]
        thread.join(10)


def provoked(url: str, total: float = 5.0) -> Fault:
    async def call() -> Fault:
        timeout = aiohttp.ClientTimeout(total=total)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            try:
                async with session.post(url, data=b"{}") as reply:
                    await reply.read()
            except Exception as error:
                return of_exception(error)
        raise AssertionError("nothing went wrong")

    return asyncio.run(call())


def test_a_real_port_that_nobody_listens_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    fault = provoked(f"http://127.0.0.1:{port}/")
    assert (fault.action, fault.maybe_paid) == UNSENT
    assert "no connection" in fault.what


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nhalf",
    ],
)
def test_a_real_server_that_breaks_off(sent: bytes) -> None:
    with serving(lambda connection: connection.sendall(sent)) as port:
        fault = provoked(f"http://127.0.0.1:{port}/")
    assert (fault.action, fault.maybe_paid) == LOST


def test_a_real_server_that_hangs() -> None:
    done = threading.Event()
    with serving(lambda _: (done.wait(5), None)[1]) as port:
        fault = provoked(f"http://127.0.0.1:{port}/", total=0.2)
        done.set()
    assert (fault.action, fault.maybe_paid, fault.slow_down) == (RETRY, True, True)


def test_a_real_server_that_speaks_no_tls() -> None:
    with serving(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad\r\n\r\n")) as port:
        fault = provoked(f"https://127.0.0.1:{port}/")
    assert (fault.action, fault.maybe_paid) == UNSENT


def test_an_address_that_is_none() -> None:
    assert provoked("http://").action is STOP
