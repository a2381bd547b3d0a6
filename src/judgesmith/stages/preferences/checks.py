"""Whether a written mistake may become a negative, and if not, why not."""

from typing import NamedTuple

from judgesmith.audits import find_instruction_leak, rationale_names, read_rationale
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.reply import verdict_text
from judgesmith.models.judge import read_completion
from judgesmith.models.protocol import Completion
from judgesmith.records import TIE, Kind
from judgesmith.stages.preferences.quality import RANKS, named_in_full
from judgesmith.stages.preferences.wishes import Chosen

NO_REASON = "no reasoning"
OTHER_VERDICT = "another verdict than asked for"
LEAK = "speaks of its instruction"
SHORT = "less than half the chosen words"
LONG = "more than twice the chosen words"
COPY = "the chosen reasoning again"
OTHER_SIDE = "argues against its verdict"
FORM = "cannot be put in the form of the chosen reply"


class Checked(NamedTuple):
    """The rejected reply, or the reason why there is none. Exactly one is given."""

    reply: str | None
    reason: str | None


def check(dialect: Dialect, completion: Completion, chosen: Chosen, wrong: str) -> Checked:
    """The first fault of a written reply; without one, the reply in the form of the chosen one."""
    reading = read_completion(dialect, completion)
    if reading.verdict is None:
        return Checked(None, f"not read: {reading.status.value}")
    rationale = reading.rationale or ""
    fault = OTHER_VERDICT if verdict_text(reading.verdict) != wrong else None
    fault = fault or _fault_of(rationale, chosen, wrong, dialect)
    if fault is not None:
        return Checked(None, fault)
    reply = in_the_form_of(dialect, chosen, rationale, wrong)
    if reply is None:
        return Checked(None, FORM)
    return Checked(None, LEAK) if find_instruction_leak(reply) else Checked(reply, None)


def _fault_of(rationale: str, chosen: Chosen, wrong: str, dialect: Dialect) -> str | None:
    words = len(rationale.split())
    if not words:
        return NO_REASON
    if find_instruction_leak(rationale) is not None:
        return LEAK
    if 2 * words < chosen.words:
        return SHORT
    if words > 2 * chosen.words:
        return LONG
    if rationale.casefold().split() == chosen.reason.casefold().split():
        return COPY
    return OTHER_SIDE if argues_against(rationale, wrong, dialect) else None


def argues_against(rationale: str, verdict: str, dialect: Dialect) -> bool:
    """Whether a rationale on a pair concludes on another response than its verdict names.

    One that cannot be read does not; a tie must set neither response above the other.

    >>> from judgesmith.judging.dialect import PAIR_SCALE
    >>> d = Dialect(name="d", kind="pair", system=None, user="", scale=PAIR_SCALE,
    ...             direction="worse")
    >>> argues_against("Response B is the stronger answer.", "B", d)
    True
    """
    if dialect.kind is not Kind.PAIR or dialect.direction is None:
        return False
    text = named_in_full(rationale)
    if verdict == TIE:
        return read_rationale(text).rule in RANKS
    return rationale_names(text, dialect.direction) not in (None, verdict)


def in_the_form_of(dialect: Dialect, chosen: Chosen, rationale: str, verdict: str) -> str | None:
    """The chosen reply with another rationale and verdict; None where it cannot be read back.

    Both sides of a row then differ in what they say and not in white space between its parts.
    """
    return dialect.rewritten(chosen.reply, rationale, verdict)
