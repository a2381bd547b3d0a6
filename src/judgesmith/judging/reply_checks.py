"""Whether a dialect's reply form fits its kind, scale and criteria; checked when it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from judgesmith.judging.forms import Json, Pattern, ScoresFirst
from judgesmith.records import Kind

if TYPE_CHECKING:
    from judgesmith.judging.dialect import Dialect


def check_reply(dialect: Dialect) -> None:
    """Refuse a reply form in which verdicts of this dialect could not be written.

    Raises:
        ValueError: saying which fields do not go together.
    """
    reply, criteria = dialect.reply, dialect.criteria
    if criteria and not dialect.by_criterion:
        raise ValueError("`criteria` need a reply by criterion: reply.kind json, by_criterion")
    if len(set(criteria)) < len(criteria) or "" in criteria:
        raise ValueError(f"expected different names as criteria, found {criteria!r}")
    if dialect.by_criterion and not dialect.scored:
        raise ValueError("a reply by criterion holds scores: give the scale `low` and `high`")
    if isinstance(reply, Json) and reply.rationale in criteria:
        raise ValueError(f"the criterion {reply.rationale!r} has the rationale's name")
    if isinstance(reply, ScoresFirst) and not dialect.scored:
        raise ValueError("a reply of scores first needs a scale with `low` and `high`")
    if isinstance(reply, Pattern):
        _check_slot(dialect, reply.slot)


def _check_slot(dialect: Dialect, slot: str) -> None:
    """A pattern has {score} for one response, {scores} for several, or {verdict} for either."""
    several = dialect.scored and dialect.kind is not Kind.SINGLE
    fits = {"verdict": True, "score": dialect.scored and not several, "scores": several}
    if not fits[slot]:
        raise ValueError(
            f"`reply`: {{{slot}}} does not fit: a {dialect.kind} dialect on the scale "
            f"{', '.join(dialect.scale.values[:4])}... has {{verdict}}"
            f"{' or {scores}' if several else ' or {score}' if dialect.scored else ''}"
        )
