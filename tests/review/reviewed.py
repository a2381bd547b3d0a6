"""`judgesmith review` in a process of its own, as a user starts it; and a person who answers."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]


def write_pairs(path: Path, count: int, texts: Mapping[int, str] | None = None) -> Path:
    """A file of pairs; `texts` are responses of rows that have another than a plain one."""
    with path.open("w", encoding="utf-8") as file:
        for row in range(count):
            said = (texts or {}).get(row)
            pair = {
                "id": f"p{row}", "context": f"They met at shop {row}.",
                "question": f"Who paid at shop {row}?", "choices": ["he", "she", "nobody"],
                "response_a": said or f"He did, at shop {row}.",
                "response_b": said or f"Nobody says who, at shop {row}.",
            }  # fmt: skip
            file.write(json.dumps(pair) + "\n")
    return path


class Running:
    """The command, its address, and what it said."""

    def __init__(self, *arguments: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "judgesmith", "review", *map(str, arguments), "--no-open",
             *(() if Path(str(arguments[0])).is_dir() else ("--dialect", "bias-pair"))],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        self.said: list[str] = []
        self.url = ""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)
            found = re.search(r"http://\S+", line)
            if found:
                self.url = f"http://{urlsplit(found[0]).netloc}"
                break
        assert self.url, "".join(self.said)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)

    def end(self, how: int = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        return self.process.wait(30)


@contextmanager
def running(*arguments: object) -> Iterator[Running]:
    """The command until the end of the block."""
    found = Running(*arguments)
    try:
        yield found
    finally:
        if found.process.poll() is None:
            found.end()


class Reply:
    """Status, headers and body of a reply."""

    def __init__(self, given: http.client.HTTPResponse) -> None:
        self.status, self.headers = given.status, given.headers
        self.text = given.read().decode()

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Person:
    """Somebody with a browser: a cookie, and the token of their pages."""

    def __init__(self, url: str) -> None:
        self.netloc = urlsplit(url).netloc
        self.cookie = self.csrf = ""

    def call(
        self, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """GET without a body, POST with one, as a page of the server does."""
        told = {"Cookie": self.cookie} if self.cookie else {}
        data = None
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            told |= {"Content-Type": "application/json", "X-CSRF": self.csrf,
                     "Origin": f"http://{self.netloc}"}  # fmt: skip
        told |= headers or {}
        connection = http.client.HTTPConnection(self.netloc, timeout=30)
        try:
            connection.request("GET" if data is None else "POST", path, data, told)
            reply = Reply(connection.getresponse())
        finally:
            connection.close()
        cookie = reply.headers.get("set-cookie")
        if cookie:
            self.cookie = cookie.partition(";")[0]
        found = re.search(r'data-csrf="(\w*)"', reply.text)
        if found:
            self.csrf = found[1]
        return reply

    def named(self, name: str) -> "Person":
        """The first who comes says who they are."""
        self.call("/hello")
        assert self.call("/api/hello", {"name": name}).status == 200
        self.call("/label")
        return self

    def entered(self, link: str) -> "Person":
        """Somebody who opens a personal link."""
        assert self.call(urlsplit(link).path).status == 303
        self.call("/label")
        return self

    def invite(self, name: str, *roles: str) -> str:
        """The personal link that an owner makes for somebody."""
        reply = self.call("/api/people", {"name": name, "roles": list(roles)})
        assert reply.status == 200, reply.text
        shown = self.call(reply.json["to"]).text
        found = re.search(r"https?://[^\s<]+/enter/[^\s<]+", shown)
        assert found, shown
        return unescape(found[0])

    def next(self, ahead: int = 1) -> list[dict[str, Any]]:
        """What is to be done."""
        return list(self.call(f"/api/next?ahead={ahead}").json["items"])

    def answer(self, item: str, verdict: str | None, **more: Any) -> Reply:
        """Answer an item as its page does."""
        return self.call("/api/answers", answer_of(item, verdict, **more))


def answer_of(item: str, verdict: str | None, **more: Any) -> dict[str, Any]:
    """What a page sends for an item."""
    return {
        "id": str(uuid.uuid4()), "item_id": item, "round": "label",
        "outcome": "verdict" if verdict else "cannot_decide",
        "given": {"verdict": verdict} if verdict else None, "confidence": None, "note": "",
        "seconds": 1.5, "replaces": None, **more,
    }  # fmt: skip
