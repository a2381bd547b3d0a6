"""The teacher against people, before its labels teach anybody: by bucket, with rubric conflicts."""

from collections.abc import Mapping, Sequence
from typing import Any

from judgesmith.audits import Finding
from judgesmith.audits.rubric import TwiceJudged, rubric_findings, rubric_table
from judgesmith.evaluation.cross_check import clusters_of
from judgesmith.evaluation.judges import Judge
from judgesmith.evaluation.scoring import Plan, number
from judgesmith.metrics import cluster_bootstrap_kappa, mark_unparsed
from judgesmith.metrics.suppress import not_shown_because
from judgesmith.records import Item, Question

ALL = "all items"


def against_people(
    items: Sequence[Item], teacher: Judge, people: Mapping[str, str], *,
    questions: Mapping[str, Question], plan: Plan,
) -> tuple[list[dict[str, Any]], list[Finding]]:  # fmt: skip
    """A row for all items and one per bucket, and the buckets in which two rubrics contradict.

    A row holds the items that people judged, how many the teacher was read on, and kappa with an
    unread verdict counted as wrong (BCa over groups); a kappa that must not be shown carries its
    reason. Conflicts are looked for among the items that both judged, see `audits.rubric`.

    Args:
        items: the items; those that no person judged are left out.
        teacher: its verdicts in item order.
        people: verdicts by people in item order, by item id.
        questions: by id, for the groups.
        plan: seed, resamples, confidence and the least number of items.
    """
    judged = [item for item in items if item.id in people]
    buckets = {ALL: judged} | {
        name: [item for item in judged if item.bucket == name]
        for name in sorted({item.bucket for item in judged})
    }
    rows = [_row(name, some, teacher, people, questions, plan) for name, some in buckets.items()]
    both = [
        TwiceJudged(where=item.id, bucket=item.bucket, teacher=said, person=people[item.id])
        for item in judged
        if (said := _said(teacher, item)) is not None
    ]
    return rows, list(rubric_findings(rubric_table(both))) if both else []


def _row(
    name: str, items: Sequence[Item], teacher: Judge, people: Mapping[str, str],
    questions: Mapping[str, Question], plan: Plan,
) -> dict[str, Any]:  # fmt: skip
    labels = [people[item.id] for item in items]
    said = [_said(teacher, item) for item in items]
    kappa = cluster_bootstrap_kappa(
        mark_unparsed(said), labels, clusters_of(items, questions), seed=plan.seed,
        resamples=plan.resamples, confidence=plan.confidence, method="bca",
    )  # fmt: skip
    return {
        "bucket": name,
        "teacher": teacher.name,
        "items": len(items),
        "read": sum(verdict is not None for verdict in said),
        "agree": sum(a == b for a, b in zip(said, labels, strict=True)),
        "kappa": number(kappa, not_shown_because(labels, least=plan.least)).model_dump(mode="json"),
    }


def _said(teacher: Judge, item: Item) -> str | None:
    read = teacher.verdicts.get(item.id)
    return None if read is None else read.averaged
