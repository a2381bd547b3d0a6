"""Labels by the answer key: a pair judged in both orders, or each response alone."""

from collections.abc import Iterable, Mapping, Sequence

from judgesmith.judging.dialect import Dialect
from judgesmith.judging.parse import parse_reply
from judgesmith.judging.score_pairs import named
from judgesmith.models.about import SCORED_ALONE
from judgesmith.models.judge import showings
from judgesmith.models.pointwise import expected_scores
from judgesmith.records import (
    AnnotatorKind,
    Choice,
    Item,
    Judgment,
    Kind,
    Label,
    Question,
    Ranking,
    Response,
    Scores,
    Status,
    Verdict,
    choice,
)
from judgesmith.tasks import KeyJudgment, Task, key_judgment


def judge_by_key(
    items: Iterable[Item], questions: Mapping[str, Question], responses: Mapping[str, Response],
    task: Task, *, policy: str, dialect: Dialect, further: bool = False,
) -> tuple[list[Judgment], list[Label]]:  # fmt: skip
    """The key's judgments, and its labels; items it cannot decide have none.

    What is judged at once: the pair in both orders, or each response alone. Responses scored alone
    say, too, which of a pair stands out. In a `further` dialect they do not, as the first one says
    that, and the policy of the labels names the dialect: an item has labels in both.
    """
    judgments: list[Judgment] = []
    labels: list[Label] = []
    for item in items:
        orders = orders_of(item, dialect)
        found = [
            _judged(item, order, questions, responses, task, policy, dialect) for order in orders
        ]
        whole = [one for one in found if one is not None]
        if whole and len(whole) == len(orders):
            judgments += whole
            labels += _key_labels(item, whole, policy, dialect, further=further)
    return judgments, labels


def orders_of(item: Item, dialect: Dialect) -> list[tuple[int, ...]]:
    """What of an item is judged at once in a dialect, each in the order shown; none if it cannot.

    A dialect of single responses takes any item apart; others take items of their own kind.
    """
    if dialect.kind is Kind.SINGLE:
        return [(position,) for position in range(len(item.response_ids))]
    if dialect.kind is not item.kind:
        return []
    return [entry.order for entry in showings([item], dialect)]


def _judged(
    item: Item, order: tuple[int, ...], questions: Mapping[str, Question],
    responses: Mapping[str, Response], task: Task, policy: str, dialect: Dialect,
) -> Judgment | None:  # fmt: skip
    """The key's judgment in one order; None where it has none, or no reply could be read back."""
    shown = [responses[item.response_ids[p]] for p in order]
    found = key_judgment(task, questions[item.question_id], shown, policy, dialect)
    reply = None if found is None else _reply(dialect, found)
    if found is None or reply is None:
        return None
    return Judgment.make(
        source="answer key",
        licence=item.licence,
        item_id=item.id,
        judge=f"answer key ({policy})",
        dialect=dialect.hash,
        order=order,
        sample=0,
        reply=reply,
        rationale=found.rationale,
        verdict=parse_reply(dialect, reply).verdict,
        distribution=None,
        status=Status.PARSED,
        reference=None,
    )


def _reply(dialect: Dialect, found: KeyJudgment) -> str | None:
    """The key's reply; None where a choice's text holds a tag, so no reply could be read back."""
    try:
        return dialect.write_reply(found.rationale, found.verdict)
    except ValueError:
        return None


def _key_labels(
    item: Item, judgments: Sequence[Judgment], policy: str, dialect: Dialect, *, further: bool
) -> list[Label]:
    """What the key accepts: of responses scored alone their scores, and which of a pair stands out.

    Scores with two values say no more than the pair's verdict, and are left out.
    """
    labels = []
    policy = f"{policy}, in {dialect.name}" if further else policy
    scores = [score for one in judgments for score in expected_scores(one) or ()]
    alone = dialect.kind is Kind.SINGLE
    if alone and len(scores) == 2 and not further:
        verdict: Verdict = choice(named(scores[0], scores[1], margin=0.0))
        labels.append(_label(item, verdict, judgments, policy, dialect))
    if alone and (len(scores) != 2 or len(dialect.scale.values) > 2):
        verdict = Scores(kind="scores", values=tuple(scores), criteria=None)
        more = policy if len(scores) == 1 else f"{policy}, {SCORED_ALONE}"
        labels.append(_label(item, verdict, judgments, more, dialect))
    if not alone:
        labels.append(_label(item, _agreed(item, judgments), judgments, policy, dialect))
    return labels


def _label(
    item: Item, verdict: Verdict, judgments: Sequence[Judgment], policy: str, dialect: Dialect
) -> Label:
    return Label.make(
        source="answer key",
        licence=item.licence,
        item_id=item.id,
        verdict=verdict,
        direction=dialect.direction,
        confidence=None,
        policy=policy,
        judgment_ids=tuple(judgment.id for judgment in judgments),
        annotator_kind=AnnotatorKind.KEY,
        annotator="answer key",
    )


def _agreed(item: Item, judgments: Sequence[Judgment]) -> Choice | Scores | Ranking:
    """The verdict of all orders shown."""
    verdicts = {judgment.in_item_order() for judgment in judgments}
    assert len(verdicts) == 1, f"the answer key contradicts itself on item {item.id}"
    (verdict,) = verdicts
    assert verdict is not None
    return verdict
