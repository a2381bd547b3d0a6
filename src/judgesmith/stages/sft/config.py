"""What a recipe says of a student's training, or of several students'."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from judgesmith.backends.launch import Launch
from judgesmith.backends.lessons import lightly
from judgesmith.backends.student import FromNothing
from judgesmith.backends.weights import Quantize
from judgesmith.runs.recipe import Section
from judgesmith.runs.rehearsal import Rates
from judgesmith.runs.students import student_folder

DRY_RUN = 50
"""Rows of a dry run, where the recipe does not say."""
_NAME = re.compile(r"[a-z][a-z0-9-]*")
_TAKEN = frozenset({"student", "before", "checkpoints", "merged"})
_LATER: dict[str, Any] = {"epochs": None, "judges": {}}
"""Fields that are written only where they are given, so that no finished run is stale."""


def _as_many(given: object) -> object:
    return (given,) if isinstance(given, str) else given


Dialects = Annotated[tuple[str, ...], BeforeValidator(_as_many)]
"""One name, or a list of them."""


class Judge(Section):
    """What one of several students has of its own; what is left out is as in `sft`.

    `dialect` names the dialects of the rows that it learns from: one for a specialist, several for
    a student trained on all formats at once.
    """

    dialect: Dialects = Field(min_length=1)
    steps: int | None = Field(None, gt=0)
    epochs: float | None = Field(None, gt=0)
    learning_rate: float | None = Field(None, gt=0)
    batch: int | None = Field(None, gt=0)
    max_length: int | None = Field(None, gt=0)
    trl: dict[str, Any] | None = None
    peft: dict[str, Any] | None = None


class Config(Section):
    """The student and how it is trained.

    It learns for so many `steps`, or `epochs` of the rows of its `dialect`. `judges` are several
    students of one base, by name, each with its own dialect and what else differs. They are trained
    one after the other, and there is then none without a name.

    `trl` and `peft` are handed to TRL's SFTConfig and PEFT's LoraConfig as they are; `peft` null
    trains all weights, else the student is an adapter. `quantize` stores the base under an adapter
    in four bits. `packing` lays the rows of a batch together (`bfd`, best fit decreasing) or pads
    batches of similar length (`none`). `dev_items` limits the items of the dev kappa,
    `reply_tokens` the length of the student's replies.

    `max_truncated` is the share of training rows that may be over `max_length` and be left out; a
    student from nothing, whose tokens are its own, is not held to it. `dry_run` rows are trained on
    first, on a copy (0: none; null: 50 for a student that was trained before). Training stops after
    `patience` evaluations without a better one, and keeps the `last` or the `best`: of the highest
    dev kappa, then of the lowest dev loss. `soft_labels` is the weight of the teachers' verdict
    distributions where rows have them (null: only the verdict itself counts). `launch` trains in
    several processes.
    """

    student: str | FromNothing
    dialect: Dialects = ()
    judges: dict[str, Judge] = Field(default_factory=dict)
    steps: int | None = Field(None, gt=0)
    epochs: float | None = Field(None, gt=0)
    learning_rate: float = Field(gt=0)
    batch: int = Field(16, gt=0)
    max_length: int = Field(1024, gt=0)
    eval_every: int = Field(100, gt=0)
    dev_items: int = Field(60, ge=0)
    reply_tokens: int = Field(120, gt=0)
    trl: dict[str, Any] = Field(default_factory=dict)
    peft: dict[str, Any] | None = None
    quantize: Quantize | None = None
    packing: Literal["none", "bfd"] = "none"
    max_truncated: float = Field(0.01, ge=0, le=1)
    dry_run: int | None = Field(None, ge=0)
    patience: int | None = Field(None, gt=0)
    keep: Literal["last", "best"] = "last"
    soft_labels: float | None = Field(None, gt=0)
    launch: Launch | None = None

    @field_validator("judges")
    @classmethod
    def _named(cls, judges: dict[str, Judge]) -> dict[str, Judge]:
        for name in judges:
            if name in _TAKEN or not _NAME.fullmatch(name):
                raise ValueError(
                    f"expected a name of small letters, digits and hyphens that is none of "
                    f"{', '.join(sorted(_TAKEN))}, found {name!r}"
                )
        return judges

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.dialect) is bool(self.judges):
            raise ValueError("expected `dialect`, or `judges` that each have one, and not both")
        for name, config in self.students.items():
            if (config.steps is None) is (config.epochs is None):
                where = f"judge {name!r}: " if self.judges else ""
                raise ValueError(f"{where}expected `steps` or `epochs`, and not both")
        return self

    @model_serializer(mode="wrap")
    def _as_given(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = handler(self)
        if len(self.dialect) == 1:
            content["dialect"] = self.dialect[0]
        return {k: v for k, v in content.items() if k not in _LATER or v != _LATER[k]}

    @property
    def students(self) -> "dict[str, Config]":
        """The students to train, by name, each with the config of its own."""
        if not self.judges:
            return {"student": self}
        return {name: self._of(judge) for name, judge in self.judges.items()}

    def _of(self, judge: Judge) -> "Config":
        own = {k: getattr(judge, k) for k in Judge.model_fields if getattr(judge, k) is not None}
        if own.keys() & {"steps", "epochs"}:
            own = {"steps": None, "epochs": None} | own
        return self.model_copy(update={"judges": {}, **own})

    @property
    def dialects(self) -> tuple[str, ...]:
        """Names of the dialects that any student learns."""
        found = (name for config in self.students.values() for name in config.dialect)
        return tuple(dict.fromkeys(found))

    @property
    def pretrained(self) -> bool:
        """Whether the student was trained before."""
        return isinstance(self.student, str)

    @property
    def rows_of_dry_run(self) -> int:
        """How many rows are tried first."""
        return (DRY_RUN if self.pretrained else 0) if self.dry_run is None else self.dry_run

    def rehearsed(self, rates: Rates) -> Self:
        """A tiny random student, of the class that `student.architecture` names, and few steps.

        It is checked and tried first as the recipe's own student would be.
        """
        size = self.student if isinstance(self.student, FromNothing) else FromNothing()
        tiny = size.model_copy(
            update={
                "width": max(4, min(size.width, 32) // 4 * 4),
                "layers": min(size.layers, 2), "heads": 2,
                "context": max(size.context, self.max_length + self.reply_tokens),
            }
        )  # fmt: skip
        few = {"eval_every": 10, "dev_items": 8}
        fewer = {name: _few_steps(judge) for name, judge in self.judges.items()}
        return self.model_copy(
            update={
                "student": tiny, "dry_run": self.rows_of_dry_run, "judges": fewer,
                "steps": min(self.steps or 20, 20), "epochs": None, "launch": None,
                "trl": lightly(self.trl),
                **{k: min(getattr(self, k), n) for k, n in few.items()},
            }
        )  # fmt: skip


def _few_steps(judge: Judge) -> Judge:
    """Without steps of its own: those of all students are few, and without longer rows."""
    own = None if judge.trl is None else lightly(judge.trl)
    return judge.model_copy(update={"steps": None, "epochs": None, "max_length": None, "trl": own})


def inputs(config: Config) -> tuple[str, ...]:
    """Files of the run that this stage reads."""
    return (
        "questions/questions.jsonl",
        "responses/responses.jsonl",
        "split/items.jsonl",
        "labels/judgments.jsonl",
        "labels/labels.jsonl",
        "rows/sft.jsonl",
        *(("rows/soft.jsonl",) if config.soft_labels is not None else ()),
    )


def outputs(config: Config) -> tuple[str, ...]:
    """Folders and files that this stage makes: two for each student, and what it started from."""
    made = (path for name in config.students for path in (student_folder(name), curve_file(name)))
    return ("sft/before", *made)


def curve_file(name: str) -> str:
    """Where a student's curve lies.

    >>> curve_file("student"), curve_file("pairwise")
    ('sft/curve.jsonl', 'sft/pairwise/curve.jsonl')
    """
    return str(Path(student_folder(name)).with_name("curve.jsonl"))


def outside(config: Config) -> dict[str, Path]:
    """Files from outside the run: a student's folder, where it is one on this machine."""
    if isinstance(config.student, str) and Path(config.student).is_dir():
        return {config.student: Path(config.student)}
    return {}
