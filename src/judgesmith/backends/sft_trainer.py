"""TRL's supervised trainer as judgesmith uses it: full weights, LoRA or QLoRA, on token ids."""

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from judgesmith.backends.adapters import adapter_weights, make_ready, widen
from judgesmith.backends.lessons import NO_LOSS, Lesson
from judgesmith.backends.loading import load
from judgesmith.backends.muon import muon
from judgesmith.backends.options import building, shared_options, trl_config
from judgesmith.backends.packing import PackedCollator, PaddedCollator
from judgesmith.backends.row_attention import use_row_attention
from judgesmith.backends.sft_data import Collator, MaskCheck, places
from judgesmith.backends.soft_labels import Soft, mixed_loss
from judgesmith.backends.student import read_size
from judgesmith.backends.weights import Quantize
from judgesmith.errors import TrainingError

_ACCUMULATION = "gradient_accumulation_steps"


class Training(NamedTuple):
    """What a training needs besides its rows.

    `peft` null trains all weights; with `quantize` the base is stored in four bits under the
    adapter. `packing` lays the rows of a batch into common lines. Training stops when `patience`
    evaluations in a row were no better than the best, and keeps the `best` or `last` of them. More
    than the share `max_truncated` of rows over `max_length` is refused (null:
    never). `dry_run` is how many rows are trained on first, on a copy (0: none). `soft` are soft
    labels by row id and `soft_weight` their weight. `dialects` (name: hash) go into the student's
    origin; `buckets`, by row id, into the table of lengths; `steps_file` is told how many steps are
    done, in place of a bar.
    """

    base: str
    folder: Path
    learning_rate: float
    batch: int
    steps: int
    eval_every: int
    max_length: int
    seed: int
    trl: Mapping[str, Any]
    peft: Mapping[str, Any] | None
    bf16: bool = False
    quantize: Quantize | None = None
    packing: str = "none"
    patience: int | None = None
    keep: str = "last"
    max_truncated: float | None = None
    dry_run: int = 0
    soft: Mapping[str, Soft] = {}
    soft_weight: float = 1.0
    dialects: Mapping[str, str] = {}
    buckets: Mapping[str, str] = {}
    steps_file: Path | None = None

    @property
    def checkpoints(self) -> Path:
        """Where checkpoints lie while it runs."""
        return self.folder / "checkpoints"

    @property
    def rows(self) -> int:
        """How many rows are shown in all, by all processes together."""
        per_step = self.batch * int(self.trl.get(_ACCUMULATION, 1)) * processes()
        return self.steps * per_step


class Lessons(NamedTuple):
    """Rows of a training: in the order in which they are shown, and each once; and those of dev."""

    shown: Sequence[Lesson]
    train: Sequence[Lesson]
    dev: Sequence[Lesson]


def processes() -> int:
    """How many processes train together: a launcher says so."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_main() -> bool:
    """Whether this process is the one that writes files."""
    return os.environ.get("RANK", "0") == "0"


def build_trainer(
    training: Training, model: Any, tokenizer: Any, lessons: Lessons, check: MaskCheck
) -> Any:  # fmt: skip
    """The trainer of a student on rows in training order."""
    size = read_size(training.base)
    config = trl_config(_options(training, bool(lessons.dev)), training.trl)
    # Random weights learn from far fewer steps with Muon; TRL's own choice suits pretrained ones.
    own = (
        size is not None and size.is_llama and training.peft is None and "optim" not in training.trl
    )
    lean = own and training.packing == "none" and processes() == 1
    peft_config = make_ready(model, training.peft, setting="sft.peft")
    before = adapter_weights(model)
    with building("sft"):
        trainer = _trainer_class(training, lean=lean)(
            model=model,
            args=config,
            train_dataset=places(lessons.shown),
            eval_dataset=places(lessons.dev) if lessons.dev else None,
            processing_class=tokenizer,
            peft_config=peft_config,
            optimizers=(muon(model, config.learning_rate) if own else None, None),
        )
    # The default callback prints every log line; the curve is kept in the run instead.
    trainer.remove_callback(load("transformers").PrinterCallback)
    padded = PaddedCollator(trainer.data_collator)
    trainer.dev_collator = Collator(padded, lessons.dev, check, training.soft)
    make = padded if training.packing == "none" else _packed(trainer.model, tokenizer)
    trainer.data_collator = Collator(make, lessons.shown, check, training.soft)
    if training.quantize is not None:
        widen(trainer.model, before)
    return trainer


def _packed(model: Any, tokenizer: Any) -> PackedCollator:
    attention = str(getattr(model.config, "_attn_implementation", ""))
    flat = "flash" in attention.split("/")[-1] or use_row_attention(model)
    return PackedCollator(tokenizer.pad_token_id, flat=flat)


def _options(training: Training, dev: bool) -> dict[str, Any]:
    best: dict[str, Any] = {}
    if training.keep == "best":
        best = {
            "load_best_model_at_end": True, "metric_for_best_model": "eval_rank",
            "greater_is_better": True,
        }  # fmt: skip
    return {
        **shared_options(training),
        "per_device_eval_batch_size": training.batch,
        "dataset_kwargs": {"skip_prepare_dataset": True},
        "eval_strategy": "steps" if dev else "no",
        "eval_steps": training.eval_every,
        **best,
    }


def _trainer_class(training: Training, *, lean: bool) -> Any:
    trl, torch = load("trl"), load("torch")

    class Supervised(trl.SFTTrainer):  # type: ignore[misc, name-defined]
        """Losses that must be finite; dev rows are never packed, so that each counts as one."""

        data_collator: Any
        dev_collator: Any

        def get_eval_dataloader(self, eval_dataset: Any = None) -> Any:
            packing, self.data_collator = self.data_collator, self.dev_collator
            try:
                return super().get_eval_dataloader(eval_dataset)
            finally:
                self.data_collator = packing

        def compute_loss(
            self, model: Any, inputs: Any, return_outputs: bool = False,
            num_items_in_batch: Any = None,
        ) -> Any:  # fmt: skip
            if "soft_places" in inputs:
                loss = self.soft_loss(model, inputs, num_items_in_batch)
            elif lean:
                loss = self.lean_loss(model, inputs, num_items_in_batch)
            else:
                loss = super().compute_loss(model, inputs, False, num_items_in_batch)
            value = loss.item()
            if not math.isfinite(value):
                raise TrainingError(_told_lost(value, self.state.global_step, training))
            return (loss, {}) if return_outputs else loss

        def soft_loss(self, model: Any, inputs: Any, count: Any) -> Any:
            half = lean and training.bf16  # as its hard labels are
            weight = training.soft_weight
            loss = mixed_loss(model, inputs, weight=weight, count=count, bf16=half)
            share = self.args.average_tokens_across_devices and count is not None
            return loss * self.accelerator.num_processes if share else loss

        def lean_loss(self, model: Any, inputs: Any, count: Any) -> Any:
            """The plain loss of a small model.

            TRL computes log-probabilities in tiles, with metrics beside the loss; that saves
            memory on large vocabularies, and takes 40% of a small student's step on a CPU. Rows
            are padded on the right, so causal attention needs no mask either. `bf16` multiplies
            in half precision; the weights stay in float32.
            """
            labels = inputs["labels"][:, 1:]
            supervised = labels != NO_LOSS
            with torch.autocast(labels.device.type, dtype=torch.bfloat16, enabled=training.bf16):
                states = model.base_model(input_ids=inputs["input_ids"], use_cache=False)
                logits = model.get_output_embeddings()(states.last_hidden_state[:, :-1][supervised])
            count = supervised.sum() if count is None else count
            loss = torch.nn.functional.cross_entropy(
                logits.float(), labels[supervised], reduction="sum"
            )
            return loss / count

    return Supervised


def _told_lost(value: float, step: int, training: Training) -> str:
    return (
        f"sft: the loss is {value} at step {step + 1}. Lower sft.learning_rate (now "
        f"{training.learning_rate:g}), raise sft.trl.warmup_steps or lower sft.trl.max_grad_norm, "
        "and run again."
    )
