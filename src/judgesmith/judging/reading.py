"""The grammar that all forms share: from what stands in a reply to a verdict on the scale."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

from judgesmith.judging.forms import Found, Json, Pattern, ScoresFirst, Tags
from judgesmith.judging.scale import Wording
from judgesmith.records import Choice, Finish, Scores, Status, choice

_NUMBER_LIKE = re.compile(r"[+-]?\.?\d")
_APART = re.compile(r"[\s,]+")


@dataclass(frozen=True)
class Reading:
    """What was read from a reply: a verdict exactly when `status` is parsed."""

    status: Status
    verdict: Choice | Scores | None
    rationale: str | None


class Expected(NamedTuple):
    """What kind of verdict a reply should hold.

    `scored` says scores rather than a choice, one for each of `responses`, None for any number; by
    `criteria`, where they are not None, of which an empty tuple stands for any.
    """

    wording: Wording
    scored: bool
    responses: int | None
    criteria: tuple[str, ...] | None


Form = Tags | Pattern | ScoresFirst | Json


def read(form: Form, expected: Expected, text: str, finish: Finish) -> Reading:
    """Read a complete reply, or one that was cut off (`finish` length)."""
    found, verdict = parts(form, expected, text, finish)
    if isinstance(verdict, Status):
        return Reading(verdict, None, found.rationale)
    return Reading(Status.PARSED, verdict, found.rationale)


def parts(
    form: Form, expected: Expected, text: str, finish: Finish
) -> tuple[Found, Choice | Scores | Status]:
    """What a form finds in a reply, and the verdict or why there is none.

    Of a form with several spellings the first counts that gives a verdict or too many; another one
    that gives another verdict makes several. Without any it is the first that says more than that
    there is none.
    """
    tried = []
    for found in form.find(text, expected.criteria or ()):
        verdict = _outcome(expected, found, finish)
        if verdict is Status.SEVERAL_VERDICTS:
            return found, verdict
        tried.append((found, verdict))
    read = [one for one in tried if not isinstance(one[1], Status)]
    if any(verdict != read[0][1] for _, verdict in read):
        return Found(Status.SEVERAL_VERDICTS, None), Status.SEVERAL_VERDICTS
    if read:
        return read[0]
    nothing = (Status.NO_VERDICT, Status.TRUNCATED)
    return next((one for one in tried if one[1] not in nothing), tried[0])


def _outcome(expected: Expected, found: Found, finish: Finish) -> Choice | Scores | Status:
    cut = finish is Finish.LENGTH
    verdict: Choice | Scores | Status = found.status or Status.NO_VERDICT
    if found.written is not None and (found.last or not cut):
        verdict = _verdict(expected, found, cut=cut)
    return Status.TRUNCATED if cut and verdict is Status.NO_VERDICT else verdict


def _verdict(expected: Expected, found: Found, *, cut: bool) -> Choice | Scores | Status:
    written = found.written
    if expected.criteria is not None:
        return _by_criterion(expected, written if isinstance(written, dict) else {})
    if isinstance(written, dict):
        return Status.NO_VERDICT
    if expected.scored and (expected.responses != 1 or isinstance(written, list)):
        values = _scores(expected, found, cut=cut and not found.closed)
        return values if isinstance(values, Status) else scores_of(values)
    words = written if isinstance(written, str) else json.dumps(written)
    value = _one(expected, words, found, cut=cut and not found.closed)
    if isinstance(value, Status):
        return value
    return scores_of([float(value)]) if expected.scored else choice(value)


def _one(expected: Expected, words: str, found: Found, *, cut: bool) -> str | Status:
    value = expected.wording.value(words)
    if value is None:
        short = found.strict or 0 < len(words.split()) <= expected.wording.longest
        return Status.OFF_SCALE if short and not cut else Status.NO_VERDICT
    return Status.NO_VERDICT if cut and expected.wording.goes_on(words) else value


def _scores(expected: Expected, found: Found, *, cut: bool) -> list[float] | Status:
    """One score per response."""
    written = found.written
    words = written if isinstance(written, list) else _APART.split(str(written).strip(" \t\r\n,"))
    values = [expected.wording.value(word) for word in words]
    strange = [w for w, value in zip(words, values, strict=True) if value is None]
    if not words or not all(_NUMBER_LIKE.match(word) for word in strange):
        return Status.OFF_SCALE if found.strict else Status.NO_VERDICT
    if expected.responses is not None and len(words) != expected.responses:
        return Status.SEVERAL_VERDICTS if len(words) > expected.responses else Status.NO_VERDICT
    if cut and (expected.responses is None or expected.wording.goes_on(words[-1])):
        return Status.NO_VERDICT
    return Status.OFF_SCALE if strange else [float(value) for value in values if value is not None]


def _by_criterion(expected: Expected, written: Mapping[str, list[str]]) -> Scores | Status:
    criteria: dict[str, tuple[float, ...]] = {}
    for name, words in written.items():
        values = _scores(expected, Found(None, None, words, closed=True, strict=True), cut=False)
        if isinstance(values, Status):
            return values
        criteria[name] = tuple(values)
    if not criteria or len({len(values) for values in criteria.values()}) > 1:
        return Status.NO_VERDICT
    return criteria_scores(criteria)


def scores_of(values: Sequence[float]) -> Scores:
    """A verdict of one score per response."""
    return Scores(kind="scores", values=tuple(values), criteria=None)


def criteria_scores(criteria: Mapping[str, tuple[float, ...]]) -> Scores:
    """A verdict by criterion; a response's score is the mean of its scores on all criteria.

    >>> criteria_scores({"clarity": (5.0,), "depth": (2.0,)}).values
    (3.5,)
    """
    means = tuple(fmean(each) for each in zip(*criteria.values(), strict=True))
    return Scores(kind="scores", values=means, criteria=dict(criteria))
