"""The order of the stages, and what every stage module offers."""

from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from judgesmith.models.protocol import ModelOpener
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import StageReport
from judgesmith.runs.recipe import Section

STAGES = (
    "questions",
    "responses",
    "items",
    "split",
    "labels",
    "rows",
    "preferences",
    "sft",
    "dpo",
    "evaluate",
    "gate",
)


class Stage(Protocol):
    """What every module in `judgesmith.stages` offers."""

    VERSION: int
    OUTPUTS: tuple[str, ...]
    Config: type[Section]

    def inputs(self, config: Any) -> tuple[str, ...]:
        """Files of the run that it reads."""
        ...

    def outside(self, config: Any) -> dict[str, Path]:
        """Files from outside the run that it reads, by the name the recipe gives them."""
        ...

    def run(self, config: Any, run_dir: RunDir, models: ModelOpener) -> StageReport:
        """Do it."""
        ...


def load_stage(name: str) -> Stage:
    """The module of a stage."""
    return cast(Stage, import_module(f"judgesmith.stages.{name}"))
