"""Somebody else's files, read through a mapping: items, judgments and labels, row by row."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from judgesmith.errors import DataError
from judgesmith.records import content_id
from judgesmith.sources.added import LookedUp, add_part, path_values
from judgesmith.sources.imported import ImportedItem, ImportedRow
from judgesmith.sources.load_mapping import require_sound
from judgesmith.sources.mapping import Mapping, TableFile
from judgesmith.sources.patterns import FoundFile, find_files
from judgesmith.sources.tables import read_table
from judgesmith.sources.templates import (
    Getter,
    Row,
    RowProblem,
    as_text,
    compile_template,
    explain,
    optional_getter,
    shorten,
    spell,
)
from judgesmith.sources.votes import VoteReader, compile_conditions, compile_each, compile_require


def read_mapped(mapping: Mapping, at: Path | Sequence[Path]) -> Iterator[ImportedRow]:
    """The rows of a mapping's files below a folder, or of the files given.

    Files come in the order of the mapping's entries, then by name; rows in the order of the file.
    Memory does not grow with JSON Lines, CSV, TSV and Parquet files.

    Raises DataError naming file, line and column for the first row that the mapping does not fit,
    and RecipeError for a mapping that cannot be meant.
    """
    require_sound(mapping)
    entry = root = reader = None
    for of, file in find_files(mapping, at):
        if reader is None or of is not entry or file.root != root:
            entry, root = of, file.root
            reader = RowReader(of, mapping, file.root)
        yield from _read_file(of, file, reader)


def _read_file(entry: TableFile, found: FoundFile, reader: "RowReader") -> Iterator[ImportedRow]:
    constants = path_values(found)
    table = read_table(found.path, format=entry.format, rows=entry.rows)
    for number, (where, key, row) in enumerate(table, start=1):
        row.update(constants)
        row["$row"] = number
        if key is not None:
            row["$key"] = key
        try:
            made = reader.read(row, where)
        except (KeyError, RowProblem) as error:
            raise DataError(f"{where}: {explain(error, row)}") from None
        yield from made


Step = Callable[[Row], bool | None]
"""Puts a value into a row, or says with False that the row is left out."""


def _steps(entry: TableFile, root: Path) -> list[Step]:
    """Parts, then rows of other files, each condition as soon as it has all that it reads."""
    conditions = compile_conditions(entry.where, entry.unless)
    conditions += compile_require(entry.require)
    late = dict.fromkeys(entry.parts, 1) | dict.fromkeys(entry.lookup, 2)
    stage = [max((late.get(name, 0) for name in test.names), default=0) for test in conditions]
    adders: list[list[Step]] = [
        [],
        [add_part(name, part) for name, part in entry.parts.items()],
        [LookedUp(name, spec, root).add for name, spec in entry.lookup.items()],
    ]
    steps: list[Step] = []
    for number, added in enumerate(adders):
        steps += added
        steps += [c.keep for c, at in zip(conditions, stage, strict=True) if at == number]
    return steps


class RowReader:
    """One entry of a mapping's `files`, compiled."""

    def __init__(self, entry: TableFile, mapping: Mapping, root: Path) -> None:
        self._each = compile_each(entry.each) if entry.each else None
        self._steps = _steps(entry, root)
        self._item = optional_getter(entry.item)
        self._may_hash = entry.item is None or "?}" in entry.item
        self._cluster = optional_getter(entry.cluster)
        self._question = optional_getter(entry.question)
        self._reference = optional_getter(entry.reference)
        self._responses = [compile_template(text).get for text in entry.responses]
        self._models = [compile_template(text).get for text in entry.models]
        self._sides = entry.sides and [compile_template(text).get for text in entry.sides]
        self._fields = [(name, compile_template(text).get) for name, text in entry.fields.items()]
        self._votes = [VoteReader(votes, mapping) for votes in entry.votes]
        self._entry = entry

    def read(self, row: Row, where: str) -> list[ImportedRow]:
        """What a row holds: nothing where a condition leaves it out, several with `each`.

        Raises RowProblem, or KeyError for a column that is not there.
        """
        if self._each is None:
            return [self._one(row, where)] if self._kept(row) else []
        return [self._one(row, where) for _ in self._each(row) if self._kept(row)]

    def _kept(self, row: Row) -> bool:
        return all(step(row) is not False for step in self._steps)

    def _one(self, row: Row, where: str) -> ImportedRow:
        turned = self._sides is not None and self._turn(row)
        question = None if self._question is None else as_text(self._question(row))
        responses = self._several(self._responses, row, turned, "responses")
        models = self._several(self._models, row, turned, "models")
        named = None if self._item is None else self._item(row)
        if named is None and self._may_hash:
            item = self._hash(question, responses)
        else:
            item = self._name(named, self._entry.item)
        cluster = question or item
        if self._cluster is not None:
            cluster = self._name(self._cluster(row), self._entry.cluster)
        fields = {}
        for name, get in self._fields:
            value = get(row)
            if value is not None and value != "":
                fields[name] = value if type(value) is str else spell(value)
        reference = None if self._reference is None else as_text(self._reference(row))
        judgments: list[Any] = []
        for votes in self._votes:
            judgments += votes.read(row, item, turned, where)
        return ImportedRow(
            ImportedItem(item, cluster, question, reference, responses, models, fields, where),
            tuple(judgments),
        )

    def _turn(self, row: Row) -> bool:
        assert self._sides is not None
        first, second = (spell(get(row)) for get in self._sides)
        turned = second < first
        row["$first"], row["$second"] = (second, first) if turned else (first, second)
        return turned

    def _several(
        self, getters: list[Getter], row: Row, turned: bool, name: str
    ) -> tuple[str, ...] | None:
        if not getters:
            return None
        values = [get(row) for get in getters]
        texts = tuple([v if type(v) is str else "" if v is None else spell(v) for v in values])
        if not any(texts):
            return None
        if None in values:
            raise RowProblem(f"{name}: expected a text for each, found {shorten(values)}.")
        return texts[::-1] if turned else texts

    def _hash(self, question: str | None, responses: tuple[str, ...] | None) -> str:
        if question is None or responses is None:
            raise RowProblem(
                "the row names no item: expected an id (`item`), or a question and its responses, "
                "whose hash it then is."
            )
        try:
            return content_id(question, responses)
        except (TypeError, ValueError) as error:
            raise RowProblem(f"question or responses are not valid text: {error}") from None

    def _name(self, value: Any, text: str | None) -> str:
        if value is None or value == "":
            raise RowProblem(f"{text}: expected an id, found {value!r}.")
        return value if type(value) is str else spell(value)
