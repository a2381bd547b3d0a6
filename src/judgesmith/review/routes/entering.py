"""Coming in: the start page, personal links, and the one user of a machine's own review."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from judgesmith.review.access import Refused, Room

STARTS = (("label", "/label"), ("adjudicate", "/adjudicate"), ("owner", "/agreement"))


class Name(BaseModel):
    """Who somebody says that they are."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)
    name: str = Field(min_length=1, max_length=60)


def entering(room: Room) -> APIRouter:
    """The routes that need nobody to be known."""
    router = APIRouter()

    def is_open() -> bool:
        """Whether whoever comes may name themselves: on this machine, while nobody has."""
        return room.settings.local and not room.review.annotators()

    @router.get("/")
    def start(request: Request) -> Response:
        me = room.me(request)
        for role, path in STARTS:
            if role in me.roles:
                return RedirectResponse(path, 303)
        return room.page("start.html", request, me)

    @router.get("/hello")
    def hello(request: Request) -> Response:
        return room.page("hello.html", request, None, open=is_open())

    @router.post("/api/hello")
    def name_me(given: Name, request: Request) -> Response:
        if not is_open():
            raise Refused(403, "This review has annotators already: open your personal link.")
        token = room.review.add_first(given.name)  # of several at once, one
        return room.signed_in(JSONResponse({"to": "/label"}), token, request)

    @router.get("/enter/{token}")
    def enter(token: str, request: Request) -> Response:
        if room.review.who(token) is None:
            raise Refused(
                401, "This personal link is not valid, or a newer one replaced it. Ask the owner."
            )
        return room.signed_in(RedirectResponse("/", 303), token, request)

    @router.get("/healthz")
    def alive() -> dict[str, Any]:
        return {"status": "alive"}

    return router
