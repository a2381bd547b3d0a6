"""Every judge as verdicts in item order: trained students, and rules without training."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from judgesmith.metrics import Label, agreed_verdict, average_distributions, order_averaged
from judgesmith.records import (
    LETTERS,
    TIE,
    Choice,
    Direction,
    Item,
    Judgment,
    Question,
    Response,
    choice,
    keyed_rng,
)
from judgesmith.tasks import BaselineRule

Role = Literal["student", "before training", "person", "key", "baseline"]


@dataclass(frozen=True)
class Read:
    """One judge's verdicts on one item, all in item order; None is unparsed."""

    stored: str | None
    swapped: str | None
    averaged: str | None
    probability: float | None = None
    rationale: str | None = None


@dataclass(frozen=True)
class Judge:
    """A judge and its verdicts by item id; an order-proof one has no second order."""

    name: str
    role: Role
    order_proof: bool
    note: str
    verdicts: Mapping[str, Read]


def read_judgments(
    name: str, role: Role, judgments: Iterable[Judgment], *, tie: str | None, note: str = ""
) -> Judge:
    """A model's judgments in both orders; the headline verdict averages the two.

    Where both orders have verdict probabilities their mean decides; without them, a verdict that
    both orders give, else the tie. An item that is unparsed in one order has no averaged verdict.
    """
    both: dict[str, dict[tuple[int, ...], Judgment]] = {}
    for judgment in judgments:
        both.setdefault(judgment.item_id, {})[judgment.order] = judgment
    verdicts = {
        item: _average(pair.get((0, 1)), pair.get((1, 0)), tie) for item, pair in both.items()
    }
    return Judge(name, role, order_proof=False, note=note, verdicts=verdicts)


def _average(stored: Judgment | None, swapped: Judgment | None, tie: str | None) -> Read:
    first, second = _value(stored), _value(swapped)
    chances = [
        None if judgment is None else judgment.distribution_in_item_order()
        for judgment in (stored, swapped)
    ]
    probability = None
    averaged: str | int | None
    if first is None or second is None:
        averaged = None
    elif chances[0] and chances[1]:
        averaged = order_averaged(_whole(chances[0]), _whole(chances[1]), tie=tie)
        means = average_distributions(_whole(chances[0]), _whole(chances[1]))
        if averaged is not None and means[averaged] == max(means.values()):
            probability = means[averaged]
    else:
        averaged = agreed_verdict(first, second, tie=tie)
    rationale = None if stored is None else stored.rationale
    named = None if averaged is None else str(averaged)
    return Read(first, second, named, probability, rationale)


def _whole(chances: Mapping[str, float]) -> dict[Label, float]:
    """Stored probabilities are rounded; bring their sum back to one."""
    total = sum(chances.values())
    return {value: p / total for value, p in chances.items()}


def _value(judgment: Judgment | None) -> str | None:
    verdict = None if judgment is None else judgment.in_item_order()
    return verdict.value if isinstance(verdict, Choice) else None


def by_rule(
    name: str, role: Role, rule: BaselineRule, items: Iterable[Item],
    questions: Mapping[str, Question], responses: Mapping[str, Response], note: str = "",
) -> Judge:  # fmt: skip
    """A rule that sees an item and not its order: order-proof by construction."""
    verdicts = {}
    for item in items:
        found = rule(questions[item.question_id], [responses[i] for i in item.response_ids])
        value = None if found is None else found.value
        verdicts[item.id] = Read(value, value, value)
    return Judge(name, role, order_proof=True, note=note, verdicts=verdicts)


def constant_rule(training_labels: Sequence[str]) -> BaselineRule:
    """Always the most common training label (a tie where there is none)."""
    counts = Counter(sorted(training_labels))
    value = counts.most_common(1)[0][0] if counts else TIE
    return lambda question, responses: choice(value)


def random_rule(values: Sequence[str], seed: int) -> BaselineRule:
    """A verdict drawn evenly from the scale, keyed by the responses."""

    def rule(question: Question, responses: Sequence[Response]) -> Choice:
        draw = keyed_rng(seed, "random judge", *sorted(r.id for r in responses))
        return choice(draw.choice(list(values)))

    return rule


def longer_rule(direction: Direction | None) -> BaselineRule:
    """Names the response with more words; equal lengths are a tie.

    The verdict is the longer response whichever way the scale points: where a verdict names the
    worse response the rule says that longer is worse, where it names the better one, that longer
    is better.
    """

    def rule(question: Question, responses: Sequence[Response]) -> Choice:
        lengths = [len(response.text.split()) for response in responses]
        longest = max(lengths)
        return choice(TIE if lengths.count(longest) > 1 else LETTERS[lengths.index(longest)])

    return rule
