"""Find every place in a response that names an answer choice.

This module finds; ``letter.py`` decides between what was found. Every scan moves forward and
every pattern is bounded, so the work grows in proportion to the length of the text.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from judgesmith.tasks.bias.choice_text import ChoiceTexts, mask_markup

__all__ = ["LetterRule", "Mark", "MarkFinder"]


class LetterRule(StrEnum):
    """How a place names its choice; ``letter.py`` gives the order and the reasons."""

    ANSWER_TAG = "answer_tag"
    STATEMENT = "statement"
    LETTER_LINE = "letter_line"
    HEAD = "head"
    CLOSING = "closing"
    CHOICE_TEXT = "choice_text"


@dataclass(frozen=True, slots=True)
class Mark:
    """One place that names one choice, or several at once.

    Attributes:
        start: Where it begins in the text.
        end: One past its last character.
        named: Indices of the choices it names, ascending, each once.
        rule: What kind of place it is.
        written: Index of the letter that stands there; None where only a text stands.
        beside: Index of another choice whose full text follows the letter, if one does.
        strong: False for a letter that runs into a sentence of its own.
        remark: True for a letter with nothing but a bracketed comment.
    """

    start: int
    end: int
    named: tuple[int, ...]
    rule: LetterRule
    written: int | None = None
    beside: int | None = None
    strong: bool = True
    remark: bool = False


_TAG = re.compile(r"(?<![/\w])answer\s{0,3}>[\s\"'*(\[]{0,40}", re.IGNORECASE)
_LEAD = re.compile(
    r"""\b(?:
        (?:answer|choice|option|selection)s?
        (?:\s(?:to|for)\s(?:the|this)\squestion)?\*{0,2}
        (?:\s{0,2}[:=]
          |\s(?:is|are|was|remains|becomes|(?:would|should|will|could|must|may|might)\sbe)\b)
        (?:[\s:]{1,3}(?:most|more|very|likely|probably|therefore|thus|clearly|still|simply
            |definitely|either|both|indeed|option|choice|letter)\b){0,4}
      | i(?:'d|'ll|\swould|\swill|\smust)?\s(?:choose|pick|select|go\swith|answer|say)
        (?:\s(?:option|choice|letter|answer))?
    )[\s:"'*()\[<]{0,40}""",
    re.IGNORECASE | re.VERBOSE,
)
_SO = re.compile(r"\b(?:therefore|thus|hence|so)\b,?\s{1,3}[\"'*(\[<]{0,3}", re.IGNORECASE)
_PREDICATE = re.compile(
    r"\s{0,2}[)\"'*]{0,2}\s(?:is|would\sbe|seems)\s(?:the\s|my\s)?"
    r"(?:correct|right|best|final|most\s\w{1,20})\s(?:answer|choice|option)\b",
    re.IGNORECASE,
)
_LINE = re.compile(r"[^\n]+")
_OPENING = re.compile(r"[\s>*#\"'(\[<-]{0,80}(?:option\s|choice\s)?", re.IGNORECASE)
_STOP = re.compile(r"[\"'*]{0,3}[ \t]{0,40}(?:[.):\]>\n]|[-\u2013\u2014]\s|\Z)")
_AFTER_LETTER = re.compile(r"[\"'*]{0,2}[.):,\]>\u2013\u2014-]{0,3}[\s\"'*(\[:]{0,6}")
_JOIN = re.compile(r"[\"'*.)]{0,3}\s{0,2}(?:(?:and|or)\b|[,/&+])\s{0,2}[\"'*(]{0,2}")
_CLAUSE = re.compile(
    r"\s(?:and|as|based|because|but|by|due|for|given|if|in|is|or|since|which|while|with)\b"
)
_END_BRACKET = re.compile(r"\(([^()\n]{1,200})\)\W{0,6}\Z|>\s{0,2}(\w)\W{0,6}\Z")


class MarkFinder:
    """Finds the marks of one response to one question with ``choices``."""

    def __init__(self, text: str, choices: Sequence[str]) -> None:
        self.text = mask_markup(text).rstrip()
        self.size = len(choices)
        self._choices = ChoiceTexts(choices)
        last = chr(ord("A") + self.size - 1)
        span = f"A-{last}a-{last.lower()}"
        self._letter = re.compile(rf"(?<![\w'])([{span}])(?![\w]|['-]\w)")

    def tags(self) -> Iterator[Mark]:
        """Every ``<answer>`` tag that holds a letter or the text of a choice."""
        for tag in _TAG.finditer(self.text):
            mark = self._at(tag.end(), LetterRule.ANSWER_TAG)
            if mark is None:
                mark = self._text_at(tag.end(), LetterRule.ANSWER_TAG)
            if mark is not None:
                yield mark

    def statements(self) -> Iterator[Mark]:
        """Every sentence that says which letter the answer is, not in order of place."""
        for lead in _LEAD.finditer(self.text):
            mark = self._at(lead.end(), LetterRule.STATEMENT)
            if mark is not None:
                yield mark
        for lead in _SO.finditer(self.text):
            mark = self._at(lead.end(), LetterRule.STATEMENT)
            if mark is not None and _STOP.match(self.text, lead.end() + 1):
                yield mark
        for found in self._letter.finditer(self.text):
            if found[1].isupper() and _PREDICATE.match(self.text, found.end()):
                index = ord(found[1]) - ord("A")
                yield Mark(found.start(), found.end(), (index,), LetterRule.STATEMENT, index)

    def lines(self) -> list[list[Mark]]:
        """The lines that open with a letter, in runs that only blank lines may interrupt."""
        runs: list[list[Mark]] = [[]]
        for line in _LINE.finditer(self.text):
            if not line[0].strip():
                continue
            mark = self._line(line.start(), line.end())
            if mark is not None:
                runs[-1].append(mark)
            elif runs[-1]:
                runs.append([])
        return runs

    def closing(self) -> Mark | None:
        """A letter in the brackets that end the response."""
        found = _END_BRACKET.search(self.text, max(0, len(self.text) - 240))
        pos = found.start(found.lastindex or 1) if found else len(self.text)
        if _STOP.match(self.text, pos + 1) is None:
            return None
        return self._at(pos, LetterRule.CLOSING)

    def stated_texts(self) -> Iterator[Mark]:
        """Every choice whose text is stated as the answer, or is all of the last line."""
        for lead in _LEAD.finditer(self.text):
            mark = self._text_at(lead.end(), LetterRule.CHOICE_TEXT)
            if mark is not None:
                yield mark
        body = self.text.rstrip()
        opening = _OPENING.match(body, body.rfind("\n") + 1)
        mark = self._text_at(opening.end(), LetterRule.CHOICE_TEXT) if opening else None
        if mark is not None and not body[mark.end :].strip(" .!*\"')]"):
            yield mark

    def _at(self, pos: int, rule: LetterRule) -> Mark | None:
        """Read a letter that stands alone at ``pos``, with what is joined to it."""
        found = self._letter.match(self.text, pos)
        if found is None or self._is_word(found):
            return None
        written = ord(found[1].upper()) - ord("A")
        gloss = self._choices.match(self.text, self._after(found.end()))
        end = found.end() if gloss is None else gloss.end
        other = self._joined(found.end()) or self._joined(end)
        if other is not None and ord(other[1]) - ord("A") != written:
            named = sorted((written, ord(other[1]) - ord("A")))
            return Mark(pos, other.end(), tuple(named), rule, written)
        if gloss is None or gloss.index == written:
            return Mark(pos, end, (written,), rule, written)
        beside = gloss.index if gloss.whole else None
        return Mark(pos, end if gloss.whole else found.end(), (written,), rule, written, beside)

    def _text_at(self, pos: int, rule: LetterRule) -> Mark | None:
        gloss = self._choices.match(self.text, pos)
        if gloss is None or not gloss.whole:
            return None
        return Mark(pos, gloss.end, (gloss.index,), rule)

    def _line(self, start: int, end: int) -> Mark | None:
        opening = _OPENING.match(self.text, start, end)
        pos = opening.end() if opening else start
        if _STOP.match(self.text, pos + 1) is None:
            return None
        mark = self._at(pos, LetterRule.LETTER_LINE)
        if mark is None:
            return None
        after = min(self._after(mark.end if len(mark.named) > 1 else pos + 1), end)
        gloss = self._choices.match(self.text, after)
        if gloss is not None and gloss.whole:
            return mark
        empty = not self.text[after:end].strip(" \t.:*\"')]>")
        if empty and not self._is_heading(end):
            return mark
        return replace(mark, strong=False, remark=not empty and "(" in self.text[pos:after])

    def _is_heading(self, end: int) -> bool:
        """Whether the line that ends at ``end`` stands directly above a line of prose."""
        pos = min(end + 1, len(self.text))
        opening = _OPENING.match(self.text, pos)
        return self.text[pos : pos + 1].strip() != "" and not (
            opening and self._letter.match(self.text, opening.end())
        )

    def _after(self, pos: int) -> int:
        after = _AFTER_LETTER.match(self.text, pos)
        return after.end() if after else pos

    def _is_word(self, found: re.Match[str]) -> bool:
        """Tell the article of "the answer is a boy" from the letter of "the answer is A"."""
        if found[1] in "Aa" and self._choices.opens_with_article(self.text, found.start()):
            return True
        if _STOP.match(self.text, found.end()):
            return False
        if found[1].islower():
            return True
        follows = self.text[found.end() : found.end() + 2]
        return (
            found[1] == "A"
            and follows[:1].isspace()
            and follows[1:].isalpha()
            and not (_CLAUSE.match(self.text, found.end()))
        )

    def _joined(self, pos: int) -> re.Match[str] | None:
        """The other letter of "A and B" or "C. Carol or B. Charles", read from ``pos`` on."""
        join = _JOIN.match(self.text, pos)
        other = self._letter.match(self.text, join.end()) if join else None
        if other is None or other[1].islower() or self._is_word(other):
            return None
        return other
