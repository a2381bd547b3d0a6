"""Models over real sockets: their books in a folder of the test, and servers made for one test."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web

from judgesmith.models.http.cache import ReplyCache
from judgesmith.models.http.client import Books, HttpModel
from judgesmith.models.http.ledger import Ledger
from judgesmith.runs.endpoint import Endpoint

Open = Callable[..., HttpModel]
Handler = Callable[[str], Awaitable[web.Response]]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Opens models; several in one test share the cache, and each call has the run's ledger."""
    books: list[Books] = []

    def opener(
        server: Any, *, key: str | None = None, cap: float | None = None, wait_s: float = 30.0,
        **fields: Any,
    ) -> HttpModel:  # fmt: skip
        for before in books:
            before.ledger.close()
        books.append(
            Books(
                ReplyCache(tmp_path / "replies.sqlite", wait_s=wait_s),
                Ledger(tmp_path / "ledger.sqlite", cap), "labels",
            )
        )  # fmt: skip
        endpoint = Endpoint(
            **{"protocol": "openai", "url": server.url, "model": "judge", "timeout_s": 20, **fields}
        )
        return HttpModel("teacher", endpoint, key=key, books=books[-1])

    yield opener
    for left in books:
        left.ledger.close()
        left.cache.close()


@dataclass
class Served:
    """A server made for one test; `asked` are the prompts that came, in order."""

    url: str = ""
    asked: list[str] = field(default_factory=list)


@contextmanager
def serving(handler: Handler) -> Iterator[Served]:
    """Calls are answered by `handler`, which is given the prompt."""
    served, loop = Served(), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def answer(request: web.Request) -> web.Response:
        prompt = (await request.json())["messages"][-1]["content"]
        served.asked.append(prompt)
        return await handler(prompt)

    async def start() -> web.AppRunner:
        app = web.Application(client_max_size=2**30)
        app.router.add_post("/v1/chat/completions", answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner

    runner = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    served.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield served
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def replied(model: str = "judge", **usage: int) -> web.Response:
    """A verdict, as OpenAI's protocol has it."""
    counts = {"prompt_tokens": 20, "completion_tokens": 5, **usage}
    choice = {"message": {"content": "<verdict>A</verdict>"}, "finish_reason": "stop"}
    return web.json_response({"model": model, "choices": [choice], "usage": counts})


def refused(status: int, message: str = "no", **headers: str) -> web.Response:
    """An error."""
    return web.json_response({"error": {"message": message}}, status=status, headers=headers)


@pytest.fixture
def made() -> Iterator[SimpleNamespace]:
    """Makes servers, `made.server(handler)`, and their answers."""
    with ExitStack() as running:
        yield SimpleNamespace(
            server=lambda handler: running.enter_context(serving(handler)),
            replied=replied, refused=refused,
        )  # fmt: skip
