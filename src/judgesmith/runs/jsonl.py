"""Record files: strict reading, atomic writing, and append-only files that survive a kill."""

import codecs
import gzip
import hashlib
import io
import json
import math
import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from judgesmith.errors import DataError, nearest

M = TypeVar("M", bound=BaseModel)


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number and JSON object of each non-empty line; `.gz` is read compressed.

    Raises DataError naming file and line when a line is not a JSON object or names a field twice,
    and when the file is missing, not UTF-8 or a broken archive. A byte order mark at the start is
    passed over.
    """
    for number, line, row in _rows(path):
        # Where every `":` ends the name of a field that was kept, none was named twice.
        if line.count(b'":') != len(row) and line.count(b'":') != _fields(row):
            _require_each_once(path, number, line)
        yield number, row


def _fields(value: dict[str, Any] | list[Any]) -> int:
    """How many fields there are in a value and in all within it."""
    inside = value.values() if isinstance(value, dict) else value
    count = len(value) if isinstance(value, dict) else 0
    for one in inside:
        if isinstance(one, dict | list):
            count += _fields(one)
    return count


def _require_each_once(path: Path, number: int, line: bytes) -> None:
    """Refuse a field that is named twice: orjson keeps the last value without a word."""

    def once(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise DataError(
                    f"{path}:{number}: field {name!r}: expected each field once in an object, "
                    "found it twice. Keep the value that counts."
                )
            seen.add(name)

    json.loads(line, object_pairs_hook=once)


def _rows(path: Path) -> Iterator[tuple[int, bytes, dict[str, Any]]]:
    """Line number, line and JSON object of each non-empty line."""
    offset = 0
    with open_bytes(path, expected="a JSON Lines file") as file:
        for number, line in enumerate(file, start=1):
            offset += len(line)
            if number == 1:
                line = line.removeprefix(codecs.BOM_UTF8)
            if not line.isspace():
                yield number, line, _parse_object(path, number, line, offset - len(line))


@contextmanager
def open_bytes(path: Path, *, expected: str) -> Iterator[BinaryIO]:
    """The file's bytes, those of a `.gz` uncompressed.

    Raises DataError when the file is missing, a folder or not readable, and while it is read when
    the archive is cut short or damaged.
    """
    try:
        if path.suffix == ".gz":
            with gzip.open(path, "rb") as packed, io.BufferedReader(packed, 1 << 18) as file:
                yield file
        else:
            with path.open("rb") as plain:
                yield plain
    except FileNotFoundError:
        raise DataError(f"{path}: expected {expected}, found no file there.") from None
    except IsADirectoryError:
        raise DataError(f"{path}: expected {expected}, found a folder.") from None
    except PermissionError:
        raise DataError(
            f"{path}: expected {expected}, found a file that may not be read."
        ) from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{path}: the gzip archive is broken ({error}); fetch it again.") from None


def _parse_object(path: Path, number: int, line: bytes, offset: int) -> dict[str, Any]:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        where = f"{path}:{number}"
        try:
            line.decode()
        except UnicodeDecodeError as wrong:
            raise DataError(bad_encoding(where, wrong, offset)) from None
        raise DataError(
            f"{where}: expected one JSON object a line, found {_shorten(line)} "
            f"({error}).{not_a_number_hint(line, error.pos)}"
        ) from None
    if not isinstance(row, dict):
        raise DataError(f"{path}:{number}: expected a JSON object, found {_shorten(line)}.")
    return row


def bad_encoding(where: str, error: UnicodeDecodeError, offset: int = 0) -> str:
    """Say which byte of the file is not UTF-8 and what to do about it."""
    found = error.object[error.start : error.start + 1].hex().upper()
    return (
        f"{where}: not UTF-8 at byte {offset + error.start} of the file (found 0x{found}). Save it "
        "as UTF-8; for a file of Windows: `iconv -f WINDOWS-1252 -t UTF-8 FILE`, or from UTF-16."
    )


def not_a_number_hint(content: bytes, position: int) -> str:
    """What to do where JSON holds NaN or Infinity, which Python writes and JSON does not know."""
    near = content.decode("utf-8", "replace")[max(0, position - 2) : position + 10]
    if "NaN" not in near and "Infinity" not in near:
        return ""
    return " JSON has no NaN and no Infinity: write null for a value that is not there."


def read_records(path: Path, model: type[M]) -> Iterator[M]:
    """Records of one type, strictly: an unknown or missing field is an error with file and line."""
    for number, _, row in _rows(path):
        yield validate_row(row, model, where=f"{path}:{number}")


def validate_row(row: dict[str, Any], model: type[M], *, where: str) -> M:
    """The row as `model`; all its defects are reported at once, each with its field."""
    try:
        return model.model_validate_json(orjson.dumps(row), strict=True)
    except ValidationError as error:
        lines = [f"{where}: not a valid {model.__name__}:"]
        for defect in error.errors(include_url=False):
            field = ".".join(str(part) for part in defect["loc"])
            if defect["type"] == "extra_forbidden":
                hint = nearest(field, model.model_fields)
                lines.append(f"  field {field!r} is unknown; {hint}")
            elif defect["type"] == "missing":
                lines.append(f"  field {field!r} is missing{_instead(field, row, model)}")
            else:
                lines.append(
                    f"  field {field!r}: {defect['msg']}, found {_shorten(defect['input'])}"
                )
        raise DataError("\n".join(lines)) from None


def _instead(field: str, row: dict[str, Any], model: type[BaseModel]) -> str:
    """What to do about a missing field: rename one that is nearly called so, or write null.

    Of a file with columns of its own, where others are ignored, they are listed.
    """
    others = [name for name in row if name not in model.model_fields]
    close = get_close_matches(field, others, n=1)
    if close:
        return f"; found {close[0]!r}: rename it if that is meant"
    if model.model_config.get("extra") == "ignore":
        return f"; found {', '.join(sorted(row))}"
    return " (unknown values are written as null)"


def _shorten(value: object, limit: int = 80) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else repr(value)
    text = "".join(one if one.isprintable() else "\ufffd" for one in text.rstrip())
    return text if len(text) <= limit else text[:limit] + "..."


def encode(record: BaseModel) -> bytes:
    """One line of a record file; the same record always gives the same bytes."""
    return orjson.dumps(record.model_dump(mode="json"), option=orjson.OPT_APPEND_NEWLINE)


def write_records(path: Path, records: Iterable[BaseModel]) -> None:
    """Write a record file that appears whole or not at all."""
    write_bytes(path, b"".join(encode(record) for record in records))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file by atomic rename, flushed to disk first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:  # that of a full disk names no file
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, value: object) -> None:
    """Write indented JSON by atomic rename; missing is null.

    Raises ValueError for NaN and infinity, which JSON cannot hold: a value that is not there is
    None, with its reason beside it.
    """
    _refuse_nan(value, at="")
    option = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY
    write_bytes(path, orjson.dumps(value, option=option))


def _refuse_nan(value: object, at: str) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{at or 'the value'}: {value} cannot be written; missing is None")
    if isinstance(value, dict):
        for key, inner in value.items():
            _refuse_nan(inner, f"{at}/{key}")
    elif isinstance(value, list | tuple):
        for position, inner in enumerate(value):
            _refuse_nan(inner, f"{at}/{position}")


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, or of a folder's file names and contents."""
    digest = hashlib.sha256()
    if path.is_dir():
        for inner in sorted(p for p in path.rglob("*") if p.is_file()):
            digest.update(f"{inner.relative_to(path)}={file_sha256(inner)}\n".encode())
    else:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


class PartialFile:
    """Records that arrive one by one and must survive a kill.

    Each record is one appended line. A line torn by a kill is cut off when the file is opened
    again. The finished file is written by `write_records`, in item order, and the partial one
    removed, so that an interrupted run and an undisturbed one end with the same bytes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self, model: type[M]) -> list[M]:
        """Records that were written completely; a torn last line is removed from the file."""
        if not self.path.exists():
            return []
        content = self.path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            write_bytes(self.path, whole)
        return list(read_records(self.path, model))

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("ab")
        return self

    def append(self, records: Iterable[BaseModel]) -> None:
        """Add records and hand them to the operating system before returning."""
        self._file.write(b"".join(encode(record) for record in records))
        self._file.flush()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
