"""Do rationales argue against the verdict they come with?

Two defects look alike. A writer of negatives that is not told that a verdict names the worse
response praises the very response that its verdict calls worse: the texts are inverted. And a
judge may argue for one response and name the other: rationale and verdict contradict each other.
Both are counted here with `rationale_names`, which reads what a rationale argues by its words.

False alarms: the reader reads 3% of published rationales against their verdict at most (0 of 136
of a bias judge's teachers, 68 of 3,211, 8 of 575, 3 of 846 and 0 of 720 of other judges, some of
which do contradict their verdict). A set is warned of when ten rationales or more could be read
and the lower Wilson bound of the share read against the verdict lies above 10%: at 3% misread that
is so in at most 0.3% of clean sets of any size, and in 7% if as many as 10% were misread.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from judgesmith.audits.finding import MAX_EXAMPLES, Finding, Severity
from judgesmith.audits.rationale import rationale_names
from judgesmith.audits.rationale_words import NOUNS
from judgesmith.errors import RecipeError
from judgesmith.metrics.interval import wilson
from judgesmith.metrics.result import Estimate
from judgesmith.records import Direction

LEAST_READ = 10
"""With fewer rationales read, what they argue is a figure to know and no warning."""

_LETTERS = ("A", "B")
_MOSTLY = 0.9


@dataclass(frozen=True, slots=True)
class RationaleRow:
    """A rationale, the verdict it comes with in the order shown, and where it stands."""

    rationale: str
    verdict: str
    where: str


@dataclass(frozen=True, slots=True)
class RationaleTable:
    """What rationales argue, against their verdicts.

    Attributes:
        direction: What a verdict names.
        n: Rows.
        decided: Rows whose verdict is A or B; the others are not looked at.
        read: Decided rows whose rationale argues for one response.
        against: Those of them that argue for the letter the verdict does not name.
        share: against / read, with Wilson interval.
        where: Where the rows in `against` stand, in the order given.
    """

    direction: Direction
    n: int
    decided: int
    read: int
    against: int
    share: Estimate
    where: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """Give the table as plain JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class RationaleLimits:
    """From where on rationales against their verdict are a warning and an error.

    Attributes:
        warn: A warning if the lower bound of their share lies above this. 0 to 1.
        stop: An error if it lies above this. `warn` to 1.
    """

    warn: float = 0.1
    stop: float = 0.25

    def __post_init__(self) -> None:
        if not 0 <= self.warn <= self.stop <= 1:
            raise RecipeError(
                f"rationale limits: expected 0 <= warn <= stop <= 1, found warn={self.warn!r}, "
                f"stop={self.stop!r}"
            )


def rationale_table(
    rows: Sequence[RationaleRow], direction: Direction, *, nouns: Sequence[str] = NOUNS
) -> RationaleTable:
    """Count rationales that argue against their verdict.

    Args:
        rows: Rationales with the verdict they came with: judgments, or negatives that were
            written for a given verdict. Leave out negatives that keep a rationale and turn only
            the verdict, if that is meant.
        direction: What a verdict's letter names.
        nouns: What a rationale may call a response.

    Returns:
        The table; the share is undefined where nothing was read.

    Raises:
        DataError: If there is no noun.

    >>> rows = [RationaleRow("Response B is clearly the stronger answer.", "B", "neg.jsonl:1")]
    >>> rationale_table(rows, Direction.WORSE).where
    ('neg.jsonl:1',)
    >>> rationale_table(rows, Direction.BETTER).against
    0
    """
    decided = [row for row in rows if row.verdict in _LETTERS]
    read = [
        (row, named)
        for row in decided
        if (named := rationale_names(row.rationale, direction, nouns=nouns)) is not None
    ]
    against = [row.where for row, named in read if named != row.verdict]
    return RationaleTable(
        direction=direction,
        n=len(rows),
        decided=len(decided),
        read=len(read),
        against=len(against),
        share=wilson(len(against), len(read)),
        where=tuple(against),
    )


def inversion_findings(
    table: RationaleTable, limits: RationaleLimits | None = None
) -> tuple[Finding, ...]:
    """Report negatives that argue for the wrong question.

    Args:
        table: What `rationale_table` counted over texts written for a given verdict.
        limits: From where on it is more than a figure to know; the defaults if None.

    Returns:
        One finding, or none if every negative that was read argues for its verdict.
    """
    other = "better" if table.direction is Direction.WORSE else "worse"
    return _findings(
        table,
        limits or RationaleLimits(),
        audit="inversion",
        what=f"negatives argue that the response their verdict names as {table.direction} "
        f"is the {other} one",
        effect=(
            "chosen and rejected texts answer different questions, so training tells them apart "
            "by words and learns nothing about the rubric"
        ),
        remedy=(
            f"tell the writer that a verdict names the {table.direction} response, and have "
            "these texts written again"
        ),
    )


def contradiction_findings(
    table: RationaleTable, limits: RationaleLimits | None = None
) -> tuple[Finding, ...]:
    """Report judgments whose rationale argues against their verdict.

    Args:
        table: What `rationale_table` counted over judgments.
        limits: From where on it is more than a figure to know; the defaults if None.

    Returns:
        One finding, or none if every rationale that was read argues for its verdict.
    """
    return _findings(
        table,
        limits or RationaleLimits(),
        audit="contradiction",
        what="rationales argue against the verdict that they end in",
        effect="the rationale does not explain the verdict; a student learns to contradict itself",
        remedy="look the examples up; leave the rows out, or judge them again",
    )


def _findings(
    table: RationaleTable,
    limits: RationaleLimits,
    *,
    audit: str,
    what: str,
    effect: str,
    remedy: str,
) -> tuple[Finding, ...]:
    if not table.against:
        return ()
    low = table.share.low or 0.0
    severity = Severity.INFO
    if low > limits.warn and table.read >= LEAST_READ:
        severity = Severity.ERROR if low > limits.stop else Severity.WARNING
    if low > _MOSTLY:
        remedy = f"check first that a verdict names the {table.direction} response; else {remedy}"
    return (
        Finding(
            audit=audit,
            severity=severity,
            message=(
                f"{table.against} of {table.decided} {what} ({table.against / table.read:.0%} of "
                f"the {table.read} that could be read)"
            ),
            count=table.against,
            of=table.decided,
            examples=table.where[:MAX_EXAMPLES],
            effect=effect,
            remedy=remedy,
        ),
    )
