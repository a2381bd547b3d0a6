"""A server for an app: its socket, its signals, and an end that loses nothing."""

import asyncio
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn

from judgesmith.serving.app import Settings, create_app
from judgesmith.serving.desk import Desk, Opened, State
from judgesmith.web.listening import LOOPBACK, Address, address_of, listen, url_of

_AFTER_BODY_S = 60
"""Beyond the time for a body, how long a request that was accepted may take to end."""


def serve(
    open_judge: Callable[[], Opened], address: Address, settings: Settings,
    tell: Callable[[str], None],
) -> None:  # fmt: skip
    """Serve a judge until a signal: SIGTERM or SIGINT ends it when all accepted is answered.

    `tell` is given one line when the socket is open, and one when the judge is ready. A second
    signal ends it at once.

    Raises RecipeError for an address that cannot be had, and what opening the judge raised.
    """
    held = listen(address)
    at = address_of(held)
    if settings.hosts is not None:
        settings = settings._replace(hosts=tuple({*settings.hosts, *LOOPBACK, at.host}))

    def changed() -> None:
        if desk.state is State.READY:
            tell(f"Ready: {desk.judge.name}, {desk.judge.dialect.name}")
        elif desk.state is State.FAILED:
            server.stop_soon()

    app = create_app(open_judge, settings, changed)
    desk: Desk = app.state.desk
    server = _Server(app, desk, settings.body_s)
    tell(f"Serving on {url_of(at)}; loading the judge")
    server.run(sockets=[held])
    if desk.failure is not None:
        raise desk.failure
    tell("Stopped; everything that was accepted is answered")


class _Server(uvicorn.Server):
    """A server that, at a signal, first answers what it accepted and then closes its socket.

    While it does, /readyz says 503, so that a load balancer sees it before connections fail.
    """

    def __init__(self, app: object, desk: Desk, body_s: float) -> None:
        super().__init__(uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, proxy_headers=False,  # type: ignore[arg-type]
            timeout_graceful_shutdown=round(body_s) + _AFTER_BODY_S, lifespan="on",
        ))  # fmt: skip
        self._desk = desk
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Task[None] | None = None
        self._signalled = False

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until the end."""
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End in order at the first signal, at once at the second or while the judge loads."""
        if self._signalled:
            self.should_exit = self.force_exit = True
        elif self._loop is None or self._desk.state is not State.READY:
            self._signalled = self.should_exit = True
        else:
            self._signalled = True
            self._loop.call_soon_threadsafe(self._end)

    def stop_soon(self) -> None:
        """End, from any thread."""
        self.should_exit = True

    def _end(self) -> None:
        self._desk.drain()
        self._ending = asyncio.create_task(self._answer_the_rest())

    async def _answer_the_rest(self) -> None:
        await asyncio.to_thread(self._desk.batcher.join)
        self.should_exit = True
