"""Supervised fine-tuning with TRL: token ids and labels in, a trained model folder out."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from judgesmith.backends.encode import encode_prompt, encode_reply
from judgesmith.backends.loading import load
from judgesmith.backends.local_model import LocalModel
from judgesmith.backends.student import load_student
from judgesmith.errors import TrainingError
from judgesmith.models.protocol import Model
from judgesmith.records import SftRow
from judgesmith.runs.progress import progress_bar

COMPLETE = "complete"
"""A file in a checkpoint that is written last: a checkpoint without it was torn by a kill."""


class Encoded(NamedTuple):
    """Rows as token ids, loss on the reply only, and how many did not fit."""

    rows: list[dict[str, list[int]]]
    too_long: int
    supervised_tokens: int


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


def encode_rows(tokenizer: Any, rows: Sequence[SftRow], max_length: int) -> Encoded:
    """Prompt and reply as token ids; the prompt's labels are -100, so no loss falls on it."""
    encoded: list[dict[str, list[int]]] = []
    supervised = 0
    for row in rows:
        if sum(len(turn.content) for turn in row.prompt) > 64 * max_length:
            continue
        prompt = encode_prompt(tokenizer, row.prompt)
        reply = encode_reply(tokenizer, row.completion)
        if len(prompt) + len(reply) <= max_length:
            encoded.append({"input_ids": prompt + reply, "labels": [-100] * len(prompt) + reply})
            supervised += len(reply)
    return Encoded(encoded, len(rows) - len(encoded), supervised)


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
    with progress_bar("sft", training.steps) as bar:
        trainer = _trainer(
            training, model, tokenizer, (train_rows.rows, dev_rows.rows), checkpoints
        )
        trainer.add_callback(_callbacks(trainer, tokenizer, measure_dev, bar))
        trainer.train(resume_from_checkpoint=_last_whole(checkpoints))
    trained = trainer.model
    if training.peft is not None:
        trained = trained.merge_and_unload()
    _save_whole(trained, tokenizer, training.folder / "student")
    shutil.rmtree(checkpoints, ignore_errors=True)
    counts = {
        "rows too long": train_rows.too_long,
        "dev rows too long": dev_rows.too_long,
        "supervised tokens per epoch": train_rows.supervised_tokens,
        "tokens per epoch": sum(len(row["input_ids"]) for row in train_rows.rows),
        "parameters": sum(p.numel() for p in trained.parameters()),
    }
    return _curve(trainer.state.log_history), counts


def _trainer(
    training: Training, model: Any, tokenizer: Any,
    rows: tuple[list[dict[str, list[int]]], list[dict[str, list[int]]]], checkpoints: Path,
) -> Any:  # fmt: skip
    trl, datasets, torch = load("trl"), load("datasets"), load("torch")
    on_gpu = torch.cuda.is_available()
    options: dict[str, Any] = {
        "output_dir": str(checkpoints),
        "use_cpu": not on_gpu,
        "bf16": on_gpu,
        "gradient_checkpointing": False,
        "per_device_train_batch_size": training.batch,
        "per_device_eval_batch_size": training.batch,
        "learning_rate": training.learning_rate,
        "lr_scheduler_type": "cosine",
        "warmup_steps": max(1, training.steps // 20),
        "max_steps": training.steps,
        "max_length": training.max_length,
        "dataset_kwargs": {"skip_prepare_dataset": True},
        "remove_unused_columns": False,
        "eval_strategy": "steps" if rows[1] else "no",
        "eval_steps": training.eval_every,
        "logging_steps": max(1, training.eval_every // 5),
        "save_steps": training.eval_every,
        "save_total_limit": 2,
        "seed": training.seed,
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
        **training.trl,
    }
    peft_config = None
    if training.peft is not None:
        peft_config = load("peft").LoraConfig(task_type="CAUSAL_LM", **training.peft)
    try:
        config = trl.SFTConfig(**options)
    except (TypeError, ValueError) as error:
        raise TrainingError(f"sft.trl: TRL does not accept these options: {error}") from None
    trainer = trl.SFTTrainer(
        model=model,
        args=config,
        train_dataset=datasets.Dataset.from_list(rows[0]),
        eval_dataset=datasets.Dataset.from_list(rows[1]) if rows[1] else None,
        processing_class=tokenizer,
        peft_config=peft_config,
    )
    # The default callback prints every log line; the curve is kept in the run instead.
    trainer.remove_callback(load("transformers").PrinterCallback)
    return trainer


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
            folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            (folder / COMPLETE).write_text("whole\n")

    return Watch()


def _last_whole(checkpoints: Path) -> str | None:
    """The newest checkpoint that was written to its end; torn ones are removed."""
    found: list[tuple[int, Path]] = []
    for folder in checkpoints.glob("checkpoint-*"):
        if (folder / COMPLETE).exists():
            found.append((int(folder.name.split("-")[1]), folder))
        else:
            shutil.rmtree(folder)
    return str(max(found)[1]) if found else None


def _save_whole(model: Any, tokenizer: Any, folder: Path) -> None:
    """Save a model folder that appears whole or not at all."""
    temporary = folder.with_name(folder.name + ".tmp")
    for old in (temporary, folder):
        with suppress(FileNotFoundError):
            shutil.rmtree(old)
    model.save_pretrained(temporary)
    tokenizer.save_pretrained(temporary)
    temporary.rename(folder)


def _curve(history: Sequence[Mapping[str, float]]) -> list[dict[str, float]]:
    names = {"loss": "train_loss", "eval_loss": "dev_loss", "dev_kappa": "dev_kappa"}
    return [
        {"step": entry["step"], names[key]: float(entry[key])}
        for entry in history
        for key in names
        if key in entry
    ]
