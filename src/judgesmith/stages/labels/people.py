"""Labels by people, from files."""

from collections.abc import Iterable, Sequence

from judgesmith.errors import DataError
from judgesmith.records import AnnotatorKind, Choice, Direction, Item, Label, Verdict, reorder
from judgesmith.sources import ImportedLabel


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


def _other_side(verdict: Verdict) -> Verdict:
    """The same opinion, said of the other response of a pair."""
    return reorder(verdict, (1, 0)) if isinstance(verdict, Choice) else verdict
