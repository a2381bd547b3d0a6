"""A judge served by the real server on loopback, in a thread of the test; and calls to it."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn

from judgesmith.inference.judge import Judge
from judgesmith.serving.app import Settings, create_app
from judgesmith.serving.batching import Room
from judgesmith.serving.desk import Desk, Opened

JUDGMENTS = "/v1/judgments"
CHAT = "/v1/chat/completions"


@dataclass
class Reply:
    """Status, headers (in small letters) and body of a reply."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def error(self) -> Any:
        return self.json["error"]


@dataclass
class Server:
    """A running server and the desk inside it."""

    port: int
    desk: Desk

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def call(
        self, path: str, body: object = None, headers: Mapping[str, str] | None = None,
        method: str | None = None,
    ) -> Reply:  # fmt: skip
        """GET without a body, POST with one: bytes as they are, anything else as JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            data: Any = body
            if not isinstance(body, bytes | Iterator | None):
                data = json.dumps(body).encode()
            told = {"Content-Type": "application/json", **(headers or {})}
            connection.request(method or ("GET" if data is None else "POST"), path, data, told)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, found, answer.read())
        finally:
            connection.close()

    def judge(self, body: object, **headers: str) -> Reply:
        return self.call(JUDGMENTS, body, headers)

    def number(self, name: str, **labels: str) -> float:
        """A number of /metrics, of all series that have these labels."""
        found = 0.0
        for line in self.call("/metrics").content.decode().splitlines():
            series, _, value = line.rpartition(" ")
            kept = all(f'{label}="{text}"' in series for label, text in labels.items())
            if series.partition("{")[0] == f"judgesmith_{name}" and kept:
                found += float(value)
        return found


def until(true: Callable[[], bool], timeout_s: float = 10.0) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)


@contextmanager
def served(
    judge: Judge | Opened | Callable[[], Judge], *, ready: bool = True, room: Room | None = None,
    **settings: Any,
) -> Iterator[Server]:  # fmt: skip
    """The judge, or what a function opens, served until the end of the block."""
    room = room or Room(waiting=64, batch=8, window_s=0.005)

    def opened() -> Opened:
        found = judge() if callable(judge) else judge
        return found if isinstance(found, Opened) else Opened(found)

    app = create_app(opened, Settings(room=room, **settings))
    held = socket.create_server(("127.0.0.1", 0), backlog=512)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [held]})
    thread.start()
    found = Server(held.getsockname()[1], app.state.desk)
    try:
        until(lambda: server.started)
        if ready:
            until(lambda: found.call("/readyz").status == 200)
        yield found
    finally:
        server.should_exit = True
        thread.join(20)
        found.desk.batcher.join(20)
