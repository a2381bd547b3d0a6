"""Supervised fine-tuning with TRL: token ids and labels in, a trained model folder out."""

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from judgesmith.backends.checkpoints import last_whole, log_every, mark_whole, save_whole
from judgesmith.backends.encode import encode_prompt, encode_reply
from judgesmith.backends.lessons import NO_LOSS, Lesson, Plan, schedule
from judgesmith.backends.loading import load
from judgesmith.backends.local_model import LocalModel
from judgesmith.backends.muon import muon
from judgesmith.backends.student import FromNothing, load_student, read_size
from judgesmith.errors import TrainingError
from judgesmith.models.protocol import Model
from judgesmith.records import SftRow
from judgesmith.runs.progress import progress_bar

_ACCUMULATION = "gradient_accumulation_steps"


class Encoded(NamedTuple):
    """Rows as token ids, and how many did not fit."""

    rows: list[Lesson]
    too_long: int


class Training(NamedTuple):
    """What a training needs besides its rows."""

    base: str
    folder: Path
    learning_rate: float
    batch: int
    steps: int
    eval_every: int
    max_length: int
    seed: int
    trl: Mapping[str, Any]
    peft: Mapping[str, Any] | None
    bf16: bool = False


def encode_rows(tokenizer: Any, rows: Sequence[SftRow], max_length: int) -> Encoded:
    """Prompt and reply of every row that fits into `max_length` tokens."""
    encoded: list[Lesson] = []
    for row in rows:
        # Far longer text cannot fit, and tokenizing a megabyte to find that out takes seconds.
        if sum(len(turn.content) for turn in row.prompt) > 64 * max_length:
            continue
        prompt = encode_prompt(tokenizer, row.prompt)
        lesson = Lesson(row.id, prompt, encode_reply(tokenizer, row.completion))
        if lesson.length <= max_length:
            encoded.append(lesson)
    return Encoded(encoded, len(rows) - len(encoded))


def train_sft(
    training: Training, train: Sequence[SftRow], dev: Sequence[SftRow],
    measure_dev: Callable[[Model], float | None],
) -> tuple[list[dict[str, float]], dict[str, int]]:  # fmt: skip
    """Train, resuming from the last whole checkpoint, and save to `folder / "student"`.

    Returns the log (step with train_loss, dev_loss or dev_kappa) and counts. `measure_dev` is
    called at every evaluation with the model as it stands.
    """
    model, tokenizer = load_student(training.base)
    train_rows = encode_rows(tokenizer, train, training.max_length)
    dev_rows = encode_rows(tokenizer, dev, training.max_length)
    if not train_rows.rows:
        raise TrainingError(
            f"no training row fits into sft.max_length = {training.max_length} tokens "
            f"({len(train)} rows); raise it."
        )
    checkpoints = training.folder / "checkpoints"
    nothing = read_size(training.base)
    if nothing is not None and model.device.type == "cpu":
        # In half precision the backward pass of torch's fused attention takes half of a CPU step.
        model.set_attn_implementation("eager")
    plan = Plan(
        rows=training.steps * training.batch * int(training.trl.get(_ACCUMULATION, 1)),
        batch=training.batch,
        seed=training.seed,
        renaming=nothing.renaming if nothing else 0.0,
        reading=nothing.reading if nothing else 0.0,
        keep=frozenset(tokenizer.all_special_ids),
    )
    with progress_bar("sft", training.steps) as bar:
        sides = (schedule(train_rows.rows, plan), dev_rows.rows)
        trainer = _trainer(training, model, tokenizer, sides, nothing)
        trainer.add_callback(_callbacks(trainer, tokenizer, measure_dev, bar))
        trainer.train(resume_from_checkpoint=last_whole(checkpoints))
    trained = trainer.model
    if training.peft is not None:
        trained = trained.merge_and_unload()
    save_whole(trained, tokenizer, training.folder / "student")
    shutil.rmtree(checkpoints, ignore_errors=True)
    counts = {
        "rows too long": train_rows.too_long,
        "dev rows too long": dev_rows.too_long,
        "supervised tokens per epoch": sum(len(row.reply) for row in train_rows.rows),
        "tokens per epoch": sum(row.length for row in train_rows.rows),
        "parameters": sum(p.numel() for p in trained.parameters()),
    }
    return _curve(trainer.state.log_history), counts


def _trainer(
    training: Training, model: Any, tokenizer: Any,
    sides: tuple[Iterable[Lesson], Sequence[Lesson]], nothing: FromNothing | None,
) -> Any:  # fmt: skip
    trl, datasets, torch = load("trl"), load("datasets"), load("torch")
    on_gpu = torch.cuda.is_available()
    train, dev = ([lesson.fields() for lesson in side] for side in sides)
    options: dict[str, Any] = {
        "output_dir": str(training.folder / "checkpoints"),
        "use_cpu": not on_gpu,
        "bf16": on_gpu,
        "activation_checkpointing": False,
        "train_sampling_strategy": "sequential",
        "per_device_train_batch_size": training.batch,
        "per_device_eval_batch_size": training.batch,
        "learning_rate": training.learning_rate,
        "lr_scheduler_type": "cosine",
        "warmup_steps": max(1, training.steps // 20),
        "max_steps": training.steps,
        "max_length": training.max_length,
        "dataset_kwargs": {"skip_prepare_dataset": True},
        "remove_unused_columns": False,
        "eval_strategy": "steps" if dev else "no",
        "eval_steps": training.eval_every,
        "logging_steps": log_every(training.eval_every),
        "save_steps": training.eval_every,
        "save_total_limit": 2,
        "seed": training.seed,
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
        **training.trl,
    }
    # Random weights learn from far fewer steps with Muon; TRL's own choice suits pretrained ones.
    from_nothing = nothing is not None and "optim" not in training.trl and training.peft is None
    peft_config = None
    if training.peft is not None:
        peft_config = load("peft").LoraConfig(task_type="CAUSAL_LM", **training.peft)
    try:
        config = trl.SFTConfig(**options)
    except (TypeError, ValueError) as error:
        raise TrainingError(f"sft.trl: TRL does not accept these options: {error}") from None
    trainer = (_lean_trainer(training.bf16) if from_nothing else trl.SFTTrainer)(
        model=model,
        args=config,
        train_dataset=datasets.Dataset.from_list(train),
        eval_dataset=datasets.Dataset.from_list(dev) if dev else None,
        processing_class=tokenizer,
        peft_config=peft_config,
        optimizers=(muon(model, config.learning_rate) if from_nothing else None, None),
    )
    # The default callback prints every log line; the curve is kept in the run instead.
    trainer.remove_callback(load("transformers").PrinterCallback)
    return trainer


def _lean_trainer(bf16: bool) -> Any:
    """TRL's trainer with the plain loss of a small model.

    TRL computes log-probabilities in tiles, with metrics beside the loss; that saves memory on
    large vocabularies, and takes 40% of a small student's step on a CPU. Rows are padded on the
    right, so causal attention needs no mask either. `bf16` multiplies in half precision; the
    weights stay in float32.
    """
    trl, torch = load("trl"), load("torch")

    class LeanTrainer(trl.SFTTrainer):  # type: ignore[misc, name-defined]
        """Cross-entropy over the tokens that carry loss; logits nowhere else."""

        def compute_loss(
            self, model: Any, inputs: Any, return_outputs: bool = False,
            num_items_in_batch: Any = None,
        ) -> Any:  # fmt: skip
            labels = inputs["labels"][:, 1:]
            supervised = labels != NO_LOSS
            with torch.autocast(labels.device.type, dtype=torch.bfloat16, enabled=bf16):
                states = model.base_model(input_ids=inputs["input_ids"], use_cache=False)
                logits = model.get_output_embeddings()(states.last_hidden_state[:, :-1][supervised])
            count = supervised.sum() if num_items_in_batch is None else num_items_in_batch
            loss = torch.nn.functional.cross_entropy(
                logits.float(), labels[supervised], reduction="sum"
            )
            loss = loss / count
            return (loss, {}) if return_outputs else loss

    return LeanTrainer


def _callbacks(
    trainer: Any, tokenizer: Any, measure_dev: Callable[[Model], float | None], bar: Any
) -> Any:
    transformers = load("transformers")

    class Watch(transformers.TrainerCallback):  # type: ignore[misc, name-defined]
        """Dev kappa at each evaluation, whole checkpoints, progress."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            bar.advance(state.global_step)

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            bar.advance()

        def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            kappa = measure_dev(LocalModel("student", loaded=(trainer.model, tokenizer)))
            trainer.model.train()
            if kappa is not None:
                state.log_history.append({"step": state.global_step, "dev_kappa": kappa})

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            mark_whole(Path(args.output_dir), state.global_step)

    return Watch()


def _curve(history: Sequence[Mapping[str, float]]) -> list[dict[str, float]]:
    names = {"loss": "train_loss", "eval_loss": "dev_loss", "dev_kappa": "dev_kappa"}
    return [
        {"step": entry["step"], names[key]: float(entry[key])}
        for entry in history
        for key in names
        if key in entry
    ]
