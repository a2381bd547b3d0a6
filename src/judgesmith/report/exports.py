"""What an export made of a run's judge, and whether it is still the same judge."""

from typing import Literal

from pydantic import Field

from judgesmith.report.result_base import Number, Result

Outcome = Literal["pass", "fail", "inconclusive"]


class Parity(Result):
    """One exported form of a judge against the judge as it was measured, on the same items.

    `flips` is the share of items whose verdict differs; an unread reply differs from every verdict.
    `change` is agreement of the export minus that of the judge, by `metric`, with a paired interval
    over questions; `most_lost` is the upper bound of the loss that is held against `limit`.
    `tokens_checked` texts gave equal token ids.
    """

    form: str
    items: int
    questions: int
    metric: str
    labels_title: str
    agreement: float | None
    reference: float | None
    flips: Number
    change: Number
    most_lost: float | None
    limit: float
    outcome: Outcome
    reason: str
    tokens_checked: int


class Gguf(Result):
    """A GGUF file: its kind, how many tensors have which type, and how many fell back.

    `adds_bos` is whether llama.cpp puts the first token of a text there by itself.

    A tensor falls back where its rows are too short for the kind's own type. `size` is in bytes.
    `refused` says why a file was deleted again: it is not this judge, or loses too much.
    """

    kind: str
    file: str
    tensors: dict[str, int]
    fallen_back: int
    adds_bos: bool
    size: int | None = None
    refused: str | None = None


class Exported(Result):
    """One checkpoint as a folder of the run: how it is stored, its files, what was checked.

    `form` is "adapter" (over `base`, a hub name) or "model" (whole, in `dtype`). `not_measured` are
    parities that were not measured, with the reason.
    """

    checkpoint: str
    student: str
    folder: str
    form: Literal["adapter", "model"]
    base: str | None
    quantize: str | None
    dtype: str | None
    dialect: str
    dialect_hash: str
    reply_tokens: int
    parameters: int
    gguf: tuple[Gguf, ...] = ()
    parity: tuple[Parity, ...] = ()
    not_measured: dict[str, str] = Field(default_factory=dict)

    @property
    def outcome(self) -> Outcome | None:
        """The worst of what was measured; None where nothing was."""
        found: set[Outcome | None] = {one.outcome for one in self.parity}
        if any(one.refused for one in self.gguf):
            found.add("fail")
        ranked: tuple[Outcome, ...] = ("fail", "inconclusive", "pass")
        return next((one for one in ranked if one in found), None)


class Exports(Result):
    """Everything that a run's export made; `dataset` is whether its data go with it.

    `stale` says how the run has changed since.
    """

    exported: tuple[Exported, ...]
    dataset: bool = False
    max_kappa_loss: float
    stale: str | None = None

    @property
    def outcome(self) -> Outcome | None:
        """The worst outcome of all checkpoints; None where nothing was measured."""
        found = {one.outcome for one in self.exported}
        ranked: tuple[Outcome, ...] = ("fail", "inconclusive", "pass")
        return next((one for one in ranked if one in found), None)
