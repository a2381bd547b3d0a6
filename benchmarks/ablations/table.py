"""Rows and costs as Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.ablations.arms import Outcome
from benchmarks.ablations.pooled import Gap, Value

from judgesmith.evaluation.scoring import number
from judgesmith.metrics import Estimate, holm
from judgesmith.report.numbers import estimate, figure

HEADER = (
    "| domain | measure | arm | items counted (questions) | all seeds [95%] | each seed "
    "| minus the first | each seed | McNemar p (Holm) |\n"
    "|---|---|---|---|---|---|---|---|---|"
)
COSTS = (
    "| arm | seed | training items | rows | steps x batch | passes | minutes |\n"
    "|---|---|---|---|---|---|---|"
)
DPO = (
    "| seed | rows | moment | pairs | margin | margin above 0 | accuracy | log p of chosen |\n"
    "|---|---|---|---|---|---|---|---|"
)
MOMENTS = ("before the first step", "after the last step")


@dataclass(frozen=True)
class Row:
    """One judge in one domain by one measure."""

    domain: str
    measure: str
    arm: str
    questions: int
    value: Value
    gap: Gap | None


def markdown(rows: Sequence[Row]) -> str:
    """The table of an ablation; Holm's correction counts every test in it."""
    tested = [row.gap.p for row in rows if row.gap is not None and row.gap.p is not None]
    corrected = iter(holm(tested))
    lines = []
    for row in rows:
        p = None if row.gap is None else row.gap.p
        test = "" if p is None else f"{p_value(p)} ({p_value(next(corrected))})"
        lines.append(_line(row, test))
    return "\n".join([HEADER, *lines])


def _line(row: Row, test: str) -> str:
    value, gap = row.value, row.gap
    counted = f"{value.counted} of {value.asked} ({row.questions})"
    cells = [row.domain, row.measure, row.arm, counted, written(value.pooled)]
    cells += [seeds(value.by_seed)]
    cells += ["", ""] if gap is None else [written(gap.pooled), seeds(gap.by_seed)]
    return "| " + " | ".join([*cells, test]) + " |"


def written(found: Estimate) -> str:
    """Value and interval as the report writes them, or the reason why there is none."""
    return estimate(number(found))


def seeds(found: Mapping[int, float | None]) -> str:
    """One figure per seed, in the order of the seeds.

    >>> seeds({7: 0.5, 8: None, 9: -0.25})
    '.50, undefined, -.25'
    """
    return ", ".join("undefined" if v is None else figure(v) for v in found.values())


def p_value(p: float) -> str:
    """Three places, and a bound below them.

    >>> p_value(0.0312), p_value(1e-9), p_value(1)
    ('.031', '< .001', '1.000')
    """
    return "< .001" if p < 0.001 else figure(p, places=3)


def costs(outcomes: Sequence[Outcome]) -> str:
    """What every arm learned from, and its minutes."""
    lines = []
    for outcome in outcomes:
        cost = outcome.cost
        passes = cost.steps * cost.batch / cost.rows
        items = str(cost.items) if cost.asked is None else f"{cost.items} of {cost.asked} asked"
        lines.append(
            f"| {outcome.arm} | {outcome.seed} | {items} | {cost.rows} | "
            f"{cost.steps} x {cost.batch} | {passes:.1f} | {cost.minutes:.1f} |"
        )
    return "\n".join([COSTS, *lines])


def starts(outcomes: Sequence[Outcome]) -> str:
    """What DPO's own rows were worth before its first step and after its last."""
    lines = []
    for outcome in outcomes:
        for moment in MOMENTS:
            for side, found in outcome.reports["dpo"][moment].items():
                shown = (found[k] for k in ("margin", "rewarded", "accuracy", "chosen"))
                lines.append(
                    f"| {outcome.seed} | {side} | {moment} | {found['pairs']} | "
                    + " | ".join(figure(value) for value in shown)
                    + " |"
                )
    return "\n".join([DPO, *lines])
