"""How much of BBQ as published the renderer makes from BBQ's own templates.

    python -m benchmarks.bbq_rows --data FOLDER

FOLDER holds `bbq` (templates and seven categories of published rows) and, for rows of the other
four, `bbq_subsample_cot` and `judge_from_scratch`. A published row counts as reproduced when the
renderer can make a question of its template with the same context, question, condition and
polarity, the same two people (text of the choice, slot, group), the same person as the right
answer, and the same list of stereotyped groups. The phrasing of "unknown", the order of the
choices and the variant of each word were drawn by the authors and may differ; for two traits the
list of groups is not compared, because BBQ lists the race alone. Prints two Markdown tables; exits
1 when a difference has no explanation.
"""

import argparse
import gzip
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import orjson
from benchmarks.bbq_people_of_rows import pairs_of_row

from judgesmith.records import Question
from judgesmith.runs.jsonl import validate_row
from judgesmith.sources import bbq, judge_from_scratch
from judgesmith.sources.bbq_drawn_people import Pair
from judgesmith.sources.bbq_people import is_drawn, pairs_of
from judgesmith.sources.bbq_template_rows import (
    Template,
    category_of,
    read_templates,
    template_files,
)
from judgesmith.sources.bbq_templates import read_questions, render, wordings
from judgesmith.sources.bbq_vocabulary import Vocabulary, read_vocabulary

SAMPLED = ("race_ethnicity", "race_x_gender", "race_x_ses", "ses")
"""Categories of which only samples of the published rows are at hand."""

Identity = tuple[object, ...]
Person = tuple[str, str, str]
Kept = Callable[[Person], tuple[str, ...]]

RELAXED: tuple[tuple[str, Kept], ...] = (
    ("groups", lambda person: person[:2]),
    ("slots", lambda person: (person[0], person[2])),
    ("slots and groups", lambda person: person[:1]),
)
"""What of a person is compared, in the order tried, once the whole does not match."""

NOTES = {
    ("gender_identity", "groups"): "names the other way round kept the groups of the first order, "
    "against the text (templates 35 and 36 say who is trans)",
    ("ses", "groups"): "names the other way round kept the groups of the first order, against the "
    "text (template 8 says whose family is poor)",
    ("physical_appearance", "slots"): "slot 'other employee' where the filler is 'employee', which "
    "is also the end of 'pregnant employee' (template 10a)",
    ("race_x_gender", "slots and groups"): "slot and group left empty where 'Latino woman' became "
    "'Latina woman'",
}
LEFT_OUT = {
    ("disability_status", "4"): "semicolon in `[deaf person; hard-of-hearing person]`: the second "
    "filler and version b were lost",
    ("disability_status", "19"): "broken slot `{[NAME1}}`: version b was lost",
    ("physical_appearance", "10"): "has the filler as the slot",
}
NONE = "NOT EXPLAINED"
DRAWN = {
    "nationality": "the authors drew up to 5 groups and 5 others for each",
    "religion": "the authors drew 5 others for each group",
}


@dataclass
class Comparison:
    """Counts of one category; `differing` and `unpublished` are rows by their explanation.

    Templates whose people the renderer draws are apart from those whose pairs it makes all.
    """

    category: str
    drawn: bool
    published: int
    reproduced: int = 0
    rendered: int = 0
    rendered_published: int = 0
    differing: Counter[str] = field(default_factory=Counter)
    unpublished: Counter[str] = field(default_factory=Counter)

    @property
    def title(self) -> str:
        """The category, with what sets its templates apart."""
        return self.category + (", drawn people" if self.drawn else "")


def identity(question: Question, kept: Kept = tuple) -> Identity:
    """What makes two questions the same, whatever the authors left to chance."""
    task = question.task
    assert question.choices is not None
    assert question.key is not None
    slots, groups = _texts(task["slots"]), _texts(task["groups"])
    right = question.choices[question.key] if groups[question.key] != "unknown" else None
    people = frozenset(
        kept(person)
        for person in zip(question.choices, slots, groups, strict=True)
        if person[2] != "unknown"
    )
    category = question.category or ""
    listed = None if category.startswith("race_x") else tuple(_texts(task["stereotyped_groups"]))
    return (
        question.template_id, task["condition"], task["polarity"], question.context,
        question.text, people, right, listed,
    )  # fmt: skip


def _texts(value: object) -> list[str]:
    return [str(part) for part in value] if isinstance(value, list) else []


def read_published(data: Path) -> dict[str, list[Question]]:
    """The published rows at hand, by category, each once."""
    found: dict[str, dict[Identity, Question]] = defaultdict(dict)
    whole = bbq.read_questions(data / "bbq" / "data")
    others = chain(judge_from_scratch.read_questions(data / "judge_from_scratch"), _subsample(data))
    for question in chain(whole, (q for q in others if q.category in SAMPLED)):
        key = (question.group_id, question.context)
        found[question.category or ""][key] = question
    return {category: list(rows.values()) for category, rows in found.items()}


def _subsample(data: Path) -> Iterator[Question]:
    path = data / "bbq_subsample_cot" / "data" / "bbq" / "subsample.json.gz"
    for category, rows in orjson.loads(gzip.decompress(path.read_bytes())).items():
        for number, row in enumerate(rows):
            where = f"{path}: {category} {number}"
            yield bbq.bbq_question(validate_row(row, bbq.BbqRow, where=where))


class Meeting:
    """Which of the wanted rows were met, wholly or but for one part of the people."""

    def __init__(self, rows: Iterable[Question]) -> None:
        rows = list(rows)
        self.kinds: tuple[tuple[str, Kept], ...] = (("", tuple), *RELAXED)
        self.wanted = {name: {identity(row, kept) for row in rows} for name, kept in self.kinds}
        self.hits: dict[str, set[Identity]] = {name: set() for name, _ in self.kinds}

    def try_wordings(self, template: Template, pair: Pair) -> list[bool]:
        """For each of a pair's four questions, whether one of its wordings is published."""
        met = [False] * 4
        for words in wordings(template):
            for place, question in enumerate(render(template, pair, words=words)):
                for name, kept in self.kinds:
                    key = identity(question, kept)
                    if key in self.wanted[name]:
                        self.hits[name].add(key)
                        met[place] |= not name
        return met


def compare(
    templates: Sequence[Template], vocabulary: Vocabulary, rows: Sequence[Question]
) -> Comparison:
    """Compare all that a category's templates can make with its published rows."""
    category = templates[0].category.lower()
    rows = [row for row in rows if row.template_id in {_template_id(t) for t in templates}]
    found = Comparison(category, is_drawn(templates[0]), len(rows))
    meeting = Meeting(rows)
    for template in templates:
        own = [row for row in rows if row.template_id == _template_id(template)]
        people = {_people(row) for row in own}
        given = list(pairs_of(template, vocabulary))
        odd = not found.drawn and bool(people - {_slots(pair) for pair in given})
        tried = set()
        for pair in given:
            met, known = [False] * 4, _slots(pair) in people
            if known or odd:
                tried.add(pair)
                met = meeting.try_wordings(template, pair)
            found.rendered += len(met)
            found.rendered_published += sum(met)
            found.unpublished[_why_unpublished(template, known)] += met.count(False)
        if found.drawn:
            more = {pair for row in own for pair in pairs_of_row(template, vocabulary, row)}
            for pair in more - tried:
                meeting.try_wordings(template, pair)
    for row in rows:
        if identity(row) in meeting.hits[""]:
            found.reproduced += 1
        else:
            found.differing[_why_differing(category, row, meeting)] += 1
    return found


def _template_id(template: Template) -> str:
    return f"bbq/{template.category.lower()}::{template.question_index}"


def _people(row: Question) -> frozenset[str]:
    pairs = zip(_texts(row.task["slots"]), _texts(row.task["groups"]), strict=True)
    return frozenset(slot for slot, group in pairs if group != "unknown")


def _slots(pair: Pair) -> frozenset[str]:
    return frozenset(person.slot for person in pair)


def _why_unpublished(template: Template, known: bool) -> str:
    category = template.category.lower()
    if category in SAMPLED:
        return "only a sample of the published rows is at hand"
    if is_drawn(template):
        return "other pairs of people were drawn"
    if not known and category in DRAWN:
        return DRAWN[category]
    return LEFT_OUT.get((category, template.question_index), NONE)


def _why_differing(category: str, row: Question, meeting: Meeting) -> str:
    for name, kept in RELAXED:
        if identity(row, kept) in meeting.hits[name]:
            return NOTES.get((category, name), NONE)
    return NONE


def share(part: int, whole: int) -> str:
    """A share with its denominator.

    >>> share(1, 8)
    '12.5% of 8'
    """
    return f"{part / whole:.1%} of {whole:,}" if whole else "none"


def print_tables(found: Sequence[Comparison]) -> None:
    """Print the shares, then the differences, as Markdown."""
    print("| category | published rows | reproduced | rendered | of them published |")
    print("|---|---|---|---|---|")
    for part in found:
        sampled = part.category in SAMPLED
        reached = share(part.rendered_published, part.rendered)
        print(
            f"| {part.title} | {part.published:,}{' at hand' * sampled} | {part.reproduced:,}: "
            f"{share(part.reproduced, part.published)} | {part.rendered:,} | "
            f"{'-' if sampled or part.drawn else reached} |"
        )
    print("\n| category | rows | difference |\n|---|---|---|")
    for part in found:
        sides = [("published", part.differing), ("rendered", part.unpublished)]
        for side, reasons in sides[: 1 if part.category in SAMPLED or part.drawn else 2]:
            for reason, count in sorted((+reasons).items()):
                print(f"| {part.title} | {count:,} {side} only | {reason} |")


def compare_all(data: Path) -> list[Comparison]:
    """All eleven categories, those with all their published rows first."""
    folder = data / "bbq" / "templates"
    vocabulary, published = read_vocabulary(folder), read_published(data)
    found = []
    for file in template_files(folder):
        rows = published[category_of(file).lower()]
        for drawn in (False, True):
            templates = [row for row in read_templates(file) if is_drawn(row) == drawn]
            if templates:
                found.append(compare(templates, vocabulary, rows))
    return sorted(found, key=lambda part: (part.category in SAMPLED, part.drawn))


def main() -> int:
    """Print the tables; 1 when something is not explained."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    data = parser.parse_args().data
    found = compare_all(data)
    print_tables(found)
    start = time.process_time()
    count = sum(1 for _ in read_questions(data / "bbq" / "templates"))
    print(f"\n{count:,} questions rendered in {time.process_time() - start:.1f} s of one core.")
    unexplained = sum(part.differing[NONE] + part.unpublished[NONE] for part in found)
    return int(unexplained > 0)


if __name__ == "__main__":
    sys.exit(main())
