"""Students: built from nothing with a tokenizer of their own, or loaded from where they lie."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from judgesmith.backends.adapters import base_of, is_adapter, put_on
from judgesmith.backends.architectures import Architecture, Shape, tiny_config
from judgesmith.backends.loading import load
from judgesmith.backends.weights import (
    Quantize,
    end_turns,
    load_tokenizer,
    load_weights,
    prepare_four_bits,
    require_vocabulary,
)

_BOS, _EOS, _PAD, _USER, _JUDGE = "<s>", "<|end|>", "<pad>", "<|user|>", "<|judge|>"
_TEMPLATE = (
    "{{ '" + _BOS + "' }}{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}{{ '" + _JUDGE + "' }}{% generation %}"
    "{{ message['content'] + '" + _EOS + "' }}{% endgeneration %}"
    "{% else %}{{ '" + _USER + "' + message['content'] + '" + _EOS + "' }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}{{ '" + _JUDGE + "' }}{% endif %}"
)
_TURN = "<|turn|>"
_TEMPLATE_OF_GEMMA = (
    "{{ '" + _BOS + "' }}{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}{{ '" + _JUDGE + "' }}{% generation %}"
    "{{ message['content'] + '" + _TURN + "' }}{% endgeneration %}"
    "{% elif message['role'] == 'user' %}"
    "{{ '" + _USER + "' + message['content'] + '" + _TURN + "' }}"
    "{% else %}{{ raise_exception('no role ' + message['role']) }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}{{ '" + _JUDGE + "' }}{% endif %}"
)
"""As Gemma's own: no system role, and a token that ends a turn but no document."""

_SIZE = "from_nothing.json"
"""Kept in a student's folder: that it started with random weights, and how it is to be trained."""


class FromNothing(BaseModel):
    """A student that starts with random weights: its size, and how it is kept from rote learning.

    `renaming` is the share of training rows in which rare words are swapped for other rare words,
    each throughout its row. Such a row can only be solved by reading it, not by remembering its
    template. `reading` is the share of prompt tokens that carry loss besides the reply: predicting
    them teaches a student without any language to find and copy what stood before. `architecture`
    is the class of the model: a rehearsal trains a tiny one of the class that its recipe names.
    `width` is shared out among the `heads`, an even part to each: a head turns pairs of numbers by
    the position of their token.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    width: int = Field(128, gt=0)
    layers: int = Field(4, gt=0)
    heads: int = Field(4, gt=0, validate_default=True)
    vocabulary: int = Field(2048, ge=300)
    context: int = Field(1024, gt=0)
    renaming: float = Field(0.0, ge=0, le=1)
    reading: float = Field(0.0, ge=0, le=1)
    architecture: Architecture = "llama"

    @field_validator("heads")
    @classmethod
    def _even_parts(cls, heads: int, info: ValidationInfo) -> int:
        width, step = info.data.get("width"), 2 * heads
        if width is not None and width % step:
            below = width // step * step
            fit = [near for near in (below, below + step) if near]
            raise ValueError(
                f"`width` is shared out among the heads, an even part to each: expected a width "
                f"that is a multiple of {step}, such as {' or '.join(map(str, fit))}, with "
                f"{heads} heads, found a width of {width}"
            )
        return heads

    @property
    def is_llama(self) -> bool:
        """Whether it is the small Llama that our own optimizer and plain loss are made for."""
        return self.architecture == "llama"


def build_student(size: FromNothing, texts: Iterable[str], folder: Path, seed: int) -> None:
    """Save a random model and a tokenizer trained on `texts` into a folder."""
    tokenizer = _train_tokenizer(texts, size)
    torch, transformers = load("torch"), load("transformers")
    transformers.utils.logging.disable_progress_bar()
    torch.manual_seed(seed)
    shape = Shape(size.width, size.layers, size.heads, size.context)
    config = tiny_config(size.architecture, shape, tokenizer)
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    unsaid = {"architecture"} if size.is_llama else None  # as before there was a choice
    (folder / _SIZE).write_text(size.model_dump_json(exclude=unsaid) + "\n")


def read_size(path: str) -> FromNothing | None:
    """How a student folder was built from nothing; None for any other model."""
    file = Path(path) / _SIZE
    return FromNothing.model_validate_json(file.read_bytes()) if file.is_file() else None


def _train_tokenizer(texts: Iterable[str], size: FromNothing) -> Any:
    tokenizers, transformers = load("tokenizers"), load("transformers")
    core = tokenizers.Tokenizer(tokenizers.models.BPE())
    core.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = tokenizers.decoders.ByteLevel()
    gemma = size.architecture.startswith("gemma")
    tags = [_USER, _JUDGE, _TURN] if gemma else [_USER, _JUDGE]
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=size.vocabulary,
        special_tokens=[_BOS, _EOS, _PAD, *tags],
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator(texts, trainer)
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token=_BOS, eos_token=_EOS, pad_token=_PAD,
        additional_special_tokens=tags,
    )  # fmt: skip
    tokenizer.chat_template = _TEMPLATE_OF_GEMMA if gemma else _TEMPLATE
    tokenizer.model_max_length = size.context
    return tokenizer


def open_tokenizer(path: str) -> Any:
    """The tokenizer of a student; that of its base for an adapter that has none of its own."""
    bare = is_adapter(path) and not (Path(path) / "tokenizer_config.json").is_file()
    return load_tokenizer(base_of(path) if bare else path)


def load_student(
    path: str, *, quantize: Quantize | None = None, trainable: bool = False
) -> tuple[Any, Any]:
    """Model and tokenizer of a hub name, model folder or adapter folder, ready on this device.

    An adapter is merged into its base in memory. With `quantize` the base is stored in four bits
    and an adapter stays beside it: merging would round it away. Where it is to go on being trained
    (`trainable`) it stays beside its base, too; and four bits are made ready for an adapter.
    """
    base = base_of(path) if is_adapter(path) else path
    tokenizer = open_tokenizer(path)
    model = load_weights(base, quantize)
    if quantize is not None and trainable:
        prepare_four_bits(model)
    if is_adapter(path):
        merge = quantize is None and not trainable
        model = put_on(model, path, merge=merge, trainable=trainable)
    require_vocabulary(model, tokenizer, path)
    end_turns(model, tokenizer)
    return model, tokenizer
