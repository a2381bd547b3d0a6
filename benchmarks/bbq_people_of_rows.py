"""The pairs of people that a published BBQ row can be about, where BBQ drew names."""

from collections.abc import Iterator

from judgesmith.records import Question
from judgesmith.sources.bbq_drawn_people import Pair, Person, with_places
from judgesmith.sources.bbq_template_rows import WEALTH, Template
from judgesmith.sources.bbq_vocabulary import GENDERS, Vocabulary

_LATINA = Person("Latina woman", "F-Latino", "Latino", "woman")


def pairs_of_row(template: Template, vocabulary: Vocabulary, row: Question) -> Iterator[Pair]:
    """Both orders of the row's people, if the vocabulary has them with the groups they carry."""
    slots, groups = row.task["slots"], row.task["groups"]
    assert isinstance(slots, list)
    assert isinstance(groups, list)
    people = [
        person_of(template, vocabulary, str(slot), str(group))
        for slot, group in zip(slots, groups, strict=True)
        if group != "unknown"
    ]
    if len(people) == 2 and people[0] is not None and people[1] is not None:
        yield with_places(template, (people[0], people[1]))
        yield with_places(template, (people[1], people[0]))


def person_of(template: Template, vocabulary: Vocabulary, slot: str, group: str) -> Person | None:
    """The person that a slot and a group stand for; None for one whom no draw can give."""
    given = {name: gender for gender in GENDERS for name in vocabulary.given[gender]}
    if slot in given:
        return Person(slot, given[slot], slot)
    if not slot:
        return _LATINA
    for second in ("", *seconds_of(template, vocabulary)):
        name = slot.removesuffix(second.removeprefix("a ")).strip()
        if second and name == slot:
            continue
        for tag in _groups(template, vocabulary, name, second):
            if tag == group:
                return Person(slot, group, name, second)
    return None


def seconds_of(template: Template, vocabulary: Vocabulary) -> dict[str, str]:
    """What the second trait may be called, with the value that it stands for."""
    if template.trait is None or (template.named and template.trait.is_gender):
        return {}
    if template.trait.words:
        return {text: value for value, texts in template.trait.words.items() for text in texts}
    return {word.text: word.group for word in vocabulary.words_of("SES", template.where)}


def _groups(template: Template, vocabulary: Vocabulary, name: str, second: str) -> Iterator[str]:
    value = seconds_of(template, vocabulary).get(second, "")
    if not template.named:
        words = vocabulary.words_of("Race_ethnicity", template.where)
        yield from (f"{value}-{name}" for word in words if word.text == name)
        return
    first, _, last = name.partition(" ")
    wealth = f"{value}-" if value in WEALTH else ""
    for (gender, race), names in vocabulary.first.items():
        if first in names and last in vocabulary.last[race]:
            yield f"{wealth}{gender}-{race}"
