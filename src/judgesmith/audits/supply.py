"""Is there enough to fill each bucket, and if not, what is missing?"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

from judgesmith.audits.finding import Finding, Severity
from judgesmith.errors import DataError


class Limit(StrEnum):
    """What kept a bucket from its quota.

    `none`: it is full. `pool`: too few admissible items exist. `caps`: enough exist, but the caps
    (items per question and the like) admit too few. `taken`: the caps admit enough, but buckets
    filled earlier took them.
    """

    NONE = "none"
    POOL = "pool"
    CAPS = "caps"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True)
class SupplyCount:
    """What was counted while one bucket was filled.

    Attributes:
        bucket: Name of the bucket.
        pool: Items that its rule admits.
        ceiling: The most of them that the caps allow at once, before other buckets take any.
        quota: Items wanted.
        filled: Items drawn.

    Raises:
        DataError: Unless 0 <= filled <= ceiling <= pool and filled <= quota.
    """

    bucket: str
    pool: int
    ceiling: int
    quota: int
    filled: int

    def __post_init__(self) -> None:
        if not (0 <= self.filled <= self.ceiling <= self.pool and self.filled <= self.quota):
            raise DataError(
                f"supply of bucket {self.bucket!r}: expected 0 <= filled <= ceiling <= pool and "
                f"filled <= quota, found {asdict(self)!r}; the counts do not belong together"
            )


@dataclass(frozen=True, slots=True)
class SupplyRow:
    """Supply of one bucket: the counts of `SupplyCount`, what is missing and why.

    Attributes:
        bucket: Name of the bucket.
        pool: Items that its rule admits.
        ceiling: The most of them that the caps allow.
        quota: Items wanted.
        filled: Items drawn.
        shortfall: quota - filled.
        limiting: What kept the bucket from its quota.
    """

    bucket: str
    pool: int
    ceiling: int
    quota: int
    filled: int
    shortfall: int
    limiting: Limit

    def to_dict(self) -> dict[str, str | int]:
        """Give the row as plain JSON values."""
        return {**asdict(self), "limiting": self.limiting.value}


def supply_rows(counts: Iterable[SupplyCount]) -> tuple[SupplyRow, ...]:
    """Work out shortfall and its cause, bucket by bucket, in the order given.

    >>> rows = supply_rows([SupplyCount("subtle", pool=90, ceiling=60, quota=80, filled=60)])
    >>> rows[0].shortfall, rows[0].limiting.value
    (20, 'caps')
    """
    return tuple(
        SupplyRow(
            bucket=count.bucket,
            pool=count.pool,
            ceiling=count.ceiling,
            quota=count.quota,
            filled=count.filled,
            shortfall=count.quota - count.filled,
            limiting=_limit(count),
        )
        for count in counts
    )


def _limit(count: SupplyCount) -> Limit:
    if count.filled == count.quota:
        return Limit.NONE
    if count.pool < count.quota:
        return Limit.POOL
    return Limit.CAPS if count.ceiling < count.quota else Limit.TAKEN


_REMEDY = {
    Limit.POOL: "{more}, or lower the quota to {ceiling}",
    Limit.CAPS: "{more} for other questions, raise the caps, or lower the quota to {ceiling}",
    Limit.TAKEN: "{more}, fill this bucket earlier, or lower the quota of a bucket before it",
}


def supply_findings(
    rows: Iterable[SupplyRow], *, ingredients: Mapping[str, str] | None = None
) -> tuple[Finding, ...]:
    """Report each bucket that was not filled: a warning; an empty one: an error.

    Args:
        rows: What `supply_rows` worked out.
        ingredients: For a bucket, what its items are made of, as a noun phrase: "hedged biased
            responses". A bucket without one is told to generate more of its items.

    >>> rows = supply_rows([SupplyCount("subtle", pool=90, ceiling=60, quota=80, filled=60)])
    >>> found = supply_findings(rows, ingredients={"subtle": "hedged biased responses"})
    >>> found[0].remedy[:39]
    'generate more hedged biased responses f'
    """
    named = ingredients or {}
    return tuple(
        _short(row, named.get(row.bucket, f"responses that make {row.bucket!r} items"))
        for row in rows
        if row.shortfall
    )


def _short(row: SupplyRow, ingredient: str) -> Finding:
    remedy = _REMEDY[row.limiting].format(more=f"generate more {ingredient}", ceiling=row.ceiling)
    return Finding(
        audit="supply",
        severity=Severity.WARNING if row.filled else Severity.ERROR,
        message=(
            f"{row.bucket}: {row.filled} of {row.quota} items ({row.shortfall} short; pool "
            f"{row.pool}, at most {row.ceiling} under the caps; limited by: {row.limiting.value})"
        ),
        count=row.shortfall,
        of=row.quota,
        examples=(),
        effect=(
            "the bucket weighs less than planned, and its numbers have wider intervals"
            if row.filled
            else "the bucket is empty: nothing is learned or measured there"
        ),
        remedy=remedy,
    )
