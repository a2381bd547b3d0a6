"""The rows of a published set, one by one, from a file of any common form or a folder.

A set of a hundred thousand rows is some 400 MB. None of the forms is read whole: JSON Lines, CSV
and Parquet by `sources.tables`, and a JSON array object by object here.
"""

import codecs
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from judgesmith.errors import DataError
from judgesmith.runs.jsonl import bad_encoding, not_a_number_hint, open_bytes
from judgesmith.sources.arrow_tables import is_dataset
from judgesmith.sources.tables import SUFFIXES, find_format, read_table

LocatedRow = tuple[str, dict[str, Any]]
_CHUNK = 1 << 20
_SPACE = " \t\r\n"


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
    if file.is_file() and find_format(file) == "json" and _begins_a_list(file):
        yield from _array(file)
        return
    for where, _, row in read_table(file):
        yield where, row


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


def _array(path: Path) -> Iterator[LocatedRow]:
    """The objects of a JSON array; no more of the file is held than the longest object."""
    with open_bytes(path, expected="a JSON file") as file:
        text = _Text(path, file)
        text.skip("[")
        number = 0
        while text.peek() != "]":
            number += 1
            where = f"{path}: row {number}"
            row = text.value(where)
            if not isinstance(row, dict):
                raise DataError(f"{where}: expected an object, found {str(row)[:60]!r}.")
            yield where, row
            if text.peek() == ",":
                text.skip(",")
            elif text.peek() != "]":
                raise DataError(f"{where}: expected a comma or the end of the list after this row.")
        if number == 0:
            raise DataError(f"{path}: expected rows, found none; the list is empty.")


class _Text:
    """What was read and not yet used of a file, as text."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path, self._file = path, file
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._json = json.JSONDecoder(parse_constant=_refuse)
        self._held = ""
        self._read = 0
        self._ended = False
        self._more()

    def peek(self) -> str:
        """The next character that is no white space; empty at the end of the file."""
        self._held = self._held.lstrip(_SPACE)
        while not self._held and not self._ended:
            self._more()
            self._held = self._held.lstrip(_SPACE)
        return self._held[:1]

    def skip(self, expected: str) -> None:
        """Go past a character that is there."""
        assert self.peek() == expected
        self._held = self._held[1:]

    def value(self, where: str) -> Any:
        """The next JSON value; more of the file is read until it is whole."""
        self.peek()
        while True:
            try:
                found, end = self._json.raw_decode(self._held)
            except ValueError as error:
                if self._ended:
                    at = getattr(error, "pos", 0)
                    hint = not_a_number_hint(self._held.encode(), at) or (
                        " The file may be cut short; fetch it again."
                    )
                    raise DataError(f"{where}: not valid JSON: {error}.{hint}") from None
                self._more(len(self._held))
                continue
            self._held = self._held[end:]
            return found

    def _more(self, least: int = 0) -> None:
        """Read on: at least as much as is held, so that a long value is not parsed too often."""
        block = self._file.read(max(_CHUNK, least))
        try:
            self._held += self._decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            raise DataError(bad_encoding(str(self._path), error, self._read)) from None
        self._read += len(block)
        self._ended = not block


def _refuse(name: str) -> Any:
    raise ValueError(f"JSON has no {name}; write null for a value that is not there")
