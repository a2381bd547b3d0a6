"""Under whose terms does each record stand, and what do they allow?

A record is made of a question, of responses and of judgments. Each part has an owner with terms of
its own; the record may be published, or trained on, only where every part allows it. What a text of
terms allows is known for common licences by their SPDX identifiers, and for a model from what the
recipe says. Everything else is unknown, and unknown is never read as allowed. It is bookkeeping,
not legal advice.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Annotated, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

JOIN = "; "
"""Between the terms in a record's `licence`."""


class May(StrEnum):
    """Whether the terms allow something; what nobody has looked up is unknown."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


def _of_yaml(value: object) -> object:
    """YAML reads a bare yes and no as true and false."""
    return (May.YES if value else May.NO) if isinstance(value, bool) else value


Allowed = Annotated[May, BeforeValidator(_of_yaml)]


class Terms(BaseModel):
    """What the owner of a part allows; of a model, what its vendor says of its outputs.

    `licence` names the terms. `publish` is whether the part may be passed on, `train` whether other
    models may be trained on it. `conditions` are what must be kept to in both.

    >>> Terms(licence="a vendor's terms", publish=True, train=False).train.value
    'no'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    licence: str = Field(min_length=1)
    publish: Allowed = May.UNKNOWN
    train: Allowed = May.UNKNOWN
    conditions: tuple[str, ...] = ()


NOT_STATED = Terms(licence="terms not stated")
"""The terms of a model of which the recipe says none."""


class ModelTerms(NamedTuple):
    """A model of the recipe: how its vendor names it, and the terms of its outputs."""

    model: str
    terms: Terms


class Role(StrEnum):
    """What a part is to a record."""

    QUESTION = "questions"
    RESPONSE = "responses"
    GENERATOR = "generator"
    TEACHER = "teacher"
    PEOPLE = "people"
    GIVEN = "judgments"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a record and its terms.

    Attributes:
        role: What the part is to the record.
        name: The model's name in the recipe; empty for what came with terms of its own.
        model: How its vendor names it; of judgments given elsewhere who gave them, else empty.
        terms: What its owner allows.
    """

    role: Role
    name: str
    model: str
    terms: Terms

    @property
    def who(self) -> str:
        """Whose part it is: `teacher big (v/big-1)`, `judgments by gpt-4`, or `questions`."""
        if self.name:
            return f"{self.role} {self.name} ({self.model})"
        return f"{self.role} by {self.model}" if self.model else str(self.role)

    @property
    def title(self) -> str:
        """The part and the name of its terms.

        >>> Part(Role.TEACHER, "big", "v/big-1", Terms(licence="V's terms")).title
        "teacher big (v/big-1): V's terms"
        >>> Part(Role.QUESTION, "", "", Terms(licence="MIT")).title
        'questions: MIT'
        """
        return f"{self.who}: {self.terms.licence}"


_NOTICE = ("keep the licence text and notices",)
_CREDIT = ("name the source and its licence",)
_ALIKE = (*_CREDIT, "pass on under the same licence")
_FOR_FREE = "no commercial use"
_FAMILIES: dict[tuple[str, ...], tuple[str, ...]] = {
    ("CC0-1.0", "PDDL-1.0", "Unlicense"): (),
    ("Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"): _NOTICE,
    ("CC-BY-3.0", "CC-BY-4.0", "ODC-BY", "ODC-By-1.0"): _CREDIT,
    ("CC-BY-SA-3.0", "CC-BY-SA-4.0", "ODbL-1.0"): _ALIKE,
    ("CC-BY-NC-3.0", "CC-BY-NC-4.0"): (*_CREDIT, _FOR_FREE),
    ("CC-BY-NC-SA-3.0", "CC-BY-NC-SA-4.0"): (*_ALIKE, _FOR_FREE),
}
_CONDITIONS = {name.casefold(): said for names, said in _FAMILIES.items() for name in names}


@cache
def stated(licence: str) -> Terms:
    """What a record's licence allows: all of it where every name in it is a common licence.

    >>> stated("CC-BY-4.0").conditions
    ('name the source and its licence',)
    >>> stated("MIT; CC0-1.0").publish.value, stated("MIT; the user's own").publish.value
    ('yes', 'unknown')
    """
    names = [name.strip().casefold() for name in licence.split(JOIN)]
    if not all(name in _CONDITIONS for name in names):
        return Terms(licence=licence or "none given")
    conditions = dict.fromkeys(said for name in names for said in _CONDITIONS[name])
    return Terms(
        licence=licence, publish=May.YES, train=May.YES, conditions=tuple(conditions)
    )  # fmt: skip


def terms_of(
    question: str, responses: Iterable[tuple[str, str]] = (), *, teachers: Iterable[str] = (),
    people: str | None = None, given: Iterable[tuple[str, str]] = (),
    models: Mapping[str, ModelTerms],
) -> tuple[Part, ...]:  # fmt: skip
    """The parts of a record, each once.

    Simulated responders, simulated teachers and the answer key are this project's own and add
    nothing; what they write stands under the terms of the question.

    Args:
        question: The question's licence.
        responses: Licence and author of each response in the record.
        teachers: Authors of the judgments that the record rests on.
        people: The licence of a verdict by people, if it rests on one.
        given: Author and terms of judgments that were given elsewhere and came with their own.
        models: The models of the recipe, by name.

    >>> big = ModelTerms("v/big-1", Terms(licence="V's terms", publish=True, train=False))
    >>> parts = terms_of("MIT", [("MIT", "sim")], teachers=["big", "answer key"],
    ...                  models={"big": big})
    >>> [part.title for part in parts]
    ['questions: MIT', "teacher big (v/big-1): V's terms"]
    >>> parts = terms_of("MIT", given=[("gpt-4", "OpenAI terms")], models={})
    >>> [part.title for part in parts]
    ['questions: MIT', 'judgments by gpt-4: OpenAI terms']
    """
    parts = [Part(Role.QUESTION, "", "", stated(question))]
    shown = list(responses)
    parts += [Part(Role.RESPONSE, "", "", stated(text)) for text, _ in shown if text != question]
    if people is not None:
        parts.append(Part(Role.PEOPLE, "", "", stated(people)))
    parts += [Part(Role.GIVEN, "", who, stated(licence)) for who, licence in given]
    authors = [(Role.GENERATOR, name) for _, name in shown]
    authors += [(Role.TEACHER, name) for name in teachers]
    parts += [Part(role, name, *models[name]) for role, name in authors if name in models]
    return tuple(dict.fromkeys(parts))


def row_licence(licence: str, parts: Iterable[Part]) -> str:
    """A row's `licence`: that of its texts, then the vendors' names of the models it rests on.

    The models' terms themselves are looked up when they are asked for: what is known of them may
    change, and a row stays what it is.

    >>> big = Part(Role.TEACHER, "big", "v/big-1", NOT_STATED)
    >>> row_licence("CC-BY-4.0", [big]), row_licence("CC-BY-4.0", [])
    ('CC-BY-4.0; terms of v/big-1', 'CC-BY-4.0')
    """
    return JOIN.join([licence, *sorted({f"terms of {p.model}" for p in parts if p.name})])


def strictest(answers: Iterable[May]) -> May:
    """No where one says no, else unknown where one is unknown, else yes.

    >>> strictest([May.YES, May.UNKNOWN, May.NO]).value, strictest([May.YES]).value
    ('no', 'yes')
    """
    found = set(answers)
    return next((answer for answer in (May.NO, May.UNKNOWN) if answer in found), May.YES)


def conditions_of(parts: Iterable[Part]) -> tuple[str, ...]:
    """Every condition of the parts once."""
    return tuple(dict.fromkeys(said for part in parts for said in part.terms.conditions))
