"""The app: routes, refusals, and the door in front of them."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer

from judgesmith import __version__
from judgesmith.serving import refusals
from judgesmith.serving.batching import Room
from judgesmith.serving.chat import chats
from judgesmith.serving.context import Serving
from judgesmith.serving.counting import Counts
from judgesmith.serving.desk import Desk, Opened, State
from judgesmith.serving.door import Door, Rules
from judgesmith.serving.judgment_log import JudgmentLog
from judgesmith.serving.judgments import judgments
from judgesmith.serving.keys import Keys
from judgesmith.serving.pages import health, pages
from judgesmith.serving.replies import name_of
from judgesmith.web.listening import LOOPBACK


class Settings(NamedTuple):
    """How a judge is served.

    Attributes:
        room: of the queue.
        body_bytes: the largest body that is read.
        body_s: how long a body may take to come.
        keys: of clients; None lets in anybody.
        hosts: the names under which clients may call the server; None is any.
        log: where judgments are kept; None is nowhere.
    """

    room: Room = Room(waiting=256, batch=32, window_s=0.005)
    body_bytes: int = 1 << 20
    body_s: float = 30.0
    keys: Keys | None = None
    hosts: tuple[str, ...] | None = LOOPBACK
    log: JudgmentLog | None = None


def create_app(
    open_judge: Callable[[], Opened], settings: Settings, changed: Callable[[], None] = lambda: None
) -> FastAPI:
    """An app that serves one judge; `app.state.desk` is where its state can be seen.

    `open_judge` is called in the thread that will use the judge, once the app starts. `changed` is
    called from there when the judge is ready, or could not be opened.
    """
    counts: list[Counts] = []

    def watch(desk: Desk) -> Counts:
        counts.append(Counts(lambda: desk.batcher.waiting, lambda: desk.state is State.READY))
        return counts[0]

    def opened() -> None:
        if desk.state is State.READY:
            counts[0].judge({k: v or "" for k, v in name_of(desk.judge).model_dump().items()})
        changed()

    desk = Desk(open_judge, settings.room, watch, opened)
    serving = Serving(desk, counts[0], settings.log)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        desk.start()
        yield
        desk.drain()

    app = FastAPI(
        title="judgesmith", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None,
        description="A judge over HTTP. Every error has the shape of `ErrorReply`.",
    )  # fmt: skip
    app.state.desk = desk
    refusals.install(app)
    bearer = [] if settings.keys is None else [Depends(HTTPBearer(auto_error=False))]
    app.include_router(judgments(serving), dependencies=bearer)
    app.include_router(chats(serving), dependencies=bearer)
    app.include_router(health(serving))
    app.include_router(pages())
    app.add_middleware(
        Door, counts=counts[0],
        rules=Rules(settings.keys, settings.hosts, settings.body_bytes, settings.body_s),
    )  # fmt: skip
    return app
