"""Labels by people, from files and from queues that came back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from judgesmith.audits.ties import majority
from judgesmith.errors import DataError
from judgesmith.records import AnnotatorKind, Choice, Direction, Item, Label, Verdict, reorder
from judgesmith.sources import ImportedLabel

QUEUE = "queue"
"""The kind of import that holds what teachers left open."""


@dataclass(frozen=True)
class ByPeople:
    """Labels by people, each once, and the ids of those that say something about teachers.

    A queue holds the items that teachers disagree on, or could not be read on. What people say
    there decides, but it measures nobody: on such items alone every teacher looks bad, and errors
    look less alike than they are.
    """

    labels: tuple[Label, ...] = ()
    measuring: frozenset[str] = frozenset()

    @property
    def deciding_verdicts(self) -> dict[str, str]:
        """By item, what most people say, wherever they said it."""
        return verdicts_of(self.labels)

    @property
    def disagreed_on(self) -> frozenset[str]:
        """Items with verdicts by people of which none was given by most."""
        given = {one.item_id for one in self.labels if isinstance(one.verdict, Choice)}
        return frozenset(given - set(self.deciding_verdicts))

    @property
    def measuring_verdicts(self) -> dict[str, str]:
        """By item, what most people say who were not asked because teachers left it open."""
        return verdicts_of(one for one in self.labels if one.id in self.measuring)


def gathered(imports: Iterable[tuple[str, Sequence[Label]]]) -> ByPeople:
    """The labels of several imports, each given with its kind; the same one in two counts once.

    Raises DataError where one annotator says two things of the same responses.
    """
    found: dict[str, Label] = {}
    measuring: set[str] = set()
    for kind, labels in imports:
        for label in labels:
            before = found.setdefault(label.id, label)
            if before.verdict != label.verdict:
                raise DataError(
                    f"{before.source} and {label.source}: {label.annotator!r} gave two verdicts on "
                    f"item {label.item_id}: keep the one that counts."
                )
            if kind != QUEUE:
                measuring.add(label.id)
    return ByPeople(tuple(found.values()), frozenset(measuring))


def person_labels(
    imported: Iterable[ImportedLabel], items: Sequence[Item], direction: Direction | None
) -> tuple[list[Label], int]:
    """Labels by people for items of the run, in item order, and how many fit no item."""
    by_responses = {frozenset(item.response_ids): item for item in items}
    labels: dict[str, Label] = {}
    without_item = 0
    for given in imported:
        item = by_responses.get(frozenset(given.response_ids))
        if item is None:
            without_item += 1
            continue
        order = tuple(item.response_ids.index(i) for i in given.response_ids)
        verdict = reorder(given.verdict, order)
        if direction is not None and given.direction is not direction:
            verdict = _other_side(verdict)
        label = Label.make(
            source=given.source,
            licence=given.licence,
            item_id=item.id,
            verdict=verdict,
            direction=direction,
            confidence=given.confidence,
            policy="as given",
            judgment_ids=(),
            annotator_kind=AnnotatorKind.PERSON,
            annotator=given.annotator,
        )
        before = labels.setdefault(label.id, label)
        if before.verdict != verdict:
            raise DataError(
                f"{given.source}: {given.annotator!r} gave two verdicts on responses "
                f"{given.response_ids}: keep the one that counts."
            )
    return list(labels.values()), without_item


def verdicts_of(labels: Iterable[Label]) -> dict[str, str]:
    """One verdict per item: the one that most people gave; items without one are left out."""
    given: dict[str, list[str]] = {}
    for label in labels:
        if isinstance(label.verdict, Choice):
            given.setdefault(label.item_id, []).append(label.verdict.value)
    found = {item: majority(verdicts) for item, verdicts in given.items()}
    return {item: verdict for item, verdict in found.items() if verdict is not None}


def _other_side(verdict: Verdict) -> Verdict:
    """The same opinion, said of the other response of a pair."""
    return reorder(verdict, (1, 0)) if isinstance(verdict, Choice) else verdict
