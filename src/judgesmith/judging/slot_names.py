"""Names of the slots in a rationale ("Assistant 1", "Response B"), exchanged for a swapped pair.

Only what surely names a response is exchanged: a noun that the dialect's prompt uses, or one that
means nothing else, with a letter or number. A rationale that points at a response in another way,
or at something else with a letter or number ("Vitamin A"), cannot be renamed word by word. It is
refused, never changed: a refused row is lost, a wrong one teaches the opposite.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

_SURE = ("assistant", "response", "output", "completion", "candidate", "reply", "chatbot")
"""What names a response in any dialect."""
_LIKELY = ("answer",)
"""What names a response, too, unless the rationale names them otherwise: a quiz has answers."""
_OTHERS = (
    "model", "summary", "option", "text", "story", "solution", "bot", "ai", "version", "essay",
    "translation", "article", "poem", "code", "system", "agent", "choice", "submission",
)  # fmt: skip
"""What is counted with words ("the second essay") and may be a response."""

_SLOT = r"(?:[12](?!\.?\d)|[AB]|\([abAB12]\)|\[[AB12]\]|One|Two|ONE|TWO)(?![\w-]*\w)"
_SLOTS = re.compile(_SLOT)
_OTHER = {
    "1": "2", "2": "1", "A": "B", "B": "A", "a": "b", "b": "a", "One": "Two", "Two": "One",
    "ONE": "TWO", "TWO": "ONE",
}  # fmt: skip
_JOINED = r"(?:/|&|(?i:and/or|and|or|nor|versus|vs\.?)\b)"
_NAME = "\x00"
"""Stands for a name while what is left is looked at."""

_THING = (
    "step|steps|part|paragraph|sentence|line|point|points|time|half|thing|person|place|section|"
    "word|name|world|war|century|day|year|stage|phase|language|item|example|reason|bullet|law|"
    "amendment|quarter|edition|order"
)
_COUNTED = (
    "about|after|all|also|and|another|around|at|be|before|below|between|both|but|by|chapter|day|"
    "each|every|exactly|example|figure|first|for|from|gave|get|gets|give|given|gives|gave|got|had|"
    "has|have|having|he|in|include|includes|into|is|it|item|last|least|level|line|lists|most|next|"
    "no|number|of|off|on|only|or|over|page|paragraph|part|phase|plus|point|points|rated|rating|"
    "reason|scale|score|scored|scores|section|she|stage|step|steps|than|that|the|their|them|then|"
    "there|these|they|this|those|through|to|top|type|under|until|up|uses|using|verse|was|were|with|"
    "within|year"
)
_BETTER = r"than|beats?|over|prefer\w*|choos\w+|chose|pick\w*|select\w*|favou?r\w*"
_STATED = r"verdict|winner|choice|decision|better|best|worse|worst"
_SAYS = (
    r"(?:is|was|has|had|does|did|and|or|nor|vs|versus|over|beats|because|since|would|should|could|"
    r"can|will|may|might|must|also|only|just|then|\w*(?:[^\Wsu]|[^\Wo]u)s)\b"
)
"""What follows a name and not the article "A", as verbs in "s" do and "various" does not."""
_BARE = re.compile(
    r"(?<![\w.'’-])B(?![\w'’+-])"
    r"|(?<![\w.'’-])[AB](?=['’]s\b)"
    r"|[\"'“(\[*]A[\"'”)\]*]"
    # The article stands at the head of a sentence, or of a line, and words follow it.
    rf"|(?:^|(?<=[.!?][ \n])|(?<=\n)|(?<=\n[-*•] ))A(?![\w'’+-])(?![ \t]+(?!{_SAYS})[A-Za-z])"
    r"|(?<![\w.'’-])(?<!^)(?<!\n)(?<![.!?][ \n])(?<!\n[-*•] )A(?![\w'’+-])"
    rf"|\b(?:{_BETTER})[ \t]+(?:[12]\b|\([12ab]\))(?![.,:/]?\d|\)?[ \t]*[a-z%])"
    rf"|(?i:\b(?:{_STATED}))\b(?:[ \t]+(?i:is|was|are|goes|to|one|response))*[ \t]*"
    r"[:=\"'“(\[*-]*[ \t]*[\"'“\[*]*(?:[12]\b|\([12ab]\))(?![.,:/]?\d|[ \t]*[a-z%])"
    r"|(?:^|(?<=[.!?][ \n]))(?:[12]|\([12ab]\))[ \t]+"
    r"(?:is|was|has|does|gives|provides|wins|beats|scores)\b"
    rf"|^[^\w\n{_NAME}]*[12][^\w\n{_NAME}]*$"
    r"|\[\[[12ab]\]\]"
    r"|\b[12][ \t]+(?:and|or|vs\.?|versus)[ \t]+[12](?![.,:/]?\d|[ \t]*[\w%])",
    re.MULTILINE,
)
_UNKNOWN = re.compile(
    rf"(?<![\w'’-])(?!(?i:{_COUNTED})\b)(?:[^\W\d_]{{3,}}(?:[ \t]+#?|#)|[A-Z][a-z]{{2,}})"
    r"[12](?:(?![\w'’]|[.,:/]?\d|[ \t]*%|[ \t]+[a-z]*s\b(?<!is)(?<!was)(?<!has)(?<!does))|['’]s\b)"
)
"""Another noun with a number: whether it is a response, or a step or chapter, cannot be told."""
_SCORES = re.compile(r"\d(?:\.\d+)?(?:/\d+)?\s*(?:,|&|vs\.?|\band\b|\bto\b|\s)\s*\d", re.IGNORECASE)
"""Two numbers side by side: scores of both responses in the order that was shown."""


class _Names(NamedTuple):
    """How names are found: those that are exchanged, and what makes a rationale be refused."""

    sure: re.Pattern[str]
    likely: re.Pattern[str]
    perhaps: re.Pattern[str]
    refused: re.Pattern[str]


@lru_cache(maxsize=256)
def _names(nouns: tuple[str, ...]) -> _Names:
    sure = tuple(dict.fromkeys((*nouns, *_SURE)))
    likely = tuple(noun for noun in _LIKELY if noun not in sure)
    every = _any((*sure, *likely, *_OTHERS))
    return _Names(
        sure=_named(sure),
        likely=_named((*sure, *likely)),
        perhaps=_named((*likely, *_OTHERS)),
        refused=re.compile(
            rf"\b(?:former|latter)\b"
            rf"|\b(?:first|second|1st|2nd|other|last)\b[\s-]+(?:\w+[\s-]+)?(?:{every}|one)\b"
            rf"|\bthe\s+(?:first|second)\b(?!\s+(?:{_THING})\b)"
            rf"|\b{every}[ \t]*#?[ \t]*[3-9]\b"
            rf"|\b{every}[ \t]+(?-i:b)\b"
            rf"|\b{_any(sure)}[ \t]+(?-i:one|two)\b"
            rf"|\b{every}[ \t_#-]*(?-i:{_SLOT})[ \t]*(?:,[ \t]*[12](?![.,:/]?\d)\b"
            rf"|\b(?:of|from)[ \t]+(?:the|a|an|this|that|these|its|their)\b)",
            re.IGNORECASE,
        ),
    )


def _any(nouns: Sequence[str]) -> str:
    return rf"(?i:(?:{'|'.join(map(re.escape, nouns))})s?)"


def _named(nouns: Sequence[str]) -> re.Pattern[str]:
    return re.compile(rf"\b{_any(nouns)}[ \t_#-]*{_SLOT}(?:[ \t]*{_JOINED}[ \t]*{_SLOT})*")


def swap_names(text: str, nouns: tuple[str, ...] = ()) -> str | None:
    """The rationale as it would be said with the two responses in the other order.

    `nouns` are what the prompt calls the responses, in lower case (`prompt_names.nouns_of`). Names
    keep their letter case, possessives and punctuation. None where the text points at a response in
    a way that cannot be renamed for sure, or names something else in the same way.

    >>> swap_names("Assistant 1's answer is short; ASSISTANT 2 explains. Responses A and B agree.")
    "Assistant 2's answer is short; ASSISTANT 1 explains. Responses B and A agree."
    >>> swap_names("Both responses are clear.")
    'Both responses are clear.'
    >>> swap_names("Essay 1 is clear.", ("essay",)), swap_names("Essay 1 is clear.")
    ('Essay 2 is clear.', None)
    >>> swap_names("Assistant 1 is fine, but the latter explains more.") is None
    True
    >>> swap_names("Response B names vitamin A.") is None
    True
    >>> swap_names("Response B is vague. Answer 1 provides details.") is None
    True
    >>> swap_names("First, Assistant 2 names the second law of motion.")
    'First, Assistant 1 names the second law of motion.'
    """
    names = _names(nouns)
    named = names.sure if names.sure.search(text) else names.likely
    left = named.sub(_NAME, text)
    if (
        names.perhaps.search(left)
        or names.refused.search(text)
        or _BARE.search(left)
        or _UNKNOWN.search(left)
    ):
        return None
    sentences = re.split(r"(?<=[.!?])\s|\n", left)
    if any(_states_both_scores(sentence) for sentence in sentences):
        return None
    return named.sub(lambda found: _SLOTS.sub(_other, found[0]), text)


def _states_both_scores(sentence: str) -> bool:
    """Whether a sentence gives scores by their place alone, naming no response.

    >>> _states_both_scores("So the scores are 8 and 9.")
    True
    >>> _states_both_scores(f"So {_NAME} and {_NAME} get scores of 8 and 9.")
    False
    """
    if not re.search(r"\b(?:score|rating|rate|mark)", sentence, re.IGNORECASE):
        return False
    return bool(_SCORES.search(sentence)) and _NAME not in sentence


def _other(match: re.Match[str]) -> str:
    inside = match[0].strip("()[]")
    return match[0].replace(inside, _OTHER[inside])
