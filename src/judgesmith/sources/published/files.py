"""The rows of a published set, one by one, from a file of any common form or a folder.

A set of a hundred thousand rows is some 400 MB. None of the forms is read whole: CSV and Parquet
by `sources.tables`, JSON Lines and a JSON array object by object here. An object that has one name
twice is refused: a reader that takes the last would lose what stands in the first.
"""

import codecs
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from judgesmith.errors import DataError
from judgesmith.runs.jsonl import bad_encoding, open_bytes
from judgesmith.sources.arrow_tables import is_dataset
from judgesmith.sources.tables import SUFFIXES, find_format, read_table

LocatedRow = tuple[str, dict[str, Any]]
_CHUNK = 1 << 20
_LONGEST_ROW = 1 << 26
"""Most characters of a row in a list."""
_LONGEST_TOKEN = 16
"""Characters of JSON that may be cut in two: -Infinity, two \\uXXXX of one character."""
_SPACES = re.compile(r"[ \t\r\n]*")
_HALF = re.compile(r"\\u[dD][89a-fA-F]")


def stream_rows(path: Path, *, names: Sequence[str] = ()) -> Iterator[LocatedRow]:
    """Where each row is ("file:line", for JSON and Parquet "file: row N"), and the row.

    Args:
        path: a file, a saved Hugging Face data set, or a folder that holds the set's file.
        names: of the files under which the set was published; a folder that holds one of them is
            read by it.

    Raises:
        DataError: nothing to read, or a row that cannot be read, with its place.
    """
    file = choose_file(path, names)
    form = find_format(file) if file.is_file() else None
    if form == "json" and _begins_a_list(file):
        yield from _array(file)
    elif form in ("json", "jsonl"):
        yield from _lines(file)
    else:
        yield from ((where, row) for where, _, row in read_table(file))


def choose_file(path: Path, names: Sequence[str] = ()) -> Path:
    """The file to read, or the folder where it is a saved data set.

    Raises:
        DataError: a folder without such a file, or with several.
    """
    if not path.is_dir():
        return path
    known = [path / name for name in names if (path / name).is_file()]
    if known:
        return known[0]
    if is_dataset(path):
        return path
    found = sorted(
        file for file in path.iterdir()
        if file.is_file() and any(file.name.removesuffix(".gz").endswith(s) for s in SUFFIXES)
    )  # fmt: skip
    if len(found) == 1:
        return found[0]
    listed = ", ".join(file.name for file in found) or "none"
    wanted = f"{' or '.join(names)}, or " if names else ""
    raise DataError(
        f"{path}: expected {wanted}one file of rows in this folder, found {listed}. Name the file."
    )


def _begins_a_list(path: Path) -> bool:
    with open_bytes(path, expected="a JSON file") as file:
        head = file.read(_CHUNK).removeprefix(codecs.BOM_UTF8).lstrip()
    return head[:1] == b"["


def _lines(path: Path) -> Iterator[LocatedRow]:
    """The objects of a JSON Lines file."""
    offset, empty = 0, True
    with open_bytes(path, expected="a JSON Lines file") as file:
        for number, line in enumerate(file, start=1):
            where = f"{path}:{number}"
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
            except UnicodeDecodeError as error:
                raise DataError(bad_encoding(where, error, offset)) from None
            offset += len(line)
            if text:
                empty = False
                yield where, _only_object(text, where)
    if empty:
        raise DataError(f"{path}: expected rows, found none; the file is empty.")


def _only_object(line: str, where: str) -> dict[str, Any]:
    try:
        row, end = _JSON.raw_decode(line)
    except (ValueError, RecursionError) as error:
        hint = " A file of rows holds a list of them, or one object a line." if line == "{" else ""
        raise DataError(_not_json(where, line, 0, error) + hint) from None
    more = line[end:].strip()
    if more:
        raise DataError(f"{where}: expected one JSON object a line, then found {more[:60]!r}.")
    return _require_object(row, where, line[:end])


def _array(path: Path) -> Iterator[LocatedRow]:
    """The objects of a JSON array; little more of the file is held than the longest object."""
    with open_bytes(path, expected="a JSON file") as file:
        text = _Text(path, file)
        text.skip("[")
        number = 0
        while text.peek() != "]":
            number += 1
            where = f"{path}: row {number}"
            yield where, _require_object(*text.value(where))
            if text.peek() == ",":
                text.skip(",")
                if text.peek() == "]":
                    raise DataError(f"{where}: expected a row after its comma, found the end.")
            elif text.peek() != "]":
                raise DataError(
                    f"{where}: expected a comma or the end of the list after this row, found "
                    f"{text.near()}."
                )
        if number == 0:
            raise DataError(f"{path}: expected rows, found none; the list is empty.")
        text.skip("]")
        if text.peek():
            raise DataError(
                f"{path}: expected the end of the file after row {number}, where its list ends, "
                f"found {text.near()}. Keep one list in a file."
            )


class _Text:
    """What was read and not yet used of a file, as text."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path, self._file = path, file
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._held = ""
        self._at = 0
        self._read = 0
        self._ended = False

    def peek(self) -> str:
        """The next character that is no white space; empty at the end of the file."""
        while True:
            self._at = _SPACES.match(self._held, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._held) or self._ended:
                return self._held[self._at : self._at + 1]
            self._more()

    def near(self) -> str:
        """What comes next, for a message."""
        return _near(self._held, self._at) if self.peek() else "the end of the file"

    def skip(self, expected: str) -> None:
        """Go past a character that is there."""
        assert self.peek() == expected
        self._at += 1

    def value(self, where: str) -> tuple[Any, str, str]:
        """The next JSON value, `where`, and its text; more of the file is read until it is whole.

        Raises:
            DataError: it is no JSON, or has no end within the most that a row may have.
        """
        self.peek()
        while True:
            try:
                found, end = _JSON.raw_decode(self._held, self._at)
            except (ValueError, RecursionError) as error:
                if self._ended or not _may_be_cut(error, self._held):
                    raise DataError(_not_json(where, self._held, self._at, error)) from None
                if len(self._held) - self._at > _LONGEST_ROW:
                    raise DataError(
                        f"{where}: expected a row of at most {_LONGEST_ROW:,} characters, found no "
                        f"end of it; it begins {_near(self._held, self._at)}. A quote or a bracket "
                        "may not be closed."
                    ) from None
                self._more()
                continue
            text = self._held[self._at : end]
            self._at = end
            return found, where, text

    def _more(self) -> None:
        """Read on: at least as much as is held, so that a long value is not parsed too often."""
        self._held = self._held[self._at :]
        self._at = 0
        block = self._file.read(max(_CHUNK, len(self._held)))
        try:
            self._held += self._decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            raise DataError(bad_encoding(str(self._path), error, self._read)) from None
        self._read += len(block)
        self._ended = not block


def _may_be_cut(error: Exception, held: str) -> bool:
    """Whether a value may only lack its end: it fails at the end of what was read so far."""
    if not isinstance(error, json.JSONDecodeError):
        return False
    return error.pos >= len(held) - _LONGEST_TOKEN or error.msg.startswith("Unterminated string")


def _require_object(row: Any, where: str, text: str) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise DataError(f"{where}: expected an object, found {text[:60]!r}.")
    if _HALF.search(text):
        try:
            json.dumps(row, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            half = f"\\u{ord(error.object[error.start]):x}"
            raise DataError(
                f"{where}: expected whole characters, found {half}, half of one; write the text "
                "anew."
            ) from None
    return row


def _not_json(where: str, text: str, begin: int, error: Exception) -> str:
    """What is wrong with a row, and where in it; `begin` is where it begins in the text."""
    if not isinstance(error, json.JSONDecodeError):
        return f"{where}: not valid JSON: {error}."
    at = min(error.pos, len(text))
    hint = "" if at < len(text) else " The file may be cut short; fetch it again."
    return (
        f"{where}: not valid JSON: {error.msg} at character {at - begin + 1} of the row, near "
        f"{_near(text, max(begin, at - 20))}.{hint}"
    )


def _near(text: str, at: int) -> str:
    return repr(text[at : at + 60])


def _refuse(name: str) -> Any:
    raise ValueError(f"JSON has no {name}; write null for a value that is not there")


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; a name that it has twice is refused, for one of the values would be lost."""
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"an object has the name {twice!r} twice; keep one of them")
    return found


_JSON = json.JSONDecoder(parse_constant=_refuse, object_pairs_hook=_each_once)
