"""What a row's raw values decide: a label, a preference or scores, or why there is none.

Everything here is in the letters of the row as it lists its responses; `votes` turns them.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from judgesmith.records import Status
from judgesmith.sources.mapping import UNPARSED, Between, Votes
from judgesmith.sources.mapping import Mapping as DataMapping
from judgesmith.sources.templates import (
    ABSENT,
    Getter,
    Row,
    RowProblem,
    compile_template,
    shorten,
    spell,
)

_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?\s*", re.ASCII)


class Decision(NamedTuple):
    """Verdict, scores and probabilities of one vote; without a verdict the status says why."""

    status: Status
    verdict: str | None
    scores: tuple[float, ...] | None
    distribution: Mapping[str, float] | None


Decide = Callable[[Row], Decision | None]
"""Decides a row; None where all the columns it reads are optional and absent."""


class Decider(NamedTuple):
    """`decide`, and what finds the raw values that it reads."""

    decide: Decide
    raws: tuple[Getter, ...]


def undecided(status: Status) -> Decision:
    """No verdict, and why."""
    return Decision(status, None, None, None)


def scale_of(mapping: DataMapping) -> tuple[str, ...]:
    """The allowed verdicts: for a pair A, B and the tie where the mapping lists none."""
    if mapping.scale or mapping.kind == "single":
        return mapping.scale
    return ("A", "B") if mapping.tie is None else ("A", "B", mapping.tie)


def make_decider(votes: Votes, mapping: DataMapping) -> Decider:
    """The function for whichever of `verdict`, `between` and `scores` the votes have."""
    if votes.verdict is not None:
        return _read_labels(votes, votes.verdict, scale_of(mapping))
    if votes.between is not None:
        return _read_preference(votes, votes.between, mapping.tie)
    if votes.scores is None:
        raise ValueError("votes need one of verdict, between and scores")
    return _read_scores(votes, votes.scores, mapping)


def _label(value: str) -> Decision:
    if value in UNPARSED:
        return undecided(Status(value))
    return Decision(Status.PARSED, value, None, None)


def _read_labels(votes: Votes, text: str, scale: tuple[str, ...]) -> Decider:
    find = compile_template(text).find
    keys = {raw: compile_template(raw) for raw in votes.read}
    table = {
        k.constant: _label(votes.read[raw]) for raw, k in keys.items() if k.constant is not None
    }
    named = [(k.get, _label(votes.read[raw])) for raw, k in keys.items() if k.constant is None]
    if not votes.read:
        table = {value: _label(value) for value in scale}

    def decide(row: Row) -> Decision | None:
        raw = find(row)
        if raw is ABSENT:
            return None
        spelled = raw if type(raw) is str else spell(raw)
        found = table.get(spelled)
        if named:
            found = _read_name(spelled, found, named, row, text)
        if found is None:
            listed = list(votes.read) or list(scale)
            raise RowProblem(
                f"{text}: {shorten(raw)} is not among the values the mapping knows "
                f"({', '.join(map(repr, listed[:20]))}). Add it to `read` as one of "
                f"{', '.join(scale[:20])}, or as a status such as no_verdict or refused."
            )
        return found

    return Decider(decide, (find,))


def _read_name(
    spelled: str,
    found: Decision | None,
    named: Iterable[tuple[Getter, Decision]],
    row: Row,
    text: str,
) -> Decision | None:
    """The decision whose name the row gives; two that share the name cannot be told apart."""
    for get, decision in named:
        if spell(get(row)) == spelled:
            if found is not None and found != decision:
                raise RowProblem(
                    f"{text}: {spelled!r} names both {found.verdict} and {decision.verdict}; the "
                    "two sides have one name. Leave such rows out with `where`."
                )
            found = decision
    return found


def _read_preference(votes: Votes, between: Between, tie: str | None) -> Decider:
    text = between.value
    find = compile_template(text).find
    known = _unscored(votes)
    first, width = between.first, between.second - between.first

    def decide(row: Row) -> Decision | None:
        raw = find(row)
        if raw is ABSENT:
            return None
        value = _number(raw, known, text)
        if isinstance(value, Decision):
            return value
        share = 0.5 if value in between.ties else (value - first) / width
        if not 0 <= share <= 1:
            return undecided(Status.OFF_SCALE)
        if share == 0.5 and tie is None:
            raise RowProblem(f"{text}: {shorten(raw)} is a tie, and the mapping has no `tie`.")
        verdict = "A" if share < 0.5 else "B" if share > 0.5 else tie
        return Decision(Status.PARSED, verdict, None, {"A": 1 - share, "B": share})

    return Decider(decide, (find,))


def _read_scores(votes: Votes, texts: tuple[str, ...], mapping: DataMapping) -> Decider:
    finders = tuple(compile_template(text).find for text in texts)
    known = _unscored(votes)
    low, high = mapping.range or (-math.inf, math.inf)

    def decide(row: Row) -> Decision | None:
        raws = [find(row) for find in finders]
        if all(raw is ABSENT for raw in raws):
            return None
        scores = []
        for raw, text in zip(raws, texts, strict=True):
            value = _number(raw, known, text)
            if isinstance(value, Decision):
                return value
            if not low <= value <= high:
                return undecided(Status.OFF_SCALE)
            scores.append(value)
        return _of_scores(tuple(scores), mapping)

    return Decider(decide, finders)


def _of_scores(scores: tuple[float, ...], mapping: DataMapping) -> Decision:
    if len(scores) == 1:
        verdict = spell(scores[0])
        if mapping.scale and verdict not in mapping.scale:
            return undecided(Status.OFF_SCALE)
        return Decision(Status.PARSED, verdict, scores, None)
    if scores[0] == scores[1]:
        if mapping.tie is None:
            raise RowProblem(f"both scores are {spell(scores[0])}, and the mapping has no `tie`.")
        return Decision(Status.PARSED, mapping.tie, scores, None)
    return Decision(Status.PARSED, "A" if scores[0] > scores[1] else "B", scores, None)


def _unscored(votes: Votes) -> dict[str, Decision | float]:
    """What raw values that are no numbers stand for."""
    known: dict[str, Decision | float] = {
        raw: undecided(Status.NO_VERDICT) for raw in votes.unscored
    }
    for raw, value in votes.read.items():
        known[raw] = undecided(Status(value)) if value in UNPARSED else float(value)
    return known


def _number(raw: Any, known: Mapping[str, Decision | float], text: str) -> float | Decision:
    if known:
        found = known.get(spell(raw))
        if found is not None:
            return found
    value = as_number(raw)
    if value is None:
        found_text = "no such column" if raw is ABSENT else shorten(raw)
        raise RowProblem(
            f"{text}: expected a number, found {found_text}. "
            "Where it means that there is no score, list it under `unscored`, or under `read` "
            "with its status."
        )
    return value


def as_number(raw: Any) -> float | None:
    """The finite number that a value is or spells in ASCII digits; None for anything else.

    >>> [as_number(raw) for raw in (4, "4.5", " 3 ", True, "nan", "1_0", float("inf"))]
    [4.0, 4.5, 3.0, None, None, None, None]
    """
    if isinstance(raw, bool) or raw is None:
        return None
    if isinstance(raw, str) and not _NUMBER.fullmatch(raw):
        return None
    try:
        value = float(raw)
    except (TypeError, ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


FLIPPED = {"A": "B", "B": "A"}


def flip_letter(verdict: str | None) -> str | None:
    """The other side's letter; a tie stays.

    >>> flip_letter("A"), flip_letter("TIE")
    ('B', 'TIE')
    """
    return verdict if verdict is None else FLIPPED.get(verdict, verdict)
