"""What went wrong with a call, and what to do about it: the one place that knows foreign errors.

Three answers: try again, end this one call, or stop altogether because each further call would end
alike. And two facts: whether the call may have been billed, and whether the server has too much to
do.
"""

import errno
import re
import socket
import ssl
import time
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

from judgesmith.models.http.wires import OtherModel, Unreadable, shortened
from judgesmith.runs.endpoint import Endpoint


class Action(StrEnum):
    """What to do after a fault: try the call again, end it for good, or send nothing more."""

    RETRY = "retry"
    FAIL = "fail"
    STOP = "stop"


class Fault(NamedTuple):
    """Why a call has no reply.

    `maybe_paid`: the request may have been answered and billed. `slow_down`: fewer calls at a time
    would help. `too_long`: the prompt does not fit the model. `refused`: the vendor would not show
    this prompt to the model. `stop_if_first`: the server finds fault with the request, which lies
    in the recipe where no call to the endpoint has been answered yet, and in this one prompt
    otherwise. `unreachable`: nobody listens, so it cannot be the prompt.
    """

    action: Action
    what: str
    retry_after_s: float | None = None
    maybe_paid: bool = False
    slow_down: bool = False
    too_long: bool = False
    refused: bool = False
    stop_if_first: bool = False
    unreachable: bool = False


BUSY = (429, 503, 529)
"""Statuses that ask for fewer calls."""
BEHIND = (408, 502, 504, *range(520, 525))
"""Statuses of a gateway whose server may have answered, and billed, all the same."""
AGAIN = (408, 409, 425, 429)
"""Statuses under 500 after which the same request may succeed."""
READ = 1000
"""Characters of an error that are searched for what it means: what follows may quote the prompt."""
REMEDIES = {
    "temperature": "options: {temperature: null}",
    "seed": "options: {seed: null}",
    "max_tokens": "options: {max_completion_tokens: true}",
    "logprobs": "options: {logprobs: null, top_logprobs: null}",
    "top_logprobs": "options: {logprobs: null, top_logprobs: null}",
}
"""What to write in the recipe for a model that does not take a field of ours."""

_TOO_LONG = re.compile(
    r"context.?(length|window|size|limit)|maximum model length|(prompt|input) is too long"
    r"|exceeds? the maximum number of tokens|max_new_tokens` must be <=",
    re.IGNORECASE,
)
# Not the word "billing" alone: a vendor's rate limits advise to change the billing plan.
_NO_MONEY = re.compile(
    r"insufficient.?(quota|balance|credit|fund)|billing_hard_limit|credit balance|out of credits"
    r"|API usage limits",
    re.IGNORECASE,
)
_NO_MODEL = re.compile(r"model.?not.?found|model\b.*does not exist|unknown model", re.IGNORECASE)
_REFUSED = re.compile(
    r"content.?(filter|policy)|moderation|flagged|safety system|usage polic", re.IGNORECASE
)
_NOT_TAKEN = re.compile(
    r"unsupported|not support|deprecated|unknown (parameter|field|name)|unrecognized|not permitted"
    r"|extra inputs|extra_forbidden",
    re.IGNORECASE,
)
_LOST = re.compile(r"disconnect|connection termination|reset (before|reason)", re.IGNORECASE)
_NO_FORM = re.compile(
    r"invalid.(json.)?schema|\b(response_format|output_config|json_schema)\b", re.IGNORECASE
)


def of_status(
    status: int, headers: Mapping[str, str], content: bytes, endpoint: Endpoint, *,
    now: float | None = None,
) -> Fault:  # fmt: skip
    """The fault of an answer with another status than 200.

    It is not billed, unless it is the word of a gateway that lost the server behind it.
    `headers` are looked up regardless of letter case. `now` is the time in seconds since the epoch
    that a date in Retry-After is held against, where the server sends no date of its own.

    >>> here = Endpoint(protocol="openai", url="http://localhost:1/v1", model="m")
    >>> of_status(503, {"Retry-After": "2"}, b"busy", here)[:3]
    (<Action.RETRY: 'retry'>, 'status 503: busy', 2.0)
    """
    said = _said(content)
    stop = _stops(status, said, endpoint)
    what = f"status {status}: {shortened(said)}"
    if stop is not None:
        return Fault(Action.STOP, f"{what}. {stop}")
    if status in (400, 413, 422, 500) and (status == 413 or _TOO_LONG.search(said)):
        return Fault(Action.FAIL, what, too_long=True)
    if status in (400, 403, 422, 451) and _REFUSED.search(said):
        return Fault(Action.FAIL, what, refused=True)
    if status == 429 and "request too large" in said.casefold():
        return Fault(Action.FAIL, what)
    if status in AGAIN or status >= 500:
        wait = retry_after_s(headers, time.time() if now is None else now)
        unsure = status in BEHIND or (status == 503 and _LOST.search(said) is not None)
        return Fault(Action.RETRY, what, wait, maybe_paid=unsure, slow_down=status in BUSY)
    return Fault(Action.FAIL, what, stop_if_first=True)


def of_unreadable(what: str | Unreadable) -> Fault:
    """The fault of a reply with status 200 that is not of the promised form.

    Another model than was asked is the recipe's mistake where it answers first, and where others
    were answered rightly it is a slip of the server.
    """
    return Fault(
        Action.RETRY, f"the reply cannot be read: {what}", maybe_paid=True,
        stop_if_first=isinstance(what, OtherModel),
    )  # fmt: skip


def of_exception(error: Exception) -> Fault:
    """The fault of an error of aiohttp, of TLS or of the network; any other is raised again.

    Where it is not sure that nothing was sent, the call may have been paid. The text of an error
    is shown and never its representation, which may hold the headers and so the key.

    >>> of_exception(ConnectionRefusedError(111, "Connection refused")).maybe_paid
    False
    >>> of_exception(TimeoutError()).maybe_paid
    True
    """
    fault = _before_sending(error) or _after_sending(error)
    if fault is None:
        raise error
    return fault


def retry_after_s(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that a server asks to wait: `retry-after-ms`, or Retry-After in seconds or a date.

    A date is held against the answer's own `Date`, so that a clock that is wrong here does not
    matter, and else against `now`. None where it is absent or cannot be read; never negative.

    >>> retry_after_s({"Retry-After-Ms": "1500", "Retry-After": "9"}, now=0.0)
    1.5
    >>> dates = {"Date": "Tue, 01 Jan 2030 00:00:00 GMT"}
    >>> retry_after_s({**dates, "retry-after": "Tue, 01 Jan 2030 00:00:30 GMT"}, now=0.0)
    30.0
    """
    found = {name.casefold(): value for name, value in headers.items()}
    thousandths = _seconds(found.get("retry-after-ms"))
    if thousandths is not None:
        return thousandths / 1000
    after = found.get("retry-after")
    seconds, date = _seconds(after), _epoch(after)
    if seconds is None and date is not None:
        own = _epoch(found.get("date"))
        seconds = max(0.0, date - (now if own is None else own))
    return seconds


def _seconds(written: str | None) -> float | None:
    if written is None or not re.fullmatch(r"\s*\d{1,9}(\.\d{1,9})?\s*", written, re.ASCII):
        return None
    return float(written)


def _epoch(written: str | None) -> float | None:
    try:
        date = None if written is None else parsedate_to_datetime(written)
    except (ValueError, OverflowError):
        return None
    if date is not None and date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return None if date is None else date.timestamp()


def _said(content: bytes) -> str:
    """What a server says in an error: message, code, type and parameter, or all that it sent."""
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError:
        return content[: 4 * READ].decode(errors="replace")[:READ]
    error = found.get("error", found) if isinstance(found, dict) else found
    if not isinstance(error, dict):
        return str(error)[:READ]
    told = [error[name] for name in ("message", "detail") if error.get(name)]
    told = [_without_input(part)[: READ // 2] for part in told or [error]]
    known = [f"({error[name]})"[:80] for name in ("code", "type", "param") if error.get(name)]
    return " ".join([*told, *(name for name in dict.fromkeys(known) if name != "(error)")])


def _without_input(told: Any) -> str:
    """A message as text; of a list of rejected fields the places and reasons, and not the texts."""
    if not isinstance(told, list):
        return str(told)
    return "; ".join(
        f"{part.get('loc')} {part.get('msg')}" if isinstance(part, dict) else str(part)
        for part in told
    )


def _stops(status: int, said: str, endpoint: Endpoint) -> str | None:
    """What to do about an answer that every further call would get; None for any other."""
    if status == 402 or (status in (400, 403, 429) and _NO_MONEY.search(said)):
        return (
            f"The account at {endpoint.url} has no money or quota left: add some, then run the "
            "same command again."
        )
    if status == 401 or (status == 403 and not _REFUSED.search(said)):
        return _about_the_key(endpoint)
    if status in (404, 405, 410) or (status == 400 and _NO_MODEL.search(said)):
        return (
            f"Expected a model {endpoint.model!r} at {endpoint.url}; check `model`, and that `url` "
            "ends right before /chat/completions or /messages."
        )
    if 300 <= status < 400:
        return f"Expected an answer at {endpoint.url}, found a redirection; give its goal as `url`."
    if status in (400, 422) and not _TOO_LONG.search(said):
        return _about_a_field(said, endpoint)
    return None


def _about_the_key(endpoint: Endpoint) -> str:
    if endpoint.key_env is not None:
        return f"Put a key that {endpoint.url} accepts into the variable {endpoint.key_env}."
    if endpoint.key_file is not None:
        return f"Put a key that {endpoint.url} accepts into the file {endpoint.key_file}."
    return f"No key was sent to {endpoint.url}; name one with `key_env` or `key_file`."


def _about_a_field(said: str, endpoint: Endpoint) -> str | None:
    """What to do about a field that this model does not take; None where none is named."""
    named = re.findall(r"\w+", said)
    if _NOT_TAKEN.search(said):
        for name in (name for name in named if name in REMEDIES):
            return (
                f"The model does not take the field {name!r}; write `{REMEDIES[name]}` in its "
                "endpoint."
            )
        for name in (name for name in named if name in endpoint.options):
            return f"The model does not take the option {name!r}; mend `options` of its endpoint."
    if _NO_FORM.search(said):
        return (
            "The server cannot hold a reply to this form; change its schema, or use an endpoint "
            "that can."
        )
    return None


def _before_sending(error: Exception) -> Fault | None:
    """Faults of a call that never left, and so was not billed."""
    from aiohttp import client_exceptions as foreign

    certificate = (
        foreign.ClientConnectorCertificateError,
        foreign.ServerFingerprintMismatch,
        ssl.SSLCertVerificationError,
    )
    if isinstance(error, certificate):
        return Fault(
            Action.STOP,
            f"the server's certificate is not trusted: {_text(error)}. Check the host in `url`; "
            "a certificate of your own is trusted where SSL_CERT_FILE names it.",
        )
    if isinstance(error, foreign.TooManyRedirects | foreign.RedirectClientError):
        return Fault(Action.STOP, "the server redirects to no good; give the goal as `url`")
    if isinstance(error, foreign.InvalidURL | foreign.NonHttpUrlClientError):
        return Fault(Action.STOP, "expected an address that can be called; correct `url`")
    if isinstance(error, foreign.ClientHttpProxyError):
        action = Action.RETRY if error.status >= 500 or error.status in AGAIN else Action.STOP
        return Fault(action, f"the proxy answered with status {error.status}; check HTTPS_PROXY")
    if isinstance(error, foreign.ConnectionTimeoutError):
        what = f"no connection in time: {_text(error)}"
        return Fault(Action.RETRY, what, slow_down=True, unreachable=True)
    if isinstance(error, foreign.ClientConnectorError | ConnectionRefusedError | socket.gaierror):
        full = error.errno in (errno.EMFILE, errno.ENFILE)
        what = f"no connection: {_text(error)}"
        return Fault(Action.RETRY, what, slow_down=full, unreachable=not full)
    return None


def _after_sending(error: Exception) -> Fault | None:
    """Faults of a call that was sent, or of which that is not known; None for a foreign error."""
    from aiohttp import ClientError
    from aiohttp.http_exceptions import HttpProcessingError

    if isinstance(error, TimeoutError):
        return Fault(Action.RETRY, "no reply within `timeout_s`", maybe_paid=True, slow_down=True)
    if isinstance(error, ClientError | HttpProcessingError | OSError | EOFError):
        return Fault(Action.RETRY, f"the connection was lost: {_text(error)}", maybe_paid=True)
    return None


def _text(error: Exception) -> str:
    return f"{type(error).__name__} {shortened(str(error))}"
