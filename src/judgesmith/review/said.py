"""What people said of items, in item order: the one reading that agreement and files rest on."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import orjson

from judgesmith.models.pointwise import verdict_letter
from judgesmith.records import AnnotatorKind, Choice, Ranking, Scores, Verdict, reorder
from judgesmith.review.encoding import answer_of, outcome_of
from judgesmith.review.store import Store
from judgesmith.review.types import Answer, Outcome, PersonSaid, ReviewItem, Round

Key = frozenset[tuple[str | None, str | float]]
Part = tuple[str, str | None]
"""An item, and what of its verdict; see `parts_of`."""


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


def label_of(verdict: Verdict) -> str | float:
    """A verdict as one value, as files hold it: a letter or a score; all of a list as JSON.

    Two scores are the verdict on the pair that follows from them, as for judges that score. Scores
    of one response by criterion are their mean.

    >>> from judgesmith.records import choice
    >>> label_of(choice("A")), label_of(Scores(kind="scores", values=(8.0, 7.0), criteria=None))
    ('A', 'A')
    """
    letter = verdict_letter(verdict)
    if letter is not None:
        return letter
    if isinstance(verdict, Scores) and len(verdict.values) == 1:
        return verdict.values[0]
    return verdict.model_dump_json()


def parts_of(verdict: Verdict) -> dict[str | None, str | float]:
    """What of a verdict is compared by itself: one value, or the scores by what was scored.

    Those are the criteria of one response, the responses of a list, or each of both.

    >>> parts_of(Scores(kind="scores", values=(3.0,), criteria={"depth": (3.0,)}))
    {'depth': 3.0}
    >>> parts_of(Scores(kind="scores", values=(8.0, 7.0, 1.0), criteria=None))
    {'1': 8.0, '2': 7.0, '3': 1.0}
    """
    if not isinstance(verdict, Scores) or len(verdict.values) == 2:
        return {None: label_of(verdict)}
    each = {None: verdict.values} if verdict.criteria is None else verdict.criteria
    if len(verdict.values) == 1:
        return {name: scores[0] for name, scores in each.items()}
    return {
        f"{place}/{name}" if name else str(place): score
        for name, scores in each.items()
        for place, score in enumerate(scores, start=1)
    }


def key_of(verdict: Verdict) -> Key:
    """What two verdicts share that say the same."""
    return frozenset(parts_of(verdict).items())


def taught(item: ReviewItem, swapped: bool | None = None) -> list[Verdict]:
    """What teachers say of an item as a whole, in both orders or in one of them."""
    return [
        one.verdict
        for one in item.said
        if one.role == "teacher"
        and one.verdict is not None
        and swapped in (None, one.swapped)
        and (one.alone is None or len(item.responses) == 1)
    ]


def is_split(item: ReviewItem) -> bool:
    """Whether two teachers differ in one order; one that differs with itself is no panel."""
    return any(len({key_of(one) for one in taught(item, swapped)}) > 1 for swapped in (False, True))


def by_item(found: Iterable[Given], *rounds: Round) -> Mapping[str, dict[str, Key]]:
    """The verdicts of each item by person, of some rounds; answers without one are left out."""
    verdicts: dict[str, dict[str, Key]] = defaultdict(dict)
    for one in found:
        if one.round in rounds and one.verdict is not None:
            verdicts[one.item][one.by] = key_of(one.verdict)
    return verdicts


def by_part(found: Iterable[Given], *rounds: Round) -> Mapping[Part, dict[str, str | float]]:
    """The same, for each part of an item's verdict that is compared by itself."""
    verdicts: dict[Part, dict[str, str | float]] = defaultdict(dict)
    for one in found:
        if one.round in rounds and one.verdict is not None:
            for part, value in parts_of(one.verdict).items():
                verdicts[one.item, part][one.by] = value
    return verdicts
