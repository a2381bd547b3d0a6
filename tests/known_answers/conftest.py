"""Published data sets as their shipped mappings read them, each read once."""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path

import pytest

from judgesmith.sources.benchmarks import load_shipped
from judgesmith.sources.imported import ImportedItem, ImportedJudgment
from judgesmith.sources.mapped import read_mapped

Verdicts = dict[str, str | None]
Column = list[str]


class Published:
    """One data set: its items, merged over files, and its judgments in the order read."""

    def __init__(self, name: str, data: Path) -> None:
        self.mapping = load_shipped(name)
        self.folder = data / (self.mapping.folder or name)
        self.rows = 0
        self.items: dict[str, ImportedItem] = {}
        self.judgments: list[ImportedJudgment] = []
        for row in read_mapped(self.mapping, self.folder):
            self.rows += 1
            known = self.items.get(row.item.id)
            if known is None or (known.question is None and row.item.question is not None):
                self.items[row.item.id] = row.item
            self.judgments += row.judgments

    @cached_property
    def judges(self) -> list[str]:
        return sorted({j.by for j in self.judgments if j.role == "judge"})

    @cached_property
    def _by(self) -> dict[tuple[str, str | None], list[ImportedJudgment]]:
        found: dict[tuple[str, str | None], list[ImportedJudgment]] = {}
        for judgment in self.judgments:
            found.setdefault((judgment.by, judgment.criterion), []).append(judgment)
        return found

    def judged(
        self, by: str, *, criterion: str | None = None, swapped: bool = False, sample: int = 0
    ) -> Iterator[ImportedJudgment]:
        """The judgments of one judge or person in one order, one sample."""
        for judgment in self._by.get((by, criterion), []):
            if judgment.swapped == swapped and judgment.sample == sample:
                yield judgment

    def verdicts(
        self, by: str, *, criterion: str | None = None, swapped: bool = False, sample: int = 0
    ) -> Verdicts:
        """Item to verdict in item order; None is unparsed. One judgment per item."""
        found: Verdicts = {}
        for judgment in self.judged(by, criterion=criterion, swapped=swapped, sample=sample):
            assert judgment.item not in found, f"{by} judged {judgment.item} twice"
            found[judgment.item] = judgment.verdict
        return found

    def scores(
        self, by: str, *, criterion: str | None = None, sample: int = 0
    ) -> dict[str, tuple[float, ...] | None]:
        """Item to the scores of its responses; None is unparsed."""
        return {j.item: j.scores for j in self.judged(by, criterion=criterion, sample=sample)}

    @cached_property
    def _people(self) -> dict[str | None, dict[str, list[str]]]:
        found: dict[str | None, dict[str, list[str]]] = {}
        for judgment in self.judgments:
            if judgment.role == "person":
                assert judgment.verdict is not None
                of_item = found.setdefault(judgment.criterion, {}).setdefault(judgment.item, [])
                of_item.append(judgment.verdict)
        return found

    def ratings(self, criterion: str | None) -> dict[str, list[str]]:
        """Item to the verdicts of all people, as in the file."""
        return self._people.get(criterion, {})

    def with_field(self, name: str, *values: str) -> set[str]:
        """Ids of the items whose field has one of the values."""
        return {i.id for i in self.items.values() if i.fields.get(name) in values}


@pytest.fixture(scope="session")
def published(shared_data: Path) -> Callable[[str], Published]:
    read: dict[str, Published] = {}

    def get(name: str) -> Published:
        if name not in read:
            read[name] = Published(name, shared_data)
        return read[name]

    return get


@pytest.fixture(scope="session")
def align() -> Callable[..., tuple[Column, ...]]:
    """Columns over the items that every given column has parsed, optionally among some items."""

    def columns(
        *given: Mapping[str, str | None], among: set[str] | None = None
    ) -> tuple[Column, ...]:
        kept = [
            item
            for item in given[0]
            if (among is None or item in among)
            and all(column.get(item) is not None for column in given)
        ]
        return tuple([str(column[item]) for item in kept] for column in given)

    return columns
