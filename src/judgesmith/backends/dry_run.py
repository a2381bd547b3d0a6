"""A few steps on a copy of the student, before the hours of a training are spent."""

import gc
import math
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from judgesmith.backends.lessons import Lesson
from judgesmith.backends.loading import load
from judgesmith.backends.local_model import LocalModel
from judgesmith.backends.sft_data import MaskCheck
from judgesmith.backends.sft_trainer import Lessons, Training, build_trainer, is_main
from judgesmith.errors import TrainingError
from judgesmith.models.protocol import Model
from judgesmith.records import keyed_rng
from judgesmith.runs.jsonl import write_json

_STEPS = 4
"""Least steps of a dry run; else each of its rows is seen twice."""


class Probe(NamedTuple):
    """Asks a model about dev items: how many replies parsed, and of how many that were asked for.

    `items` is how many the kappa of each evaluation asks about.
    """

    ask: Callable[[Model], tuple[int, int]]
    items: int = 0


NO_PROBE = Probe(lambda model: (0, 0))


class DryRun(NamedTuple):
    """What a dry run found.

    Losses are means per token of its own rows, in nats, before and after; `tokens_per_second` are
    of training, padding not counted. `projected_hours` is for the whole training with its
    evaluations, `peak_memory_gb` the most memory (of the GPU where there is one) at its longest
    rows.
    """

    rows: int
    steps: int
    loss_before: float
    loss_after: float
    parsed: int
    asked: int
    tokens_per_second: float
    projected_hours: float
    peak_memory_gb: float

    def told(self) -> str:
        """In one line."""
        hours = self.projected_hours
        time = f"{hours:.1f} hours" if hours >= 2 else f"{hours * 60:.1f} minutes"
        parsed = f", {self.parsed} of {self.asked} replies parsed" if self.asked else ""
        return (
            f"dry run on {self.rows} rows: loss {self.loss_before:.3f} -> {self.loss_after:.3f} in "
            f"{self.steps} steps{parsed}; {self.tokens_per_second:,.0f} tokens/s, so about {time} "
            f"for the whole training; {self.peak_memory_gb:.1f} GB at most"
        )


def dry_run(
    training: Training, lessons: Lessons, open_student: Callable[[], tuple[Any, Any]],
    check: Callable[[Any], MaskCheck], probe: Probe = NO_PROBE,
) -> DryRun:  # fmt: skip
    """Train a copy on `training.dry_run` rows, the longest among them, or read what was found.

    Raises TrainingError where the loss of those rows does not fall: with so few rows seen twice it
    must, whatever the task.
    """
    known = found_before(training)
    if known is not None:
        return known
    rows = _chosen(lessons.train, training)
    steps = max(_STEPS, 2 * math.ceil(len(rows) / training.batch))
    scratch = training.folder / "dry_run"
    own = {k: v for k, v in training.trl.items() if not k.startswith("lr_scheduler")}
    small = training._replace(
        folder=scratch, steps=steps, eval_every=steps, keep="last", patience=None,
        trl={**own, "lr_scheduler_type": "constant", "warmup_steps": 0},
    )  # fmt: skip
    shown = [rows[i % len(rows)] for i in range(small.rows)]
    try:
        found = _train(small, Lessons(shown, rows, rows), open_student, check, probe)
    finally:
        if is_main():
            shutil.rmtree(scratch, ignore_errors=True)
        gc.collect()  # the copy of the student, before the next one comes
        load("torch").cuda.empty_cache()
    kept = _project(found, training, lessons, probe)
    _require_falling(kept, training)
    if is_main():
        training.checkpoints.mkdir(parents=True, exist_ok=True)
        write_json(_store(training), kept._asdict())
    return kept


def found_before(training: Training) -> DryRun | None:
    """What the dry run of this training found, if it was run: it is not run again after a kill."""
    store = _store(training)
    return DryRun(**orjson.loads(store.read_bytes())) if store.exists() else None


def _store(training: Training) -> Path:
    return training.checkpoints / "dry_run.json"


class _Times(NamedTuple):
    found: DryRun
    evaluated_per_second: float
    seconds_per_item: float


def _train(
    small: Training, lessons: Lessons, open_student: Callable[[], tuple[Any, Any]],
    check: Callable[[Any], MaskCheck], probe: Probe,
) -> _Times:  # fmt: skip
    torch = load("torch")
    model, tokenizer = open_student()
    trainer = build_trainer(small, model, tokenizer, lessons, check(tokenizer))
    del model
    trainer.args.eval_strategy = trainer.args.save_strategy = "no"
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    before, eval_s = _timed(lambda: trainer.evaluate()["eval_loss"])
    _, train_s = _timed(trainer.train)
    after, _ = _timed(lambda: trainer.evaluate()["eval_loss"])
    student = LocalModel("student", loaded=(trainer.model, tokenizer))
    split = trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled
    asks = is_main() and not split  # a part of a model cannot answer alone
    (parsed, asked), probe_s = _timed(lambda: probe.ask(student) if asks else (0, 0))
    tokens = sum(lesson.length for lesson in lessons.shown)
    found = DryRun(
        len(lessons.train), small.steps, round(before, 6), round(after, 6), parsed, asked,
        tokens / train_s, 0.0, _peak_gb(),
    )  # fmt: skip
    own = sum(lesson.length for lesson in lessons.dev)
    return _Times(found, own / eval_s, probe_s / max(asked, 1))


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    return work(), time.perf_counter() - start


def _project(times: _Times, training: Training, lessons: Lessons, probe: Probe) -> DryRun:
    mean = sum(lesson.length for lesson in lessons.train) / len(lessons.train)
    seconds = training.rows * mean / times.found.tokens_per_second
    dev = sum(lesson.length for lesson in lessons.dev) / times.evaluated_per_second
    each = dev + probe.items * times.seconds_per_item
    whole = seconds + each * math.ceil(training.steps / training.eval_every)
    return times.found._replace(
        projected_hours=round(whole / 3600, 4),
        tokens_per_second=round(times.found.tokens_per_second, 1),
    )


def _require_falling(found: DryRun, training: Training) -> None:
    if not found.loss_after < found.loss_before:  # not-a-number has not fallen
        raise TrainingError(
            f"sft: the loss of {found.rows} rows did not fall in {found.steps} steps on them "
            f"({found.loss_before:.4f} before, {found.loss_after:.4f} after; sft.dry_run), so a "
            f"whole training would learn nothing. Lower sft.learning_rate (now "
            f"{training.learning_rate:g}) if the loss rose; raise it, or look at sft.peft's "
            "target_modules, if it stood still."
        )


def _chosen(rows: Sequence[Lesson], training: Training) -> list[Lesson]:
    """The longest rows for one step, which need the most memory, and others drawn by their ids."""
    longest = sorted(rows, key=lambda row: (-row.length, row.row_id))[: training.batch]
    taken = {row.row_id for row in longest}
    others = [row for row in rows if row.row_id not in taken]
    others.sort(key=lambda row: keyed_rng(training.seed, "dry run", row.row_id).random())
    return [*longest, *others][: training.dry_run]


def _peak_gb() -> float:
    torch = load("torch")
    if torch.cuda.is_available():
        return round(float(torch.cuda.max_memory_allocated()) / 1e9, 3)
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9, 3)
