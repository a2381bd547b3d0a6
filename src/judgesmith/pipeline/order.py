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
    "merge",
    "evaluate",
    "gate",
    "export",
)


class Stage(Protocol):
    """What every module in `judgesmith.stages` offers.

    One whose outputs follow from its config has a function `outputs(config)`, too.
    """

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


def outputs_of(stage: Stage, config: Section) -> tuple[str, ...]:
    """Files and folders of the run that a stage makes with this config."""
    told = getattr(stage, "outputs", None)
    return stage.OUTPUTS if told is None else told(config)
