"""One student: what it is before, what it is trained on, and its training."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from judgesmith.backends.launch import train_launched
from judgesmith.backends.lessons import steps_of
from judgesmith.backends.probing import probe_of
from judgesmith.backends.sft_trl import Trained, Training, train_sft
from judgesmith.backends.soft_labels import Soft, soft_labels
from judgesmith.backends.student import build_student, open_tokenizer
from judgesmith.backends.threads import choose_bf16
from judgesmith.errors import TrainingError
from judgesmith.judging.dialect import Dialect
from judgesmith.models.dev import DevSets
from judgesmith.records import Item, SftRow, Split
from judgesmith.runs.layout import RunDir
from judgesmith.stages.sft.config import Config


class Place(NamedTuple):
    """A student to be trained: its name, what it is before, and the folder for its own.

    `chances` are the teachers' verdicts by row id and verdict, where `soft_labels` is set.
    """

    name: str
    before: str
    folder: Path
    chances: Mapping[str, Mapping[str, float]] = {}


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


def train_student(
    config: Config, rows: Sequence[SftRow], place: Place, *, run_dir: RunDir, dev_sets: DevSets
) -> Trained:
    """Train one student into `place.folder / "student"`.

    `rows` are of the dialects that `dev_sets` ask in.
    """
    train = [row for row in rows if row.split is Split.TRAIN]
    dev = [row for row in rows if row.split is Split.DEV]
    processes = (config.launch.processes if config.launch is not None else None) or 1
    steps = config.steps or steps_of(
        config.epochs or 1, len(train), config.batch, config.trl, processes
    )
    soft, soft_counts = soft_of(config, rows, place, dev_sets.dialects)
    training = Training(
        base=place.before, folder=place.folder, learning_rate=config.learning_rate,
        batch=config.batch, steps=steps, eval_every=config.eval_every,
        max_length=config.max_length, seed=run_dir.seed, trl=config.trl, peft=config.peft,
        bf16=choose_bf16(run_dir.file("machine.json")), quantize=config.quantize,
        packing=config.packing, patience=config.patience, keep=config.keep,
        max_truncated=config.max_truncated if config.pretrained else None,
        dry_run=config.rows_of_dry_run, dialects={d.name: d.hash for d in dev_sets.dialects},
        buckets=buckets_of(rows, run_dir), soft=soft, soft_weight=config.soft_labels or 1.0,
    )  # fmt: skip
    if config.launch is not None:
        found = train_launched(
            config.launch, training, train, dev, run_dir=run_dir, dev_sets=dev_sets
        )  # fmt: skip
    else:
        found = train_sft(training, train, dev, dev_sets.kappa, probe_of(dev_sets.first))
    return found._replace(counts=found.counts | soft_counts)


def soft_of(
    config: Config, rows: Sequence[SftRow], place: Place, dialects: Sequence[Dialect]
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
    found: dict[str, Soft] = {}
    counts: dict[str, int] = {}
    for dialect in dialects:
        own = [row for row in rows if row.dialect == dialect.hash]
        soft, told = soft_labels(tokenizer, own, place.chances, opening=dialect.verdict_opening)
        found |= soft
        counts = {name: counts.get(name, 0) + count for name, count in told.items()}
    return found, counts


def buckets_of(rows: Sequence[SftRow], run_dir: RunDir) -> dict[str, str]:
    """The bucket of each row's item, by row id."""
    buckets = {item.id: item.bucket for item in run_dir.read("split/items.jsonl", Item)}
    return {row.id: buckets[row.item_id] for row in rows if row.item_id in buckets}
