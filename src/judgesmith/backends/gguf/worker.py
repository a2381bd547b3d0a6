"""The other end of `llama_worker.py`: starts it, asks it, and survives it."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from judgesmith.backends.gguf.source import PACKAGE
from judgesmith.errors import ModelError

SCRIPT = Path(__file__).with_name("llama_worker.py")
PYTHON = "JUDGESMITH_LLAMA_PYTHON"
_MOST_WORDS = 400


class WorkerEnded(Exception):
    """The worker process is gone; the text says how it ended."""


def llama_python() -> str:
    """The Python that has llama.cpp: $JUDGESMITH_LLAMA_PYTHON, or this one."""
    return os.environ.get(PYTHON) or sys.executable


class Worker:
    """One worker process, started with the first question asked of it."""

    def __init__(self, python: str | None = None) -> None:
        self._python = python or llama_python()
        self._process: subprocess.Popen[str] | None = None
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the worker)

    def ask(self, do: str, **about: Any) -> Any:
        """The worker's answer.

        Raises:
            WorkerEnded: it died; the next question starts another one, which knows nothing.
            ModelError: it could not do it, or has no llama.cpp.
        """
        process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps({"do": do, **about}) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise WorkerEnded(self._ended(process))
        found = json.loads(line)
        if "error" not in found:
            return found["answer"]
        if found["error"].startswith("ModuleNotFoundError: No module named 'llama_cpp'"):
            raise ModelError(
                f"llama.cpp is needed for GGUF and {self._python} does not have it. Install it "
                f"with: pip install 'judgesmith[gguf]' ({PACKAGE}, compiled in about 13 "
                f"CPU-minutes), or name a Python that has it in {PYTHON}."
            )
        raise ModelError(f"llama.cpp: {do}: {found['error']}")

    def close(self) -> None:
        """End the worker."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def __del__(self) -> None:
        self.close()

    def _start(self) -> "subprocess.Popen[str]":
        self._words.truncate(0)
        self._process = subprocess.Popen(
            [self._python, "-P", "-u", str(SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self._words, text=True,
        )  # fmt: skip
        return self._process

    def _ended(self, process: "subprocess.Popen[str]") -> str:
        status = process.wait()
        self._process = None
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        self._words.seek(0)
        said = self._words.read().decode(errors="replace").strip()[-_MOST_WORDS:]
        return f"llama.cpp's process ended with {how}" + (f": {said}" if said else "")
