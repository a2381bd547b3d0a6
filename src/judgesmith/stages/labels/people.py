"""Labels by people, from files and from queues that came back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from judgesmith.audits.ties import majority
from judgesmith.errors import DataError
from judgesmith.records import Choice, Direction, Item, Label, Verdict, reorder
from judgesmith.sources import ImportedLabel
from judgesmith.stages.labels.imported import accepted

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


def gathered(imports: Iterable[tuple[str, Sequence[Label], Mapping[str, str]]]) -> ByPeople:
    """The labels of several imports; the same one in two counts once.

    Each import is given with its kind, and the place of each label by its id. Raises DataError
    where one annotator says two things of the same responses.
    """
    found: dict[str, Label] = {}
    first_at: dict[str, str] = {}
    measuring: set[str] = set()
    for kind, labels, places in imports:
        for label in labels:
            before, there = found.setdefault(label.id, label), places[label.id]
            place = first_at.setdefault(label.id, there)
            if before.verdict != label.verdict:
                raise DataError(
                    f"{there}: {label.annotator!r} gave two verdicts on item {label.item_id}, the "
                    f"other in {place}: keep the one that counts."
                )
            if kind != QUEUE:
                measuring.add(label.id)
    return ByPeople(tuple(found.values()), frozenset(measuring))


def person_labels(
    imported: Iterable[ImportedLabel], items: Sequence[Item], direction: Direction | None,
    torn: dict[str, list[str]] | None = None, places: dict[str, str] | None = None,
) -> tuple[list[Label], int]:  # fmt: skip
    """Labels by people for items of the run, in item order, and how many fit no item.

    Where each label stands, at first, goes into `places` by its id.

    One name may stand for a crowd, whose members contradict each other: with `torn` the verdict of
    most counts, and where there is none the item has no label and goes in there, by its id, with
    the places of what was said.

    Raises:
        DataError: without `torn`, one annotator says two things of the same responses.
    """
    by_responses = {frozenset(item.response_ids): item for item in items}
    said: dict[str, list[tuple[Label, str]]] = {}
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
            annotator_kind=given.annotator_kind,
            annotator=given.annotator,
        )
        before = said.setdefault(label.id, [])
        before.append((label, given.place))
        if torn is None and before[0][0].verdict != verdict:
            raise DataError(
                f"{given.place}: {given.annotator!r} gave two verdicts on responses "
                f"{given.response_ids}, the other in {before[0][1]}: keep the one that counts."
            )
    if places is not None:
        places |= {label_id: labels[0][1] for label_id, labels in said.items()}
    return _decided(said.values(), {} if torn is None else torn), without_item


def _decided(said: Iterable[list[tuple[Label, str]]], torn: dict[str, list[str]]) -> list[Label]:
    """Of labels with one id the first that says what most say; places of items without such."""
    found = []
    for labels in said:
        first = labels[0][0]
        most = accepted(label.verdict for label, _ in labels)
        if most is None:
            torn[first.item_id] = [place for _, place in labels]
            continue
        same = next((label for label, _ in labels if label.verdict == most), None)
        found.append(same or first.with_fields(verdict=most))
    return found


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
