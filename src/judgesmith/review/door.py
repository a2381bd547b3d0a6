"""What every request passes first: its host, its size, and for what writes, where it comes from.

A page of another site can make a browser send a request here, with the cookie. What writes is
therefore refused unless it comes from a page of this server (`Origin`) and brings, in a header that
other sites cannot set, a token that only this session's pages hold.
"""

import hashlib
import hmac
import logging
from http.cookies import CookieError, SimpleCookie
from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from judgesmith.web.headers import HEADERS, host_in

LARGEST = 256 * 1024
"""Bytes of a body: an answer with its note is far below."""

NO_SESSION = "none"
"""What a page without a session sends as its token: the header itself is what others cannot set."""


BROKEN = "Something broke in the server, and what it was stands where the server was started."
LOG = logging.getLogger(__name__)


class Rules(NamedTuple):
    """`hosts` are the names under which the server may be called; None is any."""

    hosts: tuple[str, ...] | None
    cookie: str


def csrf_of(token: str | None) -> str:
    """The token that pages of a session send back with what they write.

    >>> csrf_of(None), len(csrf_of("jsr_example"))
    ('none', 64)
    """
    return NO_SESSION if token is None else hashlib.sha256(f"csrf {token}".encode()).hexdigest()


def token_in(header: str, cookie: str) -> str | None:
    """The personal token that a `Cookie` header brings.

    >>> token_in("a=1; me=jsr_x", "me"), token_in("a=1", "me")
    ('jsr_x', None)
    """
    try:
        found = SimpleCookie(header).get(cookie)
    except CookieError:
        return None
    return found.value if found is not None and found.value else None


class Door:
    """The outermost layer of the app."""

    def __init__(self, app: ASGIApp, *, rules: Rules) -> None:
        self.app, self.rules = app, rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            if message["type"] == "http.response.start":
                told = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    told.setdefault(name, value)
            await send(message)

        headers = Headers(scope=scope)
        token = token_in(headers.get("cookie", ""), self.rules.cookie)
        scope["token"] = token
        refused = self._refused(str(scope["method"]), headers, token)
        if refused is not None:
            status, error = refused
            await JSONResponse({"error": error}, status)(scope, receive, sending)
            return
        try:
            await self.app(scope, receive, sending)
        except Exception:
            LOG.exception("%s failed", scope["method"])  # no path: it may hold a personal link
            if begun:
                raise
            await JSONResponse({"error": BROKEN}, 500)(scope, receive, sending)

    def _refused(self, method: str, headers: Headers, token: str | None) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if self.rules.hosts is not None and host_in(host) not in self.rules.hosts:
            # A page of another site that resolves its own name to this address (DNS rebinding).
            known = ", ".join(sorted(self.rules.hosts))
            return 421, f"expected one of the hosts {known}, found {host!r}"
        if method in ("GET", "HEAD"):
            return None
        length = headers.get("content-length", "")
        if not length.isdecimal():
            return 411, "expected a body with its length"
        if int(length) > LARGEST:
            return 413, f"expected a body of at most {LARGEST} bytes, found {length}"
        if not headers.get("content-type", "").startswith("application/json"):
            return 415, "expected a body of JSON"
        origin = headers.get("origin")
        if origin is None or urlsplit(origin).netloc.lower() != host.lower():
            return 403, f"expected a request from a page of this server, found one of {origin}"
        if not hmac.compare_digest(headers.get("x-csrf", "").encode(), csrf_of(token).encode()):
            return 403, "this page is from before you signed in or out: load it again"
        return None
