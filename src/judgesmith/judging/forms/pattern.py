"""Replies by a pattern of the user's own: literal text with slots."""

import re
from functools import lru_cache
from itertools import islice
from typing import ClassVar, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

from judgesmith.errors import nearest
from judgesmith.judging.forms.found import Found, Written, trimmed
from judgesmith.records import Status

_SLOT = re.compile(r"\{(\w+)\}")
_VALUES = ("verdict", "score", "scores")
_SLOTS = ("rationale", *_VALUES)


class Plan(NamedTuple):
    """A pattern in its parts: `before` slot `between` slot `after`; one slot leaves two empty."""

    before: str
    slots: tuple[str, ...]
    between: str
    after: str

    @property
    def verdict_last(self) -> bool:
        """Whether the rationale comes first, or there is none."""
        return self.slots[-1] != "rationale"

    @property
    def marker(self) -> str:
        """The literal text that stands right before the verdict."""
        return self.between if self.slots[0] == "rationale" else self.before


@lru_cache(maxsize=256)
def plan_of(text: str) -> Plan:
    """The parts of a pattern; ValueError where it could not be read back."""
    literals, slots = _SLOT.split(text)[::2], tuple(_SLOT.split(text)[1::2])
    for slot in slots:
        if slot not in _SLOTS:
            raise ValueError(f"unknown slot {{{slot}}} in {text!r}; {nearest(slot, _SLOTS)}")
    values = [slot for slot in slots if slot in _VALUES]
    if len(values) != 1 or len(slots) - len(values) > 1:
        raise ValueError(
            f"expected one of {{verdict}}, {{score}} and {{scores}}, and {{rationale}} at most "
            f"once, in {text!r}; found {', '.join(slots) or 'no slot'}"
        )
    plan = Plan(literals[0], slots, literals[1] if len(slots) == 2 else "", literals[-1])
    if len(slots) == 2 and not plan.between.strip() and "\n" not in plan.between:
        raise ValueError(
            f"expected words or a line break between rationale and verdict in {text!r}: else "
            "nobody can tell where one ends"
        )
    return plan


_SCRIPTS_WITHOUT_BLANKS = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\uffef\U00020000-\U0003ffff"
)
_IN_WORD = rf"[^\W{_SCRIPTS_WITHOUT_BLANKS}]"
_LETTER = rf"[^\W\d{_SCRIPTS_WITHOUT_BLANKS}]"


@lru_cache(maxsize=256)
def _tolerant(literal: str) -> re.Pattern[str]:
    """The literal without its outer white space, in any letter case, with any white space."""
    return re.compile(r"\s+".join(map(re.escape, literal.split())), re.IGNORECASE)


@lru_cache(maxsize=256)
def _marker(literal: str) -> re.Pattern[str]:
    """A literal before the verdict: no part of a longer word ("grade:" of "upgrade:")."""
    bare, words = literal.strip(), _tolerant(literal).pattern
    before = rf"(?<!{_IN_WORD})" if re.match(_IN_WORD, bare) else ""
    apart = literal[-1:].isspace() and re.match(_LETTER, bare[-1:])
    return re.compile(before + words + (rf"(?!{_LETTER})" if apart else ""), re.IGNORECASE)


@lru_cache(maxsize=256)
def _after_verdict(literal: str) -> re.Pattern[str]:
    """A literal between the verdict and the rationale: no part of a number ("." of "4.5")."""
    bare, words = literal.strip(), _tolerant(literal).pattern
    before = literal[:1].isspace() and re.match(_IN_WORD, bare)
    after = r"(?!\d|[.,/]\d)" if bare[-1:].isdigit() else r"(?!\d)"
    return re.compile((rf"(?<!{_IN_WORD})" if before else "") + words + after, re.IGNORECASE)


@lru_cache(maxsize=256)
def _at_end(literal: str) -> re.Pattern[str]:
    return re.compile(_tolerant(literal).pattern + r"\s*\Z", re.IGNORECASE)


class Pattern(BaseModel):
    """Literal text with the slots {rationale} and {verdict} (or {score}, {scores}).

    `text` is how a reply is written; `read` are other patterns that are read as well, in order.
    Letter case and white space in the literal text do not matter.

    Where the verdict comes last, the literal text before it is a marker that must stand in a reply
    once: quoted in the rationale, it makes several verdicts, and so do the markers of two
    spellings. The verdict is what stands from the marker to the end. Where the verdict comes first,
    it is what stands before the first literal text after it, and nothing in the rationale matters.
    With nothing but a line break between the two, the verdict is the last line, or the first; a
    reply may consist of it. No literal text is found inside a longer word or a number.
    """

    VERSION: ClassVar[int] = 2
    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["pattern"] = "pattern"
    text: str = Field(min_length=1)
    read: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _can_be_read(self) -> "Pattern":
        for text in (self.text, *self.read):
            plan_of(text)
        return self

    @property
    def slot(self) -> str:
        """Which of the three slots stands for the verdict."""
        return next(slot for slot in plan_of(self.text).slots if slot in _VALUES)

    @property
    def opening(self) -> str:
        """The text right before the verdict; empty where it comes first of all, or is a line."""
        return plan_of(self.text).marker.lstrip()

    @property
    def has_rationale(self) -> bool:
        """Whether a reply holds a rationale."""
        return len(plan_of(self.text).slots) == 2

    @property
    def reserved(self) -> tuple[str, ...]:
        """The markers, which a rationale may not hold; none where the verdict comes first."""
        return tuple(dict.fromkeys(marker.strip() for marker in self._markers))

    @property
    def _markers(self) -> tuple[str, ...]:
        """The literal texts between a rationale and a verdict after it, as they are written."""
        plans = [plan_of(text) for text in (self.text, *self.read)]
        return tuple(p.between for p in plans if p.verdict_last and p.between.strip())

    def clash(self, rationale: str) -> str | None:
        """The marker that a rationale holds, in whatever letter case, or runs into."""
        own = plan_of(self.text)
        found = next((m for m in self._markers if _marker(m).search(rationale)), None)
        if found is None and own.verdict_last and own.between.strip():
            first = _marker(own.between).search(rationale + own.between)
            runs_into = first is None or first.start() < len(rationale)
            found = own.between if runs_into else None
        return None if found is None else f"marker {found.strip()!r}"

    def write(self, rationale: str, written: Written) -> str:
        """The reply with these parts."""
        plan = plan_of(self.text)
        said = " ".join(written) if isinstance(written, list) else str(written)
        parts = [rationale if slot == "rationale" else said for slot in plan.slots]
        return plan.before + plan.between.join(parts) + plan.after

    def find(self, text: str, criteria: tuple[str, ...] = ()) -> tuple[Found, ...]:
        """The parts of a reply, by each pattern in turn."""
        plans = [plan_of(one) for one in (self.text, *self.read)]
        if _in_several_places(plans, text):
            return (Found(Status.SEVERAL_VERDICTS, None),)
        found = [_find(plan, text) for plan in plans]
        if len(plans) == 1:
            return tuple(found)
        # A reply that was cut may fit one spelling, and the whole reply another.
        first = not any(plan.verdict_last for plan in plans)
        return tuple(one._replace(last=one.last and one.closed and first) for one in found)


def _in_several_places(plans: list[Plan], text: str) -> bool:
    """Whether markers stand in a text at two places; one inside the other is one place."""
    spans = []
    for plan in plans:
        body = _body(plan, text)
        if body is not None and plan.verdict_last and plan.between.strip():
            places = _marker(plan.between).finditer(text, body.begins, body.stop)
            spans += [found.span() for found in islice(places, 2)]
    spans.sort()
    ends = -1
    for place, (start, end) in enumerate(spans):
        if place and start >= ends:
            return True
        ends = max(ends, end)
    return False


class _Body(NamedTuple):
    """Where a reply stands without the literal text before and after; `closed` by the latter."""

    begins: int
    stop: int
    closed: bool


def _body(plan: Plan, text: str) -> _Body | None:
    """None where the literal text before is not there."""
    opened = _tolerant(plan.before).match(text, len(text) - len(text.lstrip()))
    if opened is None:
        return None
    closing = _at_end(plan.after).search(text, opened.end()) if plan.after.strip() else None
    if closing is not None:
        return _Body(opened.end(), closing.start(), closed=True)
    end = len(text.rstrip()) if plan.verdict_last else len(text)
    return _Body(opened.end(), end, closed=False)


def _find(plan: Plan, text: str) -> Found:
    body = _body(plan, text)
    if body is None:
        return Found(Status.NO_VERDICT, None)
    if not plan.verdict_last:
        return _verdict_first(plan, text, body.begins, body.stop)
    return _verdict_last(plan, text, body)


def _verdict_last(plan: Plan, text: str, body: _Body) -> Found:
    begins, stop, closed = body
    inside, rationale = None, None
    by_line = len(plan.slots) == 2 and not plan.between.strip()
    if by_line:
        inside = (begins, max(begins, text.rfind("\n", begins, stop)))
        rationale, begins = text[slice(*inside)].strip() or None, inside[1]
    elif len(plan.slots) == 2:
        marker = _marker(plan.between).search(text, begins, stop)
        inside = (begins, marker.start() if marker else stop)
        rationale = text[slice(*inside)].strip()
        if marker is None:
            return Found(Status.NO_VERDICT, rationale or None)
        begins = marker.end()
    if plan.after.strip() and not closed:
        return Found(Status.NO_VERDICT, rationale)
    return Found(
        None, rationale, text[begins:stop], closed=closed, last=len(plan.slots) == 1,
        rationale_at=inside and trimmed(text, *inside), written_at=trimmed(text, begins, stop),
    )  # fmt: skip


def _verdict_first(plan: Plan, text: str, begins: int, stop: int) -> Found:
    if plan.between.strip():
        found = _after_verdict(plan.between).search(text, begins, stop)
        if found is None:
            return Found(Status.NO_VERDICT, None)
        end, onward = found.span()
    else:  # the first line; a reply may end after it
        while begins < stop and text[begins].isspace():
            begins += 1
        end = text.find("\n", begins, stop)
        end, onward = (stop, stop) if end < 0 else (end, end + 1)
    rationale = text[onward:stop]
    return Found(
        None, rationale.strip() or None, text[begins:end], closed=end < onward,
        rationale_at=trimmed(text, onward, stop) if rationale.strip() else None,
        written_at=trimmed(text, begins, end),
    )  # fmt: skip


_FIRST_LINE = plan_of("{scores}\n{rationale}")


def find_first_line(text: str) -> Found:
    """A verdict in the first line that is not blank, and the rationale after it."""
    return _find(_FIRST_LINE, text)
