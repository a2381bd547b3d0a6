"""Keys of clients: a file of hashes, one a line; the key itself is shown once and kept nowhere.

A key is 32 random bytes, so that no hash of it can be guessed back and a slow hash would add
nothing (a password would need one). Every line is compared, each in constant time.
"""

import hashlib
import hmac
import os
import re
import secrets
from pathlib import Path

from judgesmith.errors import DataError

PREFIX = "jsk_"
_LINE = re.compile(r"sha256:([0-9a-f]{64})(?:\s+(\S.*))?")


def hash_key(key: str) -> str:
    """What stands in the file for a key.

    >>> hash_key("jsk_example")[:20]
    'sha256:17af4276a8c65'
    """
    return f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"


def new_key(path: Path) -> str:
    """Make a key and add its hash to the file, which is made readable by its owner alone."""
    if path.exists():
        Keys.read(path, empty=True)  # refuses a file that is none of keys
    key = PREFIX + secrets.token_urlsafe(32)
    held = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(held, "ab") as file:
        if path.stat().st_size and not path.read_bytes().endswith(b"\n"):
            file.write(b"\n")
        file.write(hash_key(key).encode() + b"\n")
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
        scheme, _, key = (header or "").partition(" ")
        given = hashlib.sha256(key.strip().encode("utf-8", "surrogateescape")).hexdigest()
        same = [hmac.compare_digest(given, one) for one in self._hashes]
        return scheme.lower() == "bearer" and any(same)
