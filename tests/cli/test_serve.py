"""`judgesmith serve` as a user starts it: in a process of its own, stopped by signals, killed."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest
from typer.testing import CliRunner

from judgesmith.backends.origin import model_path
from judgesmith.cli.main import app
from judgesmith.errors import JudgesmithError
from judgesmith.inference.judge import Judge
from judgesmith.inference.judge_file import JudgeFile, write_judge_file
from judgesmith.inference.opening import made_of
from judgesmith.tasks import load_dialect, load_task

DIRECT = build_opener(ProxyHandler({}))
PAIR = {
    "question": "Who paid?", "context": "They met.", "choices": ["he", "she", "nobody"],
    "response_a": "He did.", "response_b": "She did.",
}  # fmt: skip


@pytest.fixture(scope="session")
def exported(parrot: Path) -> Path:
    """The parrot as an exported judge: it names the response shown first, whatever it is."""
    dialect = load_dialect(load_task("bias"), "bias-pair-compact")
    folder = Path(model_path(parrot))
    judge = Judge(
        name="parrot", made_of=made_of(folder, dialect, None), dialect=dialect,
        model=None, max_tokens=60,  # type: ignore[arg-type]
    )  # fmt: skip
    write_judge_file(folder, JudgeFile.of(judge, "bias"))
    return folder


class Running:
    """A server in a process of its own, and what it said."""

    def __init__(self, folder: Path, *options: object, port: int = 0) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "judgesmith", "serve", str(folder), "--port", str(port),
             *map(str, options)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        assert self.process.stdout is not None
        self.said: list[str] = []
        self.ready = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.said.append(line)
            if line.startswith("Ready: "):
                self.ready.set()

    @property
    def url(self) -> str:
        found = re.search(r"Serving on (\S+);", "".join(self.said))
        assert found, self.said
        return found[1]

    def wait(self) -> "Running":
        assert self.ready.wait(300), "".join(self.said)
        return self

    def judge(self, body: object = PAIR, **headers: str) -> Any:
        """The reply; on all addresses of this machine the server is on loopback, too."""
        told = {"Content-Type": "application/json", **headers}
        asked = Request(f"{self.url}/v1/judgments", json.dumps(body).encode(), told)
        with DIRECT.open(asked, timeout=60) as answer:
            return json.loads(answer.read())

    def end(self, sig: int = signal.SIGTERM) -> int:
        self.process.send_signal(sig)
        code = self.process.wait(60)
        self._reader.join(10)
        return code


@contextmanager
def running(*given: Any, **port: int) -> Iterator[Running]:
    server = Running(*given, **port)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.end(signal.SIGKILL)


@pytest.fixture
def key(tmp_path: Path) -> str:
    """A key whose hash is in the file `keys`, made by the command."""
    made = CliRunner().invoke(app, ["serve", "--new-key", str(tmp_path / "keys")])
    assert made.exit_code == 0
    found = made.stdout.strip()
    assert found not in (tmp_path / "keys").read_text() + made.stderr
    return found


def test_a_server_is_killed_starts_again_and_stops_in_order(
    exported: Path, key: str, tmp_path: Path
) -> None:
    """All three under load, on an address that others can reach, with keys and a log."""
    log = tmp_path / "log.jsonl"
    options = ("--host", "0.0.0.0", "--keys", tmp_path / "keys", "--log", log)
    mine = {"Authorization": f"Bearer {key}"}
    with running(exported, *options) as server:
        said = server.wait().judge({**PAIR, "rationale": True}, **mine)
        assert (said["verdict"], said["order_agreement"]) == ("TIE", False)
        assert [one["verdict"] for one in said["orders"]] == ["A", "B"]
        assert said["orders"][0]["rationale"] == "It is so."
        assert said["judge"]["version"] == version_of(exported)
        assert any(line.startswith("Gate: ") for line in server.said)
        with pytest.raises(HTTPError, match="401"):
            server.judge()
        killed = crowd_of(4, lambda: forever(lambda: server.judge(**mine)))
        time.sleep(0.3)
        assert server.end(signal.SIGKILL) == -signal.SIGKILL
        assert len(killed()) == 4
        port = int(server.url.rpartition(":")[2])
    with running(exported, *options, port=port) as again:
        assert again.wait().judge({**PAIR, "rationale": True}, **mine) == said
        before = count(log)
        answered = crowd_of(6, lambda: len(again.judge({"items": [PAIR] * 8}, **mine)["judgments"]))
        end = time.monotonic() + 30
        while count(log) == before and time.monotonic() < end:
            time.sleep(0.01)
        assert again.end() == 0  # in the middle of the crowd
        # Whoever was accepted was answered; the others were refused, and none is in between.
        told = answered()
        assert sum(one for one in told if isinstance(one, int)) == count(log) - before > 0
        assert again.said[-1].startswith("Stopped")
    assert "Traceback" not in "".join(server.said + again.said)


def version_of(folder: Path) -> str:
    return str(json.loads((folder / "judge.json").read_text())["version"])


def count(log: Path) -> int:
    return log.read_bytes().count(b"\n")


def forever(call: Callable[[], Any]) -> None:
    while True:
        call()


def crowd_of(size: int, call: Callable[[], Any]) -> Callable[[], list[Any]]:
    """Calls in threads; what is given back waits for them and has results, or why there is none."""
    found: list[Any] = []

    def one() -> None:
        try:
            found.append(call())
        except (OSError, HTTPException) as error:
            found.append(error)

    threads = [threading.Thread(target=one) for _ in range(size)]
    for thread in threads:
        thread.start()

    def wait() -> list[Any]:
        for thread in threads:
            thread.join(60)
        return found

    return wait


def test_a_signal_while_the_judge_loads_ends_it(exported: Path) -> None:
    with running(exported) as server:
        end = time.monotonic() + 60
        while not server.said and time.monotonic() < end:
            time.sleep(0.01)
        assert not server.ready.is_set()
        server.end()
        assert "Traceback" not in "".join(server.said)


def test_an_attached_server_ends_with_its_input(exported: Path) -> None:
    """As it is closed where the process that started the server is killed."""
    with running(exported, "--attached") as server:
        assert server.wait().judge()["verdict"] == "TIE"
        assert server.process.stdin is not None
        server.process.stdin.close()
        assert server.process.wait(60) == 0
    assert server.said[-1].startswith("Stopped")


def test_mistakes_are_told(exported: Path, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a secret\n")
    with socket.create_server(("127.0.0.1", 0)) as held:
        taken = held.getsockname()[1]
        for arguments, told in (
            ([exported, "--host", "0.0.0.0"], "--new-key"),
            ([exported, "--keys", tmp_path / "none"], "--new-key"),
            ([exported, "--keys", tmp_path / "keys"], "keys:1"),
            ([exported, "--log", tmp_path / "none" / "log"], "--log"),
            ([exported, "--port", taken], f"--port {taken}"),
            ([tmp_path], "judgesmith run RECIPE"),
            ([exported, "--dialect", "bias-pair"], "exported in 'bias-pair-compact'"),
        ):
            done = CliRunner().invoke(app, ["serve", "--port", "0", *map(str, arguments)])
            assert isinstance(done.exception, JudgesmithError), (arguments, done.exception)
            assert told in str(done.exception)
    done = CliRunner().invoke(app, ["serve"])
    assert (done.exit_code, "expected a run" in done.stderr) == (2, True)
