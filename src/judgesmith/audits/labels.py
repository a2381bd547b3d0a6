"""Are the labels balanced enough to train on and to measure against?"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from judgesmith.audits.finding import MAX_EXAMPLES, Finding, Severity
from judgesmith.errors import DataError, RecipeError
from judgesmith.metrics.interval import wilson
from judgesmith.metrics.paired import mcnemar_p
from judgesmith.metrics.result import Estimate

LARGEST_SHARE = 0.9
"""Above this share of one label no chance-corrected agreement is shown."""

SLOT_P = 0.05

ALL_BUCKETS = "all buckets"


@dataclass(frozen=True, slots=True)
class LabelItem:
    """One labelled item: its id, its bucket and the accepted verdict, as text."""

    item_id: str
    bucket: str
    verdict: str


@dataclass(frozen=True, slots=True)
class LabelRow:
    """The labels of one bucket.

    Attributes:
        bucket: Name of the bucket.
        n: Labelled items.
        counts: (verdict, items) by verdict.
        top: The most frequent verdict; of equally frequent ones the first by name.
        top_share: Its share, with Wilson interval.
        rest: Ids of items with another verdict, at most `MAX_EXAMPLES`.
    """

    bucket: str
    n: int
    counts: tuple[tuple[str, int], ...]
    top: str
    top_share: Estimate
    rest: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LabelTable:
    """Labels per bucket, over all, and over the two slots.

    Attributes:
        buckets: One row per bucket, by name.
        overall: All items in one row; None without items.
        slots: The two verdicts that name a slot.
        slot_counts: Items whose verdict names the first and the second.
        slot_p: Two-sided exact binomial p-value of these counts against one half; 1.0 if there
            are none.
    """

    buckets: tuple[LabelRow, ...]
    overall: LabelRow | None
    slots: tuple[str, str]
    slot_counts: tuple[int, int]
    slot_p: float

    def to_dict(self) -> dict[str, object]:
        """Give the table as plain JSON values."""
        return asdict(self)


def label_table(items: Sequence[LabelItem], *, slots: tuple[str, str] = ("A", "B")) -> LabelTable:
    """Count labels per bucket and per slot.

    Args:
        items: The labelled items.
        slots: The verdicts that name the first and the second response.

    Raises:
        DataError: If the two slots are the same.

    >>> table = label_table([LabelItem("i1", "tie", "TIE"), LabelItem("i2", "tie", "A")])
    >>> table.buckets[0].counts, table.slot_counts
    ((('A', 1), ('TIE', 1)), (1, 0))
    """
    if slots[0] == slots[1]:
        raise DataError(f"label audit: expected two different slots, found {slots!r}")
    by_bucket: dict[str, list[LabelItem]] = {}
    for item in items:
        by_bucket.setdefault(item.bucket, []).append(item)
    first, second = (sum(item.verdict == slot for item in items) for slot in slots)
    return LabelTable(
        buckets=tuple(_row(name, by_bucket[name]) for name in sorted(by_bucket)),
        overall=_row(ALL_BUCKETS, items) if items else None,
        slots=slots,
        slot_counts=(first, second),
        slot_p=mcnemar_p(first, second),
    )


def _row(bucket: str, items: Sequence[LabelItem]) -> LabelRow:
    counts = Counter(item.verdict for item in items)
    top, most = min(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    rest = sorted(item.item_id for item in items if item.verdict != top)
    return LabelRow(
        bucket=bucket,
        n=len(items),
        counts=tuple(sorted(counts.items())),
        top=top,
        top_share=wilson(most, len(items)),
        rest=tuple(rest[:MAX_EXAMPLES]),
    )


def label_findings(
    table: LabelTable, *, largest_share: float = LARGEST_SHARE, slot_p: float = SLOT_P
) -> tuple[Finding, ...]:
    """Warn of buckets with nearly one label, and of labels that favour a slot.

    Args:
        table: What `label_table` counted.
        largest_share: A bucket, or all of them, is reported if one label holds more than this.
            Give it the value with which agreement is withheld.
        slot_p: The slots are reported if their p-value lies below this.

    Raises:
        RecipeError: If a limit lies outside 0 to 1.

    >>> items = [LabelItem(f"i{n}", "tie", "TIE") for n in range(24)]
    >>> found = label_findings(label_table([*items, LabelItem("i24", "tie", "B")]))
    >>> found[0].message
    "tie: the label 'TIE' holds 24 of 25 items (96%); kappa is not shown"
    """
    for name, value in (("largest_share", largest_share), ("slot_p", slot_p)):
        if not 0 <= value <= 1:
            raise RecipeError(
                f"label limits, {name}: expected a number from 0 to 1, found {value!r}"
            )
    rows = list(table.buckets)
    if table.overall is not None and len(rows) > 1:
        rows.append(table.overall)
    found = [_one_label(row) for row in rows if dict(row.counts)[row.top] > largest_share * row.n]
    return (*found, *_slots(table, slot_p))


def _one_label(row: LabelRow) -> Finding:
    most = dict(row.counts)[row.top]
    return Finding(
        audit="labels",
        severity=Severity.WARNING,
        message=(
            f"{row.bucket}: the label {row.top!r} holds {most} of {row.n} items "
            f"({most / row.n:.0%}); kappa is not shown"
        ),
        count=most,
        of=row.n,
        examples=row.rest,
        effect="kappa turns on the few other items, and a constant judge is nearly always right",
        remedy="add items with other labels, or read accuracy here beside the constant baseline",
    )


def _slots(table: LabelTable, limit: float) -> Iterator[Finding]:
    if table.slot_p >= limit:
        return
    first, second = table.slot_counts
    yield Finding(
        audit="labels",
        severity=Severity.WARNING,
        message=(
            f"{first} labels name slot {table.slots[0]!r} and {second} slot {table.slots[1]!r} "
            f"(exact binomial p = {table.slot_p:.2g})"
        ),
        count=max(first, second),
        of=first + second,
        examples=(),
        effect="a judge that prefers the commoner slot agrees with the labels by that alone",
        remedy="draw the order of each pair at random by its id, or train and judge in both orders",
    )
