"""What a recipe says of an export: which checkpoints, in which forms, how much they may lose."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationInfo, field_validator

from judgesmith.backends.gguf.convert import Kind
from judgesmith.backends.judge_folder import Precision
from judgesmith.inference.calibration import CALIBRATION_FILE
from judgesmith.runs.recipe import Section
from judgesmith.runs.rehearsal import Rates
from judgesmith.runs.students import AFTER_DPO, MERGED, STUDENT, student_folder

_STAGES = {"sft": STUDENT, "dpo": AFTER_DPO, "merge": MERGED}
_REHEARSED = 16


class Config(Section):
    """What is exported, in which forms, and what they may lose.

    `checkpoints` are `sft`, `dpo` and `merge`, or names of `sft.judges`. With `merged` an adapter
    is laid over its base; whole models are written in `dtype`. `dialect` is only needed for a
    student of several. `max_kappa_loss` is the most agreement that a form may lose on `items` dev
    items, by the upper bound of a 95% interval; without `check` nothing is measured, and the card
    says so; `check: served` asks the folder behind `judgesmith serve`, too. `ollama` and `vllm`
    add the files that those need, `dataset` the run's data.
    """

    checkpoints: tuple[str, ...] = Field(("sft",), min_length=1)
    merged: bool = False
    dtype: Precision = "bfloat16"
    dialect: str | None = None
    reply_tokens: int | None = Field(None, gt=0)
    gguf: tuple[Kind, ...] = ()
    ollama: bool = False
    vllm: bool = False
    dataset: bool = False
    check: bool | Literal["served"] = True
    items: int = Field(400, gt=0)
    max_kappa_loss: float = 0.05

    @field_validator("checkpoints", "gguf")
    @classmethod
    def _each_once(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(given)) < len(given):
            raise ValueError(f"expected each once, found {', '.join(given)}")
        return given

    @field_validator("max_kappa_loss")
    @classmethod
    def _share_of_kappa(cls, given: float) -> float:
        if not 0 <= given < 1:
            raise ValueError("expected 0 or more and less than 1, such as .05 for five hundredths")
        return given

    @field_validator("ollama")
    @classmethod
    def _of_gguf(cls, given: bool, info: ValidationInfo) -> bool:
        if given and not info.data.get("gguf"):
            raise ValueError("expected GGUF files beside it (gguf: [q8_0], --gguf q8_0)")
        return given

    def rehearsed(self, rates: Rates) -> Self:
        """Few items."""
        return self.model_copy(update={"items": min(self.items, _REHEARSED)})


def student_of(checkpoint: str) -> str:
    """The run's name for the student of a checkpoint.

    >>> student_of("dpo"), student_of("pairwise")
    ('after DPO', 'pairwise')
    """
    return _STAGES.get(checkpoint, checkpoint)


def inputs(config: Config) -> tuple[str, ...]:
    """Files of the run that this stage reads."""
    data = (
        CALIBRATION_FILE, "questions/questions.jsonl", "responses/responses.jsonl",
        "split/items.jsonl", "labels/judgments.jsonl", "labels/labels.jsonl",
    )  # fmt: skip
    return (*data, *(student_folder(student_of(name)) for name in config.checkpoints))


def outside(config: Config) -> dict[str, Path]:
    """Files from outside the run: none."""
    return {}
