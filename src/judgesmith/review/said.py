"""What people said of items, in item order: the one reading that agreement and files rest on."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import orjson

from judgesmith.records import AnnotatorKind, Choice, Ranking, Scores, Verdict, reorder
from judgesmith.review.encoding import answer_of, outcome_of
from judgesmith.review.store import Store
from judgesmith.review.types import Answer, Outcome, PersonSaid, ReviewItem, Round


class Given(NamedTuple):
    """A current answer, with the order in which the responses were shown."""

    by: str
    kind: AnnotatorKind
    item: str
    round: Round
    order: tuple[int, ...]
    answer: Answer

    @property
    def verdict(self) -> Choice | Scores | Ranking | None:
        """The verdict in item order; None without one."""
        found = self.answer.verdict
        return None if found is None else reorder(found, self.order)

    @property
    def in_words(self) -> PersonSaid:
        """What is shown of it when it may be seen."""
        one = self.answer
        return PersonSaid(
            self.by, self.kind, self.round, one.outcome, self.verdict, one.confidence, one.note
        )


_CURRENT = (
    "SELECT c.annotator, a.kind, c.item, c.round, e.slots, e.body FROM current c"
    " JOIN events e ON e.seq = c.seq JOIN annotators a ON a.name = c.annotator"
)


def given(store: Store, item: str | None = None) -> list[Given]:
    """All current answers, or those to one item, by item in the source's order, then by person."""
    if item is not None:
        rows = store.rows(f"{_CURRENT} WHERE c.item = ? ORDER BY c.annotator, c.round", item)
    else:
        rows = store.rows(
            f"{_CURRENT} JOIN items i ON i.id = c.item ORDER BY i.position, c.annotator, c.round"
        )
    return [
        Given(
            row["annotator"], AnnotatorKind(row["kind"]), row["item"], row["round"],
            tuple(orjson.loads(row["slots"])), answer_of(row["body"]),
        )
        for row in rows
    ]  # fmt: skip


def outcomes(store: Store) -> dict[str, Outcome]:
    """What adjudications came to, by item."""
    rows = store.rows(
        "SELECT o.item, e.body FROM outcomes o JOIN events e ON e.seq = o.seq ORDER BY o.seq"
    )
    return {row["item"]: outcome_of(row["body"]) for row in rows}


def key_of(verdict: Verdict) -> str | float:
    """A verdict as one value, by which two are the same: a letter, a score, or all of them.

    >>> from judgesmith.records import Scores, choice
    >>> key_of(choice("A")), key_of(Scores(kind="scores", values=(3.0,), criteria=None))
    ('A', 3.0)
    """
    if isinstance(verdict, Choice):
        return verdict.value
    if isinstance(verdict, Scores) and len(verdict.values) == 1 and verdict.criteria is None:
        return verdict.values[0]
    return verdict.model_dump_json()


def taught(item: ReviewItem) -> list[Verdict]:
    """What teachers say of an item as a whole."""
    return [
        one.verdict
        for one in item.said
        if one.role == "teacher"
        and one.verdict is not None
        and (one.alone is None or len(item.responses) == 1)
    ]


def by_item(found: Iterable[Given], *rounds: Round) -> Mapping[str, dict[str, str | float]]:
    """The verdicts of each item by person, of some rounds; answers without one are left out."""
    verdicts: dict[str, dict[str, str | float]] = defaultdict(dict)
    for one in found:
        if one.round in rounds and one.verdict is not None:
            verdicts[one.item][one.by] = key_of(one.verdict)
    return verdicts
