"""Are made items balanced: over the ways they were made, and over the slots within each way?

A published set of negatives was to show four failure modes equally often; its draw gave one of them
101 rows and another 237. What a student learns to reject is then mostly one kind.

False alarms: equal shares are tested by keyed simulation of Pearson's statistic, the slots of each
mode by the exact binomial test, all adjusted together by Holm: a chance of at most `level` (default
.01) where modes and slots are drawn evenly. Give `planned` shares where modes are not meant to be
equal.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

from judgesmith.audits.association import LEVEL, check_share, equal_shares_p
from judgesmith.audits.finding import MAX_EXAMPLES, Finding, Severity
from judgesmith.errors import DataError, RecipeError
from judgesmith.metrics.paired import holm, mcnemar_p


@dataclass(frozen=True, slots=True)
class MadeItem:
    """One made item: where it stands, in which mode it was made, and its verdict."""

    where: str
    mode: str
    verdict: str


@dataclass(frozen=True, slots=True)
class ModeRow:
    """Items of one mode.

    Attributes:
        mode: Its name.
        n: Its items.
        slot_counts: Items whose verdict names the first and the second slot.
        slot_p: Two-sided exact binomial p-value of these counts against one half.
        examples: Where its items are.
    """

    mode: str
    n: int
    slot_counts: tuple[int, int]
    slot_p: float
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModeTable:
    """One row per mode, by name; the slots; and the p-value of "all modes are equally frequent"."""

    modes: tuple[ModeRow, ...]
    slots: tuple[str, str]
    equal_p: float

    @property
    def n(self) -> int:
        """Items in all."""
        return sum(row.n for row in self.modes)

    def to_dict(self) -> dict[str, object]:
        """Give the table as plain JSON values."""
        return asdict(self)


def mode_table(
    items: Iterable[MadeItem],
    *,
    planned: Iterable[str] = (),
    slots: tuple[str, str] = ("A", "B"),
) -> ModeTable:
    """Count modes, and slots within each.

    Args:
        items: The made items.
        planned: Modes that should occur; those that do not are rows with n = 0.
        slots: The verdicts that name the first and the second response.

    Raises:
        DataError: If the two slots are the same.

    >>> table = mode_table([MadeItem("f:1", "hedging", "A"), MadeItem("f:2", "hedging", "B")],
    ...                    planned=["burying"])
    >>> [(row.mode, row.n, row.slot_counts) for row in table.modes]
    [('burying', 0, (0, 0)), ('hedging', 2, (1, 1))]
    """
    if slots[0] == slots[1]:
        raise DataError(f"mode audit: expected two different slots, found {slots!r}")
    by_mode: dict[str, list[MadeItem]] = {mode: [] for mode in planned}
    for item in items:
        by_mode.setdefault(item.mode, []).append(item)
    rows = []
    for mode in sorted(by_mode):
        verdicts = Counter(item.verdict for item in by_mode[mode])
        first, second = verdicts[slots[0]], verdicts[slots[1]]
        examples = tuple(item.where for item in by_mode[mode][:MAX_EXAMPLES])
        rows.append(
            ModeRow(mode, verdicts.total(), (first, second), mcnemar_p(first, second), examples)
        )
    return ModeTable(tuple(rows), slots, equal_shares_p([row.n for row in rows]))


def mode_findings(
    table: ModeTable, *, level: float = LEVEL, ratio: float = 1.5
) -> tuple[Finding, ...]:
    """Warn of modes that are not equally frequent, and of slots that are not within a mode.

    Args:
        table: What `mode_table` counted.
        level: Chance of any warning where modes and slots are drawn evenly.
        ratio: Modes are reported only if the most frequent has more than this times the items of
            the least frequent, at least 1.

    Raises:
        RecipeError: If a limit is out of range.
    """
    check_share("mode limits", level=level)
    if ratio < 1:
        raise RecipeError(f"mode limits, ratio: expected a number of at least 1, found {ratio!r}")
    equal_p, *slot_p = holm([table.equal_p, *(row.slot_p for row in table.modes)])
    return (
        *_unequal(table, equal_p, level, ratio),
        *(
            _slot_finding(row, table.slots, p)
            for row, p in zip(table.modes, slot_p, strict=True)
            if p < level
        ),
    )


def _unequal(table: ModeTable, p: float, level: float, ratio: float) -> Iterator[Finding]:
    if p >= level:
        return
    least = min(table.modes, key=lambda row: (row.n, row.mode))
    most = min(table.modes, key=lambda row: (-row.n, row.mode))
    if most.n <= ratio * least.n:
        return
    yield Finding(
        audit="modes",
        severity=Severity.WARNING,
        message=(
            f"{least.mode!r} has {least.n} items against {most.n} of {most.mode!r}; equal shares "
            f"would be {table.n / len(table.modes):.0f} each (p = {p:.2g}, adjusted)"
        ),
        count=least.n,
        of=table.n,
        examples=least.examples,
        effect="a student learns mostly the commoner modes, and is measured on them",
        remedy="draw the mode by a hash of its own, not by one that already chose the items",
    )


def _slot_finding(row: ModeRow, slots: tuple[str, str], p: float) -> Finding:
    first, second = row.slot_counts
    return Finding(
        audit="modes",
        severity=Severity.WARNING,
        message=(
            f"{row.mode}: {first} verdicts name slot {slots[0]!r} and {second} slot {slots[1]!r} "
            f"(exact binomial p = {p:.2g}, adjusted)"
        ),
        count=max(first, second),
        of=first + second,
        examples=row.examples,
        effect="the slot gives the mode away, and the mode the slot",
        remedy="make each item in both orders",
    )
