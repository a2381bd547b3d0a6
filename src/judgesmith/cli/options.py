"""Exit codes, and the options that several commands have alike."""

from pathlib import Path
from typing import Annotated, Literal

import typer

ERROR = 2
UNDECIDED = 3
"""The exit code where there is not enough evidence for what was asked."""
INTERRUPTED = 130
"""The exit code after Ctrl-C."""

GATE_CODES = {"pass": 0, "fail": 1, "inconclusive": UNDECIDED, "rehearsed": UNDECIDED}

Run = Annotated[Path, typer.Argument(help="A run folder, made by `judgesmith run`.")]
Dialect = Annotated[
    str | None, typer.Option(help="One of the dialects that the student was trained in.")
]
Student = Annotated[str | None, typer.Option(help="Another student of the run.")]
Mode = Annotated[
    Literal["rationale", "fast"] | None,
    typer.Option(help="With reasons, or at once and without; default as the judge was made."),
]
AbstainDelta = Annotated[
    float | None, typer.Option(help="How likely that promise may fail; default 0.05.")
]
