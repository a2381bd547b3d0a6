"""Labels by the answer key: a pair judged in both orders, or each response alone."""

from collections.abc import Iterable, Mapping, Sequence

from judgesmith.judging.dialect import Dialect
from judgesmith.judging.parse import parse_reply
from judgesmith.models.pointwise import expected_scores, named
from judgesmith.records import (
    AnnotatorKind,
    Direction,
    Item,
    Judgment,
    Kind,
    Label,
    Question,
    Response,
    Status,
    Verdict,
    choice,
)
from judgesmith.tasks import KeyJudgment, Task

ORDERS = {Kind.PAIR: ((0, 1), (1, 0)), Kind.SINGLE: ((0,), (1,))}
"""What the key judges at once: the pair in both orders, or each response alone."""


def judge_by_key(
    items: Iterable[Item], questions: Mapping[str, Question], responses: Mapping[str, Response],
    task: Task, *, policy: str, dialect: Dialect,
) -> tuple[list[Judgment], list[Label]]:  # fmt: skip
    """The key's judgments, and its labels; items it cannot decide have none."""
    judgments: list[Judgment] = []
    labels: list[Label] = []
    for item in items:
        both = []
        for order in ORDERS[dialect.kind]:
            shown = [responses[item.response_ids[p]] for p in order]
            found = task.judge_by_key(questions[item.question_id], shown, policy)
            reply = None if found is None else _reply(dialect, found)
            if found is None or reply is None:
                break
            both.append(
                Judgment.make(
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
            )
        if len(both) == 2:
            judgments += both
            labels.append(_key_label(item, both, policy, dialect.direction))
    return judgments, labels


def _reply(dialect: Dialect, found: KeyJudgment) -> str | None:
    """The key's reply; None where a choice's text holds a tag, so no reply could be read back."""
    try:
        return dialect.write_reply(found.rationale, found.verdict.value)
    except ValueError:
        return None


def _key_label(
    item: Item, judgments: Sequence[Judgment], policy: str, direction: Direction | None
) -> Label:
    return Label.make(
        source="answer key",
        licence=item.licence,
        item_id=item.id,
        verdict=_key_verdict(item, judgments),
        direction=direction,
        confidence=None,
        policy=policy,
        judgment_ids=tuple(judgment.id for judgment in judgments),
        annotator_kind=AnnotatorKind.KEY,
        annotator="answer key",
    )


def _key_verdict(item: Item, judgments: Sequence[Judgment]) -> Verdict:
    """The verdict on the item: the one of both orders, or the higher of two scores."""
    scores = [score for one in judgments for score in expected_scores(one) or ()]
    if len(scores) == len(item.response_ids):
        return choice(named(scores[0], scores[1], margin=0.0))
    verdicts = {judgment.in_item_order() for judgment in judgments}
    assert len(verdicts) == 1, f"the answer key contradicts itself on item {item.id}"
    (verdict,) = verdicts
    assert verdict is not None
    return verdict
