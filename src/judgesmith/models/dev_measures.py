"""What a student is worth on dev items in one dialect: agreement, format, consistency."""

from collections.abc import Sequence
from typing import NamedTuple

from judgesmith.metrics.correlation import pearson
from judgesmith.models.dev import PLACES, DevSet
from judgesmith.models.judge import judge, showings
from judgesmith.models.pointwise import pair_verdict
from judgesmith.models.protocol import Model
from judgesmith.records import Judgment, Kind, Status


class DevMeasures(NamedTuple):
    """One student on the dev items of one dialect; None is what cannot be measured.

    `agreement` is chance-corrected: kappa on verdicts, quadratic weighted kappa on scores. `right`
    is the share of all items, or of all scores, that are the label's; `pearson` is of scores, as
    places on the scale. An unread reply counts in all three: as a wrong verdict, or as the end of
    the scale that is farther from the label. `parsed` is the share of all replies, in every order,
    that can be read; `consistency` that of the pairs read in both orders whose verdict is the same
    in both. `items` are all that were asked about.
    """

    agreement: float | None
    right: float
    pearson: float | None
    parsed: float
    consistency: float | None
    items: int


def measure(model: Model, dev: DevSet) -> DevMeasures | None:
    """Ask about every item of the set, pairs in both orders; None where it has no items."""
    asking = dev.asking
    if not dev.items:
        return None
    judged = [
        judgment
        for judgment, _ in judge(
            model, showings(dev.items, asking.dialect), dev.questions, dev.responses,
            dialect=asking.dialect, max_tokens=asking.max_tokens,
        )
    ]  # fmt: skip
    stored = [one for one in judged if one.order == tuple(sorted(one.order))]
    parsed = sum(one.status is Status.PARSED for one in judged) / len(judged)
    agreement = dev.kappa_of(stored)
    if dev.form == "scores":
        verdicts, labels = dev.places_of(stored)
        right = _share([v == w for v, w in zip(verdicts, labels, strict=True)])
        found = pearson(verdicts, labels)
        correlation = None if found.value is None else round(found.value, PLACES)
        return DevMeasures(agreement, right, correlation, round(parsed, PLACES), None, len(stored))
    margin = dev.best_margin(stored)
    letters = [pair_verdict(one, margin) for one in stored]
    right = _share([one == label for one, label in zip(letters, dev.labels, strict=True)])
    consistent = None if asking.dialect.kind is Kind.SINGLE else _consistency(judged)
    return DevMeasures(agreement, right, None, round(parsed, PLACES), consistent, len(stored))


def _consistency(judgments: Sequence[Judgment]) -> float | None:
    """The share of items with one verdict in both orders, among those read in both."""
    by_item: dict[str, list[str | None]] = {}
    for one in judgments:
        by_item.setdefault(one.item_id, []).append(pair_verdict(one, None))
    read = [found for found in by_item.values() if len(found) == 2 and None not in found]
    return _share([first == second for first, second in read]) if read else None


def _share(found: Sequence[bool]) -> float:
    return round(sum(found) / len(found), PLACES) if found else 0.0
