"""Preference rows -> a student, by direct preference optimization from the SFT student.

    in   preferences/preferences.jsonl, sft/before, sft/student, and for the dev kappa: questions,
         responses, items, labels
    out  dpo/student/, dpo/curve.jsonl
    run  judgesmith run RECIPE --until dpo

The frozen SFT student is the reference. What both give to the rows before the first step stands in
the curve as step 0 and in the stage's report. A run whose reference is another model, that has
nothing to learn, or that collapses stops with the reason and writes no student.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self, cast

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from judgesmith.backends.dpo_checks import Bounds, Measured
from judgesmith.backends.dpo_trainer import Training
from judgesmith.backends.dpo_trl import train_dpo
from judgesmith.backends.lessons import lightly, steps_of
from judgesmith.backends.origin import read_origin, require_trained_in
from judgesmith.backends.student import read_size
from judgesmith.backends.threads import choose_threads
from judgesmith.backends.weights import Quantize
from judgesmith.judging.dialect import require_dialect
from judgesmith.models.dev import Asking, DevSets
from judgesmith.models.protocol import ModelOpener
from judgesmith.records import PreferenceRow, Split
from judgesmith.report.training import PreferencePoint
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import StageReport
from judgesmith.runs.recipe import Section
from judgesmith.runs.rehearsal import Rates
from judgesmith.tasks import known_dialects, load_dialect, task_of

VERSION = 4
OUTPUTS = ("dpo/student", "dpo/curve.jsonl")
ROWS, BEFORE, STUDENT = "preferences/preferences.jsonl", "sft/before", "sft/student"


class Config(Section):
    """How the student is trained on preference rows, for so many `steps` or `epochs`.

    `beta` is how strongly it is held to the SFT student, per nat; `stop` where a run is stopped
    that has nothing to learn or collapses. `dev_items` limits the items of the dev kappa,
    `reply_tokens` the student's replies.

    A student that is an adapter goes on being trained as one, over the base as SFT stored it, or
    in four bits with `quantize`. Of a whole student all weights are trained, or with `peft` an
    adapter that is merged into it in the end (kept beside it with `quantize`). `trl` and `peft` are
    handed to TRL's DPOConfig and PEFT's LoraConfig as they are.
    """

    dialect: str
    steps: int | None = Field(None, gt=0)
    epochs: float | None = Field(None, gt=0)
    learning_rate: float = Field(gt=0)
    batch: int = Field(16, gt=0)
    beta: float = Field(0.1, gt=0)
    max_length: int = Field(1024, gt=0)
    eval_every: int = Field(50, gt=0)
    dev_items: int = Field(60, ge=0)
    reply_tokens: int = Field(120, gt=0)
    stop: Bounds = Bounds()
    trl: dict[str, Any] = Field(default_factory=dict)
    peft: dict[str, Any] | None = None
    quantize: Quantize | None = None

    def rehearsed(self, rates: Rates) -> Self:
        """A few steps."""
        few = {"eval_every": 5, "dev_items": 8}
        changes: dict[str, Any] = {k: min(getattr(self, k), n) for k, n in few.items()}
        changes |= {"steps": min(self.steps or 10, 10), "epochs": None, "trl": lightly(self.trl)}
        return self.model_copy(update=changes)

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if (self.steps is None) is (self.epochs is None):
            raise ValueError("expected `steps` or `epochs`, and not both")
        return self

    @model_serializer(mode="wrap")
    def _as_given(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without `epochs` where none are given, so that no finished run is stale."""
        content: dict[str, Any] = handler(self)
        return {k: v for k, v in content.items() if k != "epochs" or v is not None}


def inputs(config: Config) -> tuple[str, ...]:
    """Files of the run that this stage reads."""
    return (
        "questions/questions.jsonl",
        "responses/responses.jsonl",
        "split/items.jsonl",
        "labels/judgments.jsonl",
        "labels/labels.jsonl",
        ROWS,
        BEFORE,
        STUDENT,
    )


def outside(config: Config) -> dict[str, Path]:
    """Files from outside the run: none."""
    return {}


def run(config: Config, run_dir: RunDir, models: ModelOpener) -> StageReport:
    """Train the SFT student on the preference rows, and keep its curve."""
    dialect = load_dialect(task_of(run_dir.header), config.dialect)
    rows = run_dir.read(ROWS, PreferenceRow)
    require_dialect(
        (row.dialect for row in rows), dialect, path=str(run_dir.file(ROWS)), setting="dpo.dialect",
        known=known_dialects(task_of(run_dir.header)),
    )  # fmt: skip
    require_trained_in(read_origin(run_dir.file(STUDENT)), dialect, student="student")
    choose_threads(run_dir.file("machine.json"))
    asking = Asking(dialect, config.reply_tokens, config.dev_items, run_dir.seed)
    dev_set = DevSets.of_run(run_dir, [asking], known_dialects(task_of(run_dir.header))).first
    train = [row for row in rows if row.split is Split.TRAIN]
    dev = [row for row in rows if row.split is Split.DEV]
    training = _training(config, run_dir, len(train))
    trained = train_dpo(training, train, dev, dev_set.kappa)
    margin = dev_set.keep_margin(lambda: models("after DPO"), run_dir.file("dpo/student"))
    run_dir.write("dpo/curve.jsonl", merge_log(trained.log))
    used = len(train) - trained.counts["rows too long"]
    dropped = {
        "longer than max_length": trained.counts["rows too long"],
        "dev row": len(dev),
        "on the test side": len(rows) - len(train) - len(dev),
    }
    return StageReport(
        taken=len(rows),
        made=used,
        dropped={reason: n for reason, n in dropped.items() if n},
        tables={
            "training": trained.counts,
            "before the first step": tables(trained.before),
            "after the last step": tables(trained.after),
            **({} if margin is None else {"tie margin": margin}),
            **({} if training.quantize is None else {"quantize": training.quantize}),
        },
    )


def _training(config: Config, run_dir: RunDir, rows: int) -> Training:
    student = str(run_dir.file(STUDENT))
    origin = read_origin(student)
    as_before = cast(Quantize | None, origin.quantize if origin is not None else None)
    steps = config.steps or steps_of(config.epochs or 1, rows, config.batch, config.trl)
    return Training(
        base=student, reference=student, folder=run_dir.file("dpo"),
        learning_rate=config.learning_rate, batch=config.batch, steps=steps,
        beta=config.beta, eval_every=config.eval_every, max_length=config.max_length,
        seed=run_dir.seed, trl=config.trl, peft=config.peft,
        quantize=config.quantize or as_before, nothing=read_size(str(run_dir.file(BEFORE))),
        stop=config.stop,
    )  # fmt: skip


def tables(found: Mapping[str, Measured]) -> dict[str, dict[str, float]]:
    """The numbers of each side by name."""
    return {side: numbers._asdict() for side, numbers in found.items()}


def merge_log(log: Sequence[Mapping[str, float]]) -> list[PreferencePoint]:
    """One point per step, in order, with what was measured then."""
    points: dict[int, dict[str, Any]] = {}
    for entry in log:
        points.setdefault(int(entry["step"]), {}).update(entry)
    return [PreferencePoint.model_validate(point) for _, point in sorted(points.items())]
