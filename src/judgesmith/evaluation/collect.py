"""Judgments of files, packed: one byte a verdict, eight a score, whatever texts the files hold.

Rows arrive in any order from any number of files and are joined by item. A million judgments take
tens of megabytes here, because texts are counted in words and then let go.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from typing import NamedTuple, TypeVar, cast

from judgesmith.errors import DataError
from judgesmith.records import Status
from judgesmith.sources.imported import ImportedItem, ImportedJudgment, ImportedRow
from judgesmith.sources.mapping import Role

T = TypeVar("T")

MOST_VALUES = 250
"""Verdicts and statuses share one byte; a scale with more values than this is numbers."""


class VoteKey(NamedTuple):
    """One pass of one judge or annotator over the items."""

    by: str
    role: Role
    swapped: bool
    sample: int


class Votes:
    """What one pass says, by item position; 0 where it does not judge the item."""

    __slots__ = ("chances", "codes", "confidences", "scores")

    def __init__(self) -> None:
        self.codes = bytearray()
        self.scores: array[float] = array("d")
        self.confidences: dict[int, float] = {}
        self.chances: dict[int, dict[str, float]] = {}

    def has(self, position: int) -> bool:
        """Whether the item was judged, parsed or not."""
        return position < len(self.codes) and self.codes[position] != 0

    def positions(self) -> Iterator[int]:
        """Positions of the judged items, ascending."""
        return (i for i, code in enumerate(self.codes) if code)


@dataclass
class Collected:
    """Items by position, and every pass over them.

    `names[position]` is the item's id (with its criterion, if judgments have one); `words` holds
    the lengths of a pair's two responses, -1 where unknown.
    """

    positions: dict[tuple[str, str | None], int] = field(default_factory=dict)
    clusters: array[int] = field(default_factory=lambda: array("l"))
    words: array[int] = field(default_factory=lambda: array("l"))
    models: list[tuple[str, ...] | None] = field(default_factory=list)
    fields: list[tuple[tuple[str, str], ...]] = field(default_factory=list)
    where: list[str] = field(default_factory=list)
    votes: dict[VoteKey, Votes] = field(default_factory=dict)
    values: list[str | Status] = field(default_factory=list)
    statuses: dict[str, Counter[str]] = field(default_factory=dict)
    rows: int = 0
    pairs: bool = True

    @cached_property
    def names(self) -> list[tuple[str, str | None]]:
        """(item id, criterion) by position; to be asked when all rows are in."""
        return list(self.positions)

    def verdict(self, votes: Votes, position: int) -> str | None:
        """The verdict of a judged item, None where it was not parsed."""
        found = self.values[votes.codes[position] - 1]
        return None if isinstance(found, Status) else found

    def score(self, votes: Votes, position: int, response: int = 0, of: int = 1) -> float | None:
        """The score of one response of a judged item; None where there is none."""
        at = position * of + response
        if at >= len(votes.scores):
            return None
        found = votes.scores[at]
        return None if found != found else found  # NaN stands for "none" in the packed array only

    def keys(self, *roles: Role) -> list[VoteKey]:
        """Passes by judges or annotators of the given roles, in the order in which they came."""
        return [key for key in self.votes if key.role in roles]

    def passes_of(self, judge: str) -> list[VoteKey]:
        """A judge's passes; a person or a key of the same name is somebody else."""
        return [key for key in self.keys("judge") if key.by == judge]

    def people(self) -> list[str]:
        """Names of the people who labelled."""
        return list(dict.fromkeys(key.by for key in self.keys("person")))

    def judges(self) -> list[str]:
        """Names of the judges."""
        return list(dict.fromkeys(key.by for key in self.keys("judge")))


_NO_SCORE = array("d", [float("nan")])


class Collector:
    """Takes rows in and packs them."""

    def __init__(self, responses: int = 2) -> None:
        self.found = Collected(pairs=responses == 2)
        self.responses = responses
        self._codes: dict[str | Status, int] = {}
        self._clusters: dict[bytes, int] = {}
        self._shared: dict[object, object] = {}

    def add(self, row: ImportedRow) -> None:
        """Pack one row; raises DataError where an item is judged twice by one pass."""
        self.found.rows += 1
        if not row.judgments:
            self._position(row.item, None)
        for judgment in row.judgments:
            self._vote(self._position(row.item, judgment.criterion), judgment)

    def _position(self, item: ImportedItem, criterion: str | None) -> int:
        found = self.found
        position = found.positions.setdefault((item.id, criterion), len(found.where))
        if position == len(found.where):
            found.clusters.append(self._cluster(item.cluster))
            found.words.extend((-1, -1))
            found.models.append(None)
            found.fields.append(())
            found.where.append(item.where)
        self._complete(position, item, criterion)
        return position

    def _complete(self, position: int, item: ImportedItem, criterion: str | None) -> None:
        """Fill in what this row knows of the item and an earlier one did not."""
        found = self.found
        if item.responses and found.words[2 * position] < 0:
            for i, text in enumerate(item.responses[:2]):
                found.words[2 * position + i] = len(text.split())
        if item.models and found.models[position] is None:
            found.models[position] = self._share(item.models)
        if item.fields or criterion:
            self._add_fields(position, item, criterion)
        if item.cluster != item.id:  # a file of labels may know no more than the id
            found.clusters[position] = self._cluster(item.cluster)

    def _add_fields(self, position: int, item: ImportedItem, criterion: str | None) -> None:
        """Add the fields that no earlier row of the item gave; a given one stays."""
        known = self.found.fields[position]
        names = {name for name, _ in known}
        more = [pair for pair in item.fields.items() if pair[0] not in names]
        if criterion and "criterion" not in names:
            more.append(("criterion", criterion))
        if more:
            self.found.fields[position] = self._share((*known, *more))

    def _cluster(self, name: str) -> int:
        key = blake2b(name.encode(), digest_size=8).digest()
        return self._clusters.setdefault(key, len(self._clusters))

    def _share(self, value: T) -> T:
        return cast(T, self._shared.setdefault(value, value))

    def _vote(self, position: int, judgment: ImportedJudgment) -> None:
        key = VoteKey(judgment.by, judgment.role, judgment.swapped, judgment.sample)
        votes = self.found.votes.get(key)
        if votes is None:
            votes = self.found.votes.setdefault(key, Votes())
        if votes.has(position):
            self._again(key, position, judgment)
            return
        if len(votes.codes) <= position:
            votes.codes.extend(bytes(position + 1 - len(votes.codes)))
        self._write(votes, position, judgment)

    def _write(self, votes: Votes, position: int, judgment: ImportedJudgment) -> None:
        votes.codes[position] = self._code(judgment)
        if judgment.scores is not None:
            self._scores(votes, position, judgment.scores)
        if judgment.distribution is not None:
            votes.chances[position] = dict(judgment.distribution)
        if judgment.confidence is not None:
            votes.confidences[position] = judgment.confidence
        if judgment.status is not Status.PARSED:
            self._count(judgment)

    def _count(self, judgment: ImportedJudgment) -> None:
        if judgment.role == "judge":
            counts = self.found.statuses.setdefault(judgment.by, Counter())
            counts[judgment.status.value] += 1

    def _again(self, key: VoteKey, position: int, judgment: ImportedJudgment) -> None:
        """Let a label be repeated beside every judge's verdict; refuse everything else.

        An empty label beside a given one says nothing: many tables give it once for an item.
        """
        votes = self.found.votes[key]
        if key.role != "judge" and judgment.status is Status.NO_VERDICT:
            return
        if key.role != "judge" and self._value(votes, position) is Status.NO_VERDICT:
            self._write(votes, position, judgment)
            return
        same = votes.codes[position] == self._code(judgment)
        for i, score in enumerate(judgment.scores or ()):
            same = same and self.found.score(votes, position, i, self.responses) == score
        if judgment.role != "judge" and same:
            return
        if judgment.role != "judge":
            raise DataError(
                f"{judgment.where}: item {judgment.item!r} already has another label by "
                f"{judgment.by!r} ({self._known(votes, position)}); expected one label for each "
                "item and annotator, in every row of the item where it stands beside verdicts. "
                "Correct the file, or map a `sample` number."
            )
        raise DataError(
            f"{judgment.where}: item {judgment.item!r} is judged a second time by "
            f"{judgment.by!r} in one order; expected one judgment for each item, judge, order "
            "and sample. Remove the copy; or tell repeats apart by `sample`, two files or two "
            "judges by different names in `judge`."
        )

    def _value(self, votes: Votes, position: int) -> str | Status:
        return self.found.values[votes.codes[position] - 1]

    def _known(self, votes: Votes, position: int) -> str:
        score = self.found.score(votes, position, 0, self.responses)
        value = self._value(votes, position)
        return f"{value.value if isinstance(value, Status) else value if score is None else score}"

    def _scores(self, votes: Votes, position: int, scores: tuple[float, ...]) -> None:
        start = position * self.responses
        if len(votes.scores) < start:
            votes.scores.extend(_NO_SCORE * (start - len(votes.scores)))
        needed = start + self.responses - len(votes.scores)
        if needed > 0:
            votes.scores.extend(_NO_SCORE * needed)
        for i, score in enumerate(scores):
            votes.scores[start + i] = score

    def _code(self, judgment: ImportedJudgment) -> int:
        value: str | Status = judgment.status
        numeric = judgment.scores is not None and self.responses == 1
        if judgment.status is Status.PARSED and not numeric and judgment.verdict is not None:
            value = judgment.verdict
        code = self._codes.get(value)
        if code is None:
            if len(self._codes) >= MOST_VALUES:
                raise DataError(
                    f"{judgment.where}: verdict {value!r} is the {MOST_VALUES + 1}th different "
                    "one; expected a small closed scale. Map numbers with `scores`, not `verdict`."
                )
            self.found.values.append(value)
            code = self._codes[value] = len(self.found.values)
        return code


def collect(rows: Iterable[ImportedRow], *, responses: int) -> Collected:
    """Pack all rows. `responses` is 2 for pairs and 1 for single responses."""
    collector = Collector(responses)
    for row in rows:
        collector.add(row)
    return collector.found
