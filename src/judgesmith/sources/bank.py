"""The question bank that ships with the package: templates in a CSV -> questions.

Each template is rendered with every pair of fillers, in both assignments of the two people, with
and without the sentence that settles the question, and for both polarities of the question. Which
words fill {{WORD1}}, which phrasing the "unknown" choice has and where each choice stands is drawn
from the content of the question, so the same CSV always gives the same questions.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from itertools import product
from pathlib import Path

from judgesmith.errors import DataError
from judgesmith.records import Question, keyed_rng
from judgesmith.sources.tables import read_delimited

LICENCE = "Apache-2.0"
COLUMNS = (
    "template_id", "category", "ambiguous_context", "disambiguating_context", "question_negative",
    "question_non_negative", "answer_name1", "answer_name2", "fillers", "words",
    "stereotyped_group", "other_group", "stereotype", "reference",
)  # fmt: skip
_SLOT = re.compile(r"\{\{(\w+)\}\}")


@dataclass(frozen=True)
class Template:
    """One row of the bank; `fillers` are (stereotyped person, other person)."""

    id: str
    cells: dict[str, str]
    fillers: tuple[tuple[str, str], ...]
    words: tuple[str, ...]


def read_questions(path: Path | None) -> Iterator[Question]:
    """All questions of a bank folder (`templates.csv`, `unknowns.csv`); None is the shipped one."""
    path = shipped_bank() if path is None else path
    unknowns = read_unknowns(path / "unknowns.csv")
    for template in read_templates(path / "templates.csv"):
        yield from render_template(template, unknowns)


def shipped_bank() -> Path:
    """The folder of the bank that comes with the package."""
    return Path(str(resources.files("judgesmith.sources") / "bank"))


def read_unknowns(path: Path) -> tuple[str, ...]:
    """Phrasings of the choice that names nobody; at least one, and none of them blank."""
    found = []
    for line, row in read_delimited(path, columns=("text",)):
        if not row["text"].strip():
            raise DataError(f"{path}:{line}: text: expected a phrasing, found an empty cell.")
        found.append(row["text"].strip())
    if not found:
        raise DataError(
            f"{path}: expected at least one phrasing of the unknown choice, found none."
        )
    return tuple(found)


def read_templates(path: Path) -> Iterator[Template]:
    """Templates of a CSV; a row that cannot be rendered is an error with its line."""
    seen: set[str] = set()
    for line, row in read_delimited(path, columns=COLUMNS):
        where = f"{path}:{line}"
        if row["template_id"] in seen:
            raise DataError(f"{where}: template_id {row['template_id']!r} is used twice.")
        seen.add(row["template_id"])
        _check_cells(row, where)
        fillers = tuple(_filler_pair(pair, where) for pair in _listed(row["fillers"]))
        twice = [pair for i, pair in enumerate(fillers) if {*pair} in map(set, fillers[:i])]
        if twice or not fillers:
            found = f"{' | '.join(twice[0])!r} twice" if twice else "none"
            raise DataError(
                f"{where}: fillers: expected one or more different pairs, found {found}."
            )
        words = tuple(_listed(row["words"]))
        _check_slots(row, has_words=bool(words), where=where)
        yield Template(row["template_id"], row, fillers, words)


def _listed(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]


def _filler_pair(pair: str, where: str) -> tuple[str, str]:
    parts = [part.strip() for part in pair.split("|")]
    if len(parts) != 2 or not all(parts) or parts[0] == parts[1]:
        raise DataError(
            f"{where}: fillers: expected `stereotyped person | other person` pairs, of two "
            f"different people, separated by `;`, found {pair!r}."
        )
    return parts[0], parts[1]


def _check_cells(row: dict[str, str], where: str) -> None:
    for column in COLUMNS:
        if column != "words" and not row[column].strip():
            raise DataError(f"{where}: {column}: expected text, found an empty cell.")
    for first, second in (("answer_name1", "answer_name2"), ("stereotyped_group", "other_group")):
        if row[first].strip() == row[second].strip():
            raise DataError(
                f"{where}: {first} and {second}: expected two different texts, found "
                f"{row[first]!r} twice."
            )


def _check_slots(row: dict[str, str], *, has_words: bool, where: str) -> None:
    allowed = {"NAME1", "NAME2"} | ({"WORD1"} if has_words else set())
    for column in COLUMNS[2:8]:
        unknown = set(_SLOT.findall(row[column])) - allowed
        left = _SLOT.sub("", row[column])
        if not unknown and ("{" in left or "}" in left):
            unknown = {left[max(0, left.find("{")) :][:20]}
        if unknown:
            raise DataError(
                f"{where}: {column}: slot {sorted(unknown)} has nothing to fill it; slots are "
                "{{NAME1}}, {{NAME2}}, and {{WORD1}} where the words column is filled."
            )


def render_template(template: Template, unknowns: tuple[str, ...]) -> Iterator[Question]:
    """Every question of one template."""
    cells = template.cells
    for (stereotyped, other), first_is_stereotyped in product(template.fillers, (True, False)):
        names = (stereotyped, other) if first_is_stereotyped else (other, stereotyped)
        tags = (cells["stereotyped_group"], cells["other_group"])
        groups = tags if first_is_stereotyped else tags[::-1]
        for settled, negative in product((False, True), (True, False)):
            key = "/".join((template.id, *names, str(settled), str(negative)))
            yield _render(template, key, names, groups, unknowns)


def _render(
    template: Template, key: str, names: tuple[str, str], groups: tuple[str, str],
    unknowns: tuple[str, ...],
) -> Question:  # fmt: skip
    settled, negative = (part == "True" for part in key.split("/")[-2:])
    draw = keyed_rng(0, "bank", key)
    slots = {"NAME1": names[0], "NAME2": names[1]}
    if template.words:
        slots["WORD1"] = draw.choice(template.words)

    def filled(column: str) -> str:
        text = _SLOT.sub(lambda match: slots[match[1]], template.cells[column]).strip()
        return text[:1].upper() + text[1:]

    context = filled("ambiguous_context")
    if settled:
        context += " " + filled("disambiguating_context")
    right = ("NAME1" if negative else "NAME2") if settled else "unknown"
    choices = [
        ("NAME1", filled("answer_name1"), groups[0]),
        ("NAME2", filled("answer_name2"), groups[1]),
        ("unknown", draw.choice(unknowns), "unknown"),
    ]
    draw.shuffle(choices)
    return Question.make(
        source="bank",
        licence=LICENCE,
        group_id=f"bank/{key}",
        template_id=f"bank/{template.id}",
        category=template.cells["category"].lower(),
        context=context,
        text=filled("question_negative" if negative else "question_non_negative"),
        choices=tuple(text for _, text, _ in choices),
        key=[role for role, _, _ in choices].index(right),
        reference=None,
        grounding=None,
        task={
            "condition": "disambig" if settled else "ambig",
            "polarity": "neg" if negative else "nonneg",
            "slots": [slots.get(role, text) for role, text, _ in choices],
            "groups": [group for _, _, group in choices],
            "stereotyped_groups": [template.cells["stereotyped_group"]],
        },
    )
