"""Messages -> token ids: the one way, for training and for judging alike.

Text of a question or response can never act as a chat-template tag: where it holds a special
token of the tokenizer, a zero-width space breaks the tag up before the template is applied.

A chat template that refuses the system role, or silently drops what it says, gets the system text
at the head of the first user turn, with an empty line between: in training and in judging. One
that folds it in by itself (Gemma 3 does) is left alone.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from jinja2 import TemplateError

from judgesmith.errors import ModelError
from judgesmith.records import Message

_BREAK = "\u200b"
_MARK = "judgesmith-mark"
_SYSTEM = "system"


def encode_prompt(tokenizer: Any, messages: Sequence[Message]) -> list[int]:
    """Token ids of a conversation up to and including the header of the judge's turn.

    Raises ModelError for a tokenizer without a chat template.
    """
    require_template(tokenizer)
    turns = shown_turns(tokenizer, messages)
    text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    return list(ids)


def shown_turns(tokenizer: Any, messages: Sequence[Message]) -> list[dict[str, str]]:
    """The turns as the chat template gets them: tags broken up, the system text where it may be."""
    turns = [
        {"role": turn.role, "content": neutralise(tokenizer, turn.content)} for turn in messages
    ]
    if any(turn["role"] == _SYSTEM for turn in turns) and not takes_system(tokenizer):
        return fold_system(turns)
    return turns


def encode_reply(tokenizer: Any, reply: str) -> list[int]:
    """Token ids of a reply and the end of the judge's turn."""
    ids = tokenizer(neutralise(tokenizer, reply), add_special_tokens=False)["input_ids"]
    return [*ids, turn_end(tokenizer)]


def require_template(tokenizer: Any) -> None:
    """Refuse a tokenizer that cannot say what a conversation looks like."""
    if not tokenizer.chat_template:
        raise ModelError(
            f"{tokenizer.name_or_path}: its tokenizer has no chat template, so there is no right "
            "form of a prompt. Take the instruction-tuned model of the same name, or save a "
            "`chat_template.jinja` beside its tokenizer."
        )


def fold_system(turns: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    r"""The same conversation with the system text at the head of the first user turn.

    >>> fold_system([{"role": "system", "content": "Judge."}, {"role": "user", "content": "Q"}])
    [{'role': 'user', 'content': 'Judge.\n\nQ'}]
    """
    told = [turn["content"] for turn in turns if turn["role"] == _SYSTEM]
    others = [dict(turn) for turn in turns if turn["role"] != _SYSTEM]
    first = next((turn for turn in others if turn["role"] == "user"), None)
    if first is None:
        return [{"role": "user", "content": "\n\n".join(told)}, *others]
    first["content"] = "\n\n".join([*told, first["content"]])
    return others


def takes_system(tokenizer: Any) -> bool:
    """Whether the chat template shows what the system role says."""
    return _takes_system(tokenizer, str(tokenizer.chat_template))


@lru_cache(maxsize=8)
def _takes_system(tokenizer: Any, template: str) -> bool:
    turns = [{"role": _SYSTEM, "content": _MARK}, {"role": "user", "content": "x"}]
    try:
        return _MARK in tokenizer.apply_chat_template(turns, tokenize=False)
    except TemplateError:
        return False


def turn_end(tokenizer: Any) -> int:
    """The token that ends the judge's turn: what the template writes after it, else the eos.

    Gemma's template ends a turn with a token of its own, and its eos ends a document.
    """
    return _turn_end(tokenizer, str(tokenizer.chat_template))


@lru_cache(maxsize=8)
def _turn_end(tokenizer: Any, template: str) -> int:
    turns = [{"role": "user", "content": "x"}, {"role": "assistant", "content": _MARK}]
    text = tokenizer.apply_chat_template(turns, tokenize=False)
    after = text.rpartition(_MARK)[2] if _MARK in text else ""
    ids = tokenizer(after, add_special_tokens=False)["input_ids"]
    special = {tokenizer.convert_tokens_to_ids(tag) for tag in _tags(tokenizer)}
    return int(next((token for token in ids[:1] if token in special), tokenizer.eos_token_id))


def openings(opening: str) -> Iterator[tuple[str, str]]:
    """The text right before a verdict, and what of it may stand in the verdict's own token.

    Many tokenizers join a blank with the letter after it: " A" is then one token, and the text that
    ends in the blank has another one there that training never saw before a letter. So where an
    opening ends in white space, it is also taken without, the white space heading the verdict.

    >>> list(openings("[RESULT] ")), list(openings("<verdict>"))
    ([('[RESULT] ', ''), ('[RESULT]', ' ')], [('<verdict>', '')])
    """
    yield opening, ""
    bare = opening.rstrip()
    if bare and bare != opening:
        yield bare, opening[len(bare) :]


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
