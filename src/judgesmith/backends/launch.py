"""A training in several processes: `accelerate launch`, watched from the stage that asked for it.

The stage writes what is to be done into a job folder and starts the launcher; every process runs
`train_worker` on it. Process 0 writes the student, and its result into the folder. A training that
was killed goes on from its last whole checkpoint, with the same number of processes.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from pydantic import BaseModel, ConfigDict, Field

from judgesmith.backends.dry_run import DryRun, found_before
from judgesmith.backends.loading import load
from judgesmith.backends.sft_trainer import Training
from judgesmith.backends.sft_trl import Trained
from judgesmith.errors import TrainingError
from judgesmith.models.dev import DevSet
from judgesmith.records import SftRow
from judgesmith.runs.jsonl import write_json, write_records
from judgesmith.runs.layout import Header, RunDir
from judgesmith.runs.progress import Progress, progress_bar, say

WORKER = "judgesmith.backends.train_worker"
SHIPPED = Path(__file__).parent / "accelerate"
_POLL_S, _STOP_S, _TAIL = 0.2, 10.0, 25


class Launch(BaseModel):
    """How many processes train together, and the file of `accelerate config` that they read.

    `config` is a path, or the name of one that is shipped: `fsdp` splits weights, gradients and
    the optimizer's state over the GPUs of one machine. Null copies the model to each process.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    processes: int = Field(gt=0)
    config: str | None = None

    @property
    def file(self) -> Path | None:
        """The file of `config`; TrainingError where there is none."""
        if self.config is None:
            return None
        shipped = SHIPPED / f"{self.config}.yaml"
        file = shipped if shipped.is_file() else Path(self.config)
        if not file.is_file():
            names = sorted(path.stem for path in SHIPPED.glob("*.yaml"))
            raise TrainingError(
                f"sft.launch.config: expected a file of `accelerate config`, or one of {names}; "
                f"found {self.config!r}."
            )
        return file


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


def train_launched(
    launch: Launch, training: Training, train: Sequence[SftRow], dev: Sequence[SftRow],
    *, run_dir: RunDir, dev_set: DevSet,
) -> Trained:  # fmt: skip
    """`train_sft` in several processes. Raises TrainingError with the end of their log."""
    file = launch.file
    job = Job(training.folder / "launch")
    job.folder.mkdir(parents=True, exist_ok=True)
    for left in (job.result, job.steps, job.error):
        left.unlink(missing_ok=True)
    _write_order(job, training, run_dir, dev_set)
    for side, rows in (("train", train), ("dev", dev)):
        write_records(job.folder / f"{side}.jsonl", rows)
    _run(job, _command(launch, file, job), training)
    found = orjson.loads(job.result.read_bytes())
    tried = found.pop("dry_run")
    shutil.rmtree(job.folder)
    return Trained(**found, dry_run=DryRun(**tried) if tried else None)


def _write_order(job: Job, training: Training, run_dir: RunDir, dev_set: DevSet) -> None:
    asking = dev_set.asking
    plain = training._replace(folder=str(training.folder), base=_full(training.base))  # type: ignore[arg-type]
    order = {
        "training": plain._asdict()
        | {"soft": {k: list(v) for k, v in training.soft.items()}, "steps_file": str(job.steps)},
        "run": str(run_dir.path.resolve()),
        "header": run_dir.header.model_dump(mode="json"),
        "dialect": asking.dialect.model_dump(mode="json"),
        "asking": list(asking[1:]),
        "threads": load("torch").get_num_threads(),
        "stage": os.getpid(),
    }
    write_json(job.order, order)


def _full(base: str) -> str:
    return str(Path(base).resolve()) if Path(base).is_dir() else base


class Order(NamedTuple):
    """A training, the dev items of its run, threads per process, and the stage's process."""

    training: Training
    dev_set: DevSet
    threads: int
    stage: int


def read_order(folder: Path) -> Order:
    """What a job's folder says."""
    from judgesmith.backends.soft_labels import Soft
    from judgesmith.judging.dialect import Dialect
    from judgesmith.models.dev import Asking

    order = orjson.loads(Job(folder).order.read_bytes())
    told: dict[str, Any] = order["training"]
    told |= {name: Path(told[name]) for name in ("folder", "steps_file")}
    told["soft"] = {
        row_id: Soft(place, tuple(options), tuple(chances))
        for row_id, (place, options, chances) in told["soft"].items()
    }
    run_dir = RunDir(Path(order["run"]), Header.model_validate(order["header"]))
    asking = Asking(Dialect.model_validate(order["dialect"]), *order["asking"])
    dev_set = DevSet.of_run(run_dir, asking)
    return Order(Training(**told), dev_set, int(order["threads"]), int(order["stage"]))


def _command(launch: Launch, file: Path | None, job: Job) -> list[str]:
    settings = ["--num_processes", str(launch.processes), "--main_process_port", "0"]
    if file is not None:
        settings += ["--config_file", str(file)]
    else:
        precision = "bf16" if load("torch").cuda.is_available() else "no"
        settings += ["--num_machines", "1", "--dynamo_backend", "no"]
        settings += ["--mixed_precision", precision]
        # Its name for several processes on one machine; without a GPU they meet over gloo.
        settings += ["--multi_gpu"] if launch.processes > 1 else []
    return [
        sys.executable, "-m", "accelerate.commands.launch", *settings,
        "--module", WORKER, str(job.folder.resolve()),
    ]  # fmt: skip


def _run(job: Job, command: Sequence[str], training: Training) -> None:
    say(f"the log of the processes is {job.log}")
    with job.log.open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
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
            f"sft.launch: the processes ended with code {process.returncode} and left no student. "
            f"The whole log is {job.log}; its end:\n" + "\n".join(lines)
        )


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
