"""Which verdicts weighted votes cannot be sure of: a rare one can lose all of its items."""

from collections.abc import Mapping, Sequence

from judgesmith.audits import Finding, Severity
from judgesmith.audits.association import LEVEL, more_often_p
from judgesmith.audits.finding import MAX_EXAMPLES
from judgesmith.evaluation.final_label import Decision
from judgesmith.metrics.paired import holm

MOST_LOST = 0.5
"""Share of the items with a single vote that may be lost without a warning."""


def lost_verdicts(decisions: Sequence[Decision]) -> tuple[dict[str, dict[str, int]], int, int]:
    """By verdict, items that have it and items that only lean to it; and of the single votes.

    Returns:
        `{"kept": ..., "lost": ...}` by verdict; items with a single vote; how many of them lost.
    """
    counts: dict[str, dict[str, int]] = {}
    single = single_lost = 0
    for d in decisions:
        verdict = d.verdict or d.leaning
        if verdict is None:
            continue
        row = counts.setdefault(verdict, {"kept": 0, "lost": 0})
        row["lost" if d.verdict is None else "kept"] += 1
        single += d.read == 1
        single_lost += d.read == 1 and d.verdict is None
    return dict(sorted(counts.items())), single, single_lost


def weighing_findings(decisions: Sequence[Decision], least: float) -> list[Finding]:
    """A warning where one verdict is lost more often than the others, or most single votes are.

    A verdict is named where Fisher's exact test, adjusted by Holm over the verdicts, lies below
    `LEVEL`. A single vote passes only where the posterior of its own verdict reaches the threshold,
    so that a rare or often mistaken verdict can lose all of them.

    Args:
        decisions: by the policy `weighted`.
        least: the posterior that was asked for.
    """
    counts, single, single_lost = lost_verdicts(decisions)
    lost = sum(row["lost"] for row in counts.values())
    total = lost + sum(row["kept"] for row in counts.values())
    p_values = [
        more_often_p(row["lost"], sum(row.values()), lost - row["lost"], total - sum(row.values()))
        for row in counts.values()
    ]
    uneven = [name for name, p in zip(counts, holm(p_values), strict=True) if p < LEVEL]
    if not lost or not (uneven or single_lost > MOST_LOST * single):
        return []
    return [
        Finding(
            audit="weighted votes",
            severity=Severity.WARNING,
            message=(
                f"{lost} of {total} items have no label, as no verdict reaches a posterior of "
                f"{least:g}: {_by_verdict(counts)}; {single_lost} of {single} items with a single "
                "vote are among them"
            ),
            count=lost,
            of=total,
            examples=tuple(d.item_id for d in decisions if d.leaning)[:MAX_EXAMPLES],
            effect=(
                f"a student sees too few items whose verdict is {' or '.join(uneven)}"
                if uneven
                else "most of what a single teacher judged teaches nothing"
            ),
            remedy=(
                "let the panel judge more items (labels.teachers.panel_items), lower "
                "labels.teachers.least_posterior, or take another policy"
            ),
        )
    ]


def _by_verdict(counts: Mapping[str, Mapping[str, int]]) -> str:
    return ", ".join(
        f"{name} {row['lost']} of {row['lost'] + row['kept']}" for name, row in counts.items()
    )
