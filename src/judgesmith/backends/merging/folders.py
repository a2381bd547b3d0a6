"""Folders of models and adapters: what lies in them, and how a new one appears whole."""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

from judgesmith.backends.loading import load
from judgesmith.backends.merging.weight_files import Place, read_header, sha256_of
from judgesmith.errors import DataError, ModelError

ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
_INDEX = "model.safetensors.index.json"
_TOKENIZER = (
    "tokenizer.json", "tokenizer_config.json", "tokenizer.model", "special_tokens_map.json",
    "added_tokens.json", "vocab.json", "merges.txt", "chat_template.jinja", "chat_template.json",
)  # fmt: skip
_MODEL = (
    "generation_config.json", "preprocessor_config.json", "processor_config.json",
    "image_processor_config.json", "video_preprocessor_config.json", "from_nothing.json",
)  # fmt: skip


def is_adapter(folder: Path) -> bool:
    """Whether a folder holds a PEFT adapter."""
    return (folder / ADAPTER_CONFIG).is_file()


def read_json(file: Path) -> dict[str, Any]:
    """A JSON object.

    Raises:
        DataError: the file is missing, broken, or holds something else.
    """
    if not file.is_file():
        raise DataError(f"{file.parent}: expected {file.name} in it, found none.")
    try:
        value = json.loads(file.read_bytes())
    except ValueError as error:
        raise DataError(f"{file}: expected JSON, found what cannot be read: {error}") from None
    if not isinstance(value, dict):
        raise DataError(f"{file}: expected a JSON object, found {type(value).__name__}.")
    return value


def find_folder(name: str | Path) -> Path:
    """The folder of a model or adapter: the one named, or a copy fetched from the hub.

    Raises:
        ModelError: there is no such folder, and no such name on a hub that answers.
    """
    folder = Path(name)
    if folder.is_dir():
        return folder
    text = str(name)
    if folder.is_absolute() or text.startswith((".", "~")) or text.count("/") != 1:
        raise ModelError(f"{text}: expected a folder with a model or adapter, found none.")
    wanted = ["*.json", "*.safetensors", "*.jinja", "tokenizer.model", "merges.txt"]
    try:
        return Path(load("huggingface_hub").snapshot_download(text, allow_patterns=wanted))
    except (OSError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(
            f"{text}: expected a folder, or a name on the Hugging Face hub; it is no folder here, "
            f"and could not be fetched: {reason}"
        ) from None


@dataclass(frozen=True)
class ModelFolder:
    """A model with full weights in safetensors files; nothing but headers is read."""

    path: Path

    @cached_property
    def config(self) -> dict[str, Any]:
        """Its config.json."""
        return read_json(self.path / "config.json")

    @cached_property
    def files(self) -> list[Path]:
        """Its weight files.

        Raises:
            DataError: a shard that the index names is missing, or there are no safetensors.
        """
        if is_adapter(self.path):
            raise DataError(f"{self.path}: expected a model with full weights, found an adapter.")
        index = self.path / _INDEX
        if index.is_file():
            held = read_json(index).get("weight_map")
            if not isinstance(held, dict) or not held:
                raise DataError(f"{index}: expected a weight_map, found {held!r}.")
            names = sorted({str(name) for name in held.values()})
            lacking = [name for name in names if not (self.path / name).is_file()]
            if lacking:
                raise DataError(
                    f"{self.path}: {_INDEX} names {len(names)} weight files, of which {lacking} "
                    "are missing. Fetch or save the model again."
                )
            return [self.path / name for name in names]
        single = self.path / "model.safetensors"
        if single.is_file():
            return [single]
        stray = sorted(file.name for file in self.path.glob("model-*.safetensors"))
        others = stray or sorted(file.name for file in self.path.glob("*.bin"))
        raise DataError(
            f"{self.path}: expected model.safetensors, or {_INDEX} with its shards; found "
            f"{others or 'neither'}. Save the model again with save_pretrained, which writes "
            "safetensors."
        )

    @cached_property
    def places(self) -> dict[str, Place]:
        """Where each tensor lies.

        Raises:
            DataError: a file is torn, or holds other tensors than the index says.
        """
        found: dict[str, Place] = {}
        for file in self.files:
            for name, place in read_header(file).items():
                if name in found:
                    raise DataError(
                        f"{self.path}: tensor {name!r} lies in {found[name].file.name} and in "
                        f"{file.name}; expected it once."
                    )
                found[name] = place
        index = self.path / _INDEX
        if index.is_file():
            held = read_json(index)["weight_map"]
            wrong = [n for n, f in held.items() if n not in found or found[n].file.name != f]
            if wrong:
                raise DataError(
                    f"{self.path}: {_INDEX} promises {wrong[0]!r} in {held[wrong[0]]}, which does "
                    f"not hold it ({len(wrong)} such tensors). The folder mixes two models."
                )
        return found

    @cached_property
    def is_tied(self) -> bool:
        """Whether the output embedding is the input embedding."""
        inner = self.config.get("text_config") or {}
        return bool(self.config.get("tie_word_embeddings", inner.get("tie_word_embeddings", False)))

    def sha256(self) -> str:
        """Of its weight files."""
        return sha256_of(self.files)


def distinct_names(folders: Sequence[Path]) -> list[str]:
    """The shortest ends of the paths that tell them apart; equal paths are numbered.

    >>> distinct_names([Path("/runs/a/absolute/student"), Path("/runs/a/pairwise/student")])
    ['absolute/student', 'pairwise/student']
    >>> distinct_names([Path("/x/one"), Path("/x/one")])
    ['one (1)', 'one (2)']
    """
    parts = [folder.resolve().parts for folder in folders]
    if len(set(parts)) < len(parts):
        return [f"{own[-1]} ({place})" for place, own in enumerate(parts, start=1)]
    length = next(n for n in count(1) if len({own[-n:] for own in parts}) == len(parts))
    return ["/".join(own[-length:]) for own in parts]


def copy_tokenizer(source: Path, target: Path) -> None:
    """Copy tokenizer and chat template."""
    _copy(source, target, _TOKENIZER)


def copy_model_files(source: Path, target: Path) -> None:
    """Copy what belongs to a model besides its weights and its config."""
    _copy(source, target, (*_TOKENIZER, *_MODEL))
    for folder in sorted(source.glob("*chat_template*")):
        if folder.is_dir():
            shutil.copytree(folder, target / folder.name)


def _copy(source: Path, target: Path, names: Sequence[str]) -> None:
    for name in names:
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)


def check_new(folder: Path) -> None:
    """Refuse to write over anything.

    Raises:
        DataError: the folder exists and is not empty, or is a file.
    """
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if folder.exists():
        raise DataError(f"{folder}: expected a folder that is not there yet; choose another name.")


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A folder that appears whole, by one rename, or not at all."""
    check_new(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        yield temporary
        if folder.is_dir():
            folder.rmdir()
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
