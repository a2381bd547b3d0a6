r"""Soft labels: what the teachers' verdicts were, not only which one won.

Where a row has a distribution q over the verdicts, the loss at the verdict's token is

    w KL(q || p) = w (sum_v q(v) ln q(v) - sum_v q(v) ln p(v))

with p the student's probabilities over all tokens, and cross-entropy at every other token of the
reply as before (Hinton et al. 2015, "Distilling the knowledge in a neural network", with the
teachers' votes as the teacher). A q of 0 and 1 gives the hard loss exactly, for w = 1.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from typing import Any, NamedTuple

from judgesmith.backends.encode import encode_reply, neutralise
from judgesmith.backends.lessons import NO_LOSS
from judgesmith.backends.loading import load
from judgesmith.errors import DataError
from judgesmith.records import SftRow

NO_TOKEN = "hard, no token tells the verdicts apart"
_CLOSE = 1e-3


class Soft(NamedTuple):
    """A distribution at one token of a reply: which one, and each option's token and chance."""

    position: int
    options: tuple[int, ...]
    chances: tuple[float, ...]


def soft_label(
    tokenizer: Any, row: SftRow, *, opening: str, chances: Mapping[str, float]
) -> Soft | None:
    """Where in the row's reply verdicts part, as tokens, and the chance of each verdict.

    `opening` is the text right before the verdict, at its last place in the reply; white space may
    follow it. The token is the first in which the verdicts differ: it may hold the end of the
    opening (" A"), or come after a beginning that all share ("Response 1"). What remains of a
    verdict of several tokens is learned as the rest of the reply is.

    None, which means that the row is learned by its hard label, where two verdicts go on alike
    ("1" and "10" digit by digit) and where the reply spells its verdict in another way. Raises
    DataError for chances that are no distribution.
    """
    if abs(sum(chances.values()) - 1) > _CLOSE or min(chances.values()) < 0:
        raise DataError(
            f"soft label of row {row.id}: expected chances that sum to 1, found {dict(chances)!r}."
        )
    reply = neutralise(tokenizer, row.completion)
    place = reply.rfind(opening)
    if place < 0:
        return None
    said = reply[place + len(opening) :].lstrip()
    head = reply[: len(reply) - len(said)]
    spelt = {o: tokenizer(head + o, add_special_tokens=False)["input_ids"] for o in chances}
    columns = zip(*spelt.values(), strict=False)
    before = [column[0] for column in takewhile(lambda column: len(set(column)) == 1, columns)]
    tokens = {o: ids[len(before)] for o, ids in spelt.items() if len(ids) > len(before)}
    if len(set(tokens.values())) < len(chances):
        return None
    whole = encode_reply(tokenizer, row.completion)
    learned = whole[len(before)] if whole[: len(before)] == before else None
    told = next((option for option, token in tokens.items() if token == learned), None)
    if told is None or not said.startswith(told) or said[len(told) :][:1].isalnum():
        return None
    return Soft(len(before), tuple(tokens.values()), tuple(chances[o] for o in tokens))


def soft_labels(
    tokenizer: Any, rows: Iterable[SftRow], found: Mapping[str, Mapping[str, float]],
    *, opening: str,
) -> tuple[dict[str, Soft], dict[str, int]]:  # fmt: skip
    """Soft labels by row id, and how many rows have one, could have none, or were given none.

    `found` has the chance of each verdict by row id.
    """
    soft: dict[str, Soft] = {}
    counts = {"soft": 0, NO_TOKEN: 0, "hard, no distribution": 0}
    for row in rows:
        if row.id not in found:
            counts["hard, no distribution"] += 1
            continue
        label = soft_label(tokenizer, row, opening=opening, chances=found[row.id])
        if label is None:
            counts[NO_TOKEN] += 1
        else:
            counts["soft"] += 1
            soft[row.id] = label
    return soft, counts


def soft_tensors(labels: Sequence[tuple[Soft, tuple[int, int], int]]) -> dict[str, Any]:
    """Soft labels of a batch as tensors: each with its row's place and its prompt's length."""
    torch = load("torch")
    most = max(len(label.options) for label, _, _ in labels)
    filled = [(most - len(label.options)) * (0,) for label, _, _ in labels]
    return {
        "soft_places": torch.tensor(
            [(line, start + prompt + label.position) for label, (line, start), prompt in labels]
        ),
        "soft_options": torch.tensor(
            [label.options + fill for (label, _, _), fill in zip(labels, filled, strict=True)]
        ),
        "soft_chances": torch.tensor(
            [label.chances + fill for (label, _, _), fill in zip(labels, filled, strict=True)],
            dtype=torch.float32,
        ),
    }


def mixed_loss(
    model: Any, inputs: Mapping[str, Any], *, weight: float, count: Any, bf16: bool = False
) -> Any:
    """The loss of a batch with soft labels, per supervised token (`count` of them, or its own).

    `bf16` multiplies in half precision; the loss itself is taken in float32.
    """
    torch = load("torch")
    labels = inputs["labels"][:, 1:]
    columns = (labels != NO_LOSS).any(0).nonzero().flatten()
    names = ("input_ids", "attention_mask", "position_ids")
    shown = {name: inputs[name] for name in names if name in inputs}
    # Logits of all tokens would not fit for a large vocabulary; those that predict a reply do.
    with torch.autocast(labels.device.type, dtype=torch.bfloat16, enabled=bf16):
        logits = model(**shown, use_cache=False, logits_to_keep=columns).logits
    total = loss_sum(logits.float(), labels[:, columns], inputs, columns, weight)
    return total / ((labels != NO_LOSS).sum() if count is None else count)


def loss_sum(
    logits: Any, labels: Any, inputs: Mapping[str, Any], columns: Any, weight: float
) -> Any:
    """Cross-entropy of hard labels and weighted KL of soft ones, summed over tokens.

    `logits` (lines, columns, vocabulary) predict `labels` (lines, columns), which stand in the
    columns `columns` + 1 of the batch.
    """
    torch = load("torch")
    lines, tokens = inputs["soft_places"].unbind(-1)
    at = torch.searchsorted(columns, tokens - 1)
    hard = labels != NO_LOSS
    hard[lines, at] = False
    entropy = torch.nn.functional.cross_entropy(logits[hard], labels[hard], reduction="sum")
    log_p = torch.log_softmax(logits[lines, at], -1).gather(-1, inputs["soft_options"])
    q = inputs["soft_chances"]
    return entropy + weight * (torch.xlogy(q, q) - q * log_p).sum()
