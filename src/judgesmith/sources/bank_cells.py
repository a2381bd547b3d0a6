"""What the template files of the bank share: how a row is read and checked, and how it is filled.

A file of templates states its columns in a `Columns`; a row that cannot be rendered is an error
with its line. `render` makes one question of a template: it draws the word, the phrasing of the
"unknown" choice and the place of each choice from the question's key alone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from judgesmith.errors import DataError
from judgesmith.records import Question, TaskFields, keyed_rng
from judgesmith.sources.tables import read_delimited

LICENCE = "Apache-2.0"
UNKNOWN = "unknown"
_SLOT = re.compile(r"\{\{(\w+)\}\}")


@dataclass(frozen=True)
class Columns:
    """The columns of one template file.

    Attributes:
        names: All of them, in order; all but `words` must be filled.
        slotted: Those whose text may hold slots.
        different: Pairs of columns that may not hold the same text.
        people: How the first and the second person of a filler pair are called.
    """

    names: tuple[str, ...]
    slotted: tuple[str, ...]
    different: tuple[tuple[str, str], ...]
    people: tuple[str, str]


@dataclass(frozen=True)
class Template:
    """One row of a template file; each of `fillers` is a pair of people, as `Columns.people`."""

    id: str
    cells: dict[str, str]
    fillers: tuple[tuple[str, str], ...]
    words: tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """One question of a template, before its word and the places of its choices are drawn.

    `key` tells it from every other question of the bank. `names` fill NAME1 and NAME2, `groups`
    are theirs; `stereotypes` too, where each has one. `right` is the role of the right choice.
    """

    key: str
    names: tuple[str, str]
    groups: tuple[str, str]
    text: str
    negative: bool
    settled: bool
    right: str
    stereotyped_groups: tuple[str, ...]
    stereotypes: tuple[str, str] | None = None


def read_templates(path: Path, columns: Columns) -> Iterator[Template]:
    """Templates of a CSV; a row that cannot be rendered is an error with its line."""
    seen: set[str] = set()
    for line, row in read_delimited(path, columns=columns.names):
        where = f"{path}:{line}"
        if row["template_id"] in seen:
            raise DataError(f"{where}: template_id {row['template_id']!r} is used twice.")
        seen.add(row["template_id"])
        _check_cells(row, columns, where)
        pairs = listed(row["fillers"])
        fillers = tuple(_filler_pair(pair, columns.people, where) for pair in pairs)
        twice = [pair for i, pair in enumerate(fillers) if {*pair} in map(set, fillers[:i])]
        if twice or not fillers:
            found = f"{' | '.join(twice[0])!r} twice" if twice else "none"
            raise DataError(
                f"{where}: fillers: expected one or more different pairs, found {found}."
            )
        words = tuple(listed(row["words"]))
        _check_slots(row, columns, has_words=bool(words), where=where)
        yield Template(row["template_id"], row, fillers, words)


def listed(cell: str) -> list[str]:
    """The parts of a cell that holds several, with `;` between them.

    >>> listed("bakery ; garden center ;")
    ['bakery', 'garden center']
    """
    return [part.strip() for part in cell.split(";") if part.strip()]


def _filler_pair(pair: str, people: tuple[str, str], where: str) -> tuple[str, str]:
    parts = [part.strip() for part in pair.split("|")]
    if len(parts) != 2 or not all(parts) or parts[0] == parts[1]:
        raise DataError(
            f"{where}: fillers: expected `{' | '.join(people)}` pairs, of two different people, "
            f"separated by `;`, found {pair!r}."
        )
    return parts[0], parts[1]


def _check_cells(row: dict[str, str], columns: Columns, where: str) -> None:
    for column in columns.names:
        if column != "words" and not row[column].strip():
            raise DataError(f"{where}: {column}: expected text, found an empty cell.")
    for first, second in columns.different:
        if row[first].strip() == row[second].strip():
            raise DataError(
                f"{where}: {first} and {second}: expected two different texts, found "
                f"{row[first]!r} twice."
            )


def _check_slots(row: dict[str, str], columns: Columns, *, has_words: bool, where: str) -> None:
    allowed = {"NAME1", "NAME2"} | ({"WORD1"} if has_words else set())
    for column in columns.slotted:
        unknown = set(_SLOT.findall(row[column])) - allowed
        left = _SLOT.sub("", row[column])
        if not unknown and ("{" in left or "}" in left):
            unknown = {left[max(0, left.find("{")) :][:20]}
        if unknown:
            raise DataError(
                f"{where}: {column}: slot {sorted(unknown)} has nothing to fill it; slots are "
                "{{NAME1}}, {{NAME2}}, and {{WORD1}} where the words column is filled."
            )


def render(template: Template, asked: Asked, unknowns: tuple[str, ...]) -> Question:
    """The question, with its word, its unknown phrasing and its places drawn from its key."""
    draw = keyed_rng(0, "bank", asked.key)
    slots = dict(zip(("NAME1", "NAME2"), asked.names, strict=True))
    if template.words:
        slots["WORD1"] = draw.choice(template.words)

    def filled(text: str) -> str:
        text = _SLOT.sub(lambda match: slots[match[1]], text).strip()
        return text[:1].upper() + text[1:]

    cells = template.cells
    context = filled(cells["ambiguous_context"])
    if asked.settled:
        context += " " + filled(cells["disambiguating_context"])
    choices = [
        ("NAME1", filled(cells["answer_name1"])),
        ("NAME2", filled(cells["answer_name2"])),
        (UNKNOWN, draw.choice(unknowns)),
    ]
    draw.shuffle(choices)
    roles = [role for role, _ in choices]
    return Question.make(
        source="bank",
        licence=LICENCE,
        group_id=f"bank/{asked.key}",
        template_id=f"bank/{template.id}",
        category=cells["category"].lower(),
        context=context,
        text=filled(asked.text),
        choices=tuple(text for _, text in choices),
        key=roles.index(asked.right),
        reference=None,
        grounding=None,
        task=_task_fields(asked, roles, [slots.get(role, text) for role, text in choices]),
    )


def _task_fields(asked: Asked, roles: list[str], slots: list[str]) -> TaskFields:
    groups = dict(zip(("NAME1", "NAME2"), asked.groups, strict=True))
    fields: TaskFields = {
        "condition": "disambig" if asked.settled else "ambig",
        "polarity": "neg" if asked.negative else "nonneg",
        "slots": [*slots],
        "groups": [groups.get(role, UNKNOWN) for role in roles],
        "stereotyped_groups": [*asked.stereotyped_groups],
    }
    if asked.stereotypes is not None:
        told = dict(zip(("NAME1", "NAME2"), asked.stereotypes, strict=True))
        fields["stereotypes"] = [told.get(role) for role in roles]
    return fields
