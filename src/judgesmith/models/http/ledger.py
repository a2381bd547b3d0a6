"""The ledger: every call of a run, booked before it goes out, so that the cap is never exceeded.

A call is in flight until it is settled: paid (it was answered), free (the server refused it), or
possibly paid (nobody knows: a timeout, a lost connection, a killed process). What is possibly paid
counts at the most that it can have cost.
"""

import fcntl
import os
import secrets
import sqlite3
from collections.abc import Callable, Sequence
from enum import StrEnum
from fractions import Fraction
from math import isfinite
from pathlib import Path
from typing import BinaryIO, NamedTuple, NoReturn, Self

from judgesmith.errors import DataError, ModelError, RecipeError, RunError
from judgesmith.models.http.cache import ReplyCache
from judgesmith.models.http.database import Database, FileType
from judgesmith.models.http.prices import NANO, dollars

CENT = NANO // 100

Also = Callable[[sqlite3.Connection, Sequence[int]], None]
"""Writes more in the transaction in which calls are booked or settled."""


class CallState(StrEnum):
    """Where a call stands."""

    IN_FLIGHT = "in_flight"
    PAID = "paid"
    FREE = "free"
    POSSIBLY_PAID = "possibly_paid"


class Call(NamedTuple):
    """A call that is about to be made; `bound` is the most that it can cost, in nano-dollars."""

    stage: str
    model: str
    key: str
    bound: int


class Settled(NamedTuple):
    """How a call ended. `cost` is in nano-dollars and counts where the call was paid."""

    call_id: int
    state: CallState
    cost: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    completion_tokens: int = 0


class Totals(NamedTuple):
    """The money of a run in nano-dollars; `cap` is None where there is none."""

    spent: int
    possibly_paid: int
    in_flight: int
    cap: int | None

    @property
    def booked(self) -> int:
        """All that counts against the cap."""
        return self.spent + self.possibly_paid + self.in_flight


class Line(NamedTuple):
    """What one stage asked of one model. Tokens are of paid calls; money is in nano-dollars.

    `hits` came out of the cache and are no calls.
    """

    stage: str
    model: str
    hits: int
    calls: int
    paid_calls: int
    free_calls: int
    unsure_calls: int
    prompt_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    completion_tokens: int
    spent: int
    possibly_paid: int


class BudgetSpent(ModelError):
    """The next call could exceed the cap."""


BATCHES = (
    "CREATE TABLE batches (intent TEXT PRIMARY KEY, place TEXT NOT NULL, stage TEXT NOT NULL,"
    " model TEXT NOT NULL, state TEXT NOT NULL, intended_at REAL NOT NULL, server_id TEXT,"
    " input_file TEXT, requests INTEGER NOT NULL, tokens INTEGER NOT NULL,"
    " bound INTEGER NOT NULL, answered INTEGER NOT NULL DEFAULT 0,"
    " failed INTEGER NOT NULL DEFAULT 0, missing INTEGER NOT NULL DEFAULT 0,"
    " duplicated INTEGER NOT NULL DEFAULT 0, unknown INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID",
    "CREATE TABLE batch_lines (intent TEXT NOT NULL, line INTEGER NOT NULL, call INTEGER NOT NULL,"
    " tries INTEGER NOT NULL, wanted TEXT, PRIMARY KEY (intent, line)) WITHOUT ROWID",
)
"""Batches and, while they are open, their lines; the key and bound of a line are its call's."""

LEDGER = FileType(
    name="ledger",
    mark=0x4A534D4C,
    version=2,
    schema=(
        "CREATE TABLE calls (id INTEGER PRIMARY KEY, stage TEXT NOT NULL, model TEXT NOT NULL,"
        " key TEXT NOT NULL, bound INTEGER NOT NULL, state TEXT NOT NULL,"
        " cost INTEGER NOT NULL DEFAULT 0, prompt_tokens INTEGER NOT NULL DEFAULT 0,"
        " cached_tokens INTEGER NOT NULL DEFAULT 0, cache_write_tokens INTEGER NOT NULL DEFAULT 0,"
        " completion_tokens INTEGER NOT NULL DEFAULT 0)",
        "CREATE TABLE hits (stage TEXT NOT NULL, model TEXT NOT NULL, count INTEGER NOT NULL,"
        " PRIMARY KEY (stage, model)) WITHOUT ROWID",
        *BATCHES,
    ),
    upgrades=((1, BATCHES),),
    where_broken="What the run has paid is no longer known: keep the file, look at the vendor's "
    "bill, and start a run in another folder with what is left as --budget-usd.",
)

_LINES = """
SELECT stage, model, sum(hits), sum(calls), sum(paid), sum(free), sum(unsure), sum(prompt_tokens),
       sum(cached_tokens), sum(cache_write_tokens), sum(completion_tokens), sum(cost), sum(owed)
FROM (
    SELECT stage, model, 0 AS hits, 1 AS calls, state = 'paid' AS paid, state = 'free' AS free,
           state = 'possibly_paid' AS unsure, prompt_tokens, cached_tokens, cache_write_tokens,
           completion_tokens, cost, (state = 'possibly_paid') * bound AS owed
    FROM calls
    UNION ALL SELECT stage, model, count, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 FROM hits
)
GROUP BY stage, model ORDER BY stage, model
"""


class Ledger:
    """The calls of one run; one process writes to it at a time, and a second one is refused.

    Opening it turns what an earlier process left in flight into possibly paid. `cap_usd` is the
    most that the run may cost, over all processes that worked on it; None is no cap.
    Raises RecipeError for a cap that is no amount, and DataError and RunError as `Database`.
    """

    def __init__(self, path: Path, cap_usd: float | None, *, wait_s: float = 30.0) -> None:
        self._path, self._cap = path, _cap(cap_usd)
        self._file = Database(path, LEDGER, wait_s=wait_s)
        self.claimed = set[str]()  # batches that somebody in this process follows
        try:
            self._held = _hold(path)
        except BaseException:
            self._file.close()
            raise
        try:
            self._load()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def file(self) -> Database:
        """The file itself, for the tables of batches."""
        return self._file

    def close(self) -> None:
        """Let go of the file. What is still in flight is possibly paid to whoever opens it next."""
        self._file.close()
        self._held.close()

    def fits(self, bound: int) -> bool:
        """Whether calls of at most `bound` together fit under the cap beside all that is booked.

        What costs nothing always fits.
        """
        return self._cap is None or bound == 0 or self.totals().booked + bound <= self._cap

    def refuse(self, bound: int) -> NoReturn:
        """Raise BudgetSpent for a call that does not fit."""
        now = self.totals()
        raise BudgetSpent(
            f"The budget is spent: of {dollars(now.cap or 0)}, {dollars(now.spent)} are paid, "
            f"{dollars(now.possibly_paid)} possibly paid and {dollars(now.in_flight)} in flight, "
            f"and the next call may cost {dollars(bound)}. To go on where it stopped, run the same "
            f"command with --budget-usd {-(-(now.booked + bound) // CENT) / 100} or more; what was "
            "answered is not paid again."
        )

    def open(self, calls: Sequence[Call], *, also: Also | None = None) -> list[int]:
        """Book calls and return their numbers; only then may they go out.

        `also` is given the numbers and writes more in the same transaction. Raises BudgetSpent,
        and books none of them, where they do not fit under the cap together.
        """
        if any(call.bound < 0 for call in calls):
            raise ValueError(f"a bound is 0 or more: {calls!r}")
        bound = sum(call.bound for call in calls)
        with self._file.lock:
            if not self.fits(bound):
                self.refuse(bound)
            numbers = range(self._next, self._next + len(calls))
            with self._file.transaction() as connection:
                connection.executemany(
                    "INSERT INTO calls (id, stage, model, key, bound, state)"
                    " VALUES (?, ?, ?, ?, ?, 'in_flight')",
                    [(number, *call) for number, call in zip(numbers, calls, strict=True)],
                )
                if also is not None:
                    also(connection, numbers)
            self._next += len(calls)
            self._in_flight += bound
            self._open.update(
                (number, call.bound) for number, call in zip(numbers, calls, strict=True)
            )
        return list(numbers)

    def settle(self, outcomes: Sequence[Settled], *, also: Also | None = None) -> None:
        """Book how calls ended. A call that was possibly paid may be settled again, once known.

        `also` is given their numbers and writes more in the same transaction. What was paid counts
        at its cost, even above its bound. Raises ValueError for a call that is not open, or twice
        among the outcomes, or is to be in flight again.
        """
        with self._file.lock:
            self._check(outcomes)
            rows = [(o.state, *_counted(o), o.call_id) for o in outcomes]
            with self._file.transaction() as connection:
                connection.executemany(
                    "UPDATE calls SET state = ?, cost = ?, prompt_tokens = ?, cached_tokens = ?,"
                    " cache_write_tokens = ?, completion_tokens = ? WHERE id = ?",
                    rows,
                )
                if also is not None:
                    also(connection, [outcome.call_id for outcome in outcomes])
            for outcome in outcomes:
                self._move(outcome)

    def reconcile(self, cache: ReplyCache) -> int:
        """Settle as paid what is possibly paid and whose own reply is in the cache; how many.

        A reply that another call brought says nothing of this one.
        """
        with self._file.lock:
            rows = self._file.read("SELECT id, key FROM calls WHERE state = 'possibly_paid'")
            replies = cache.bought(key for _, key in rows)
            outcomes = []
            for number, key in rows:
                reply = replies.get(key)
                if reply is not None and reply.call_id == number:
                    c = reply.completion
                    tokens = (c.prompt_tokens, c.cached_tokens, c.cache_write_tokens)
                    outcomes.append(
                        Settled(number, CallState.PAID, reply.cost, *tokens, c.completion_tokens)
                    )
            self.settle(outcomes)
        return len(outcomes)

    def hits(self, stage: str, model: str, count: int) -> None:
        """Count replies that came out of the cache."""
        with self._file.transaction() as connection:
            connection.execute(
                "INSERT INTO hits VALUES (?, ?, ?)"
                " ON CONFLICT (stage, model) DO UPDATE SET count = count + excluded.count",
                (stage, model, count),
            )

    def totals(self) -> Totals:
        """The money as it stands."""
        with self._file.lock:
            return Totals(self._spent, self._possibly_paid, self._in_flight, self._cap)

    def lines(self) -> list[Line]:
        """What each stage asked of each model, by name."""
        return [Line(*row) for row in self._file.read(_LINES)]

    def _load(self) -> None:
        with self._file.transaction() as connection:
            connection.execute("UPDATE calls SET state = 'possibly_paid' WHERE state = 'in_flight'")
        ((self._spent, last),) = self._file.read(
            "SELECT coalesce(sum(cost), 0), max(id) FROM calls"
        )
        # Numbers begin anywhere, so that a cache shared by runs can tell their calls apart.
        self._next = secrets.randbits(38) << 24 if last is None else last + 1
        self._open = dict[int, int]()
        self._unsure: dict[int, int] = dict(
            self._file.read("SELECT id, bound FROM calls WHERE state = 'possibly_paid'")
        )
        self._in_flight, self._possibly_paid = 0, sum(self._unsure.values())

    def _check(self, outcomes: Sequence[Settled]) -> None:
        seen = set[int]()
        for outcome in outcomes:
            number = outcome.call_id
            known = number in self._open or number in self._unsure
            if not known or number in seen or outcome.state is CallState.IN_FLIGHT:
                raise ValueError(f"no open call, or one that is settled twice: {outcome!r}")
            if outcome.cost < 0:
                raise ValueError(f"a cost is 0 or more: {outcome!r}")
            seen.add(number)

    def _move(self, outcome: Settled) -> None:
        number = outcome.call_id
        if number in self._open:
            bound = self._open.pop(number)
            self._in_flight -= bound
        else:
            bound = self._unsure.pop(number)
            self._possibly_paid -= bound
        if outcome.state is CallState.POSSIBLY_PAID:
            self._unsure[number] = bound
            self._possibly_paid += bound
        elif outcome.state is CallState.PAID:
            self._spent += outcome.cost


def look(path: Path) -> tuple[Totals, list[Line]]:
    """What a ledger says, also while a run writes to it; nothing is changed and no cap is known.

    Raises DataError where there is none.
    """
    if not path.exists():
        raise DataError(
            f"{path}: expected the ledger of a run, found no file there. A run that called no "
            "model over HTTP has none."
        )
    sums = (
        "SELECT coalesce(sum(cost), 0), coalesce(sum((state = 'possibly_paid') * bound), 0),"
        " coalesce(sum((state = 'in_flight') * bound), 0) FROM calls"
    )
    with Database(path, LEDGER) as file:
        ((spent, possibly_paid, in_flight),) = file.read(sums)
        return Totals(spent, possibly_paid, in_flight, None), [
            Line(*row) for row in file.read(_LINES)
        ]


def _counted(outcome: Settled) -> tuple[int, ...]:
    """Cost and tokens; a call that was not paid, or may not have been, has none that are known."""
    return outcome[2:] if outcome.state is CallState.PAID else (0,) * len(outcome[2:])


def _cap(cap_usd: float | None) -> int | None:
    """The cap in whole nano-dollars, rounded down: it is the decimal number that was given."""
    if cap_usd is None:
        return None
    if not isfinite(cap_usd) or cap_usd < 0:
        raise RecipeError(
            f"--budget-usd: expected an amount of 0 or more US dollars, found {cap_usd!r}."
        )
    return int(Fraction(str(cap_usd)) * NANO)


def _hold(path: Path) -> BinaryIO:
    """Hold the ledger until the file given back is closed or the process ends, however it does."""
    beside = path.with_name(path.name + ".lock")
    try:
        held = os.fdopen(os.open(beside, os.O_RDWR | os.O_CREAT, 0o644), "rb")
    except OSError as error:
        raise RunError(
            f"{beside}: expected a file that can be written, found: {error.strerror}. Make its "
            "folder writable."
        ) from None
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        held.close()
        if not isinstance(error, BlockingIOError):
            raise RunError(
                f"{path}: expected a disk on which files can be locked, found: {error.strerror}. "
                "Some network disks cannot: put the run on a local one."
            ) from None
        raise RunError(
            f"{path}: another process is making calls for this run. Wait for it to end: two at a "
            "time could spend the budget twice."
        ) from None
    return held
