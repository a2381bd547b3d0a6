"""Two judges on the same items: paired tests, adjusted over the whole table."""

from collections.abc import Sequence
from itertools import pairwise

from judgesmith.evaluation.judges import Judge
from judgesmith.evaluation.scoring import Plan, SliceOfItems, not_shown, number
from judgesmith.metrics import (
    holm,
    mark_unparsed,
    mcnemar_exact,
    paired_bootstrap_kappa_difference,
)
from judgesmith.report.results import Comparison


def student_and_neighbours(judges: Sequence[Judge]) -> list[tuple[Judge, Judge]]:
    """Neighbours in the table, and the first judge with every other."""
    return list(pairwise(judges)) + [(judges[0], other) for other in judges[2:]]


def compare(
    pairs: Sequence[tuple[Judge, Judge]], parts: Sequence[SliceOfItems], plan: Plan, *,
    unlisted: int = 0,
) -> tuple[Comparison, ...]:  # fmt: skip
    """Paired tests on the domain slices, Holm-adjusted over the whole table.

    `unlisted` is how many more comparisons the choice of these pairs looked at; the adjustment
    counts them as tests too.

    Two judges are compared on the items that both judged, where an unparsed verdict counts as
    wrong.
    """
    found = [
        _compare(first, second, part, plan)
        for part in parts
        if part.kind == "domain"
        for first, second in pairs
        if part.items
    ]
    return concluded(found, plan, unlisted=unlisted)


def concluded(
    found: Sequence[Comparison], plan: Plan, *, unlisted: int = 0
) -> tuple[Comparison, ...]:
    """Comparisons of one table with their Holm-adjusted p and what may be concluded from it."""
    adjusted = holm([entry.p for entry in found] + [1.0] * unlisted)[: len(found)]
    return tuple(
        entry.model_copy(update={"p_holm": p, "conclusion": _conclusion(entry, p, plan)})
        for entry, p in zip(found, adjusted, strict=True)
    )


def _compare(first: Judge, second: Judge, part: SliceOfItems, plan: Plan) -> Comparison:
    rows = [
        row
        for row in part.items
        if row.item_id in first.verdicts and row.item_id in second.verdicts
    ]
    labels = [row.label for row in rows]
    one, other = (
        [judge.verdicts[row.item_id].averaged for row in rows] for judge in (first, second)
    )
    difference = paired_bootstrap_kappa_difference(
        mark_unparsed(one), mark_unparsed(other), labels, [row.cluster for row in rows],
        seed=plan.seed, resamples=plan.resamples, confidence=plan.confidence,
    )  # fmt: skip
    test = mcnemar_exact(one, other, labels)
    return Comparison(
        a=first.name, b=second.name, slice=part.name,
        difference=number(difference, not_shown(rows, rows, plan)),
        gained=test.gained, lost=test.lost, p=test.p, p_holm=test.p, conclusion="",
    )  # fmt: skip


def _conclusion(entry: Comparison, p_holm: float, plan: Plan) -> str:
    """A winner only where the metric may be shown, and paired test and interval both say so."""
    if entry.difference.hidden is not None:
        return "no difference shown"
    low, high = entry.difference.low, entry.difference.high
    if p_holm < 1 - plan.confidence and low is not None and high is not None:
        if low > 0 and entry.gained > entry.lost:
            return f"{entry.a} is better"
        if high < 0 and entry.lost > entry.gained:
            return f"{entry.b} is better"
    return "no difference shown"
