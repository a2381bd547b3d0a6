"""Tiny models with random weights, one for each architecture class that a recipe may train.

A rehearsal trains such a model in place of a hub model: the same class and the same code, without
a download.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from judgesmith.backends.loading import load

Architecture = Literal["llama", "mistral", "qwen3", "gemma3", "gemma4"]
SPREAD = 0.04
"""Standard deviation of the first weights; twice the usual, which suits narrow models."""


class Shape(NamedTuple):
    """The size of a model: width of its states, layers, attention heads, and context in tokens."""

    width: int
    layers: int
    heads: int
    context: int


def tiny_config(architecture: Architecture, shape: Shape, tokenizer: Any) -> Any:
    """The configuration of a model of this class and size for this tokenizer.

    The layer pattern of each class is its own default: five sliding layers to a full one in both
    Gemmas, the last one full in Gemma 4.
    """
    common = {
        "vocab_size": len(tokenizer),
        "hidden_size": shape.width,
        "intermediate_size": shape.width * 3,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.heads,
        "max_position_embeddings": shape.context,
        "initializer_range": SPREAD,
        "tie_word_embeddings": True,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    return _CONFIGS[architecture](load("transformers"), common, shape.width // shape.heads)


def _llama(transformers: Any, common: dict[str, Any], head: int) -> Any:
    return transformers.LlamaConfig(**common)


def _mistral(transformers: Any, common: dict[str, Any], head: int) -> Any:
    return transformers.MistralConfig(**common, head_dim=head)


def _qwen3(transformers: Any, common: dict[str, Any], head: int) -> Any:
    return transformers.Qwen3Config(**common, head_dim=head)


def _gemma3(transformers: Any, common: dict[str, Any], head: int) -> Any:
    return transformers.Gemma3TextConfig(**common, head_dim=head, query_pre_attn_scalar=head)


def _gemma4(transformers: Any, common: dict[str, Any], head: int) -> Any:
    pattern = ["sliding_attention"] * 5 + ["full_attention"]
    layers = common["num_hidden_layers"]
    types = [*(pattern * layers)[: layers - 1], "full_attention"]
    # Its two E models have embeddings per layer; wider heads on full layers are Gemma 4's own.
    return transformers.Gemma4TextConfig(
        **common, head_dim=head, global_head_dim=2 * head, layer_types=types,
        hidden_size_per_layer_input=max(4, head // 2),
        vocab_size_per_layer_input=common["vocab_size"],
    )  # fmt: skip


_CONFIGS: dict[str, Callable[[Any, dict[str, Any], int], Any]] = {
    "llama": _llama,
    "mistral": _mistral,
    "qwen3": _qwen3,
    "gemma3": _gemma3,
    "gemma4": _gemma4,
}
