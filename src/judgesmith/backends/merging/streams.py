"""A model written tensor by tensor into a new folder."""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from judgesmith.backends.loading import load
from judgesmith.backends.merging.factors import Tensor
from judgesmith.backends.merging.folders import ModelFolder, copy_model_files
from judgesmith.backends.merging.weight_files import (
    CODES,
    FLOATS,
    TORCH,
    FileWriter,
    Form,
    in_order,
    into_shards,
    shard_names,
    write_index,
)

SHARD_BYTES = 5_000_000_000
"""Most bytes of one weight file, as transformers has it."""


def forms_of(model: ModelFolder, names: Sequence[str], dtype: str | None) -> list[Form]:
    """The tensors of the result: floats in `dtype` (None: as the model has them)."""
    forms = []
    for name in names:
        place = model.places[name]
        code = CODES[dtype] if dtype is not None and place.dtype in FLOATS else place.dtype
        forms.append((name, code, place.shape))
    return in_order(forms)


def write_model(
    folder: Path,
    like: ModelFolder,
    forms: Sequence[Form],
    make: Callable[[Form], Iterable[Tensor]],
    shard_bytes: int = SHARD_BYTES,
) -> None:
    """Write weights, index, config, tokenizer and chat template.

    Args:
        folder: an empty one.
        like: the model whose config and other files the result gets.
        forms: the tensors, in the order of writing.
        make: gives the tensor of a form, in blocks from its first entry to its last.
        shard_bytes: most bytes of one weight file.
    """
    shards = into_shards(forms, shard_bytes)
    names = shard_names(len(shards))
    for shard, name in zip(shards, names, strict=True):
        with FileWriter(folder / name, shard) as writer:
            for form in shard:
                writer.write(form[0], make(form))
    write_index(folder, shards, names)
    copy_model_files(like.path, folder)
    (folder / "config.json").write_text(json.dumps(_config(like, forms), indent=2) + "\n")


def _config(like: ModelFolder, forms: Sequence[Form]) -> dict[str, Any]:
    """The model's config, with the dtype of the new weights wherever it names one."""
    codes = [form[1] for form in forms if form[1] in FLOATS]
    dtype = TORCH[max(set(codes), key=codes.count)]

    def told(config: dict[str, Any]) -> dict[str, Any]:
        return {
            key: told(value) if isinstance(value, dict)
            else dtype if key in ("dtype", "torch_dtype") else value
            for key, value in config.items()
        }  # fmt: skip

    return told(like.config)


def dtypes_of(forms: Sequence[Form]) -> str:
    """The dtypes of the floats among some tensors, as a report names them.

    >>> dtypes_of([("a", "F32", (2,)), ("b", "BF16", (2,)), ("c", "I64", (1,))])
    'bfloat16+float32'
    """
    return "+".join(sorted({TORCH[form[1]] for form in forms if form[1] in FLOATS}))


def torch_dtype(code: str) -> Any:
    """The torch dtype that a safetensors code stands for.

    >>> torch_dtype("BF16")
    torch.bfloat16
    """
    return getattr(load("torch"), TORCH[code])
