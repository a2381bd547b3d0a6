"""One judge in two formats: do its scores of single responses and its verdicts on pairs agree?"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from judgesmith.evaluation.judges import ItemKey, Judge, Read
from judgesmith.evaluation.sliced import Plan, Scored, number
from judgesmith.metrics.resample import ResamplingOptions
from judgesmith.metrics.score_and_pair import conflict_ratio, three_way
from judgesmith.models.pointwise import expected_scores
from judgesmith.records import TIE, Judgment, Scores, reorder
from judgesmith.report.score_results import Between

OWN = "its own verdict"
LABELS = "the label"

How = Literal["stated", "expected"]


class PairScores(NamedTuple):
    """Scores of a pair's two responses, each given alone, in item order; None is unparsed."""

    first: float | None
    second: float | None


NO_SCORES = PairScores(None, None)


def pair_scores(judgments: Sequence[Judgment], how: How) -> dict[ItemKey, PairScores]:
    """Scores by item id. `expected` is empty unless every parsed reply carries probabilities.

    An expected score is the mean of the scale under the reply's probabilities; it hardly ever
    ties, which breaks the ties of whole-number scores.
    """
    found: dict[ItemKey, PairScores] = {}
    for judgment in judgments:
        values = _values(judgment, how)
        if values is None and isinstance(judgment.verdict, Scores):
            return {}
        found[judgment.item_id] = NO_SCORES if values is None else PairScores(*values)
    return found


def _values(judgment: Judgment, how: How) -> tuple[float, ...] | None:
    """Both scores of a pair in item order."""
    verdict = judgment.verdict
    if not isinstance(verdict, Scores) or len(verdict.values) != 2:
        return None
    if how == "expected" and judgment.distribution is None:
        return None
    values = verdict.values if how == "stated" else expected_scores(judgment)
    turned = reorder(Scores(kind="scores", values=values or (), criteria=None), judgment.order)
    return turned.values if isinstance(turned, Scores) else None


def between_formats(
    judge: Judge, judgments: Sequence[Judgment], rows: Sequence[Scored], plan: Plan, *,
    same_direction: bool = True,
) -> list[Between]:  # fmt: skip
    """Stated and expected scores against the judge's own verdicts and against the labels.

    A pair whose two orders give different responses, and no probabilities that decide, has the
    verdict tie, as TrustJudge counts it.

    Args:
        judge: its verdicts on pairs, by item id.
        judgments: of the same judge on the same pairs, each response scored alone.
        rows: the labelled pairs.
        plan: how intervals are made.
        same_direction: whether a higher score and a verdict both name the better response (or
            both the worse one); where they do not, scores are turned round.
    """
    found = []
    for how in _HOW:
        scores = pair_scores(judgments, how)
        if any(one.first is not None for one in scores.values()):
            sign = 1.0 if same_direction else -1.0
            columns = [_turned(scores.get(row.item_id, NO_SCORES), sign) for row in rows]
            found += [_against_own(judge, how, columns, rows, plan)]
            found += [_against_labels(judge, how, columns, rows, plan)]
    return found


_HOW: tuple[How, ...] = ("stated", "expected")


def _turned(scores: PairScores, sign: float) -> PairScores:
    first, second = scores
    if first is None or second is None:
        return NO_SCORES
    return PairScores(sign * first, sign * second)


def _options(plan: Plan) -> ResamplingOptions:
    return {
        "seed": plan.seed, "resamples": plan.slice_resamples, "confidence": plan.confidence,
    }  # fmt: skip


def own_verdict(read: Read | None) -> str | None:
    """The verdict over both orders; a tie where both were read and do not settle on one."""
    if read is None:
        return None
    settled = read.averaged is not None or read.stored is None or read.swapped is None
    return read.averaged if settled else TIE


def _against_own(
    judge: Judge, how: How, scores: Sequence[PairScores], rows: Sequence[Scored], plan: Plan
) -> Between:
    verdicts = [own_verdict(judge.verdicts.get(row.item_id)) for row in rows]
    columns = [s.first for s in scores], [s.second for s in scores], verdicts
    clusters = [row.cluster for row in rows]
    ratio = conflict_ratio(*columns, clusters, **_options(plan))
    shares = three_way(*columns, clusters, **_options(plan))
    return Between(
        judge=judge.name, scores=how, against=OWN,
        consistent=number(shares.consistent), inconsistent=number(shares.inconsistent),
        tie=number(shares.tie), conflicts=number(ratio.rate),
        reversals=number(ratio.strict_reversals), score_ties=number(ratio.score_ties),
        verdict_ties=number(ratio.verdict_ties), left_out=shares.left_out,
        no_preference=shares.no_preference,
    )  # fmt: skip


def _against_labels(
    judge: Judge, how: How, scores: Sequence[PairScores], rows: Sequence[Scored], plan: Plan
) -> Between:
    shares = three_way(
        [s.first for s in scores], [s.second for s in scores], [row.label for row in rows],
        [row.cluster for row in rows], **_options(plan),
    )  # fmt: skip
    return Between(
        judge=judge.name, scores=how, against=LABELS,
        consistent=number(shares.consistent), inconsistent=number(shares.inconsistent),
        tie=number(shares.tie), conflicts=None, reversals=None, score_ties=None,
        verdict_ties=None, left_out=shares.left_out, no_preference=shares.no_preference,
    )  # fmt: skip


def by_item(judgments: Sequence[Judgment]) -> Mapping[str, Judgment]:
    """Judgments by item id."""
    return {judgment.item_id: judgment for judgment in judgments}
