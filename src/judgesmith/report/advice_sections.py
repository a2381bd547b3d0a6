"""The section that says which of a run's own checkpoints to use where."""

from collections.abc import Sequence

from judgesmith.report.advice import Advice
from judgesmith.report.blocks import Cell, Section, Table, columns

TITLE = "Which checkpoint, where"


def advice_section(found: Sequence[Advice], labels: str | None) -> Section:
    """What to use where, and why; none where fewer than two checkpoints were compared."""
    return Section("advice", TITLE, (advice_table(found, labels),) if found else ())


def advice_table(found: Sequence[Advice], labels: str | None) -> Table:
    """One row per format and place."""
    formats = any(one.dialect for one in found)
    rows = tuple(
        (
            *([Cell(one.dialect)] if formats else []),
            Cell(one.place),
            Cell(one.use, tone="strong"),
            Cell(one.because),
        )
        for one in found
    )
    heads = (*(["format"] if formats else []), "where", "use", "because")
    return Table(
        "What the paired tests advise",
        columns(*heads),
        rows,
        labels=labels,
        note=(
            "Of this run's own checkpoints. Where no test shows a difference, the one that took "
            "the least training is named, of those that were trained in the format."
        ),
    )
