"""A hash by which the weights of a folder are known again, without reading all of them.

SHA-256 runs at 0.7 to 2 GB a second, and an adapter's base is looked at each time that it is
opened. So of every tensor the name, form and eight pieces spread over it are hashed: training
moves every number of the tensors that it touches, and a merge or another checkpoint does, too.
A change of a few single numbers is not seen.
"""

import hashlib
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from judgesmith.errors import ModelError

_PIECES, _PIECE = 8, 2048
_FILES = ("model*.safetensors", "adapter_model*.safetensors")
_MOST_HEADER = 100_000_000


class _Tensor(NamedTuple):
    name: str
    form: str
    file: Path
    start: int
    size: int


def weights_hash(folder: Path) -> str | None:
    """The hash over all tensors of a folder's safetensors files, by name; None without any.

    It does not depend on how tensors are spread over files. Raises ModelError for a torn file.
    """
    files = sorted({file for pattern in _FILES for file in folder.glob(pattern)})
    tensors = sorted(tensor for file in files for tensor in _tensors(file))
    if not tensors:
        return None
    digest = hashlib.sha256()
    opened: dict[Path, BinaryIO] = {}
    try:
        for tensor in tensors:
            digest.update(f"{tensor.name}\n{tensor.form}\n".encode())
            if tensor.file not in opened:
                opened[tensor.file] = tensor.file.open("rb")
            for start, size in pieces(tensor.size):
                opened[tensor.file].seek(tensor.start + start)
                digest.update(opened[tensor.file].read(size))
    finally:
        for file in opened.values():
            file.close()
    return digest.hexdigest()


def pieces(size: int) -> list[tuple[int, int]]:
    """Where pieces of so many bytes start and how long they are; all of it where it is small.

    >>> pieces(100)
    [(0, 100)]
    >>> pieces(8 * 2048 + 7)[:2], pieces(8 * 2048 + 7)[-1]
    ([(0, 2048), (2049, 2048)], (14343, 2048))
    """
    if size <= _PIECES * _PIECE:
        return [(0, size)]
    last = size - _PIECE
    return [(place * last // (_PIECES - 1), _PIECE) for place in range(_PIECES)]


def _tensors(file: Path) -> Iterator[_Tensor]:
    try:
        with file.open("rb") as opened:
            (length,) = struct.unpack("<Q", opened.read(8))
            header = json.loads(opened.read(min(length, _MOST_HEADER)))
        for name, row in header.items():
            if name != "__metadata__":
                start, end = row["data_offsets"]
                form = f"{row['dtype']} {row['shape']}"
                yield _Tensor(name, form, file, 8 + length + start, end - start)
    except (struct.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{file}: expected a whole safetensors file, found a header that cannot be read "
            f"({error}). Fetch or save it again."
        ) from None
