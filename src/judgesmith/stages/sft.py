"""Rows -> a student, by supervised fine-tuning.

    in   rows/sft.jsonl, and for the dev kappa: questions, responses, items, labels
    out  sft/before/ (the student before training), sft/student/, sft/curve.jsonl
    run  judgesmith run RECIPE --until sft

The student is a Hugging Face path, or is built from nothing: random weights, and a tokenizer
trained on the training side only. Dev loss and dev kappa are logged as it learns.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from pydantic import Field

from judgesmith.backends.sft_trl import Training, train_sft
from judgesmith.backends.student import FromNothing, build_student
from judgesmith.backends.threads import choose_bf16, choose_threads
from judgesmith.judging.dialect import require_dialect
from judgesmith.models.dev import Asking, DevSet
from judgesmith.models.protocol import ModelOpener
from judgesmith.records import SftRow, Split
from judgesmith.report.document import CurvePoint
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import StageReport
from judgesmith.runs.recipe import Section
from judgesmith.runs.rehearsal import Rates
from judgesmith.tasks import load_dialect, load_task

VERSION = 4
OUTPUTS = ("sft/before", "sft/student", "sft/curve.jsonl")


class Config(Section):
    """The student and how it is trained.

    `trl` and `peft` are handed to TRL's SFTConfig and PEFT's LoraConfig as they are; `peft` null
    trains all weights. `dev_items` limits the items of the dev kappa, `reply_tokens` the length of
    the student's replies.
    """

    student: str | FromNothing
    dialect: str
    steps: int = Field(gt=0)
    learning_rate: float = Field(gt=0)
    batch: int = Field(16, gt=0)
    max_length: int = Field(1024, gt=0)
    eval_every: int = Field(100, gt=0)
    dev_items: int = Field(60, ge=0)
    reply_tokens: int = Field(120, gt=0)
    trl: dict[str, Any] = Field(default_factory=dict)
    peft: dict[str, Any] | None = None

    def rehearsed(self, rates: Rates) -> Self:
        """A tiny random student and a few steps."""
        size = self.student
        if isinstance(size, str):
            size = FromNothing(context=self.max_length + self.reply_tokens)
        tiny = size.model_copy(
            update={"width": min(size.width, 32), "layers": min(size.layers, 2), "heads": 2}
        )
        few = {"steps": 20, "eval_every": 10, "dev_items": 8}
        return self.model_copy(
            update={"student": tiny, **{k: min(getattr(self, k), n) for k, n in few.items()}}
        )


def inputs(config: Config) -> tuple[str, ...]:
    """Files of the run that this stage reads."""
    return (
        "questions/questions.jsonl",
        "responses/responses.jsonl",
        "split/items.jsonl",
        "labels/labels.jsonl",
        "rows/sft.jsonl",
    )


def outside(config: Config) -> dict[str, Path]:
    """Files from outside the run: a student's folder, where it is one on this machine."""
    if isinstance(config.student, str) and Path(config.student).is_dir():
        return {config.student: Path(config.student)}
    return {}


def prepare_before(config: Config, rows: Sequence[SftRow], folder: Path, seed: int) -> str:
    """The student before training: its path, or a new one built from the training rows."""
    if isinstance(config.student, str):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "path.txt").write_text(config.student + "\n")
        return config.student
    if not (folder / "config.json").exists():
        temporary = folder.with_name("before.tmp")
        shutil.rmtree(temporary, ignore_errors=True)
        texts = (
            text
            for row in rows
            if row.split is Split.TRAIN
            for text in (*(turn.content for turn in row.prompt), row.completion)
        )
        build_student(config.student, texts, temporary, seed)
        shutil.rmtree(folder, ignore_errors=True)
        temporary.rename(folder)
    return str(folder)


def run(config: Config, run_dir: RunDir, models: ModelOpener) -> StageReport:
    """Build or fetch the student, train it, and keep its curve."""
    dialect = load_dialect(load_task(run_dir.header.task), config.dialect)
    rows = run_dir.read("rows/sft.jsonl", SftRow)
    require_dialect(
        (row.dialect for row in rows), dialect,
        path=str(run_dir.file("rows/sft.jsonl")), setting="sft.dialect",
    )  # fmt: skip
    machine = run_dir.file("machine.json")
    choose_threads(machine)
    before = prepare_before(config, rows, run_dir.file("sft/before"), run_dir.seed)
    train = [row for row in rows if row.split is Split.TRAIN]
    dev = [row for row in rows if row.split is Split.DEV]
    training = Training(
        base=before, folder=run_dir.file("sft"), learning_rate=config.learning_rate,
        batch=config.batch, steps=config.steps, eval_every=config.eval_every,
        max_length=config.max_length, seed=run_dir.seed, trl=config.trl, peft=config.peft,
        bf16=choose_bf16(machine),
    )  # fmt: skip
    asking = Asking(dialect, config.reply_tokens, config.dev_items, run_dir.seed)
    dev_set = DevSet.of_run(run_dir, asking)
    log, counts = train_sft(training, train, dev, dev_set.kappa)
    margin = dev_set.keep_margin(lambda: models("student"), run_dir.file("sft/student"))
    run_dir.write("sft/curve.jsonl", merge_log(log))
    used = len(train) - counts["rows too long"]
    dropped = {"longer than max_length": counts["rows too long"], "dev row": len(dev)}
    return StageReport(
        taken=len(rows),
        made=used,
        dropped={reason: n for reason, n in dropped.items() if n},
        tables={"training": counts} | ({} if margin is None else {"tie margin": margin}),
    )


def merge_log(log: Sequence[dict[str, float]]) -> list[CurvePoint]:
    """One point per step, in order, with what was measured then."""
    points: dict[int, dict[str, float]] = {}
    for entry in log:
        points.setdefault(int(entry["step"]), {}).update(entry)
    return [
        CurvePoint(
            step=step,
            train_loss=point.get("train_loss"),
            dev_loss=point.get("dev_loss"),
            dev_kappa=point.get("dev_kappa"),
        )
        for step, point in sorted(points.items())
    ]
