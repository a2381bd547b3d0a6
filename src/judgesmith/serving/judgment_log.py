"""Judgments kept for a later audit, one line of JSON each: all or a share, in words or hashed."""

import hashlib
import os
import time
from pathlib import Path
from threading import Lock
from typing import Any

import orjson

from judgesmith.errors import DataError

_KEPT = {"id", "mode"}
"""Fields of a row whose text says nothing about the question or the responses."""


def sampled(request_id: str, rate: float) -> bool:
    """Whether a request is logged: by its id alone, the same on every server and in every replay.

    >>> sampled("a", 1.0), sampled("a", 0.0)
    (True, False)
    >>> sum(sampled(str(n), 0.1) for n in range(10_000))
    1018
    """
    drawn = int.from_bytes(hashlib.sha256(request_id.encode()).digest()[:8])
    return drawn < rate * 2**64


def redacted(value: Any) -> Any:
    """The same with a hash in place of every text, so that known texts can still be found.

    >>> redacted({"question": "Who?", "choices": ["A", None]})["choices"][1] is None
    True
    >>> redacted("Who?")
    'sha256:d991a24e8e04231c'
    """
    if isinstance(value, str):
        return f"sha256:{hashlib.sha256(value.encode()).hexdigest()[:16]}"
    if isinstance(value, dict):
        return {k: v if k in _KEPT else redacted(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(one) for one in value]
    return value


class JudgmentLog:
    """A file that lines are added to; each is written whole, by one call.

    `rate` is the share of requests that is logged. The file may be moved away at any time: the next
    line then begins a new one.
    """

    def __init__(self, path: Path, *, rate: float = 1.0, redact: bool = False) -> None:
        self._path, self._rate, self._redact, self._lock = path, rate, redact, Lock()
        try:
            self._append(b"")
        except OSError as error:
            raise DataError(
                f"--log {path}: expected a file that can be written, found: {error.strerror}."
            ) from None

    def wants(self, request_id: str) -> bool:
        """Whether judgments of this request are kept."""
        return sampled(request_id, self._rate)

    def add(self, request_id: str, asked: dict[str, Any], said: dict[str, Any]) -> None:
        """Keep what was asked and what was said; raises OSError where it cannot be written."""
        reasons = ("rationale", "rationales", "own_reference", "reply")
        if self._redact:
            asked = redacted(asked)
            said = _without(said, reasons)
        line = {"time": round(time.time(), 3), "request": request_id, "asked": asked, "said": said}
        self._append(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))

    def _append(self, line: bytes) -> None:
        with self._lock:
            held = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(held, line)
            finally:
                os.close(held)


def _without(value: Any, names: tuple[str, ...]) -> Any:
    """The same with a hash in place of the texts in these fields, at any depth."""
    if isinstance(value, dict):
        return {k: redacted(v) if k in names else _without(v, names) for k, v in value.items()}
    return [_without(one, names) for one in value] if isinstance(value, list) else value
