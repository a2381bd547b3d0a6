"""A training in processes of its own: its job folder, and the stage that watches it to its end."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from judgesmith.backends.dry_run import found_before
from judgesmith.backends.sft_trainer import Training
from judgesmith.errors import TrainingError
from judgesmith.runs.progress import Progress, progress_bar, say

_POLL_S, _STOP_S, _TAIL = 0.2, 10.0, 25


class Job(NamedTuple):
    """The folder of a launched training, and what lies in it."""

    folder: Path

    @property
    def order(self) -> Path:
        """What is to be trained."""
        return self.folder / "job.json"

    @property
    def result(self) -> Path:
        """What came of it."""
        return self.folder / "result.json"

    @property
    def steps(self) -> Path:
        """How many steps are done."""
        return self.folder / "steps.txt"

    @property
    def log(self) -> Path:
        """What all processes said."""
        return self.folder / "log.txt"

    @property
    def error(self) -> Path:
        """Our own error, where that is what ended it."""
        return self.folder / "error.txt"

    def open(self) -> None:
        """Make the folder, without what an earlier attempt left of its end."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for left in (self.result, self.steps, self.error):
            left.unlink(missing_ok=True)


def run_watched(
    job: Job, command: Sequence[str], training: Training, *, what: str,
    environment: Mapping[str, str] | None = None, folder: Path | None = None,
) -> None:  # fmt: skip
    """Run a command until it ends, showing its steps; it must leave `job.result`.

    Raises TrainingError, which names the setting `what`, with the end of its log.
    """
    say(f"the log of {what} is {job.log}")
    own = None if environment is None else {**os.environ, **environment}
    with job.log.open("wb") as log:
        process = _start(command, log.fileno(), own, folder, what)
        try:
            with progress_bar("sft", training.steps) as bar:
                _follow(process, job, bar, training)
        finally:
            if process.poll() is None:
                _stop(process)
    if job.error.exists():
        raise TrainingError(job.error.read_text())
    if process.returncode != 0 or not job.result.exists():
        lines = job.log.read_text(errors="replace").splitlines()[-_TAIL:]
        raise TrainingError(
            f"{what}: the processes ended with code {process.returncode} and left no student. "
            f"The whole log is {job.log}; its end:\n" + "\n".join(lines)
        )


def _start(
    command: Sequence[str], log: int, own: Mapping[str, str] | None, folder: Path | None, what: str
) -> "subprocess.Popen[bytes]":
    try:
        return subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, env=own, cwd=folder
        )  # fmt: skip
    except OSError as error:
        raise TrainingError(
            f"{what}: {command[0]} could not be started ({error.strerror})."
        ) from None


def _follow(
    process: "subprocess.Popen[bytes]", job: Job, bar: Progress, training: Training
) -> None:  # fmt: skip
    done, tried = 0, False
    while process.poll() is None:
        time.sleep(_POLL_S)
        text = job.steps.read_text() if job.steps.exists() else ""
        if text.isdigit() and int(text) > done:
            bar.advance(int(text) - done)
            done = int(text)
        if not tried and (found := found_before(training)) is not None:
            tried = True
            say(found.told())


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """End the launcher, which ends its processes, where we are stopped ourselves."""
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
