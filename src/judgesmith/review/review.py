"""A review: what its pages, its command and its files ask, each whole and on disk when it returns.

Annotators are blind by construction: `shown` and `next` read a column of the database that holds
nothing withheld.
"""

import uuid
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from pathlib import Path
from typing import cast, get_args

from judgesmith.errors import DataError
from judgesmith.records import LETTERS, AnnotatorKind, reorder
from judgesmith.review import adjudicating, answering, blindness, filling, people
from judgesmith.review.adjudicating import ConflictGroup, Disagreement
from judgesmith.review.agreement import Agreement, agreement_of
from judgesmith.review.assigning import slots, turn
from judgesmith.review.encoding import about_json, about_of, answer_of, item_of
from judgesmith.review.exporting import Exported, export
from judgesmith.review.handing import Task, hand_out, progress_of
from judgesmith.review.store import FILE, Store
from judgesmith.review.types import (
    ADJUDICATE,
    ROLES,
    About,
    Annotator,
    Answer,
    Done,
    Feedback,
    Outcome,
    Plan,
    Progress,
    Revealed,
    ReviewItem,
    Round,
    Saved,
    Shown,
)

_PLAN = Plan()


class Review:
    """One review; safe to use from several threads, and from several processes."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.folder = store.path.parent
        self.about, self.plan = about_of(
            {row["name"]: row["value"] for row in store.rows("SELECT name, value FROM about")}
        )
        self._agreement: tuple[int, Agreement] | None = None

    @classmethod
    def make(
        cls, folder: Path, about: About, items: Iterable[ReviewItem], plan: Plan = _PLAN,
        told: Callable[[int], None] = lambda _: None,
    ) -> "Review":  # fmt: skip
        """A new review of items in a folder; nothing is left there where it cannot be made.

        `told` is called with how many items more are kept. Raises RunError for a folder that holds
        one or cannot be written, and DataError for no item, or one that comes twice.
        """
        filling.check(plan)
        with Store.making(folder / FILE) as store, store.writing() as at:
            count = filling.fill(at, items, told)
            filling.queue(at, plan)
            about = replace(about, items=count)
            held = {**about_json(about, plan), "open": str(filling.count_open(at))}
            at.executemany("INSERT INTO about VALUES (?, ?)", held.items())
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path) -> "Review":
        """The review of a folder."""
        return cls(Store.open(folder / FILE))

    def compare(self, items: Iterable[ReviewItem], source_hash: str, *, add: bool) -> int:
        """Hold the review's items against its source as it is now; how many were added.

        Raises DataError for other items than the review has, unless new ones are to be added; none
        is ever removed.
        """
        with self.store.writing() as at:
            held = {row[0] for row in at.execute("SELECT id FROM items")}
            found = {one.id: one for one in items}
            new = [one for one in found.values() if one.id not in held]
            if not add and (new or held - found.keys()):
                raise DataError(
                    f"{self.about.source}: it changed since the review in {self.folder} was made: "
                    f"{len(new):,} items are new and {len(held - found.keys()):,} are gone. --add "
                    "takes the new ones in and keeps all others; or make another with --out."
                )
            if new and self.plan.queue == "active":
                raise DataError(
                    "--add: the weights of an active queue are those of all its items, so none can "
                    "be added. Make another review with --out."
                )
            if new:
                filling.append(at, new, self.plan)
            self.about = replace(
                self.about, items=self.about.items + len(new), source_hash=source_hash
            )
            kept = about_json(self.about, self.plan)["about"]
            at.execute("UPDATE about SET value = ? WHERE name = 'about'", (kept,))
        return len(new)

    def annotators(self) -> list[Annotator]:
        """All who work on it, with their progress."""
        return [
            replace(one, progress=self.progress(one.name)) for one in people.everybody(self.store)
        ]

    def add_annotator(
        self, name: str, roles: Collection[str], kind: AnnotatorKind | str = AnnotatorKind.PERSON
    ) -> str:
        """Add somebody; see `people.add`."""
        return people.add(self.store, name, roles, kind)

    def add_first(self, name: str) -> str:
        """Add the first of all, who may do everything; DataError where somebody is there."""
        return people.add(self.store, name, ROLES, AnnotatorKind.PERSON, first=True)

    def new_token(self, name: str) -> str:
        """A new token for somebody; the former lets nobody in any more."""
        return people.renew(self.store, name)

    def who(self, token: str) -> Annotator | None:
        """Whose token it is."""
        return people.who(self.store, token)

    def next(self, annotator: str, ahead: int = 1) -> list[Shown]:
        """What an annotator does next, `ahead` of it at most; nothing where all is done."""
        self._known(annotator)
        with self.store.writing() as at:
            tasks = hand_out(at, self.plan, annotator, ahead)
        return [self._show(annotator, task) for task in tasks]

    def shown(self, annotator: str, item_id: str, round: Round | None = None) -> Shown:
        """An item as this annotator sees it, in the round in which it was last given.

        Raises DataError for an item that there is not, or that was not given to them.
        """
        return self._show(annotator, Task(item_id, self._round(annotator, item_id, round)))

    def save(self, annotator: str, answer: Answer) -> Saved:
        """Keep an answer. It is on disk when this returns; sent again, it changes nothing.

        Raises ConflictError where another stands than the one it replaces, and DataError for one
        that cannot be an answer to its item.
        """
        task = Task(answer.item_id, self._round(annotator, answer.item_id, answer.round))
        item = self._item(answer.item_id)
        answer = answering.checked(answer, self.about, item)
        order = self._slots(annotator, task, len(item.responses))
        with self.store.writing() as at:
            answering.write(at, self.plan, annotator, answer, order)
        return Saved(answer.id, answer.item_id)

    def undo(self, annotator: str, id: str | None = None) -> Shown | None:
        """Take back the last answer; the item as it is then, None where there was none.

        Sent again with the same `id`, made by who sends it, it takes back no more. Raises DataError
        for an id that something else has.
        """
        with self.store.writing() as at:
            task = answering.take_back(at, annotator, id or str(uuid.uuid4()))
        return None if task is None else self._show(annotator, task)

    def history(self, annotator: str, most: int = 1_000) -> list[Done]:
        """The last answers of an annotator that count, oldest first."""
        rows = self.store.rows(
            "SELECT i.shown, e.body FROM current c JOIN events e ON e.seq = c.seq"
            " JOIN items i ON i.id = c.item WHERE c.annotator = ? ORDER BY c.seq DESC LIMIT ?",
            annotator, most,
        )  # fmt: skip
        found = [(item_of(row["shown"]), answer_of(row["body"])) for row in rows]
        return [Done(item.id, one.round, item.question, one) for item, one in reversed(found)]

    def progress(self, annotator: str) -> Progress:
        """How far an annotator has come."""
        return progress_of(self.store.connection, annotator)

    def feedback(self, annotator: str, item_id: str) -> Feedback | None:
        """What a calibration item should have been; None before the own answer, or of others."""
        task = Task(item_id, "calibration")
        own = answering.standing(self.store.connection, annotator, task)
        gold = self._item(item_id, withheld=True).gold
        if own is None or gold is None or own.outcome == "skip":
            return None
        order = self._slots(annotator, task, len(self._item(item_id).responses))
        given = None if own.verdict is None else reorder(own.verdict, order)
        right = given == gold.verdict
        back = tuple(order.index(position) for position in range(len(order)))
        return Feedback(reorder(gold.verdict, back), own.verdict, right, gold.reason)

    def disagreements(self, annotator: str | None = None) -> list[Disagreement]:
        """What waits for adjudication, and what has its outcome; see `listed` for an annotator."""
        found = adjudicating.disagreements(self.store)
        named = self._listed(annotator, [one.item_id for one in found])
        return [one for one in found if one.item_id in named]

    def reveal(self, annotator: str, item_id: str) -> Revealed:
        """Everything about an item. Raises WithheldError before the own answer."""
        self._item(item_id)
        return adjudicating.reveal(self.store, annotator, item_id)

    def adjudicate(self, annotator: str, outcome: Outcome) -> Saved:
        """Keep what an adjudication came to; sent again, it changes nothing."""
        item = self._item(outcome.item_id)
        return adjudicating.adjudicate(self.store, self.about, annotator, item, outcome)

    def conflicts(self, annotator: str | None = None) -> list[ConflictGroup]:
        """Outcomes that were tagged, by tag; see `listed` for an annotator."""
        found = adjudicating.conflicts(self.store)
        named = self._listed(annotator, [o.item_id for one in found for _, o in one.outcomes])
        kept = [
            ConflictGroup(one.tag, tuple(o for o in one.outcomes if o[1].item_id in named))
            for one in found
        ]
        return [one for one in kept if one.outcomes]

    def agreement(self) -> Agreement:
        """How far people agree; computed again when something new was answered."""
        row = self.store.one("SELECT COALESCE(MAX(seq), 0) AS seq FROM events")
        assert row is not None
        if self._agreement is None or self._agreement[0] != row["seq"]:
            self._agreement = (row["seq"], agreement_of(self.store, self.about, self.plan))
        return self._agreement[1]

    def export(self) -> Exported:
        """Write the files of what was answered; see `exporting`."""
        return export(self.store, self.folder, self.about, self.plan)

    def open_files(self, annotator: str) -> None:
        """Have an annotator see what the files hold; WithheldError where they may not yet."""
        blindness.open_files(self.store, self.plan, annotator)

    def turn(self, annotator: str, item_id: str, round: Round) -> str:
        """What a page calls a round; see `assigning.turn`."""
        return turn(self.plan.seed, annotator, item_id, round)

    def round_of(self, annotator: str, item_id: str, called: str) -> Round:
        """The round that a page names, as it calls it or by its own name; raises DataError."""
        for one in get_args(Round):
            if called in (one, self.turn(annotator, item_id, one)):
                return cast(Round, one)
        raise DataError(f"item {item_id!r}: there is no round {called!r}.")

    def see(self, annotator: str, items: Collection[str]) -> None:
        """Note that an annotator sees everything of some items that they answered."""
        blindness.see(self.store, annotator, items)

    def item(self, item_id: str) -> ReviewItem:
        """An item with nothing withheld in it."""
        return self._item(item_id)

    def item_ids(self) -> list[str]:
        """All items, in the source's order."""
        return [row["id"] for row in self.store.rows("SELECT id FROM items ORDER BY position")]

    def answered_ids(self, annotator: str) -> set[str]:
        """Items that an annotator answered and is not asked about again."""
        return blindness.answered(self.store, annotator)

    def _listed(self, annotator: str | None, items: Collection[str]) -> Collection[str]:
        if annotator is None:
            return items
        return blindness.listed(self.store, self.plan, annotator, items)

    def _known(self, annotator: str) -> None:
        if self.store.one("SELECT 1 FROM annotators WHERE name = ?", annotator) is None:
            raise DataError(f"annotator {annotator!r}: there is nobody of this name.")

    def _item(self, item_id: str, *, withheld: bool = False) -> ReviewItem:
        row = self.store.one("SELECT shown, withheld FROM items WHERE id = ?", item_id)
        if row is None:
            raise DataError(f"item {item_id!r}: there is none of this id in this review.")
        return item_of(row["shown"], row["withheld"] if withheld else None)

    def _round(self, annotator: str, item_id: str, round: Round | None) -> Round:
        """The round in which an annotator may see an item."""
        row = self.store.one("SELECT gold FROM items WHERE id = ?", item_id)
        if row is not None and row["gold"] is not None and round in (None, "calibration"):
            return "calibration"
        given = self.store.rows(
            "SELECT round FROM given WHERE annotator = ? AND item = ? ORDER BY number DESC",
            annotator, item_id,
        )  # fmt: skip
        rounds: list[Round] = [one["round"] for one in given]
        if round is None and rounds:
            return rounds[0]
        if round in rounds:
            return round
        if round in (None, "adjudicate") and row is not None and self._adjudicates(annotator):
            return "adjudicate"
        raise DataError(f"item {item_id!r}: it was not given to {annotator!r}.")

    def _adjudicates(self, annotator: str) -> bool:
        row = self.store.one("SELECT roles FROM annotators WHERE name = ?", annotator)
        return row is not None and ADJUDICATE in row["roles"].split()

    def _slots(self, annotator: str, task: Task, count: int) -> tuple[int, ...]:
        return slots(self.plan.seed, annotator, task.item, task.round, count)

    def _show(self, annotator: str, task: Task) -> Shown:
        item = self._item(task.item)
        order = self._slots(annotator, task, len(item.responses))
        progress = self.progress(annotator)
        return Shown(
            item_id=item.id, kind=item.kind, question=item.question, context=item.context,
            choices=item.choices, reference=item.reference, grounding=item.grounding,
            responses=tuple(item.responses[position] for position in order),
            letters=tuple(LETTERS[: len(order)]), criteria=item.criteria,
            details=item.details, round=task.round,
            answer=answering.standing(self.store.connection, annotator, task),
            place=(min(progress.done + 1, progress.total), progress.total),
        )  # fmt: skip
