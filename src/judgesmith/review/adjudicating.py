"""Disagreements: what waits and why, everything revealed after the own answer, and the outcome."""

from collections import defaultdict
from dataclasses import dataclass

import orjson

from judgesmith.errors import DataError
from judgesmith.review.answering import add_event, checked, is_kept, note_seen
from judgesmith.review.encoding import item_of, outcome_bytes, outcome_of
from judgesmith.review.handing import Task
from judgesmith.review.said import by_item, given, key_of, outcomes, taught
from judgesmith.review.store import Store
from judgesmith.review.types import (
    About,
    Answer,
    Answered,
    ConflictError,
    Outcome,
    Revealed,
    ReviewItem,
    Saved,
    WithheldError,
)

PEOPLE = "people disagree"
PANEL = "members of the panel disagree"
TEACHER = "teacher and people disagree"
UNSURE = "somebody could not decide, or called it a bad item"


@dataclass(frozen=True)
class Disagreement:
    """An item that waits for adjudication, why, and whether it has an outcome already."""

    item_id: str
    question: str
    why: tuple[str, ...]
    settled: bool


@dataclass(frozen=True)
class ConflictGroup:
    """Items whose adjudication was tagged alike."""

    tag: str
    outcomes: tuple[tuple[str, Outcome], ...]
    """Each with the item's question."""


def disagreements(store: Store) -> list[Disagreement]:
    """Items on which verdicts differ, in the source's order.

    A panel's members are compared on every item; a teacher with people, where people labelled.
    """
    found = given(store)
    said = by_item(found, "label")
    unsure = {
        one.item
        for one in found
        if one.round == "label" and one.answer.outcome in ("cannot_decide", "bad_item")
    }
    settled = outcomes(store)
    disagreed = []
    for row in store.rows(
        "SELECT id, shown, withheld, split_panel FROM items WHERE split_panel = 1"
        " OR id IN (SELECT item FROM current) ORDER BY position"
    ):
        verdicts = set(said.get(row["id"], {}).values())
        item = item_of(row["shown"], row["withheld"] if verdicts else None)
        reasons = (
            (PEOPLE, len(verdicts) > 1),
            (UNSURE, row["id"] in unsure),
            (PANEL, row["split_panel"]),
            (TEACHER, verdicts and {key_of(one) for one in taught(item)} not in (set(), verdicts)),
        )
        why = tuple(reason for reason, there in reasons if there)
        if why:
            disagreed.append(Disagreement(item.id, item.question, why, item.id in settled))
    return disagreed


def reveal(store: Store, annotator: str, item: str) -> Revealed:
    """Everything about an item, for one who has answered it.

    Raises WithheldError before that.
    """
    found = given(store, item)
    own = [one for one in found if one.by == annotator and one.answer.outcome != "skip"]
    if not own:
        raise WithheldError("Answer the item yourself first: what others said is shown after that.")
    row = store.one("SELECT shown, withheld FROM items WHERE id = ?", item)
    assert row is not None
    with store.writing() as at:
        note_seen(at, annotator, item)
    return Revealed(
        item_of(row["shown"], row["withheld"]), tuple(one.in_words for one in found),
        outcomes(store).get(item),
    )  # fmt: skip


def adjudicate(
    store: Store, about: About, annotator: str, item: ReviewItem, outcome: Outcome
) -> Saved:
    """Keep an outcome; sent again, it changes nothing.

    Raises WithheldError before the own answer, ConflictError where another outcome stands than the
    one it replaces, DataError without a reason or for a verdict off the scale.
    """
    reveal(store, annotator, outcome.item_id)
    if not outcome.reason.strip():
        raise DataError(f"outcome {outcome.id!r}: expected the reason, found none.")
    checked(_as_answer(outcome), about, item)
    kept = Outcome(
        outcome.id, outcome.item_id, outcome.verdict, outcome.reason.strip(),
        " ".join((outcome.tag or "").split()) or None, outcome.replaces, annotator,
    )  # fmt: skip
    with store.writing() as at:
        task, body = Task(outcome.item_id, "adjudicate"), outcome_bytes(kept)
        if not is_kept(at, kept.id, annotator, task, body):
            row = at.execute(
                "SELECT e.body FROM outcomes o JOIN events e ON e.seq = o.seq WHERE o.item = ?",
                (outcome.item_id,),
            ).fetchone()
            standing = None if row is None else outcome_of(row["body"])
            if (None if standing is None else standing.id) != outcome.replaces:
                raise ConflictError(None if standing is None else _as_answer(standing))
            seq = add_event(at, kept.id, annotator, task, "outcome", (), body)
            at.execute("INSERT OR REPLACE INTO outcomes VALUES (?, ?)", (outcome.item_id, seq))
    return Saved(outcome.id, outcome.item_id)


def _as_answer(outcome: Outcome) -> Answer:
    """An outcome in the form in which answers are checked and told."""
    what: Answered = "bad_item" if outcome.verdict is None else "verdict"
    return Answer(
        outcome.id, outcome.item_id, what, outcome.verdict, None, outcome.reason, 0.0,
        outcome.replaces, "adjudicate",
    )  # fmt: skip


def conflicts(store: Store) -> list[ConflictGroup]:
    """Tagged outcomes by tag, the largest group first."""
    groups: dict[str, list[tuple[str, Outcome]]] = defaultdict(list)
    for item, outcome in outcomes(store).items():
        if outcome.tag is not None:
            row = store.one("SELECT shown FROM items WHERE id = ?", item)
            assert row is not None
            groups[outcome.tag].append((orjson.loads(row["shown"])["question"], outcome))
    ordered = sorted(groups.items(), key=lambda one: (-len(one[1]), one[0]))
    return [ConflictGroup(tag, tuple(found)) for tag, found in ordered]
