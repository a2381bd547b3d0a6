"""The owner's pages: people and their links, agreement, export."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response

from judgesmith.review.access import Refused, Room
from judgesmith.review.agreement_page import tables_of, warnings_of
from judgesmith.review.exporting import FILES
from judgesmith.review.routes.entering import Name
from judgesmith.review.types import Annotator


class Person(Name):
    """Somebody to add, and what they may do."""

    roles: list[str] = Field(max_length=3)


class Nothing(BaseModel):
    """A request that says nothing besides."""

    model_config = ConfigDict(extra="forbid")


def owning(room: Room) -> APIRouter:
    """The routes of those who own the review."""
    router = APIRouter()
    review = room.review
    Owns = Annotated[Annotator, Depends(room.allowed("owner"))]
    made: dict[str, tuple[str, str]] = {}  # by owner: a link that is shown once, and whose

    def show_once(me: Annotator, name: str, token: str, request: Request) -> dict[str, str]:
        made[me.name] = (name, f"{str(request.base_url).rstrip('/')}/enter/{token}")
        return {"to": "/people"}

    @router.get("/people")
    def people(request: Request, me: Owns) -> HTMLResponse:
        found = made.pop(me.name, None)
        return room.page(
            "people.html", request, me, local=room.settings.local,
            made=None if found is None else {"name": found[0], "link": found[1]},
            people=[_person(one) for one in review.annotators()],
        )  # fmt: skip

    @router.post("/api/people")
    def add(given: Person, request: Request, me: Owns) -> dict[str, str]:
        return show_once(me, given.name, review.add_annotator(given.name, given.roles), request)

    @router.post("/api/people/link")
    def link(given: Name, request: Request, me: Owns) -> Response:
        token = review.new_token(given.name)
        reply = JSONResponse(show_once(me, given.name, token, request))
        return room.signed_in(reply, token, request) if given.name == me.name else reply

    @router.get("/agreement")
    def agreement(request: Request, me: Owns) -> HTMLResponse:
        found = review.agreement()
        return room.page(
            "agreement.html", request, me, tables=tables_of(found), warnings=warnings_of(found)
        )

    @router.get("/export")
    def export_page(request: Request, me: Owns) -> HTMLResponse:
        return room.page("export.html", request, me, files=_files(room))

    @router.post("/api/export")
    def export(given: Nothing, me: Owns) -> dict[str, str]:
        review.export()
        return {"to": "/export"}

    @router.get("/export/{name}")
    def file(name: str, me: Owns) -> FileResponse:
        if name not in {one["name"] for one in _files(room)}:
            raise Refused(404, f"There is no exported file {name!r}.")
        review.open_files(me.name)
        return FileResponse(room.review.folder / name, filename=name)

    return router


def _person(one: Annotator) -> dict[str, Any]:
    return {
        "name": one.name, "kind": one.kind.value, "may": ", ".join(sorted(one.roles)),
        "done": one.progress.done, "total": one.progress.total,
    }  # fmt: skip


def _files(room: Room) -> list[dict[str, Any]]:
    found = []
    for name in FILES:
        path = room.review.folder / name
        if path.is_file():
            found.append({"name": name, "path": str(path), "size": path.stat().st_size})
    return found
