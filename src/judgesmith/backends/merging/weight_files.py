"""Safetensors files read and written tensor by tensor, with every length checked first.

A file is: eight bytes with the length of its header, little-endian; the header, JSON that names
each tensor's dtype, shape and place; the tensors' bytes, one after the other. Reading by plain
reads and not through a memory map keeps the resident size at what is worked on.
"""

import hashlib
import json
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from judgesmith.backends.loading import load
from judgesmith.backends.merging.factors import Tensor
from judgesmith.errors import DataError

BYTES = {"F64": 8, "F32": 4, "BF16": 2, "F16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1,
         "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1}  # fmt: skip
TORCH = {"F64": "float64", "F32": "float32", "BF16": "bfloat16", "F16": "float16", "I64": "int64",
         "I32": "int32", "I16": "int16", "I8": "int8", "U8": "uint8", "BOOL": "bool"}  # fmt: skip
FLOATS = ("F64", "F32", "BF16", "F16")
CODES = {name: code for code, name in TORCH.items()}
_MOST_HEADER = 100_000_000


@dataclass(frozen=True)
class Place:
    """Where a tensor lies: its file, form, and bytes from the start of the file."""

    file: Path
    dtype: str
    shape: tuple[int, ...]
    start: int
    size: int

    @property
    def count(self) -> int:
        """Entries."""
        return self.size // BYTES[self.dtype]


def read_header(file: Path) -> dict[str, Place]:
    """The tensors of a safetensors file.

    Raises:
        DataError: the file is cut short, too long, or its header is no header.
    """
    length = file.stat().st_size
    with file.open("rb") as opened:
        first = opened.read(8)
        size = struct.unpack("<Q", first)[0] if len(first) == 8 else 0
        if not 2 <= size <= min(_MOST_HEADER, length - 8):
            raise _broken(file, f"{length:,} bytes and a header of {size:,}")
        text = opened.read(size)
    try:
        header = json.loads(text)
        rows = [(name, row) for name, row in header.items() if name != "__metadata__"]
        places = {name: _place(file, 8 + size, row) for name, row in rows}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _broken(file, f"a header that cannot be read ({error})") from None
    end = max((place.start + place.size for place in places.values()), default=8 + size)
    if end != length:
        raise _broken(file, f"{length:,} bytes where its header promises {end:,}")
    return places


def _place(file: Path, offset: int, row: Mapping[str, Any]) -> Place:
    start, end = row["data_offsets"]
    shape = tuple(int(n) for n in row["shape"])
    count = 1
    for n in shape:
        count *= n
    if count * BYTES[row["dtype"]] != end - start:
        raise ValueError(f"shape {shape} of {row['dtype']} in {end - start} bytes")
    return Place(file, row["dtype"], shape, offset + start, end - start)


def _broken(file: Path, found: str) -> DataError:
    return DataError(
        f"{file}: expected a whole safetensors file, found {found}. It was probably written or "
        "downloaded only in part: fetch or save it again."
    )


def read_tensor(place: Place) -> Tensor:
    """One tensor, as it is stored."""
    return _read(place, 0, place.size).reshape(place.shape)


def _read(place: Place, start: int, size: int) -> Tensor:
    """Entries of a tensor from a byte on, as a vector of its dtype."""
    torch = load("torch")
    raw = torch.empty(size, dtype=torch.uint8)
    with place.file.open("rb", buffering=0) as opened:
        opened.seek(place.start + start)
        view = memoryview(raw.numpy())
        done = 0
        while done < size:
            got = opened.readinto(view[done:])
            if not got:
                raise _broken(place.file, f"its end {size - done:,} bytes too early")
            done += got
    return raw.view(getattr(torch, TORCH[place.dtype]))


class Rows(Protocol):
    """A matrix of which some rows can be had at a time."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""

    def read(self, rows: slice) -> Tensor:
        """Some rows, in the dtype that they are stored in; not to be changed."""


@dataclass(frozen=True)
class HeldRows:
    """A matrix in memory."""

    matrix: Tensor

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return int(self.matrix.shape[0]), int(self.matrix.shape[1])

    def read(self, rows: slice) -> Tensor:
        """Some rows."""
        return self.matrix[rows]


@dataclass(frozen=True)
class StoredRows:
    """A matrix in a file, read anew each time."""

    place: Place
    shape: tuple[int, int]

    def read(self, rows: slice) -> Tensor:
        """Some rows."""
        width = self.shape[1]
        step = width * BYTES[self.place.dtype]
        raw = _read(self.place, rows.start * step, (rows.stop - rows.start) * step)
        return raw.reshape(-1, width)


_HELD = 1 << 26
"""Tensors up to this many bytes are read once and kept while they are worked on."""


def open_rows(place: Place, shape: tuple[int, int]) -> Rows:
    """A stored tensor as a matrix: small ones in memory, large ones left in their file.

    The embeddings of a small Gemma take gigabytes; no merge needs more than some rows of them.
    """
    if place.size <= _HELD:
        return HeldRows(read_tensor(place).reshape(shape))
    return StoredRows(place, shape)


def sha256_of(files: Sequence[Path]) -> str:
    """One hash over the contents of files, in the order of their names.

    Of a single file it is that file's SHA-256, which is what hubs show.
    """
    digests = []
    for file in sorted(files, key=lambda one: one.name):
        with file.open("rb") as opened:
            digests.append(hashlib.file_digest(opened, "sha256").hexdigest())
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


Form = tuple[str, str, tuple[int, ...]]
"""A tensor to be written: name, dtype code, shape."""


def size_of(form: Form) -> int:
    """Bytes of a tensor of this form.

    >>> size_of(("x", "BF16", (2, 3)))
    12
    """
    count = BYTES[form[1]]
    for n in form[2]:
        count *= n
    return count


class FileWriter:
    """A safetensors file written from front to back: its forms are known, its tensors follow."""

    def __init__(self, file: Path, forms: Sequence[Form]) -> None:
        self._file = file
        self._waiting: Iterator[Form] = iter(forms)
        header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
        at = 0
        for form in forms:
            name, code, shape = form
            header[name] = {
                "dtype": code, "shape": list(shape), "data_offsets": [at, at + size_of(form)]
            }  # fmt: skip
            at += size_of(form)
        text = json.dumps(header, separators=(",", ":")).encode()
        self._head = text + b" " * (-len(text) % 8)

    def __enter__(self) -> Self:
        self._opened = self._file.open("wb")
        self._opened.write(struct.pack("<Q", len(self._head)) + self._head)
        return self

    def write(self, name: str, blocks: Iterable[Tensor]) -> None:
        """Append a tensor, in blocks from its first entry to its last.

        Raises:
            ValueError: it is not the next of the forms, or of another dtype or size.
        """
        expected = next(self._waiting, None)
        if expected is None or expected[0] != name:
            raise ValueError(f"{self._file}: expected {expected} next, found {name}")
        written = 0
        for block in blocks:
            if CODES[str(block.dtype).removeprefix("torch.")] != expected[1]:
                raise ValueError(f"{self._file}: {name} came as {block.dtype}, not {expected[1]}")
            flat = block.contiguous().reshape(-1).view(load("torch").uint8)
            self._opened.write(memoryview(flat.numpy()))
            written += flat.shape[0]
        if written != size_of(expected):
            raise ValueError(f"{self._file}: {name} has {written} bytes, not {size_of(expected)}")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._opened.close()
        left = next(self._waiting, None)
        if kind is None and left is not None:
            raise ValueError(f"{self._file}: {left[0]} was never written")


def write_file(file: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors that are in memory, wider dtypes first so that all lie aligned."""
    forms = in_order(
        (name, CODES[str(tensor.dtype).removeprefix("torch.")], tuple(tensor.shape))
        for name, tensor in tensors.items()
    )
    with FileWriter(file, forms) as writer:
        for name, _, _ in forms:
            writer.write(name, [tensors[name]])


def in_order(forms: Iterable[Form]) -> list[Form]:
    """Forms in the order of a file: wider dtypes first, then as given."""
    return sorted(forms, key=lambda form: -BYTES[form[1]])


def into_shards(forms: Sequence[Form], most: int) -> list[list[Form]]:
    """Split forms, in their order, into files of at most `most` bytes (or of one tensor)."""
    shards: list[list[Form]] = [[]]
    filled = 0
    for form in forms:
        size = size_of(form)
        if shards[-1] and filled + size > most:
            shards.append([])
            filled = 0
        shards[-1].append(form)
        filled += size
    return shards


def shard_names(count: int) -> list[str]:
    """File names as transformers expects them.

    >>> shard_names(1), shard_names(2)[1]
    (['model.safetensors'], 'model-00002-of-00002.safetensors')
    """
    if count == 1:
        return ["model.safetensors"]
    return [f"model-{i:05d}-of-{count:05d}.safetensors" for i in range(1, count + 1)]


def write_index(folder: Path, shards: Sequence[Sequence[Form]], names: Sequence[str]) -> None:
    """The index that says which file holds which tensor; a single file needs none."""
    if len(shards) == 1:
        return
    held = {form[0]: name for shard, name in zip(shards, names, strict=True) for form in shard}
    total = sum(size_of(form) for shard in shards for form in shard)
    index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(held.items()))}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")
