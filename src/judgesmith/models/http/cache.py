"""The reply cache: what a prompt was answered, kept so that it is never paid for twice.

One SQLite file, shared by runs and by processes at the same time.
"""

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Self

import orjson

from judgesmith.models.http.database import Database, FileType
from judgesmith.models.http.prices import nano_dollars
from judgesmith.models.http.verdict_chances import READER
from judgesmith.models.protocol import Completion, Request
from judgesmith.records import Finish
from judgesmith.runs.endpoint import Endpoint

KEYS_AT_ONCE = 512
"""Keys looked up in one query."""


CACHE = FileType(
    name="reply cache",
    mark=0x4A534D43,
    version=1,
    schema=(
        "CREATE TABLE replies (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE,"
        " body BLOB NOT NULL, proof INTEGER NOT NULL, call INTEGER, cost INTEGER)",
    ),
    where_broken="Move it away: a new one is made, and what it held is asked for and paid again.",
)


def request_key(endpoint: Endpoint, request: Request) -> str:
    """The hash of everything that determines a reply: 32 hexadecimal digits.

    It is made of the protocol, address, model, options and revision, and of all of the request but
    its record id; not of price, key, rates or timeouts. Where probabilities are wanted it holds the
    version of what reads them, as they are kept as they were read; what follows an option
    (`Wanted.closing`) is not sent and not read. The beginning of a reply is in it where one is
    forced.
    """
    determined_by: list[Any] = [
        endpoint.protocol,
        endpoint.url.rstrip("/"),
        endpoint.model,
        sorted(endpoint.options.items()),
    ]
    if endpoint.revision is not None:
        determined_by.append({"revision": endpoint.revision})
    if request.wanted is not None:
        determined_by.append({"reader": READER})
    server = orjson.dumps(determined_by, option=orjson.OPT_NON_STR_KEYS)
    unsaid: dict[str, Any] = {"record_id": True, "wanted": {"closing"}}
    if request.forced is None:
        unsaid["forced"] = True  # as before replies could be begun
    asked = request.model_dump_json(exclude=unsaid).encode()
    return hashlib.blake2b(server + b"\n" + asked, digest_size=16).hexdigest()


class Bought(NamedTuple):
    """A reply with the ledger's number of the call that brought it, and what that call cost."""

    call_id: int
    cost: int
    completion: Completion


class ReplyCache:
    """Replies by request key. What `put` returned from is kept, whatever happens to the process.

    A row that was damaged is a miss, and is taken out. Raises DataError and RunError as `Database`.
    """

    def __init__(self, path: Path, *, wait_s: float = 30.0) -> None:
        self._file = Database(path, CACHE, wait_s=wait_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def get(self, keys: Iterable[str]) -> dict[str, Completion]:
        """The replies that are here, by key. They cost nothing and took no call, and say so."""
        return {row[0]: completion for row, completion in self._found(keys)}

    def bought(self, keys: Iterable[str]) -> dict[str, Bought]:
        """The replies that are here and whose call is known, by key."""
        return {
            row[0]: Bought(row[3], row[4], completion)
            for row, completion in self._found(keys)
            if isinstance(row[3], int) and isinstance(row[4], int)
        }

    def put(
        self, replies: Mapping[str, Completion], calls: Mapping[str, int] | None = None
    ) -> None:
        """Keep replies, all in one transaction; a key that is here already keeps its first reply.

        Calls that failed or were never made are passed over. `calls` has the ledger's number of
        the call that brought a reply, whose `cost_usd` must then be what it cost.
        """
        bought_by = calls or {}
        rows = [
            (*_packed(key, reply), bought_by.get(key), nano_dollars(reply.cost_usd))
            for key, reply in replies.items()
            if reply.finish is not Finish.FAILED and not reply.too_long and reply.failure is None
        ]
        if not rows:
            return
        with self._file.transaction() as connection:
            connection.executemany(
                "INSERT INTO replies (key, body, proof, call, cost) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (key) DO NOTHING",
                rows,
            )

    def _found(self, keys: Iterable[str]) -> Iterator[tuple[Any, Completion]]:
        wanted = list(dict.fromkeys(keys))
        for start in range(0, len(wanted), KEYS_AT_ONCE):
            some = wanted[start : start + KEYS_AT_ONCE]
            # Lengths are powers of two, so that few statements are made and kept.
            places = 1 << (len(some) - 1).bit_length()
            rows = self._file.read(_query(places), some + [None] * (places - len(some)))
            for row in rows:
                completion = _unpacked(row[0], row[1], row[2])
                if completion is not None:
                    yield row, completion
                else:
                    self._take_out(row)

    def _take_out(self, row: Any) -> None:
        with self._file.transaction() as connection:
            connection.execute(
                "DELETE FROM replies WHERE key = ? AND body IS ? AND proof IS ?", row[:3]
            )


@lru_cache(maxsize=16)
def _query(places: int) -> str:
    asked = ",".join("?" * places)
    return f"SELECT key, body, proof, call, cost FROM replies WHERE key IN ({asked})"


def _packed(key: str, reply: Completion) -> tuple[str, bytes, int]:
    body = orjson.dumps(
        (
            reply.text, reply.finish, reply.prompt_tokens, reply.completion_tokens,
            reply.cached_tokens, reply.cache_write_tokens, reply.probabilities, reply.covered,
        )
    )  # fmt: skip
    return key, body, _proof(key, body)


def _unpacked(key: str, body: object, proof: object) -> Completion | None:
    """The reply, or None where the row is not what was put in."""
    if not isinstance(body, bytes) or _proof(key, body) != proof:
        return None
    try:
        text, finish, prompt, completion, cached, written, chances, covered = orjson.loads(body)
        return Completion(
            text=text, finish=finish, prompt_tokens=prompt, completion_tokens=completion,
            cached_tokens=cached, cache_write_tokens=written, probabilities=chances,
            covered=covered, calls=0,
        )  # fmt: skip
    except (TypeError, ValueError):
        return None


def _proof(key: str, body: bytes) -> int:
    return zlib.crc32(body, zlib.crc32(key.encode()))
