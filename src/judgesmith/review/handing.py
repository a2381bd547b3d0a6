"""Which item an annotator is given next."""

import sqlite3
import time
from typing import NamedTuple

from judgesmith.review.assigning import returns
from judgesmith.review.store import Store
from judgesmith.review.types import Plan, Progress, Round

LEFT_NS = 3600 * 10**9
"""Nanoseconds after which an item that somebody was given and did not answer may go to others."""

APART = 20
"""Own answers between an item and its repeat; fewer at the end of a queue, see `early_repeats`."""

NEW, SKIPPED, LEFT = 1, 2, 3
"""States of what was given and has no answer: not seen yet, put off, and left for others."""

CLOSED = -1
"""State of what is never given, as this annotator has seen what others say of it."""


class Task(NamedTuple):
    """An item to answer, in a round."""

    item: str
    round: Round


def hand_out(at: sqlite3.Connection, plan: Plan, annotator: str, ahead: int) -> list[Task]:
    """The next tasks of an annotator; called in a transaction, as they are given now.

    First the gold items of the calibration round, one at a time, as feedback comes between. Then
    what was given before, repeats that are due, and new items; last what was skipped, and items
    that were given to others who have left them.
    """
    gold = _calibration(at, annotator)
    if gold is not None:
        return [gold]
    done = _count(at, annotator)
    tasks = _waiting(at, annotator, done, NEW, ahead)
    tasks += [_give(at, plan, annotator, item) for item in _new(at, annotator, ahead - len(tasks))]
    if len(tasks) < ahead:
        left = _left_by_others(at, plan, annotator, ahead - len(tasks))
        tasks += [_give(at, plan, annotator, item) for item in left]
    if not tasks:
        tasks = _waiting(at, annotator, None, NEW, ahead)
    return tasks or _waiting(at, annotator, None, SKIPPED, ahead)


def _calibration(at: sqlite3.Connection, annotator: str) -> Task | None:
    waits = [(skipped, item) for item, skipped in _golds(at, annotator) if skipped is not False]
    return Task(min(waits, key=lambda one: one[0] is True)[1], "calibration") if waits else None


def _golds(at: sqlite3.Connection, annotator: str) -> list[tuple[str, bool | None]]:
    """The items of the calibration round, and whether each was skipped; None without an answer."""
    found = at.execute(
        "SELECT i.id, json_extract(CAST(e.body AS TEXT), '$.outcome') AS outcome FROM items i"
        " LEFT JOIN current c ON c.annotator = ? AND c.item = i.id AND c.round = 'calibration'"
        " LEFT JOIN events e ON e.seq = c.seq WHERE i.gold IS NOT NULL ORDER BY i.gold",
        (annotator,),
    )
    return [
        (row["id"], None if row["outcome"] is None else row["outcome"] == "skip") for row in found
    ]


def _count(at: sqlite3.Connection, annotator: str) -> int:
    row = at.execute(
        "SELECT COUNT(*) FROM given WHERE annotator = ? AND waits = 0 AND round = 'label'",
        (annotator,),
    ).fetchone()
    return int(row[0])


def _waiting(
    at: sqlite3.Connection, annotator: str, due: int | None, state: int, most: int
) -> list[Task]:
    """What was given and waits; with `due`, repeats only where so many answers came before."""
    found = at.execute(
        "SELECT item, round FROM given WHERE annotator = ? AND waits = ? AND due <= ?"
        " ORDER BY due = 0, number LIMIT ?",
        (annotator, state, 2**60 if due is None else due, most),
    )
    return [Task(row["item"], row["round"]) for row in found]


def _new(at: sqlite3.Connection, annotator: str, most: int) -> list[str]:
    """Open items beyond the last that this annotator was given: the earlier are given already."""
    if most < 1:
        return []
    found = at.execute(
        "SELECT id FROM items WHERE open = 1 AND place IS NOT NULL AND place >"
        " (SELECT reached FROM annotators WHERE name = ?) AND NOT EXISTS (SELECT 1 FROM given"
        " WHERE annotator = ? AND item = id AND round = 'label') ORDER BY place LIMIT ?",
        (annotator, annotator, most),
    )
    return [row["id"] for row in found]


def _left_by_others(at: sqlite3.Connection, plan: Plan, annotator: str, most: int) -> list[str]:
    """Items that others left, while fewer than planned have answered or still may."""
    left = time.time_ns() - LEFT_NS
    found = at.execute(
        "SELECT DISTINCT g.item FROM given g WHERE g.waits > 0 AND g.round = 'label'"
        " AND g.number < ?"
        " AND g.annotator != ? AND NOT EXISTS (SELECT 1 FROM given o WHERE o.annotator = ?"
        " AND o.item = g.item AND o.round = 'label')"
        " AND (SELECT COUNT(*) FROM given h WHERE h.item = g.item AND h.round = 'label'"
        " AND (h.waits = 0 OR h.waits > 0 AND h.number >= ?)) < ? LIMIT ?",
        (left, annotator, annotator, left, plan.overlap, most),
    )
    return [row["item"] for row in found]


def _give(at: sqlite3.Connection, plan: Plan, annotator: str, item: str) -> Task:
    row = at.execute("SELECT place, takers, open FROM items WHERE id = ?", (item,)).fetchone()
    takers = row["takers"] + 1
    still = int(takers < plan.overlap)
    at.execute("UPDATE items SET takers = ?, open = ? WHERE id = ?", (takers, still, item))
    at.execute(
        "UPDATE annotators SET reached = MAX(reached, ?), held_open = held_open + ? WHERE name = ?",
        (row["place"], still, annotator),
    )
    if row["open"] and not still:
        at.execute(
            "UPDATE annotators SET held_open = held_open - 1 WHERE name != ? AND name IN"
            " (SELECT annotator FROM given WHERE item = ? AND round = 'label')",
            (annotator, item),
        )
        at.execute("UPDATE about SET value = value - 1 WHERE name = 'open'")
    _note(at, annotator, item, "label", 0)
    return Task(item, "label")


def _note(at: sqlite3.Connection, annotator: str, item: str, round: Round, due: int) -> None:
    at.execute(
        "INSERT INTO given VALUES (?, ?, ?, ?, ?, ?)",
        (annotator, item, round, time.time_ns(), due, NEW),
    )


def settle(
    at: sqlite3.Connection, plan: Plan, annotator: str, task: Task, *, skipped: bool
) -> None:
    """Note that a task was answered, or skipped; a repeat of it may be given for later."""
    _put(at, annotator, task, SKIPPED if skipped else 0)
    if (
        skipped
        or task.round != "label"
        or not returns(plan.seed, annotator, task.item, plan.repeats)
    ):
        return
    again = at.execute(
        "SELECT 1 FROM given WHERE annotator = ? AND item = ? AND round = 'repeat'",
        (annotator, task.item),
    ).fetchone()
    if again is None:
        _note(at, annotator, task.item, "repeat", _count(at, annotator) + APART)


def _put(at: sqlite3.Connection, annotator: str, task: Task, state: int) -> None:
    at.execute(
        "UPDATE given SET waits = ? WHERE annotator = ? AND item = ? AND round = ?",
        (state, annotator, *task),
    )


def close_to(at: sqlite3.Connection, annotator: str, item: str) -> None:
    """Give somebody an item no more: they have seen what others say. It is left for others."""
    at.execute(
        "DELETE FROM given WHERE annotator = ? AND item = ? AND round = 'repeat' AND waits > 0",
        (annotator, item),
    )
    at.execute(
        "UPDATE given SET waits = ?, number = 0 WHERE annotator = ? AND item = ?"
        " AND round = 'label' AND waits > 0",
        (LEFT, annotator, item),
    )
    added = at.execute(
        "INSERT OR IGNORE INTO given SELECT ?, id, 'label', 0, 0, ? FROM items"
        " WHERE id = ? AND place IS NOT NULL",
        (annotator, CLOSED, item),
    )
    at.execute(
        "UPDATE annotators SET held_open = held_open + (SELECT open FROM items WHERE id = ?)"
        " WHERE name = ? AND ?",
        (item, annotator, added.rowcount),
    )


def awaited(at: sqlite3.Connection, plan: Plan, annotator: str) -> set[str]:
    """Items that a labeller may still be asked about, again or for the first time."""
    rows = at.execute(
        "SELECT item FROM given WHERE annotator = ? AND waits IN (?, ?)"
        " UNION SELECT id FROM items WHERE place IS NOT NULL AND NOT EXISTS (SELECT 1 FROM given"
        " WHERE annotator = ? AND item = id AND round = 'label')"
        " AND (SELECT COUNT(*) FROM given WHERE item = id AND round = 'label' AND waits = 0) < ?",
        (annotator, NEW, SKIPPED, annotator, plan.overlap),
    )
    golds = {item for item, skipped in _golds(at, annotator) if skipped is not False}
    return golds.union(row[0] for row in rows)


def put_off(at: sqlite3.Connection, annotator: str, task: Task) -> None:
    """Note that a task is skipped again: the answer that came after that was taken back."""
    _put(at, annotator, task, SKIPPED)


def reopen(at: sqlite3.Connection, annotator: str, task: Task) -> None:
    """Note that the answer to a task was taken back: it is the next one again."""
    at.execute(
        "UPDATE given SET waits = ?, due = -1 WHERE annotator = ? AND item = ? AND round = ?",
        (NEW, annotator, *task),
    )


def progress_of(at: sqlite3.Connection, annotator: str) -> Progress:
    """What an annotator answered, of that and what is given or still open to them."""
    row = at.execute(
        "SELECT COUNT(*), SUM(waits = 0) FROM given WHERE annotator = ? AND waits IN (0, ?, ?)",
        (annotator, NEW, SKIPPED),
    ).fetchone()
    golds = [skipped for _, skipped in _golds(at, annotator)]
    open_items = int(at.execute("SELECT value FROM about WHERE name = 'open'").fetchone()[0])
    held = at.execute("SELECT held_open FROM annotators WHERE name = ?", (annotator,)).fetchone()[0]
    done = int(row[1] or 0) + golds.count(False)
    return Progress(done, row[0] + len(golds) + open_items - held)


def early_repeats(store: Store) -> int:
    """How many answered repeats came before their time: nothing else was left to do."""
    row = store.one(
        "SELECT COUNT(*) FROM current c JOIN given g ON g.annotator = c.annotator AND"
        " g.item = c.item AND g.round = c.round WHERE c.round = 'repeat' AND g.waits = 0 AND g.due"
        " > (SELECT COUNT(*) FROM current l WHERE l.annotator = c.annotator AND l.seq < c.seq"
        " AND l.round = 'label')"
    )
    assert row is not None
    return int(row[0])
