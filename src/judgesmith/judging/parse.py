"""The one parser: a judge's reply -> verdict, rationale and status.

The grammar is ordered and never "match anywhere". The rationale ends at its last closing tag, so
a verdict quoted inside it does not count; one that was opened and never closed goes on to the end.
After it exactly one verdict must follow, and nothing but white space after that: a verdict in the
middle of a sentence is a quotation. An unread reply gets a status; it is never a tie and never
guessed.
"""

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

    A complete verdict counts even when the reply was cut right after it. Letter case and white
    space inside the verdict tag do not matter; anything else there is off the scale.

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
    if rest.count(f"</{dialect.verdict_tag}>") > 1:
        return Reading(Status.SEVERAL_VERDICTS, None, rationale)
    before, opening, tail = rest.partition(f"<{dialect.verdict_tag}>")
    written, closing, after = tail.partition(f"</{dialect.verdict_tag}>")
    if not opening or not closing or after.strip():
        return Reading(_OF_FINISH.get(finish, Status.NO_VERDICT), None, rationale)
    return _on_scale(
        dialect, written, rationale if rationale is not None else before.strip() or None
    )


def _split_rationale(dialect: Dialect, text: str) -> tuple[str | None, str]:
    opening, closing = f"<{dialect.rationale_tag}>", f"</{dialect.rationale_tag}>"
    start, end = text.find(opening), text.rfind(closing)
    if end < 0:
        return (None, text) if start < 0 else (text[start + len(opening) :].strip(), "")
    start = start + len(opening) if 0 <= start < end else 0
    return text[start:end].strip(), text[end + len(closing) :]


def _on_scale(dialect: Dialect, written: str, rationale: str | None) -> Reading:
    by_folded = {value.casefold(): value for value in dialect.scale.values}
    value = by_folded.get(written.strip().casefold())
    if value is None:
        return Reading(Status.OFF_SCALE, None, rationale)
    if dialect.scale.choices is None:
        scores = Scores(kind="scores", values=(float(value),), criteria=None)
        return Reading(Status.PARSED, scores, rationale)
    return Reading(Status.PARSED, choice(value), rationale)
