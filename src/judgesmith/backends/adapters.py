"""Adapters (PEFT): folders and the base they belong to, base and adapter together, in training."""

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from textwrap import shorten
from typing import Any

from judgesmith.backends.loading import load
from judgesmith.backends.options import Stage, lora_config
from judgesmith.backends.origin import read_origin, require_base
from judgesmith.backends.weights import (
    TOWERS,
    Quantize,
    freeze_towers,
    is_multimodal,
    read_config,
    require_whole,
)
from judgesmith.errors import ModelError, TrainingError

CONFIG = "adapter_config.json"


def is_adapter(path: str) -> bool:
    """Whether a path is a folder that holds an adapter."""
    return (Path(path) / CONFIG).is_file()


def base_of(path: str) -> str:
    """The base that an adapter folder names: a hub name, or a folder.

    A folder that is no longer there is looked for as `judgesmith.json` names it: runs move. Raises
    ModelError for a base that has changed since.
    """
    folder = Path(path)
    named = read_config(folder / CONFIG).get("base_model_name_or_path")
    if not named:
        raise ModelError(
            f"{folder / CONFIG}: `base_model_name_or_path` does not say which base the adapter "
            "belongs to; write the hub name or folder of it there."
        )
    origin = read_origin(folder)
    base = str(named)
    if origin is not None:
        moved = folder / origin.base
        if not Path(base).is_dir() and moved.is_dir():
            base = str(moved.resolve())
        require_base(origin, base, folder)
    if Path(base).is_absolute() and not Path(base).is_dir():
        raise ModelError(
            f"{folder}: its base {base} is not there. Put it back, or name its new place in "
            f"`base_model_name_or_path` of {CONFIG}."
        )
    return base


def put_on(model: Any, path: str, *, merge: bool, trainable: bool = False) -> Any:
    """The base with the adapter of a folder: as one model, or the adapter beside it.

    Raises ModelError where the adapter's weights do not fit the base.
    """
    peft = load("peft")
    require_whole(path)
    failures = (OSError, ValueError, RuntimeError, KeyError, load("safetensors").SafetensorError)
    try:
        with warnings.catch_warnings():
            # What does not fit is an error below; what was excluded in training need not be here.
            warnings.filterwarnings("ignore", "Found missing adapter keys|You have passed exclude_")
            adapted = peft.PeftModel.from_pretrained(model, path, is_trainable=trainable)
    except failures as error:
        raise _unfit(path, model, shorten(" ".join(str(error).split()), 300)) from None
    _require_all_used(adapted, path, model)
    if not merge:
        return adapted
    merged = adapted.merge_and_unload()
    return merged.requires_grad_(True)  # PEFT froze the base


def _require_all_used(adapted: Any, path: str, model: Any) -> None:
    """PEFT leaves out what has no place in the base, and fills up what the file does not have."""
    files = sorted(Path(path).glob("adapter_model*.safetensors"))
    held: set[str] = set()
    for file in files:
        with load("safetensors").safe_open(file, framework="pt") as tensors:
            held |= set(tensors.keys())
    placed = set(load("peft").get_peft_model_state_dict(adapted, save_embedding_layers=False))
    strangers = sorted(held ^ placed)
    if files and strangers:
        where = "the file" if strangers[0] in held else "the base"
        raise _unfit(
            path, model, f"{len(strangers)} of its weights have no counterpart, such as "
            f"{strangers[0]} of {where}",
        )  # fmt: skip


def _unfit(path: str, model: Any, reason: str) -> ModelError:
    return ModelError(
        f"{path}: the adapter does not fit its base {model.config.name_or_path}: {reason}. Give it "
        "the base that it was trained on."
    )


def require_adapter(quantize: Quantize | None, *, adapter: bool, stage: Stage) -> None:
    """Refuse to train weights that are stored in four bits."""
    if quantize is not None and not adapter:
        raise TrainingError(
            f"{stage}.quantize: weights stored in four bits cannot be trained themselves. Give "
            f"{stage}.peft an adapter, for example {{r: 16, lora_alpha: 32, target_modules: "
            "all-linear}."
        )


def require_same_adapter(given: Mapping[str, Any], model: Any, setting: str) -> None:
    """Refuse options of another adapter than the one that goes on being trained."""
    found = model.peft_config["default"]
    for name, value in given.items():
        own = getattr(found, name, None)
        if own != value and not isinstance(own, set | dict):
            raise TrainingError(
                f"{setting}.{name} = {value!r}, and the adapter that training goes on from has "
                f"{own!r}. Leave it out, or start from the base."
            )


def make_ready(model: Any, peft: Mapping[str, Any] | None, *, setting: str) -> Any:
    """Leave what must not learn as it is; PEFT's configuration where an adapter is to be added.

    None where the model has its adapter already, or where all weights are trained. A judge of text
    never learns with the towers of a model that sees or hears.
    """
    if isinstance(model, load("peft").PeftModel):
        return None
    if peft is None:
        if is_multimodal(model):
            freeze_towers(model)
        return None
    towers = {"exclude_modules": TOWERS} if _reaches_towers(peft, model) else {}
    return lora_config({**towers, **peft}, setting)


def _reaches_towers(peft: Mapping[str, Any], model: Any) -> bool:
    """Whether an adapter would go on modules that a judge of text never uses."""
    targets = peft.get("target_modules")
    if not is_multimodal(model) or targets is None or isinstance(targets, str):
        return is_multimodal(model)
    names = (name for name, _ in model.named_modules() if re.fullmatch(TOWERS, name))
    return any(name.split(".")[-1] in targets for name in names)


def adapter_weights(model: Any) -> dict[str, Any]:
    """Copies of what learns, by name, in a model that has its adapter already; else nothing."""
    if not isinstance(model, load("peft").PeftModel):
        return {}
    learns = (named for named in model.named_parameters() if named[1].requires_grad)
    return {name: weight.detach().clone() for name, weight in learns}


def widen(model: Any, before: Mapping[str, Any]) -> None:
    """Adapters over four bits in float32, with the values that they had `before` TRL saw them.

    TRL rounds them to bfloat16: small steps are lost, and a part of what an adapter that goes on
    being trained had learned.
    """
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            weight.data = before.get(name, weight.data).float()


def count_weights(model: Any) -> dict[str, int]:
    """How many weights a model has, those of its base where it has an adapter, and how many learn.

    PEFT counts a byte that holds two weights in four bits as two.
    """
    if not isinstance(model, load("peft").PeftModel):
        return {"parameters": sum(weight.numel() for weight in model.parameters())}
    learned, everything = model.get_nb_trainable_parameters()
    return {"parameters": everything - learned, "trained parameters": learned}
