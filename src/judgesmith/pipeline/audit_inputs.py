"""Rows of files, packed for the audits: where each judgment stands, and no texts.

`evaluation.collect` packs the verdicts; here their places, clusters and the state of raw replies
are kept beside them, some twenty bytes a judgment.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b

from judgesmith.errors import DataError
from judgesmith.evaluation.collect import Collected, Collector, VoteKey
from judgesmith.evaluation.foreign import MOST_PARTS
from judgesmith.evaluation.labels import NOBODY, Labels, choose_labels
from judgesmith.evaluation.measure import Subject
from judgesmith.pipeline.readable import Readable, read_counted
from judgesmith.sources.imported import ImportedRow

MOST_ITEMS = 50_000
"""Items that an audit with a test by simulation, or with texts, looks at; picked by a hash."""

NO_BUCKET = "all items"
_LONGEST_NAME = 200
_DIGITS = "0123456789"
_NONE, _WRITTEN, _BLANK = 0, 1, 2


class Places:
    """Where things stand, by position: a shared beginning and a number, not a text each."""

    def __init__(self) -> None:
        self._starts: list[str] = [""]
        self._known: dict[str, int] = {}
        self._start: array[int] = array("l")
        self._number: array[int] = array("q")

    def put(self, position: int, where: str) -> None:
        """Keep where the thing at a position stands."""
        start = where.rstrip(_DIGITS)
        digits = where[len(start) :]
        if not 0 < len(digits) < 18 or (digits[0] == "0" and len(digits) > 1):
            start, digits = where, "-1"
        at = self._known.get(start)
        if at is None:
            at = self._known[start] = len(self._starts)
            self._starts.append(start)
        missing = position + 1 - len(self._start)
        if missing > 0:
            self._start.extend([0] * missing)
            self._number.extend([-1] * missing)
        self._start[position], self._number[position] = at, int(digits)

    def at(self, position: int) -> str | None:
        """Where it stands; None where nothing is kept.

        >>> places = Places()
        >>> places.put(2, "a.jsonl:17")
        >>> places.at(2), places.at(1), places.at(9)
        ('a.jsonl:17', None, None)
        """
        if position >= len(self._start) or not self._start[position]:
            return None
        start, number = self._starts[self._start[position]], self._number[position]
        return start if number < 0 else f"{start}{number}"


@dataclass
class AuditSet:
    """One set: everything that was judged or labelled, over all of its files.

    `groups` are the names of the clusters by position. `columns` says what the files hold:
    "responses", "models", "reply", "rationale".
    """

    name: str
    subject: Subject
    read: Callable[[], Iterator[ImportedRow]]
    notes: tuple[str, ...] = ()
    found: Collected = field(default_factory=Collected)
    groups: list[str] = field(default_factory=list)
    places: dict[VoteKey, Places] = field(default_factory=dict)
    replies: dict[VoteKey, bytearray] = field(default_factory=dict)
    columns: set[str] = field(default_factory=set)

    @cached_property
    def labels(self) -> Labels:
        """The labels by the mapping's policy; nobody's where it cannot be followed."""
        try:
            return choose_labels(self.found, self.subject.labels, pairs=self.subject.pairs)
        except DataError:
            return self.people_or_key

    @cached_property
    def people_or_key(self) -> Labels:
        """The labels by people, else by the key."""
        try:
            return choose_labels(self.found, "majority", pairs=self.subject.pairs)
        except DataError:
            return Labels({}, {}, "nobody", NOBODY, (), {})

    @cached_property
    def chosen(self) -> tuple[int, ...]:
        """Positions of up to `MOST_ITEMS` items, those with the least hash."""
        names = self.found.names
        if len(names) <= MOST_ITEMS:
            return tuple(range(len(names)))
        hashed = sorted(range(len(names)), key=lambda i: _hash(f"{names[i][0]}\x1f{names[i][1]}"))
        return tuple(sorted(hashed[:MOST_ITEMS]))

    @cached_property
    def fields(self) -> dict[str, list[str]]:
        """Fields with 2 to `MOST_PARTS` values, each with its value by position."""
        rows = [dict(pairs) for pairs in self.found.fields]
        kept = {}
        for name in dict.fromkeys(name for row in rows for name in row):
            column = [row.get(name, "none") for row in rows]
            if 1 < len(set(column)) <= MOST_PARTS:
                kept[name] = column
        return kept

    @cached_property
    def buckets(self) -> list[str]:
        """The bucket of each item: the field `bucket`, else the first that makes buckets."""
        name = "bucket" if "bucket" in self.fields else next(iter(self.fields), None)
        return [NO_BUCKET] * len(self.found.where) if name is None else self.fields[name]

    def where(self, position: int) -> str:
        """Where an item stands first."""
        return self.found.where[position]

    def judged_at(self, key: VoteKey, position: int) -> str:
        """Where a judgment stands; else its item."""
        return self.places[key].at(position) or self.where(position)

    def reply_of(self, key: VoteKey, position: int) -> str | None:
        """What is known of a raw reply without its text: None, blank, or something written."""
        states = self.replies.get(key, b"")
        state = states[position] if position < len(states) else _NONE
        return None if state == _NONE else "" if state == _BLANK else "(written)"


def _hash(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def short_name(name: str) -> str:
    """A name as it is, or a hash of it where it is a whole text."""
    return name if len(name) <= _LONGEST_NAME else _hash(name).hex()


def pack(source: Readable) -> AuditSet:
    """Read all rows of a source once."""
    made = AuditSet(source.name, source.subject, source.read, source.notes)
    collector = Collector(2 if source.subject.pairs else 1)
    made.found = collector.found
    shared: dict[str, str] = {}
    for row in read_counted(source, f"read {source.name}"):
        collector.add(row)
        _keep(made, row, shared)
    return made


def _keep(made: AuditSet, row: ImportedRow, shared: dict[str, str]) -> None:
    item = row.item
    criteria: Iterable[str | None] = dict.fromkeys(j.criterion for j in row.judgments) or (None,)
    for criterion in criteria:
        position = made.found.positions[item.id, criterion]
        group = short_name(item.cluster)
        group = shared.setdefault(group, group)
        if position == len(made.groups):
            made.groups.append(group)
        elif item.cluster != item.id:
            made.groups[position] = group
    if item.responses:
        made.columns.add("responses")
    if item.models:
        made.columns.add("models")
    for judgment in row.judgments:
        position = made.found.positions[item.id, judgment.criterion]
        key = VoteKey(judgment.by, judgment.role, judgment.swapped, judgment.sample)
        made.places.setdefault(key, Places()).put(position, judgment.where)
        if judgment.role == "judge" and judgment.rationale:
            made.columns.add("rationale")
        if judgment.reply is not None:
            made.columns.add("reply")
            states = made.replies.setdefault(key, bytearray())
            states.extend(bytes(max(0, position + 1 - len(states))))
            states[position] = _WRITTEN if judgment.reply.strip() else _BLANK
