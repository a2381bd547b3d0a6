"""The command line in a process of its own whose imports are done: importing torch takes seconds.

Such a process is forked from a server of `multiprocessing` that has imported everything. It has
its own arguments, environment, folder and standard streams, and ends, or is killed, as any other.
"""

import atexit
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path

PRELOADED = (
    "judgesmith.cli.main", "judgesmith.pipeline.report_run", "scipy.stats", "torch",
    "transformers.models.auto.modeling_auto", "transformers.models.llama.modeling_llama",
    "peft", "datasets", "trl.trainer.sft_trainer", "trl.trainer.dpo_trainer",
)  # fmt: skip


@cache
def _server() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(PRELOADED))
    return context


def begin(
    arguments: tuple[str, ...], *, out: Path, error: Path, cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> BaseProcess:  # fmt: skip
    """`judgesmith ARGUMENTS`, begun; what it says goes into two files."""
    where = str(cwd or Path.cwd())
    process = _server().Process(
        target=_main, args=(arguments, where, {**os.environ, **(environment or {})}, out, error)
    )
    process.start()
    return process


def run(
    *arguments: object, cwd: Path | None = None, timeout: float = 300,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:  # fmt: skip
    """`judgesmith ARGUMENTS`, run to its end."""
    given = tuple(map(str, arguments))
    with tempfile.TemporaryDirectory() as folder:
        out, error = Path(folder) / "out", Path(folder) / "error"
        process = begin(given, out=out, error=error, cwd=cwd, environment=environment)
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(["judgesmith", *given], timeout)
        said = out.read_text(encoding="utf-8"), error.read_text(encoding="utf-8")
    return subprocess.CompletedProcess(["judgesmith", *given], process.exitcode, *said)


def _main(
    arguments: tuple[str, ...], cwd: str, environment: dict[str, str], out: Path, error: Path
) -> None:
    """What `python -m judgesmith ARGUMENTS` does."""
    for number, path in ((1, out), (2, error)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, number)
        os.close(file)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    sys.argv = ["judgesmith", *arguments]
    try:
        runpy.run_module("judgesmith", run_name="__main__", alter_sys=True)
    finally:
        atexit._run_exitfuncs()
