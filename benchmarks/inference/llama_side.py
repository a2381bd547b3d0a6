"""llama.cpp's OpenAI-compatible server over the same judge as GGUF F16, called prompt by prompt."""

import http.client
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.inference.sides import reader
from benchmarks.inference.subjects import Subject

from judgesmith.backends.gguf.convert import write_gguf

START_S = 120.0
TICKS = os.sysconf("SC_CLK_TCK")


class LlamaSide:
    """One call after the other over one connection, one thread on the server's side.

    `read` counts the replies in which the verdict was found.
    """

    def __init__(self, subject: Subject, port: int, process: "subprocess.Popen[bytes]") -> None:
        self._subject, self._process = subject, process
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.read = self.asked = 0

    def __call__(self, count: int) -> None:
        """Ask about the first so many prompts."""
        verdict = reader(self._subject)
        self._http.close()  # the server hangs up on who was silent for some seconds
        for request in self._subject.requests["rationale"][:count]:
            body = {
                "messages": [turn.model_dump() for turn in request.messages],
                "max_tokens": self._subject.tokens, "temperature": 0.0, "repeat_penalty": 1.0,
            }  # fmt: skip
            answer = self._post("/v1/chat/completions", body)
            self.asked += 1
            self.read += verdict.search(answer["choices"][0]["message"]["content"]) is not None

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        self._http.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = self._http.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"llama.cpp's server: status {answer.status}: {content[:300]!r}")
        found: dict[str, Any] = json.loads(content)
        return found

    def cpu_s(self) -> float:
        """CPU seconds of the server so far (Linux)."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


@contextmanager
def llama_server(python: Path, subject: Subject, folder: Path) -> Iterator[LlamaSide]:
    """The server, by a Python that has llama-cpp-python with its server (tests/external)."""
    file = write_gguf(subject.folder, ["f16"], folder, "judge")["f16"]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    command = [
        python, "-m", "llama_cpp.server", "--model", file, "--port", port, "--n_ctx", 1024,
        "--n_threads", 1, "--n_threads_batch", 1, "--verbose", "false",
    ]  # fmt: skip
    with (folder / "server.log").open("wb") as words:
        process = subprocess.Popen([*map(str, command)], stdout=words, stderr=words)
    try:
        _wait(port, process, folder / "server.log")
        yield LlamaSide(subject, port, process)
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"llama.cpp's server did not start:\n{log.read_text()}")
