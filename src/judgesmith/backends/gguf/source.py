"""llama.cpp's converter, out of the pinned source package: fetched once, kept in the cache.

The installed package holds the library but not the converter, which lies in its source.
"""

import hashlib
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from judgesmith.errors import ModelError
from judgesmith.runs.outside import cache_folder
from judgesmith.runs.progress import say

VERSION = "0.3.36"
PACKAGE = f"llama-cpp-python=={VERSION}"
SOURCE = f"llama_cpp_python-{VERSION}.tar.gz"
SHA256 = "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e"
_VENDORED = f"llama_cpp_python-{VERSION}/vendor/llama.cpp/"
_CONVERTER = ("convert_hf_to_gguf.py", "conversion/", "gguf-py/gguf/")


def wheels_folder() -> Path:
    """Where source, wheel and converter are kept for all runs of this user."""
    return cache_folder() / "wheels"


def converter_in(folder: Path) -> Path:
    """Where the converter lies after `unpack`."""
    return folder / f"llama.cpp-{VERSION}"


def find_converter() -> Path:
    """The converter's folder in the cache, fetched and unpacked where it is not there yet."""
    folder = wheels_folder()
    if not converter_in(folder).is_dir():
        fetch_source(folder)
        unpack(folder)
    return converter_in(folder)


def fetch_source(folder: Path) -> None:
    """The source package in a folder, with the very bytes that this version was made for.

    Raises:
        ModelError: pip cannot fetch it, or fetched something else.
    """
    file = folder / SOURCE
    if not file.exists():
        say(f"fetching the source of {PACKAGE} (77 MB, once): it holds the converter to GGUF")
        folder.mkdir(parents=True, exist_ok=True)
        command = ["pip", "download", "--quiet", "--no-deps", "--no-binary",
                   "llama-cpp-python", PACKAGE, "-d", str(folder)]  # fmt: skip
        done = subprocess.run([sys.executable, "-m", *command], check=False)
        if not file.exists():
            raise ModelError(
                f"expected {SOURCE} from the package index, and pip ended with exit status "
                f"{done.returncode}. Fetch it by other means into {folder}."
            )
    with file.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if found != SHA256:
        raise ModelError(
            f"{file}: expected sha256 {SHA256[:16]}, found {found[:16]}. Delete it; it is fetched "
            "again."
        )


def unpack(folder: Path) -> None:
    """The converter out of the source; it appears whole or not at all."""
    target = converter_in(folder)
    if target.exists():
        return
    temporary = target.with_name(target.name + ".tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    with tarfile.open(folder / SOURCE) as archive:
        for member in archive:
            name = member.name.removeprefix(_VENDORED)
            if name.startswith(_CONVERTER) and name != member.name:
                member.name = name
                archive.extract(member, temporary, filter="data")
    temporary.rename(target)
