"""Running a model over lines of prompts, on top of what it has already computed.

The mask is our own: each token sees its own beginning, whatever lies beside it. Models with sliding
layers get one mask for each kind of layer, in which distance is counted in positions.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from judgesmith.backends.lines import Group, Line, Prompt, ancestors, batches, beginning, grouped
from judgesmith.backends.loading import load
from judgesmith.backends.row_attention import NAME as ROW_ATTENTION

TOKENS = 8192
"""Tokens computed at once, padding among them."""
PAIRS = 2**24
"""Pairs of tokens that see each other, in one batch: each takes some bytes for the mask."""
_FULL, _SLIDING = "full_attention", "sliding_attention"
_CLASSES = {"llama", "mistral", "qwen2", "qwen3", "gemma3_text", "gemma4_text"}
_MASKED = ("sdpa", "eager")
"""Implementations of attention that take any mask."""


class Past(NamedTuple):
    """Keys and values of tokens before: the cache, which rows see, and at which positions.

    `seen` is (rows, tokens), true where there is a token and no padding; `positions` is the same
    shape. One row stands for any number that all go on from it.
    """

    cache: Any
    seen: Any
    positions: Any

    def rows(self, chosen: Sequence[int], upto: Sequence[int]) -> "Past":
        """Some rows, each with so many of its first tokens in sight."""
        torch = load("torch")
        positions = self.positions[list(chosen)]
        ends = torch.tensor(upto, device=positions.device)[:, None]
        seen = self.seen[list(chosen)] & (positions < ends)
        return Past(rows_of(self.cache, chosen), seen, positions)


class Plan(NamedTuple):
    """Prompts in lines; the first `skip` tokens of all are computed already, as `past`."""

    groups: list[Group]
    skip: int
    past: Past | None

    def batches(self, most: int, tokens: int = TOKENS) -> Iterator[list[Group]]:
        """Lines that are computed at once, of at most so many prompts and tokens."""
        return batches(self.groups, self.skip, tokens=tokens, pairs=PAIRS, most=most)


def plan_of(model: Any, prompts: Sequence[Prompt], pad: int) -> Plan:
    """How to compute prompts; what all of them begin with is computed here and now."""
    torch = load("torch")
    skip = beginning([prompt.tokens for prompt in prompts])
    groups = grouped(prompts, skip, model.config.get_text_config().hidden_size)
    if not skip:
        return Plan(groups, 0, None)
    line = Line(prompts[0].tokens[:skip], list(range(skip)), [0] * skip, (-1,), [], [])
    cache = run_lines(model, [line], pad=pad, keep=1, cached=True).cache
    positions = torch.arange(skip, device=model.device)[None]
    return Plan(groups, skip, Past(cache, torch.ones_like(positions, dtype=torch.bool), positions))


class Computed(NamedTuple):
    """The logits of the last tokens of each line, (lines, kept, vocabulary), and all keys.

    The cache is None where none was asked for.
    """

    logits: Any
    cache: Any


def can_pack(model: Any) -> bool:
    """Whether a mask of our own is known to be right for a model: its class has a test of it."""
    known = model.config.get_text_config().model_type in _CLASSES
    return known and model.config._attn_implementation in (*_MASKED, ROW_ATTENTION)


def run_lines(
    model: Any, lines: Sequence[Line], *, pad: int, keep: int, past: Past | None = None,
    cached: bool = False,
) -> Computed:  # fmt: skip
    """Compute lines in one batch; `keep` is how many of the last tokens give logits."""
    torch = load("torch")
    device, width = model.device, max(len(line.tokens) for line in lines)
    ids = _padded([line.tokens for line in lines], width, pad, device)
    positions = _padded([line.positions for line in lines], width, 0, device)
    # Padding is segment 0 and sees itself: a token that sees nothing would have no state at all.
    segments = _padded([[s + 1 for s in line.segments] for line in lines], width, 0, device)
    trees = [_tree(line.parents) for line in lines]
    size = max(map(len, trees))
    tree = torch.zeros(len(lines), size, size, dtype=torch.bool)
    for one, own in zip(tree, trees, strict=True):
        one[: len(own), : len(own)] = own
    rows = torch.arange(len(lines), device=device)[:, None, None]
    sees = tree.to(device)[rows, segments[:, :, None], segments[:, None, :]]
    back = positions[:, :, None] - positions[:, None, :]
    sees &= back >= 0
    cache = None
    if past is not None:
        cache = _begun(past.cache, len(lines))
        seen = past.seen[:, None, :].expand(len(lines), width, -1)
        sees = torch.cat([seen, sees], -1)
        before = positions[:, :, None] - past.positions[:, None, :]
        back = torch.cat([before.expand(len(lines), -1, -1), back], -1)
    elif cached:
        cache = load("transformers").DynamicCache()
    with torch.inference_mode():
        out = model(
            input_ids=ids, attention_mask=_masks(model, sees[:, None], back[:, None]),
            position_ids=positions, past_key_values=cache, use_cache=cache is not None,
            logits_to_keep=keep,
        )  # fmt: skip
    return Computed(out.logits, cache if cached else None)


@lru_cache(maxsize=512)
def _tree(parents: tuple[int, ...]) -> Any:
    """Which segments each sees, with one of padding before them."""
    return load("torch").tensor(ancestors([-1, *(p + 1 if p >= 0 else -1 for p in parents)]))


def _padded(rows: Sequence[Sequence[int]], width: int, pad: int, device: Any) -> Any:
    torch = load("torch")
    return torch.tensor([[pad] * (width - len(row)) + list(row) for row in rows], device=device)


def _begun(cache: Any, rows: int) -> Any:
    """A cache that goes on from another, which stays as it is; one row is that of all rows."""
    made = load("transformers").DynamicCache()
    for number, layer in enumerate(cache.layers):
        keys, values = layer.keys, layer.values
        shape = (rows, *keys.shape[1:])
        made.update(keys.expand(shape), values.expand(rows, *values.shape[1:]), number)
    return made


def rows_of(cache: Any, chosen: Sequence[int]) -> Any:
    """A cache of some rows of another, which stays as it is."""
    made = load("transformers").DynamicCache()
    for number, layer in enumerate(cache.layers):
        made.update(layer.keys[list(chosen)], layer.values[list(chosen)], number)
    return made


def _masks(model: Any, sees: Any, back: Any) -> Any:
    """The mask in the form that the model takes: by kind of layer where it has kinds."""
    config = model.config.get_text_config()
    window = getattr(config, "sliding_window", None)
    near = sees & (back < window) if window else sees
    kinds = getattr(config, "layer_types", None)
    if not kinds:
        return _in_form(model, near)
    return {_FULL: _in_form(model, sees), _SLIDING: _in_form(model, near)}


def _in_form(model: Any, sees: Any) -> Any:
    """Torch's own attention takes what is seen; the plain one adds it to the scores."""
    if model.config._attn_implementation != "eager":
        return sees
    torch = load("torch")
    lowest = torch.finfo(model.dtype).min
    return torch.zeros(sees.shape, dtype=model.dtype, device=sees.device).masked_fill(~sees, lowest)
