"""A student as a folder that others can use: weights, tokenizer, how it generates, its margins.

Nothing in it names a place on this machine.
"""

import shutil
from collections.abc import Iterable, Sequence
from math import prod
from pathlib import Path
from typing import Any, Literal, NamedTuple

from judgesmith.backends.adapters import CONFIG, base_of, is_adapter
from judgesmith.backends.encode import encode_prompt, turn_end
from judgesmith.backends.merging.folders import copy_tokenizer, find_folder
from judgesmith.backends.merging.folding import fold_adapter, recast_model
from judgesmith.backends.merging.weight_files import read_header
from judgesmith.backends.origin import Origin, read_origin, write_origin
from judgesmith.backends.student import open_tokenizer
from judgesmith.backends.weights import read_config
from judgesmith.errors import ModelError
from judgesmith.models.pointwise import known_margins, write_margins
from judgesmith.records import Message
from judgesmith.runs.jsonl import write_json

Precision = Literal["bfloat16", "float32"]
Form = Literal["adapter", "model"]
GENERATION = "generation_config.json"
_ADAPTER = ("adapter_config.json", "adapter_model.safetensors")
_MOST_CONTEXT = 8192
"""Longer ones take memory that prompts of a judge do not need."""
_DRAWN = ("temperature", "top_p", "top_k", "min_p", "typical_p")
"""Settings of drawing a reply: a judge's is the likeliest one."""


class JudgeFolder(NamedTuple):
    """What an exported folder holds: an adapter over a base with a hub name, or a whole model."""

    form: Form
    base: str | None
    quantize: str | None


def write_judge_folder(
    source: str, out: Path, *, merged: bool, dtype: Precision, reply_tokens: int
) -> JudgeFolder:  # fmt: skip
    """Write the student of a folder into `out`, which must not be there yet or be empty.

    Args:
        source: a student's folder: an adapter, or a whole model.
        out: the new folder.
        merged: lay an adapter over its base; a whole model is one already.
        dtype: precision of the weights of a whole model; an adapter keeps its own.
        reply_tokens: most tokens of a reply, which its generation settings name.

    Raises:
        ModelError: an adapter whose base is a folder, which nobody else has.
    """
    origin = read_origin(source)
    base = base_of(source) if is_adapter(source) else None
    if base is None:
        recast_model(source, out, dtype=dtype)
    elif merged:
        fold_adapter(source, find_folder(base), out, dtype=dtype)
    else:
        _copy_adapter(Path(source), base, out)
    form: Form = "model" if base is None or merged else "adapter"
    (out / "from_nothing.json").unlink(missing_ok=True)
    _write_generation(source, out, reply_tokens)
    told = _hub_name(base)
    quantize = origin.quantize if origin is not None and form == "adapter" else None
    if origin is not None:
        write_origin(out, Origin(
            dialects=origin.dialects, base=told or "", base_hash=None,
            reply_tokens=origin.reply_tokens, quantize=quantize,
        ))  # fmt: skip
    margins = known_margins(Path(source), origin.dialects.values() if origin is not None else ())
    write_margins(out, margins)
    return JudgeFolder(form, told, quantize)


def require_same_ids(source: str, folder: Path, prompts: Iterable[Sequence[Message]]) -> int:
    """How many prompts have the same token ids by the tokenizer of an exported folder.

    Raises:
        ModelError: another tokenizer or chat template lies in the folder.
    """
    ours, theirs = open_tokenizer(source), open_tokenizer(str(folder))
    count = 0
    for count, turns in enumerate(prompts, start=1):  # noqa: B007 (it is the result)
        wanted, found = encode_prompt(ours, turns), encode_prompt(theirs, turns)
        if wanted != found:
            raise ModelError(
                f"{folder}: its tokenizer or chat template is not that of {source}: expected "
                f"{ours.decode(wanted)[:200]!r}, found {theirs.decode(found)[:200]!r}."
            )
    return count


def count_numbers(folder: Path) -> int:
    """Numbers in a folder's weight files; those of an adapter alone where it is one."""
    files = folder.glob("*.safetensors")
    return sum(prod(place.shape) for file in files for place in read_header(file).values())


def context_of(folder: Path) -> int:
    """Tokens of prompt and reply together that the judge of a folder can hold."""
    held = read_config(folder / "config.json") if (folder / "config.json").is_file() else {}
    held = held.get("text_config") or held
    limits = (held.get("max_position_embeddings"), open_tokenizer(str(folder)).model_max_length)
    return min(_MOST_CONTEXT, *(int(limit) for limit in limits if limit))


def _hub_name(base: str | None) -> str | None:
    return None if base is None or Path(base).is_dir() else base


def _copy_adapter(source: Path, base: str, out: Path) -> None:
    if Path(base).is_dir():
        raise ModelError(
            f"{source}: this adapter belongs to the base {base}, a folder that nobody else has. "
            "Export it merged into its base (--merged, or `export.merged: true`)."
        )
    out.mkdir(parents=True, exist_ok=True)
    for name in _ADAPTER:
        shutil.copyfile(source / name, out / name)
    write_json(out / CONFIG, {**read_config(source / CONFIG), "base_model_name_or_path": base})
    own = (source / "tokenizer_config.json").is_file()
    copy_tokenizer(source if own else find_folder(base), out)


def _write_generation(source: str, out: Path, reply_tokens: int) -> None:
    """How to generate as the judge was measured: the likeliest reply, up to the end of its turn."""
    file = out / GENERATION
    tokenizer = open_tokenizer(source)
    settings: dict[str, Any] = read_config(file) if file.is_file() else {}
    ends = settings.get("eos_token_id")
    known = ends if isinstance(ends, list) else [] if ends is None else [ends]
    wanted = [turn_end(tokenizer), tokenizer.eos_token_id]
    settings |= {
        "do_sample": False,
        "eos_token_id": list(dict.fromkeys([*known, *wanted])),
        "max_new_tokens": reply_tokens,
        "pad_token_id": tokenizer.pad_token_id,
    }
    write_json(file, {name: settings[name] for name in sorted(settings) if name not in _DRAWN})
