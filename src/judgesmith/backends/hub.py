"""Data sets of the Hugging Face hub by name, fetched once and kept as JSON Lines.

A name is written as the hub's own file system writes it:

    hf://datasets/OWNER/NAME                     the split `train`
    hf://datasets/OWNER/NAME#SPLIT               another split
    hf://datasets/OWNER/NAME/FILE                one file of the repository; * stands for several
    hf://datasets/OWNER/NAME@REVISION/...        a commit, a branch or a tag

What was fetched stays in the user's cache folder (JUDGESMITH_CACHE), so a run needs the network
once, and never for a name that somebody put there by hand.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from shutil import rmtree
from typing import Any, NamedTuple

import orjson

from judgesmith.backends.loading import load
from judgesmith.errors import DataError, JudgesmithError
from judgesmith.records import content_id
from judgesmith.runs.outside import cache_folder, find_outside

SCHEME = "hf://"
_NAME = re.compile(
    r"hf://(?:datasets/)?(?P<owner>(?!datasets/)[\w.-]+)/(?P<name>[\w.-]+?)(?:@(?P<revision>[\w./-]+?))?"
    r"(?P<file>/[\w./*-]+)?(?:#(?P<split>[\w.-]+))?"
)


class HubName(NamedTuple):
    """A data set's name, taken apart."""

    repository: str
    revision: str | None
    file: str | None
    split: str | None


def parse_name(text: str) -> HubName:
    """A name as the recipe gives it.

    Raises:
        DataError: not of the form above.

    >>> parse_name("hf://datasets/BAAI/JudgeLM-100K/judgelm_train_100k.jsonl")
    HubName(repository='BAAI/JudgeLM-100K', revision=None, file='judgelm_train_100k.jsonl',
            split=None)
    >>> parse_name("hf://owner/set@v1#train_prefs")
    HubName(repository='owner/set', revision='v1', file=None, split='train_prefs')
    """
    found = _NAME.fullmatch(text)
    if found is None or (found["file"] and found["split"]):
        raise DataError(
            f"{text}: expected hf://datasets/OWNER/NAME, with /FILE or #SPLIT behind it where one "
            "is meant, found another form."
        )
    file = (found["file"] or "").strip("/") or None
    return HubName(f"{found['owner']}/{found['name']}", found["revision"], file, found["split"])


def find_source(path: str) -> Path:
    """The file or folder that a recipe names, on this machine or on the hub.

    Raises:
        DataError: it is in neither place; see `find_outside` and `fetch_dataset`.
    """
    return fetch_dataset(path) if path.startswith(SCHEME) else find_outside(path)


def place_of(path: str) -> Path:
    """Where that file or folder lies, or would lie once it is fetched; no network is tried.

    Raises:
        DataError: a name of another form, or nothing on this machine; see `find_outside`.
    """
    return cached_at(parse_name(path)) if path.startswith(SCHEME) else find_outside(path)


def fetch_named(paths: Iterable[str]) -> None:
    """Fetch what is named on the hub and is not in the cache yet; other paths are left alone.

    Raises:
        DataError: see `fetch_dataset`.
    """
    for path in paths:
        if path.startswith(SCHEME):
            fetch_dataset(path)


def fetch_dataset(text: str) -> Path:
    """The data set of a hub name as JSON Lines in the cache; a folder where the name has a `*`.

    Raises:
        DataError: the name is not of the form, or the hub cannot be reached or does not have it;
            the message says where to put the files by hand.
        TrainingError: the library `datasets` is not installed.
    """
    name = parse_name(text)
    place = cached_at(name)
    if place.exists():
        return place
    try:
        if name.file is not None and "*" in name.file:
            _fetch_files(name, place)
        else:
            _write(_rows(name, name.file), place)
    except JudgesmithError:
        raise
    except Exception as error:  # the libraries raise many kinds, and each means the same here
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(
            f"{text}: could not be fetched from the Hugging Face hub: {said}. Where there is "
            f"network, run: hf download {name.repository} --repo-type dataset --local-dir FOLDER; "
            f"then name the file in FOLDER as `path`, or put it there as {place}."
        ) from None
    return place


def cached_at(name: HubName) -> Path:
    """Where a data set is kept: a file, or a folder where its name stands for several files.

    No two names share a place, on file systems that do not tell letter case apart either. Where
    what can be read in the place is not the whole name, the folder's name ends in a hash of it.
    """
    base = cache_folder()
    revision = f"@{name.revision.replace('/', '--')}" if name.revision else ""
    folder = name.repository.replace("/", "--") + revision
    kept = f"{name.split or 'train'}.jsonl" if name.file is None else _as_lines(name.file)
    if name.file is not None and "*" in name.file:
        kept = name.file.replace("/", "--").replace("*", "_all_")
    if not _says_all(name, folder, kept):
        split = None if name.file else name.split or "train"
        folder += f"~{content_id(*name._replace(split=split))}"
    return base / "datasets" / folder / kept


def _says_all(name: HubName, folder: str, kept: str) -> bool:
    """Whether a place is read back as one name alone: a JSON Lines file in plain small letters.

    >>> name = parse_name("hf://owner/set/rows.jsonl")
    >>> _says_all(name, "owner--set", "rows.jsonl")
    True
    >>> _says_all(name._replace(file="rows.csv"), "owner--set", "rows.jsonl")
    False
    """
    parted = folder.count("--") == 1 and "---" not in folder
    small = folder == folder.lower() and kept == kept.lower()
    return parted and small and name.revision is None and name.file == kept


def _as_lines(file: str) -> str:
    """The name under which a file of the repository is kept.

    >>> _as_lines("data/train.json.gz")
    'data--train.jsonl'
    """
    return (
        re.sub(r"\.(?:jsonl?|csv|parquet)(?:\.(?:gz|zst))?$", "", file).replace("/", "--")
        + ".jsonl"
    )


def _rows(name: HubName, file: str | None) -> Iterator[Mapping[str, Any]]:
    """Rows as the library reads them, one by one."""
    more = {} if file is None else {"data_files": file}
    return iter(
        load("datasets").load_dataset(
            name.repository, split=name.split or "train", revision=name.revision, streaming=True,
            **more,
        )
    )  # fmt: skip


def _fetch_files(name: HubName, folder: Path) -> None:
    """Each file that the name stands for, into a folder that appears whole or not at all."""
    from fnmatch import fnmatchcase

    files = (
        load("huggingface_hub")
        .HfApi()
        .list_repo_files(name.repository, repo_type="dataset", revision=name.revision)
    )
    wanted = [file for file in files if fnmatchcase(file, str(name.file))]
    if not wanted:
        raise DataError(
            f"{SCHEME}datasets/{name.repository}/{name.file}: the repository has no such file; it "
            f"has {', '.join(files)}."
        )
    _require_apart(name, wanted)
    begun = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    try:
        for file in wanted:
            _write(_rows(name, file), begun / _as_lines(file))
        begun.replace(folder)
    finally:
        rmtree(begun, ignore_errors=True)


def _require_apart(name: HubName, files: Sequence[str]) -> None:
    """Refuse files of which two would be kept under one name, the later in place of the earlier."""
    kept: dict[str, str] = {}
    for file in files:
        other = kept.setdefault(_as_lines(file).lower(), file)
        if other != file:
            raise DataError(
                f"{SCHEME}datasets/{name.repository}/{name.file}: expected files that differ in "
                f"more than their ending and letter case, found {other} and {file}. Name one of "
                "them, or write a narrower pattern."
            )


def _write(rows: Iterable[Mapping[str, Any]], place: Path) -> None:
    """The rows as JSON Lines, one after the other, in a file that appears whole or not at all."""
    place.parent.mkdir(parents=True, exist_ok=True)
    begun = place.with_name(f".{place.name}.{os.getpid()}.tmp")
    try:
        with begun.open("wb") as file:
            for row in rows:
                file.write(orjson.dumps(dict(row), default=str, option=orjson.OPT_APPEND_NEWLINE))
        begun.replace(place)
    finally:
        begun.unlink(missing_ok=True)
