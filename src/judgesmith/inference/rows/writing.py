"""What is written for a row that was judged; letters follow the file's own a and b."""

from collections.abc import Sequence
from typing import Any

from judgesmith.inference.judge import Judge
from judgesmith.inference.judged import InOrder, Judged
from judgesmith.models.pointwise import verdict_letter
from judgesmith.records import LETTERS, Judgment, Scores

PLACES = 6
ROW_FORM = 4
"""Raised when the fields change: rows of two forms never stand in one file."""


def as_row(judged: Judged, judge: Judge, position: int) -> dict[str, Any]:
    """The fields of a judged row; one without a name has its `position`, from 1, as `id`."""
    name = judged.entry.row.id
    write = {1: _alone, 2: _of_pair}.get(len(judged.entry.responses), _of_list)
    return {
        "id": name if name is not None else position,
        **_systems(judged),
        **write(judged, judge),
        "judge": judge.name,
        "version": judge.version,
        "mode": judge.mode,
        "dialect": judge.dialect.hash,
        "calibration": _calibration(judged, judge),
    }


def _calibration(judged: Judged, judge: Judge) -> str | None:
    """What the confidence was calibrated by; of a score, and without one, it was not."""
    if judge.calibration is None or judged.verdict is None or judged.confidence is None:
        return None
    return judge.calibration.id


def _systems(judged: Judged) -> dict[str, Any]:
    """Who wrote the two responses, and what was asked, for `judgesmith rank`."""
    row = judged.entry.row
    if row.model_a is None or row.model_b is None:
        return {}
    return {"models": [row.model_a, row.model_b], "question_key": row.question_key}


def _of_pair(judged: Judged, judge: Judge) -> dict[str, Any]:
    direction = judge.dialect.direction
    flipped = judged.flipped
    return {
        "verdict": judged.verdict,
        "names": None if direction is None else direction.value,
        **_sure(judged),
        "preference": _rounded(judged.preference),
        "consistent": None if flipped is None else not flipped,
        "own_reference": judged.own_reference,
        **(_scored(judged) if judge.margin is not None else _in_orders(judged)),
    }


def _of_list(judged: Judged, judge: Judge) -> dict[str, Any]:
    """The letter chosen among several responses, or the expected score of each."""
    direction = judge.dialect.direction
    flipped = judged.flipped
    orders = zip(judged.orders, judged.judgments, strict=True)
    return {
        "responses": len(judged.entry.responses),
        **(_chosen(judged) if not judge.dialect.scored else _marks(judged.scores)),
        "names": None if direction is None else direction.value,
        "status": judged.status.value,
        "consistent": None if flipped is None else not flipped,
        "own_reference": judged.own_reference,
        "orders": [{**_in_order(order), **_marks(_stated(said))} for order, said in orders],
    }


def _chosen(judged: Judged) -> dict[str, Any]:
    return {"verdict": judged.verdict, **_sure(judged)}


def _marks(scores: Sequence[float] | None) -> dict[str, Any]:
    return {"scores": scores and [_rounded(score) for score in scores]}


def _stated(judgment: Judgment) -> list[float] | None:
    """The scores of a reply, in the row's order."""
    if not isinstance(judgment.verdict, Scores):
        return None
    said = judgment.verdict.values
    return [said[judgment.order.index(place)] for place in range(len(said))]


def _sure(judged: Judged) -> dict[str, Any]:
    chances = judged.distribution
    return {
        "confidence": _rounded(judged.confidence),
        "distribution": chances and {value: _rounded(p) for value, p in chances.items()},
        "covered": _rounded(judged.covered),
    }


def _in_orders(judged: Judged) -> dict[str, Any]:
    scores = {} if judged.scores is None else {"scores": [_rounded(s) for s in judged.scores]}
    return {**scores, "orders": [_in_order(order) for order in judged.orders]}


def _in_order(order: InOrder) -> dict[str, Any]:
    return {
        "shown": "".join(LETTERS[place].lower() for place in order.order),
        "verdict": order.verdict,
        "status": order.status.value,
        "rationale": order.rationale,
    }


def _scored(judged: Judged) -> dict[str, Any]:
    """The expected score of each of two responses, each scored alone, and the reason for it."""
    (order,) = judged.orders
    return {
        "scores": judged.scores and [_rounded(score) for score in judged.scores],
        "status": judged.status.value,
        "rationales": [line or None for line in (order.rationale or "\n").split("\n")],
    }


def _alone(judged: Judged, judge: Judge) -> dict[str, Any]:
    """The expected score of one response, or the choice about it, and the reason for it."""
    (judgment,) = judged.judgments
    said: dict[str, Any] = {"score": _rounded(judged.scores[0] if judged.scores else None)}
    verdict = judgment.verdict
    if isinstance(verdict, Scores) and verdict.criteria is not None:
        said["criteria"] = {name: values[0] for name, values in verdict.criteria.items()}
    if not judge.dialect.scored:
        said = {"verdict": verdict_letter(verdict)}
    return {
        **said,
        **_sure(judged),
        "own_reference": judged.own_reference,
        "status": judged.status.value,
        "rationale": judgment.rationale,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, PLACES)
