"""Preference rows as token ids, in training order, and what a model thinks of their replies."""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

from judgesmith.backends.encode import encode_prompt, encode_reply
from judgesmith.backends.lessons import Lesson, Plan, schedule
from judgesmith.backends.loading import load
from judgesmith.records import PreferenceRow, keyed_rng


class Pair(NamedTuple):
    """One preference row as token ids: a prompt, the better reply and the worse one."""

    row_id: str
    prompt: list[int]
    chosen: list[int]
    rejected: list[int]

    @property
    def length(self) -> int:
        """Tokens of the prompt with the longer of its replies."""
        return len(self.prompt) + max(len(self.chosen), len(self.rejected))

    def fields(self, reference: "PairScore") -> dict[str, Any]:
        """As TRL's collator takes it, with what the reference gives to both replies."""
        return {
            "prompt_ids": self.prompt,
            "chosen_ids": self.chosen,
            "rejected_ids": self.rejected,
            "ref_chosen_logps": reference.chosen,
            "ref_rejected_logps": reference.rejected,
        }


class PairScore(NamedTuple):
    """Natural log-probability of each reply given the prompt, and how many tokens each has."""

    chosen: float
    rejected: float
    chosen_tokens: int
    rejected_tokens: int

    @property
    def gap(self) -> float:
        """How many nats likelier the chosen reply is."""
        return self.chosen - self.rejected


class Encoded(NamedTuple):
    """Pairs as token ids, and how many did not fit."""

    pairs: list[Pair]
    too_long: int


def encode_pairs(tokenizer: Any, rows: Sequence[PreferenceRow], max_length: int) -> Encoded:
    """Every row whose prompt with its longer reply fits into `max_length` tokens."""
    encoded: list[Pair] = []
    for row in rows:
        # Far longer text cannot fit, and tokenizing a megabyte to find that out takes seconds.
        if sum(len(turn.content) for turn in row.prompt) > 64 * max_length:
            continue
        pair = Pair(
            row.id, encode_prompt(tokenizer, row.prompt),
            encode_reply(tokenizer, row.chosen), encode_reply(tokenizer, row.rejected),
        )  # fmt: skip
        if pair.length <= max_length:
            encoded.append(pair)
    return Encoded(encoded, len(rows) - len(encoded))


def sample_pairs(pairs: Sequence[Pair], most: int, seed: int) -> list[Pair]:
    """At most `most` of the pairs, drawn by seed and row id."""
    return sorted(pairs, key=lambda pair: keyed_rng(seed, "sample", pair.row_id).random())[:most]


def schedule_pairs(pairs: Sequence[Pair], plan: Plan) -> Iterator[Pair]:
    """Pairs in training order, as `lessons.schedule` gives rows.

    Both replies of a pair go through the schedule as one, so that a renaming is the same
    throughout the prompt, the chosen and the rejected reply.
    """
    lengths = {pair.row_id: len(pair.chosen) for pair in pairs}
    joint = [Lesson(pair.row_id, pair.prompt, pair.chosen + pair.rejected) for pair in pairs]
    for lesson in schedule(joint, plan):
        cut = lengths[lesson.row_id]
        yield Pair(lesson.row_id, lesson.prompt, lesson.reply[:cut], lesson.reply[cut:])


def score_pairs(model: Any, pairs: Sequence[Pair], batch: int) -> list[PairScore]:
    """What the model as it stands gives to both replies of every pair, in the order given."""
    torch = load("torch")
    order = sorted(range(len(pairs)), key=lambda i: pairs[i].length)
    scores: dict[int, PairScore] = {}
    was_training = model.training
    model.eval()
    on_gpu = model.device.type == "cuda"
    with torch.no_grad(), torch.autocast("cuda", torch.bfloat16) if on_gpu else nullcontext():
        for start in range(0, len(order), batch):
            places = order[start : start + batch]
            shown = [pairs[i] for i in places]
            replies = [(p.prompt, p.chosen) for p in shown] + [
                (p.prompt, p.rejected) for p in shown
            ]
            sums = _log_probs(model, replies)
            for i, chosen, rejected in zip(places, sums, sums[len(places) :], strict=False):
                lengths = len(pairs[i].chosen), len(pairs[i].rejected)
                scores[i] = PairScore(chosen, rejected, *lengths)
    model.train(was_training)
    return [scores[i] for i in range(len(pairs))]


def _log_probs(model: Any, replies: Sequence[tuple[list[int], list[int]]]) -> list[float]:
    """Log-probability of each reply after its prompt.

    Rows are padded on the left, so that all replies end together and logits are needed for the
    last tokens only: those of a large vocabulary would not fit for whole prompts.
    """
    torch = load("torch")
    width = max(len(prompt) + len(reply) for prompt, reply in replies)
    last = max(len(reply) for _, reply in replies)

    def padded(rows: Sequence[list[int]], to: int) -> Any:
        filled = [[0] * (to - len(row)) + row for row in rows]
        return torch.tensor(filled, device=model.device)

    ids = padded([prompt + reply for prompt, reply in replies], width)
    mask = padded([[1] * (len(prompt) + len(reply)) for prompt, reply in replies], width)
    in_reply = padded([[1] * len(reply) for _, reply in replies], last)
    logits = model(
        input_ids=ids, attention_mask=mask, position_ids=(mask.cumsum(-1) - 1).clamp(min=0),
        logits_to_keep=last + 1, use_cache=False,
    ).logits[:, :-1]  # fmt: skip
    chances = torch.log_softmax(logits.float(), -1)
    taken = chances.gather(-1, ids[:, -last:, None]).squeeze(-1)
    found: list[float] = (taken * in_reply).sum(-1).tolist()
    return found
