r"""What preference training must show before, at and after its first step, or be stopped.

For a prompt x with a chosen reply c and a rejected reply r, the student being trained (the policy,
probabilities p) and the frozen student it started from (the reference, q):

    margin    m = beta ((ln p(c|x) - ln q(c|x)) - (ln p(r|x) - ln q(r|x)))
    loss      -ln(1 / (1 + exp(-m)))
    gap       ln p(c|x) - ln p(r|x), in nats

(Rafailov et al. 2023, "Direct preference optimization".) Before the first step p = q, so every
margin is 0 and the loss is ln 2: anything else says that the reference is another model.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from judgesmith.backends.pairs import PairScore
from judgesmith.errors import TrainingError

LN2 = math.log(2)
SAME = 1e-3
"""Nats by which policy and reference may differ on a reply and still be the same model."""
FIRST_LOSS = 1e-3
"""How far the first loss may lie from ln 2."""
ROUNDED = 0.5
"""In bfloat16 a reply's log-probability depends on the batch that it is computed in; nats that the
gap of a whole batch may be off by. The loss moves by half of beta times that."""
SETTLED = math.log(99)
"""Nats from which a pair is settled: of the two replies, the chosen one has 99% of the chance.
It must be the likelier one per token too: a reply that is only shorter settles nothing."""
WORSE, PATIENCE = 0.01, 3
"""Evaluations in a row whose loss may lie this far above ln 2, where training started."""
_PLACES = 6


class Bounds(BaseModel):
    """Where preference training is stopped.

    `saturated`: the share of dev pairs settled before training from which there is nothing to
    learn. `fall`: nats per token by which chosen replies may become less likely than they were; a
    small student that lost 0.15 of them lost the form of its replies with them, while its loss and
    margin still improved. `margin`: the mean margin from which the loss has no gradient left
    (exp(-20) is 2e-9).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    saturated: float = Field(0.98, gt=0, le=1)
    fall: float = Field(0.1, gt=0)
    margin: float = Field(20.0, gt=0)


class Measured(NamedTuple):
    """What policy and reference give to a set of pairs; shares are of `pairs`.

    `loss` and `margin` are means as in the module's formulas, `rewarded` the share of pairs with a
    margin above 0. The rest is the policy's own: `accuracy` is the share of pairs with a gap above
    0, `accuracy_per_token` the same with each log-probability divided by its reply's tokens, `gap`
    the mean gap in nats, `settled` the share with a gap of at least ln 99 whose chosen reply is
    also likelier per token, `chosen` the mean log-probability of chosen replies in nats per token
    and `chosen_change` that minus the reference's.
    """

    pairs: int
    loss: float
    margin: float
    rewarded: float
    accuracy: float
    accuracy_per_token: float
    gap: float
    settled: float
    chosen: float
    chosen_change: float


def measure(policy: Sequence[PairScore], reference: Sequence[PairScore], beta: float) -> Measured:
    """The numbers of one set of pairs; both sequences in the same order, at least one pair.

    Two pairs, beta 0.1. The first gains 2 nats on the chosen reply and loses 3 on the rejected:
    margin 0.1 (2 + 3) = 0.5. The second moves by nothing: margin 0, and a gap of -1.

    >>> before = [PairScore(-10.0, -12.0, 10, 12), PairScore(-6.0, -5.0, 10, 5)]
    >>> after = [PairScore(-8.0, -15.0, 10, 12), PairScore(-6.0, -5.0, 10, 5)]
    >>> found = measure(after, before, beta=0.1)
    >>> found.margin, found.rewarded, found.accuracy, found.gap
    (0.25, 0.5, 0.5, 3.0)
    >>> found.accuracy_per_token, found.settled, found.chosen, found.chosen_change
    (1.0, 0.5, -0.7, 0.1)
    >>> round(measure(before, before, beta=0.1).loss - math.log(2), 6)
    -0.0
    """
    margins = [beta * (p.gap - q.gap) for p, q in zip(policy, reference, strict=True)]
    tokens = [p.chosen_tokens for p in policy]
    by_token = [p.chosen / p.chosen_tokens > p.rejected / p.rejected_tokens for p in policy]
    change = [(p.chosen - q.chosen) / n for p, q, n in zip(policy, reference, tokens, strict=True)]
    return Measured(
        pairs=len(policy),
        loss=_mean([_loss(margin) for margin in margins]),
        margin=_mean(margins),
        rewarded=_mean([margin > 0 for margin in margins]),
        accuracy=_mean([p.gap > 0 for p in policy]),
        accuracy_per_token=_mean(by_token),
        gap=_mean([p.gap for p in policy]),
        settled=_mean(
            [p.gap >= SETTLED and likelier for p, likelier in zip(policy, by_token, strict=True)]
        ),
        chosen=_mean([p.chosen / n for p, n in zip(policy, tokens, strict=True)]),
        chosen_change=_mean(change),
    )


def _loss(margin: float) -> float:
    """-ln(1 / (1 + exp(-margin))), without overflow."""
    return max(-margin, 0.0) + math.log1p(math.exp(-abs(margin)))


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), _PLACES)


def require_reference(policy: Sequence[PairScore], reference: Sequence[PairScore]) -> None:
    """Stop unless the reference gives every reply the chance that the untrained policy gives it."""
    apart = [
        max(abs(p.chosen - q.chosen), abs(p.rejected - q.rejected))
        for p, q in zip(policy, reference, strict=True)
    ]
    same = [distance <= SAME for distance in apart]  # not-a-number is not the same
    if not all(same):
        gaps = [abs(p.gap - q.gap) for p, q in zip(policy, reference, strict=True)]
        raise TrainingError(
            "dpo: the reference is not the model that training starts from. Before the first step "
            "both must give every reply the same log-probability; they differ by more than "
            f"{SAME} nats on {same.count(False)} of {len(same)} pairs (at most {max(apart):.4g} "
            f"nats, margins of {max(gaps):.4g} nats times beta). The reference is the frozen "
            "student that SFT gave; an adapter must start as no change (peft.init_lora_weights)."
        )


def require_first_loss(loss: float, *, beta: float, bfloat16: bool) -> None:
    """Stop unless the loss that the trainer itself computes before its first step is ln 2."""
    allowed = FIRST_LOSS + (beta * ROUNDED / 2 if bfloat16 else 0.0)
    if not abs(loss - LN2) < allowed:
        raise TrainingError(
            f"dpo: the loss before the first step is {loss:.4f}, and must be ln 2 = {LN2:.4f}, "
            "because policy and reference are still the same model. The reference is not the "
            "model that training starts from."
        )


def require_unsettled(found: Measured, bound: float, where: str) -> None:
    """Stop where the student settles nearly all pairs before training: nothing to learn."""
    if found.settled >= bound:
        raise TrainingError(
            "dpo: nothing to learn from these rows. Before training the student already gives the "
            f"chosen reply 99% of the chance in {found.settled:.1%} of {found.pairs} {where} pairs "
            f"(dpo.stop.saturated = {bound}): it prefers the chosen reply in {found.accuracy:.1%}, "
            f"by {found.gap:.1f} nats on average. Rejected replies that are never plausible teach "
            "nothing; write ones that argue for the wrong verdict of the same question."
        )


def collapse(history: Sequence[Measured], bounds: Bounds) -> str | None:
    """Why training must not go on, or None; `history` starts before the first step.

    >>> start = Measured(9, LN2, 0.0, 0.0, 0.6, 0.6, 1.0, 0.1, -0.5, 0.0)
    >>> collapse([start, start._replace(loss=0.5, margin=0.6)], Bounds())
    >>> collapse([start, start._replace(margin=-31.5)], Bounds())
    'the mean margin is -31.5 (dpo.stop.margin = 20)'
    """
    latest = history[-1]
    if not all(map(math.isfinite, latest)):
        return "a number is not finite"
    if latest.chosen_change < -bounds.fall:
        return (
            f"chosen replies became {-latest.chosen_change:.2f} nats per token less likely than "
            f"before training (dpo.stop.fall = {bounds.fall:g})"
        )
    if abs(latest.margin) > bounds.margin:
        return f"the mean margin is {latest.margin:.1f} (dpo.stop.margin = {bounds.margin:g})"
    recent = history[1:][-PATIENCE:]
    if len(recent) == PATIENCE and all(found.loss > LN2 + WORSE for found in recent):
        losses = ", ".join(f"{found.loss:.3f}" for found in recent)
        return (
            f"the loss lay above ln 2 = {LN2:.3f}, where training started, in {PATIENCE} "
            f"evaluations in a row ({losses})"
        )
    return None
