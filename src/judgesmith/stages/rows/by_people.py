"""Labels by people as judgments of the student's own dialect, where its reply holds no reason."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from judgesmith.judging.dialect import Dialect
from judgesmith.judging.reply import fits
from judgesmith.records import AnnotatorKind, Item, Judgment, Kind, Label, Status, reorder
from judgesmith.stages.rows.select import STORED, SWAPPED

OFF_SCALE = "labels by people that no dialect of the rows can say"


def said_by_people(
    labels: Mapping[str, Label], items: Iterable[Item], dialects: Sequence[Dialect],
    judged: Collection[str],
) -> tuple[dict[str, list[Judgment]], int]:  # fmt: skip
    """By item, what a person's label says in each order, in the first dialect that can say it.

    A person gives no reason, so there is none of a dialect whose reply holds one, nor of an item of
    which a judgment with a reason is learnt (`judged`). A pair is said in both orders, the verdict
    turned with them. The last number is of labels that no dialect can say: off the scale, or
    between two of its steps.

    Args:
        labels: those that are learnt, by item.
        items: of the run.
        dialects: of the rows.
        judged: ids of items.
    """
    bare = [dialect for dialect in dialects if not dialect.reply.has_rationale]
    found: dict[str, list[Judgment]] = {}
    lost = 0
    for item in items:
        label = labels.get(item.id)
        if not bare or label is None or item.id in judged or not _by_a_person(label):
            continue
        able = [one for one in bare if one.kind is item.kind and fits(one, label.verdict)]
        if not able:
            lost += 1
            continue
        orders = (STORED, SWAPPED) if item.kind is Kind.PAIR else (_as_stored(item),)
        found[item.id] = [_judgment(label, order, able[0]) for order in orders]
    return found, lost


def _by_a_person(label: Label) -> bool:
    return label.annotator_kind is AnnotatorKind.PERSON and not label.judgment_ids


def _as_stored(item: Item) -> tuple[int, ...]:
    return tuple(range(len(item.response_ids)))


def _judgment(label: Label, order: tuple[int, ...], dialect: Dialect) -> Judgment:
    # The stored and the swapped order are each their own inverse, so this turns either way.
    return Judgment.make(
        source=label.source,
        licence=label.licence,
        item_id=label.item_id,
        judge=label.annotator,
        dialect=dialect.hash,
        order=order,
        sample=0,
        reply=None,
        rationale=None,
        verdict=reorder(label.verdict, order),
        distribution=None,
        status=Status.PARSED,
        reference=None,
    )
