"""The requests around batches: small ones with a JSON answer, uploads, and long downloads."""

import asyncio
import logging
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeVar

import orjson

from judgesmith.errors import ModelError
from judgesmith.models.http.faults import Action, Fault, of_exception, of_status, of_unreadable
from judgesmith.models.http.keys import redact
from judgesmith.models.http.pace import backoff_s
from judgesmith.models.http.sender import PROXIES
from judgesmith.models.http.wires import Unreadable, load_wire, opened
from judgesmith.runs.endpoint import Endpoint

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession, FormData

ATTEMPTS = 6
"""How often a server is tried that has not answered yet."""
PATIENCE = 20
"""How often one is tried that has: a batch runs for hours, and outlasts a short outage."""
LONG_WAIT_S = 60.0
"""A wait that a server asks for is said where it is longer."""
ABSENT = (404, 405, 410)
TIMEOUT, OVERLOADED = 408, 529
NO_BATCHES = (
    "status {}: expected a server that takes batches, found none at this address. Correct `url`, "
    "or leave `batch` out of the endpoint"
)

T = TypeVar("T")
Read = Callable[[Mapping[str, Any]], T]
"""Makes something of a JSON object; raises Unreadable."""


class BatchFault(ModelError):
    """A request around batches failed; `status` is None where there was no answer."""

    def __init__(self, where: str, fault: Fault, status: int | None) -> None:
        super().__init__(
            f"{where}: {fault.what.removesuffix('.')}. What was answered is kept, and open batches "
            "are found again: run the same command again once this is mended."
        )
        self.fault, self.status = fault, status


class BatchSender:
    """Speaks to the batch interface of an endpoint; what it raises never shows the key."""

    def __init__(self, name: str, endpoint: Endpoint, key: str | None) -> None:
        self._endpoint, self._key = endpoint, key
        self._where = f"batches of model {name!r} at {endpoint.url}"
        self._base = endpoint.url.rstrip("/")
        self._session: ClientSession | None = None
        self._answered = False
        self._draw = random.Random()  # when to try again is no result: it need not repeat

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Connections are kept; a transfer may take long as long as something moves."""
        import aiohttp

        wait = self._endpoint.timeout_s
        async with aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=wait, sock_read=wait),
            headers=load_wire(self._endpoint.protocol).headers(self._key),
            trust_env=any(name in os.environ or name.lower() in os.environ for name in PROXIES),
        ) as session:
            self._session = session
            yield

    async def get(self, path: str, read: Read[T], *, query: Mapping[str, str] | None = None) -> T:
        """What `read` makes of a JSON object, which is asked for until it comes."""
        return await self.patiently(lambda: self._ask("GET", path, read, params=query))

    async def upload(
        self, path: str, read: Read[T], *, fields: Mapping[str, str], content: bytes
    ) -> T:
        """Send a file as a form, until it is taken; `fields` has its `filename` too."""
        return await self.patiently(
            lambda: self._ask("POST", path, read, data=_form(fields, content))
        )

    async def create(self, path: str, read: Read[T], *, body: bytes) -> T:
        """Create something that costs money: one attempt.

        Raises BatchFault; where its `fault.maybe_paid` is true, it may have been created.
        """
        kind = {"Content-Type": "application/json"}
        return await self._ask("POST", path, read, data=BytesIO(body), headers=kind)

    async def delete(self, path: str) -> None:
        """Delete something, if that can be done in one attempt."""
        with suppress(BatchFault):
            await self._ask("DELETE", path, dict)

    async def rows(self, path: str, take: Callable[[Mapping[str, Any]], None]) -> None:
        """Read a JSONL file, once; lines that are no JSON objects are passed over."""
        rest = b""
        async with self._answer("GET", path) as answer:
            async for part in answer.content.iter_any():
                *lines, rest = (rest + part).split(b"\n")
                for line in lines:
                    _give(line, take)
        _give(rest, take)

    def failed(self, fault: Fault, status: int | None = None) -> BatchFault:
        """A fault as an error, with its place and without the key."""
        return BatchFault(self._where, self.redacted(fault), status)

    async def patiently(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Try until it works, a fault is final, or the server seems gone. Raises BatchFault."""
        attempts = 0
        while True:
            try:
                return await attempt()
            except BatchFault as error:
                attempts += 1
                if error.fault.action is not Action.RETRY or self.is_enough(attempts):
                    raise
                await self.pause(attempts, error.fault)

    def is_enough(self, attempts: int) -> bool:
        """Whether the server counts as gone after so many attempts that failed."""
        return attempts >= (PATIENCE if self._answered else ATTEMPTS)

    async def pause(self, attempts: int, fault: Fault) -> None:
        """Wait before the next attempt, at least as long as the server said."""
        wait_s = max(fault.retry_after_s or 0.0, backoff_s(attempts, self._draw.random()))
        if wait_s > LONG_WAIT_S:
            self.say(f"{fault.what}; it is asked again in {wait_s:.0f} s")
        await asyncio.sleep(wait_s)

    def say(self, what: str) -> None:
        """Tell the user, on standard error, what is waited for."""
        logging.getLogger(__name__).warning(self.said(what))

    def said(self, what: str) -> str:
        """What a server said, with its place and without the key."""
        return redact(f"{self._where}: {what}", self._key)

    def redacted(self, fault: Fault) -> Fault:
        """The same fault without the key."""
        return fault._replace(what=redact(fault.what, self._key))

    async def _ask(self, method: str, path: str, read: Read[T], **more: Any) -> T:
        async with self._answer(method, path, **more) as answer:
            content = await answer.read()
        try:
            return read(opened(content))
        except Unreadable as error:
            raise self.failed(of_unreadable(str(error)), answer.status) from None

    @asynccontextmanager
    async def _answer(self, method: str, path: str, **more: Any) -> "AsyncIterator[ClientResponse]":
        assert self._session is not None
        try:
            async with self._session.request(
                method, self._base + path, allow_redirects=False, **more
            ) as answer:
                if not 200 <= answer.status < 300:
                    raise self._refused(method, answer, await answer.read())
                self._answered = True
                yield answer
        except ModelError:
            raise
        except Exception as error:  # mapped in one place; what is unknown there is raised again
            raise self.failed(of_exception(error)) from None

    def _refused(self, method: str, answer: "ClientResponse", content: bytes) -> BatchFault:
        status = answer.status
        if method == "POST" and status in ABSENT:
            return self.failed(Fault(Action.STOP, NO_BATCHES.format(status)), status)
        fault = of_status(status, answer.headers, content, self._endpoint)
        # An error in the server, or in a gateway before it, may strike after something was created.
        unsure = status == TIMEOUT or (status >= 500 and status != OVERLOADED)
        return self.failed(fault._replace(maybe_paid=method == "POST" and unsure), status)


def _form(fields: Mapping[str, str], content: bytes) -> "FormData":
    from aiohttp import FormData

    form = FormData()
    for name, value in fields.items():
        if name != "filename":
            form.add_field(name, value)
    form.add_field(
        "file", BytesIO(content), filename=fields["filename"], content_type="application/jsonl"
    )
    return form


def _give(line: bytes, take: Callable[[Mapping[str, Any]], None]) -> None:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return
    if isinstance(found, dict):
        take(found)
