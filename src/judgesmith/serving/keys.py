"""Keys of clients: a file of hashes, one a line; the key itself is shown once and kept nowhere."""

import os
import re
from pathlib import Path

from judgesmith.errors import DataError
from judgesmith.web.keys import bearer_in, hash_key, is_known, make_key

PREFIX = "jsk_"
_LINE = re.compile(r"sha256:([0-9a-f]{64})(?:\s+(\S.*))?")


def new_key(path: Path) -> str:
    """Make a key and add its hash to the file, which is made readable by its owner alone."""
    if path.exists():
        Keys.read(path, empty=True)  # refuses a file that is none of keys
    key = make_key(PREFIX)
    held = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(held, "ab") as file:
        if path.stat().st_size and not path.read_bytes().endswith(b"\n"):
            file.write(b"\n")
        file.write(f"sha256:{hash_key(key)}\n".encode())
    return key


class Keys:
    """The hashes of a file of keys."""

    def __init__(self, hashes: tuple[str, ...]) -> None:
        self._hashes = hashes

    @classmethod
    def read(cls, path: Path, *, empty: bool = False) -> "Keys":
        """The keys of a file; blank lines and lines from `#` count for nothing.

        Raises DataError for a file that is missing, holds something else, or (unless `empty`) no
        key.
        """
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (FileNotFoundError, IsADirectoryError, UnicodeDecodeError):
            raise DataError(
                f"{path}: expected a file of keys, found none there. Make one with "
                f"`judgesmith serve --new-key {path}`."
            ) from None
        hashes = []
        for number, line in enumerate(lines, start=1):
            if not line.strip() or line.startswith("#"):
                continue
            found = _LINE.fullmatch(line.strip())
            if found is None:
                raise DataError(
                    f"{path}:{number}: expected `sha256:` and 64 hex digits, as `judgesmith serve "
                    "--new-key` writes them, and maybe a name after a blank; found another line. "
                    "The file holds hashes, never a key."
                )
            hashes.append(found[1])
        if not hashes and not empty:
            raise DataError(f"{path}: expected at least one key, found none.")
        return cls(tuple(hashes))

    def admit(self, header: str | None) -> bool:
        """Whether an `Authorization` header brings one of the keys as a bearer."""
        key = bearer_in(header)
        return key is not None and is_known(key, self._hashes)
