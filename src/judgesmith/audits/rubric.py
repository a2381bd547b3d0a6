"""Defect 9: does the teacher's rubric contradict the people's in one bucket?

Overall agreement hides it: a published teacher agreed with the person on most pairs, and in one
bucket named a response where the person saw a tie on 24 of 35. Two things tell a conflict of
rubrics from noise: disagreement is more frequent in one bucket than in the others, and it goes in
one direction there.

False alarms: a bucket is reported only if both tests, each adjusted by Holm over the buckets, lie
below `level`. Where disagreement is equally frequent in all buckets, or goes both ways equally,
a report has a chance of at most `level` (default .01) for the whole table. Items are taken as
independent. With one bucket only the direction can be tested, and the agreement must then lie
below one half as well.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from judgesmith.audits.association import LEVEL, check_share, more_often_p
from judgesmith.audits.finding import MAX_EXAMPLES, Finding, Severity
from judgesmith.errors import DataError
from judgesmith.metrics.interval import wilson
from judgesmith.metrics.paired import holm, mcnemar_p
from judgesmith.metrics.result import Estimate

A_RESPONSE = "a response"
THE_OTHER = "the other response"


@dataclass(frozen=True, slots=True)
class TwiceJudged:
    """One item with the teacher's verdict and the person's, and where it stands."""

    where: str
    bucket: str
    teacher: str
    person: str


@dataclass(frozen=True, slots=True)
class RubricRow:
    """Teacher against person in one bucket.

    Slots are folded: which of the two responses was named does not matter, only whether one was.

    Attributes:
        bucket: Name of the bucket.
        n: Items judged by both.
        agree: Items with the same verdict.
        agreement: agree / n, with Wilson interval.
        teacher_says: What the teacher says where the commonest disagreement is; None if there is
            no disagreement.
        person_says: What the person says there.
        conflicts: Items with that disagreement.
        reverse: Items with the same two verdicts the other way round.
        concentration_p: One-sided exact p-value: disagreement is more frequent here than in the
            other buckets together; None with one bucket.
        direction_p: Two-sided exact p-value of conflicts against reverse.
        examples: Where conflicts are.
    """

    bucket: str
    n: int
    agree: int
    agreement: Estimate
    teacher_says: str | None
    person_says: str | None
    conflicts: int
    reverse: int
    concentration_p: float | None
    direction_p: float
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RubricTable:
    """One row per bucket, by name, and the agreement over all of them."""

    buckets: tuple[RubricRow, ...]
    agreement: Estimate

    def to_dict(self) -> dict[str, object]:
        """Give the table as plain JSON values."""
        return asdict(self)


def rubric_table(
    items: Iterable[TwiceJudged], *, slots: tuple[str, str] = ("A", "B")
) -> RubricTable:
    """Count agreement and directions of disagreement, bucket by bucket.

    Args:
        items: Items with two verdicts.
        slots: The verdicts that name the first and the second response.

    Raises:
        DataError: If the two slots are the same.

    >>> row = rubric_table([TwiceJudged("f:1", "x", "A", "TIE"), TwiceJudged("f:2", "x", "B", "B")])
    >>> found = row.buckets[0]
    >>> found.agree, found.teacher_says, found.person_says, found.conflicts, found.reverse
    (1, 'a response', 'TIE', 1, 0)
    """
    if slots[0] == slots[1]:
        raise DataError(f"rubric audit: expected two different slots, found {slots!r}")
    by_bucket: dict[str, list[TwiceJudged]] = {}
    for item in items:
        by_bucket.setdefault(item.bucket, []).append(item)
    everything = [item for bucket in by_bucket.values() for item in bucket]
    agreed = sum(item.teacher == item.person for item in everything)
    return RubricTable(
        tuple(_row(by_bucket[name], everything, slots) for name in sorted(by_bucket)),
        wilson(agreed, len(everything)),
    )


def _row(
    items: Sequence[TwiceJudged], everything: Sequence[TwiceJudged], slots: tuple[str, str]
) -> RubricRow:
    agree = sum(item.teacher == item.person for item in items)
    directions = Counter(_direction(item, slots) for item in items if item.teacher != item.person)
    top = min(directions, key=lambda d: (-directions[d], d), default=None)
    others = len(everything) - len(items)
    wrong, all_wrong = len(items) - agree, sum(i.teacher != i.person for i in everything)
    # Opposite letters have no direction: each is the other's reverse.
    reverse = 0 if top is None else directions[top[1], top[0]]
    one_way = top is not None and top[1] != THE_OTHER
    return RubricRow(
        bucket=items[0].bucket,
        n=len(items),
        agree=agree,
        agreement=wilson(agree, len(items)),
        teacher_says=top[0] if top else None,
        person_says=top[1] if top else None,
        conflicts=directions[top] if top else 0,
        reverse=reverse,
        concentration_p=(
            more_often_p(wrong, len(items), all_wrong - wrong, others) if others else None
        ),
        direction_p=mcnemar_p(directions[top], reverse) if top and one_way else 1.0,
        examples=tuple(
            item.where
            for item in items
            if item.teacher != item.person and _direction(item, slots) == top
        )[:MAX_EXAMPLES],
    )


def _direction(item: TwiceJudged, slots: tuple[str, str]) -> tuple[str, str]:
    """Name a disagreement with the slots folded: (what the teacher says, what the person says)."""
    if item.teacher in slots and item.person in slots:
        return A_RESPONSE, THE_OTHER
    return (
        A_RESPONSE if item.teacher in slots else item.teacher,
        A_RESPONSE if item.person in slots else item.person,
    )


def rubric_findings(table: RubricTable, *, level: float = LEVEL) -> tuple[Finding, ...]:
    """Report each bucket in which the two rubrics contradict each other.

    An error if the interval of the agreement lies below one half there (the teacher teaches the
    opposite of what the people say), else a warning.

    Args:
        table: What `rubric_table` counted.
        level: Chance of any report where there is no conflict.

    Raises:
        RecipeError: If the level lies outside 0 to 1.
    """
    check_share("rubric limits", level=level)
    concentration = _adjusted({r.bucket: r.concentration_p for r in table.buckets})
    direction = _adjusted({r.bucket: r.direction_p for r in table.buckets})
    found = []
    for row in table.buckets:
        high = row.agreement.high
        reversed_here = high is not None and high < 0.5
        here = concentration.get(row.bucket)
        concentrated = reversed_here if here is None else here < level
        if concentrated and direction[row.bucket] < level:
            severity = Severity.ERROR if reversed_here else Severity.WARNING
            found.append(_finding(row, table, severity))
    return tuple(found)


def _adjusted(p_values: dict[str, float | None]) -> dict[str, float]:
    known = {name: p for name, p in p_values.items() if p is not None}
    return dict(zip(known, holm(list(known.values())), strict=True))


def _finding(row: RubricRow, table: RubricTable, severity: Severity) -> Finding:
    overall = table.agreement
    return Finding(
        audit="rubric",
        severity=severity,
        message=(
            f"{row.bucket}: the teacher says {row.teacher_says!r} and the person "
            f"{row.person_says!r} on {row.conflicts} of {row.n} items, the reverse on "
            f"{row.reverse}; they agree on {row.agree} here ({row.agreement.value:.0%}), and on "
            f"{overall.value:.0%} of all {overall.n}"
        ),
        count=row.conflicts,
        of=row.n,
        examples=row.examples,
        effect="a student learns a rubric here that the people who measure it do not hold",
        remedy="settle what the verdict means in this bucket; rewrite the rubric or label again",
    )
