"""Sections on training: every student with its curve, and preference training."""

from collections.abc import Sequence

from judgesmith.report.blocks import Block, Cell, Plot, Plots, Section, Table, Text, columns
from judgesmith.report.curve_plots import preference_plots, training_plot
from judgesmith.report.document import Document
from judgesmith.report.numbers import NOT_MEASURED, figure
from judgesmith.report.preference_tables import preference_facts, preference_table
from judgesmith.report.results import Evaluation
from judgesmith.report.run_tables import curve_table
from judgesmith.report.svg import WIDTH
from judgesmith.report.training import (
    DEV_LABELS,
    Preference,
    PreferencePoint,
    Student,
    Training,
)
from judgesmith.report.training_tables import dry_run_table, facts_table, tokens_table

TITLE = "Loss and dev kappa by training step"
NOTHING = "No training curve was logged in this run."
MOST_POINTS = 40
IN_A_ROW = 3
"""Students from which on their curves are small and stand in one row."""
SMALL = 280.0
"""Width in units of such a picture."""


def training_section(document: Document, stamp: str) -> Section:
    """What was trained, how, and the curves; none for a recipe that trains nothing."""
    if not document.trains:
        return Section("training", "Training")
    if document.training is not None:
        blocks = _told(document.training, _scored(document.evaluation), stamp)
        return Section("training", "Training", tuple(blocks))
    if not document.curve:
        return Section("training", "Training", (Text(NOTHING, "note"),))
    svg = training_plot(f"{TITLE} · {DEV_LABELS}", document.curve, stamp=stamp)
    picture = Plots((Plot(TITLE, svg, DEV_LABELS),))
    return Section("training", "Training", (picture, curve_table(document.curve, DEV_LABELS)))


def _scored(evaluation: Evaluation | None) -> set[str]:
    """The dialects that were evaluated by scores."""
    parts = () if evaluation is None else (evaluation, *evaluation.also)
    return {one.dialect for one in parts if one.form == "scores"}


def _told(training: Training, scored: set[str], stamp: str) -> list[Block]:
    students = training.students
    blocks: list[Block] = [facts_table(students)]
    if any(one.dry_run is not None for one in students):
        blocks.append(dry_run_table(students, training.wall_s))
    several = len(students) > 1
    logged = [one for one in students if one.curve]
    if logged:
        pictures = tuple(_picture(one, logged, stamp) for one in logged)
        blocks.append(Plots(pictures, medium=len(logged) >= IN_A_ROW))
    else:
        blocks.append(Text(NOTHING, "note"))
    said = _what_kappa([_dialects(one) for one in logged], scored)
    if said:
        blocks.append(Text(said, "note"))
    for one in logged:
        title = f"Training of {one.name}, step by step" if several else "Training, step by step"
        blocks.append(curve_table(one.curve, DEV_LABELS, title))
    blocks += [tokens_table(one, several=several) for one in students if one.tokens]
    return blocks


def _dialects(one: Student) -> set[str]:
    dialects = one.config.get("dialect") or ()
    return {dialects} if isinstance(dialects, str) else {*dialects}


def _what_kappa(learnt: Sequence[set[str]], scored: set[str]) -> str:
    """What dev kappa is where it is not that of verdicts in one dialect."""
    parts = []
    if any(dialects & scored for dialects in learnt):
        parts.append("on scores, quadratic weighted kappa")
    if any(len(dialects) > 1 for dialects in learnt):
        parts.append("of a student of several dialects, the mean over them")
    return f"Dev kappa is, {'; '.join(parts)}." if parts else ""


def _picture(one: Student, students: Sequence[Student], stamp: str) -> Plot:
    """One student's curve, on the axes of all."""
    title = TITLE if len(students) == 1 else f"{one.name}: loss and dev kappa by step"
    beside = [point for other in students if other is not one for point in other.curve]
    width = SMALL if len(students) >= IN_A_ROW else WIDTH
    svg = training_plot(
        f"{title} · {DEV_LABELS}", one.curve, beside=beside, width=width, stamp=stamp
    )
    return Plot(title, svg, DEV_LABELS)


def preference_section(found: Preference | None, *, stamp: str = "") -> Section:
    """Preference training of the student; none without it."""
    title = "Preference training"
    if found is None:
        return Section("dpo", title)
    blocks: list[Block] = []
    if found.curve:
        titles = ("DPO's loss and margin by training step", "Rewarded pairs and dev kappa by step")
        drawn = preference_plots(
            (f"{titles[0]} · {DEV_LABELS}", f"{titles[1]} · {DEV_LABELS}"), found.curve, stamp=stamp
        )
        blocks.append(
            Plots(tuple(Plot(t, svg, DEV_LABELS) for t, svg in zip(titles, drawn, strict=True)))
        )
        said = (
            "Margin: how much more than the SFT student it prefers the chosen reply, beta times "
            "nats; rewarded is the share of pairs with a margin above 0."
        )
        blocks += [Text(said, "note"), *_points_tables(found.curve)]
    blocks.append(preference_table(found.before, found.after))
    blocks.append(preference_facts(found.config, found.counts))
    return Section("dpo", title, tuple(blocks))


def _points_tables(curve: Sequence[PreferencePoint]) -> list[Table]:
    """What was measured on dev at each evaluation, and on the training pairs at each step."""
    ordered = sorted(curve, key=lambda point: point.step)
    tables = []
    for side, title, labels in (
        ("dev", "Preference training on dev pairs", DEV_LABELS),
        ("train", "Preference training, step by step", None),
    ):
        names = [name for name in PreferencePoint.model_fields if name.startswith(side)]
        points = [p for p in ordered if any(getattr(p, name) is not None for name in names)]
        every = -(-len(points) // MOST_POINTS)
        heads = [name.removeprefix(f"{side}_") for name in names]
        rows = tuple(
            (Cell(f"{point.step:,}"), *(_cell(getattr(point, name)) for name in names))
            for place, point in enumerate(points)
            if place % every == 0 or point is points[-1]
        )
        shown = f"One of every {every:,} of the {len(points):,} logged." if every > 1 else ""
        tables.append(
            Table(
                title, columns("step", *heads, numeric=("step", *heads)), rows,
                labels=labels, note=shown, folded=True,
            )
        )  # fmt: skip
    return tables


def _cell(value: float | None) -> Cell:
    if value is None:
        return Cell(NOT_MEASURED, tone="soft")
    return Cell(figure(value, places=3))
