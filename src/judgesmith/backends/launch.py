"""A training in several processes: `accelerate launch`, watched from the stage that asked for it.

The stage writes what is to be done into a job folder and starts the launcher; every process runs
`train_worker` on it. Process 0 writes the student, and its result into the folder. A training that
was killed goes on from its last whole checkpoint, with the same number of processes.
"""

import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, model_validator

from judgesmith.backends.dry_run import DryRun
from judgesmith.backends.loading import load
from judgesmith.backends.sft_trainer import Training
from judgesmith.backends.sft_trl import Trained
from judgesmith.backends.unsloth import Unsloth, train_unsloth
from judgesmith.backends.watched import Job, run_watched
from judgesmith.errors import TrainingError
from judgesmith.models.dev import DevSets
from judgesmith.records import SftRow
from judgesmith.runs.jsonl import write_json, write_records
from judgesmith.runs.layout import Header, RunDir

WORKER = "judgesmith.backends.train_worker"
SHIPPED = Path(__file__).parent / "accelerate"


class Launch(BaseModel):
    """How many processes train together, and the file of `accelerate config` that they read.

    `config` is a path, or the name of one that is shipped: `fsdp` splits weights, gradients and
    the optimizer's state over the GPUs of one machine. Null copies the model to each process.

    Or `unsloth`: the Python of an environment in which Unsloth is installed, which trains there;
    with `trainer: plain` transformers and PEFT of that environment train alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    processes: int | None = Field(None, gt=0)
    config: str | None = None
    unsloth: str | None = None
    trainer: Literal["unsloth", "plain"] = "unsloth"

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.processes is None) is (self.unsloth is None):
            raise ValueError("expected `processes`, or `unsloth` for its own environment")
        if self.unsloth is not None and self.config is not None:
            raise ValueError("`config` is for `processes`; Unsloth trains in one process")
        if self.unsloth is None and self.trainer != "unsloth":
            raise ValueError("`trainer` is for `unsloth`")
        return self

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

    @property
    def splits(self) -> bool:
        """Whether its file splits a model over the processes, by FSDP or DeepSpeed."""
        text = "" if self.file is None else self.file.read_text(encoding="utf-8")
        return re.search(r"distributed_type:\s*['\"]?(FSDP|DEEPSPEED)", text) is not None


def train_launched(
    launch: Launch, training: Training, train: Sequence[SftRow], dev: Sequence[SftRow],
    *, run_dir: RunDir, dev_sets: DevSets,
) -> Trained:  # fmt: skip
    """`train_sft` in several processes. Raises TrainingError with the end of their log."""
    if launch.unsloth is not None:
        given = Unsloth(launch.unsloth, launch.trainer)
        return train_unsloth(given, training, train, dev, dev_sets=dev_sets)
    file = launch.file
    job = Job(training.folder / "launch")
    job.open()
    write_order(job, training, run_dir, dev_sets)
    for side, rows in (("train", train), ("dev", dev)):
        write_records(job.folder / f"{side}.jsonl", rows)
    run_watched(job, _command(launch, file, job), training, what="sft.launch")
    found = from_plain(orjson.loads(job.result.read_bytes()))
    shutil.rmtree(job.folder)
    return found


def as_plain(trained: Trained) -> dict[str, Any]:
    """What came of a training, as JSON can hold it."""
    return trained._asdict() | {"dry_run": trained.dry_run and trained.dry_run._asdict()}


def from_plain(found: Mapping[str, Any]) -> Trained:
    """What `as_plain` wrote."""
    tried = found["dry_run"]
    return Trained(**{**found, "dry_run": DryRun(**tried) if tried else None})


def write_order(job: Job, training: Training, run_dir: RunDir, dev_sets: DevSets) -> None:
    """Say in a job's folder what its processes are to do; `read_order` reads it."""
    plain = training._replace(folder=str(training.folder), base=_full(training.base))  # type: ignore[arg-type]
    order = {
        "training": plain._asdict()
        | {"soft": {k: list(v) for k, v in training.soft.items()}, "steps_file": str(job.steps)},
        "run": str(run_dir.path.resolve()),
        "header": run_dir.header.model_dump(mode="json"),
        "askings": [
            [one.asking.dialect.model_dump(mode="json"), *one.asking[1:]] for one in dev_sets.sets
        ],
        "threads": load("torch").get_num_threads(),
        "stage": os.getpid(),
    }
    write_json(job.order, order)


def _full(base: str) -> str:
    return str(Path(base).resolve()) if Path(base).is_dir() else base


class Order(NamedTuple):
    """A training, the dev items of its run, threads per process, and the stage's process."""

    training: Training
    dev_sets: DevSets
    threads: int
    stage: int


def read_order(folder: Path) -> Order:
    """What a job's folder says."""
    from judgesmith.backends.soft_labels import Soft
    from judgesmith.judging.dialect import Dialect
    from judgesmith.models.dev import Asking
    from judgesmith.tasks import known_dialects, task_of

    order = orjson.loads(Job(folder).order.read_bytes())
    told: dict[str, Any] = order["training"]
    told |= {name: Path(told[name]) for name in ("folder", "steps_file")}
    told["soft"] = {
        row_id: Soft(place, tuple(options), tuple(chances))
        for row_id, (place, options, chances) in told["soft"].items()
    }
    run_dir = RunDir(Path(order["run"]), Header.model_validate(order["header"]))
    askings = (
        Asking(Dialect.model_validate(dialect), *others) for dialect, *others in order["askings"]
    )
    dev_sets = DevSets.of_run(run_dir, askings, known_dialects(task_of(run_dir.header)))
    return Order(Training(**told), dev_sets, int(order["threads"]), int(order["stage"]))


def _command(launch: Launch, file: Path | None, job: Job) -> list[str]:
    settings = ["--num_processes", str(launch.processes), "--main_process_port", "0"]
    if file is not None:
        settings += ["--config_file", str(file)]
    else:
        precision = "bf16" if load("torch").cuda.is_available() else "no"
        settings += ["--num_machines", "1", "--dynamo_backend", "no"]
        settings += ["--mixed_precision", precision]
        # Its name for several processes on one machine; without a GPU they meet over gloo.
        settings += ["--multi_gpu"] if (launch.processes or 1) > 1 else []
    return [
        sys.executable, "-m", "accelerate.commands.launch", *settings,
        "--module", WORKER, str(job.folder.resolve()),
    ]  # fmt: skip
