"""A judge as verdicts in item order, and how two orders make one verdict."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from judgesmith.metrics import Label, agreed_verdict, average_distributions, order_averaged
from judgesmith.records import Choice, Judgment
from judgesmith.report.results import Role


@dataclass(frozen=True, slots=True)
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
