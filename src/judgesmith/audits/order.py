"""Defect 14: does a result hang on the order in which the responses were shown?

A published evaluation drew the order of each pair from an unseeded generator and judged once, so
its numbers moved by .02 to .04 from run to run. Looked for: orders not recorded, items judged in
one order only, labels that favour the side shown first, judges compared on different orders, and,
where both orders are there, how far a single-order number can move.

False alarms of `order_findings`: the slot balance (exact binomial) and the move between orders
(exact McNemar) are tested, adjusted by Holm over all judges together: a chance of at most `level`
(default .01) where neither exists, items taken as independent. The other findings are counts and
have none.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from judgesmith.audits.finding import MAX_EXAMPLES
from judgesmith.errors import DataError
from judgesmith.metrics.agreement import cells, cohen_kappa, kappa_of_counts
from judgesmith.metrics.coding import IntArray
from judgesmith.metrics.coverage import mark_unparsed
from judgesmith.metrics.paired import mcnemar_p

ORIGINAL = "original"
SWAPPED = "swapped"
REDRAWS = 999


@dataclass(frozen=True, slots=True)
class OrderedJudgment:
    """One judgment and the order its two responses were shown in.

    Attributes:
        where: Where it stands: "file:line".
        judge: Who judged.
        item_id: The item.
        order: "original" (the first stored response was shown first), "swapped", or None if it
            was not recorded.
        verdict: The verdict in the stored slots (mapped back); None is unparsed.
        label: The label in the stored slots.
    """

    where: str
    judge: str
    item_id: str
    order: str | None
    verdict: str | None
    label: str


@dataclass(frozen=True, slots=True)
class OrderMove:
    """How far one judge's numbers move between orders, over the items judged in both.

    Unparsed verdicts are counted as wrong.

    Attributes:
        n: Items judged in both orders.
        kappa_original: Kappa of the stored order; None if undefined.
        kappa_swapped: Kappa of the swapped order.
        low: 2.5% quantile of kappa when the order of each item is drawn by a coin.
        high: 97.5% quantile of it.
        gained: Items right only in the stored order.
        lost: Items right only in the swapped order.
        p: Exact McNemar p-value of gained against lost.
    """

    n: int
    kappa_original: float | None
    kappa_swapped: float | None
    low: float | None
    high: float | None
    gained: int
    lost: int
    p: float


@dataclass(frozen=True, slots=True)
class OrderRow:
    """The orders of one judge.

    Attributes:
        judge: Who judged.
        items: Its items.
        both: Items judged in both orders.
        single: Items judged in one recorded order only.
        unrecorded: Judgments without a recorded order.
        label_first: Items judged once whose label names the response shown first.
        label_second: Items judged once whose label names the response shown second.
        balance_p: Two-sided exact binomial p-value of these two against one half.
        move: How far the numbers move; None without items in both orders.
        single_examples: Where single-order judgments are.
        unrecorded_examples: Where judgments without an order are.
    """

    judge: str
    items: int
    both: int
    single: int
    unrecorded: int
    label_first: int
    label_second: int
    balance_p: float
    move: OrderMove | None
    single_examples: tuple[str, ...]
    unrecorded_examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OrderClash:
    """Items that two judges saw in no common order: how many, of how many common items."""

    first: str
    second: str
    count: int
    of: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OrderTable:
    """One row per judge, by name, and the pairs of judges that saw items in other orders."""

    judges: tuple[OrderRow, ...]
    clashes: tuple[OrderClash, ...]

    def to_dict(self) -> dict[str, object]:
        """Give the table as plain JSON values."""
        return asdict(self)


def order_table(
    judgments: Sequence[OrderedJudgment], *, slots: tuple[str, str] = ("A", "B"), seed: int = 0
) -> OrderTable:
    """Count orders per judge, and work out how far they move its numbers.

    Args:
        judgments: At most one per judge, item and order; further samples are not looked at here.
        slots: The verdicts that name the first and the second stored response.
        seed: Seed of the coin that draws orders for `OrderMove.low` and `.high`.

    Raises:
        DataError: Equal slots, an unknown order, or a judge with one item twice in one order.

    >>> rows = [OrderedJudgment("f:1", "j", "i1", "swapped", "A", "A")]
    >>> row = order_table(rows).judges[0]
    >>> row.single, row.label_first, row.label_second, row.move
    (1, 0, 1, None)
    """
    if slots[0] == slots[1]:
        raise DataError(f"order audit: expected two different slots, found {slots!r}")
    seen: dict[str, dict[str, dict[str | None, OrderedJudgment]]] = {}
    for one in judgments:
        if one.order not in (ORIGINAL, SWAPPED, None):
            raise DataError(
                f"{one.where}: order: expected {ORIGINAL!r}, {SWAPPED!r} or None, "
                f"found {one.order!r}"
            )
        held = seen.setdefault(one.judge, {}).setdefault(one.item_id, {})
        if one.order in held and one.order is not None:
            raise DataError(
                f"{one.where}: judge {one.judge!r} has item {one.item_id!r} in order "
                f"{one.order!r} already, at {held[one.order].where}; give one sample per order"
            )
        held[one.order] = one
    lost = [one for one in judgments if one.order is None]
    names = sorted(seen)
    return OrderTable(
        tuple(
            _row(name, seen[name], [one for one in lost if one.judge == name], slots, seed)
            for name in names
        ),
        tuple(
            clash
            for i, first in enumerate(names)
            for second in names[i + 1 :]
            if (clash := _clash(first, second, seen[first], seen[second])).count
        ),
    )


_Held = dict[str, dict[str | None, OrderedJudgment]]


def _row(
    judge: str,
    items: _Held,
    unrecorded: Sequence[OrderedJudgment],
    slots: tuple[str, str],
    seed: int,
) -> OrderRow:
    twice = [(h[ORIGINAL], h[SWAPPED]) for h in items.values() if ORIGINAL in h and SWAPPED in h]
    once = [
        one
        for held in items.values()
        for order, one in held.items()
        if order is not None and not (ORIGINAL in held and SWAPPED in held)
    ]
    sided = [one for one in once if one.label in slots]
    first = sum((one.label == slots[0]) == (one.order == ORIGINAL) for one in sided)
    return OrderRow(
        judge=judge,
        items=len(items),
        both=len(twice),
        single=len(once),
        unrecorded=len(unrecorded),
        label_first=first,
        label_second=len(sided) - first,
        balance_p=mcnemar_p(first, len(sided) - first),
        move=_move(twice, seed) if twice else None,
        single_examples=tuple(one.where for one in once[:MAX_EXAMPLES]),
        unrecorded_examples=tuple(one.where for one in unrecorded[:MAX_EXAMPLES]),
    )


def _move(twice: Sequence[tuple[OrderedJudgment, OrderedJudgment]], seed: int) -> OrderMove:
    labels = [one.label for one, _ in twice]
    original = mark_unparsed([one.verdict for one, _ in twice])
    swapped = mark_unparsed([two.verdict for _, two in twice])
    gained = sum(a == y != b for a, b, y in zip(original, swapped, labels, strict=True))
    lost = sum(b == y != a for a, b, y in zip(original, swapped, labels, strict=True))
    axis = sorted({*labels, *map(str, original), *map(str, swapped)})
    flat = [cells(verdicts, labels, axis)[0] for verdicts in (original, swapped)]
    low, high = _range_of_draws(flat[0], flat[1], len(axis) ** 2, seed)
    return OrderMove(
        n=len(twice),
        kappa_original=cohen_kappa(original, labels).value,
        kappa_swapped=cohen_kappa(swapped, labels).value,
        low=low,
        high=high,
        gained=gained,
        lost=lost,
        p=mcnemar_p(gained, lost),
    )


def _range_of_draws(
    original: IntArray, swapped: IntArray, width: int, seed: int
) -> tuple[float | None, float | None]:
    """Quantiles of kappa when a coin picks, item by item, which of two cells is counted.

    Items with the same two cells are alike, so only how many of them the coin gives to each side
    is drawn: memory does not grow with the number of items.
    """
    kinds, counts = np.unique(original * width + swapped, return_counts=True)
    drawn = np.random.default_rng(seed).binomial(counts, 0.5, size=(REDRAWS, len(kinds)))
    tables = np.zeros((REDRAWS, width))
    for k, (kind, count) in enumerate(zip(kinds, counts, strict=True)):
        tables[:, kind // width] += drawn[:, k]
        tables[:, kind % width] += count - drawn[:, k]
    kappas = kappa_of_counts(tables)
    kappas = kappas[~np.isnan(kappas)]
    if not len(kappas):
        return None, None
    low, high = np.quantile(kappas, [0.025, 0.975])
    return float(low), float(high)


def _clash(first: str, second: str, one: _Held, two: _Held) -> OrderClash:
    common = [item for item in one if item in two]
    apart = []
    for item in common:
        orders = set(one[item]) - {None}, set(two[item]) - {None}
        if all(orders) and orders[0].isdisjoint(orders[1]):
            apart.append(next(iter(one[item].values())).where)
    return OrderClash(first, second, len(apart), len(common), tuple(apart[:MAX_EXAMPLES]))
