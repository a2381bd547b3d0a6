"""Labelling: one item at a time, its answer, going back, and what comes next."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import HTMLResponse

from judgesmith.review import asking
from judgesmith.review.access import Room
from judgesmith.review.pages import render
from judgesmith.review.shown_text import as_html
from judgesmith.review.types import Annotator, Answer, Answered, Done, Shown

AHEAD = 50
"""The most items that a page is given at once."""
HISTORY = 1000
"""The last answers that a page can go back to by itself."""


class GivenAnswer(BaseModel):
    """An answer as the page sends it; `given` is the value of each slot, None without a verdict."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    id: str = Field(pattern=r"^[0-9a-f-]{36}$")
    item_id: str = Field(max_length=200)
    round: str = Field(max_length=60)
    outcome: Answered
    given: dict[str, str] | None
    confidence: float | None = Field(ge=0, le=1)
    note: str = Field(max_length=4000)
    seconds: float = Field(ge=0, le=86400)
    replaces: str | None


class Undo(BaseModel):
    """That the last answer is taken back; sent again with the same id, none but that one."""

    model_config = ConfigDict(extra="forbid")
    id: str = Field(pattern=r"^[0-9a-f-]{36}$")


def labelling(room: Room) -> APIRouter:
    """The routes of those who label."""
    router = APIRouter()
    review = room.review
    Me = Annotated[Annotator, Depends(room.me)]
    Labels = Annotated[Annotator, Depends(room.allowed("label"))]

    @router.get("/label")
    def next_item(request: Request, me: Labels) -> HTMLResponse:
        found = review.next(me.name)
        return label_page(room, request, me, found[0] if found else None)

    @router.get("/label/{item_id}")
    def one_item(item_id: str, request: Request, me: Labels) -> HTMLResponse:
        return label_page(room, request, me, review.shown(me.name, item_id))

    @router.get("/api/next")
    def ahead(me: Labels, ahead: Annotated[int, Query(ge=1)] = 1) -> dict[str, Any]:
        items = review.next(me.name, min(ahead, AHEAD))
        return {"items": [as_entry(room, me.name, one, after) for after, one in enumerate(items)]}

    @router.get("/api/items/{item_id}")
    def item(item_id: str, me: Me, round: str | None = None) -> dict[str, Any]:
        found = None if round is None else review.round_of(me.name, item_id, round)
        return as_entry(room, me.name, review.shown(me.name, item_id, found))

    @router.get("/api/history")
    def history(me: Labels) -> dict[str, Any]:
        return {"done": [as_done(room, me.name, one) for one in review.history(me.name)[-HISTORY:]]}

    @router.post("/api/answers")
    def save(given: GivenAnswer, me: Me) -> dict[str, Any]:
        round = review.round_of(me.name, given.item_id, given.round)
        shown = review.shown(me.name, given.item_id, round)
        review.save(me.name, as_answer(room, shown, given))
        return {"saved": given.id, "progress": progress_of(room, me.name)}

    @router.post("/api/undo")
    def undo(given: Undo, me: Labels) -> dict[str, Any]:
        shown = review.undo(me.name, given.id)
        if shown is None:
            return {"item_id": None}
        return {**as_entry(room, me.name, shown), "progress": progress_of(room, me.name)}

    @router.get("/api/feedback/{item_id}")
    def feedback(item_id: str, me: Labels) -> dict[str, Any]:
        found = review.feedback(me.name, item_id)
        if found is None:
            return {"gold": None}
        return {
            "gold": asking.said_in(found.gold), "yours": asking.said_in(found.own),
            "right": found.right,
            "reason": as_html(found.reason or ""),
        }  # fmt: skip

    return router


def label_page(room: Room, request: Request, me: Annotator, shown: Shown | None) -> HTMLResponse:
    """The page of one item, or of none that is left."""
    return room.page(
        "label.html", request, me, adjudicating=False,
        **(asked_of(room, me.name, shown) if shown else {"shown": None, "ask": ask(room)}),
        store=f"{room.name}/{me.name}", progress=progress_of(room, me.name),
    )  # fmt: skip


def asked_of(room: Room, name: str, shown: Shown) -> dict[str, Any]:
    """What a template needs to show an item and ask for its verdict."""
    rows = asking.rows_of(room.review.about.scale, shown.letters, shown.criteria)
    return {
        "shown": shown, "turn": room.review.turn(name, shown.item_id, shown.round),
        "rows": rows, "ask": ask(room), "sureness": asking.SURENESS,
        "current": None if shown.answer is None else as_current(shown.answer),
        "waits": shown.round in ("calibration", "adjudicate"),
    }  # fmt: skip


def ask(room: Room) -> str:
    """What is asked of every item of this review."""
    about = room.review.about
    return asking.question_of(about.kind, about.scale, about.direction, about.adjective)


def as_entry(room: Room, name: str, shown: Shown, after: int = 0) -> dict[str, Any]:
    """An item as a page that is open already takes it, `after` so many others."""
    at, total = shown.place
    shown = replace(shown, place=(min(at + after, total), total))
    asked = asked_of(room, name, shown)
    html = render("item.html", **asked)
    return {"item_id": shown.item_id, "round": asked["turn"], "html": html}


def as_current(answer: Answer) -> dict[str, Any]:
    """An answer as the page gave it."""
    return {
        "id": answer.id, "outcome": answer.outcome, "given": asking.given_in(answer.verdict),
        "confidence": answer.confidence, "note": answer.note,
    }  # fmt: skip


def as_answer(room: Room, shown: Shown, given: GivenAnswer) -> Answer:
    """What the page gave, with its verdict; raises DataError for one that is not on the scale."""
    verdict = None
    if given.outcome == "verdict":
        scale = room.review.about.scale
        rows = asking.rows_of(scale, shown.letters, shown.criteria)
        verdict = asking.verdict_in(given.given or {}, rows, scale)
    return Answer(
        id=given.id, item_id=given.item_id, outcome=given.outcome, verdict=verdict,
        confidence=given.confidence, note=given.note, seconds=given.seconds,
        replaces=given.replaces, round=shown.round,
    )  # fmt: skip


def progress_of(room: Room, name: str) -> dict[str, int]:
    """How much of what was given to somebody is answered."""
    found = room.review.progress(name)
    return {"done": found.done, "total": found.total}


def as_done(room: Room, name: str, one: Done) -> dict[str, Any]:
    """A line of what was answered."""
    return {
        "item_id": one.item_id, "round": room.review.turn(name, one.item_id, one.round),
        "question": one.question[:140],
        "answer": as_current(one.answer),
    }  # fmt: skip
