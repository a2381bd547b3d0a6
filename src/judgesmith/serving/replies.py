"""From what a judge says to what a client is told."""

from dataclasses import replace

from judgesmith.inference.abstaining import Abstaining
from judgesmith.inference.judge import Judge
from judgesmith.inference.judged import InOrder, Judged
from judgesmith.inference.lacking import MEAN_LITTLE, lacked_by, what_lacks
from judgesmith.judging.templates import fields_in, names_in
from judgesmith.records import LETTERS, Kind, Status
from judgesmith.serving.schemas import (
    MOST,
    AbstentionReply,
    JudgeAbout,
    JudgeName,
    JudgmentReply,
    OrderReply,
)

_PLACES = 6
_SHOWN = ("context", "choices", "reference", "grounding", "criteria")


def name_of(judge: Judge) -> JudgeName:
    """Which judge it is."""
    return JudgeName(
        name=judge.name, version=judge.version, dialect=judge.dialect.name,
        dialect_hash=judge.dialect.hash, calibration=calibration_id(judge),
    )  # fmt: skip


def calibration_id(judge: Judge) -> str | None:
    """The id of the judge's calibration; None without one."""
    return None if judge.calibration is None else str(judge.calibration.id)


def about(judge: Judge, room: int) -> JudgeAbout:
    """What a client must know of a judge; `room` is what the queue holds."""
    dialect = judge.dialect
    templates = [dialect.user, *filter(None, [dialect.reference_user])]
    shown = {name for one in templates for name in names_in(one)}
    fields = sorted({name for one in templates for name in fields_in(one)})
    scored = dialect.scored and dialect.kind is Kind.SINGLE
    return JudgeAbout(
        **name_of(judge).model_dump(),
        kind=dialect.kind,
        names=dialect.direction,
        verdicts=None if scored else list(dialect.pair_scale.values),
        low=dialect.scale.low,
        high=dialect.scale.high,
        mode=judge.mode,
        needs=[*(name for name in _SHOWN if name in shown), *(f"fields.{f}" for f in fields)],
        criteria=list(dialect.criteria),
        answers_first=dialect.reference_user is not None,
        margin=judge.margin,
        system=dialect.system,
        reply_tokens=judge.max_tokens,
        items=min(MOST, room),
    )


def judgment_reply(
    judge: Judge, judged: Judged, abstaining: Abstaining | None = None
) -> JudgmentReply:
    """What there is to tell of one row; of a verdict that is withheld the reasons alone."""
    if abstaining is not None and abstaining.withholds(judged):
        judged = replace(
            judged, verdict=None, scores=None, distribution=None, preference=None,
            status=Status.ABSTAINED,
            orders=tuple(
                one._replace(verdict=None, distribution=None, status=Status.ABSTAINED)
                for one in judged.orders
            ),
        )  # fmt: skip
    alone = len(judged.orders) == 1
    return JudgmentReply(
        id=judged.entry.row.id,
        verdict=judged.verdict,
        names=judge.dialect.direction,
        scores=None if judged.scores is None else [round(s, _PLACES) for s in judged.scores],
        distribution=_rounded(judged.distribution),
        confidence=None if judged.confidence is None else round(judged.confidence, _PLACES),
        order_agreement=None if judged.flipped is None else not judged.flipped,
        preference=None if judged.preference is None else round(judged.preference, _PLACES),
        status=judged.status,
        orders=[] if alone else [_order(one) for one in judged.orders],
        own_reference=judged.own_reference,
        rationale=judged.orders[0].rationale if alone else None,
        mode=judge.mode,
        judge=name_of(judge),
        warnings=_warnings(judge, judged),
        abstention=None if abstaining is None else AbstentionReply(**abstaining.told),
    )


def _warnings(judge: Judge, judged: Judged) -> list[str]:
    found = []
    for name in lacked_by(judged.entry.row.model_dump(), judge.expects):
        what, known = what_lacks(name, judge.name)
        found.append(f"the row has {what}{known}. {MEAN_LITTLE}")
    return found


def without_rationale(reply: JudgmentReply) -> JudgmentReply:
    """The same for a client that did not ask for the reasons."""
    orders = [order.model_copy(update={"rationale": None}) for order in reply.orders]
    gone = {"rationale": None, "own_reference": None}
    return reply.model_copy(update={"orders": orders, **gone})


def _order(one: InOrder) -> OrderReply:
    return OrderReply(
        shown="".join(LETTERS[place].lower() for place in one.order),
        verdict=one.verdict,
        distribution=_rounded(one.distribution),
        status=one.status,
        rationale=one.rationale,
    )


def _rounded(found: dict[str, float] | None) -> dict[str, float] | None:
    return None if found is None else {name: round(p, _PLACES) for name, p in found.items()}
