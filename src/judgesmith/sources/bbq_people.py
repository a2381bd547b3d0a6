"""The pairs of people that a BBQ template asks about, in the order NAME1, NAME2.

Found from the published rows, of which each has a pair that is allowed here:

- fillers of the row itself: each of NAME1 with each of NAME2, in these places only;
- a word of the vocabulary for a stereotyped group with each word for any other group, both ways
  round; for genders each word with each other word; for occupations low with high;
- names, and a race with an occupation: too many, so pairs are drawn; see `bbq_drawn_people`.
"""

from collections.abc import Iterator
from itertools import chain, permutations, product

from judgesmith.errors import DataError
from judgesmith.sources.bbq_drawn_people import KINDS, Pair, Person, draw_pairs, placed
from judgesmith.sources.bbq_template_rows import Template
from judgesmith.sources.bbq_vocabulary import GENDERS, Vocabulary, Word, ethnicities

_LOW = {"low SES": "lowSES"}


def pairs_of(template: Template, vocabulary: Vocabulary) -> Iterator[Pair]:
    """All pairs of a template, or the drawn ones where people are named or have race and job."""
    if template.people is not None:
        for one, two in product(*template.people):
            yield placed(template, (_filler(template, one), _filler(template, two)))
    elif template.trait is not None:
        yield from chain.from_iterable(draw_pairs(template, vocabulary, kind) for kind in KINDS)
    elif template.named:
        yield from draw_pairs(template, vocabulary, "race")
    else:
        yield from _worded(template, vocabulary)


def is_drawn(template: Template) -> bool:
    """Whether `pairs_of` gives a draw of the pairs that the template allows."""
    return template.trait is not None or (template.named and template.people is None)


def stereotyped_groups(template: Template) -> tuple[str, ...]:
    """BBQ's list for a question; for two traits the whole tags of the people that are meant.

    The published rows of two traits list the race alone, which both people of a pair may have.
    """
    if template.trait is None:
        return template.groups
    value = template.trait.stereotyped
    if not template.named:
        return tuple(f"{value}-{race}" for race in template.groups)
    lead = [value] if template.trait.is_gender else [f"{value}-{gender}" for gender in GENDERS]
    return tuple(f"{first}-{race}" for first in lead for race in ethnicities(template.groups))


def _filler(template: Template, text: str) -> Person:
    """BBQ left the article of "a one percenter" out of the slot, and that of "a cane" in it."""
    slot = text.removeprefix("a ") if template.category == "SES" else text
    return Person(slot, text, text)


def _worded(template: Template, vocabulary: Vocabulary) -> Iterator[Pair]:
    words = vocabulary.words_of(template.category, template.where)
    if template.subcategory:
        words = tuple(word for word in words if word.subcategory == template.subcategory)
    if template.category == "Gender_identity":
        yield from permutations([_called(word) for word in words], 2)
        return
    groups = {_LOW.get(group, group) for group in template.groups}
    inside = [word for word in words if groups & {word.text, _wealth(word)}]
    if not inside:
        raise DataError(
            f"{template.where}: Known_stereotyped_groups: expected a group of the vocabulary, "
            f"found {list(template.groups)!r}."
        )
    for word, other in product(inside, (word for word in words if word not in inside)):
        yield _called(word), _called(other)
        yield _called(other), _called(word)


def _wealth(word: Word) -> str:
    return word.group if word.group in _LOW.values() else word.text


def _called(word: Word) -> Person:
    return Person(word.text, word.group, word.text)
