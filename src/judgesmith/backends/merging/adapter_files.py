"""PEFT's LoRA adapters, read into factors and written from them; what cannot be merged is refused.

A module's delta is scale * B A, with scale = alpha / r, or alpha / sqrt(r) with `use_rslora`.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from judgesmith.backends.loading import load
from judgesmith.backends.merging.factors import Factors, Tensor
from judgesmith.backends.merging.folders import (
    ADAPTER_CONFIG,
    ADAPTER_WEIGHTS,
    is_adapter,
    read_json,
)
from judgesmith.backends.merging.weight_files import (
    FLOATS,
    Place,
    read_header,
    read_tensor,
    sha256_of,
)
from judgesmith.backends.origin import read_origin, require_base
from judgesmith.errors import DataError

_PREFIX = "base_model.model."
_KEY = re.compile(re.escape(_PREFIX) + r"(?P<module>.+)\.lora_(?P<side>[AB])\.weight")
_OTHERS = {
    "lora_magnitude_vector": "DoRA scales the merged weight as well, so its result is no sum",
    "lora_embedding_": "an adapter of an embedding is not supported: leave embeddings out of "
    "target_modules",
    "lora_B.bias": "a bias of its own (lora_bias) is not supported",
    "bias": "trained biases cannot be kept in an adapter's factors",
}
_WHOLE = (
    "the adapter replaces whole modules, which have no factors to merge; fold both adapters into "
    "their base and merge the full weights with --base"
)
_REFUSED = {
    "use_dora": "DoRA scales the merged weight as well, so its result is no sum of deltas; fold "
    "both adapters into their base with PEFT and merge the full weights with --base",
    "modules_to_save": _WHOLE,
    "trainable_token_indices": _WHOLE,
    "fan_in_fan_out": "weights stored as (in, out), as GPT-2 does, are not supported",
    "lora_bias": "a bias of its own is not supported",
    "target_parameters": "adapters of bare parameters (packed experts) are not supported",
    "layer_replication": "replicated layers share weights, so names no longer tell tensors apart",
    "alora_invocation_tokens": "an activated LoRA acts on part of a text only",
    "use_qalora": "QA-LoRA pools its input, so its delta is not scale * B A",
    "use_bdlora": "block-diagonal factors are not supported",
    "arrow_config": "routed adapters are not one delta",
    "velora_config": "VeLoRA is not supported",
    "monteclora_config": "MonteCLoRA is not supported",
    "kasa_config": "KaSA changes the base too",
    "megatron_config": "Megatron's split layers are not supported",
}  # fmt: skip
_BASE_CHANGING = ("pissa", "olora", "corda", "loftq", "lora_ga")
"""Initialisations that change the base: the adapter is a delta to a base that is not on disk."""


@dataclass(frozen=True)
class Adapter:
    """One adapter folder whose config and header were read and checked; weights are read late."""

    path: Path
    config: dict[str, Any]
    modules: dict[str, tuple[Place, Place]]

    @cached_property
    def base(self) -> str:
        """Its base as it can be found from here: a hub name, or a folder, which may be gone.

        Raises:
            ModelError: the folder's config or tokenizer has changed since the training.
        """
        named = str(self.config["base_model_name_or_path"])
        origin = read_origin(self.path)
        if origin is None:
            return named
        moved = self.path / origin.base
        if not Path(named).is_dir() and moved.is_dir():
            named = str(moved.resolve())
        require_base(origin, named, self.path)
        return named

    def rank(self, module: str) -> int:
        """Rank of a module's factors."""
        return self.modules[module][0].shape[0]

    def scale(self, module: str) -> float:
        """What the product of a module's factors is multiplied with."""
        patterns = self.config.get("alpha_pattern") or {}
        alpha = float(_by_pattern(patterns, module, self.config.get("lora_alpha", 8)))
        rank = self.rank(module)
        return alpha / (math.sqrt(rank) if self.config.get("use_rslora") else rank)

    def factors(self, module: str) -> Factors:
        """A module's factors in float32, or double precision where they are stored so."""
        a, b = (read_tensor(place) for place in self.modules[module])
        wide = load("torch").float64 if a.dtype == load("torch").float64 else load("torch").float32
        return Factors(b.to(wide), a.to(wide), self.scale(module))

    def is_finite(self, module: str) -> bool:
        """Whether no entry of a module's factors is NaN or infinite."""
        return all(bool(read_tensor(place).isfinite().all()) for place in self.modules[module])

    @cached_property
    def sha256(self) -> str:
        """Of its weights."""
        return sha256_of([self.path / ADAPTER_WEIGHTS])

    @property
    def ranks(self) -> tuple[int, ...]:
        """Ranks that occur."""
        return tuple(sorted({self.rank(module) for module in self.modules}))

    @property
    def dtype(self) -> str:
        """The widest dtype of its factors, as safetensors calls it."""
        codes = {place.dtype for pair in self.modules.values() for place in pair}
        return next(code for code in FLOATS if code in codes)


def _by_pattern(patterns: Mapping[str, Any], module: str, otherwise: object) -> Any:
    """The value of the first pattern that is the module's name or the end of it, as PEFT reads."""
    for pattern, value in patterns.items():
        if re.match(rf"(.*\.)?({pattern})$", module):
            return value
    return otherwise


def read_adapter(folder: Path) -> Adapter:
    """Read an adapter's config and header.

    Raises:
        DataError: it is no adapter, is torn, or is of a kind that cannot be merged exactly.
    """
    if not is_adapter(folder):
        raise DataError(f"{folder}: expected an adapter, found no {ADAPTER_CONFIG} in it.")
    config = read_json(folder / ADAPTER_CONFIG)
    _check_config(folder, config)
    weights = folder / ADAPTER_WEIGHTS
    if not weights.is_file():
        others = sorted(file.name for file in folder.glob("adapter_model*"))
        raise DataError(f"{folder}: expected {ADAPTER_WEIGHTS}, found {others or 'no weights'}.")
    adapter = Adapter(folder, config, _modules(weights))
    _check_ranks(adapter)
    return adapter


def _check_config(folder: Path, config: Mapping[str, Any]) -> None:
    where = f"{folder / ADAPTER_CONFIG}"
    if config.get("peft_type") != "LORA":
        raise DataError(f"{where}: expected peft_type LORA, found {config.get('peft_type')!r}.")
    if not config.get("base_model_name_or_path"):
        raise DataError(f"{where}: expected base_model_name_or_path, found none.")
    for key, reason in _REFUSED.items():
        if config.get(key):
            raise DataError(f"{where}: {key} is {config[key]!r}: {reason}.")
    if config.get("bias", "none") != "none":
        raise DataError(f"{where}: bias is {config['bias']!r}: {_OTHERS['bias']}.")
    start = str(config.get("init_lora_weights", True)).lower()
    if start.startswith(_BASE_CHANGING):
        raise DataError(
            f"{where}: init_lora_weights is {start!r}, which changed the base before training: the "
            "adapter is no delta to the published base. Convert it to a plain LoRA first (PEFT: "
            "save_pretrained with path_initial_model_for_weight_conversion)."
        )


def _modules(weights: Path) -> dict[str, tuple[Place, Place]]:
    sides: dict[str, dict[str, Place]] = {}
    for key, place in read_header(weights).items():
        found = _KEY.fullmatch(key)
        if found is None:
            reason = next((why for mark, why in _OTHERS.items() if mark in key), _WHOLE)
            raise DataError(f"{weights}: tensor {key!r} is no LoRA factor: {reason}.")
        if len(place.shape) != 2 or place.dtype not in FLOATS:
            raise DataError(
                f"{weights}: {key!r} has shape {place.shape} and dtype {place.dtype}; expected a "
                "matrix of floats (adapters of convolutions are not supported)."
            )
        sides.setdefault(found["module"], {})[found["side"]] = place
    for module, pair in sides.items():
        if len(pair) != 2 or pair["A"].shape[0] != pair["B"].shape[1]:
            shapes = {side: place.shape for side, place in pair.items()}
            raise DataError(f"{weights}: {module} needs factors A (r, in) and B (out, r): {shapes}")
    if not sides:
        raise DataError(f"{weights}: expected LoRA factors, found none.")
    return {module: (pair["A"], pair["B"]) for module, pair in sorted(sides.items())}


def _check_ranks(adapter: Adapter) -> None:
    patterns = adapter.config.get("rank_pattern") or {}
    for module in adapter.modules:
        told = _by_pattern(patterns, module, adapter.config.get("r"))
        if told != adapter.rank(module):
            raise DataError(
                f"{adapter.path}: {ADAPTER_CONFIG} gives {module} rank {told}, its factors have "
                f"rank {adapter.rank(module)}. The files are of different trainings."
            )


def merged_config(adapters: list[Adapter], ranks: Mapping[str, int], base: str) -> dict[str, Any]:
    """The config of an adapter whose factors carry their whole scale: alpha = r everywhere."""
    first = adapters[0].config
    usual = Counter(ranks.values()).most_common(1)[0][0]
    patterns = {f"^{re.escape(name)}": rank for name, rank in ranks.items() if rank != usual}
    return {
        "peft_type": "LORA",
        "task_type": first.get("task_type"),
        "base_model_name_or_path": base,
        "revision": first.get("revision"),
        "inference_mode": True,
        "r": usual,
        "lora_alpha": usual,
        "rank_pattern": patterns,
        "alpha_pattern": patterns,
        "target_modules": _targets(adapters, list(ranks)),
        "lora_dropout": 0.0,
        "bias": "none",
        "use_rslora": False,
        "use_dora": False,
        "fan_in_fan_out": False,
        "init_lora_weights": True,
        "modules_to_save": None,
    }


def _targets(adapters: list[Adapter], modules: list[str]) -> list[str]:
    """Short names where those of the inputs say it exactly, else every module's own name."""
    lists = [adapter.config.get("target_modules") for adapter in adapters]
    narrowed = ("layers_to_transform", "layers_pattern", "exclude_modules")
    if any(adapter.config.get(key) for adapter in adapters for key in narrowed):
        return modules
    if not all(isinstance(names, list) for names in lists):
        return modules
    return sorted({str(name) for names in lists for name in names or ()})


def factor_tensors(module: str, delta: Factors, dtype: str) -> dict[str, Tensor]:
    """A module's tensors as an adapter's file has them.

    Raises:
        DataError: an entry is too large for the dtype.
    """
    torch = load("torch")
    tensors = {}
    for side, factor in (("A", delta.a), ("B", delta.b)):
        narrow = factor.to(getattr(torch, dtype))
        if not bool(narrow.isfinite().all()):
            raise too_large(f"{module}.weight", dtype)
        tensors[f"{_PREFIX}{module}.lora_{side}.weight"] = narrow.contiguous()
    return tensors


def too_large(name: str, dtype: str = "float32") -> DataError:
    """Why a merged tensor is not written."""
    other = " or choose a wider dtype" if dtype == "float16" else ""
    return DataError(
        f"tensor {name!r}: merged, it has numbers that {dtype} cannot hold (infinite or NaN). Give "
        f"smaller weights or a smaller scale{other}; nothing was written."
    )
