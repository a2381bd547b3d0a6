"""What a judge says of a row: the verdict over both orders, how sure it is, and each order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from judgesmith.evaluation.judges import Read, combine, mean_distribution, read_judgments
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.scale import number_text
from judgesmith.models.pointwise import (
    chances_of_pair,
    expected_scores,
    pair_verdict,
)
from judgesmith.models.protocol import Completion
from judgesmith.records import LETTERS, TIE, Judgment, Scores, Status
from judgesmith.sources.own_files import OwnPair


class InOrder(NamedTuple):
    """What a judge said of a row in one order; letters are those of the row, not of the order.

    `order[p]` is the place in the row of the response shown at p. `covered` is the probability
    that all allowed verdicts had together, before they were brought to a sum of 1.
    """

    order: tuple[int, ...]
    verdict: str | None
    distribution: dict[str, float] | None
    covered: float | None
    status: Status
    rationale: str | None


@dataclass(frozen=True, slots=True)
class Judged:
    """A row and what a judge says of it. Letters are the row's own: A is `response_a`.

    None stands for what is not there: no verdict, or a model that gives no probabilities.

    Attributes:
        entry: the row.
        judgments: what was asked and said, one for each order, as records.
        orders: the same in the row's letters.
        status: `parsed`, or why there is no verdict: that of the first order without one.
        verdict: of two responses A, B or TIE over both orders; of one a choice; None of a score. Of
            a list the letter that was chosen, None of scores.
        scores: the expected score of each response, the mean over both orders where there are two:
            the sum of value times probability on the dialect's own scale, wherever that begins;
            without probabilities the score that was stated.
        distribution: of two responses the probability of A, B and TIE, averaged over both orders;
            where each was scored alone, how likely two scores drawn from their distributions name
            A, B or neither. Of one response that of each value on the scale.
        preference: signed, from -1 (surely B) to 1 (surely A): P(A) - P(B), or the difference of
            the expected scores in widths of the scale.
        flipped: whether the two orders gave two verdicts.
        confidence: the probability of the verdict that is given, of a score that of the stated one;
            where the judge has a calibration, what that makes of it.
        covered: the least mass that the allowed verdicts had in any reply.
        own_reference: the judge's own answer to the question, where it gave one first.
        read: the verdicts as tables of judges hold them; None of one response, or of a list.
    """

    entry: OwnPair
    judgments: tuple[Judgment, ...]
    orders: tuple[InOrder, ...]
    status: Status
    verdict: str | None
    scores: tuple[float, ...] | None
    distribution: dict[str, float] | None
    preference: float | None
    flipped: bool | None
    confidence: float | None
    covered: float | None
    own_reference: str | None
    read: Read | None

    @property
    def stated(self) -> float | None:
        """The confidence before any calibration."""
        return _probability(self.verdict, self.distribution, self.judgments[0])

    @property
    def parsed(self) -> bool:
        """Whether there is a verdict, or a score where scores are asked for."""
        return self.verdict is not None or (self.read is None and self.scores is not None)


Reply = tuple[Judgment, Completion]


def read_replies(
    entry: OwnPair, replies: Sequence[Reply], dialect: Dialect, margin: float | None
) -> Judged:
    """What a judge's replies about a row, one for each order shown, say together."""
    judgments = tuple(judgment for judgment, _ in replies)
    pair = len(entry.responses) == 2
    margin = margin if pair else None
    read = _read_pair(judgments, dialect, margin) if pair else None
    scores, distribution = _mean_scores(judgments), verdict_chances(judgments, margin)
    orders = tuple(_in_order(*reply, margin) for reply in replies)
    verdict = _over_orders(orders) if read is None else read.averaged
    return Judged(
        entry=entry,
        judgments=judgments,
        orders=orders,
        status=next((o.status for o in orders if o.status is not Status.PARSED), Status.PARSED),
        verdict=verdict,
        scores=scores,
        distribution=distribution,
        preference=_preference(distribution, scores, dialect) if pair else None,
        flipped=_flipped(orders),
        confidence=_probability(verdict, distribution, judgments[0]),
        covered=min((o.covered for o in orders if o.covered is not None), default=None),
        own_reference=judgments[0].reference,
        read=read,
    )


def _over_orders(orders: Sequence[InOrder]) -> str | None:
    """The choice about one response; of a list the likelier over both orders, or the common one."""
    first, last = orders[0], orders[-1]
    if len(orders) == 1:
        return first.verdict
    found, _ = combine(first.verdict, last.verdict, first.distribution, last.distribution, tie=None)
    return found


def _read_pair(judgments: Sequence[Judgment], dialect: Dialect, margin: float | None) -> Read:
    tie = TIE if dialect.pair_scale.has_tie else None
    found = read_judgments("judge", "student", judgments, tie=tie, margin=margin)
    return found.verdicts[judgments[0].item_id]


def _in_order(judgment: Judgment, completion: Completion, margin: float | None) -> InOrder:
    return InOrder(
        judgment.order,
        pair_verdict(judgment, margin),
        verdict_chances([judgment], margin),
        completion.covered,
        judgment.status,
        judgment.rationale,
    )


def verdict_chances(judgments: Sequence[Judgment], margin: float | None) -> dict[str, float] | None:
    """Probabilities of the verdict, in item order, averaged over the orders shown.

    `margin` is the tie margin of a judge that scored each response alone. None where the judgments
    have no probabilities, or those of several scores.
    """
    first = judgments[0].distribution
    if first is None:
        return None
    if len(judgments) > 1:
        found = [judgment.distribution_in_item_order() for judgment in judgments]
        return mean_distribution(*found)
    if margin is not None and len(first) > 1:
        return chances_of_pair(first["1"], first["2"], margin)
    if len(first) == 1 and len(judgments[0].order) > 1:
        return judgments[0].distribution_in_item_order()
    return dict(next(iter(first.values()))) if len(first) == 1 else None


def _mean_scores(judgments: Sequence[Judgment]) -> tuple[float, ...] | None:
    """The expected score of each response, in item order, averaged over the orders shown."""
    found = []
    for judgment in judgments:
        scores = expected_scores(judgment)
        if scores is None:
            return None
        found.append([scores[judgment.order.index(place)] for place in range(len(scores))])
    return tuple(sum(each) / len(found) for each in zip(*found, strict=True))


def _preference(
    distribution: dict[str, float] | None, scores: tuple[float, ...] | None, dialect: Dialect
) -> float | None:
    if scores is not None:
        first, second = (dialect.scale.share(score) for score in scores)
        return first - second
    if distribution is None:
        return None
    return distribution.get(LETTERS[0], 0.0) - distribution.get(LETTERS[1], 0.0)


def _flipped(orders: Sequence[InOrder]) -> bool | None:
    """Whether two orders gave two verdicts; None unless there are two, each with a verdict."""
    verdicts = [order.verdict for order in orders]
    return None if len(verdicts) < 2 or None in verdicts else verdicts[0] != verdicts[1]


def _probability(
    verdict: str | None, distribution: dict[str, float] | None, judgment: Judgment
) -> float | None:
    """The probability of the verdict given; of the score of one response that of the one stated."""
    said = judgment.verdict
    if verdict is None and isinstance(said, Scores) and len(said.values) == 1:
        verdict = number_text(said.values[0])
    return None if verdict is None or distribution is None else distribution.get(verdict)
