"""Pairs of people for BBQ's templates of names, and of race with occupation: a keyed draw.

Such a template allows thousands to millions of pairs. BBQ published a draw, and so is this: up to
`DRAWN` different pairs for each kind, both ways round, always the same for the same template.

A template of two traits has three kinds, BBQ's `intersectional_a`, `_b` and `_c`: the stereotyped
person beside one who differs in the second trait, in race, or in both.
"""

from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

from judgesmith.errors import DataError
from judgesmith.records import keyed_rng
from judgesmith.sources.bbq_template_rows import Template, Trait
from judgesmith.sources.bbq_vocabulary import GENDERS, Vocabulary, ethnicities

DRAWN = 25
"""Pairs for each kind; BBQ drew 25 for most templates of names."""

KINDS = ("second trait", "race", "both")
"""What the other person differs in."""

_TRIES = 20 * DRAWN


class Person(NamedTuple):
    """`slot` and `group` as in BBQ's `answer_info`; `name` fills NAME, `second` GEN or OCC."""

    slot: str
    group: str
    name: str
    second: str = ""


Pair = tuple[Person, Person]


def placed(template: Template, pair: Pair) -> Pair:
    """The pair with the groups that the template fixes by place, whoever stands there."""
    one, two = template.places
    return pair[0]._replace(group=one), pair[1]._replace(group=two)


def draw_pairs(template: Template, vocabulary: Vocabulary, kind: str) -> Iterator[Pair]:
    """Up to `DRAWN` different pairs of a kind, each in both orders."""
    draw = keyed_rng(
        0, "bbq people", template.category, template.question_index, template.version, kind
    )
    source = _source(template, vocabulary, kind)
    seen: set[frozenset[str]] = set()
    for _ in range(_TRIES):
        one, two = source(draw)
        people = frozenset((one.slot, two.slot))
        if len(people) < 2 or people in seen:
            continue
        seen.add(people)
        yield with_places(template, (one, two))
        yield with_places(template, (two, one))
        if len(seen) == DRAWN:
            return


def with_places(template: Template, pair: Pair) -> Pair:
    """A woman whom her place calls nonTrans is "nonTrans_F"; a name of SES has the place's group.

    BBQ's rows with the names the other way round kept the groups of the first order.
    """
    if not any(template.places):
        return pair
    one, two = placed(template, pair)
    if template.category == "Gender_identity":
        one = one._replace(group=f"{one.group}_{pair[0].group}")
        two = two._replace(group=f"{two.group}_{pair[1].group}")
    return one, two


def _source(template: Template, vocabulary: Vocabulary, kind: str) -> Callable[[Random], Pair]:
    if template.trait is not None:
        trait = template.trait
        return lambda draw: _of_two_traits(template, trait, vocabulary, kind, draw)
    if template.category == "Race_ethnicity":
        return lambda draw: _of_two_races(template, vocabulary, draw)
    if not all(vocabulary.given.get(gender) for gender in GENDERS):
        raise DataError(
            f"{template.where}: needs names of both genders; expected rows with First_last "
            f"`first_only` and gender F and M in {vocabulary.names_file}."
        )
    women, men = (tuple(Person(n, g, n) for n in vocabulary.given[g]) for g in GENDERS)
    if template.category == "Gender_identity":
        return lambda draw: (draw.choice(women), draw.choice(men))
    return lambda draw: (draw.choice(women + men), draw.choice(women + men))


def _of_two_races(template: Template, vocabulary: Vocabulary, draw: Random) -> Pair:
    inside, outside = _races(template, vocabulary)
    gender = draw.choice(GENDERS)
    one, two = draw.choice(inside), draw.choice(outside)
    name, other = (_name(vocabulary, draw, race, gender) for race in (one, two))
    return Person(name, f"{gender}-{one}", name), Person(other, f"{gender}-{two}", other)


def _of_two_traits(
    template: Template, trait: Trait, vocabulary: Vocabulary, kind: str, draw: Random
) -> Pair:
    """The stereotyped person first; in one pair gender is the same unless it is the second trait.

    Where only race differs, both have the same occupation.
    """
    inside, outside = _races(template, vocabulary)
    race = draw.choice(inside)
    other_race = race if kind == "second trait" else draw.choice(outside)
    value = trait.stereotyped
    other_value = value if kind == "race" else trait.other
    if trait.is_gender:
        genders = (value, other_value)
        seconds = tuple(draw.choice(trait.words.get(gender, ("",))) for gender in genders)
    else:
        genders = (template.gender or draw.choice(GENDERS),) * 2
        second = draw.choice(_called(trait, value, vocabulary, template))
        other = draw.choice(_called(trait, other_value, vocabulary, template))
        seconds = (second, second if kind == "race" else other)
    people = []
    for who, worth, gender, second in zip(
        (race, other_race), (value, other_value), genders, seconds, strict=True
    ):
        name = _name(vocabulary, draw, who, gender) if template.named else who
        tags = [] if trait.is_gender else [worth]
        tags += [gender] if template.named or trait.is_gender else []
        people.append(_person(name, second, "-".join((*tags, who))))
    return people[0], people[1]


def _person(name: str, second: str, group: str) -> Person:
    slot = f"{name} {second.removeprefix('a ')}".strip()
    return Person(slot.replace("Latino wom", "Latina wom"), group, name, second)


def _races(template: Template, vocabulary: Vocabulary) -> tuple[list[str], list[str]]:
    """The stereotyped races and the others, as ethnicities of names or as words."""
    if template.named:
        races = list(vocabulary.ethnicities)
        stereotyped = ethnicities(template.groups)
    else:
        words = vocabulary.words_of("Race_ethnicity", template.where)
        races, stereotyped = [word.text for word in words], list(template.groups)
    inside = [race for race in races if race in stereotyped]
    outside = [race for race in races if race not in stereotyped]
    if not inside or not outside:
        raise DataError(
            f"{template.where}: expected {'names' if template.named else 'words'} for one of "
            f"{list(template.groups)!r} and for another race in {vocabulary.folder}, found "
            f"{races}."
        )
    return inside, outside


def _called(
    trait: Trait, value: str, vocabulary: Vocabulary, template: Template
) -> tuple[str, ...]:
    if trait.words:
        return trait.words[value]
    words = vocabulary.words_of("SES", template.where)
    return tuple(word.text for word in words if word.group == value)


def _name(vocabulary: Vocabulary, draw: Random, race: str, gender: str) -> str:
    first = draw.choice(vocabulary.first[gender, race])
    return f"{first} {draw.choice(vocabulary.last[race])}"
