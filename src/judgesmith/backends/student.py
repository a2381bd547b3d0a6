"""A student from nothing: a small Llama and a tokenizer trained on the training side only."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from judgesmith.backends.loading import load
from judgesmith.errors import ModelError

_BOS, _EOS, _PAD, _USER, _JUDGE = "<s>", "<|end|>", "<pad>", "<|user|>", "<|judge|>"
_TEMPLATE = (
    "{{ '" + _BOS + "' }}{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}{{ '" + _JUDGE + "' }}{% generation %}"
    "{{ message['content'] + '" + _EOS + "' }}{% endgeneration %}"
    "{% else %}{{ '" + _USER + "' + message['content'] + '" + _EOS + "' }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}{{ '" + _JUDGE + "' }}{% endif %}"
)


_SIZE = "from_nothing.json"
"""Kept in a student's folder: that it started with random weights, and how it is to be trained."""


_SPREAD = 0.04
"""Standard deviation of the first weights; twice the usual, which suits narrow models."""


class FromNothing(BaseModel):
    """A student that starts with random weights: its size, and how it is kept from rote learning.

    `renaming` is the share of training rows in which rare words are swapped for other rare words,
    each throughout its row. Such a row can only be solved by reading it, not by remembering its
    template. `reading` is the share of prompt tokens that carry loss besides the reply: predicting
    them teaches a student without any language to find and copy what stood before.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    width: int = Field(128, gt=0)
    layers: int = Field(4, gt=0)
    heads: int = Field(4, gt=0)
    vocabulary: int = Field(2048, ge=300)
    context: int = Field(1024, gt=0)
    renaming: float = Field(0.0, ge=0, le=1)
    reading: float = Field(0.0, ge=0, le=1)


def build_student(size: FromNothing, texts: Iterable[str], folder: Path, seed: int) -> None:
    """Save a random model and a tokenizer trained on `texts` into a folder."""
    tokenizer = _train_tokenizer(texts, size)
    torch, transformers = load("torch"), load("transformers")
    transformers.utils.logging.disable_progress_bar()
    torch.manual_seed(seed)
    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=size.width,
        intermediate_size=size.width * 3,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.heads,
        max_position_embeddings=size.context,
        initializer_range=_SPREAD,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / _SIZE).write_text(size.model_dump_json() + "\n")


def read_size(path: str) -> FromNothing | None:
    """How a student folder was built from nothing; None for any other model."""
    file = Path(path) / _SIZE
    return FromNothing.model_validate_json(file.read_bytes()) if file.is_file() else None


def _train_tokenizer(texts: Iterable[str], size: FromNothing) -> Any:
    tokenizers, transformers = load("tokenizers"), load("transformers")
    core = tokenizers.Tokenizer(tokenizers.models.BPE())
    core.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=size.vocabulary,
        special_tokens=[_BOS, _EOS, _PAD, _USER, _JUDGE],
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator(texts, trainer)
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token=_BOS, eos_token=_EOS, pad_token=_PAD,
        additional_special_tokens=[_USER, _JUDGE],
    )  # fmt: skip
    tokenizer.chat_template = _TEMPLATE
    tokenizer.model_max_length = size.context
    return tokenizer


def load_student(path: str) -> tuple[Any, Any]:
    """Model and tokenizer of a folder or hub name, ready for use on this machine's device."""
    transformers, torch = load("transformers"), load("torch")
    transformers.utils.logging.disable_progress_bar()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(path)
        model = transformers.AutoModelForCausalLM.from_pretrained(path, dtype=dtype)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(
            f"{path}: expected a Hugging Face model folder or hub name; it could not be loaded: "
            f"{reason}"
        ) from None
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return model.to(device), tokenizer
