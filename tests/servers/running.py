"""Starting the fault server in its own process, and talking to its control calls."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest

SCRIPT = Path(__file__).with_name("fault_server.py")
START_S = 60.0
DIRECT = build_opener(ProxyHandler({}))
NUMBERS = itertools.count()


@dataclass
class Server:
    """A running fault server. `url` ends in /v1, as a recipe gives it; `root` ends before."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.root}/v1"

    def control(self, path: str, body: object = None) -> Any:
        """One control call: GET without a body, POST with one."""
        data = None if body is None else json.dumps(body).encode()
        try:
            with DIRECT.open(Request(f"{self.root}/control/{path}", data), timeout=20) as answer:
                return json.loads(answer.read())
        except HTTPError as error:
            with error:
                raise ValueError(error.read().decode()) from error

    def plan(self, *rules: dict[str, Any]) -> None:
        """Set the faults; none: no faults any more. Attempts are counted anew."""
        self.control("plan", list(rules))

    def counts(self) -> dict[str, Any]:
        """What was called and billed since the start or the last reset."""
        counts: dict[str, Any] = self.control("counts")
        return counts

    def sums(self) -> dict[str, Any]:
        """The same without the counts of each prompt, which is quick."""
        sums: dict[str, Any] = self.control("sums")
        return sums

    def reset(self) -> None:
        """Forget counts, plan, prompt cache, files and batches."""
        self.control("reset", {})

    def repeated(self) -> dict[str, int]:
        """Prompts that were billed more than once, calls and batches together."""
        counts = self.counts()
        billed = {key: kept["billed"] for key, kept in counts["prompts"].items()}
        for key, times in counts["batches"]["by_prompt"].items():
            billed[key] = billed.get(key, 0) + times
        return {key: times for key, times in billed.items() if times > 1}

    def cpu_s(self) -> float:
        """CPU seconds that the server has used (Linux)."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> int:
        """End it in an orderly way, and return its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=20)

    def kill(self) -> None:
        """End it at once; all its connections break."""
        self.process.kill()
        self.process.wait(timeout=20)


def as_arguments(options: dict[str, Any]) -> list[str]:
    """Options as the command line has them: `latency_ms=5`, `keys=["a"]`, `history=False`."""
    arguments: list[str] = []
    for name, value in options.items():
        flag = "--" + name.replace("_", "-")
        if name == "history":
            arguments += [] if value else ["--no-history"]
        elif isinstance(value, bool):
            arguments += [flag] if value else []
        else:
            text = value if isinstance(value, (str, int, float)) else ",".join(value)
            arguments.append(f"{flag}={text}")
    return arguments


@contextmanager
def fault_server(folder: Path, **options: Any) -> Iterator[Server]:
    """A fault server for the time of the block. Its words go to a log in the folder."""
    name = f"fault_server_{os.getpid()}_{next(NUMBERS)}"
    port_file, log = folder / f"{name}.port", folder / f"{name}.log"
    command = [sys.executable, str(SCRIPT), "--port-file", str(port_file), "--with-parent"]
    with log.open("wb") as words:
        process = subprocess.Popen([*command, *as_arguments(options)], stdout=words, stderr=words)
    try:
        end = time.monotonic() + START_S
        while not port_file.exists():
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the fault server did not start: {log.read_text()}")
            time.sleep(0.02)
        yield Server(process, int(port_file.read_text()))
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(name="fault_server")
def fault_server_fixture(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts fault servers, `fault_server(latency_ms=5)`; all stop at the end of the test."""
    with ExitStack() as running:
        yield lambda **options: running.enter_context(fault_server(tmp_path, **options))
