"""The judgments that a row holds, in the item's stored order and the mapping's direction."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from judgesmith.records import Direction, Status
from judgesmith.sources.decisions import (
    FLIPPED,
    Decision,
    as_number,
    flip_letter,
    make_decider,
)
from judgesmith.sources.imported import ImportedJudgment
from judgesmith.sources.mapping import Mapping, Votes
from judgesmith.sources.templates import (
    ABSENT,
    Row,
    RowProblem,
    as_text,
    compile_template,
    optional_getter,
    shorten,
    spell,
)


class Condition(NamedTuple):
    """Whether a row is kept, and the names that this depends on."""

    keep: Callable[[Row], bool]
    names: frozenset[str]


def compile_conditions(
    where: dict[str, tuple[str, ...]], unless: dict[str, tuple[str, ...]]
) -> list[Condition]:
    """One condition for each template: its value is among the listed, or is not."""
    return [_condition(text, frozenset(values), True) for text, values in where.items()] + [
        _condition(text, frozenset(values), False) for text, values in unless.items()
    ]


def _condition(text: str, values: frozenset[str], among: bool) -> Condition:
    template = compile_template(text)
    get = template.get
    return Condition(lambda row: (spell(get(row)) in values) is among, frozenset(template.names))


def compile_require(required: dict[str, tuple[str, ...]]) -> list[Condition]:
    """One condition for each template, which raises RowProblem where it is not met."""
    return [_demand(text, values) for text, values in required.items()]


def _demand(text: str, values: tuple[str, ...]) -> Condition:
    template = compile_template(text)

    def keep(row: Row) -> bool:
        value = template.get(row)
        if spell(value) not in values:
            listed = ", ".join(map(repr, values))
            raise RowProblem(f"{text}: expected one of {listed}, found {shorten(value)}.")
        return True

    return Condition(keep, frozenset(template.names))


def compile_each(each: dict[str, str]) -> Callable[[Row], Iterator[None]]:
    """A function that puts each element of the lists into the row in turn, under its name."""
    loops = [(name, compile_template(text)) for name, text in each.items()]

    def expand(row: Row, depth: int = 0) -> Iterator[None]:
        if depth == len(loops):
            yield
            return
        name, template = loops[depth]
        for index, (key, value) in enumerate(_elements(template.get(row), template.text)):
            row[name] = {"value": value, "key": key, "index": index}
            yield from expand(row, depth + 1)

    return expand


def _elements(value: Any, text: str) -> list[tuple[Any, Any]]:
    if isinstance(value, dict):
        return list(value.items())
    if isinstance(value, list | tuple):
        return list(enumerate(value))
    if value is None and "?}" in text:
        return []
    raise RowProblem(f"{text}: `each` needs a list or an object, found {shorten(value)}.")


class VoteReader:
    """One entry of `votes`, compiled."""

    def __init__(self, votes: Votes, mapping: Mapping) -> None:
        self._votes = votes
        self._when = [test.keep for test in compile_conditions(votes.when, votes.unless)]
        self._each = compile_each(votes.each) if votes.each else None
        self._decide, self._raws = make_decider(votes, mapping)
        self._by = compile_template(votes.by).get
        self._criterion = optional_getter(votes.criterion)
        self._confidence = optional_getter(votes.confidence)
        self._order = optional_getter(votes.order)
        self._sample = optional_getter(votes.sample)
        self._rationale = optional_getter(votes.rationale)
        self._reply = optional_getter(votes.reply)
        self._shown = votes.letters == "shown"
        # Higher scores are better whatever a verdict of this data set names.
        own = votes.names or (Direction.BETTER if votes.scores is not None else mapping.names)
        self._turn_letters = mapping.kind == "pair" and own != mapping.names

    def read(self, row: Row, item: str, turned: bool, where: str) -> list[ImportedJudgment]:
        """The judgments of a row; `turned` where the row lists its sides against stored order.

        Raises RowProblem, or KeyError for a column that is not there.
        """
        if self._each is None:
            if self._when and not all(keep(row) for keep in self._when):
                return []
            one = self._one(row, item, turned, where)
            return [] if one is None else [one]
        found = []
        for _ in self._each(row):
            if all(keep(row) for keep in self._when):
                one = self._one(row, item, turned, where)
                if one is not None:
                    found.append(one)
        return found

    def _one(self, row: Row, item: str, turned: bool, where: str) -> ImportedJudgment | None:
        by = self._by(row)
        if by is None or by == "":
            if all(find(row) in (None, "", ABSENT) for find in self._raws):
                return None
            raise RowProblem(f"{self._votes.by}: expected who judged, found {by!r}.")
        decision = self._decide(row)
        if decision is None:
            return None
        swapped = self._order is not None and self._read_order(row)
        flip = turned ^ (swapped and self._shown)
        if flip or self._turn_letters:
            decision = _flip(decision, letters=flip ^ self._turn_letters, scores=flip)
        if turned and (self._order is not None or self._votes.role == "judge"):
            swapped = not swapped
        return ImportedJudgment(
            item,
            by if type(by) is str else spell(by),
            self._votes.role,
            None if self._criterion is None else as_text(self._criterion(row)) or None,
            decision.verdict,
            decision.scores,
            decision.distribution,
            None if self._confidence is None else self._read_confidence(row),
            swapped,
            0 if self._sample is None else self._read_sample(row),
            decision.status,
            None if self._rationale is None else as_text(self._rationale(row)),
            None if self._reply is None else as_text(self._reply(row)),
            where,
        )

    def _read_order(self, row: Row) -> bool:
        assert self._order is not None
        raw = self._order(row)
        spelled = spell(raw)
        order = self._votes.orders.get(spelled)
        if order is None:
            raise RowProblem(
                f"{self._votes.order}: expected an order among "
                f"{', '.join(map(repr, self._votes.orders))}, found {shorten(raw)}. Add it to "
                "`orders` as stored or swapped."
            )
        return order == "swapped"

    def _read_sample(self, row: Row) -> int:
        assert self._sample is not None
        raw = self._sample(row)
        if self._votes.samples:
            known = self._votes.samples.get(spell(raw))
            if known is None:
                raise RowProblem(
                    f"{self._votes.sample}: expected one of the values under `samples` "
                    f"({', '.join(map(repr, self._votes.samples))}), found {shorten(raw)}."
                )
            return known
        number = 0.0 if raw is None or raw == "" else as_number(raw)
        if number is None or number < 0 or not number.is_integer():
            raise RowProblem(
                f"{self._votes.sample}: expected a sample number, 0 or more, found {shorten(raw)}."
            )
        return int(number)

    def _read_confidence(self, row: Row) -> float | None:
        assert self._confidence is not None
        raw = self._confidence(row)
        if raw is None or raw == "":
            return None
        value = as_number(raw)
        low, high = self._votes.confidence_range or (0.0, 1.0)
        if value is None or not low <= value <= high:
            raise RowProblem(
                f"{self._votes.confidence}: expected a confidence from {spell(low)} to "
                f"{spell(high)}, found {shorten(raw)}. Another range goes under `confidence_range`."
            )
        return (value - low) / (high - low)


def _flip(decision: Decision, *, letters: bool, scores: bool) -> Decision:
    """The decision for the other order (scores and letters) or the other direction (letters)."""
    if decision.status is not Status.PARSED:
        return decision
    status, verdict, values, distribution = decision
    if letters:
        verdict = flip_letter(verdict)
        if distribution is not None:
            distribution = {FLIPPED[letter]: p for letter, p in distribution.items()}
    if scores and values is not None:
        values = values[::-1]
    return Decision(status, verdict, values, distribution)
