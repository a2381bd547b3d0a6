"""How many records of each output stand under which terms, and what they allow together."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from judgesmith.audits.finding import MAX_EXAMPLES
from judgesmith.audits.licences import May, Part, conditions_of, strictest


class Carried(NamedTuple):
    """One record and the parts it is made of."""

    record_id: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class TermSet:
    """The records of an output that are made of the same parts; at most `MAX_EXAMPLES` ids."""

    parts: tuple[Part, ...]
    n: int
    examples: tuple[str, ...]

    @property
    def publish(self) -> May:
        """Whether they may be published: by the strictest part."""
        return strictest(part.terms.publish for part in self.parts)

    @property
    def train(self) -> May:
        """Whether a model may be trained on them: by the strictest part."""
        return strictest(part.terms.train for part in self.parts)


@dataclass(frozen=True, slots=True)
class OutputTerms:
    """One output: how many records it has, and in how many ways they are made up.

    Attributes:
        output: Its name.
        trains: Whether a student learns from it.
        n: How many records it has.
        sets: Its records by their parts, the most frequent first.
    """

    output: str
    trains: bool
    n: int
    sets: tuple[TermSet, ...]

    def publish(self, answer: May) -> int:
        """How many records may, may not, or may or may not be published."""
        return sum(found.n for found in self.sets if found.publish is answer)

    def train(self, answer: May) -> int:
        """How many records a model may, may not, or may or may not be trained on."""
        return sum(found.n for found in self.sets if found.train is answer)


@dataclass(frozen=True, slots=True)
class LicenceTable:
    """The terms of several outputs."""

    outputs: tuple[OutputTerms, ...]

    def student(self) -> tuple[Part, ...]:
        """What a student trained on the outputs rests on; empty where nothing trains one."""
        training = (found for output in self.outputs if output.trains for found in output.sets)
        return tuple(dict.fromkeys(part for found in training for part in found.parts))

    def to_dict(self) -> dict[str, object]:
        """Give the table as plain JSON values."""
        return {
            "outputs": [_as_dict(output) for output in self.outputs],
            "student": [part.title for part in self.student()],
            "conditions": list(conditions_of(self.student())),
        }


def _as_dict(output: OutputTerms) -> dict[str, object]:
    return {
        "output": output.output,
        "trains": output.trains,
        "n": output.n,
        "publish": {answer.value: output.publish(answer) for answer in May},
        "train": {answer.value: output.train(answer) for answer in May},
        "sets": [
            {
                "terms": [part.title for part in found.parts],
                "n": found.n,
                "publish": found.publish.value,
                "train": found.train.value,
                "conditions": list(conditions_of(found.parts)),
                "examples": list(found.examples),
            }
            for found in output.sets
        ],
    }


def licence_table(
    outputs: Mapping[str, Iterable[Carried]], *, training: Collection[str] = ()
) -> LicenceTable:
    """Count the records of each output by what they are made of.

    Args:
        outputs: The records of each output, by its name; one without records is left out.
        training: Names of the outputs that a student learns from.

    >>> from judgesmith.audits.licences import terms_of
    >>> mit = terms_of("MIT", models={})
    >>> table = licence_table({"rows": [Carried("r1", mit), Carried("r2", mit)]})
    >>> table.outputs[0].publish(May.YES), table.outputs[0].n
    (2, 2)
    """
    made = []
    for name, records in outputs.items():
        ids: dict[tuple[Part, ...], list[str]] = {}
        for record in records:
            ids.setdefault(record.parts, []).append(record.record_id)
        sets = [TermSet(p, len(found), tuple(found[:MAX_EXAMPLES])) for p, found in ids.items()]
        sets.sort(key=lambda one: (-one.n, [part.title for part in one.parts]))
        if sets:
            n = sum(one.n for one in sets)
            made.append(OutputTerms(name, name in training, n, tuple(sets)))
    return LicenceTable(tuple(made))
