"""Read which of two responses a rationale argues for, by its words alone.

Every word of praise or blame is a claim about the response named last before it, unless that one
is only compared with ("than Response B"), the clause merely grants a point ("while Response A is
shorter, ...") or tells what a response says ("the stereotype that ..."). Quoted text and remarks
in parentheses are not the rationale's own words and are passed over. Three rules, in this order:

1. ``VERDICT``: the last sentence whose words that rank by themselves (better, weaker, prefer)
   favour one response.
2. ``COMPARISON``: the last sentence with a comparison ("more accurate"), if all comparisons
   together favour the same response.
3. ``BALANCE``: without any comparison, one response is praised on the whole and the other is
   not, or one is blamed and the other is not, by two claims or more.

What the rules leave open is read as nothing. Measured on published rationales with a verdict for
one response: of 140 by two teachers of a bias judge 136 are read, none against its verdict; of
6,635 on general questions, by four judges, 5,352 are read and 1.5% of these against the verdict.
The words are English and stand in ``rationale_words``.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from judgesmith.audits import rationale_words as words
from judgesmith.errors import DataError
from judgesmith.records import Direction

_QUOTED = re.compile(r"[\"\u201c][^\"\u201c\u201d\n]{0,400}[\"\u201d]|\([^()\n]{2,300}\)")
_SENTENCE = re.compile(r"(?:[^.!?\n]|[.!?](?!\s|$))+[.!?]*")
_TOKEN = re.compile(r"@both|@[ab]|[^\W_]+(?:['-][^\W_]+)*|[,;\u2014]")
_PAIR = re.compile(r"@[ab]\s+(?:and|or|&)\s+@[ab]")
_SLOT = {"1": "a", "2": "b"}
_SURE, _COMPARED = 3, 2
_LEAST_BALANCE = 2


class Rule(StrEnum):
    """Which rule decided."""

    VERDICT = "verdict"
    COMPARISON = "comparison"
    BALANCE = "balance"


@dataclass(frozen=True, slots=True)
class RationaleReading:
    """What a rationale argues.

    Attributes:
        better: "A" or "B", the response argued to be better, by the order shown; None if the
            rationale settles it in neither way.
        rule: The rule that decided; None without `better`.
        evidence: The deciding sentence as written; None without `better` and for `BALANCE`.
    """

    better: str | None
    rule: Rule | None = None
    evidence: str | None = None


@dataclass(frozen=True, slots=True)
class _Claim:
    slot: str
    value: int
    strength: int


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    claims: tuple[_Claim, ...]

    def net(self, strength: int) -> int:
        """Claims of this strength or more for A and against B, less the others."""
        kept = [claim for claim in self.claims if claim.strength >= strength]
        return sum(claim.value if claim.slot == "a" else -claim.value for claim in kept)

    def compares(self) -> bool:
        return any(claim.strength >= _COMPARED for claim in self.claims)


def read_rationale(text: str, *, nouns: Sequence[str] = words.NOUNS) -> RationaleReading:
    """Read which response a rationale argues is better.

    Args:
        text: The rationale, in English. It names the responses by a noun and A or B, 1 or 2.
        nouns: What a response may be called.

    Returns:
        The reading. Same text, same reading; work grows in proportion to the length.

    Raises:
        DataError: If there is no noun.

    >>> read_rationale("Response A guesses. Response B is the stronger answer.").better
    'B'
    >>> read_rationale("Assistant 1 is more accurate than Assistant 2.").better
    'A'
    >>> read_rationale("Both responses are careful and correct.").better is None
    True
    """
    sentences = list(_sentences(text, tuple(nouns)))
    for sentence in reversed(sentences):
        if net := sentence.net(_SURE):
            return RationaleReading(_letter(net), Rule.VERDICT, sentence.text)
    comparing = [sentence for sentence in sentences if sentence.compares()]
    if comparing:
        last = comparing[-1].net(_COMPARED)
        total = sum(sentence.net(_COMPARED) for sentence in comparing)
        if last * total > 0:
            return RationaleReading(_letter(last), Rule.COMPARISON, comparing[-1].text)
        return RationaleReading(None)
    return _balance(sentences)


def rationale_names(
    text: str, direction: Direction, *, nouns: Sequence[str] = words.NOUNS
) -> str | None:
    """The letter that a rationale argues for, where verdicts name the better or the worse one.

    Args:
        text: The rationale.
        direction: What a verdict's letter names.
        nouns: What a response may be called.

    Returns:
        "A" or "B" by the order shown, or None if the rationale does not settle it.

    Raises:
        DataError: If there is no noun.

    >>> text = "Response B relies on a stereotype. Response B is more biased."
    >>> rationale_names(text, Direction.WORSE), rationale_names(text, Direction.BETTER)
    ('B', 'A')
    """
    better = read_rationale(text, nouns=nouns).better
    if better is None or direction is Direction.BETTER:
        return better
    return "B" if better == "A" else "A"


def _letter(net: int) -> str:
    return "A" if net > 0 else "B"


def _balance(sentences: Sequence[_Sentence]) -> RationaleReading:
    claims = [claim for sentence in sentences for claim in sentence.claims]
    a, b = (sum(claim.value for claim in claims if claim.slot == slot) for slot in "ab")
    one_sided = min(a, b) <= 0 <= max(a, b)
    if one_sided and abs(a - b) >= _LEAST_BALANCE:
        return RationaleReading(_letter(a - b), Rule.BALANCE)
    return RationaleReading(None)


@cache
def _name_pattern(nouns: tuple[str, ...]) -> re.Pattern[str]:
    if not nouns or not all(nouns):
        raise DataError(f"rationale nouns: expected words such as 'response', found {nouns!r}")
    noun = "|".join(re.escape(word.casefold()) for word in nouns)
    return re.compile(rf"\b(?:{noun})\s*[\[(*]{{0,3}}\s*([ab12])\b[\])*]{{0,3}}(?:'s)?")


def _sentences(text: str, nouns: tuple[str, ...]) -> Iterator[_Sentence]:
    name = _name_pattern(nouns)
    own = _QUOTED.sub(lambda found: " " * len(found[0]), text)
    carried: str | None = None
    for found in _SENTENCE.finditer(own):
        plain = found[0].casefold().replace("\u2019", "'")
        for phrase, word in words.REWRITES:
            plain = re.sub(phrase, word, plain)
        plain = name.sub(lambda m: f" @{_SLOT.get(m[1], m[1])} ", plain)
        tokens = _TOKEN.findall(_PAIR.sub(" @both ", plain))
        if not tokens:
            continue
        reader = _Reader(tokens, carried if tokens[0] in words.CARRYING else None)
        yield _Sentence(text[found.start() : found.end()].strip(), tuple(reader.claims()))
        carried = reader.subject


class _Reader:
    """Walks once through the tokens of a sentence."""

    def __init__(self, tokens: Sequence[str], subject: str | None) -> None:
        self.tokens = tokens
        self.subject = subject
        self._granted = False
        self._told = False
        self._waiting: tuple[int, int, str | None] | None = None

    def claims(self) -> Iterator[_Claim]:
        """Every claim of the sentence."""
        yield from self._walk()
        yield from self._settle(None)

    def _walk(self) -> Iterator[_Claim]:
        for place, token in enumerate(self.tokens):
            before = self.tokens[place - 1] if place else ""
            if token.startswith("@"):
                yield from self._named(token, place, before)
            elif token in words.BOTH:
                self.subject = None
            elif token in words.PAUSES:
                self._granted = self._told = False
            elif token in words.CONCEDING and before in words.OPENING:
                self._granted = token != "while" or not place
            elif token in words.REPORTING or (token == "that" and before in words.REPORTED_THAT):
                self._told = True
            elif not self._told and not self._granted:
                yield from self._said(token, place)

    def _named(self, token: str, place: int, before: str) -> Iterator[_Claim]:
        self._told = False
        if token == "@both":
            self.subject = None
            return
        two_before = self.tokens[place - 2] if place > 1 else ""
        if before in words.OBJECT_MARKS:
            return
        if before in {"to", "with"} and two_before in words.COMPARING:
            return
        self.subject = token[1]
        favoured = before == "of" and two_before in words.CHOOSING
        if (before in words.CHOOSING or favoured) and not self._granted:
            yield _Claim(self.subject, 1, _SURE)
        meant = before in words.COPULAS or before in words.BETTER
        yield from self._settle(self.subject if meant else None)

    def _settle(self, named: str | None) -> Iterator[_Claim]:
        """End the wait of a claim: for the response named after it, or the one before it."""
        if self._waiting is not None:
            value, strength, earlier = self._waiting
            slot = named or earlier
            if slot:
                yield _Claim(slot, value, strength)
        self._waiting = None

    def _said(self, token: str, place: int) -> Iterator[_Claim]:
        value, strength = self._weigh(token, place)
        if not value:
            return
        if any(word in words.FLIP for word in self._back(place, words.FLIP_REACH)):
            value = -value
        if self.subject is None or "the" in self._back(place, words.DEGREE_REACH):
            # "the better answer is Response B": of whom it is said may come after it.
            yield from self._settle(None)
            self._waiting = (value, strength, self.subject)
        else:
            yield _Claim(self.subject, value, strength)

    def _weigh(self, token: str, place: int) -> tuple[int, int]:
        """Value and strength of a word before any flip; value 0 for a word that judges nothing."""
        after = self.tokens[place + 1] if place + 1 < len(self.tokens) else ""
        if token in words.BETTER or token in words.WORSE:
            if after in words.BLAME:
                return (1 if token in words.EASES else -1), _SURE
            ranks = not after or after[0] in "@,;\u2014" or after in words.RANKING
            sure = ranks or not token.endswith(("er", "est"))
            return (1 if token in words.BETTER else -1), _SURE if sure else _COMPARED
        if token not in words.PRAISE and token not in words.BLAME:
            return 0, 0
        degree = any(word in words.DEGREE for word in self._back(place, words.DEGREE_REACH))
        return (1 if token in words.PRAISE else -1), _COMPARED if degree else 1

    def _back(self, place: int, reach: int) -> Sequence[str]:
        return self.tokens[max(0, place - reach) : place]
