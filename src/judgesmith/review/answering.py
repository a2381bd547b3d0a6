"""Answers: kept as events that are only ever added, and what counts of them now."""

import sqlite3
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime

import orjson

from judgesmith.errors import DataError
from judgesmith.judging.scale import Scale, number_text
from judgesmith.records import LETTERS, TIE, Choice, Ranking, Scores
from judgesmith.review.encoding import answer_bytes, answer_of
from judgesmith.review.handing import Task, close_to, put_off, reopen, settle
from judgesmith.review.types import About, Answer, ConflictError, Plan, ReviewItem


def now() -> str:
    """The time of an event."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def write(
    at: sqlite3.Connection, plan: Plan, annotator: str, answer: Answer, order: tuple[int, ...]
) -> None:
    """Keep an answer; the same one again changes nothing.

    Raises ConflictError where another answer stands than the one that this replaces, and DataError
    where an answer's id is that of another one, or more was told since the first answer.
    """
    task = Task(answer.item_id, answer.round)
    if is_kept(at, answer.id, annotator, task, answer_bytes(answer)):
        return
    current = standing(at, annotator, task)
    if task.round == "calibration" and current is not None and current.outcome != "skip":
        raise DataError(f"item {task.item}: your answer stays: what is right was told after it.")
    if at.execute("SELECT 1 FROM events WHERE id = ?", (_seen(annotator, task.item),)).fetchone():
        raise DataError(
            f"item {task.item}: your answer stays: you have seen more of it since, such as what "
            "others say. Decide it where disagreements are settled."
        )
    if (None if current is None else current.id) != answer.replaces:
        raise ConflictError(current)
    seq = add_event(at, answer.id, annotator, task, "answer", order, answer_bytes(answer))
    at.execute("INSERT OR REPLACE INTO current VALUES (?, ?, ?, ?)", (annotator, *task, seq))
    settle(at, plan, annotator, task, skipped=answer.outcome == "skip")


def is_kept(at: sqlite3.Connection, event: str, annotator: str, task: Task, body: bytes) -> bool:
    """Whether what was sent is kept already; DataError where its id is that of something else."""
    row = at.execute(
        "SELECT annotator, item, round, body FROM events WHERE id = ?", (event,)
    ).fetchone()
    if row is not None and tuple(row) != (annotator, *task, body):
        raise DataError(f"answer {event!r}: another answer has this id.")
    return row is not None


def _seen(annotator: str, item: str) -> str:
    """The id of the event that somebody saw everything of an item."""
    return f"seen {item} {annotator}"


def note_seen(at: sqlite3.Connection, annotator: str, item: str) -> None:
    """Note that somebody sees everything of an item: what they answered so far is blind, and stays.

    They are given it no more.
    """
    event = _seen(annotator, item)
    if at.execute("SELECT 1 FROM events WHERE id = ?", (event,)).fetchone() is None:
        add_event(at, event, annotator, Task(item, "adjudicate"), "seen", (), b"{}")
        close_to(at, annotator, item)


def unseen(at: sqlite3.Connection, annotator: str, items: Collection[str]) -> list[str]:
    """Those of some items of which somebody has not seen everything."""
    rows = at.execute(
        "SELECT value FROM json_each(?) WHERE NOT EXISTS"
        " (SELECT 1 FROM events WHERE id = 'seen ' || value || ' ' || ?)",
        (orjson.dumps(list(items)).decode(), annotator),
    )
    return [row[0] for row in rows]


def add_event(
    at: sqlite3.Connection, event: str, annotator: str, task: Task, what: str,
    order: tuple[int, ...], body: bytes,
) -> int:  # fmt: skip
    """Add an event and give its number."""
    done = at.execute(
        "INSERT INTO events (id, annotator, item, round, what, slots, body, at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (event, annotator, *task, what, orjson.dumps(order).decode(), body, now()),
    )
    assert done.lastrowid is not None
    return done.lastrowid


def take_back(at: sqlite3.Connection, annotator: str, event: str) -> Task | None:
    """Take back the last answer, and have the one before it stand again; None where there is none.

    Feedback was given on an answer of the calibration round, and all was seen of a revealed item,
    so those stay. An event that is there already changes nothing.
    """
    known = at.execute(
        "SELECT annotator, item, round, what FROM events WHERE id = ?", (event,)
    ).fetchone()
    if known is not None:
        if (known["annotator"], known["what"]) != (annotator, "undo"):
            raise DataError(f"undo {event!r}: something else has this id.")
        return Task(known["item"], known["round"])
    row = at.execute(
        "SELECT c.item, c.round, e.body FROM current c JOIN events e ON e.seq = c.seq"
        " WHERE c.annotator = ? AND c.round != 'calibration' AND NOT EXISTS (SELECT 1 FROM events"
        " WHERE id = 'seen ' || c.item || ' ' || c.annotator) ORDER BY c.seq DESC LIMIT 1",
        (annotator,),
    ).fetchone()
    if row is None:
        return None
    task = Task(row["item"], row["round"])
    taken = answer_of(row["body"])
    add_event(at, event, annotator, task, "undo", (), orjson.dumps({"takes_back": taken.id}))
    before = (
        taken.replaces
        and at.execute("SELECT seq, body FROM events WHERE id = ?", (taken.replaces,)).fetchone()
    )
    if before:
        at.execute(
            "UPDATE current SET seq = ? WHERE annotator = ? AND item = ? AND round = ?",
            (before["seq"], annotator, *task),
        )
        if answer_of(before["body"]).outcome == "skip":
            put_off(at, annotator, task)
    else:
        at.execute(
            "DELETE FROM current WHERE annotator = ? AND item = ? AND round = ?",
            (annotator, *task),
        )
        reopen(at, annotator, task)
    return task


def standing(at: sqlite3.Connection, annotator: str, task: Task) -> Answer | None:
    """The answer to a task that counts now."""
    row = at.execute(
        "SELECT e.body FROM current c JOIN events e ON e.seq = c.seq"
        " WHERE c.annotator = ? AND c.item = ? AND c.round = ?",
        (annotator, *task),
    ).fetchone()
    return None if row is None else answer_of(row["body"])


def checked(answer: Answer, about: About, item: ReviewItem) -> Answer:
    """The answer, where it can be one of this item; without white space around its note.

    Raises DataError for a verdict that is not on the scale or is missing, and a confidence that is
    not from 0 to 1.
    """
    where = f"answer {answer.id!r} to item {item.id}"
    if (answer.outcome == "verdict") != (answer.verdict is not None):
        raise DataError(f"{where}: expected a verdict where the outcome is one, and only there.")
    if answer.confidence is not None and not 0 <= answer.confidence <= 1:
        raise DataError(f"{where}: expected a confidence from 0 to 1, found {answer.confidence!r}.")
    verdict, count = answer.verdict, len(item.responses)
    values = about.scale.values
    if isinstance(verdict, Choice):
        letters = (*LETTERS[:count], TIE) if count > 1 else values
        scored = about.scale.choices is None
        if scored or verdict.value not in values or verdict.value not in letters:
            expected = "a score of each response" if scored else f"one of {', '.join(values)}"
            raise DataError(f"{where}: expected {expected}, found {verdict.value}.")
    elif isinstance(verdict, Scores):
        _check_scores(verdict, about.scale, item, where)
    elif isinstance(verdict, Ranking) and sorted(sum(verdict.groups, ())) != list(range(count)):
        raise DataError(f"{where}: expected each of {count} responses ranked once.")
    return replace(answer, note=answer.note.strip())


def _check_scores(verdict: Scores, scale: Scale, item: ReviewItem, where: str) -> None:
    """Raises DataError unless each response has a score on the scale, by each of its criteria."""
    by = verdict.criteria or {}
    if set(by) != set(item.criteria):
        raise DataError(f"{where}: expected scores by {item.criteria}, found by {tuple(by)}.")
    for scores in by.values() or [verdict.values]:
        if len(scores) != len(item.responses):
            raise DataError(f"{where}: expected {len(item.responses)} scores, found {len(scores)}.")
        for score in scores:
            if scale.choices is not None or number_text(score) not in scale.values:
                raise DataError(
                    f"{where}: expected one of {', '.join(scale.values)}, found {score:g}."
                )
