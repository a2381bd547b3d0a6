"""One attempt over the wire: a request out, a reply or a fault back."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from judgesmith.models.http.faults import Fault, of_exception, of_status, of_unreadable
from judgesmith.models.http.keys import redact
from judgesmith.models.http.wires import Reply, Unreadable, load_wire
from judgesmith.models.protocol import Request
from judgesmith.runs.endpoint import Endpoint

if TYPE_CHECKING:
    from aiohttp import ClientSession

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


class Sender:
    """Speaks an endpoint's protocol over kept connections."""

    def __init__(self, endpoint: Endpoint, key: str | None) -> None:
        self._endpoint, self._key = endpoint, key
        self._wire = load_wire(endpoint.protocol)
        self._url = endpoint.url.rstrip("/") + self._wire.path
        self._session: ClientSession | None = None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Connections are kept between calls; how many is the gate's business."""
        import aiohttp

        # Looking proxies up costs as much as the rest of a call: only where one is set.
        proxied = any(name in os.environ or name.lower() in os.environ for name in PROXIES)
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=self._endpoint.timeout_s),
            headers={"Content-Type": "application/json", **self._wire.headers(self._key)},
            trust_env=proxied,
        ) as session:
            self._session = session
            yield

    def body(self, request: Request) -> bytes:
        """What is sent for a request."""
        return self._wire.body(self._endpoint, request)

    async def send(self, body: bytes, request: Request) -> Reply | Fault:
        """One attempt."""
        assert self._session is not None
        try:
            async with self._session.post(self._url, data=body, allow_redirects=False) as answer:
                content = await answer.read()
                status, headers = answer.status, answer.headers
        except Exception as error:  # mapped in one place; what is unknown there is raised again
            return self._failed(of_exception(error))
        if status != 200:
            return self._failed(of_status(status, headers, content, self._endpoint))
        try:
            return self._wire.read(
                content, request, asked=self._endpoint.model, also=self._endpoint.answers_as
            )
        except Unreadable as error:
            return self._failed(of_unreadable(error))

    def _failed(self, fault: Fault) -> Fault:
        return fault._replace(what=redact(fault.what, self._key))
