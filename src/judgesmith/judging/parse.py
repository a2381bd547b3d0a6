"""The one parser: a judge's reply -> verdict, rationale and status.

The grammar is ordered and never "match anywhere": the rationale ends at its last closing tag (so
a verdict quoted inside it does not count), and after it exactly one verdict tag must follow. An
unread reply gets a status; it is never a tie and never guessed.
"""

import re
from dataclasses import dataclass

from judgesmith.judging.dialect import Dialect
from judgesmith.records import Choice, Finish, Scores, Status, choice


@dataclass(frozen=True)
class Reading:
    """What was read from a reply: a verdict exactly when `status` is parsed."""

    status: Status
    verdict: Choice | Scores | None
    rationale: str | None


_OF_FINISH = {
    Finish.REFUSED: Status.REFUSED,
    Finish.FAILED: Status.CALL_FAILED,
    Finish.LENGTH: Status.TRUNCATED,
}


def parse_reply(dialect: Dialect, text: str, finish: Finish = Finish.STOP) -> Reading:
    """Read a reply in a dialect.

    A complete verdict counts even when the reply was cut afterwards. Letter case and white space
    inside the verdict tag do not matter; anything else there is off the scale.

    >>> from judgesmith.judging.dialect import PAIR_SCALE
    >>> d = Dialect(name="d", kind="pair", system=None, user="", scale=PAIR_SCALE,
    ...             direction="worse", rationale_tag="reasoning", verdict_tag="verdict")
    >>> parse_reply(d, "<reasoning>It says <verdict>A</verdict>.</reasoning><verdict>B</verdict>")
    Reading(status=<Status.PARSED: 'parsed'>, verdict=Choice(kind='choice', value='B'),
            rationale='It says <verdict>A</verdict>.')
    >>> parse_reply(d, "Response A is worse.").status.value
    'no_verdict'
    """
    if finish in (Finish.REFUSED, Finish.FAILED):
        return Reading(_OF_FINISH[finish], None, None)
    rationale, rest = _split_rationale(dialect, text)
    found = re.findall(_between(dialect.verdict_tag), rest)
    if not found:
        return Reading(_OF_FINISH.get(finish, Status.NO_VERDICT), None, rationale)
    if len(found) > 1:
        return Reading(Status.SEVERAL_VERDICTS, None, rationale)
    before = rest[: rest.find(f"<{dialect.verdict_tag}>")].strip()
    return _on_scale(dialect, found[0], rationale if rationale is not None else before or None)


def _split_rationale(dialect: Dialect, text: str) -> tuple[str | None, str]:
    closing = f"</{dialect.rationale_tag}>"
    end = text.rfind(closing)
    if end < 0:
        return None, text
    opening = f"<{dialect.rationale_tag}>"
    start = text.find(opening)
    start = start + len(opening) if 0 <= start < end else 0
    return text[start:end].strip(), text[end + len(closing) :]


def _between(tag: str) -> str:
    return rf"<{re.escape(tag)}>([^<>]{{0,200}})</{re.escape(tag)}>"


def _on_scale(dialect: Dialect, written: str, rationale: str | None) -> Reading:
    by_folded = {value.casefold(): value for value in dialect.scale.values}
    value = by_folded.get(written.strip().casefold())
    if value is None:
        return Reading(Status.OFF_SCALE, None, rationale)
    if dialect.scale.choices is None:
        scores = Scores(kind="scores", values=(float(value),), criteria=None)
        return Reading(Status.PARSED, scores, rationale)
    return Reading(Status.PARSED, choice(value), rationale)
