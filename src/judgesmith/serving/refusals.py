"""How the server says no: one shape of error, that of OpenAI's API, for every path.

{"error": {"message": "...", "type": "invalid_request_error", "param": "items.3.question",
"code": "invalid"}}
"""

import logging
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from judgesmith.errors import DataError
from judgesmith.serving.batching import QueueFullError

log = logging.getLogger(__name__)
_LONGEST = 200
"""Characters of a found value that an error repeats."""
_OBJECTS = ("model_attributes_type", "model_type")
GONE = 499
"""The status of a request whose client hung up; nobody reads it."""
_CODES = {400: "invalid", 404: "not_found", 405: "not_allowed", 408: "too_slow", 413: "too_large"}


class ErrorAbout(BaseModel):
    """What is wrong, with which field, and a word for programs."""

    message: str
    type: str
    param: str | None
    code: str


class ErrorReply(BaseModel):
    """The body of every reply that is not 2xx."""

    error: ErrorAbout


class Refusal(Exception):
    """A request that is not answered as asked; `param` names the field."""

    def __init__(
        self, status: int, code: str, message: str, *, param: str | None = None,
        retry_after_s: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__(message)
        self.status, self.code, self.message, self.param = status, code, message, param
        self.headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}


_TOLD = {
    400: "The prompt does not fit the judge.",
    401: "No known key.",
    404: "There is no such model.",
    408: "The body did not come in time.",
    413: "The body is too large.",
    422: "A field is wrong; `param` names it.",
    503: "The queue is full, the judge is loading, or the server is stopping; see Retry-After.",
}


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Replies of this shape, for the description of a route."""
    return {status: {"description": _TOLD[status], "model": ErrorReply} for status in statuses}


def invalid(param: str, message: str) -> Refusal:
    """A field is wrong: 422."""
    return Refusal(422, "invalid", f"{param}: {message}" if param else message, param=param or None)


def full(error: QueueFullError) -> Refusal:
    """The queue has no room: 503, and when to come again."""
    return Refusal(
        503, "full", f"{error}; try again in {error.retry_after_s} s",
        retry_after_s=error.retry_after_s,
    )  # fmt: skip


def as_reply(refusal: Refusal) -> JSONResponse:
    """The reply that says it."""
    kind = "server_error" if refusal.status >= 500 else "invalid_request_error"
    about = ErrorAbout(message=refusal.message, type=kind, param=refusal.param, code=refusal.code)
    return JSONResponse(
        ErrorReply(error=about).model_dump(), refusal.status, headers=refusal.headers
    )


class ClientGone(Exception):
    """The client hung up; nobody reads the reply."""


def install(app: FastAPI) -> None:
    """Give the app these replies; each notes its word, by which requests are counted."""

    def told(request: Request, refusal: Refusal) -> JSONResponse:
        request.scope["outcome"] = refusal.code
        return as_reply(refusal)

    @app.exception_handler(Refusal)
    async def refused(request: Request, error: Refusal) -> JSONResponse:
        return told(request, error)

    @app.exception_handler(DataError)
    async def cannot_be_asked(request: Request, error: DataError) -> JSONResponse:
        return told(request, invalid("", str(error)))

    @app.exception_handler(ClientGone)
    async def gone(request: Request, _: ClientGone) -> Response:
        request.scope["outcome"] = "gone"
        return Response(status_code=GONE)

    @app.exception_handler(QueueFullError)
    async def no_room(request: Request, error: QueueFullError) -> JSONResponse:
        return told(request, full(error))

    @app.exception_handler(RequestValidationError)
    async def wrong_field(request: Request, error: RequestValidationError) -> JSONResponse:
        return told(request, _first_defect(error))

    @app.exception_handler(HTTPException)
    async def by_the_framework(request: Request, error: HTTPException) -> JSONResponse:
        code = _CODES.get(error.status_code, "invalid")
        found = Refusal(error.status_code, code, str(error.detail))
        found.headers.update(error.headers or {})
        return told(request, found)

    @app.exception_handler(Exception)
    async def our_fault(request: Request, error: Exception) -> JSONResponse:
        return told(request, Refusal(500, "failed", "the server failed; its log says why"))


def _first_defect(error: RequestValidationError) -> Refusal:
    """All defects in the message, the first one's field as `param`."""
    defects = error.errors()
    told = [(_place(defect), _words(defect)) for defect in defects[:5]]
    message = "; ".join(f"{place}: {words}" if place else words for place, words in told)
    more = len(defects) - len(told)
    if more > 0:
        message += f"; and {more} more"
    return Refusal(422, "invalid", message, param=told[0][0] or None)


def _place(defect: Any) -> str:
    """`items.3.question`, without what FastAPI and the union of bodies put before it."""
    parts = [str(part) for part in defect["loc"]]
    if defect["type"] == "json_invalid":
        return ""
    for outer in ("body", "one", "many"):
        if parts[:1] == [outer]:
            parts = parts[1:]
    return ".".join(parts)


def _words(defect: Any) -> str:
    if defect["type"] == "missing":
        return "expected this field, found none"
    if defect["type"] == "extra_forbidden":
        return "no such field"
    if defect["type"] == "json_invalid":
        return f"expected JSON, found a body that is none: {defect.get('ctx', {}).get('error', '')}"
    if isinstance(defect.get("input"), bytes):
        return "expected JSON, sent as `Content-Type: application/json`"
    found = repr(defect.get("input"))
    shown = found if len(found) <= _LONGEST else f"{found[:_LONGEST]}..."
    wanted = "expected a JSON object" if defect["type"] in _OBJECTS else defect["msg"]
    return f"{wanted}, found {shown}"
