"""What teachers are shown, how their replies become verdicts, and what a label rests on."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from judgesmith.errors import DataError
from judgesmith.evaluation.judges import ItemKey
from judgesmith.evaluation.teacher_reading import Teacher, read_teachers
from judgesmith.judging.dialect import Dialect
from judgesmith.models.judge import Shown, both_orders
from judgesmith.records import (
    Choice,
    Item,
    Judgment,
    Kind,
    Scores,
    Status,
    keyed_rng,
)


def shown_to_teachers(
    items: Sequence[Item], dialect: Dialect, *, both: bool, seed: int
) -> list[Shown]:
    """A pair in both orders, or in one that is drawn; each response by itself where scored alone.

    Responses that are scored alone have a judgment each, as the answer key's have, so that each
    can become a row with its own reply. The drawn order is the one of `rows.orders: coin_flip`.

    Raises DataError for items that are no pairs, and a dialect that does not score.
    """
    for item in items:
        if len(item.response_ids) != 2:
            raise DataError(
                f"item {item.id}: expected two responses for teachers to compare, found "
                f"{len(item.response_ids)}."
            )
    if dialect.kind is Kind.SINGLE:
        if dialect.scale.choices is not None:
            raise DataError(
                f"dialect {dialect.name!r}: expected a scale from `low` to `high`, so that two "
                f"scores make a verdict, found the choices {dialect.scale.choices!r}."
            )
        return [Shown(item, (position,)) for item in items for position in (0, 1)]
    if both:
        return both_orders(items)
    return [Shown(item, _drawn(item, seed)) for item in items]


def _drawn(item: Item, seed: int) -> tuple[int, ...]:
    return (1, 0) if keyed_rng(seed, "order", item.id).random() < 0.5 else (0, 1)


def read(judgments: Sequence[Judgment], dialect: Dialect) -> list[Teacher]:
    """Each judge of the judgments as a teacher, by name.

    Two orders that contradict each other, where no probabilities decide, are no verdict: as a tie
    they would teach noise. Scores of single responses count as they were stated, equal ones being a
    tie: a student learns the stated scores, and expected ones are hardly ever equal.
    """
    if dialect.kind is not Kind.SINGLE:
        return read_teachers(judgments, tie=None)
    margins = {judgment.judge: 0.0 for judgment in judgments}
    statuses: dict[str, dict[ItemKey, tuple[Status, ...]]] = {name: {} for name in margins}
    for one in judgments:
        of_item = statuses[one.judge]
        of_item[one.item_id] = (*of_item.get(one.item_id, ()), one.status)
    return [
        replace(teacher, statuses=statuses[teacher.name])
        for teacher in read_teachers(_side_by_side(judgments), tie=None, margins=margins)
    ]


def _side_by_side(judgments: Iterable[Judgment]) -> Iterator[Judgment]:
    """The scores of an item's responses as one judgment; one that is unread leaves none."""
    parts: dict[tuple[str, str], dict[tuple[int, ...], Judgment]] = {}
    for judgment in judgments:
        parts.setdefault((judgment.judge, judgment.item_id), {})[judgment.order] = judgment
    for found in parts.values():
        both = [found[order] for order in sorted(found)]
        values = [one.verdict.values[0] for one in both if isinstance(one.verdict, Scores)]
        whole = len(values) == len(both)
        scores = Scores(kind="scores", values=tuple(values), criteria=None)
        unread = [one.status for one in both if one.status is not Status.PARSED]
        yield both[0].model_copy(
            update={
                "order": tuple(range(len(both))),
                "distribution": None,
                "verdict": scores if whole else None,
                "status": Status.PARSED if whole else unread[0],
            }
        )


def agreeing(
    judgments: Iterable[Judgment], verdict: str, teachers: Mapping[str, Teacher]
) -> tuple[str, ...]:
    """The judgments of an item that say the verdict, the first of each order shown.

    Of responses that were scored alone: those of the first teacher whose two scores say it.
    """
    kept: dict[tuple[int, ...], str] = {}
    for judgment in judgments:
        if len(judgment.order) == 1:
            said = teachers[judgment.judge].verdicts[judgment.item_id].averaged
        else:
            turned = judgment.in_item_order()
            said = turned.value if isinstance(turned, Choice) else None
        if said == verdict:
            kept.setdefault(judgment.order, judgment.id)
    return tuple(kept.values())
