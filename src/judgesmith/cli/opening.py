"""Every judge that a command opens, with what must be said of it."""

from pathlib import Path
from typing import Any

from judgesmith.cli import show
from judgesmith.inference.engines import same_judge
from judgesmith.inference.judge import Judge
from judgesmith.pipeline.gated import gated
from judgesmith.pipeline.judges import is_rehearsed, open_judge


def open_told(folder: Path, **options: Any) -> Judge:
    """The judge of a folder, see `pipeline.open_judge`; a rehearsal is told."""
    show.rehearsal(is_rehearsed(folder))
    return open_judge(folder, **options)


def tell_gated(
    folder: Path, judge: Judge, what: str = "Gate", *, engine: str | None = None
) -> None:
    """Whether the judge of a folder may be used, as far as that is known."""
    found = gated(folder, judge)
    outcome, why = found.outcome, found.why
    if not same_judge(engine):
        why = f"of the weights in {folder}, not as {engine} holds them; {why}"
    warning = "warning: " if outcome in ("fail", "inconclusive") else ""
    show.line(f"{warning}{what}: {show.OUTCOMES.get(outcome, outcome)} ({why.rstrip('.')}).")
