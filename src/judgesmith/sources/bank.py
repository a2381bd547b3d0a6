"""The question bank that ships with the package: templates in a CSV -> questions.

Each template is rendered with every pair of fillers, in both assignments of the two people, with
and without the sentence that settles the question, and for both polarities of the question. Which
words fill {{WORD1}}, which phrasing the "unknown" choice has and where each choice stands is drawn
from the content of the question, so the same CSV always gives the same questions.

A folder may also have templates with two tracked stereotypes (`bank_two.py`).
"""

from collections.abc import Iterator
from importlib import resources
from itertools import product
from pathlib import Path

from judgesmith.errors import DataError
from judgesmith.records import Question
from judgesmith.sources import bank_two
from judgesmith.sources.bank_cells import Asked, Columns, Template, read_templates, render
from judgesmith.sources.tables import read_delimited

COLUMNS = (
    "template_id", "category", "ambiguous_context", "disambiguating_context", "question_negative",
    "question_non_negative", "answer_name1", "answer_name2", "fillers", "words",
    "stereotyped_group", "other_group", "stereotype", "reference",
)  # fmt: skip
_FILE = Columns(
    names=COLUMNS,
    slotted=COLUMNS[2:8],
    different=(("answer_name1", "answer_name2"), ("stereotyped_group", "other_group")),
    people=("stereotyped person", "other person"),
)


def read_questions(path: Path | None) -> Iterator[Question]:
    """All questions of a bank folder; None is the shipped one.

    The folder has `templates.csv`, `unknowns.csv` and, if it likes, `two_stereotypes.csv`.
    """
    path = shipped_bank() if path is None else path
    unknowns = read_unknowns(path / "unknowns.csv")
    seen: set[str] = set()
    for template in read_templates(path / "templates.csv", _FILE):
        seen.add(template.id)
        yield from render_template(template, unknowns)
    second = path / bank_two.FILE_NAME
    if not second.exists():
        return
    for template in read_templates(second, bank_two.FILE):
        if template.id in seen:
            raise DataError(
                f"{second}: template_id {template.id!r} is also used in templates.csv; rename one."
            )
        yield from bank_two.render_template(template, unknowns)


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


def render_template(template: Template, unknowns: tuple[str, ...]) -> Iterator[Question]:
    """Every question of one template."""
    cells = template.cells
    tags = (cells["stereotyped_group"], cells["other_group"])
    for people, as_listed in product(template.fillers, (True, False)):
        names = people if as_listed else people[::-1]
        for settled, negative in product((False, True), (True, False)):
            asked = Asked(
                key="/".join((template.id, *names, str(settled), str(negative))),
                names=names,
                groups=tags if as_listed else tags[::-1],
                text=cells["question_negative" if negative else "question_non_negative"],
                negative=negative,
                settled=settled,
                right=("NAME1" if negative else "NAME2") if settled else "unknown",
                stereotyped_groups=tags[:1],
            )
            yield render(template, asked, unknowns)
