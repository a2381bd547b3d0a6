"""Look, for the owners of a review of a run: blind for those who judge its items, too."""

from collections.abc import Collection
from typing import Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import HTMLResponse

from judgesmith.review.access import Room
from judgesmith.review.looking.opened import Curtain
from judgesmith.review.looking.pages import look_pages
from judgesmith.review.types import ADJUDICATE, LABEL, OWNER
from judgesmith.runs.layout import RunDir


def looking(room: Room, run_dir: RunDir) -> APIRouter:
    """The routes; raises what building the run's index raises."""

    def show(template: str, request: Request, **values: Any) -> HTMLResponse:
        return room.page(template, request, room.me(request), **values)

    def answered(request: Request) -> Collection[str] | None:
        me = room.me(request)
        judges = {LABEL, ADJUDICATE} & me.roles
        return room.review.answered_ids(me.name) if judges else None

    def seen(request: Request, items: Collection[str]) -> None:
        room.review.see(room.me(request).name, items)

    curtain = Curtain(room.review.item_ids, answered, seen)
    router = APIRouter(dependencies=[Depends(room.allowed(OWNER))])
    router.include_router(look_pages(run_dir, show, curtain))
    return router
