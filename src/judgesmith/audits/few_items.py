"""Defect 7: does a claimed difference between two judges rest on enough items to be concluded?

Two judges on the same items differ only on the discordant ones: one is right, the other wrong.
With m of them McNemar's exact p-value is never below 2 / 2**m, so five discordant items or fewer
can never reach p < .05, whatever they say. A published judge drew a recommendation from one pair
gained and three lost.

False alarms: a claim is reported exactly when its exact p-value, adjusted by Holm over the claims
of the table, is not below `alpha`. A claim without a true difference escapes with a chance of at
most `alpha`; a true one is reported with a chance of one minus the power of the test, and that is
the stated level: the audit says "not shown", never "not so".
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist

from judgesmith.audits.finding import MAX_EXAMPLES, Finding, Severity
from judgesmith.errors import DataError, RecipeError
from judgesmith.metrics.coding import Label, Verdict, aligned, distinct
from judgesmith.metrics.paired import holm, mcnemar_p

ALPHA = 0.05
POWER = 0.8


@dataclass(frozen=True, slots=True)
class ComparedSlice:
    """One comparison of two judges on one slice of the items.

    Attributes:
        name: What is compared, and where: "DPO against SFT, religion".
        gained: Items that the first judge has right and the second wrong.
        lost: Items that the second judge has right and the first wrong.
        n: Items compared.
        claimed: Whether a difference is claimed or would be read from this row.
        examples: Where discordant items are: "file:line".

    Raises:
        DataError: If a count is negative, or gained + lost is more than n.
    """

    name: str
    gained: int
    lost: int
    n: int
    claimed: bool = True
    examples: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.gained < 0 or self.lost < 0 or self.gained + self.lost > self.n:
            raise DataError(
                f"comparison {self.name!r}: expected gained + lost of at most n, found "
                f"gained={self.gained!r}, lost={self.lost!r}, n={self.n!r}; count the items on "
                "which exactly one judge is right"
            )


@dataclass(frozen=True, slots=True)
class FewItemsRow:
    """What the discordant items of one comparison can carry.

    Attributes:
        compared: The counts.
        p: Exact McNemar p-value, two-sided.
        p_adjusted: The same, adjusted by Holm over the claims of the table; None if not claimed.
        least_discordant: The smallest number of discordant items that could ever reach alpha.
        labels_needed: Items in all for the asked power if the shares stay as they are; None if
            gained equals lost, since then no number would do.
    """

    compared: ComparedSlice
    p: float
    p_adjusted: float | None
    least_discordant: int
    labels_needed: int | None

    @property
    def discordant(self) -> int:
        """Items on which exactly one of the two judges is right."""
        return self.compared.gained + self.compared.lost


@dataclass(frozen=True, slots=True)
class FewItemsTable:
    """One row per comparison, in the order given, with the level and power they were held to."""

    rows: tuple[FewItemsRow, ...]
    alpha: float
    power: float

    def to_dict(self) -> dict[str, object]:
        """Give the table as plain JSON values."""
        return asdict(self)


def least_discordant(alpha: float = ALPHA) -> int:
    """Give the smallest number of discordant items that could ever reach p < alpha.

    With all m on one side, p = 2 / 2**m: the smallest m with 2**(1 - m) < alpha.

    Raises:
        RecipeError: If alpha does not lie between 0 and 1.

    2 / 2**5 = .0625 is too large, 2 / 2**6 = .03125 is not:

    >>> least_discordant(0.05)
    6
    """
    if not 0 < alpha < 1:
        raise RecipeError(f"alpha: expected a number between 0 and 1, found {alpha!r}")
    least = 1
    while 2.0 ** (1 - least) >= alpha:
        least += 1
    return least


def labels_for_mcnemar(
    gained: int, lost: int, n: int, *, alpha: float = ALPHA, power: float = POWER
) -> int | None:
    """Items needed for McNemar's test to see the observed difference with the given power.

    Formula (Connor 1987), with s = (gained + lost) / n, d = (gained - lost) / n and normal
    quantiles z:

        n_needed = ((z(1 - alpha/2) * sqrt(s) + z(power) * sqrt(s - d*d)) / d) ** 2, rounded up

    It holds if further items are like those at hand. It is never less than what
    `least_discordant` demands at the observed share of discordant items. The exact test needs a
    little more than this normal approximation (`metrics.power`).

    Returns:
        The number in all, or None if gained equals lost.

    Raises:
        RecipeError: If alpha or power does not lie between 0 and 1.

    s = 4/60, d = -2/60: ((1.959964 * .258199 + .841621 * .256038) / .033333)**2 = 469.0...

    >>> labels_for_mcnemar(1, 3, 60)
    469
    >>> labels_for_mcnemar(2, 2, 60)
    """
    if not 0 < power < 1:
        raise RecipeError(f"power: expected a number between 0 and 1, found {power!r}")
    floor = least_discordant(alpha)
    if gained == lost or n == 0:
        return None
    share, difference = (gained + lost) / n, (gained - lost) / n
    quantile = NormalDist().inv_cdf
    spread = quantile(1 - alpha / 2) * math.sqrt(share)
    spread += quantile(power) * math.sqrt(max(0.0, share - difference**2))
    return max(math.ceil((spread / difference) ** 2), math.ceil(floor / share))


def compare_slices(
    first: Sequence[Verdict],
    second: Sequence[Verdict],
    labels: Sequence[Label],
    *,
    slices: Sequence[str],
    where: Sequence[str],
) -> tuple[ComparedSlice, ...]:
    """Count gained and lost per slice, from the verdicts of two judges on the same items.

    Args:
        first: Verdicts of the first judge; None (unparsed) is never right.
        second: Verdicts of the second judge.
        labels: The labels.
        slices: The slice of each item.
        where: Where each item stands: "file:line".

    Raises:
        DataError: Different lengths, or a label that is None.

    >>> rows = compare_slices("AAB", "ABA", "AAA", slices="xxy", where=["f:1", "f:2", "f:3"])
    >>> [(row.name, row.gained, row.lost, row.n, row.examples) for row in rows]
    [('x', 1, 0, 2, ('f:2',)), ('y', 0, 1, 1, ('f:3',))]
    """
    aligned(first=first, second=second, labels=labels, slices=slices, where=where)
    distinct("labels", labels)
    counts: dict[str, list[int]] = {}
    examples: dict[str, list[str]] = {}
    for one, two, label, name, place in zip(first, second, labels, slices, where, strict=True):
        row = counts.setdefault(name, [0, 0, 0])
        row[2] += 1
        if (one == label) != (two == label):
            row[0 if one == label else 1] += 1
            examples.setdefault(name, []).append(place)
    return tuple(
        ComparedSlice(name, gained, lost, n, examples=tuple(examples.get(name, ())[:MAX_EXAMPLES]))
        for name, (gained, lost, n) in counts.items()
    )


def few_items_table(
    compared: Iterable[ComparedSlice], *, alpha: float = ALPHA, power: float = POWER
) -> FewItemsTable:
    """Work out what each comparison can carry.

    Args:
        compared: The comparisons. Those that are claimed share one Holm correction.
        alpha: The level a difference must reach to be concluded.
        power: The power that `labels_needed` is for.

    Raises:
        RecipeError: If alpha or power does not lie between 0 and 1.

    >>> table = few_items_table([ComparedSlice("religion", gained=1, lost=3, n=60)])
    >>> row = table.rows[0]
    >>> row.p, row.least_discordant, row.labels_needed
    (0.625, 6, 469)
    """
    given = tuple(compared)
    least = least_discordant(alpha)
    p_values = [mcnemar_p(one.gained, one.lost) for one in given]
    claimed = [i for i, one in enumerate(given) if one.claimed]
    adjusted = dict(zip(claimed, holm([p_values[i] for i in claimed]), strict=True))
    return FewItemsTable(
        tuple(
            FewItemsRow(
                one,
                p_values[i],
                adjusted.get(i),
                least,
                labels_for_mcnemar(one.gained, one.lost, one.n, alpha=alpha, power=power),
            )
            for i, one in enumerate(given)
        ),
        alpha,
        power,
    )


def few_items_findings(table: FewItemsTable) -> tuple[Finding, ...]:
    """Warn of each claimed difference that its discordant items do not support.

    A row without a claim gives an `info` if it has so few discordant items that it could never be
    concluded, and nothing otherwise. A claimed row without any discordant item gives nothing: the
    judges are right on the same items, and there is no difference to conclude.

    Args:
        table: What `few_items_table` worked out.

    >>> rows = [ComparedSlice("religion", gained=1, lost=3, n=60)]
    >>> few_items_findings(few_items_table(rows))[0].message
    'religion: 1 gained and 3 lost of 60 items (exact McNemar p = 0.62); fewer than 6 discordant \
items can never reach p < 0.05'
    """
    found = []
    for row in table.rows:
        unreachable = row.discordant < row.least_discordant
        if row.p_adjusted is None:
            if unreachable:
                found.append(_finding(row, table, Severity.INFO))
        elif row.discordant and row.p_adjusted >= table.alpha:
            found.append(_finding(row, table, Severity.WARNING))
    return tuple(found)


def _finding(row: FewItemsRow, table: FewItemsTable, severity: Severity) -> Finding:
    one = row.compared
    p = f"exact McNemar p = {row.p:.2g}"
    if row.p_adjusted is not None and row.p_adjusted != row.p:
        p += f", {row.p_adjusted:.2g} after Holm"
    message = f"{one.name}: {one.gained} gained and {one.lost} lost of {one.n} items ({p})"
    if row.discordant < row.least_discordant:
        message += (
            f"; fewer than {row.least_discordant} discordant items can never reach "
            f"p < {table.alpha:g}"
        )
    if row.labels_needed is None:
        remedy = "say that no difference was seen; the counts are equal"
    else:
        remedy = (
            f"say that the difference is not shown, or label {row.labels_needed} such items: so "
            f"many see this difference with power {table.power:g}, if it is real"
        )
    return Finding(
        audit="few_items",
        severity=severity,
        message=message,
        count=row.discordant,
        of=one.n,
        examples=one.examples[:MAX_EXAMPLES],
        effect="the difference can turn round with the next few items",
        remedy=remedy,
    )
