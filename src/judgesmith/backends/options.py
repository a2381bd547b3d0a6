"""Options of a recipe that are handed on to a library as they are: known ones, and not ours."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

from judgesmith.backends.checkpoints import log_every
from judgesmith.backends.loading import load
from judgesmith.errors import TrainingError, nearest

OURS = {
    "output_dir": "the run's folder",
    "max_steps": "sft.steps",
    "per_device_train_batch_size": "sft.batch",
    "max_length": "sft.max_length",
    "packing": "sft.packing",
    "padding_free": "sft.packing",
    "dataset_kwargs": "sft.packing",
    "remove_unused_columns": "sft.packing",
    "train_sampling_strategy": "sft.packing",
    "eval_strategy": "sft.eval_every",
    "eval_steps": "sft.eval_every",
    "save_strategy": "sft.eval_every",
    "save_steps": "sft.eval_every",
    "logging_steps": "sft.eval_every",
    "load_best_model_at_end": "sft.keep",
    "metric_for_best_model": "sft.keep",
    "greater_is_better": "sft.keep",
}
"""TRL's options that a training could not be resumed or checked with, and what says it here."""


def shared_options(training: Any) -> dict[str, Any]:
    """What TRL's trainers are told alike, of a training by SFT or by DPO."""
    on_gpu = load("torch").cuda.is_available()
    return {
        "output_dir": str(training.checkpoints),
        "use_cpu": not on_gpu,
        "bf16": on_gpu,
        "activation_checkpointing": False,
        "train_sampling_strategy": "sequential",
        "per_device_train_batch_size": training.batch,
        "learning_rate": training.learning_rate,
        "lr_scheduler_type": "cosine",
        "warmup_steps": max(1, training.steps // 20),
        "max_steps": training.steps,
        "max_length": training.max_length,
        "remove_unused_columns": False,
        "logging_steps": log_every(training.eval_every),
        "save_steps": training.eval_every,
        "save_total_limit": 2,
        "seed": training.seed,
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
    }


def trl_config(options: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
    """TRL's SFTConfig of our options with those of `sft.trl` over them."""
    config = load("trl").SFTConfig
    _require_known(given, (f.name for f in fields(config) if f.init), "sft.trl", "TRL's SFTConfig")
    for name in sorted(set(given) & set(OURS)):
        raise TrainingError(f"sft.trl.{name}: set {OURS[name]} instead; it decides this here.")
    try:
        return config(**{**options, **given})
    except (TypeError, ValueError) as error:
        raise TrainingError(f"sft.trl: TRL does not accept these options: {error}") from None


def lora_config(given: Mapping[str, Any], setting: str = "sft.peft") -> Any:
    """PEFT's LoraConfig of `sft.peft` or `dpo.peft`."""
    config = load("peft").LoraConfig
    _require_known(given, (f.name for f in fields(config) if f.init), setting, "LoraConfig")
    try:
        return config(**{"task_type": "CAUSAL_LM", **given})
    except (TypeError, ValueError) as error:
        raise TrainingError(f"{setting}: PEFT does not accept these options: {error}") from None


@contextmanager
def building(stage: str) -> Iterator[None]:
    """Say which settings a library refuses once it sees the student, such as unknown modules."""
    try:
        yield
    except ValueError as error:
        said = " ".join(str(error).split())
        raise TrainingError(
            f"{stage}.peft, {stage}.trl: refused for this student: {said}"
        ) from error


def _require_known(
    given: Mapping[str, Any], known: Iterable[str], setting: str, what: str
) -> None:  # fmt: skip
    names = set(known)
    for name in given:
        if name not in names:
            hint = nearest(name, names).split(" Valid: ")[0]
            hint = hint if hint.startswith("did") else "see its documentation for those it has"
            raise TrainingError(f"{setting}: {what} has no option {name!r}; {hint}")
