"""Writing replies: a rationale and a verdict in the form of a dialect, and read back at once."""

from collections.abc import Sequence

from judgesmith.judging.forms import Json, Written
from judgesmith.judging.reading import (
    Expected,
    Form,
    criteria_scores,
    parts,
    read,
    scores_of,
)
from judgesmith.judging.scale import number_text
from judgesmith.records import Choice, Finish, Scores, choice

NEUTRAL = "Because of what it says."
"""A rationale that every dialect can hold: it is tried with each value when a dialect is made."""


def write(form: Form, expected: Expected, rationale: str, verdict: str | Choice | Scores) -> str:
    """The reply with these parts; ValueError where it could not be read back so.

    A form without a place for the rationale leaves it out.
    """
    written = written_of(expected, verdict)
    if not form.has_rationale:
        rationale = ""
    held = form.clash(rationale)
    if held is not None:
        raise ValueError(f"the rationale may not hold the {held}: {rationale[:80]!r}")
    reply = form.write(rationale, written)
    found = read(form, expected, reply, Finish.STOP)
    if found.verdict != _as_read(expected, verdict):
        raise ValueError(
            f"expected {verdict!r} to be read from {reply[:200]!r}, found {found.status.value}, "
            f"{found.verdict!r}"
        )
    if (found.rationale or "") != rationale.strip():
        raise ValueError(
            f"the rationale may not be one that is read as {found.rationale!r}: {rationale[:80]!r}"
        )
    return reply


def rewrite(form: Form, expected: Expected, reply: str, rationale: str, verdict: str) -> str | None:
    """A reply with another rationale and verdict, and all else as it is.

    None for a reply that cannot be read, or could not be read back so.
    """
    written = written_of(expected, verdict)
    made: str | None = None
    if isinstance(form, Json):
        made = form.rewrite(reply, rationale, written)
    else:
        found, _ = parts(form, expected, reply, Finish.STOP)
        if found.rationale_at is not None and found.written_at is not None:
            places = [(found.rationale_at, rationale), (found.written_at, str(written))]
            made = reply
            for (start, end), words in sorted(places, reverse=True):
                made = made[:start] + words + made[end:]
    if made is None:
        return None
    again = read(form, expected, made, Finish.STOP)
    same = again.rationale == rationale.strip() and again.verdict == _as_read(expected, verdict)
    return made if same else None


def _as_read(expected: Expected, verdict: str | Choice | Scores) -> Choice | Scores:
    if isinstance(verdict, Scores):
        return verdict
    value = verdict.value if isinstance(verdict, Choice) else verdict
    return scores_of([float(value)]) if expected.scored else choice(value)


def written_of(expected: Expected, verdict: str | Choice | Scores) -> Written:
    """A verdict in the words of a reply; ValueError where it is not on the scale.

    A list for the scores of several responses, a mapping of lists by criterion. A text or a choice
    is the one value of a scale, be it a score.
    """
    if not isinstance(verdict, Scores):
        value = verdict.value if isinstance(verdict, Choice) else verdict
        if expected.scored and (expected.responses != 1 or expected.criteria is not None):
            raise ValueError(f"expected {_kind(expected)}, found {value!r}")
        return _word(expected, value)
    if not expected.scored or (verdict.criteria is None) != (expected.criteria is None):
        raise ValueError(f"expected {_kind(expected)}, found {verdict!r}")
    if verdict.criteria is not None:
        if verdict != criteria_scores(verdict.criteria):
            raise ValueError(f"expected the means over the criteria as values, found {verdict!r}")
        return {name: _numbers(expected, values) for name, values in verdict.criteria.items()}
    words = _numbers(expected, verdict.values)
    return words[0] if len(words) == 1 else words


def _numbers(expected: Expected, values: Sequence[float]) -> list[str]:
    return [_word(expected, number_text(value)) for value in values]


def _word(expected: Expected, value: str) -> str:
    if value not in expected.wording.of:
        known = tuple(expected.wording.of)
        raise ValueError(f"expected a verdict among {known}, found {value!r}")
    return expected.wording.of[value]


def _kind(expected: Expected) -> str:
    if not expected.scored:
        return "a choice"
    return "scores" if expected.criteria is None else "scores by criterion"
