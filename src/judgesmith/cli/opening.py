"""Every judge that a command opens, with what must be said of it."""

from pathlib import Path
from typing import Any

from judgesmith.cli import show
from judgesmith.inference.judge import Judge
from judgesmith.pipeline.judges import is_rehearsed, open_judge


def open_told(folder: Path, **options: Any) -> Judge:
    """The judge of a folder, see `pipeline.open_judge`; a rehearsal is told."""
    show.rehearsal(is_rehearsed(folder))
    return open_judge(folder, **options)
