"""`judgesmith serve` in a process of its own."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from judgesmith.backends.student import FromNothing, build_student
from judgesmith.inference.judge import Judge
from judgesmith.inference.judge_file import JudgeFile, write_judge_file
from judgesmith.inference.opening import made_of
from judgesmith.sources.bank import read_questions
from judgesmith.tasks import load_dialect, load_task

SIZE = FromNothing(width=128, layers=4, heads=4, vocabulary=2000, context=1024)


class ServerProcess:
    """A server that is ready."""

    def __init__(self, process: "subprocess.Popen[str]", url: str) -> None:
        self.process, self.url = process, url

    def resident_mb(self) -> float:
        """Memory of the process that is in use now (Linux)."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def random_judge(folder: Path) -> Path:
    """An exported judge of pairs with random weights."""
    texts = [f"{question.context} {question.text}" for question in read_questions(None)][::7]
    target = folder / "judge"
    target.mkdir()
    build_student(SIZE, texts, target, seed=1)
    (target / "from_nothing.json").unlink(missing_ok=True)
    dialect = load_dialect(load_task("bias"), "bias-pair-compact")
    judge = Judge(
        name="random", made_of=made_of(target, dialect, None), dialect=dialect,
        model=None, max_tokens=48,  # type: ignore[arg-type]
    )  # fmt: skip
    write_judge_file(target, JudgeFile.of(judge, "bias"))
    return target


@contextmanager
def running(judge: Path, *options: object) -> Iterator[ServerProcess]:
    """The server of a judge; at the end it must stop in order."""
    process = subprocess.Popen(
        [sys.executable, "-m", "judgesmith", "serve", str(judge), "--port", "0",
         *map(str, options)],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert process.stdout is not None
    said = ""
    try:
        for line in process.stdout:
            said += line
            if line.startswith("Ready: "):
                break
        found = re.search(r"Serving on (\S+);", said)
        if found is None or process.poll() is not None:
            raise SystemExit(f"the server did not start: {said}")
        yield ServerProcess(process, found[1])
        process.send_signal(signal.SIGTERM)
        if process.wait(60):
            raise SystemExit(f"expected exit 0 at SIGTERM, found {process.returncode}")
    finally:
        process.kill()
        process.wait()
