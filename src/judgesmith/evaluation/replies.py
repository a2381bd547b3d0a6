"""What became of every reply: how many could be read, and how many the token budget cut off."""

from collections import Counter
from collections.abc import Iterable, Sequence

from judgesmith.evaluation.sliced import Plan, SliceOfItems, number
from judgesmith.metrics.interval import cluster_bootstrap_rate
from judgesmith.metrics.resample import ResamplingOptions
from judgesmith.records import Judgment, Status
from judgesmith.report.score_results import Replies

KINDS = ("domain", "bucket")


def replies_of(
    name: str, judgments: Iterable[Judgment], parts: Sequence[SliceOfItems], plan: Plan
) -> list[Replies]:
    """One row for each domain and bucket: shares of all judgments of a judge, in every order.

    A judgment of several responses scored alone counts once, as unread where one of them is.

    Args:
        name: of the judge.
        judgments: of this judge.
        parts: slices of the judged items, one row per item.
        plan: how intervals are made.
    """
    by_item: dict[str, list[Status]] = {}
    for judgment in judgments:
        by_item.setdefault(judgment.item_id, []).append(judgment.status)
    options: ResamplingOptions = {
        "seed": plan.seed, "resamples": plan.slice_resamples, "confidence": plan.confidence,
    }  # fmt: skip
    found = []
    for part in parts:
        rows = [
            (status, row.cluster)
            for row in part.items
            for status in by_item.get(str(row.item_id), ())
        ]
        if part.kind not in KINDS or not rows:
            continue
        said, clusters = [status for status, _ in rows], [cluster for _, cluster in rows]
        parsed, cut = (
            cluster_bootstrap_rate([status is wanted for status in said], clusters, **options)
            for wanted in (Status.PARSED, Status.TRUNCATED)
        )
        counts = Counter(status.value for status in said)
        found.append(
            Replies(
                judge=name, slice=part.name, parsed=number(parsed), truncated=number(cut),
                statuses=dict(sorted(counts.items())),
            )
        )  # fmt: skip
    return found
