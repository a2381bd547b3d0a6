"""Names of the slots in a rationale ("Assistant 1", "Response B"), exchanged for a swapped pair.

A rationale that points at a response in another way (an ordinal, "the latter", a bare letter, two
scores side by side) cannot be renamed word by word. It is refused, never changed: a refused row is
lost, a wrong one teaches the opposite.
"""

import re

_NOUNS = (
    "assistant", "answer", "response", "output", "model", "candidate", "completion", "reply",
    "summary", "option", "text", "story", "solution", "chatbot", "bot", "ai", "version",
)  # fmt: skip
_NOUN = rf"(?i:{'|'.join(_NOUNS)})(?i:s?)"
_SLOT = r"(?:[12](?!\.?\d)|[AB]|\([abAB12]\)|\[[AB12]\]|One|Two|ONE|TWO)(?![\w-]*\w)"
_NAMED = re.compile(
    rf"\b(?P<noun>{_NOUN})[\s_#-]*{_SLOT}(?:\s*(?:/|&|(?i:and/or|and|or|nor))\s*{_SLOT})*"
)
_SLOTS = re.compile(_SLOT)
_OTHER = {
    "1": "2", "2": "1", "A": "B", "B": "A", "a": "b", "b": "a", "One": "Two", "Two": "One",
    "ONE": "TWO", "TWO": "ONE",
}  # fmt: skip

_THING = (
    "step|steps|part|paragraph|sentence|line|point|points|time|half|thing|person|place|section|"
    "word|name|world|war|century|day|year|stage|phase|language|item|example|reason|bullet|law|"
    "amendment|quarter|edition|order"
)
_ORDINAL = re.compile(
    rf"\b(?:former|latter)\b"
    rf"|\b(?:first|second|1st|2nd|other|last)\b[\s-]+(?:\w+[\s-]+)?(?:{_NOUN}|one)\b"
    rf"|\bthe\s+(?:first|second)\b(?!\s+(?:{_THING})\b)"
    rf"|\b{_NOUN}\s*#?\s*[3-9]\b",
    re.IGNORECASE,
)
_SMALL = re.compile(
    rf"\b{_NOUN}\s+b\b|\b(?i:assistant|response|candidate|output)s?\s+(?:one|two)\b"
)
_BARE = re.compile(
    r"(?<![\w.'’-])B(?![\w'’+-])"
    r"|(?<![\w.'’-])A(?=\s+(?:is|was|has|had|does|did|and B|provides|gives|wins|scores)\b)"
    r"|[\"'“(\[*]A[\"'”)\]*]"
    r"|(?<![\w.'’-])[AB](?=['’]s\b)"
    r"|\b(?:than|beats)\s+[12]\b(?!\.\d)"
)
_SCORES = re.compile(r"\d(?:\.\d+)?(?:/\d+)?\s*(?:,|&|vs\.?|\band\b|\bto\b|\s)\s*\d", re.IGNORECASE)
"""Two numbers side by side: scores of both responses in the order that was shown."""


def swap_names(text: str) -> str | None:
    """The rationale as it would be said with the two responses in the other order.

    Names keep their letter case, possessives and punctuation. None where the text points at a
    response in a way that cannot be renamed for sure.

    >>> swap_names("Assistant 1's answer is short; ASSISTANT 2 explains. Answers A and B agree.")
    "Assistant 2's answer is short; ASSISTANT 1 explains. Answers B and A agree."
    >>> swap_names("Both responses are clear.")
    'Both responses are clear.'
    >>> swap_names("Assistant 1 is fine, but the latter explains more.") is None
    True
    >>> swap_names("The first answer is better.") is None
    True
    >>> swap_names("First, Assistant 2 names the second law of motion.")
    'First, Assistant 1 names the second law of motion.'
    """
    if _ORDINAL.search(text) or _SMALL.search(text) or _BARE.search(_NAMED.sub("", text)):
        return None
    if any(_states_both_scores(sentence) for sentence in re.split(r"(?<=[.!?])\s|\n", text)):
        return None
    return _NAMED.sub(lambda found: _SLOTS.sub(_other, found[0]), text)


def _states_both_scores(sentence: str) -> bool:
    """Whether a sentence gives scores by their place alone, naming no response.

    >>> _states_both_scores("So the scores are 8 and 9.")
    True
    >>> _states_both_scores("So Assistant 1 and Assistant 2 get 8 and 9.")
    False
    """
    if not re.search(r"\b(?:score|rating|rate|mark)", sentence, re.IGNORECASE):
        return False
    return bool(_SCORES.search(sentence)) and not _NAMED.search(sentence)


def _other(match: re.Match[str]) -> str:
    inside = match[0].strip("()[]")
    return match[0].replace(inside, _OTHER[inside])
