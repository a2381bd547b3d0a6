"""The chance of each verdict, read out of the log-probabilities of a reply's tokens. Pure.

A server lists, at each token of its reply, the likeliest tokens there. The token that begins the
verdict is found by the text before it, and its alternatives are credited to the options.

Where to read. The last `after` of the reply is sought in the texts of the tokens, and what follows
it must be what follows it in the reply (white space at the end, and one end-of-turn token, may be
more). From there the first token with anything but white space is read. It may hold the end of
`after` as well (`>A`): of its alternatives only those that begin alike say something, and what they
begin with is taken off.

What an alternative says. White space in front and letter case do not count, as in the parser. It
speaks for an option that it begins (`ti` for `tie`), that it is, or that it goes on from with
something that is neither letter nor digit (`A<`).

- It speaks for one option: its probability is credited to it.
- For none (another word, white space alone, the bare end of `after`): it is credited to nothing,
  and is what `covered` lacks of 1.
- For several (`1` for 1 and 10): where it is one of them, and all the others are alternatives here
  as whole tokens, it is that one, because a model that has a token for 10 does not spell it in two.
  Otherwise, where it is the token that was written, the next token's alternatives divide its
  probability. Otherwise it is undecided.

Where over a hundredth of what speaks for options is undecided, nothing is said: None. So each
probability is right to 0.01. An option that is not among the alternatives gets 0; it had at most
1 - `covered`.
"""

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from judgesmith.models.protocol import Wanted

READER = 1
"""The version of this reading: to be raised by whoever changes what it says of a reply, so that
replies in a cache are not taken to have been read so."""
UNDECIDED = 0.01
"""The share of undecided probability up to which chances are given."""
TOLERANCE = 0.01
"""How far above 1 the probabilities at a token may add up, as rounded logarithms do."""


class Token(NamedTuple):
    """A token of a reply: its text, its log-probability in nats, and the likeliest tokens there.

    The alternatives may or may not hold the token itself.
    """

    text: str
    logprob: float
    alternatives: tuple[tuple[str, float], ...]


class Chances(NamedTuple):
    """Probabilities of all options, which sum to 1; the mass that they had before, in (0, 1]."""

    probabilities: dict[str, float]
    covered: float


def option_chances(tokens: Sequence[Token], reply: str, wanted: Wanted) -> Chances | None:
    """Chance of each wanted option right after the last `after` of a reply, among the options.

    `tokens` are those of the reply in order; only the last ones are needed, from the last `after`
    on. None where it is not known: the reply has no `after` or ends with it, the texts of the
    tokens are not the reply's (a server that cuts characters in two), the log-probabilities are
    none, no alternative speaks for an option, or too much is undecided.

    Of 0.6 for A, 0.2 for B and 0.2 for something else, 0.8 are covered, and A has 0.6 / 0.8:

    >>> from math import log
    >>> first = (("A", log(0.6)), ("B", log(0.2)), ("I", log(0.2)))
    >>> tokens = [Token("<v>", 0.0, ()), Token("A", log(0.6), first), Token("</v>", 0.0, ())]
    >>> found = option_chances(tokens, "<v>A</v>", Wanted(after="<v>", options=("A", "B")))
    >>> {option: round(p, 3) for option, p in found.probabilities.items()}, round(found.covered, 3)
    ({'A': 0.75, 'B': 0.25}, 0.8)
    """
    boundary = _boundary(tokens, reply, wanted.after)
    if boundary is None:
        return None
    place = _first_place(tokens, boundary)
    if place is None:
        return None
    index, taken = place
    shares = _Shares(tokens, {option: option.casefold() for option in wanted.options})
    masses = shares.at(index, taken)
    if masses is None:
        return None
    credited = sum(masses.credited.values())
    if credited <= 0 or masses.undecided > UNDECIDED * (credited + masses.undecided):
        return None
    probabilities = {option: masses.credited[option] / credited for option in wanted.options}
    return Chances(probabilities, min(credited, 1.0))


def _boundary(tokens: Sequence[Token], reply: str, after: str) -> int | None:
    """Where the last `after` ends in the joined texts of the tokens; None where they disagree."""
    joined = "".join(token.text for token in tokens)
    start, start_in_reply = joined.rfind(after), reply.rfind(after)
    if start < 0 or start_in_reply < 0 or not after:
        return None
    rest = reply[start_in_reply:].rstrip()
    if not joined.startswith(rest, start) or len(rest) <= len(after):
        return None
    # An end-of-turn token may follow the reply; anything longer is text that the reply lacks.
    over = joined[start + len(rest) :].strip()
    last = next((text for token in reversed(tokens) if (text := token.text.strip())), "")
    return start + len(after) if over in ("", last) else None


def _first_place(tokens: Sequence[Token], boundary: int) -> tuple[int, str] | None:
    """The first token with something else than white space after the boundary.

    With it comes what it begins with that lies before the boundary, which is "" for most.
    """
    ends = accumulate(len(token.text) for token in tokens)
    for index, (token, end) in enumerate(zip(tokens, ends, strict=True)):
        before = max(0, boundary - (end - len(token.text)))
        if end > boundary and token.text[before:].strip():
            return index, token.text[:before]
    return None


class _Masses(NamedTuple):
    """Probability credited to each option, and what speaks for several."""

    credited: dict[str, float]
    undecided: float


class _Shares:
    """Divides the probability at a token among the options."""

    def __init__(self, tokens: Sequence[Token], options: dict[str, str]) -> None:
        self._tokens, self._options = tokens, options

    def at(self, index: int, taken: str = "", written: str = "") -> _Masses | None:
        """Masses at a token; None where there is none, or its log-probabilities are none.

        `taken` is what the token begins with that is no part of the verdict; `written` is the
        beginning of the verdict that earlier tokens hold.
        """
        if index >= len(self._tokens):
            return None
        there = _probabilities(self._tokens[index])
        if there is None:
            return None
        own = self._tokens[index].text
        says = {text: self._verdict(text, taken, written) for text, _ in there}
        whole = set(says.values())
        credited = dict.fromkeys(self._options, 0.0)
        undecided = 0.0
        for text, mass in there:
            options = self._spoken_for(says[text])
            if len(options) > 1:
                options = self._whole_tokens(says[text], options, whole)
            if len(options) == 1:
                credited[options[0]] += mass
            elif options:
                rest = self.at(index + 1, written=says[text]) if text == own else None
                for option, share in (rest.credited if rest else {}).items():
                    credited[option] += mass * share
                undecided += mass * (rest.undecided if rest else 1.0)
        return _Masses(credited, undecided)

    def _verdict(self, text: str, taken: str, written: str) -> str:
        """The verdict as far as it is written with this token; "" where it is not begun."""
        if not text.startswith(taken):
            return ""
        new = text[len(taken) :].casefold()
        return written + new if written else new.lstrip()

    def _spoken_for(self, said: str) -> list[str]:
        if not said:
            return []
        return [
            option
            for option, folded in self._options.items()
            if folded.startswith(said)
            or (said.startswith(folded) and not said[len(folded)].isalnum())
        ]

    def _whole_tokens(self, said: str, options: list[str], whole: set[str]) -> list[str]:
        """The one option that it is, where the others have tokens of their own; else all."""
        exact = [option for option in options if self._options[option] == said]
        others = [option for option in options if self._options[option] != said]
        own = all(self._options[option] in whole for option in others)
        return exact if exact and own else options


def _probabilities(token: Token) -> list[tuple[str, float]] | None:
    """Each token there could be with its probability, the written one once; None if malformed."""
    there = list(token.alternatives)
    if token.text not in {text for text, _ in there}:
        there.append((token.text, token.logprob))
    if any(math.isnan(logprob) or logprob > TOLERANCE for _, logprob in there):
        return None
    masses = [(text, math.exp(logprob)) for text, logprob in there]
    return masses if sum(mass for _, mass in masses) <= 1 + TOLERANCE else None
