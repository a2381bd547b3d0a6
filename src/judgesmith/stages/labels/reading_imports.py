"""What files of labels hold: verdicts by people, import by import, and judgments by models."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from judgesmith.backends.hub import find_source
from judgesmith.records import AnnotatorKind, Question, Response
from judgesmith.sources import (
    LABEL_READERS,
    Import,
    ImportedLabel,
    count_dropped,
    mapping_of,
    reader,
)


@dataclass
class ImportedRows:
    """Verdicts by people with the kind of their import, those by models, and what was dropped."""

    people: list[tuple[str, list[ImportedLabel]]] = field(default_factory=list)
    models: list[ImportedLabel] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)


def read_imports(
    imports: Iterable[Import], questions: dict[str, Question], responses: dict[str, Response]
) -> ImportedRows:
    """All verdicts of the imports, in their order."""
    found = ImportedRows()
    for source in imports:
        read = reader(LABEL_READERS, source.kind)
        rows = read(find_source(source.path), questions, responses, *mapping_of(source))
        people: list[ImportedLabel] = []
        for given in count_dropped(rows, found.dropped):
            by_person = given.annotator_kind is not AnnotatorKind.MODEL
            (people if by_person else found.models).append(given)
        found.people.append((source.kind, people))
    return found
