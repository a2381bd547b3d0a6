"""Rows -> a student, by supervised fine-tuning.

    in   rows/sft.jsonl, and for the dev kappa: questions, responses, items, labels
    out  sft/before/ (the student before training), sft/student/, sft/curve.jsonl
    run  judgesmith run RECIPE --until sft

The student is a Hugging Face path, or is built from nothing: random weights, and a tokenizer
trained on the training side only. Dev loss and dev kappa are logged as it learns.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

from pydantic import Field

from judgesmith.backends.launch import Launch, train_launched
from judgesmith.backends.probing import probe_of
from judgesmith.backends.sft_trl import Trained, Training, train_sft
from judgesmith.backends.soft_labels import Soft, soft_labels
from judgesmith.backends.student import FromNothing, build_student, open_tokenizer
from judgesmith.backends.threads import choose_bf16, choose_threads
from judgesmith.backends.weights import Quantize
from judgesmith.errors import TrainingError
from judgesmith.judging.dialect import Dialect, require_dialect
from judgesmith.models.dev import Asking, DevSet
from judgesmith.models.protocol import ModelOpener
from judgesmith.records import Item, SftRow, Split
from judgesmith.report.document import CurvePoint
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import StageReport
from judgesmith.runs.recipe import Section
from judgesmith.runs.rehearsal import Rates
from judgesmith.tasks import load_dialect, task_of

VERSION = 5
OUTPUTS = ("sft/before", "sft/student", "sft/curve.jsonl")
DRY_RUN = 50
"""Rows of a dry run, where the recipe does not say."""


class Config(Section):
    """The student and how it is trained.

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
    quantize: Quantize | None = None
    packing: Literal["none", "bfd"] = "none"
    max_truncated: float = Field(0.01, ge=0, le=1)
    dry_run: int | None = Field(None, ge=0)
    patience: int | None = Field(None, gt=0)
    keep: Literal["last", "best"] = "last"
    soft_labels: float | None = Field(None, gt=0)
    launch: Launch | None = None

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
                "width": min(size.width, 32), "layers": min(size.layers, 2), "heads": 2,
                "context": max(size.context, self.max_length + self.reply_tokens),
            }
        )  # fmt: skip
        few = {"steps": 20, "eval_every": 10, "dev_items": 8}
        return self.model_copy(
            update={
                "student": tiny, "dry_run": self.rows_of_dry_run,
                **{k: min(getattr(self, k), n) for k, n in few.items()},
            }
        )  # fmt: skip


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
    dialect = load_dialect(task_of(run_dir.header), config.dialect)
    rows = run_dir.read("rows/sft.jsonl", SftRow)
    require_dialect(
        (row.dialect for row in rows), dialect,
        path=str(run_dir.file("rows/sft.jsonl")), setting="sft.dialect",
    )  # fmt: skip
    choose_threads(run_dir.file("machine.json"))
    before = prepare_before(config, rows, run_dir.file("sft/before"), run_dir.seed)
    dev_set = DevSet.of_run(
        run_dir, Asking(dialect, config.reply_tokens, config.dev_items, run_dir.seed)
    )
    place = Place(before, run_dir.file("sft"))
    trained = train_student(config, rows, place, run_dir=run_dir, dev_set=dev_set)
    margin = dev_set.keep_margin(lambda: models("student"), run_dir.file("sft/student"))
    run_dir.write("sft/curve.jsonl", merge_log(trained.log))
    dev = sum(row.split is Split.DEV for row in rows)
    too_long = trained.counts["rows too long"]
    dropped = {"longer than max_length": too_long, "dev row": dev}
    return StageReport(
        taken=len(rows),
        made=sum(row.split is Split.TRAIN for row in rows) - too_long,
        dropped={reason: n for reason, n in dropped.items() if n},
        tables=tables(trained) | ({} if margin is None else {"tie margin": margin}),
    )


class Place(NamedTuple):
    """A student to be trained: what it is before, and the folder in which its own will lie.

    `chances` are the teachers' verdicts by row id and verdict, where `soft_labels` is set.
    """

    before: str
    folder: Path
    chances: Mapping[str, Mapping[str, float]] = {}


def train_student(
    config: Config, rows: Sequence[SftRow], place: Place, *, run_dir: RunDir, dev_set: DevSet
) -> Trained:
    """Train one student into `place.folder / "student"`.

    `rows` are of the dialect that `dev_set` asks in.
    """
    dialect = dev_set.asking.dialect
    soft, soft_counts = soft_of(config, rows, place, dialect)
    training = Training(
        base=place.before, folder=place.folder, learning_rate=config.learning_rate,
        batch=config.batch, steps=config.steps, eval_every=config.eval_every,
        max_length=config.max_length, seed=run_dir.seed, trl=config.trl, peft=config.peft,
        bf16=choose_bf16(run_dir.file("machine.json")), quantize=config.quantize,
        packing=config.packing, patience=config.patience, keep=config.keep,
        max_truncated=config.max_truncated if config.pretrained else None,
        dry_run=config.rows_of_dry_run, dialects={dialect.name: dialect.hash},
        buckets=buckets_of(rows, run_dir), soft=soft, soft_weight=config.soft_labels or 1.0,
    )  # fmt: skip
    train = [row for row in rows if row.split is Split.TRAIN]
    dev = [row for row in rows if row.split is Split.DEV]
    if config.launch is not None:
        found = train_launched(
            config.launch, training, train, dev, run_dir=run_dir, dev_set=dev_set
        )  # fmt: skip
    else:
        found = train_sft(training, train, dev, dev_set.kappa, probe_of(dev_set))
    return found._replace(counts=found.counts | soft_counts)


def soft_of(
    config: Config, rows: Sequence[SftRow], place: Place, dialect: Dialect
) -> tuple[dict[str, Soft], dict[str, int]]:
    """The soft labels of the rows, and how many there are; none where the recipe wants none."""
    if config.soft_labels is None:
        return {}, {}
    if not place.chances:
        raise TrainingError(
            "sft.soft_labels: no row has the distribution of its teachers' verdicts. Label with "
            "several teachers or samples, or leave soft_labels out."
        )
    tokenizer = open_tokenizer(place.before)
    return soft_labels(tokenizer, rows, place.chances, opening=dialect.verdict_opening)


def buckets_of(rows: Sequence[SftRow], run_dir: RunDir) -> dict[str, str]:
    """The bucket of each row's item, by row id."""
    buckets = {item.id: item.bucket for item in run_dir.read("split/items.jsonl", Item)}
    return {row.id: buckets[row.item_id] for row in rows if row.item_id in buckets}


def tables(trained: Trained) -> dict[str, Any]:
    """What the stage's report shows of a training."""
    found: dict[str, Any] = {"training": trained.counts, "tokens": trained.lengths}
    if trained.dry_run is not None:
        found["dry run"] = trained.dry_run._asdict()
    return found


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
