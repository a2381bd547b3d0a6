"""Defect 15: is a judge trained, evaluated and served with one dialect and one template?

A dialect is versioned by its content hash, so two sides that differ by one space differ in it. The
same audit serves chat templates: give it their hashes.

False alarms: none. Hashes are equal or they are not.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from judgesmith.audits.finding import MAX_EXAMPLES, Finding, Severity
from judgesmith.errors import DataError

SideHashes = Mapping[str, Mapping[str | None, Sequence[str]]]
"""Side -> hash -> where it was seen. The hash None stands for rows that record none."""


@dataclass(frozen=True, slots=True)
class DialectSide:
    """The hashes of one side.

    Attributes:
        side: Its name, such as "train", "evaluation" or "serving".
        rows: Rows looked at.
        hashes: (hash, rows) by hash.
        unrecorded: Rows without a hash.
        examples: For each hash, where it was first seen.
        unrecorded_examples: Where rows without one are.
    """

    side: str
    rows: int
    hashes: tuple[tuple[str, int], ...]
    unrecorded: int
    examples: tuple[str, ...]
    unrecorded_examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DialectTable:
    """One entry per side in the order given, and what kind of thing the hashes are of."""

    what: str
    sides: tuple[DialectSide, ...]

    def to_dict(self) -> dict[str, object]:
        """Give the table as plain JSON values."""
        return asdict(self)


def dialect_table(sides: SideHashes, *, what: str = "dialect") -> DialectTable:
    """Collect the hashes of each side.

    Args:
        sides: For each side, its hashes and where each was seen.
        what: What the hashes are of: "dialect" or "chat template".

    Raises:
        DataError: If a hash is empty, or was seen nowhere.

    >>> table = dialect_table({"train": {"h1": ["f:1"]}, "serving": {"h2": ["g:1"]}})
    >>> [side.hashes for side in table.sides]
    [(('h1', 1),), (('h2', 1),)]
    """
    return DialectTable(what, tuple(_side(name, seen) for name, seen in sides.items()))


def _side(name: str, seen: Mapping[str | None, Sequence[str]]) -> DialectSide:
    for value, places in seen.items():
        if value == "" or not places:
            raise DataError(
                f"side {name!r}: expected hashes with the places they were seen at, found "
                f"{value!r}: {list(places)!r}; use None for rows without a hash"
            )
    hashes = sorted(value for value in seen if value is not None)
    unrecorded = tuple(seen.get(None, ()))
    return DialectSide(
        side=name,
        rows=sum(len(places) for places in seen.values()),
        hashes=tuple((value, len(seen[value])) for value in hashes),
        unrecorded=len(unrecorded),
        examples=tuple(seen[value][0] for value in hashes[:MAX_EXAMPLES]),
        unrecorded_examples=unrecorded[:MAX_EXAMPLES],
    )


def dialect_findings(table: DialectTable) -> tuple[Finding, ...]:
    """Report sides that differ from the first one, mix several hashes, or record none.

    An error if a side shares no hash with the first (the reference: name training first); a
    warning if it only has some in common, or a side holds several; rows without a hash are a
    warning too.

    Args:
        table: What `dialect_table` collected.

    >>> table = dialect_table({"train": {"h1": ["f:1"]}, "serving": {"h2": ["g:1"]}})
    >>> found = dialect_findings(table)[0]
    >>> found.severity.value, found.message
    ('error', 'serving uses dialect h2 where train uses h1')
    """
    found: list[Finding] = []
    known = [side for side in table.sides if side.hashes]
    for side in known[1:]:
        found.extend(_differs(table.what, known[0], side))
    for side in table.sides:
        found.extend(_within(table.what, side))
    return tuple(found)


def _names(side: DialectSide) -> str:
    return ", ".join(value[:12] for value, _ in side.hashes)


def _differs(what: str, first: DialectSide, side: DialectSide) -> Iterator[Finding]:
    expected = {value for value, _ in first.hashes}
    other = [(value, n) for value, n in side.hashes if value not in expected]
    if not other:
        return
    apart = len(other) == len(side.hashes)
    yield Finding(
        audit="dialects",
        severity=Severity.ERROR if apart else Severity.WARNING,
        message=f"{side.side} uses {what} {_names(side)} where {first.side} uses {_names(first)}",
        count=sum(n for _, n in other),
        of=side.rows,
        examples=(*first.examples[:2], *side.examples[:2]),
        effect="the judge is asked in words it was not trained or measured with; numbers of one "
        "side say nothing certain about the other",
        remedy=f"render every side with one {what}, or measure the judge with the one it serves",
    )


def _within(what: str, side: DialectSide) -> Iterator[Finding]:
    if len(side.hashes) > 1:
        most = max(n for _, n in side.hashes)
        yield Finding(
            audit="dialects",
            severity=Severity.WARNING,
            message=f"{side.side} mixes {len(side.hashes)} versions of its {what}: {_names(side)}",
            count=sum(n for _, n in side.hashes) - most,
            of=side.rows,
            examples=side.examples,
            effect="its rows are not comparable with each other",
            remedy=f"render all rows again with one {what}",
        )
    if side.unrecorded or not side.rows:
        yield Finding(
            audit="dialects",
            severity=Severity.WARNING,
            message=f"{side.side}: {side.unrecorded} of {side.rows} rows record no {what}",
            count=side.unrecorded,
            of=side.rows,
            examples=side.unrecorded_examples,
            effect=f"whether this side uses the same {what} is not known",
            remedy=f"store the hash of the {what} with every row",
        )
