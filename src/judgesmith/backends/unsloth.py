"""Training by Unsloth in an environment of its own, because its pins exclude ours.

The stage writes token ids and labels into a job folder, so prompt and mask are the same as in every
other training here; the worker, a script that imports nothing of judgesmith, trains the adapter
there. What it brings back is loaded on the base in this environment before it becomes the student.
"""

import os
import shutil
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from judgesmith.backends.adapters import base_of, is_adapter, put_on
from judgesmith.backends.checkpoints import COMPLETE, Saved, last_whole, log_every, save_whole
from judgesmith.backends.lengths import length_table
from judgesmith.backends.lessons import Lesson, schedule
from judgesmith.backends.local_model import LocalModel
from judgesmith.backends.origin import origin_of
from judgesmith.backends.sft_trainer import Training
from judgesmith.backends.sft_trl import Material, Trained, counts_of, encode_sides, plan_of
from judgesmith.backends.sft_watch import curve
from judgesmith.backends.student import open_tokenizer, read_size
from judgesmith.backends.watched import Job, run_watched
from judgesmith.backends.weights import load_weights, require_finite
from judgesmith.errors import TrainingError
from judgesmith.models.dev import DevSets
from judgesmith.records import SftRow
from judgesmith.runs.jsonl import write_json

WORKER = Path(__file__).with_name("unsloth_worker.py")
_CHECKPOINTING = "gradient_checkpointing"


class Unsloth(NamedTuple):
    """The Python of its environment, and who trains there: unsloth, or plain transformers."""

    python: str
    trainer: str = "unsloth"

    @property
    def found(self) -> str | None:
        """Where it lies, None where it cannot be run.

        A link is not followed: an environment is known by the place of its own.
        """
        found = shutil.which(os.path.expanduser(self.python))
        return None if found is None else os.path.abspath(found)


def train_unsloth(
    unsloth: Unsloth, training: Training, train: Sequence[SftRow], dev: Sequence[SftRow],
    *, dev_sets: DevSets,
) -> Trained:  # fmt: skip
    """Train an adapter there and save it to `folder / "student"`; dev kappa is measured once.

    A training that was killed goes on from its last whole checkpoint. Raises TrainingError with the
    end of the worker's log, or where what came back does not fit the base.
    """
    _require_possible(training, unsloth)
    material = encode_sides(training, train, dev)
    job = Job(training.folder / "unsloth")
    if not job.result.exists():  # else a kill came between training and checking
        job.open()
        _write(job, training, material)
        run_watched(
            job, _command(unsloth, job), training, what="sft.launch.unsloth",
            environment={"TOKENIZERS_PARALLELISM": "false"}, folder=job.folder,
        )  # fmt: skip
    model, tokenizer = _brought_back(job, training, material)
    found = orjson.loads(job.result.read_bytes())
    kappa = dev_sets.kappa(LocalModel("student", loaded=(model, tokenizer)))
    measured = [] if kappa is None else [{"step": training.steps, "dev_kappa": kappa}]
    counts = counts_of(material, model)
    shutil.rmtree(job.folder)
    shutil.rmtree(training.checkpoints, ignore_errors=True)
    tables = {
        side: length_table(rows.lengths, training.max_length, training.buckets)
        for side, rows in (("train", material.train), ("dev", material.dev))
    }
    return Trained(curve([*found["log"], *measured]), counts, tables, None)


def _require_possible(training: Training, unsloth: Unsloth) -> None:
    """What another environment cannot do, or only judgesmith's own trainer does."""
    reasons = {
        "sft.peft: Unsloth trains adapters here; give one, for example {r: 16, lora_alpha: 32, "
        "target_modules: all-linear}": training.peft is None,
        "sft.student: an adapter cannot be trained on there; start from its base": is_adapter(
            training.base
        ),
        "sft.soft_labels: leave it out; the loss there is that of the replies": bool(training.soft),
        "sft.keep: best and sft.patience choose by dev kappa, which is measured here; keep the "
        "last": training.keep == "best" or training.patience is not None,
        "sft.packing: leave it out; rows of similar length go together there": training.packing
        != "none",
    }
    for reason, found in reasons.items():
        if found:
            raise TrainingError(f"sft.launch.unsloth does not go with {reason}.")
    if unsloth.found is None:
        raise TrainingError(
            f"sft.launch.unsloth: expected the Python of an environment with Unsloth, such as "
            f"/path/to/venv/bin/python; found {unsloth.python!r}, which cannot be run."
        )


def _command(unsloth: Unsloth, job: Job) -> list[str]:
    """The script is copied: the folder that it lies in heads its module path."""
    folder = job.folder.resolve()
    worker = shutil.copy(WORKER, folder)
    return [str(unsloth.found), str(worker), str(folder), "--trainer", unsloth.trainer]


def _write(job: Job, training: Training, material: Material) -> None:
    shown = list(
        schedule(material.train.rows, plan_of(training, read_size(training.base)))
    )  # fmt: skip
    dev = material.dev.rows
    places: dict[int, int] = {}  # rows come back as the same objects in every pass
    rows: list[Lesson] = []
    for lesson in chain(shown, dev):
        if places.setdefault(id(lesson), len(rows)) == len(rows):
            rows.append(lesson)
    with (job.folder / "rows.jsonl").open("wb") as file:
        file.writelines(orjson.dumps(lesson.fields()) + b"\n" for lesson in rows)
    sides = {"train": shown, "dev": dev}
    write_json(
        job.folder / "order.json",
        {side: [places[id(lesson)] for lesson in lessons] for side, lessons in sides.items()},
    )
    options = dict(training.trl)
    write_json(
        job.order,
        {
            "model": _full(training.base), "four_bits": training.quantize is not None,
            "lora": dict(training.peft or {}), "max_length": training.max_length,
            "checkpointing": bool(options.pop(_CHECKPOINTING, False)),
            "arguments": {**_arguments(training, bool(dev)), **options},
            "pad": open_tokenizer(training.base).pad_token_id, "seed": training.seed,
            "checkpoint": last_whole(training.checkpoints), "whole": COMPLETE,
            "stage": os.getpid(),
        },
    )  # fmt: skip


def _full(base: str) -> str:
    return str(Path(base).resolve()) if Path(base).is_dir() else base


def _arguments(training: Training, dev: bool) -> dict[str, Any]:
    """Of transformers' TrainingArguments: the same schedule as of a training in here."""
    return {
        "output_dir": str(training.checkpoints.resolve()),
        "per_device_train_batch_size": training.batch,
        "per_device_eval_batch_size": training.batch,
        "learning_rate": training.learning_rate, "lr_scheduler_type": "cosine",
        "warmup_steps": max(1, training.steps // 20), "max_steps": training.steps,
        "eval_strategy": "steps" if dev else "no", "eval_steps": training.eval_every,
        "save_steps": training.eval_every, "save_total_limit": 2,
        "logging_steps": log_every(training.eval_every), "seed": training.seed,
        "report_to": "none", "disable_tqdm": True, "remove_unused_columns": False,
        "dataloader_pin_memory": False, "prediction_loss_only": True, "label_names": ["labels"],
    }  # fmt: skip


def _brought_back(job: Job, training: Training, material: Material) -> tuple[Any, Any]:
    """The base with the adapter that came back, once that is whole, finite, and of this base."""
    adapter, student = str(job.folder / "adapter"), training.folder / "student"
    if not is_adapter(adapter):
        raise TrainingError(f"sft.launch.unsloth: no adapter came back in {adapter}.")
    base = base_of(adapter)
    if _full(base) != _full(training.base):
        raise TrainingError(
            f"sft.launch.unsloth: the adapter that came back is of the base {base!r}, expected "
            f"{training.base!r}. Unsloth puts a copy of its own in place of some models; name that "
            "one as sft.student, or fetch the model into a folder and name the folder."
        )
    require_finite(None, adapter)
    model = load_weights(training.base, training.quantize)
    model = put_on(model, adapter, merge=False, trainable=True)
    tokenizer = open_tokenizer(training.base)
    replies = [len(lesson.reply) for lesson in material.train.rows]
    origin = origin_of(
        training.base, student, dialects=training.dialects, replies=replies,
        quantize=training.quantize,
    )  # fmt: skip
    save_whole(model, tokenizer, student, Saved(origin))
    return model.eval(), tokenizer
