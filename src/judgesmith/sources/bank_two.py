"""Templates with two tracked stereotypes: each of the two people is what one of them would pick.

BBQ tracks one stereotype per question, so its only other wrong answer is one that no stereotype
suggests. Here both are suggested: of a 78-year-old and a 19-year-old, who drove badly? There is no
non-negative question, because its answer would follow neither stereotype. A template has one or
more wordings of the negative question. Each is asked with every pair of fillers in both
assignments, with and without the sentence that settles it on {{NAME1}}: so the settled answer is
each person of a pair equally often.
"""

from collections.abc import Iterator
from itertools import product

from judgesmith.errors import DataError
from judgesmith.records import Question
from judgesmith.sources.bank_cells import Asked, Columns, Template, listed, render

FILE_NAME = "two_stereotypes.csv"
COLUMNS = (
    "template_id", "category", "ambiguous_context", "disambiguating_context", "questions",
    "answer_name1", "answer_name2", "fillers", "words", "group1", "group2", "stereotype1",
    "reference1", "stereotype2", "reference2",
)  # fmt: skip
FILE = Columns(
    names=COLUMNS,
    slotted=COLUMNS[2:7],
    different=(
        ("answer_name1", "answer_name2"),
        ("group1", "group2"),
        ("stereotype1", "stereotype2"),
    ),
    people=("person of group1", "person of group2"),
)


def render_template(template: Template, unknowns: tuple[str, ...]) -> Iterator[Question]:
    """Every question of one template: pairs x 2 assignments x 2 contexts x wordings."""
    cells = template.cells
    tags = (cells["group1"], cells["group2"])
    told = (cells["stereotype1"], cells["stereotype2"])
    wordings = listed(cells["questions"])
    if len({*wordings}) < max(1, len(wordings)):
        raise DataError(
            f"{FILE_NAME}: template {template.id!r}: questions: expected one or more wordings, all "
            f"different, separated by `;`, found {cells['questions']!r}."
        )
    for people, as_listed in product(template.fillers, (True, False)):
        names = people if as_listed else people[::-1]
        for settled, (number, wording) in product((False, True), enumerate(wordings, start=1)):
            asked = Asked(
                key="/".join((template.id, *names, str(settled), str(number))),
                names=names,
                groups=tags if as_listed else tags[::-1],
                text=wording,
                negative=True,
                settled=settled,
                right="NAME1" if settled else "unknown",
                stereotyped_groups=tags,
                stereotypes=told if as_listed else told[::-1],
            )
            yield render(template, asked, unknowns)
