"""Defects 8 and 13: what do replies without a verdict do to the result?

Replies that cannot be read are rarely a random sample: the long, hard items are the ones cut off.
Leaving them out of kappa inflated published numbers by .06 to .18, and counting them as ties made
a published accuracy.

False alarms: whether a reply is unparsed is tested against the label and against the bucket by
permutation, adjusted by Holm over the two; items are taken as independent. On a set whose replies
fail at random the chance of such a warning is at most `level` (default .01). The other findings
are counts and have none: an inflation above its limit, a verdict stored for a reply that
is empty or marked as failed.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

from judgesmith.audits.association import LEVEL, check_share, related_p
from judgesmith.audits.finding import MAX_EXAMPLES, Finding, Severity
from judgesmith.errors import DataError
from judgesmith.metrics.coverage import AgreementBounds, agreement_bounds
from judgesmith.metrics.paired import holm

PARSED = "parsed"
TIE = "TIE"


@dataclass(frozen=True, slots=True)
class JudgedItem:
    """One judgment beside its label.

    Attributes:
        where: Where it stands: "file:line".
        bucket: Its bucket; one name for all if there are none.
        verdict: The stored verdict; None is unparsed.
        label: The label.
        status: How the reply was read, such as "parsed" or "truncated"; None if not recorded.
        reply: The raw reply; None if not stored.
    """

    where: str
    bucket: str
    verdict: str | None
    label: str
    status: str | None = None
    reply: str | None = None


@dataclass(frozen=True, slots=True)
class UnparsedShare:
    """Unparsed replies in one category: its name, how many are unparsed, and of how many."""

    name: str
    unparsed: int
    of: int


@dataclass(frozen=True, slots=True)
class UnparsedTable:
    """How many replies have no verdict, which, and what they could do to the agreement.

    Attributes:
        n: Judgments.
        unparsed: Those without a verdict.
        statuses: (status, judgments) of the unparsed ones, most frequent first; "not recorded"
            where there is none.
        bounds: Accuracy and kappa on the parsed, counted as wrong, at worst and at best.
        inflation: Kappa on the parsed minus kappa with the unparsed counted as wrong; None if
            either is undefined.
        by_label: Unparsed replies per label.
        by_bucket: Unparsed replies per bucket.
        label_p: Permutation p-value of "unparsed replies have the same labels".
        bucket_p: The same for buckets.
        with_reply: Judgments whose raw reply, or a status, is stored.
        from_nothing: Judgments with a verdict though their reply is blank or their status says
            that it was not parsed.
        ties_from_nothing: Those of them whose verdict is the tie.
        examples: Where unparsed replies are.
        from_nothing_examples: Where verdicts from nothing are, ties first.
    """

    n: int
    unparsed: int
    statuses: tuple[tuple[str, int], ...]
    bounds: AgreementBounds
    inflation: float | None
    by_label: tuple[UnparsedShare, ...]
    by_bucket: tuple[UnparsedShare, ...]
    label_p: float
    bucket_p: float
    with_reply: int
    from_nothing: int
    ties_from_nothing: int
    examples: tuple[str, ...]
    from_nothing_examples: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """Give the table as plain JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class UnparsedLimits:
    """From where on unparsed replies are reported.

    Attributes:
        inflation: Reported if kappa on the parsed exceeds kappa counted as wrong by more.
        level: Chance of warning that unparsed replies are related to label or bucket where they
            are not.
    """

    inflation: float = 0.05
    level: float = LEVEL

    def __post_init__(self) -> None:
        check_share("unparsed limits", inflation=self.inflation, level=self.level)


def unparsed_table(items: Sequence[JudgedItem], *, tie: str = TIE) -> UnparsedTable:
    """Count unparsed replies and what they could do.

    Args:
        items: The judgments of one judge.
        tie: The verdict that stands for a tie.

    Raises:
        DataError: If a place is listed twice.

    Three of four parsed, two of them right. Counted as wrong, kappa is .2; on the parsed, .4:

    >>> verdicts = ["A", "B", "A", None]
    >>> items = [JudgedItem(f"f:{i}", "x", v, y) for i, (v, y) in enumerate(zip(verdicts, "ABBA"))]
    >>> table = unparsed_table(items)
    >>> table.unparsed, round(table.inflation, 6), table.examples
    (1, 0.2, ('f:3',))
    """
    if len({item.where for item in items}) != len(items):
        raise DataError(
            "unparsed audit: expected each place once, found one repeated; give the judgments of "
            "one judge, one order and one sample at a time"
        )
    failed = [item for item in items if item.verdict is None]
    bounds = agreement_bounds([item.verdict for item in items], [item.label for item in items])
    parsed, wrong = bounds.kappa.parsed.value, bounds.kappa.wrong.value
    by_label = _shares(items, lambda item: item.label)
    by_bucket = _shares(items, lambda item: item.bucket)
    nothing = [item for item in items if item.verdict is not None and _is_nothing(item)]
    nothing.sort(key=lambda item: item.verdict != tie)
    return UnparsedTable(
        n=len(items),
        unparsed=len(failed),
        statuses=tuple(Counter(i.status or "not recorded" for i in failed).most_common()),
        bounds=bounds,
        inflation=None if parsed is None or wrong is None else parsed - wrong,
        by_label=by_label,
        by_bucket=by_bucket,
        label_p=_p(by_label),
        bucket_p=_p(by_bucket),
        with_reply=sum(item.reply is not None or item.status is not None for item in items),
        from_nothing=len(nothing),
        ties_from_nothing=sum(item.verdict == tie for item in nothing),
        examples=tuple(item.where for item in failed[:MAX_EXAMPLES]),
        from_nothing_examples=tuple(item.where for item in nothing[:MAX_EXAMPLES]),
    )


def _is_nothing(item: JudgedItem) -> bool:
    blank = item.reply is not None and not item.reply.strip()
    return blank or (item.status is not None and item.status != PARSED)


def _shares(
    items: Sequence[JudgedItem], category: Callable[[JudgedItem], str]
) -> tuple[UnparsedShare, ...]:
    totals = Counter(category(item) for item in items)
    failed = Counter(category(item) for item in items if item.verdict is None)
    return tuple(UnparsedShare(name, failed[name], totals[name]) for name in sorted(totals))


def _p(shares: Sequence[UnparsedShare]) -> float:
    return related_p([share.unparsed for share in shares], [share.of for share in shares])


def unparsed_findings(
    table: UnparsedTable, limits: UnparsedLimits | None = None
) -> tuple[Finding, ...]:
    """Say what unparsed replies do to the result.

    Args:
        table: What `unparsed_table` counted.
        limits: From where on to report; the defaults of `UnparsedLimits` if None.

    Returns:
        Inflation and relation to label and bucket (warnings); verdicts stored for replies that
        hold none (an error: the file says more than the judge did).
    """
    limits = limits or UnparsedLimits()
    p_label, p_bucket = holm([table.label_p, table.bucket_p])
    return (
        *_inflated(table, limits.inflation),
        *_related("label", table.by_label, p_label, table, limits.level),
        *_related("bucket", table.by_bucket, p_bucket, table, limits.level),
        *_from_nothing(table),
    )


def _statuses(table: UnparsedTable) -> str:
    return ", ".join(f"{status} {count}" for status, count in table.statuses)


def _inflated(table: UnparsedTable, limit: float) -> Iterator[Finding]:
    kappa = table.bounds.kappa
    if table.inflation is None or table.inflation <= limit:
        return
    ends = ""
    if kappa.worst.value is not None and kappa.best.value is not None:
        ends = f", and lies between {kappa.worst.value:.3f} and {kappa.best.value:.3f}"
    yield Finding(
        audit="unparsed",
        severity=Severity.WARNING,
        message=(
            f"{table.unparsed} of {table.n} replies have no verdict ({_statuses(table)}); kappa "
            f"on the parsed is {kappa.parsed.value:.3f}, with them counted as wrong "
            f"{kappa.wrong.value:.3f}{ends}"
        ),
        count=table.unparsed,
        of=table.n,
        examples=table.examples,
        effect=f"leaving them out raises kappa by {table.inflation:.3f}",
        remedy="allow longer replies or judge again; show coverage and the bounds beside kappa",
    )


def _related(
    what: str, shares: Sequence[UnparsedShare], p: float, table: UnparsedTable, level: float
) -> Iterator[Finding]:
    if p >= level:
        return
    listed = ", ".join(f"{s.name} {s.unparsed} of {s.of}" for s in shares)
    yield Finding(
        audit="unparsed",
        severity=Severity.WARNING,
        message=(
            f"replies without a verdict depend on the {what}: {listed} (permutation p = {p:.2g}, "
            "adjusted)"
        ),
        count=table.unparsed,
        of=table.n,
        examples=table.examples,
        effect="what is left is no random sample; numbers on the parsed replies are biased",
        remedy="report the agreement with unparsed replies counted as wrong, and its bounds",
    )


def _from_nothing(table: UnparsedTable) -> Iterator[Finding]:
    if not table.from_nothing:
        return
    yield Finding(
        audit="unparsed",
        severity=Severity.ERROR,
        message=(
            f"{table.from_nothing} of {table.with_reply} judgments hold a verdict though their "
            f"reply is empty or was not parsed; {table.ties_from_nothing} of these are ties"
        ),
        count=table.from_nothing,
        of=table.with_reply,
        examples=table.from_nothing_examples,
        effect="a failed parse is counted as a verdict, and is right wherever the label agrees",
        remedy="store no verdict for such replies; report coverage and bounds",
    )
