"""A run's index open to the pages: who asks draws a curtain over what they may not know yet."""

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import NamedTuple

from starlette.requests import Request

from judgesmith.errors import RunError
from judgesmith.review.looking.index import connect, open_index, state_of
from judgesmith.review.looking.queries import Cells
from judgesmith.runs.layout import RunDir

_TABLES = """
CREATE TEMP TABLE asked (question TEXT PRIMARY KEY, items INTEGER) WITHOUT ROWID;
CREATE TEMP TABLE unasked (n INTEGER PRIMARY KEY);
CREATE TEMP TABLE unasked_cells (cell INTEGER PRIMARY KEY, items INTEGER);
CREATE TEMP TABLE opened (n INTEGER PRIMARY KEY);
"""
_ASKED = """
INSERT INTO asked SELECT question, count(*) FROM items JOIN json_each(?) ON items.id = value
  GROUP BY question
"""
_UNASKED = (
    "INSERT INTO unasked SELECT n FROM items WHERE question NOT IN (SELECT question FROM asked)"
)
_CELLS = """
INSERT INTO unasked_cells SELECT cell, count(*) FROM unasked JOIN items USING (n) GROUP BY cell
"""
_OPENED = """
INSERT INTO opened SELECT n FROM items WHERE question IN (
  SELECT question FROM json_each(?) JOIN items ON items.id = value GROUP BY question
  HAVING count(*) = (SELECT asked.items FROM asked WHERE asked.question = items.question))
"""


class Curtain(NamedTuple):
    """What is withheld from whom.

    `asked` gives the ids of items that people are asked about, `answered` those of them that who
    asks has answered; None where nothing is withheld from them. `seen` is told which of those are
    shown whole from now on: any page of a list tells of them by what its filters leave out.
    """

    asked: Callable[[], Iterable[str]]
    answered: Callable[[Request], Collection[str] | None]
    seen: Callable[[Request, Collection[str]], None] = lambda request, ids: None


class Opened:
    """The index of a run, for several threads at once; built first where it is not there.

    A question's items are shown whole once all of it that people are asked about is answered: a
    response that two items share would tell of the other.
    """

    def __init__(self, run_dir: RunDir, curtain: Curtain | None) -> None:
        open_index(run_dir).close()
        self.run_dir = run_dir
        self._curtain, self._state = curtain, state_of(run_dir)
        self.kept: dict[object, tuple[Cells, Cells]] = {}
        self._free: SimpleQueue[sqlite3.Connection] = SimpleQueue()

    @contextmanager
    def seen_by(
        self, request: Request
    ) -> Iterator[tuple[sqlite3.Connection, frozenset[str] | None]]:
        """A connection with the curtain drawn, and what who asks answered; None: all is shown.

        Raises RunError where a stage was made anew since the index was opened.
        """
        self._require_same()
        found = None if self._curtain is None else self._curtain.answered(request)
        answered = None if found is None else frozenset(found)
        db = self._connection()
        try:
            if self._curtain is not None and answered is not None:
                db.execute("DELETE FROM opened")
                db.execute(_OPENED, (json.dumps(list(answered)),))
                whole = db.execute("SELECT id FROM opened JOIN items USING (n)")
                self._curtain.seen(request, answered & {row["id"] for row in whole})
            yield db, answered
        finally:
            self._free.put(db)

    def _connection(self) -> sqlite3.Connection:
        try:
            return self._free.get_nowait()
        except Empty:
            db = connect(self.run_dir)
            if self._curtain is not None:
                db.executescript(_TABLES)
                db.execute(_ASKED, (json.dumps(list(self._curtain.asked())),))
                db.execute(_UNASKED)
                db.execute(_CELLS)
            return db

    def _require_same(self) -> None:
        now = state_of(self.run_dir)
        if now != self._state:
            names = sorted(
                name for name in {*now, *self._state} if now.get(name) != self._state.get(name)
            )
            raise RunError(
                f"{self.run_dir.path}: made anew since this was opened, or being made: "
                f"{', '.join(names)}. End `judgesmith review` with Ctrl-C and start it again when "
                "the run is complete; answers that were saved are not touched by it."
            )
