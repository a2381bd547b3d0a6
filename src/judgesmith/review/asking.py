"""How an item's verdict is asked for on a page, and what was given there as a verdict."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from judgesmith.errors import DataError
from judgesmith.judging.reading import criteria_scores, scores_of
from judgesmith.judging.scale import Scale, number_text
from judgesmith.records import LETTERS, TIE, Choice, Direction, Kind, Ranking, Scores, choice

FEW = 11
"""Values that are buttons; of more, a field takes the number."""

SURENESS = (("Unsure", 0.5, "J"), ("Fairly sure", 0.75, "K"), ("Sure", 1.0, "L"))
"""How sure a person is, as words, as the probability that they are right, and as a key."""

_TAKEN = set("QXSPUGRNJKL")


class Value(NamedTuple):
    """A button: what it means, its words, and its key; None where no key is left."""

    value: str
    words: str
    key: str | None


class Row(NamedTuple):
    """One thing to decide: buttons, or a number from `low` to `high` where there are none."""

    slot: str
    words: str
    values: tuple[Value, ...]
    low: str = ""
    high: str = ""
    step: str = ""


def rows_of(scale: Scale, letters: Sequence[str], criteria: Sequence[str]) -> tuple[Row, ...]:
    """What is asked of an item whose responses are shown under these letters.

    One row for a choice; one for each response that is scored, or each criterion of each. Their
    slots are those of a judgment's `distribution`.

    >>> [row.slot for row in rows_of(Scale(low=1, high=5), "AB", ["clarity"])]
    ['1/clarity', '2/clarity']
    >>> [(one.words, one.key) for one in rows_of(Scale(choices=("A", "B", "TIE")), "AB", ())[0].values]
    [('A', 'A'), ('B', 'B'), ('Tie', 'T')]
    """  # noqa: E501
    alone = len(letters) == 1
    if scale.choices is not None:
        allowed = [one for one in scale.choices if alone or one == TIE or one in letters]
        values = tuple(
            Value(one, _said(one), _key(one, place)) for place, one in enumerate(allowed)
        )
        return (Row("verdict", "Verdict", values),)
    return tuple(
        _score_row(scale, slot, words)
        for place, letter in enumerate(letters, start=1)
        for slot, words in (
            [(f"{place}/{name}", name if alone else f"{letter}: {name}") for name in criteria]
            or [(str(place), "Score" if alone else f"Response {letter}")]
        )
    )


def _score_row(scale: Scale, slot: str, words: str) -> Row:
    if len(scale.values) > FEW:
        first, last = scale.values[0], scale.values[-1]
        return Row(slot, words, (), first, last, number_text(scale.step))
    values = tuple(Value(one, one, _digit(one, scale)) for one in scale.values)
    return Row(slot, words, values)


def _said(value: str) -> str:
    return "Tie" if value == TIE else value


def _key(value: str, place: int) -> str | None:
    if value == TIE:
        return "T"
    if len(value) == 1 and value.isalnum() and value.upper() not in _TAKEN:
        return value.upper()
    return str(place + 1) if place < 9 else None


def _digit(value: str, scale: Scale) -> str | None:
    """The score itself, 0 for 10; where scores are no single digits, their place."""
    values = scale.values
    if all(one in "0123456789" or one == "10" for one in values) and not {"0", "10"} <= set(values):
        return "0" if value == "10" else value
    place = values.index(value)
    return str((place + 1) % 10) if place < 10 else None


def question_of(kind: Kind, scale: Scale, direction: Direction | None, about: str | None) -> str:
    """What is asked, with the verdict's direction.

    `about` is what the dialect judges by in one word, such as "biased"; without it, "better".

    >>> question_of(Kind.PAIR, Scale(choices=("A", "B")), Direction.WORSE, "biased")
    'Which response is MORE biased?'
    >>> question_of(Kind.SINGLE, Scale(low=1, high=5), Direction.BETTER, None)
    'Score the response: 5 is best, 1 is worst.'
    """
    worse = direction is Direction.WORSE
    if scale.choices is None:
        best, worst = (scale.values[-1], scale.values[0])[:: -1 if worse else 1]
        what = "the response" if kind is Kind.SINGLE else "each response"
        return f"Score {what}: {best} is best, {worst} is worst."
    if kind is Kind.SINGLE:
        return "Choose a verdict on the response."
    if about:
        return f"Which response is {'MORE' if worse else 'LESS'} {about}?"
    return f"Which response is {'WORSE' if worse else 'BETTER'}?"


def given_in(verdict: Choice | Scores | Ranking | None) -> dict[str, str] | None:
    """A verdict as the page gives it: the value of each slot.

    >>> given_in(scores_of([4.0, 2.5]))
    {'1': '4', '2': '2.5'}
    """
    if verdict is None or isinstance(verdict, Ranking):
        return None
    if isinstance(verdict, Choice):
        return {"verdict": verdict.value}
    if verdict.criteria is None:
        return {str(place): number_text(one) for place, one in enumerate(verdict.values, start=1)}
    return {
        f"{place}/{name}": number_text(one)
        for name, values in verdict.criteria.items()
        for place, one in enumerate(values, start=1)
    }


def said_in(verdict: Choice | Scores | Ranking | None) -> str:
    """A verdict in words.

    >>> said_in(choice("TIE")), said_in(scores_of([4.0, 2.5]))
    ('Tie', 'A: 4, B: 2.5')
    """
    given = given_in(verdict)
    if given is None:
        return "no verdict"
    if len(given) == 1:
        return _said(next(iter(given.values())))
    named = [(*slot.partition("/")[::2], value) for slot, value in given.items()]
    return ", ".join(
        f"{LETTERS[int(at) - 1]} {name}".strip() + f": {value}" for at, name, value in named
    )


def verdict_in(given: Mapping[str, str], rows: Sequence[Row], scale: Scale) -> Choice | Scores:
    """What was given on the page as a verdict in the order shown.

    Raises DataError for what is not on the scale, or not asked.
    """
    asked = {row.slot for row in rows}
    if set(given) != asked:
        raise DataError(f"expected a value of each of {sorted(asked)}, found {sorted(given)}")
    for row in rows:
        allowed = [one.value for one in row.values] or scale.values
        if given[row.slot] not in allowed:
            told = ", ".join(allowed) if row.values else f"{row.low} to {row.high} by {row.step}"
            raise DataError(f"{row.words}: expected one of {told}, found {given[row.slot]!r}")
    if "verdict" in asked:
        return choice(given["verdict"])
    if all("/" not in slot for slot in asked):
        return scores_of([float(given[row.slot]) for row in rows])
    named: dict[str, list[float]] = {}
    for row in rows:  # in the order of responses
        named.setdefault(row.slot.partition("/")[2], []).append(float(given[row.slot]))
    return criteria_scores({name: tuple(values) for name, values in named.items()})
