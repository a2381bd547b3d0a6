"""Supervised fine-tuning with TRL: rows in, a trained model or adapter folder out.

Before the first step: every row is counted in the student's own tokens, the student is looked
over, and a copy of it is trained on a few rows. The first batch is held against its rows.
"""

import math
import shutil
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from judgesmith.backends.adapters import (
    base_of,
    count_weights,
    is_adapter,
    require_adapter,
    require_same_adapter,
)
from judgesmith.backends.checkpoints import Saved, last_whole, save_whole
from judgesmith.backends.dry_run import NO_PROBE, DryRun, Probe, dry_run
from judgesmith.backends.lengths import Table, length_table, require_short
from judgesmith.backends.lessons import Plan, schedule
from judgesmith.backends.loading import load
from judgesmith.backends.origin import origin_of
from judgesmith.backends.sft_data import Encoded, MaskCheck, encode_rows
from judgesmith.backends.sft_trainer import (
    Lessons,
    Training,
    build_trainer,
    is_main,
    processes,
)
from judgesmith.backends.sft_watch import FileBar, MeasureDev, curve, evaluations, is_spent, watch
from judgesmith.backends.student import FromNothing, load_student, open_tokenizer, read_size
from judgesmith.backends.weights import require_finite
from judgesmith.errors import TrainingError
from judgesmith.records import SftRow
from judgesmith.runs.progress import Progress, progress_bar, say

__all__ = ["Encoded", "Trained", "Training", "encode_rows", "train_sft"]
_STATE = "trainer_state.json"


class Trained(NamedTuple):
    """The log (step with train_loss, dev_loss or dev_kappa), counts, lengths, and the dry run."""

    log: list[dict[str, float]]
    counts: dict[str, int]
    lengths: dict[str, Table]
    dry_run: DryRun | None


class Material(NamedTuple):
    """Both sides as token ids, and the rows that they came from by id."""

    train: Encoded
    dev: Encoded
    rows: Mapping[str, SftRow]

    def check(self, tokenizer: Any) -> MaskCheck:
        """What the first batch is held against."""
        return MaskCheck(tokenizer, self.rows, [*self.train.rows, *self.dev.rows])


def train_sft(
    training: Training, train: Sequence[SftRow], dev: Sequence[SftRow],
    measure_dev: MeasureDev, probe: Probe = NO_PROBE,
) -> Trained:  # fmt: skip
    """Train, resuming from the last whole checkpoint, and save to `folder / "student"`.

    `measure_dev` is called at every evaluation with the model as it stands, `probe` after the dry
    run.
    """
    require_adapter(training.quantize, adapter=training.peft is not None, stage="sft")
    material = encode_sides(training, train, dev)
    _require_dev(training, material)
    size = read_size(training.base)
    shown = list(schedule(material.train.rows, plan_of(training, size)))
    lessons = Lessons(shown, material.train.rows, material.dev.rows)
    tried = None
    if training.dry_run:
        tried = dry_run(training, lessons, lambda: _open(training), material.check, probe)
        say(tried.told())
    trainer, tokenizer = _start(training, lessons, material, size)
    with _progress(training) as bar:
        trainer.add_callback(watch(training, trainer, tokenizer, measure_dev, bar))
        _train(training, trainer)
    _save(training, trainer, tokenizer, material)
    tables = {
        side: length_table(found.lengths, training.max_length, training.buckets)
        for side, found in (("train", material.train), ("dev", material.dev))
    }
    counts = counts_of(material, trainer.model)
    return Trained(curve(trainer.state.log_history), counts, tables, tried)


def _progress(training: Training) -> AbstractContextManager[Progress]:
    if training.steps_file is not None:
        return nullcontext(FileBar(training.steps_file))
    return progress_bar("sft", training.steps)


def _require_dev(training: Training, material: Material) -> None:
    chosen = training.keep == "best" or training.patience is not None
    if chosen and not material.dev.rows:
        raise TrainingError(
            "sft.keep: best and sft.patience choose by dev rows, and there are none on the dev "
            f"side ({material.dev.too_long} are longer than sft.max_length = "
            f"{training.max_length} tokens). Raise split.dev_share or that length, or keep the "
            "last."
        )


def encode_sides(training: Training, train: Sequence[SftRow], dev: Sequence[SftRow]) -> Material:
    """Both sides as token ids; TrainingError where too many rows are too long, or all are."""
    tokenizer = open_tokenizer(training.base)
    found, on_dev = (encode_rows(tokenizer, rows, training.max_length) for rows in (train, dev))
    if not found.rows:
        shortest = min((row.whole for row in found.lengths), default=math.inf)
        told = f" The shortest has {shortest:.0f}." if math.isfinite(shortest) else ""
        raise TrainingError(
            f"no training row fits into sft.max_length = {training.max_length} tokens "
            f"({len(train)} rows); raise it.{told}"
        )
    if training.max_truncated is not None:
        require_short(found.lengths, training.max_length, training.max_truncated)
    return Material(found, on_dev, {row.id: row for row in (*train, *dev)})


def plan_of(training: Training, size: FromNothing | None) -> Plan:
    """In what order, and how varied, the rows are shown."""
    tokenizer = open_tokenizer(training.base)
    return Plan(
        rows=training.rows,
        batch=training.batch,
        seed=training.seed,
        renaming=size.renaming if size else 0.0,
        reading=size.reading if size else 0.0,
        keep=frozenset(tokenizer.all_special_ids),
        grouped=training.packing == "none",
    )


def _open(training: Training) -> tuple[Any, Any]:
    """The student as it is before training, ready for it.

    An adapter goes on being trained where `sft.peft` is set; else it is merged and all weights are
    trained. All weights are trained in float32: the steps are far smaller than what bfloat16 can
    add to a weight.
    """
    peft = training.peft
    model, tokenizer = load_student(
        training.base, quantize=training.quantize, trainable=peft is not None
    )
    _require_finite(model, training.base)
    if peft is None:
        return model.float(), tokenizer
    if is_adapter(training.base):
        require_same_adapter(peft, model, "sft.peft")
    return model, tokenizer


def _require_finite(model: Any, path: str) -> None:
    """Of an adapter both it and its base."""
    for place in [path, base_of(path)] if is_adapter(path) else [path]:
        require_finite(model, place)


def _start(
    training: Training, lessons: Lessons, material: Material, size: FromNothing | None
) -> tuple[Any, Any]:
    """The trainer, on the student as it is."""
    model, tokenizer = _open(training)
    if size is not None and size.is_llama and model.device.type == "cpu":
        # In half precision the backward pass of torch's fused attention takes half of a CPU step.
        model.set_attn_implementation("eager")
    check = material.check(tokenizer)
    return build_trainer(training, model, tokenizer, lessons, check), tokenizer


def _train(training: Training, trainer: Any) -> None:
    """Train to the end; from the last whole checkpoint, which may be the end already."""
    checkpoint = last_whole(training.checkpoints) if is_main() else None
    if processes() > 1:
        told = [checkpoint]
        load("torch").distributed.broadcast_object_list(told, src=0)
        checkpoint = told[0]
    if checkpoint is not None:
        state = load("transformers").TrainerState.load_from_json(str(Path(checkpoint) / _STATE))
        spent = is_spent(evaluations(state.log_history), training.patience)
        if spent or state.global_step >= training.steps:
            trainer.state = state
            best = state.best_model_checkpoint if training.keep == "best" else None
            trainer._load_from_checkpoint(best or checkpoint)
            return
    trainer.train(resume_from_checkpoint=checkpoint)


def _save(training: Training, trainer: Any, tokenizer: Any, material: Material) -> None:
    replies = [len(lesson.reply) for lesson in material.train.rows]
    base = base_of(training.base) if _continues(training) else training.base
    folder = training.folder / "student"
    origin = origin_of(
        base, folder, dialects=training.dialects, replies=replies, quantize=training.quantize
    )
    model, state = trainer.model, None
    if trainer.is_fsdp_enabled:  # every process holds a part: all of them must give theirs
        state = trainer.accelerator.get_state_dict(trainer.model_wrapped)
        model = trainer.accelerator.unwrap_model(trainer.model_wrapped)
    if is_main():
        save_whole(model, tokenizer, folder, Saved(origin, state))
        shutil.rmtree(training.checkpoints, ignore_errors=True)
    if processes() > 1:
        load("torch").distributed.barrier()


def _continues(training: Training) -> bool:
    return training.peft is not None and is_adapter(training.base)


def counts_of(material: Material, trained: Any) -> dict[str, int]:
    """Rows, tokens and parameters of a training, for its report."""
    rows = material.train.rows
    return {
        "rows too long": material.train.too_long,
        "dev rows too long": material.dev.too_long,
        "supervised tokens per epoch": sum(len(row.reply) for row in rows),
        "tokens per epoch": sum(row.length for row in rows),
        **count_weights(trained),
    }
