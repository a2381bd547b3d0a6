"""What every request passes first: a name for it, its key, its host, its pace; and the count.

It stands before any body is read, so that a client without a key can send nothing, and one that
drips its bytes is let go.
"""

import asyncio
import re
import time
import uuid
from collections.abc import Mapping
from typing import NamedTuple

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from judgesmith.serving.counting import Counts
from judgesmith.serving.keys import Keys
from judgesmith.serving.refusals import Refusal, as_reply
from judgesmith.web.headers import HEADERS, host_in

OPEN = ("/", "/docs", "/openapi.json", "/healthz", "/readyz")
"""Paths that need no key; so do those below `PAGE`."""
PAGE = "/page/"
_NAME = re.compile(r"[A-Za-z0-9._:-]{1,64}")


class Rules(NamedTuple):
    """Who is let in, with what: `keys` None is anybody; `hosts` None is any name of the server.

    A body has at most `body_bytes`, and `body_s` to come.
    """

    keys: Keys | None
    hosts: tuple[str, ...] | None
    body_bytes: int
    body_s: float


class Door:
    """The outermost layer of the app."""

    def __init__(self, app: ASGIApp, *, rules: Rules, counts: Counts) -> None:
        self.app, self.rules, self.counts = app, rules, counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it; then count it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, headers = time.monotonic(), Headers(scope=scope)
        name = headers.get("x-request-id", "")
        scope["request_id"] = name if _NAME.fullmatch(name) else uuid.uuid4().hex
        status = 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message).update(
                    {**HEADERS, "X-Request-Id": scope["request_id"]}
                )
            await send(message)

        refusal = self._refused(scope["path"], headers)
        try:
            if refusal is not None:
                scope["outcome"] = refusal.code
                await as_reply(refusal)(scope, receive, sending)
            else:
                await self.app(scope, _within(scope, receive, self.rules), sending)
        finally:
            self.counts.request(_path(scope), _outcome(scope, status), time.monotonic() - begun)

    def _refused(self, path: str, headers: Headers) -> Refusal | None:
        rules = self.rules
        host = headers.get("host", "")
        if rules.hosts is not None and host_in(host) not in rules.hosts:
            # A page of another site that resolves its own name to this address (DNS rebinding).
            known = ", ".join(sorted(rules.hosts))
            return Refusal(421, "wrong_host", f"expected one of the hosts {known}, found {host!r}")
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > rules.body_bytes:
            return _too_large(rules.body_bytes)
        if rules.keys is None or path in OPEN or path.startswith(PAGE):
            return None
        if rules.keys.admit(headers.get("authorization")):
            return None
        found = Refusal(401, "no_key", "expected a known key as `Authorization: Bearer KEY`")
        found.headers["WWW-Authenticate"] = "Bearer"
        return found


def _path(scope: Mapping[str, object]) -> str:
    """The route, of which there are few; whatever else was asked for is "other"."""
    return str(getattr(scope.get("route"), "path", "other"))


def _outcome(scope: Mapping[str, object], status: int) -> str:
    if status < 400:
        return "answered"
    return str(scope.get("hung_up") or scope.get("outcome") or "failed")


def _too_large(most: int) -> Refusal:
    told = f"expected a body of at most {most} bytes, found a larger one"
    found = Refusal(413, "too_large", told)
    found.headers["Connection"] = "close"
    return found


def _within(scope: Scope, receive: Receive, rules: Rules) -> Receive:
    """The same, but a body that is too large, or not whole in time, ends the request."""
    end, size, whole = time.monotonic() + rules.body_s, 0, False

    async def receiving() -> Message:
        nonlocal size, whole
        if whole:  # what is waited for now is that the client hangs up
            return await receive()
        try:
            message = await asyncio.wait_for(receive(), end - time.monotonic())
        except TimeoutError:
            raise HTTPException(
                408, f"expected the whole body within {rules.body_s:g} s", {"Connection": "close"}
            ) from None
        if message["type"] == "http.disconnect":
            scope["hung_up"] = "gone"
        size += len(message.get("body", b""))
        if size > rules.body_bytes:
            found = _too_large(rules.body_bytes)
            raise HTTPException(found.status, found.message, found.headers)
        whole = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    return receiving
