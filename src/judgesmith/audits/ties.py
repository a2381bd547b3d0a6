"""Defect 19: does the gold label follow from the annotators' votes, or was it drawn at random?

Two ways to lose the votes are looked for. Where they tie, a gold label that names a winner must
have come from elsewhere: from a coin, or from one annotator. Where they have a majority, gold must
be it. A published script tested one pair of annotators twice and another never, so that wherever
annotators 1 and 3 agreed against 2 its gold label was a draw among the three votes: 49 of 999.

False alarms: none where gold is the majority and a tie in the votes is a tie in gold. Gold that
departs from the majority here and there (a late correction) is `info`; it is a warning only if one
pattern of dissent shows it more often than the others, by Fisher's exact test adjusted by Holm
over the patterns: a chance of at most `level` (default .01) where departures are spread evenly.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TypeVar

from judgesmith.audits.association import (
    LEVEL,
    binomial_p,
    check_share,
    equal_shares_p,
    more_often_p,
)
from judgesmith.audits.finding import MAX_EXAMPLES, Finding, Severity
from judgesmith.errors import DataError
from judgesmith.metrics.paired import holm

TIE = "TIE"
V = TypeVar("V", bound=Hashable)


@dataclass(frozen=True, slots=True)
class VotedItem:
    """One item with its annotators' votes, in their order, and its published gold label.

    Attributes:
        where: Where it stands: "file:line".
        votes: One verdict per annotator; None where an annotator gave none.
        gold: The published label.
    """

    where: str
    votes: tuple[str | None, ...]
    gold: str


@dataclass(frozen=True, slots=True)
class DissentPattern:
    """Items in which the same annotators voted against the majority.

    Attributes:
        dissenters: Places of the annotators in the minority, from 1; empty if unanimous.
        n: Items.
        against: Items whose gold label is not the majority's.
        expected_if_drawn: Sum over the items of the share of votes outside the majority: what
            `against` would be on average if gold were drawn among the votes.
        more_often_p: One-sided exact p-value: against is more frequent here than elsewhere.
        drawn_p: Two-sided exact binomial p-value of `against` under that draw. None if the items'
            shares differ or the votes are unanimous.
        examples: Where the items against the majority are.
    """

    dissenters: tuple[int, ...]
    n: int
    against: int
    expected_if_drawn: float
    more_often_p: float
    drawn_p: float | None
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TiedVotes:
    """Items whose votes have no single most frequent verdict.

    Attributes:
        n: Such items.
        decided: Those whose gold label is not the tie.
        directions: (gold label, decided items) by label.
        coin_p: P-value of these counts against equal shares; 1.0 without any. A large one means
            that the directions cannot be told from a coin.
        follows: For each annotator, decided items in which gold is that annotator's vote.
        examples: Where decided items are.
    """

    n: int
    decided: int
    directions: tuple[tuple[str, int], ...]
    coin_p: float
    follows: tuple[int, ...]
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TiesTable:
    """Gold against votes: items, the tied ones, and the others by who dissents."""

    n: int
    tied: TiedVotes
    patterns: tuple[DissentPattern, ...]

    @property
    def against(self) -> int:
        """Items with a majority whose gold label is another."""
        return sum(pattern.against for pattern in self.patterns)

    def to_dict(self) -> dict[str, object]:
        """Give the table as plain JSON values."""
        return asdict(self)


def majority(votes: Iterable[V | None]) -> V | None:
    """Give the most frequent vote, or None if several are, or there is no vote.

    >>> majority(["A", "TIE", "A"]), majority(["A", "B"]), majority([])
    ('A', None, None)
    """
    counted = Counter(vote for vote in votes if vote is not None).most_common(2)
    if not counted or (len(counted) == 2 and counted[0][1] == counted[1][1]):
        return None
    return counted[0][0]


def ties_table(items: Sequence[VotedItem], *, tie: str = TIE) -> TiesTable:
    """Count how gold follows from the votes.

    Args:
        items: Items with at least one vote.
        tie: The label of a tie.

    Raises:
        DataError: If an item has no vote.

    >>> table = ties_table([VotedItem("f:1", ("A", "B"), "A"), VotedItem("f:2", ("A", "A"), "B")])
    >>> table.tied.decided, table.against
    (1, 1)
    """
    tied: list[VotedItem] = []
    by_pattern: dict[tuple[int, ...], list[tuple[VotedItem, str]]] = {}
    for item in items:
        if all(vote is None for vote in item.votes):
            raise DataError(f"{item.where}: expected at least one vote, found {item.votes!r}")
        top = majority(item.votes)
        if top is None:
            tied.append(item)
            continue
        dissent = tuple(i for i, v in enumerate(item.votes, 1) if v not in (top, None))
        by_pattern.setdefault(dissent, []).append((item, top))
    voted = [pair for rows in by_pattern.values() for pair in rows]
    against = sum(item.gold != top for item, top in voted)
    patterns = [_pattern(name, by_pattern[name], against, len(voted)) for name in by_pattern]
    return TiesTable(
        len(items),
        _tied(tied, tie),
        tuple(sorted(patterns, key=lambda p: (len(p.dissenters), p.dissenters))),
    )


def _tied(items: Sequence[VotedItem], tie: str) -> TiedVotes:
    decided = [item for item in items if item.gold != tie]
    voted_for = {v for item in decided for v in item.votes if v is not None and v != tie}
    directions = Counter(item.gold for item in decided)
    names = sorted({*directions, *voted_for})
    counts = [directions[name] for name in names]
    width = max((len(item.votes) for item in items), default=0)
    return TiedVotes(
        n=len(items),
        decided=len(decided),
        directions=tuple(zip(names, counts, strict=True)),
        coin_p=(
            binomial_p(counts[0], sum(counts), 0.5) if len(counts) == 2 else equal_shares_p(counts)
        ),
        follows=tuple(
            sum(i < len(item.votes) and item.votes[i] == item.gold for item in decided)
            for i in range(width)
        ),
        examples=tuple(item.where for item in decided[:MAX_EXAMPLES]),
    )


def _pattern(
    dissenters: tuple[int, ...], rows: Sequence[tuple[VotedItem, str]], against: int, n: int
) -> DissentPattern:
    other = [item.where for item, top in rows if item.gold != top]
    shares = {len(dissenters) / sum(vote is not None for vote in item.votes) for item, _ in rows}
    here = len(other)
    drawn = sum(len(dissenters) / sum(vote is not None for vote in item.votes) for item, _ in rows)
    return DissentPattern(
        dissenters=dissenters,
        n=len(rows),
        against=here,
        expected_if_drawn=drawn,
        more_often_p=more_often_p(here, len(rows), against - here, n - len(rows)),
        drawn_p=binomial_p(here, len(rows), shares.pop())
        if dissenters and len(shares) == 1
        else None,
        examples=tuple(other[:MAX_EXAMPLES]),
    )


def ties_findings(table: TiesTable, *, level: float = LEVEL) -> tuple[Finding, ...]:
    """Report gold labels that the votes do not give.

    Args:
        table: What `ties_table` counted.
        level: Chance of a warning where departures from the majority are spread evenly.

    Raises:
        RecipeError: If the level lies outside 0 to 1.
    """
    check_share("ties limits", level=level)
    found = [_decided(table.tied, table.n)] if table.tied.decided else []
    adjusted = holm([pattern.more_often_p for pattern in table.patterns])
    scattered = 0
    for pattern, p in zip(table.patterns, adjusted, strict=True):
        if p < level and pattern.against:
            found.append(_pattern_finding(pattern, p))
        else:
            scattered += pattern.against
    if scattered:
        found.append(_scattered(table, scattered))
    return tuple(found)


def _decided(tied: TiedVotes, n: int) -> Finding:
    shown = ", ".join(f"{name} {count}" for name, count in tied.directions)
    always = [i for i, count in enumerate(tied.follows, 1) if count == tied.decided]
    how = f"directions against a coin: p = {tied.coin_p:.2g}"
    if always:
        how += f"; always the vote of annotator {', '.join(map(str, always))}"
    return Finding(
        audit="ties",
        severity=Severity.WARNING,
        message=(
            f"{tied.decided} of {n} gold labels name a winner where the votes tie ({shown}; {how})"
        ),
        count=tied.decided,
        of=n,
        examples=tied.examples,
        effect="agreement on these items measures how they were decided, at worst a coin",
        remedy="label them as ties, leave them out, or ask one more annotator",
    )


def _pattern_finding(pattern: DissentPattern, p: float) -> Finding:
    who = " and ".join(map(str, pattern.dissenters))
    which = f"annotator {who} alone dissents" if pattern.dissenters else "all annotators agree"
    if len(pattern.dissenters) > 1:
        which = f"annotators {who} dissent"
    drawn = ""
    if pattern.drawn_p is not None:
        drawn = (
            f"; a draw among the votes would give {pattern.expected_if_drawn:.1f} "
            f"(p = {pattern.drawn_p:.2g})"
        )
    return Finding(
        audit="ties",
        severity=Severity.WARNING,
        message=(
            f"where {which}, {pattern.against} of {pattern.n} gold labels are not the majority's, "
            f"more than elsewhere (exact p = {p:.2g}, adjusted){drawn}"
        ),
        count=pattern.against,
        of=pattern.n,
        examples=pattern.examples,
        effect="on these items gold is not what the annotators said; results move when it is drawn",
        remedy="take the majority of the votes again, and publish the rule that breaks ties",
    )


def _scattered(table: TiesTable, count: int) -> Finding:
    patterns = table.patterns
    examples = tuple(where for pattern in patterns for where in pattern.examples)
    return Finding(
        audit="ties",
        severity=Severity.INFO,
        message=f"{count} of {table.n} gold labels are not the majority of their votes",
        count=count,
        of=table.n,
        examples=examples[:MAX_EXAMPLES],
        effect="these labels rest on something that is not in the file",
        remedy="say who corrected them and why",
    )
