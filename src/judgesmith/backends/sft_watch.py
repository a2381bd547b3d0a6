"""What is done at each evaluation of a supervised training: measure, choose, stop."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from judgesmith.backends.checkpoints import mark_whole
from judgesmith.backends.loading import load
from judgesmith.backends.local_model import LocalModel
from judgesmith.backends.sft_trainer import Training, is_main, processes
from judgesmith.models.protocol import Model
from judgesmith.runs.progress import say

MeasureDev = Callable[[Model], float | None]
_NAMES = {"loss": "train_loss", "eval_loss": "dev_loss", "dev_kappa": "dev_kappa"}


class Evaluation(NamedTuple):
    """One evaluation on dev rows: after which step, its loss, and the kappa where there is one."""

    step: int
    loss: float
    kappa: float | None

    @property
    def rank(self) -> float:
        """The higher the better: kappa first, then loss; with no kappa after any with one.

        Kappas have six decimals, and a loss of up to 1000 weighs less than the last of them.

        >>> best = max([Evaluation(1, 0.5, 0.3), Evaluation(2, 0.4, 0.3), Evaluation(3, 0.1, None)],
        ...            key=lambda found: found.rank)
        >>> best.step
        2
        """
        if self.kappa is None:
            return -2.0 - self.loss
        return self.kappa - min(self.loss, 1000.0) * 1e-10


def evaluations(history: Sequence[Mapping[str, Any]]) -> list[Evaluation]:
    """The evaluations in a trainer's log, in order."""
    kappas = {entry["step"]: entry["dev_kappa"] for entry in history if "dev_kappa" in entry}
    return [
        Evaluation(int(entry["step"]), float(entry["eval_loss"]), kappas.get(entry["step"]))
        for entry in history
        if "eval_loss" in entry
    ]


def is_spent(found: Sequence[Evaluation], patience: int | None) -> bool:
    """Whether the last `patience` evaluations were all no better than the best before them.

    >>> losses = [Evaluation(n, loss, None) for n, loss in enumerate([3.0, 2.0, 2.5, 2.1])]
    >>> is_spent(losses, 2), is_spent(losses, 3), is_spent(losses, None)
    (True, False, False)
    """
    if patience is None or len(found) <= patience:
        return False
    best = max(range(len(found)), key=lambda i: found[i].rank)
    return len(found) - 1 - best >= patience


def watch(
    training: Training, trainer: Any, tokenizer: Any, measure_dev: MeasureDev, bar: Any
) -> Any:
    """The callback that measures dev kappa, stops early, marks whole checkpoints, shows progress.

    A model that is split over several processes cannot write replies here: it has no kappa, which
    is said at the first evaluation and stands in the stage's findings.
    """
    transformers = load("transformers")

    class Watch(transformers.TrainerCallback):  # type: ignore[misc, name-defined]
        """Evaluated every `eval_every` steps, before the checkpoint of that step."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            bar.advance(state.global_step)

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            bar.advance()

        def on_evaluate(
            self, args: Any, state: Any, control: Any, metrics: Any = None, **_: Any
        ) -> None:
            kappa = self.kappa()
            trainer.model.train()
            if kappa is not None:
                state.log_history.append({"step": state.global_step, "dev_kappa": kappa})
            found = evaluations(state.log_history)
            if metrics is not None and found:
                metrics["eval_rank"] = found[-1].rank  # what `keep: best` chooses by
            if is_spent(found, training.patience):
                control.should_training_stop = True

        def kappa(self) -> float | None:
            if trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled:
                if is_main() and trainer.state.global_step <= training.eval_every:
                    say("no dev kappa: a model that is split over processes writes no replies")
                return None
            found: list[float | None] = [None]
            if is_main():
                found = [measure_dev(LocalModel("student", loaded=(trainer.model, tokenizer)))]
            if processes() > 1:
                load("torch").distributed.broadcast_object_list(found, src=0)
            return found[0]

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if processes() > 1:
                load("torch").distributed.barrier()  # each writes its part
            if is_main():
                mark_whole(Path(args.output_dir), state.global_step)

    return Watch()


class FileBar:
    """Progress that another process reads."""

    def __init__(self, file: Path) -> None:
        self._file, self._done = file, 0

    def advance(self, count: int = 1, *, cost_usd: float = 0.0) -> None:
        """Write how many steps are done."""
        self._done += count
        self._file.write_text(str(self._done))


def curve(history: Sequence[Mapping[str, float]]) -> list[dict[str, float]]:
    """What was logged, under the names of the run's curve."""
    return [
        {"step": entry["step"], _NAMES[key]: float(entry[key])}
        for entry in history
        for key in _NAMES
        if key in entry
    ]
