"""Adapter folders (PEFT): which base they belong to, and base and adapter together."""

import warnings
from pathlib import Path
from textwrap import shorten
from typing import Any

from judgesmith.backends.loading import load
from judgesmith.backends.origin import read_origin, require_base
from judgesmith.backends.weights import read_config, require_whole
from judgesmith.errors import ModelError

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
