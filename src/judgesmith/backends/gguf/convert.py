"""A model folder -> GGUF files, each in one precision."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from judgesmith.backends.gguf.source import find_converter
from judgesmith.backends.gguf.worker import Worker
from judgesmith.errors import ModelError

Kind = Literal["f16", "q8_0", "q4_k_m"]
SCRIPT = Path(__file__).with_name("convert_worker.py")
_MOST_WORDS = 1500
_FULL = ("F16", "F32", "BF16")


def write_gguf(model: Path, kinds: Sequence[Kind], folder: Path, stem: str) -> dict[Kind, Path]:
    """Write the files of these kinds into a folder; float16 is made in any case, and quantised.

    Args:
        model: a whole model with its tokenizer.
        kinds: which files are wanted.
        folder: where they go, as `STEM-Q8_0.gguf`.
        stem: how their names begin.

    Raises:
        ModelError: the converter does not know the model or its tokenizer, or has failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    half = folder / file_name(stem, "f16")
    convert(model, half, "f16")
    made: dict[Kind, Path] = {"f16": half}
    for kind in kinds:
        if kind != "f16":
            made[kind] = folder / file_name(stem, kind)
            _quantise(half, made[kind], kind)
    if "f16" not in kinds:
        made.pop("f16").unlink()
    return made


def convert(model: Path, file: Path, outtype: Literal["f16", "f32"]) -> None:
    """A whole model with its tokenizer as a file that is not quantised, by llama.cpp's converter.

    Raises:
        ModelError: the converter does not know the model or its tokenizer, or has failed.
    """
    _run("convert", str(model), str(file), outtype)


def file_name(stem: str, kind: Kind) -> str:
    """The name of a file of a kind.

    >>> file_name("judge", "q4_k_m")
    'judge-Q4_K_M.gguf'
    """
    return f"{stem}-{kind.upper()}.gguf"


class Described(NamedTuple):
    """How many tensors of a file have which type, and whether llama.cpp adds its first token."""

    tensors: dict[str, int]
    adds_bos: bool


def describe(files: Sequence[Path]) -> list[Described]:
    """What llama.cpp's own reader finds in files, in their order."""
    found = json.loads(_run("describe", *map(str, files))) if files else []
    return [Described(**one) for one in found]


def fallen_back(types: dict[str, int], kind: Kind) -> int:
    """How many tensors are stored in another type than their kind's own ones.

    Q4_K_M is Q4_K with some Q6_K; rows that are no multiple of 256 cannot be stored so, and
    llama.cpp takes other types for them. Vectors stay in float32.

    >>> fallen_back({"F32": 9, "Q4_K": 20, "Q6_K": 3, "Q5_0": 6}, "q4_k_m")
    6
    """
    own = {"f16": ("F16",), "q8_0": ("Q8_0",), "q4_k_m": ("Q4_K", "Q6_K")}[kind]
    return sum(count for name, count in types.items() if name not in (*own, *_FULL))


def _quantise(source: Path, target: Path, kind: Kind) -> None:
    worker = Worker()
    try:
        threads = os.cpu_count() or 1
        status = worker.ask("quantise", source=str(source), target=str(target), kind=kind,
                            threads=threads)  # fmt: skip
    finally:
        worker.close()
    if status != 0:
        raise ModelError(f"{target.name}: llama.cpp could not quantise it (status {status}).")


def _run(*arguments: str) -> str:
    """Run the script in a process of its own: it changes what it imports."""
    done = subprocess.run(
        [sys.executable, "-P", str(SCRIPT), str(find_converter()), *arguments], check=False,
        capture_output=True, text=True, env={**os.environ, "TOKENIZERS_PARALLELISM": "false"},
    )  # fmt: skip
    if done.returncode:
        said = done.stderr.strip()[-_MOST_WORDS:]
        raise ModelError(f"llama.cpp's converter failed with status {done.returncode}:\n{said}")
    return done.stdout
