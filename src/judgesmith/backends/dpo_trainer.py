"""TRL's preference trainer on token ids, with a reference that is data and checks at every step."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from judgesmith.backends.adapters import adapter_weights, is_adapter, make_ready, widen
from judgesmith.backends.checkpoints import mark_whole
from judgesmith.backends.dpo_checks import Bounds, Measured, collapse, require_first_loss
from judgesmith.backends.dpo_reference import Opening
from judgesmith.backends.loading import load
from judgesmith.backends.options import building, lora_config, shared_options, trl_config
from judgesmith.backends.student import FromNothing
from judgesmith.backends.weights import Quantize
from judgesmith.errors import TrainingError

_REF = "ref"


class Training(NamedTuple):
    """What a preference training needs besides its rows.

    `base` is the student that SFT gave, `reference` the frozen model it must stay near: the same
    folder, which is checked on the models' own numbers. A student that is an adapter goes on being
    trained as one; of any other all weights are trained, or with `peft` an adapter beside them.
    `quantize` stores the base of an adapter in four bits. `nothing` is how the student was built,
    if from nothing.
    """

    base: str
    reference: str
    folder: Path
    learning_rate: float
    batch: int
    steps: int
    beta: float
    eval_every: int
    max_length: int
    seed: int
    trl: Mapping[str, Any]
    peft: Mapping[str, Any] | None
    quantize: Quantize | None = None
    nothing: FromNothing | None = None
    stop: Bounds = Bounds()

    @property
    def checkpoints(self) -> Path:
        """Where checkpoints lie while it runs."""
        return self.folder / "checkpoints"

    @property
    def all_weights(self) -> bool:
        """Whether no adapter is trained."""
        return self.peft is None and not is_adapter(self.base)

    @property
    def keeps_adapter(self) -> bool:
        """Whether what comes out is an adapter: one that was there, or one over four bits."""
        return is_adapter(self.base) or self.quantize is not None

    def opening(self, path: str) -> Opening:
        """How the student, and the reference, is opened."""
        return Opening(path, self.quantize, self.all_weights)


class Watched(NamedTuple):
    """What is watched while training runs: a side of the rows, as it was before, and now."""

    side: str
    stop: Bounds
    before: Measured
    now: Callable[[], Measured]
    kappa: Callable[[], float | None]


def require_options(training: Training) -> None:
    """Refuse options that TRL or PEFT does not take, before the reference scores any row."""
    trl_config(_options(training), training.trl, "dpo")
    if training.peft is not None:
        lora_config(training.peft, "dpo.peft")


def build_trainer(
    training: Training, model: Any, tokenizer: Any, rows: Sequence[dict[str, Any]]
) -> Any:
    """The trainer, on rows that are in training order and hold the reference's numbers."""
    datasets = load("datasets")
    config = trl_config(_options(training), training.trl, "dpo")
    peft_config = make_ready(model, training.peft, setting="dpo.peft")
    before = adapter_weights(model)
    plain = (
        config.loss_type == ["sigmoid"]
        and config.f_divergence_type == "reverse_kl"
        and not (config.label_smoothing or config.use_weighting or config.loss_weights)
    )
    lean = plain and training.nothing is not None and training.all_weights
    with building("dpo"):
        trainer = _trainer_class(lean=lean, starts_at_ln2=plain)(
            model=model,
            args=config,
            train_dataset=datasets.Dataset.from_list(list(rows)),
            processing_class=tokenizer,
            peft_config=peft_config,
        )
    # The default callback prints every log line; the curve is kept in the run instead.
    trainer.remove_callback(load("transformers").PrinterCallback)
    if _REF in getattr(trainer.model, "peft_config", ()):
        trainer.model.delete_adapter(_REF)  # TRL's copy of the adapter: our reference is numbers
    if training.quantize is not None:
        widen(trainer.model, before)
    return trainer


def _options(training: Training) -> dict[str, Any]:
    return {
        **shared_options(training),
        "beta": training.beta,
        "precompute_ref_log_probs": True,
        "eval_strategy": "no",
    }


def _trainer_class(*, lean: bool, starts_at_ln2: bool) -> Any:
    trl, torch = load("trl"), load("torch")
    functional = torch.nn.functional

    class PreferenceTrainer(trl.DPOTrainer):  # type: ignore[misc, name-defined]
        """Rows are token ids already, and hold what the reference gives to their replies."""

        def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
            return dataset

        def _precompute_ref_logps(self, dataset: Any, *_: Any) -> Any:
            return dataset

        def compute_loss(self, model: Any, inputs: Any, *given: Any, **more: Any) -> Any:
            """The loss, which must be ln 2 before the first step and finite after it."""
            if lean:
                loss = self.lean_loss(model, inputs)
            else:
                loss = super().compute_loss(model, inputs, *given, **more)
            value, step = loss.item(), self.state.global_step
            if not math.isfinite(value):
                raise TrainingError(
                    f"dpo: the loss is {value} at step {step + 1}. Lower dpo.learning_rate."
                )
            if step == 0 and starts_at_ln2:
                require_first_loss(value, beta=self.beta, bfloat16=self.args.bf16)
            return loss

        def lean_loss(self, model: Any, inputs: Any) -> Any:
            """The plain loss of a small model.

            TRL computes in tiles and with entropies beside the loss; that saves memory on large
            vocabularies, and takes half of a small student's step on a CPU. Rows are padded on
            the right, so causal attention needs no mask either.
            """
            ids, in_reply = inputs["input_ids"], inputs["completion_mask"][:, 1:].bool()
            states = model.base_model(input_ids=ids, use_cache=False).last_hidden_state[:, :-1]
            logits = model.get_output_embeddings()(states[in_reply]).float()
            taken = functional.cross_entropy(logits, ids[:, 1:][in_reply], reduction="none")
            row = torch.arange(len(ids), device=ids.device)[:, None].expand_as(in_reply)
            sums = -torch.zeros(len(ids), device=ids.device).index_add(0, row[in_reply], taken)
            chosen, rejected = sums.chunk(2)
            margins = self.beta * (
                (chosen - inputs["ref_chosen_logps"]) - (rejected - inputs["ref_rejected_logps"])
            )
            kept = self._metrics["train"]
            kept["rewards/margins"].append(margins.detach().mean().item())
            kept["rewards/accuracies"].append((margins > 0).float().mean().item())
            return -functional.logsigmoid(margins).mean()

    return PreferenceTrainer


def watch(trainer: Any, watched: Watched, eval_every: int, bar: Any) -> Any:
    """The callback that measures, stops what collapses, and marks whole checkpoints."""
    transformers = load("transformers")

    class Watch(transformers.TrainerCallback):  # type: ignore[misc, name-defined]
        """Measured every `eval_every` steps and after the last one, before the checkpoint."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            bar.advance(state.global_step)

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            bar.advance()
            step = state.global_step
            if step % eval_every == 0 or step >= state.max_steps:
                found = watched.now()
                require_standing(watched, [*measured_so_far(state.log_history), found], step)
                entry = {"step": step, "measured": found._asdict(), "dev_kappa": watched.kappa()}
                state.log_history.append(entry)
                trainer.model.train()

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            mark_whole(Path(args.output_dir), state.global_step)

    return Watch()


def measured_so_far(history: Sequence[Mapping[str, Any]]) -> list[Measured]:
    """What was measured during training, in order, out of a trainer's log."""
    return [Measured(**entry["measured"]) for entry in history if "measured" in entry]


def require_standing(watched: Watched, during: Sequence[Measured], step: int) -> None:
    """Stop a training that collapses, with its numbers before and now."""
    reason = collapse([watched.before, *during], watched.stop)
    if reason is not None:
        raise TrainingError(
            f"dpo: stopped at step {step}: {reason}. Before training, on {watched.before.pairs} "
            f"{watched.side} pairs: {_told(watched.before)}; now: {_told(during[-1])}. Lower "
            "dpo.learning_rate, raise dpo.beta or train fewer steps. No student was written."
        )


def _told(found: Measured) -> str:
    return (
        f"loss {found.loss:.3f}, margin {found.margin:.2f}, chosen preferred in "
        f"{found.accuracy:.1%}, chosen replies {found.chosen:.2f} nats per token"
    )
