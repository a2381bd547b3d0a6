"""The app: routes, refusals, and the door in front of them."""

import logging
import sqlite3

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from judgesmith.errors import JudgesmithError
from judgesmith.review.access import Refused, Room
from judgesmith.review.door import Door, Rules
from judgesmith.review.pages import static
from judgesmith.review.routes.adjudicating import adjudicating
from judgesmith.review.routes.entering import entering
from judgesmith.review.routes.labelling import as_current, labelling
from judgesmith.review.routes.looking import looking
from judgesmith.review.routes.owning import owning
from judgesmith.review.types import ConflictError, WithheldError

LOG = logging.getLogger(__name__)


def create_app(room: Room) -> FastAPI:
    """An app that serves one review."""
    app = FastAPI(title="judgesmith review", docs_url=None, redoc_url=None, openapi_url=None)
    for routes in (entering, labelling, adjudicating, owning):
        app.include_router(routes(room))
    if room.run_dir is not None:
        app.include_router(looking(room, room.run_dir))

    @app.get("/static/{name}")
    async def part(name: str) -> Response:
        found = static(name)
        if found is None:
            raise Refused(404, f"no file {name!r} here")
        return found

    _install(app, room)
    app.add_middleware(Door, rules=Rules(room.settings.hosts, room.cookie))
    return app


def _install(app: FastAPI, room: Room) -> None:
    """Every refusal as JSON to scripts, and as a page to people."""

    @app.exception_handler(Refused)
    def refused(request: Request, error: Refused) -> Response:
        if error.to is not None and not _scripted(request):
            return RedirectResponse(error.to, 303)
        return told(request, error.status, error.told)

    @app.exception_handler(ConflictError)
    def conflict(request: Request, error: ConflictError) -> Response:
        current = None if error.current is None else as_current(error.current)
        return JSONResponse({"error": str(error), "current": current}, 409)

    @app.exception_handler(WithheldError)
    def withheld(request: Request, error: WithheldError) -> Response:
        return told(request, 403, str(error))

    @app.exception_handler(JudgesmithError)
    def mistaken(request: Request, error: JudgesmithError) -> Response:
        return told(request, 422, str(error))

    @app.exception_handler(RequestValidationError)
    def unread(request: Request, error: RequestValidationError) -> Response:
        found = "; ".join(
            f"{'.'.join(str(part) for part in one['loc'][1:])}: {one['msg']}"
            for one in error.errors()
        )
        return told(request, 422, f"expected another body: {found}")

    @app.exception_handler(HTTPException)
    def other(request: Request, error: HTTPException) -> Response:
        return told(request, error.status_code, error.detail)

    @app.exception_handler(sqlite3.Error)
    @app.exception_handler(OSError)
    def unsaved(request: Request, error: Exception) -> Response:
        route = getattr(request.scope.get("route"), "path", "")  # a path itself may hold a link
        LOG.error("%s %s: %s", request.method, route, error)
        return told(
            request, 507,
            f"It could not be read or written ({error}). Nothing was changed; see that the disk "
            "has room and the folder can be written.",
        )  # fmt: skip

    def told(request: Request, status: int, words: str) -> Response:
        if _scripted(request):
            return JSONResponse({"error": words}, status)
        try:
            me = room.me(request)
        except (Refused, JudgesmithError, sqlite3.Error, OSError):
            me = None  # nobody, or who it is cannot be read either
        heading = HEADINGS.get(status, "This cannot be shown")
        return room.page("problem.html", request, me, status=status, heading=heading, told=words)


HEADINGS = {
    401: "Open your personal link", 403: "Not for you", 404: "There is no such page",
    507: "Not saved",
}  # fmt: skip


def _scripted(request: Request) -> bool:
    return request.url.path.startswith("/api/") or request.method != "GET"
