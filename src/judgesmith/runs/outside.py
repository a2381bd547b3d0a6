"""Files from outside a run: where a recipe's relative paths are looked for, and what is cached."""

import os
from pathlib import Path

from judgesmith.errors import DataError
from judgesmith.runs.jsonl import write_bytes

VARIABLE = "JUDGESMITH_DATA"
CACHE_VARIABLE = "JUDGESMITH_CACHE"
NOTE = "data_folder.txt"


def use_data_folder(run_folder: Path, given: Path | None) -> None:
    """Look for outside files in the given folder, else in the one this run used before."""
    note = run_folder / NOTE
    if given is not None:
        if not given.is_dir():
            raise DataError(f"--data {given}: expected a folder, found none there.")
        write_bytes(note, f"{given.resolve()}\n".encode())
    if note.exists() and (given is not None or VARIABLE not in os.environ):
        os.environ[VARIABLE] = note.read_text().strip()


def find_outside(path: str) -> Path:
    """The file or folder that a recipe names.

    A relative path is looked for in the working folder, then in the folder that the environment
    variable JUDGESMITH_DATA names. Raises DataError saying where it was looked for.
    """
    given = Path(path).expanduser()
    data = os.environ.get(VARIABLE)
    places = [given] if given.is_absolute() or not data else [given, Path(data) / given]
    for place in places:
        if place.exists():
            return place
    looked = " and ".join(str(place.resolve()) for place in places)
    raise DataError(
        f"{path}: expected a file or folder, found none; looked for {looked}. Put it there, or "
        f"name the folder that holds it: judgesmith run RECIPE --data FOLDER (or set {VARIABLE})."
    )


def cache_folder() -> Path:
    """What is kept for all runs of this user: JUDGESMITH_CACHE, or a place in the cache folder."""
    given = os.environ.get(CACHE_VARIABLE)
    if given:
        return Path(given).expanduser()
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home).expanduser() / "judgesmith"
