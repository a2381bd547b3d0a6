"""Whether inputs belong together: one base, one tokenizer, one chat template, one architecture."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from judgesmith.backends.loading import load
from judgesmith.backends.merging.adapter_files import Adapter
from judgesmith.backends.merging.folders import ModelFolder, read_json
from judgesmith.backends.merging.weight_files import FLOATS
from judgesmith.backends.origin import Origin, read_origin, told_base
from judgesmith.errors import DataError

_NOT_PART_OF_A_MODEL = {
    "_name_or_path", "torch_dtype", "dtype", "transformers_version", "use_cache", "pad_token_id",
    "bos_token_id", "eos_token_id", "attention_dropout", "initializer_range",
}  # fmt: skip
"""Settings of a config that do not change what a model computes from its weights."""
_PER_USE = ("truncation", "padding")
"""Parts of a tokenizer file that training libraries set as they go."""


def check_bases(adapters: Sequence[Adapter], base: str | None) -> str:
    """The one base of all adapters.

    Folders of different names count as one base where their weights have the same hash. `base` is
    what the user says it is: then only folders that are here are compared.

    Raises:
        DataError: adapters of different bases, revisions or kinds of task.
    """
    for key in ("revision", "task_type"):
        values = {str(adapter.path): adapter.config.get(key) or None for adapter in adapters}
        if len(set(values.values())) > 1:
            raise DataError(f"adapters differ in {key}: {values}; expected adapters of one base.")
    named = [adapter.base for adapter in adapters]
    wanted = base or named[0]
    for adapter, found in zip(adapters, named, strict=True):
        if not _same_base(found, wanted, trusted=base is not None):
            raise DataError(
                f"{adapter.path}: its base is {found!r}, where "
                f"{'--base' if base else adapters[0].path} says {wanted!r}. Deltas to different "
                "bases cannot be merged; if both names mean the same weights, say so with --base."
            )
    return wanted


def _same_base(found: str, wanted: str, *, trusted: bool) -> bool:
    if found == wanted:
        return True
    one, other = Path(found), Path(wanted)
    if one.is_dir() and other.is_dir():
        if one.resolve() == other.resolve():
            return True
        first, second = ModelFolder(one), ModelFolder(other)
        sizes = [sum(file.stat().st_size for file in each.files) for each in (first, second)]
        return sizes[0] == sizes[1] and first.sha256() == second.sha256()
    return trusted


def check_modules(adapters: Sequence[Adapter]) -> dict[str, tuple[int, int]]:
    """Every module of any adapter, with the shape of its delta.

    Raises:
        DataError: two adapters give one module different shapes.
    """
    shapes: dict[str, tuple[int, int]] = {}
    for adapter in adapters:
        for module, (a, b) in adapter.modules.items():
            shape = (b.shape[0], a.shape[1])
            if shapes.setdefault(module, shape) != shape:
                raise DataError(
                    f"{adapter.path}: module {module} is {shape}, in {adapters[0].path} "
                    f"{shapes[module]}. The adapters are of different architectures."
                )
    return dict(sorted(shapes.items()))


def check_tokenizers(folders: Sequence[Path]) -> Path | None:
    """The folder whose tokenizer the result gets: the first that has one.

    Raises:
        DataError: two folders have tokenizers that cut or frame a text differently.
    """
    known: dict[str, tuple[Path, str]] = {}
    first = None
    for folder in folders:
        prints = {"tokenizer": _tokenizer_print(folder), "chat template": _template_print(folder)}
        if first is None and prints["tokenizer"] is not None:
            first = folder
        for what, found in prints.items():
            if found is None:
                continue
            before, expected = known.setdefault(what, (folder, found))
            if found != expected:
                raise DataError(
                    f"{folder}: its {what} differs from that of {before}. Judges trained with "
                    f"different ones read different prompts: train both with one {what}, or copy "
                    "the right one into both folders if the difference has no meaning."
                )
    return first


def _tokenizer_print(folder: Path) -> str | None:
    file = folder / "tokenizer.json"
    if not file.is_file():
        model = folder / "tokenizer.model"
        return hashlib.sha256(model.read_bytes()).hexdigest() if model.is_file() else None
    content = {key: value for key, value in read_json(file).items() if key not in _PER_USE}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _template_print(folder: Path) -> str | None:
    file = folder / "chat_template.jinja"
    if file.is_file():
        return file.read_text(encoding="utf-8").strip()
    config = folder / "tokenizer_config.json"
    found = read_json(config).get("chat_template") if config.is_file() else None
    if found is None and (folder / "chat_template.json").is_file():
        found = read_json(folder / "chat_template.json").get("chat_template")
    return found.strip() if isinstance(found, str) else found and json.dumps(found)


def merged_origin(folders: Sequence[Path], base: str, out: Path) -> Origin | None:
    """The union of the inputs' dialects on their one base; None where no input says any.

    Raises:
        DataError: one dialect's name stands for two dialects, or the bases' files differ.
    """
    found = [(folder, origin) for folder in folders if (origin := read_origin(folder))]
    dialects: dict[str, str] = {}
    for folder, origin in found:
        for name, digest in origin.dialects.items():
            if dialects.setdefault(name, digest) != digest:
                raise DataError(
                    f"{folder}: dialect {name!r} has hash {digest[:12]}, in another input "
                    f"{dialects[name][:12]}. One name, two dialects: train both judges with one."
                )
    if not found:
        return None
    config = _one_hash("config or tokenizer", [origin.base_hash for _, origin in found])
    weights = _one_hash("weights", [origin.base_weights for _, origin in found])
    replies = [origin.reply_tokens for _, origin in found]
    stored = {origin.quantize for _, origin in found}
    longest = max((r for r in replies if r is not None), key=lambda r: r.p99, default=None)
    return Origin(
        dialects=dialects, base=told_base(base, out), base_hash=config,
        reply_tokens=longest if None not in replies else None,
        quantize=stored.pop() if len(stored) == 1 else None, base_weights=weights,
    )  # fmt: skip


def _one_hash(what: str, hashes: Sequence[str | None]) -> str | None:
    """The hash that all inputs name which name one."""
    found = {digest for digest in hashes if digest is not None}
    if len(found) > 1:
        raise DataError(
            f"the inputs' judgesmith.json name bases with different {what}: "
            f"{sorted(digest[:12] for digest in found)}. Train both judges on one base."
        )
    return next(iter(found), None)


def check_architectures(models: Sequence[ModelFolder]) -> None:
    """Refuse models that compute differently, or that are stored quantised.

    Raises:
        DataError: with the first settings that differ.
    """
    first = models[0]
    for model in models:
        if model.config.get("quantization_config"):
            raise DataError(
                f"{model.path}: its weights are stored quantised; merge the ones it came from."
            )
        differ = _differences(first.config, model.config)
        if differ:  # perhaps only in spelling: each version of transformers writes its own
            differ = _differences(_full_config(first), _full_config(model))
        if differ:
            told = "; ".join(f"{key}: {a!r} against {b!r}" for key, a, b in differ[:4])
            raise DataError(
                f"{model.path}: its config.json differs from that of {first.path} ({told}). Only "
                "models of one architecture can be merged."
            )


def _full_config(model: ModelFolder) -> dict[str, Any]:
    """The config as transformers understands it, with its defaults."""
    try:
        return dict(load("transformers").AutoConfig.from_pretrained(model.path).to_dict())
    except (OSError, ValueError, KeyError):
        return model.config


def _differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    found = []
    for key in sorted({*one, *other} - _NOT_PART_OF_A_MODEL):
        a, b = one.get(key), other.get(key)
        if isinstance(a, dict) and isinstance(b, dict):
            found += [(f"{key}.{inner}", x, y) for inner, x, y in _differences(a, b)]
        elif a != b:
            found.append((key, a, b))
    return found


def check_tensors(models: Sequence[ModelFolder]) -> tuple[list[str], list[str]]:
    """Names of the tensors to merge, in the first model's order, and of tied copies left out.

    Raises:
        DataError: a tensor is missing, extra, of another shape, or not a float.
    """
    tied = sorted({name for model in models for name in _tied_copies(model)})
    first = {name: p for name, p in models[0].places.items() if name not in tied}
    for model in models:
        found = {name: place for name, place in model.places.items() if name not in tied}
        lacking, extra = sorted(first.keys() - found.keys()), sorted(found.keys() - first.keys())
        if lacking or extra:
            raise DataError(
                f"{model.path}: expected the tensors of {models[0].path}; {len(lacking)} are "
                f"missing {lacking[:3]}, {len(extra)} are extra {extra[:3]}. No tensor is skipped."
            )
        for name, place in found.items():
            if place.shape != first[name].shape:
                raise DataError(
                    f"{model.path}: tensor {name!r} has shape {place.shape}, in {models[0].path} "
                    f"{first[name].shape}. Models with different vocabularies or widths cannot be "
                    "merged."
                )
            if place.dtype.startswith("F8") or (place.dtype in FLOATS) != (
                first[name].dtype in FLOATS
            ):
                raise DataError(
                    f"{model.path}: tensor {name!r} is stored as {place.dtype}; expected F32, BF16 "
                    "or F16."
                )
    return list(first), tied


def _tied_copies(model: ModelFolder) -> list[str]:
    """Output embeddings that a model with tied embeddings stores a second time."""
    if not model.is_tied:
        return []
    return [name for name in model.places if name.split(".")[-2:] == ["lm_head", "weight"]]
