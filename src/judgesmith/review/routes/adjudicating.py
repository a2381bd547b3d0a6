"""Adjudication: first the own answer, then everything side by side, then a decision."""

import uuid
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import HTMLResponse

from judgesmith.errors import DataError
from judgesmith.records import LETTERS
from judgesmith.review import asking
from judgesmith.review.access import Room
from judgesmith.review.routes.labelling import ask, asked_of, progress_of
from judgesmith.review.types import (
    Annotator,
    Outcome,
    PersonSaid,
    Revealed,
    ReviewItem,
    Said,
    WithheldError,
)

TAGS = ("rubric conflict",)
BAD = "Bad item"


class Decision(BaseModel):
    """A decision as the page sends it: beside these, the value of each slot."""

    model_config = ConfigDict(extra="allow")
    id: str = Field(pattern=r"^[0-9a-f-]{36}$")
    bad_item: list[str] = Field(max_length=1)
    reason: str = Field(min_length=1, max_length=4000)
    tag: str = Field(max_length=60)
    replaces: str = Field(max_length=60)


def adjudicating(room: Room) -> APIRouter:
    """The routes of those who adjudicate."""
    router = APIRouter()
    review = room.review
    Adjudicates = Annotated[Annotator, Depends(room.allowed("adjudicate"))]

    @router.get("/adjudicate")
    def waiting(request: Request, me: Adjudicates) -> HTMLResponse:
        found = review.disagreements(me.name)
        return room.page(
            "adjudicate.html", request, me, waiting=[one for one in found if not one.settled],
            settled=[one for one in found if one.settled],
            groups=sum(len(group.outcomes) for group in review.conflicts(me.name)),
        )  # fmt: skip

    @router.get("/adjudicate/{item_id}")
    def one(item_id: str, request: Request, me: Adjudicates) -> HTMLResponse:
        try:
            found = review.reveal(me.name, item_id)
        except WithheldError:
            shown = review.shown(me.name, item_id, "adjudicate")
            return room.page(
                "label.html", request, me, adjudicating=True, **asked_of(room, me.name, shown),
                store=f"{room.name}/{me.name}", progress=progress_of(room, me.name),
            )  # fmt: skip
        return room.page("reveal.html", request, me, **_side_by_side(room, me, found))

    @router.post("/api/outcomes/{item_id}")
    def decide(item_id: str, given: Decision, me: Adjudicates) -> dict[str, str]:
        review.adjudicate(me.name, _outcome(room, item_id, given))
        left = [one.item_id for one in review.disagreements(me.name) if not one.settled]
        return {"to": f"/adjudicate/{left[0]}" if left else "/adjudicate"}

    @router.get("/conflicts")
    def conflicts(request: Request, me: Adjudicates) -> HTMLResponse:
        groups = [
            {"title": group.tag, "items": [_tagged(*one) for one in group.outcomes]}
            for group in review.conflicts(me.name)
        ]
        return room.page("conflicts.html", request, me, groups=groups)

    return router


def _side_by_side(room: Room, me: Annotator, found: Revealed) -> dict[str, Any]:
    """What the page shows; all of it in the item's own order, whatever order each was shown."""
    item, outcome = found.item, found.outcome
    rows = _rows(room, item)
    mine = next((one for one in found.people if one.by == me.name and one.verdict), None)
    chosen = outcome.verdict if outcome else mine.verdict if mine else None
    facts = (("Bucket", item.bucket), ("Category", item.category), ("Split", item.split))
    return {
        "item": item, "letters": LETTERS[: len(item.responses)], "rows": rows, "ask": ask(room),
        "answers": [*map(_person, found.people), *map(_said, item.said)],
        "facts": [fact for fact in facts if fact[1]], "tags": TAGS, "new_id": str(uuid.uuid4()),
        "chosen": asking.given_in(chosen) or {},
        "outcome": None if outcome is None else {**asdict(outcome), "said": _decided(outcome)},
    }  # fmt: skip


def _rows(room: Room, item: ReviewItem) -> tuple[asking.Row, ...]:
    letters = LETTERS[: len(item.responses)]
    return asking.rows_of(room.review.about.scale, letters, item.criteria)


def _decided(outcome: Outcome) -> str:
    return BAD if outcome.verdict is None else asking.said_in(outcome.verdict)


def _person(one: PersonSaid) -> dict[str, Any]:
    words = {"cannot_decide": "Cannot decide", "bad_item": BAD, "skip": "Skipped"}
    return {
        "who": one.by, "kind": one.kind.value, "note": one.note, "round": one.round,
        "said": words.get(one.answered) or asking.said_in(one.verdict),
        "confidence": one.confidence,
    }  # fmt: skip


def _said(one: Said) -> dict[str, Any]:
    said = one.status.value if one.verdict is None else asking.said_in(one.verdict)
    return {
        "who": one.by if one.alone is None else f"{one.by}, response {LETTERS[one.alone]} alone",
        "kind": one.role, "note": one.rationale, "round": "label", "said": said,
        "confidence": one.confidence,
    }  # fmt: skip


def _outcome(room: Room, item_id: str, given: Decision) -> Outcome:
    """Raises DataError where there is neither a verdict nor a bad item."""
    item, scale = room.review.item(item_id), room.review.about.scale
    bad = given.bad_item == ["yes"]
    slots = {name: str(value) for name, value in (given.model_extra or {}).items()}
    if not bad and not slots:
        raise DataError("Choose a verdict, or say that it is a bad item.")
    return Outcome(
        id=given.id, item_id=item_id, reason=given.reason, tag=given.tag or None,
        verdict=None if bad else asking.verdict_in(slots, _rows(room, item), scale),
        replaces=given.replaces or None,
    )  # fmt: skip


def _tagged(question: str, one: Outcome) -> dict[str, Any]:
    return {
        "item_id": one.item_id, "question": question, "said": _decided(one), "reason": one.reason,
    }  # fmt: skip
