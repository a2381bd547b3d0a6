"""Batches in the ledger: what we mean to send is on disk before anything goes out."""

import secrets
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from judgesmith.errors import RecipeError
from judgesmith.models.http.database import Database
from judgesmith.models.http.ledger import LEDGER, Call, Ledger, Settled
from judgesmith.models.protocol import Wanted
from judgesmith.runs.endpoint import Endpoint


class BatchState(StrEnum):
    """Where a batch stands: open, read to its end, refused as a whole, or never created."""

    OPEN = "open"
    OVER = "over"
    REFUSED = "refused"
    ABSENT = "absent"


class LineAsked(NamedTuple):
    """A request that goes into a batch; `tries` counts this one."""

    key: str
    bound: int
    tries: int
    wanted: Wanted | None


class OpenLine(NamedTuple):
    """A request in a batch. `is_settled` says that the ledger knows already how its call ended."""

    number: int
    call_id: int
    key: str
    bound: int
    tries: int
    wanted: Wanted | None
    is_settled: bool


class OpenBatch(NamedTuple):
    """A batch that is about to be created, or was; `server_id` is None where that is not known.

    `intended_at` is in seconds since the epoch, `tokens` what its prompts are estimated at.
    """

    intent: str
    server_id: str | None
    input_file: str | None
    intended_at: float
    tokens: int
    lines: tuple[OpenLine, ...]

    def custom_id(self, number: int) -> str:
        """The name of a line in what is sent and in the results."""
        return f"{self.intent}-{number}"


class Counts(NamedTuple):
    """The lines of a batch's results."""

    answered: int = 0
    failed: int = 0
    missing: int = 0
    duplicated: int = 0
    unknown: int = 0


NO_LINES = Counts()


class BatchLine(NamedTuple):
    """A batch as it is reported; `bound` is in nano-dollars."""

    stage: str
    model: str
    intent: str
    server_id: str | None
    state: BatchState
    requests: int
    bound: int
    counts: Counts


class BatchBook:
    """The batches of one endpoint, asked by one stage."""

    def __init__(self, ledger: Ledger, endpoint: Endpoint, *, stage: str, model: str) -> None:
        self._ledger, self._stage, self._model = ledger, stage, model
        self._place = _place(endpoint)
        self._mine = set[str]()

    def intend(self, asked: Sequence[LineAsked], *, tokens: int) -> OpenBatch:
        """Book a batch and its calls, durably; only then may it be created.

        Raises BudgetSpent where its calls do not fit under the cap together.
        """
        intent, now = "js" + secrets.token_hex(8), time.time()
        bound = sum(one.bound for one in asked)

        def write(connection: sqlite3.Connection, numbers: Sequence[int]) -> None:
            connection.execute(
                "INSERT INTO batches (intent, place, stage, model, state, intended_at, requests,"
                " tokens, bound) VALUES (?, ?, ?, ?, 'open', ?, ?, ?, ?)",
                (intent, self._place, self._stage, self._model, now, len(asked), tokens, bound),
            )
            connection.executemany(
                "INSERT INTO batch_lines VALUES (?, ?, ?, ?, ?)",
                [
                    (intent, n, number, one.tries, _written(one.wanted))
                    for n, (number, one) in enumerate(zip(numbers, asked, strict=True))
                ],
            )

        calls = [Call(self._stage, self._model, one.key, one.bound) for one in asked]
        with self._ledger.file.lock:
            # A batch may be dear and cannot be told from another's: not even a power cut loses it.
            self._ledger.file.read("PRAGMA synchronous=FULL")
            try:
                numbers = self._ledger.open(calls, also=write)
            finally:
                self._ledger.file.read("PRAGMA synchronous=NORMAL")
        self._claim(intent)
        lines = [
            OpenLine(n, number, *one, is_settled=False)
            for n, (number, one) in enumerate(zip(numbers, asked, strict=True))
        ]
        return OpenBatch(intent, None, None, now, tokens, tuple(lines))

    def take_open(self) -> list[OpenBatch]:
        """The open batches of this endpoint that nobody in this process follows, oldest first."""
        rows = self._ledger.file.read(
            "SELECT intent, server_id, input_file, intended_at, tokens FROM batches"
            " WHERE state = 'open' AND place = ? ORDER BY intended_at, intent",
            (self._place,),
        )
        taken = [row for row in rows if row[0] not in self._ledger.claimed]
        for intent, *_ in taken:
            self._claim(intent)
        return [OpenBatch._make((*row, tuple(self._lines(row[0])))) for row in taken]

    def release(self) -> None:
        """Follow none of them any more: whoever asks next takes what is open."""
        self._ledger.claimed -= self._mine
        self._mine.clear()

    def created(self, batch: OpenBatch, server_id: str) -> None:
        """Note the server's name for a batch."""
        self._note(batch, "server_id", server_id)

    def uploaded(self, batch: OpenBatch, file: str) -> None:
        """Note the uploaded file of a batch."""
        self._note(batch, "input_file", file)

    def known_ids(self) -> set[str]:
        """The server's names of all batches of the run that are known."""
        rows = self._ledger.file.read("SELECT server_id FROM batches WHERE server_id IS NOT NULL")
        return {server_id for (server_id,) in rows}

    def close(
        self, batch: OpenBatch, state: BatchState, outcomes: Iterable[Settled],
        counts: Counts = NO_LINES,
    ) -> None:  # fmt: skip
        """Book how a batch ended, and its calls with it, in one step."""

        def write(connection: sqlite3.Connection, _: Sequence[int]) -> None:
            connection.execute(
                "UPDATE batches SET state = ?, answered = ?, failed = ?, missing = ?,"
                " duplicated = ?, unknown = ? WHERE intent = ?",
                (state, *counts, batch.intent),
            )
            connection.execute("DELETE FROM batch_lines WHERE intent = ?", (batch.intent,))

        known = {line.call_id for line in batch.lines if line.is_settled}
        self._ledger.settle([o for o in outcomes if o.call_id not in known], also=write)

    def _claim(self, intent: str) -> None:
        self._ledger.claimed.add(intent)
        self._mine.add(intent)

    def _note(self, batch: OpenBatch, column: str, value: str) -> None:
        with self._ledger.file.transaction() as connection:
            connection.execute(
                f"UPDATE batches SET {column} = ? WHERE intent = ?", (value, batch.intent)
            )

    def _lines(self, intent: str) -> list[OpenLine]:
        rows = self._ledger.file.read(
            "SELECT line, call, key, bound, tries, wanted, state IN ('paid', 'free')"
            " FROM batch_lines JOIN calls ON calls.id = call WHERE intent = ? ORDER BY line",
            (intent,),
        )
        return [OpenLine._make((*row[:5], _wanted(row[5]), bool(row[6]))) for row in rows]


def reported(ledger: Ledger) -> list[BatchLine]:
    """All batches of a run, in the order in which they were intended."""
    rows = ledger.file.read(
        "SELECT stage, model, intent, server_id, state, requests, bound, answered, failed, missing,"
        " duplicated, unknown FROM batches ORDER BY intended_at, intent"
    )
    return [
        BatchLine._make((*row[:4], BatchState(row[4]), *row[5:7], Counts._make(row[7:])))
        for row in rows
    ]


def check_left_open(path: Path, models: Mapping[str, Endpoint]) -> None:
    """Refuse models of a recipe that use no batches any more, where the run has some open there.

    They would be asked, and paid, for a second time. `path` is the run's ledger, which need not be
    there yet. Raises RecipeError.
    """
    if not path.exists():
        return
    with Database(path, LEDGER) as file:
        rows = file.read("SELECT place, count(*) FROM batches WHERE state = 'open' GROUP BY place")
    followed = {_place(endpoint) for endpoint in models.values() if endpoint.batch is not None}
    left = {place: count for place, count in rows if place not in followed}
    for name, endpoint in models.items():
        if _place(endpoint) in left:
            raise RecipeError(
                f"model {name!r} has no `batch`, and batches of this run are open at "
                f"{endpoint.url}: {left[_place(endpoint)]}. Give it `batch` again until the run is "
                "through, or its replies are paid twice; or start a run in another folder."
            )


def _place(endpoint: Endpoint) -> str:
    """What the batches of an endpoint are found again by."""
    return f"{endpoint.protocol} {endpoint.url.rstrip('/')} {endpoint.model}"


def _written(wanted: Wanted | None) -> str | None:
    return None if wanted is None else wanted.model_dump_json()


def _wanted(written: str | None) -> Wanted | None:
    return None if written is None else Wanted.model_validate_json(written)
