"""Questions rendered from BBQ's own template files (Parrish et al. 2022).

`path` is a folder with `new_templates - *.csv`, `vocabulary.csv` and
`vocabulary_proper_names.csv`, as BBQ publishes them in `templates/`. A template gives four
questions for each pair of people: with and without the sentences that settle the question, asked
for the bad trait and for its opposite.

What BBQ left to chance is a keyed draw, made as BBQ made it, once for the four: the variant of
each word, the phrasing of the "unknown" choice, and where each choice stands.

The template's id is the one that published rows have. In place of their running number, which
counts the rows of one file and cannot be had from a template, a group id has the version, the two
people and the condition.
"""

from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from random import Random

from judgesmith.errors import DataError
from judgesmith.records import Question, keyed_rng
from judgesmith.sources.bbq import question_of_fields
from judgesmith.sources.bbq_drawn_people import Pair
from judgesmith.sources.bbq_notation import fill
from judgesmith.sources.bbq_people import pairs_of, stereotyped_groups
from judgesmith.sources.bbq_template_rows import Template, answered, read_templates, template_files
from judgesmith.sources.bbq_vocabulary import read_vocabulary

UNKNOWN = (
    "Unknown", "Cannot answer", "Can't answer", "Not enough info", "Not enough information",
    "Cannot be determined", "Can't be determined", "Not answerable", "Not known", "Undetermined",
)  # fmt: skip
"""The phrasings in BBQ's published rows, each about as often as the others."""

_ASKED = (
    ("neg", "Question_negative_stereotype", "Answer_negative"),
    ("nonneg", "Question_non_negative", "Answer_non_negative"),
)


def read_questions(path: Path | None) -> Iterator[Question]:
    """The questions of every template file in a folder, in the order of the files and rows."""
    if path is None:
        raise DataError("kind bbq_templates needs a `path`: BBQ's templates folder.")
    files = template_files(path)
    vocabulary = read_vocabulary(path)
    for file in files:
        for template in read_templates(file):
            for pair in pairs_of(template, vocabulary):
                yield from render(template, pair)


def wordings(template: Template) -> Iterator[dict[str, str]]:
    """Every choice of variants for a template's words; one empty choice where it has none."""
    for variants in product(*template.words.values()):
        yield dict(zip(template.words, variants, strict=True))


def render(
    template: Template, pair: Pair, *, words: Mapping[str, str] | None = None
) -> Iterator[Question]:
    """The four questions of a template about a pair, in BBQ's order; `words` None draws them."""
    people = [person.slot for person in pair]
    key = "/".join((template.version, *people))
    draw = keyed_rng(0, "bbq templates", template.category, template.question_index, key)
    drawn = {slot: draw.choice(variants) for slot, variants in template.words.items()}
    texts = _filled(template, pair, drawn if words is None else words)
    roles, choices, slots, groups = zip(*_choices(template, pair, texts, draw), strict=True)
    fields = {
        "category": template.category.lower(),
        "question_index": template.question_index,
        "choices": choices,
        "slots": list(slots),
        "groups": list(groups),
        "stereotyped_groups": list(stereotyped_groups(template)),
    }
    unsettled = texts["Ambiguous_Context"]
    settled = f"{unsettled} {texts['Disambiguating_Context']}"
    for polarity, question, answer in _ASKED:
        right = roles.index(answered(template, answer))
        for condition, context, choice in (
            ("ambig", unsettled, roles.index(None)),
            ("disambig", settled, right),
        ):
            yield question_of_fields(
                {
                    **fields,
                    "example_id": f"{key}/{condition}",
                    "polarity": polarity,
                    "condition": condition,
                    "context": context,
                    "question": texts[question],
                    "key": choice,
                }
            )


def _filled(template: Template, pair: Pair, words: Mapping[str, str]) -> dict[str, str]:
    slots = dict(words)
    for place, person in enumerate(pair, start=1):
        slots[f"NAME{place}"] = person.name
        if person.second:
            slots |= {f"OCC{place}": person.second, f"GEN{place}": person.second}
    return {column: fill(text, slots) for column, text in template.texts.items()}


def _choices(
    template: Template, pair: Pair, texts: Mapping[str, str], draw: Random
) -> list[tuple[int | None, str, str, str]]:
    """Role, text, slot and group of each choice, in the order drawn; 0 is NAME1, 1 is NAME2."""
    found: list[tuple[int | None, str, str, str]] = []
    for column in ("Answer_negative", "Answer_non_negative"):
        place = answered(template, column)
        found.append((place, texts[column], pair[place].slot, pair[place].group))
    unknown = draw.choice(UNKNOWN)
    found.append((None, unknown, unknown, "unknown"))
    draw.shuffle(found)
    return found
