"""Replies by generation: what prompts share is computed once, and who has finished leaves.

Generating itself is transformers' own. The cache it starts from is ours, taken apart from lines in
which prompts with a common beginning lay together.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from judgesmith.backends.lines import Group, Line, Prompt, laid_out
from judgesmith.backends.loading import load
from judgesmith.backends.packed import Past, can_pack, plan_of, rows_of, run_lines
from judgesmith.models.protocol import Sampling

STRETCH = 32
"""Tokens written between two looks at who has finished."""


class Written(NamedTuple):
    """Prompts that have their replies, by number: the tokens, and which ended by themselves.

    `past` is what the model computed of prompts and replies, but for each one's last token; None
    where it is not kept.
    """

    members: list[int]
    replies: list[list[int]]
    ended: list[bool]
    past: Past | None


class _Rows(NamedTuple):
    """Rows that are being written: all tokens with padding before them, and the cache."""

    members: list[int]
    ids: Any
    mask: Any
    cache: Any


def written(
    model: Any, tokenizer: Any, prompts: Sequence[list[int]], sampling: Sampling, *,
    batch: int, keep: bool,
) -> Iterator[Written]:  # fmt: skip
    """The replies to prompts, as they are finished; `keep` says whether with their past.

    `batch` is the most prompts at once.
    """
    pad = tokenizer.pad_token_id
    whole = [Prompt(tokens) for tokens in prompts]
    if not can_pack(model):
        order = sorted(range(len(prompts)), key=lambda i: (len(prompts[i]), i))
        for start in range(0, len(order), batch):
            some = order[start : start + batch]
            ids, mask = padded(model, [prompts[i] for i in some], pad)
            yield from _write(model, tokenizer, _Rows(some, ids, mask, None), sampling, keep=False)
        return
    plan = plan_of(model, whole, pad)
    for groups in plan.batches(batch):
        rows = _begin(model, groups, whole, plan.skip, plan.past, pad)
        yield from _write(model, tokenizer, rows, sampling, keep=keep)


def _begin(
    model: Any, groups: Sequence[Group], prompts: Sequence[Prompt], skip: int, past: Past | None,
    pad: int,
) -> _Rows:  # fmt: skip
    """Compute the prompts of lines, and take each out of its line but for its last token."""
    lines = [laid_out(group, prompts, skip) for group in groups]
    cache = run_lines(model, lines, pad=pad, keep=1, past=past, cached=True).cache
    members = [member for group in groups for member in group.members]
    ids, mask = padded(model, [prompts[m].tokens for m in members], pad)
    return _Rows(members, ids, mask, _taken_apart(cache, lines, skip, model.device))


def _taken_apart(cache: Any, lines: Sequence[Line], skip: int, device: Any) -> Any:
    """A row of keys and values for each member of lines: its own tokens, without its last."""
    torch = load("torch")
    width = cache.get_seq_length()
    where = [
        (row, [*range(skip), *(width + place for place in body[:-1])])
        for row, line in enumerate(lines)
        for body in line.bodies
    ]
    longest = max(len(places) for _, places in where)
    rows = torch.tensor([row for row, _ in where], device=device)[:, None]
    places = torch.tensor([[0] * (longest - len(p)) + p for _, p in where], device=device)
    made = load("transformers").DynamicCache()
    for number, layer in enumerate(cache.layers):
        keys, values = (
            states.transpose(1, 2)[rows, places].transpose(1, 2)
            for states in (layer.keys, layer.values)
        )
        made.update(keys, values, number)
    return made


def padded(model: Any, rows: Sequence[Sequence[int]], pad: int) -> tuple[Any, Any]:
    """Rows with padding before them, and where it is none: both (rows, longest row)."""
    torch = load("torch")
    width = max(map(len, rows))
    ids = torch.tensor([[pad] * (width - len(row)) + list(row) for row in rows])
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
    return ids.to(model.device), mask.to(model.device)


def _write(
    model: Any, tokenizer: Any, rows: _Rows, sampling: Sampling, *, keep: bool
) -> Iterator[Written]:
    """Let the model write, and give rows as they finish; `keep` says whether with their past."""
    torch = load("torch")
    options: dict[str, Any] = {"do_sample": False}
    if sampling.temperature > 0:
        torch.manual_seed(sampling.seed)
        options = {"do_sample": True, "temperature": sampling.temperature}
    ends, start = _ends(model, tokenizer), rows.ids.shape[1]
    while rows.members:
        left = start + sampling.max_tokens - rows.ids.shape[1]
        stretch = left if rows.cache is None else min(STRETCH, left)
        with torch.inference_mode():
            out = model.generate(
                input_ids=rows.ids, attention_mask=rows.mask, past_key_values=rows.cache,
                max_new_tokens=stretch, pad_token_id=tokenizer.pad_token_id,
                return_dict_in_generate=True, **options,
            )  # fmt: skip
        new = out.sequences.shape[1] - rows.ids.shape[1]
        mask = torch.cat([rows.mask, rows.mask.new_ones(len(rows.members), new)], 1)
        rows = _Rows(rows.members, out.sequences, mask, out.past_key_values)
        replies = [_cut(row, ends) for row in out.sequences[:, start:].tolist()]
        over = new >= left
        done = [i for i, (_, ended) in enumerate(replies) if ended or over]
        if done:
            members = [rows.members[i] for i in done]
            past = _past(rows, done) if keep else None
            yield Written(
                members, [replies[i][0] for i in done], [replies[i][1] for i in done], past
            )
            rows = _without(rows, set(done))


def _past(rows: _Rows, chosen: Sequence[int]) -> Past:
    width = rows.cache.get_seq_length()
    mask = rows.mask[list(chosen), :width]
    return Past(rows_of(rows.cache, chosen), mask.bool(), (mask.cumsum(-1) - 1).clamp(min=0))


def _without(rows: _Rows, done: set[int]) -> _Rows:
    left = [i for i in range(len(rows.members)) if i not in done]
    if not left:
        return _Rows([], None, None, None)
    members = [rows.members[i] for i in left]
    return _Rows(members, rows.ids[left], rows.mask[left], rows_of(rows.cache, left))


def _ends(model: Any, tokenizer: Any) -> set[int]:
    ends = model.generation_config.eos_token_id
    return set(ends) if isinstance(ends, list) else {ends, tokenizer.eos_token_id}


def _cut(ids: list[int], ends: set[int]) -> tuple[list[int], bool]:
    """The reply up to its end, and whether it ended by itself."""
    for position, token in enumerate(ids):
        if token in ends:
            return ids[:position], True
    return ids, False
