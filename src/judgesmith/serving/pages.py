"""What a browser and an operator see: the page to try the judge, the API's page, health, metrics.

Everything is served from this package: the pages load nothing from anywhere else.
"""

from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, JSONResponse

from judgesmith.serving.context import Serving
from judgesmith.serving.counting import CONTENT_TYPE
from judgesmith.serving.desk import State
from judgesmith.serving.refusals import Refusal

FOLDER = Path(__file__).with_name("page")
TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
FILES = {path.name: path for path in sorted(FOLDER.iterdir()) if path.suffix in TYPES}


def health(serving: Serving) -> APIRouter:
    """The routes of an operator."""
    router = APIRouter(tags=["operation"])

    @router.get("/healthz", summary="Whether the process answers")
    async def alive() -> dict[str, str]:
        """200 as long as the server runs, also while it loads or stops."""
        return {"status": "alive"}

    @router.get(
        "/readyz", summary="Whether requests are judged",
        responses={503: {"description": "It is loading or stopping."}},
    )  # fmt: skip
    async def ready() -> JSONResponse:
        """200 when the judge is loaded and has judged once; 503 before, and while it stops."""
        state = serving.desk.state
        return JSONResponse({"status": state.value}, 200 if state is State.READY else 503)

    @router.get("/metrics", summary="Numbers for Prometheus", response_class=Response)
    async def metrics() -> Response:
        """Requests by outcome, queue, batches, time, verdicts."""
        return Response(serving.counts.page(), media_type=CONTENT_TYPE)

    return router


def pages() -> APIRouter:
    """The pages and their files; no part of the API."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def try_it() -> FileResponse:
        return _file("index.html")

    @router.get("/docs")
    async def docs() -> FileResponse:
        return _file("docs.html")

    @router.get("/page/{name}")
    async def part(name: str, request: Request) -> FileResponse:
        if name not in FILES:
            raise Refusal(404, "not_found", f"{request.url.path}: no such file")
        return _file(name)

    return router


def _file(name: str) -> FileResponse:
    return FileResponse(FILES[name], media_type=f"{TYPES[FILES[name].suffix]}; charset=utf-8")
