"""Which items a dialect is about, and what is said of them: letters on pairs, or scores."""

from collections.abc import Iterable, Mapping
from typing import Literal

from judgesmith.judging.dialect import PAIR_SCALE, Dialect, Scale
from judgesmith.models.pointwise import verdict_letter
from judgesmith.records import Choice, Item, Judgment, Kind, Label, Ranking, Scores

Form = Literal["pairs", "scores"]
"""What a judge is measured by: verdicts out of a closed set, or scores of single responses."""

Verdict = Choice | Scores | Ranking

SCORED_ALONE = "scored alone"
"""How the policy of a label ends whose scores were given to each response of an item by itself."""

CRITERION = " · "
"""Between a response and a criterion in the key of a score."""


def verdict_scale(dialect: Dialect) -> Scale:
    """The verdicts that items are measured in: letters and tie where a judge gives scores."""
    return PAIR_SCALE if dialect.scored else dialect.scale


def scores_alone(label: Label, item: Item) -> bool:
    """Whether a label scores each response of an item by itself."""
    if not isinstance(label.verdict, Scores):
        return False
    return len(item.response_ids) == 1 or label.policy.endswith(SCORED_ALONE)


def letter_of(label: Label, item: Item) -> str | None:
    """What a label says of a pair, or of one response on a scale of choices, as one word.

    None where it scores responses alone, or is a ranking.
    """
    if scores_alone(label, item):
        return None
    return verdict_letter(label.verdict)


def form_of(dialect: Dialect, labels: Iterable[Label], items: Mapping[str, Item]) -> Form:
    """How a judge of this dialect is measured against these labels.

    A judge that scores single responses is measured by scores where labels score responses alone;
    where they do not, by the verdict on a pair that its two scores make.
    """
    if not dialect.scores_alone:
        return "pairs"
    alone = any(
        label.item_id in items and scores_alone(label, items[label.item_id]) for label in labels
    )
    return "scores" if alone else "pairs"


def kinds_about(dialect: Dialect, form: Form) -> tuple[Kind, ...]:
    """The kinds of item that a judge of this dialect is asked about."""
    if form == "scores":
        return (Kind.SINGLE, Kind.PAIR, Kind.LIST)
    return (Kind.PAIR,) if dialect.scores_alone else (dialect.kind,)


def score_key(item: Item, position: int, criterion: str | None) -> str:
    """The key of one score: the item, or a response of it, with the criterion if there is one."""
    name = item.id if len(item.response_ids) == 1 else item.response_ids[position]
    return name if criterion is None else f"{name}{CRITERION}{criterion}"


def score_units(verdict: Verdict | None, item: Item) -> dict[str, float]:
    """Scores by key, of a verdict in item order; empty where it does not score every response.

    A response that lies in several pairs has one key.
    """
    if not isinstance(verdict, Scores) or len(verdict.values) != len(item.response_ids):
        return {}
    columns: list[tuple[str | None, tuple[float, ...]]] = [*(verdict.criteria or {}).items()]
    return {
        score_key(item, position, criterion): value
        for criterion, values in columns or [(None, verdict.values)]
        for position, value in enumerate(values)
    }


def expected_units(judgment: Judgment, item: Item) -> dict[str, float]:
    """The mean of the scale under a judgment's probabilities, by key; empty without them."""
    found = {}
    for slot, chances in (judgment.distribution or {}).items():
        place, _, criterion = slot.partition("/")
        if place.isdecimal():
            key = score_key(item, judgment.order[int(place) - 1], criterion or None)
            found[key] = sum(p * float(value) for value, p in chances.items())
    return found
