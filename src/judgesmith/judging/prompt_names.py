"""What a dialect's prompt calls the responses: "Response A", "Assistant 1"."""

import re
from typing import NamedTuple

from judgesmith.judging.dialect import Dialect
from judgesmith.records import LETTERS

_LOOP = re.compile(r"\{%-?\s*for\s+(\w+)\s+in\s+responses\b.*?%\}(.*?)\{%-?\s*endfor", re.DOTALL)
_NOUN = r"\b([^\W\d_]{2,})[ \t]*[#(\[]?[ \t]*"
_ONE_BY_ONE = re.compile(_NOUN + r"([1A])\b[^\w{}]{0,6}\{\{-?\s*responses\[0\]")
_BY_LETTER = re.compile(r"\bResponse ([A-Z])\b")
_BARE_LETTER = re.compile(r"\b[A-Z]\b(?!')")
_NO_NOUNS = frozenset({"by", "for", "from", "is", "of", "the", "to", "with"})


class Called(NamedTuple):
    """What the responses are called, each by the noun and its letter or number.

    >>> Called("Assistant", numbered=True).name(0), Called("Response", numbered=False).name(1)
    ('Assistant 1', 'Response B')
    """

    noun: str
    numbered: bool

    def name(self, position: int) -> str:
        """The name of the response at a position of the order shown."""
        return f"{self.noun} {position + 1 if self.numbered else LETTERS[position]}"


RESPONSE = Called("Response", numbered=False)
"""What responses are called where the prompt has no name for them."""


def called(dialect: Dialect) -> Called:
    """What the prompt calls the responses, by the words before their letters or numbers in it.

    >>> shown = "{% for r in responses %}[Essay {{ loop.index }}] {{ r.text }}{% endfor %}"
    >>> from judgesmith.judging.dialect import PAIR_SCALE
    >>> called(Dialect(name="d", kind="pair", user=shown, scale=PAIR_SCALE, direction="better"))
    Called(noun='Essay', numbered=True)
    """
    for loop in _LOOP.finditer(dialect.user):
        one = re.escape(loop[1])
        named = re.search(
            _NOUN + r"\{\{-?\s*(?:" + one + r"\.letter|(loop\.index))\s*-?\}\}", loop[2]
        )
        if named is not None and named[1].lower() not in _NO_NOUNS:
            return Called(named[1], numbered=named[2] is not None)
    named = _ONE_BY_ONE.search(dialect.user)
    if named is not None and named[1].lower() not in _NO_NOUNS:
        return Called(named[1], numbered=named[2] == "1")
    return RESPONSE


def nouns_of(dialect: Dialect) -> tuple[str, ...]:
    """Nouns that name a response in this dialect: in its prompt, and in the words of a verdict."""
    found = [called(dialect).noun]
    for words in dialect.wording.of.values():
        named = re.fullmatch(_NOUN + r"[ABab12][)\]]?", words)
        found += [named[1]] if named else []
    return tuple(dict.fromkeys(noun.lower() for noun in found))


def renamed(rationale: str, dialect: Dialect) -> str:
    """A rationale that says "Response A", in the names of the dialect's prompt.

    It stays as it is where it names responses by bare letters, too, which may be answers.

    >>> from judgesmith.judging.library import LIBRARY
    >>> renamed("Response B is right.", LIBRARY["judgelm"])
    'Assistant 2 is right.'
    """
    names = called(dialect)
    if names == RESPONSE or _BARE_LETTER.search(_BY_LETTER.sub("", rationale)):
        return rationale
    return _BY_LETTER.sub(lambda found: names.name(LETTERS.index(found[1])), rationale)
