"""Which files a mapping's entries stand for, and what the named parts of their paths are."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from judgesmith.errors import DataError
from judgesmith.sources.mapping import Mapping, TableFile

_PART = re.compile(r"\*\*/|\*|\{(\w+)\}")


class FoundFile(NamedTuple):
    """A file, the named parts of its path, and the folder that its pattern starts from."""

    path: Path
    captured: dict[str, str]
    root: Path


class EntryFile(NamedTuple):
    """A file of an entry of a mapping."""

    entry: TableFile
    file: FoundFile


def captures_of(pattern: str) -> list[str]:
    """The names in a path pattern, such as `judge` in `results/{judge}.json`."""
    return [part.group(1) for part in _PART.finditer(pattern) if part.group(1)]


def find_files(mapping: Mapping, at: Path | Sequence[Path]) -> list[EntryFile]:
    """The mapping's files below a folder, or among the given files, in a fixed order.

    The folder is the data set's own or the one above it. Raises DataError when an entry matches
    nothing below the folder, when a given file matches no entry, and when there is no such file.
    """
    if isinstance(at, Path):
        if not at.is_dir():
            raise DataError(f"{at}: expected the folder of {mapping.name}, found no folder there.")
        root = _root(mapping, at)
        return [
            EntryFile(entry, found)
            for entry in mapping.files
            for found in match_below(root, entry.path, folders=entry.format == "hf")
        ]
    if not at:
        raise DataError(f"{mapping.name}: expected at least one file to read, found none.")
    given = [found for path in at for found in _match_given(path, mapping.files)]
    place = {id(entry): number for number, entry in enumerate(mapping.files)}
    return sorted(given, key=lambda found: place[id(found.entry)])


def _root(mapping: Mapping, at: Path) -> Path:
    """The folder that the patterns start from: the given one, or the data set's inside it."""
    inner = at / (mapping.folder or mapping.name)
    first = mapping.files[0]
    folders = first.format == "hf"
    if inner.is_dir() and any(_matches(inner, first.path, folders=folders)):
        return inner
    return at


def match_below(root: Path, pattern: str, *, folders: bool = False) -> list[FoundFile]:
    """The files (or folders) below a root that a pattern fits, by name; at least one."""
    found: dict[str, FoundFile] = {}
    for name, file in _matches(root, pattern, folders=folders):
        plain = name.removesuffix(".gz")
        if plain not in found or name == plain:
            found[plain] = file
    if not found:
        raise DataError(
            f"{root}: expected files that match {pattern!r} (or the same with .gz) below this "
            "folder, found none."
        )
    return [found[name] for name in sorted(found)]


def _matches(root: Path, pattern: str, *, folders: bool) -> Iterator[tuple[str, FoundFile]]:
    matcher = re.compile(_regex(pattern))
    fixed, names = root, pattern.split("/")
    while len(names) > 1 and not _PART.search(names[0]):
        fixed = fixed / names.pop(0)
    for path in _walk(fixed, folders=folders):
        name = path.relative_to(root).as_posix()
        match = matcher.fullmatch(name)
        if match:
            yield name, FoundFile(path, match.groupdict(), root)


def _walk(folder: Path, *, folders: bool) -> Iterator[Path]:
    for here, inner, files in os.walk(folder):
        for name in inner if folders else files:
            yield Path(here) / name


def _match_given(path: Path, entries: Sequence[TableFile]) -> list[EntryFile]:
    if not path.exists():
        raise DataError(f"{path}: expected a file, found none there.")
    absolute = path.resolve()
    found = []
    for entry in entries:
        match = re.fullmatch(rf"(?:.*/)?{_regex(entry.path)}", absolute.as_posix())
        if match:
            root = absolute.parents[entry.path.count("/")] if "**" not in entry.path else None
            found.append(EntryFile(entry, _given(path, match, root)))
    if found:
        return found
    for entry in entries:
        match = re.fullmatch(_regex(entry.path.split("/")[-1]), path.name)
        if match:
            found.append(EntryFile(entry, _given(path, match, None)))
    if not found and len(entries) == 1:
        found = [EntryFile(entries[0], _given(path, None, None))]
    if not found:
        patterns = ", ".join(repr(entry.path) for entry in entries)
        raise DataError(
            f"{path}: expected a file that one of the mapping's patterns fits ({patterns}). Rename "
            "it, or give a mapping with one entry, which takes every file."
        )
    return found


def _given(path: Path, match: re.Match[str] | None, root: Path | None) -> FoundFile:
    return FoundFile(path, match.groupdict() if match else {}, root or path.resolve().parent)


def _regex(pattern: str) -> str:
    """The pattern as a regular expression; a `.gz` may follow."""
    parts: list[str] = []
    end = 0
    seen: set[str] = set()
    for part in _PART.finditer(pattern):
        parts.append(re.escape(pattern[end : part.start()]))
        end = part.end()
        name = part.group(1)
        if part.group() == "**/":
            parts.append("(?:[^/]+/)*")
        elif part.group() == "*":
            parts.append("[^/]*")
        elif name in seen:
            parts.append(f"(?P={name})")
        else:
            seen.add(name)
            parts.append(f"(?P<{name}>[^/]+?)")
    return "".join([*parts, re.escape(pattern[end:]), "(?:\\.gz)?"])
