"""llama.cpp's OpenAI-compatible server in its own process, with several models."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

START_S = 90.0
DIRECT = build_opener(ProxyHandler({}))
CONTEXT = 1024
EXACT: dict[str, Any] = {"n_ctx": CONTEXT, "n_threads": 1, "type_k": 0, "type_v": 0}
"""Keys and values in float32 (0): the server's own choice is float16, which moves our logits by up
to .03. One thread: a model of half a million parameters gains nothing from more."""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@dataclass
class LlamaServer:
    """A server of GGUF files by the names that a request asks for; the first name is its default.

    It may be killed and started again: it keeps its port, so that a recipe's addresses stay true.
    `url` ends in /v1, as a recipe gives it.
    """

    python: Path
    models: Mapping[str, Path]
    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def log(self) -> Path:
        """What the server says, over all its lives."""
        return self.folder / "server.log"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        config = self.folder / "server.json"
        models = [
            {"model": str(file), "model_alias": name, "logits_all": True, "verbose": False,
             "n_threads_batch": 1, **EXACT}
            for name, file in self.models.items()
        ]  # fmt: skip
        config.write_text(
            json.dumps({"host": "127.0.0.1", "port": self.port, "models": models}, indent=1)
        )
        command = [self.python, "-m", "llama_cpp.server", "--config_file", config]
        with self.log.open("ab") as words:
            self.process = subprocess.Popen(
                [*map(str, command)], stdout=words, stderr=words,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )  # fmt: skip
        end = time.monotonic() + START_S
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"llama.cpp's server did not start:\n{self.log.read_text()}")
            time.sleep(0.1)

    def answers(self) -> bool:
        """Whether it takes calls."""
        try:
            with DIRECT.open(f"{self.url}/models", timeout=5) as answer:
                return bool(json.loads(answer.read())["data"])
        except (URLError, OSError, ValueError):
            return False

    def answered(self) -> int:
        """Chat completions that it has answered with status 200, over all its lives."""
        return self.log.read_text(errors="replace").count('/chat/completions HTTP/1.1" 200')

    def kill(self) -> None:
        """End it at once, as a crash does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in an orderly way."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
