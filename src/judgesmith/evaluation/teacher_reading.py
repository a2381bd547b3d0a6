"""Teachers as verdicts in item order, and how well each could be read.

Two things keep an item from having a verdict of a teacher, and they are never one number: a reply
that could not be parsed (coverage, of single judgments), and two parsed orders that contradict each
other (consistency, of pairs).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from judgesmith.errors import DataError
from judgesmith.evaluation.judges import ItemKey, Judge, Read, read_judgments, reasons
from judgesmith.evaluation.scoring import Plan, number
from judgesmith.metrics.interval import cluster_bootstrap_rate
from judgesmith.metrics.order import order_effects
from judgesmith.metrics.resample import ResamplingOptions
from judgesmith.records import Choice, Item, Judgment, Status
from judgesmith.report.results import Number, Result

PAIR_ORDERS = {(0, 1), (1, 0)}
NOTHING = Read(None, None, None)


@dataclass(frozen=True)
class Teacher(Judge):
    """A judge whose verdicts may become labels; `statuses` are those of its judgments, by item."""

    statuses: Mapping[ItemKey, tuple[Status, ...]] = field(default_factory=dict)


class TeacherReading(Result):
    """How a teacher was read on some items.

    Attributes:
        teacher: its name.
        judgments: its single judgments of these items.
        statuses: how many ended in which way.
        contradicts: pairs that were parsed in both orders and have no verdict.
        coverage: share of the judgments that were parsed.
        consistency: share of pairs with the same verdict in both orders, of those parsed in both;
            None where it was asked in one order, or of responses alone.
        position_bias: -1 to 1, positive where it names what it sees first; None likewise.
    """

    teacher: str
    judgments: int
    statuses: dict[str, int]
    contradicts: int
    coverage: Number
    consistency: Number | None
    position_bias: Number | None


def contradicts(read: Read | None) -> bool:
    """Whether both orders were parsed and make no verdict.

    >>> contradicts(Read("A", "B", None)), contradicts(Read("A", None, None))
    (True, False)
    """
    return (
        read is not None
        and read.averaged is None
        and read.stored is not None
        and read.swapped is not None
    )


def reading_of(
    teacher: Teacher, items: Sequence[Item], clusters: Sequence[str], plan: Plan
) -> TeacherReading:
    """How the teacher was read on those of the items that it was asked about.

    Args:
        teacher: see `read_teacher`.
        items: the items.
        clusters: the group of each item's question.
        plan: seed, resamples, confidence and the least number of pairs.
    """
    options: ResamplingOptions = {
        "seed": plan.seed, "resamples": plan.resamples, "confidence": plan.confidence,
        "method": "bca",
    }  # fmt: skip
    asked = [
        (item.id, cluster)
        for item, cluster in zip(items, clusters, strict=True)
        if item.id in teacher.verdicts
    ]
    statuses = [(s, cluster) for i, cluster in asked for s in teacher.statuses.get(i, ())]
    covered = cluster_bootstrap_rate(
        [status is Status.PARSED for status, _ in statuses],
        [cluster for _, cluster in statuses],
        **options,
    )
    consistency = position_bias = None
    if teacher.both_orders and not teacher.order_proof:
        reads = [teacher.verdicts[i] for i, _ in asked]
        effects = order_effects(
            [r.stored for r in reads], [r.swapped for r in reads], [c for _, c in asked], **options
        )
        few = effects.pairs < plan.least
        hidden = f"only {effects.pairs} pairs, fewer than {plan.least}" if few else None
        consistency = number(effects.consistency_clustered, hidden)
        position_bias = number(effects.position_bias, hidden)
    return TeacherReading(
        teacher=teacher.name,
        judgments=len(statuses),
        statuses=dict(sorted(Counter(status.value for status, _ in statuses).items())),
        contradicts=sum(contradicts(teacher.verdicts[i]) for i, _ in asked),
        coverage=number(covered),
        consistency=consistency,
        position_bias=position_bias,
    )


def read_teacher(
    name: str, judgments: Iterable[Judgment], *, tie: str | None, margin: float | None = None
) -> Teacher:
    """One teacher's verdicts in item order; both orders of a pair make one verdict.

    See `read_judgments` for how. An item judged in one order only has that order's verdict. Of
    repeated samples the first counts. `tie` is what two orders that contradict each other make;
    with None such an item has no verdict. `margin` is for teachers that score each response alone.

    Raises:
        DataError: several judges or dialects, or orders that are not those of a pair.
    """
    kept: dict[tuple[str, tuple[int, ...]], Judgment] = {}
    for judgment in sorted(judgments, key=lambda judgment: judgment.sample):
        kept.setdefault((judgment.item_id, judgment.order), judgment)
    _check_one(name, kept.values())
    judge = read_judgments(name, "teacher", kept.values(), tie=tie, margin=margin)
    by_item: dict[str, list[Judgment]] = {}
    for judgment in kept.values():
        by_item.setdefault(judgment.item_id, []).append(judgment)
    alone: dict[ItemKey, Read] = {}
    if not judge.order_proof:
        _check_orders(name, by_item)
        alone = {item: _one_order(both[0]) for item, both in by_item.items() if len(both) == 1}
    return Teacher(
        name=name,
        role=judge.role,
        order_proof=judge.order_proof,
        note=judge.note,
        verdicts={**judge.verdicts, **alone},
        both_orders=judge.order_proof or len(alone) < len(by_item),
        statuses={item: tuple(one.status for one in both) for item, both in by_item.items()},
    )


def read_teachers(
    judgments: Iterable[Judgment], *, tie: str | None, margins: Mapping[str, float] | None = None
) -> list[Teacher]:
    """Each judge of the judgments as a teacher, by name; see `read_teacher`."""
    by_judge: dict[str, list[Judgment]] = {}
    for judgment in judgments:
        by_judge.setdefault(judgment.judge, []).append(judgment)
    return [
        read_teacher(name, by_judge[name], tie=tie, margin=(margins or {}).get(name))
        for name in sorted(by_judge)
    ]


def _check_one(name: str, judgments: Iterable[Judgment]) -> None:
    found = sorted({(judgment.judge, judgment.dialect) for judgment in judgments})
    if len(found) > 1:
        raise DataError(
            f"teacher {name!r}: expected judgments of one judge in one dialect, found {found!r}"
        )


def _check_orders(name: str, by_item: Mapping[str, Sequence[Judgment]]) -> None:
    for item, both in by_item.items():
        orders = {judgment.order for judgment in both}
        if len(orders) > 1 and orders != PAIR_ORDERS:
            raise DataError(
                f"teacher {name!r}, item {item}: expected one order, or both of a pair, found "
                f"{sorted(orders)!r}. Only pairs are averaged over orders."
            )


def _one_order(judgment: Judgment) -> Read:
    verdict = judgment.in_item_order()
    value = verdict.value if isinstance(verdict, Choice) else None
    chances = judgment.distribution_in_item_order() or {}
    probability = None if value is None else chances.get(value)
    stored = judgment.order == tuple(sorted(judgment.order))
    return Read(
        value if stored else None, None if stored else value, value, probability, reasons(judgment)
    )
