"""A table of verdicts that appears whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from judgesmith.errors import RunError


@contextmanager
def appearing(out: Path) -> Iterator[BinaryIO]:
    """A file to write into, which takes its place on the disk when all of it is there.

    Raises RunError where the disk takes no more.
    """
    temporary = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(out)
    except OSError as error:
        raise RunError(
            f"{out}: cannot be written: {error.strerror or error}. All rows are judged and kept; "
            "the same command writes them."
        ) from None
    finally:
        temporary.unlink(missing_ok=True)
