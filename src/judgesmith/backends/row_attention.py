"""Attention for rows that lie one after another in a single line: each row by itself.

A mask over the line would have every token compute against every other one, and then forget most of
it; a padded batch computes against the longest row. Here the work is the sum of the rows' own
squares, on any device and with nothing to install. transformers sees where rows end from their
positions, and offers both hooks, for the mask and for the attention, under a name.
"""

from itertools import pairwise
from typing import Any

from judgesmith.backends.loading import load

NAME = "judgesmith_rows"


def use_row_attention(model: Any) -> bool:
    """Let a model attend row by row where it has torch's own attention; whether it does now.

    Batches with an attention mask, and answers with a cache, are computed as before.
    """
    if model.config._attn_implementation == NAME:
        return True
    if model.config._attn_implementation != "sdpa":
        return False
    load("transformers").AttentionInterface.register(NAME, row_attention)
    load("transformers").AttentionMaskInterface.register(NAME, row_bounds)
    model.set_attn_implementation(NAME)
    return bool(model.config._attn_implementation == NAME)


def row_bounds(**asked: Any) -> Any:
    """Where each row of a line begins and the last one ends, in place of a mask over the line.

    For anything but a line of several rows it is the mask of torch's own attention.
    """
    bounds = _bounds(**asked)
    return load("transformers").masking_utils.sdpa_mask(**asked) if bounds is None else bounds


def _bounds(
    *, batch_size: int, q_length: int, kv_length: int, mask_function: Any, device: Any,
    attention_mask: Any = None, **_: Any,
) -> Any:  # fmt: skip
    if attention_mask is not None or batch_size != 1 or q_length != kv_length:
        return None
    torch = load("torch")
    places, none = torch.arange(1, q_length, device=device), torch.zeros((), dtype=torch.long)
    goes_on = mask_function(none, none, places, places - 1)  # a token sees the one before it
    if bool(goes_on.all()):
        return None
    inner = (~goes_on).nonzero().flatten().cpu() + 1
    return torch.cat([torch.tensor([0]), inner, torch.tensor([q_length])])


def row_attention(
    module: Any, query: Any, key: Any, value: Any, attention_mask: Any, **options: Any
) -> tuple[Any, None]:
    """Torch's attention over each row of a line; `attention_mask` is what `row_bounds` gave.

    `query`, `key` and `value` are (1, heads, tokens, width); gives (1, tokens, heads, width).
    """
    torch = load("torch")
    attend = load("transformers").integrations.sdpa_attention.sdpa_attention_forward
    if attention_mask is None or attention_mask.ndim != 1:
        return attend(module, query, key, value, attention_mask, **options)  # type: ignore[no-any-return]
    window, parts = options.get("sliding_window"), []
    for start, end in pairwise(attention_mask.tolist()):
        row = [states[:, :, start:end] for states in (query, key, value)]
        mask = _window(end - start, window, query.device) if window else None
        parts.append(attend(module, *row, mask, **options)[0])
    return torch.cat(parts, dim=1), None


def _window(length: int, window: int, device: Any) -> Any:
    """Each token with the `window` last ones, itself among them; none where the row is shorter."""
    if length <= window:
        return None
    places = load("torch").arange(length, device=device)
    back = places[:, None] - places[None, :]
    return ((back >= 0) & (back < window))[None, None]
