"""The chance of each verdict after a text: every option scored whole, by its own tokens.

An option is told to the model with what stands before and behind it, in one tokenisation, as a
reply is in training. Options that begin alike share their tokens, and all options of all prompts of
a line are computed at once.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from judgesmith.backends.encode import neutralise, turn_end
from judgesmith.backends.lines import Follow, Group, Line, Prompt, follow, laid_out, shared
from judgesmith.backends.loading import load
from judgesmith.backends.packed import TOKENS, Past, can_pack, plan_of, run_lines
from judgesmith.models.protocol import Wanted

LOGITS = 2**26
"""Numbers in the logits of one batch."""
ON_CPU = 2048
"""Tokens computed at once on a CPU where nothing is written after: more are not in its caches, and
lines of one batch differ more in length."""


class Options(NamedTuple):
    """What all options of a verdict begin with, in tokens, and how each goes on."""

    stem: list[int]
    follow: Follow

    @property
    def longest(self) -> int:
        """Tokens of the longest option."""
        return len(self.stem) + max(len(steps) for steps in self.follow.steps)


class Chances(NamedTuple):
    """The chance of each option among the options, and what all of them have together."""

    of: dict[str, float]
    covered: float


def options_after(tokenizer: Any, before: str, wanted: Wanted) -> Options | None:
    """The options after a beginning of a reply; None where two of them are the same tokens.

    Where one goes on from another, each ends with the end of the reply.
    """
    texts = [neutralise(tokenizer, before + one + wanted.closing) for one in wanted.options]
    ids = [list(one) for one in tokenizer(texts, add_special_tokens=False)["input_ids"]]
    if any(one is not other and _begins(one, other) for one in ids for other in ids):
        ids = [[*one, turn_end(tokenizer)] for one in ids]
    if len({tuple(one) for one in ids}) < len(ids):
        return None
    stem = min(shared(ids[0], one) for one in ids)
    return Options(ids[0][:stem], follow([one[stem:] for one in ids]))


def _begins(one: Sequence[int], other: Sequence[int]) -> bool:
    return shared(one, other) == len(one)


def read_out(
    model: Any, tokenizer: Any, prompts: Sequence[Prompt], options: Sequence[str],
    batch: int | None = None,
) -> list[Chances]:  # fmt: skip
    """The chances of the options after each prompt, in order; `batch` is the most at once."""
    if not prompts:
        return []
    if not can_pack(model):
        return [_chances(row, options) for row in one_by_one(model, prompts)]
    plan = plan_of(model, prompts, tokenizer.pad_token_id)
    nodes = max(1 + len(prompt.follow.nodes) for prompt in prompts)
    most = max(1, LOGITS // (model.config.get_text_config().vocab_size * nodes))
    most = min(most, batch or most)
    found: dict[int, Chances] = {}
    for groups in plan.batches(most, ON_CPU if model.device.type == "cpu" else TOKENS):
        lines = [laid_out(group, prompts, plan.skip) for group in groups]
        members = [member for group in groups for member in group.members]
        follows = [[prompts[member].follow for member in group.members] for group in groups]
        scored = _score(model, lines, follows, pad=tokenizer.pad_token_id, past=plan.past)
        found.update((m, _chances(row, options)) for m, row in zip(members, scored, strict=True))
    return [found[i] for i in range(len(prompts))]


class Seen(NamedTuple):
    """What was computed of replies: rows of a cache, and the tokens in each of them, in order."""

    past: Past
    rows: list[int]
    tokens: list[list[int]]


def read_on(
    model: Any, tokenizer: Any, prompts: Sequence[Prompt], wanted: Wanted, seen: Seen | None
) -> list[Chances]:
    """The chances after each prompt, of which a model has computed most tokens already.

    Tokens of a reply up to the verdict may not be those that were written, where the text can be
    told in several: from the first that differs they are computed anew.
    """
    if seen is None:
        return read_out(model, tokenizer, prompts, wanted.options)
    width = seen.past.seen.shape[1]
    known = [
        min(shared(prompt.tokens[:-1], tokens), width)
        for prompt, tokens in zip(prompts, seen.tokens, strict=True)
    ]
    lines = [
        laid_out(Group((i,), len(prompt.tokens) - 1, 0), prompts, skip)
        for i, (prompt, skip) in enumerate(zip(prompts, known, strict=True))
    ]
    past = seen.past.rows(seen.rows, known)
    follows = [[prompt.follow] for prompt in prompts]
    scored = _score(model, lines, follows, pad=tokenizer.pad_token_id, past=past)
    return [_chances(row, wanted.options) for row in scored]


def _score(
    model: Any, lines: Sequence[Line], follows: Sequence[Sequence[Follow]], *, pad: int,
    past: Past | None,
) -> list[list[float]]:  # fmt: skip
    """The logarithms of the options' chances, of each member of each line in turn."""
    keep = max(-line.places[0][0] for line in lines)
    logits = run_lines(model, lines, pad=pad, keep=keep, past=past).logits
    reads = [
        (row, [keep + place for place in places], tree)
        for row, (line, trees) in enumerate(zip(lines, follows, strict=True))
        for places, tree in zip(line.places, trees, strict=True)
    ]
    return log_chances(logits, reads)


def log_chances(logits: Any, reads: Sequence[tuple[int, list[int], Follow]]) -> list[list[float]]:
    """The logarithm of each option's chance, by what is read: a line, its places, the tree.

    `logits` is (lines, kept tokens, vocabulary).
    """
    torch = load("torch")
    logits = logits.float()
    total = logits.logsumexp(-1)
    rows, places, tokens, owners = [], [], [], []
    count = 0
    for row, at, tree in reads:
        for steps in tree.steps:
            for node, token in steps:
                rows.append(row)
                places.append(at[node])
                tokens.append(token)
                owners.append(count)
            count += 1
    step = logits[rows, places, tokens] - total[rows, places]
    owner = torch.tensor(owners, device=logits.device)
    sums = torch.zeros(count, dtype=torch.float64, device=logits.device)
    found = iter(sums.index_add(0, owner, step.double()).tolist())
    return [[next(found) for _ in tree.steps] for _, _, tree in reads]


def _chances(logs: Sequence[float], options: Sequence[str]) -> Chances:
    top = max(logs)
    weights = [math.exp(log - top) for log in logs]
    total = sum(weights)
    among = dict(zip(options, (weight / total for weight in weights), strict=True))
    return Chances(among, min(1.0, math.exp(top) * total))


def one_by_one(model: Any, prompts: Sequence[Prompt]) -> list[list[float]]:
    """The same for any model: each option of each prompt by itself, without mask or cache."""
    torch = load("torch")
    found = []
    for prompt in prompts:
        logs = []
        for steps in prompt.follow.steps:
            option = [token for _, token in steps]
            ids = torch.tensor([[*prompt.tokens, *option[:-1]]], device=model.device)
            with torch.inference_mode():
                out = model(input_ids=ids, logits_to_keep=len(option), use_cache=False).logits[0]
            picked = torch.log_softmax(out.float(), -1)[range(len(option)), option]
            logs.append(float(picked.double().sum()))
        found.append(logs)
    return found
