"""Tables of the run itself: stages, training steps, composition, reasons, versions."""

from collections.abc import Mapping, Sequence

from judgesmith.report.blocks import Cell, Table, columns
from judgesmith.report.document import StageRow
from judgesmith.report.numbers import NOT_MEASURED, duration, figure, money, whole
from judgesmith.report.training import CurvePoint

MOST_VALUES = 40
"""Values of one field that the composition table lists."""


def stage_table(stages: Sequence[StageRow]) -> Table:
    """One row per stage, and their sum."""
    rows: list[tuple[Cell, ...]] = [
        (
            Cell(row.stage, tone="strong"),
            Cell(row.state),
            Cell(whole(row.taken, absent="none")),
            Cell(whole(row.made, absent="none")),
            _dropped(row.dropped),
            Cell(whole(row.calls)),
            Cell(f"{row.prompt_tokens:,} + {row.completion_tokens:,}"),
            Cell(money(row.cost_usd)),
            Cell(duration(row.wall_s)),
        )
        for row in stages
    ]
    rows.append(_total(stages))
    heads = ("in", "out", "calls", "tokens (prompt + reply)", "cost", "time")
    return Table(
        "Stages of the run",
        columns("stage", "state", "in", "out", "dropped", "calls", *heads[3:], numeric=heads),
        tuple(rows),
    )


def _dropped(dropped: Mapping[str, int]) -> Cell:
    if not dropped:
        return Cell("none", tone="soft")
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in dropped.items())
    return Cell(f"{sum(dropped.values()):,}", aside=reasons)


def _total(stages: Sequence[StageRow]) -> tuple[Cell, ...]:
    times = [row.wall_s for row in stages if row.wall_s is not None]
    prompt = sum(row.prompt_tokens for row in stages)
    completion = sum(row.completion_tokens for row in stages)
    return (
        Cell("all", tone="strong"),
        Cell(""),
        Cell(""),
        Cell(""),
        Cell(""),
        Cell(whole(sum(row.calls for row in stages))),
        Cell(f"{prompt:,} + {completion:,}"),
        Cell(money(sum(row.cost_usd for row in stages))),
        Cell(duration(sum(times)) if times else NOT_MEASURED),
    )


def curve_table(
    curve: Sequence[CurvePoint], labels: str | None, title: str = "Training, step by step"
) -> Table:
    """The logged steps; those with a measurement on dev when there are many."""
    points = sorted(curve, key=lambda point: point.step)
    note = ""
    if len(points) > MOST_VALUES:
        points = [p for p in points if p.dev_loss is not None or p.dev_kappa is not None]
        note = f"Only the steps measured on dev, of {len(curve):,} logged."
    rows = tuple(
        (Cell(f"{p.step:,}"), *map(_measured, (p.train_loss, p.dev_loss, p.dev_kappa)))
        for p in points
    )
    heads = ("step", "train loss", "dev loss", "dev kappa")
    return Table(
        title,
        columns(*heads, numeric=heads),
        rows,
        labels=labels,
        note=note,
        folded=True,
    )


def _measured(value: float | None) -> Cell:
    if value is None:
        return Cell(NOT_MEASURED, tone="soft")
    return Cell(figure(value, places=3))


def composition_table(composition: Mapping[str, Mapping[str, int]]) -> Table:
    """Counts of questions by field and value."""
    rows = []
    for name, values in composition.items():
        listed = sorted(values.items(), key=lambda pair: (-pair[1], pair[0]))
        told = ", ".join(f"{value} {count:,}" for value, count in listed[:MOST_VALUES])
        more = len(listed) - MOST_VALUES
        aside = f"and {more:,} more values" if more > 0 else ""
        rows.append((Cell(name), Cell(f"{sum(values.values()):,}"), Cell(told, aside=aside)))
    return Table(
        "What the questions are",
        columns("field", "questions", "values", numeric=["questions"]),
        tuple(rows),
    )


def named_table(
    title: str, heads: tuple[str, str], values: Mapping[str, str],
    asides: Mapping[str, str] | None = None,
) -> Table:  # fmt: skip
    """Names and values in two columns; `asides` stand beside the names that they belong to."""
    beside = asides or {}
    rows = tuple(
        (Cell(name, beside.get(name, ""), tone="strong"), Cell(value))
        for name, value in values.items()
    )
    return Table(title, columns(*heads), rows)
