"""A judge as verdicts in item order, and how two orders make one verdict."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from judgesmith.judging.score_pairs import named
from judgesmith.metrics import Label, agreed_verdict, average_distributions, order_averaged
from judgesmith.models.pointwise import pair_verdict, verdict_letter
from judgesmith.records import Judgment, Scores
from judgesmith.report.results import Role

ItemKey = str | int
"""An item's id, or its position among collected items."""


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
    """A judge and its verdicts by item id.

    An order-proof one has no second order by construction; one with `both_orders` false was asked
    in one order only, so that nothing is known of the other.
    """

    name: str
    role: Role
    order_proof: bool
    note: str
    verdicts: Mapping[ItemKey, Read]
    both_orders: bool = True


def read_judgments(
    name: str, role: Role, judgments: Iterable[Judgment], *, tie: str | None, note: str = "",
    margin: float | None = None,
) -> Judge:  # fmt: skip
    """A model's judgments; the headline verdict averages both orders.

    Where both orders have verdict probabilities their mean decides; without them, a verdict that
    both orders give, else the tie. An item that is unparsed in one order has no averaged verdict.
    A judge that states two scores in a reply names the higher one in each order, and over both the
    response whose two scores add up to more; equal ones are a tie. With a `margin` the judge
    scored each response alone, which is order-proof: it names the higher expected score, and scores
    within the margin are a tie.
    """
    if margin is not None:
        scored: dict[ItemKey, Read] = {
            judgment.item_id: _scored(judgment, margin) for judgment in judgments
        }
        how = f"scores each response alone, a tie within {margin:.3g}"
        notes = "; ".join(part for part in (note, how) if part)
        return Judge(name, role, order_proof=True, note=notes, verdicts=scored)
    both: dict[str, dict[tuple[int, ...], Judgment]] = {}
    for judgment in judgments:
        both.setdefault(judgment.item_id, {})[judgment.order] = judgment
    verdicts: dict[ItemKey, Read] = {
        item: _average(pair.get((0, 1)), pair.get((1, 0)), tie) for item, pair in both.items()
    }
    return Judge(name, role, order_proof=False, note=note, verdicts=verdicts)


def read_single(name: str, role: Role, judgments: Iterable[Judgment], *, note: str = "") -> Judge:
    """A model's choices on single responses: there is no order that could matter."""
    verdicts: dict[ItemKey, Read] = {}
    for judgment in judgments:
        value = verdict_letter(judgment.verdict)
        verdicts[judgment.item_id] = Read(value, value, value, None, reasons(judgment))
    return Judge(name, role, order_proof=True, note=note, verdicts=verdicts)


def _scored(judgment: Judgment, margin: float) -> Read:
    verdict = pair_verdict(judgment, margin)
    return Read(verdict, verdict, verdict, None, reasons(judgment))


def reasons(judgment: Judgment | None) -> str | None:
    """A judgment's rationale, after the judge's own answer to the question where it gave one."""
    if judgment is None:
        return None
    if judgment.reference is None:
        return judgment.rationale
    return f"Own answer: {judgment.reference}\n{judgment.rationale or ''}".rstrip()


def _average(stored: Judgment | None, swapped: Judgment | None, tie: str | None) -> Read:
    first, second = _value(stored), _value(swapped)
    rationale = reasons(stored)
    scores = _scores(stored), _scores(swapped)
    if any(scores):
        return Read(first, second, _by_scores(*scores), None, rationale)
    chances = [
        None if judgment is None else judgment.distribution_in_item_order()
        for judgment in (stored, swapped)
    ]
    averaged, probability = combine(first, second, chances[0], chances[1], tie=tie)
    return Read(first, second, averaged, probability, rationale)


def _scores(judgment: Judgment | None) -> tuple[float, ...] | None:
    verdict = None if judgment is None else judgment.in_item_order()
    return verdict.values if isinstance(verdict, Scores) and len(verdict.values) == 2 else None


def _by_scores(
    stored: tuple[float, ...] | None, swapped: tuple[float, ...] | None
) -> str | None:  # fmt: skip
    if stored is None or swapped is None:
        return None
    return named(stored[0] + swapped[0], stored[1] + swapped[1], 0.0)


def combine(
    stored: str | None, swapped: str | None,
    stored_chances: Mapping[str, float] | None, swapped_chances: Mapping[str, float] | None, *,
    tie: str | None,
) -> tuple[str | None, float | None]:  # fmt: skip
    """The verdict over both orders, all in item order, and its mean probability where known.

    >>> combine("A", "A", None, None, tie="TIE"), combine("A", "B", None, None, tie="TIE")
    (('A', None), ('TIE', None))
    >>> combine("A", "B", {"A": 0.9, "B": 0.1}, {"A": 0.4, "B": 0.6}, tie="TIE")
    ('A', 0.65)
    >>> combine("A", None, None, None, tie="TIE")
    (None, None)
    """
    if stored is None or swapped is None:
        return None, None
    if not stored_chances or not swapped_chances:
        agreed = agreed_verdict(stored, swapped, tie=tie)
        return (None if agreed is None else str(agreed)), None
    averaged = order_averaged(_whole(stored_chances), _whole(swapped_chances), tie=tie)
    if averaged is None:
        return None, None
    means = mean_distribution(stored_chances, swapped_chances) or {}
    surest = means.get(str(averaged)) == max(means.values())
    return str(averaged), means[str(averaged)] if surest else None


def mean_distribution(
    stored: Mapping[str, float] | None, swapped: Mapping[str, float] | None
) -> dict[str, float] | None:
    """The mean of both orders' probabilities, in item order; None where one order has none.

    >>> mean_distribution({"A": 0.9, "B": 0.1}, {"A": 0.5, "B": 0.5})
    {'A': 0.7, 'B': 0.3}
    """
    if not stored or not swapped:
        return None
    means = average_distributions(_whole(stored), _whole(swapped))
    return {str(label): p for label, p in means.items()}


def _whole(chances: Mapping[str, float]) -> dict[Label, float]:
    """Stored probabilities are rounded; bring their sum back to one."""
    total = sum(chances.values())
    return {value: p / total for value, p in chances.items()}


def _value(judgment: Judgment | None) -> str | None:
    return None if judgment is None else verdict_letter(judgment.in_item_order())
