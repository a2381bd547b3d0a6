"""Find the text of an answer choice inside a response, and blank out markup around it.

Everything here keeps positions: a place in the masked text is the same place in the response.
All patterns are bounded, so the work grows in proportion to the length of the text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["ChoiceTexts", "Gloss", "mask_markup"]

_QUOTES = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"'})
_TURN_END = (
    r"(?:<\|(?:im_end|eot_id|end|end_of_text|endoftext)\|>|<end_of_turn>|</s>)"
    r"\s{0,8}(?=<\|(?:im_start|start_header_id|user|assistant|system)\||<start_of_turn>|<s>|\[INST\])"
)
_NEXT_TURN = re.compile(_TURN_END)
_MARKUP = re.compile(
    r"(?:<\|(?:im_start|start_header_id)\|>|<start_of_turn>)(?:assistant|model|user|system)?"
    r"|<[|\uff5c][^<>\n]{1,40}[|\uff5c]>|\[/?INST\]|<</?SYS>>"
    r"|</?(?!answer\b)[a-z_]{1,20}/?>"
)
_WORD = re.compile(r"\w+(?:'\w+)*")
_ARTICLES = frozenset({"the", "an", "a", "my"})
_CANNOT = frozenset({"can't", "cannot"})
_WHOLE = re.compile(
    r"[\"'*)\]]{0,3}(?!\s{0,2},?\s{0,2}(?:and|or)\b)\s{0,2}"
    r"(?:\Z|(?<=\n)|[.,;:!?()\[\]<>\n]|[-\u2013\u2014]\s)"
)


def mask_markup(text: str) -> str:
    """Straighten quotes and blank out chat-template tags, keeping every position.

    The text ends where a tag that closes a turn is followed by one that opens the next: what
    comes then was not said in this response. ``<answer>`` tags stay.

    >>> mask_markup("A</s>")
    'A    '
    >>> mask_markup("A<|im_end|><|im_start|>user: B?")
    'A'
    """
    text = text.translate(_QUOTES)
    turn = _NEXT_TURN.search(text)
    if turn is not None and text[: turn.start()].strip():
        text = text[: turn.start()]
    return _MARKUP.sub(lambda tag: " " * len(tag[0]), text)


@dataclass(frozen=True, slots=True)
class Gloss:
    """The text of choice ``index`` found up to ``end``; ``whole`` if nothing belongs to it after.

    "The slim man." is whole; "The slim man was late" and "The slim man or his friend" are not.
    """

    index: int
    end: int
    whole: bool


class ChoiceTexts:
    """The choices of one question, to be recognised in a text.

    Case, a leading article and punctuation between words do not count, and "can't" is "cannot".
    Choices that are equal in this sense are never recognised: a match must be unique.

    >>> choices = ChoiceTexts(["The slim man", "Can't answer"])
    >>> choices.match("slim man, I think", 0)
    Gloss(index=0, end=8, whole=True)
    >>> choices.match("Cannot answer that", 0)
    Gloss(index=1, end=13, whole=False)
    """

    def __init__(self, choices: Sequence[str]) -> None:
        words = [tuple(_content_words(choice)) for choice in choices]
        self._patterns = [
            (index, _pattern(own))
            for index, own in enumerate(words)
            if own and words.count(own) == 1
        ]
        self._with_article = [
            re.compile(re.escape(choice.strip()), re.IGNORECASE)
            for choice in choices
            if choice.strip().lower().startswith("a ")
        ]

    def match(self, text: str, pos: int) -> Gloss | None:
        """The choice whose text stands at ``pos``; the longest one if several do."""
        best: Gloss | None = None
        for index, pattern in self._patterns:
            found = pattern.match(text, pos)
            if found is not None and (best is None or found.end() > best.end):
                whole = _WHOLE.match(text, found.end()) is not None
                best = Gloss(index, found.end(), whole)
        return best

    def opens_with_article(self, text: str, pos: int) -> bool:
        """Whether the "A" at ``pos`` is the article of a choice such as "A boy"."""
        return any(pattern.match(text, pos) for pattern in self._with_article)


def _content_words(choice: str) -> list[str]:
    words = [word.lower() for word in _WORD.findall(choice.translate(_QUOTES))]
    return words[1:] if words and words[0] in _ARTICLES else words


def _pattern(words: Sequence[str]) -> re.Pattern[str]:
    parts = [r"can(?:'t|\s?not)" if word in _CANNOT else re.escape(word) for word in words]
    body = r"[^\w\n]{1,4}".join(parts)
    return re.compile(rf"[\"'*(\[<]{{0,3}}(?:(?:the|an|a|my)\s)?{body}(?!\w|'\w)", re.IGNORECASE)
