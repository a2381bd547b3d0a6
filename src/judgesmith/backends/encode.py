"""Messages -> token ids: the one way, for training and for judging alike.

Text of a question or response can never act as a chat-template tag: where it holds a special
token of the tokenizer, a zero-width space breaks the tag up before the template is applied.
"""

from collections.abc import Sequence
from typing import Any

from judgesmith.records import Message

_BREAK = "\u200b"


def encode_prompt(tokenizer: Any, messages: Sequence[Message]) -> list[int]:
    """Token ids of a conversation up to and including the header of the judge's turn."""
    turns = [
        {"role": turn.role, "content": neutralise(tokenizer, turn.content)} for turn in messages
    ]
    text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    return list(ids)


def encode_reply(tokenizer: Any, reply: str) -> list[int]:
    """Token ids of a reply and the end of the judge's turn."""
    ids = tokenizer(neutralise(tokenizer, reply), add_special_tokens=False)["input_ids"]
    return [*ids, tokenizer.eos_token_id]


def neutralise(tokenizer: Any, text: str) -> str:
    """The text with every special token broken up."""
    for token in _tags(tokenizer):
        if token in text:
            text = text.replace(token, token[0] + _BREAK + token[1:])
    return text


def _tags(tokenizer: Any) -> list[str]:
    """Every token that acts as a tag, the longest first: some are added without being listed."""
    added = (str(t) for t in tokenizer.added_tokens_decoder.values() if t.special)
    return sorted({*tokenizer.all_special_tokens, *added}, key=lambda tag: (-len(tag), tag))
