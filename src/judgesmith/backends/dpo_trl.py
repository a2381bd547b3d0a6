"""Preference training (DPO) with TRL: pairs of replies in, a trained model or adapter folder out.

What the frozen reference gives to every reply is computed once, before training, and handed to
TRL with the rows. No second model stands in memory while training runs, and nothing can move the
reference. Every start is checked: the reference is the model that training starts from, the
trainer's own first loss is ln 2, and there is something left to learn (`dpo_checks`).
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from judgesmith.backends.adapters import (
    base_of,
    count_weights,
    is_adapter,
    require_adapter,
    require_same_adapter,
)
from judgesmith.backends.checkpoints import Saved, last_whole, save_whole
from judgesmith.backends.dpo_checks import Measured, measure, require_reference, require_unsettled
from judgesmith.backends.dpo_reference import reference_scores
from judgesmith.backends.dpo_trainer import (
    Training,
    Watched,
    build_trainer,
    require_options,
    watch,
)
from judgesmith.backends.lessons import Plan
from judgesmith.backends.local_model import LocalModel
from judgesmith.backends.origin import origin_of, read_origin
from judgesmith.backends.pairs import (
    Encoded,
    Pair,
    PairScore,
    encode_pairs,
    sample_pairs,
    schedule_pairs,
    score_pairs,
)
from judgesmith.backends.student import open_tokenizer
from judgesmith.errors import TrainingError
from judgesmith.models.protocol import Model
from judgesmith.records import PreferenceRow
from judgesmith.runs.progress import progress_bar

SAMPLE = 256
"""Pairs of each side that are measured before and after training; dev's also while it runs."""
TRAIN, DEV = "train", "dev"
_SCHEDULED = "scheduled"
_ACCUMULATION = "gradient_accumulation_steps"
Log = list[dict[str, float]]


class Trained(NamedTuple):
    """The log, one entry per moment; counts; and each side before the first step and after all."""

    log: Log
    counts: dict[str, int]
    before: dict[str, Measured]
    after: dict[str, Measured]


class Samples(NamedTuple):
    """Pairs of each side that are measured, and what the reference gives to them."""

    pairs: Mapping[str, Sequence[Pair]]
    reference: Mapping[str, Sequence[PairScore]]
    training: Training

    def measure(self, model: Any, side: str) -> Measured:
        """The numbers of one side for the model as it stands."""
        return measure(self._scores(model, side), self.reference[side], self.training.beta)

    def before(self, model: Any) -> dict[str, Measured]:
        """The numbers of every side before the first step; stops a start that cannot be right."""
        found = {}
        for side in self.pairs:
            scores = self._scores(model, side)
            require_reference(scores, self.reference[side])
            found[side] = measure(scores, self.reference[side], self.training.beta)
        require_unsettled(found[self.watched], self.training.stop.saturated, self.watched)
        return found

    def _scores(self, model: Any, side: str) -> list[PairScore]:
        return score_pairs(model, self.pairs[side], self.training.batch)

    @property
    def watched(self) -> str:
        """The side that is measured while training runs: dev, where it has pairs."""
        return DEV if DEV in self.pairs else TRAIN


def train_dpo(
    training: Training, train: Sequence[PreferenceRow], dev: Sequence[PreferenceRow],
    measure_dev: Callable[[Model], float | None],
) -> Trained:  # fmt: skip
    """Train, resuming from the last whole checkpoint, and save to `folder / "student"`.

    `measure_dev` is called before the first step and at every evaluation with the model as it
    stands. Raises TrainingError, leaving no student and no checkpoint, when the reference is not
    the model that training starts from, when there is nothing to learn, and on a collapse.
    """
    try:
        return _train(training, {TRAIN: train, DEV: dev}, measure_dev)
    except TrainingError:
        shutil.rmtree(training.checkpoints, ignore_errors=True)
        raise


def _train(
    training: Training, rows: Mapping[str, Sequence[PreferenceRow]],
    measure_dev: Callable[[Model], float | None],
) -> Trained:  # fmt: skip
    require_adapter(training.quantize, adapter=not training.all_weights, stage="dpo")
    require_options(training)
    tokenizer = open_tokenizer(training.base)
    encoded = {side: encode_pairs(tokenizer, rows[side], training.max_length) for side in rows}
    if not encoded[TRAIN].pairs:
        raise TrainingError(
            f"no training row fits into dpo.max_length = {training.max_length} tokens "
            f"({len(rows[TRAIN])} rows); raise it."
        )
    scheduled = list(schedule_pairs(encoded[TRAIN].pairs, _plan(training, tokenizer)))
    samples, frozen = _with_reference(training, encoded, scheduled)
    fields = [pair.fields(score) for pair, score in zip(scheduled, frozen, strict=True)]
    model, _ = training.opening(training.base).load()
    if training.peft is not None and is_adapter(training.base):
        require_same_adapter(training.peft, model, "dpo.peft")
    trainer = build_trainer(training, model, tokenizer, fields)

    def kappa() -> float | None:
        return measure_dev(LocalModel("student", loaded=(trainer.model, tokenizer)))

    before = samples.before(trainer.model)
    kappa_before = kappa()
    side = samples.watched
    watched = Watched(
        side, training.stop, before[side], lambda: samples.measure(trainer.model, side), kappa
    )
    with progress_bar("dpo", training.steps) as bar:
        trainer.add_callback(watch(trainer, watched, training.eval_every, bar))
        trainer.train(resume_from_checkpoint=last_whole(training.checkpoints))
    after = {side: samples.measure(trainer.model, side) for side in samples.pairs}
    counts = _counts(encoded, trainer.model)
    whole = training.all_weights or training.keeps_adapter
    trained = trainer.model if whole else trainer.model.merge_and_unload()
    save_whole(trained, tokenizer, training.folder / "student", _saved(training, encoded[TRAIN]))
    shutil.rmtree(training.checkpoints, ignore_errors=True)
    log = _curve(trainer.state.log_history, before, kappa_before)
    return Trained(log, counts, before, after)


def _saved(training: Training, encoded: Encoded) -> Saved:
    """Of the dialects of the student that it was trained from; its replies are the chosen ones."""
    before = read_origin(training.base)
    origin = origin_of(
        base_of(training.base) if is_adapter(training.base) else training.base,
        training.folder / "student",
        dialects=before.dialects if before else {},
        replies=[len(pair.chosen) for pair in encoded.pairs],
        quantize=training.quantize,
    )  # fmt: skip
    return Saved(origin)


def _plan(training: Training, tokenizer: Any) -> Plan:
    """The order of the rows; a student from nothing sees names changed as it did in SFT."""
    return Plan(
        rows=training.steps * training.batch * int(training.trl.get(_ACCUMULATION, 1)),
        batch=training.batch,
        seed=training.seed,
        renaming=training.nothing.renaming if training.nothing else 0.0,
        keep=frozenset(tokenizer.all_special_ids),
    )


def _with_reference(
    training: Training, encoded: Mapping[str, Encoded], scheduled: Sequence[Pair]
) -> tuple[Samples, list[PairScore]]:
    """Samples of both sides, and the reference's scores of the scheduled pairs."""
    chosen = {
        side: sample_pairs(found.pairs, SAMPLE, training.seed)
        for side, found in encoded.items()
        if found.pairs
    }
    scores = reference_scores(
        training.opening(training.reference), {_SCHEDULED: scheduled, **chosen},
        batch=training.batch, store=training.checkpoints / "reference.json",
    )  # fmt: skip
    frozen = scores.pop(_SCHEDULED)
    return Samples(chosen, scores, training), frozen


def _counts(encoded: Mapping[str, Encoded], trained: Any) -> dict[str, int]:
    pairs = encoded[TRAIN].pairs
    return {
        "rows too long": encoded[TRAIN].too_long,
        "dev rows too long": encoded[DEV].too_long,
        "supervised tokens per epoch": sum(len(p.chosen) + len(p.rejected) for p in pairs),
        "tokens per epoch": sum(2 * len(p.prompt) + len(p.chosen + p.rejected) for p in pairs),
        **count_weights(trained),
    }


def _curve(
    history: Sequence[Mapping[str, Any]], before: Mapping[str, Measured], kappa: float | None
) -> Log:
    """Step 0 and every logged moment after it, under the names of the stage's points."""
    train = before[TRAIN]
    log: Log = [
        {"step": 0, "train_loss": train.loss, "train_margin": train.margin},
        *_dev_entries(0, before.get(DEV), kappa),
    ]
    names = {
        "loss": "train_loss",
        "rewards/margins": "train_margin",
        "rewards/accuracies": "train_rewarded",
    }
    for entry in history:
        step = entry["step"]
        if "measured" in entry:
            found = Measured(**entry["measured"]) if DEV in before else None
            log += _dev_entries(step, found, entry["dev_kappa"])
        logged = {name: float(entry[key]) for key, name in names.items() if key in entry}
        if logged:
            log.append({"step": step, **logged})
    return log


def _dev_entries(step: int, found: Measured | None, kappa: float | None) -> Log:
    """What was measured on dev; before the first step no pair can be rewarded yet."""
    entries: Log = []
    if found is not None:
        numbers = {
            "dev_loss": found.loss,
            "dev_margin": found.margin,
            "dev_accuracy": found.accuracy,
            "dev_chosen": found.chosen,
        }
        rewarded = {"dev_rewarded": found.rewarded} if step else {}
        entries.append({"step": step, **numbers, **rewarded})
    if kappa is not None:
        entries.append({"step": step, "dev_kappa": kappa})
    return entries
