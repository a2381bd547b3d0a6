"""Options of a recipe that are handed on to a library as they are: known ones, and not ours."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, fields
from typing import Any, Literal

from judgesmith.backends.checkpoints import log_every
from judgesmith.backends.loading import load
from judgesmith.errors import TrainingError, nearest

Stage = Literal["sft", "dpo"]
_EVERY, _KEEP, _PACKING = "set {}.eval_every", "set sft.keep", "set sft.packing"
_LAST = "the student of the last step is kept"
_REFERENCE = "it would change what the reference is"
_BOTH = {
    "output_dir": "the run's folder is used",
    "seed": "set the recipe's seed",
    "learning_rate": "set {}.learning_rate",
    "num_train_epochs": "set {}.epochs",
    "max_steps": "set {}.steps",
    "per_device_train_batch_size": "set {}.batch",
    "max_length": "set {}.max_length",
    "eval_strategy": _EVERY,
    "eval_steps": _EVERY,
    "save_strategy": _EVERY,
    "save_steps": _EVERY,
    "logging_steps": _EVERY,
}
_SFT = {
    "packing": _PACKING,
    "padding_free": _PACKING,
    "dataset_kwargs": _PACKING,
    "remove_unused_columns": _PACKING,
    "train_sampling_strategy": _PACKING,
    "load_best_model_at_end": _KEEP,
    "metric_for_best_model": _KEEP,
    "greater_is_better": _KEEP,
}
_DPO = {
    "beta": "set dpo.beta",
    "ld_alpha": _REFERENCE,
    "precompute_ref_log_probs": _REFERENCE,
    "sync_ref_model": _REFERENCE,
    "remove_unused_columns": _REFERENCE,
    "train_sampling_strategy": "rows are in training order already",
    "load_best_model_at_end": _LAST,
    "metric_for_best_model": _LAST,
    "greater_is_better": _LAST,
}
OURS: dict[Stage, dict[str, str]] = {
    "sft": {name: told.format("sft") for name, told in (_BOTH | _SFT).items()},
    "dpo": {name: told.format("dpo") for name, told in (_BOTH | _DPO).items()},
}
"""TRL's options that a training could not be resumed or checked with, and what to do instead."""
_NEW_NAMES = {
    "gradient_checkpointing": "activation_checkpointing",
    "gradient_checkpointing_kwargs": "activation_checkpointing_kwargs",
}
"""Of one option under two names TRL takes the new one, which is ours, and drops the recipe's."""


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


def trl_config(options: Mapping[str, Any], given: Mapping[str, Any], stage: Stage = "sft") -> Any:
    """TRL's SFTConfig or DPOConfig of our options, with those of `sft.trl` or `dpo.trl` over them.

    Raises:
        TrainingError: an option that TRL does not know or that judgesmith sets itself, or a value
            that it does not take.
    """
    name = {"sft": "SFTConfig", "dpo": "DPOConfig"}[stage]
    config, setting = getattr(load("trl"), name), f"{stage}.trl"
    _require_known(given, config, setting, f"TRL's {name}")
    for option in sorted(given.keys() & OURS[stage].keys()):
        raise TrainingError(f"{setting}.{option}: leave it out; {OURS[stage][option]}.")
    try:
        return config(**{**options, **_in_new_names(given)})
    except (TypeError, ValueError) as error:
        raise TrainingError(f"{setting}: TRL does not accept these options: {error}") from None


def _in_new_names(given: Mapping[str, Any]) -> dict[str, Any]:
    """The same options; who says how activations are computed again wants them to be."""
    renamed = {_NEW_NAMES[old]: value for old, value in given.items() if old in _NEW_NAMES}
    named = renamed | {name: value for name, value in given.items() if name not in _NEW_NAMES}
    if "activation_checkpointing_kwargs" in named:
        named.setdefault("activation_checkpointing", True)
    return named


def lora_config(given: Mapping[str, Any], setting: str = "sft.peft") -> Any:
    """PEFT's LoraConfig of `sft.peft` or `dpo.peft`."""
    config = load("peft").LoraConfig
    _require_known(given, config, setting, "LoraConfig")
    try:
        return config(**{"task_type": "CAUSAL_LM", **given})
    except (TypeError, ValueError) as error:
        raise TrainingError(f"{setting}: PEFT does not accept these options: {error}") from None


@contextmanager
def building(stage: str) -> Iterator[None]:
    """Say which settings a library refuses once it sees the student, such as unknown modules."""
    try:
        yield
    except (TypeError, ValueError) as error:
        said = " ".join(str(error).split())
        raise TrainingError(
            f"{stage}.peft, {stage}.trl: refused for this student: {said}"
        ) from error


def _require_known(given: Mapping[str, Any], config: Any, setting: str, what: str) -> None:
    """Only options that the library has, and a value for each that cannot do without."""
    known = {field.name: field for field in fields(config) if field.init}
    for name, value in given.items():
        if name not in known:
            hint = nearest(name, known).split(" Valid: ")[0]
            hint = hint if hint.startswith("did") else "see its documentation for those it has"
            raise TrainingError(f"{setting}: {what} has no option {name!r}; {hint}")
        own = known[name].default
        if value is None and own is not None and "None" not in str(known[name].type):
            told = "" if own is MISSING else f" ({own!r})"
            raise TrainingError(
                f"{setting}.{name}: expected a value, found null; leave it out for {what}'s own"
                f"{told}."
            )
