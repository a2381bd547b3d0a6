"""A server that only shows a run: no labelling, nobody to sign in."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from judgesmith.errors import JudgesmithError
from judgesmith.review.door import Door, Rules
from judgesmith.review.looking.pages import look_pages
from judgesmith.review.pages import page, static
from judgesmith.runs.layout import RunDir
from judgesmith.web.listening import LOOPBACK, Address, address_of, listen, url_of


def create_look_app(run_dir: RunDir, hosts: tuple[str, ...] | None = LOOPBACK) -> FastAPI:
    """An app of the look pages alone."""
    app = FastAPI(title="judgesmith look", docs_url=None, redoc_url=None, openapi_url=None)
    about = SimpleNamespace(name=run_dir.header.name)

    def show(template: str, request: Request, *, status: int = 200, **values: Any) -> HTMLResponse:
        return page(
            template, status=status, about=about, me=None, pages=(), here="/look", csrf=None,
            **values,
        )  # fmt: skip

    app.include_router(look_pages(run_dir, show))

    @app.get("/")
    def start() -> Response:
        return RedirectResponse("/look", 303)

    @app.get("/static/{name}")
    def part(name: str) -> Response:
        found = static(name)
        if found is None:
            raise HTTPException(404, f"no file {name!r} here")
        return found

    @app.exception_handler(HTTPException)
    def refused(request: Request, error: HTTPException) -> Response:
        heading = "There is no such page"
        return show(
            "problem.html", request, status=error.status_code, heading=heading, told=error.detail
        )

    @app.exception_handler(JudgesmithError)
    def mistaken(request: Request, error: JudgesmithError) -> Response:
        heading = "This cannot be shown"
        return show("problem.html", request, status=422, heading=heading, told=str(error))

    app.add_middleware(Door, rules=Rules(hosts, "judgesmith_look"))
    return app


def serve_look(run_dir: RunDir, address: Address, tell: Callable[[str], None]) -> None:
    """Show a run until a signal; only on loopback, as there are no personal links here.

    Raises RecipeError for an address that cannot be had.
    """
    app = create_look_app(run_dir)
    held = listen(address)
    tell(f"{url_of(address_of(held))}/look")
    uvicorn.Server(
        uvicorn.Config(app, log_config=None, access_log=False, server_header=False, lifespan="off")
    ).run(sockets=[held])
