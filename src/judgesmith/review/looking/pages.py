"""The pages to look at a run: a list that filters and searches, and one item's story."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse

from judgesmith.review.looking.index import connect
from judgesmith.review.looking.opened import Curtain, Opened
from judgesmith.review.looking.queries import PAGE, Filter, Place, closed, counts, page, place_of
from judgesmith.review.looking.shelf import Shelf
from judgesmith.review.looking.stories import WITHHELD, tell, visible
from judgesmith.runs.layout import RunDir

FACETS = {
    "split": "SELECT DISTINCT split FROM items", "bucket": "SELECT DISTINCT bucket FROM items",
    "category": "SELECT DISTINCT category FROM items", "kind": "SELECT DISTINCT kind FROM items",
    "model": "SELECT DISTINCT model FROM models", "label": "SELECT DISTINCT verdict FROM labels",
    "judge": "SELECT DISTINCT judge FROM opinions",
    "verdict": "SELECT DISTINCT verdict FROM opinions",
    "status": "SELECT DISTINCT status FROM opinions",
    "against": "SELECT DISTINCT against FROM opinions",
}  # fmt: skip

Show = Callable[..., HTMLResponse]
"""`show(template, request, **values)` gives a page of the app."""


def look_pages(run_dir: RunDir, show: Show, curtain: Curtain | None = None) -> APIRouter:
    """The routes; see `Curtain` for what they withhold."""
    router = APIRouter()
    opened = Opened(run_dir, curtain)
    with closing(connect(run_dir)) as db:
        choices = {name: _values(db, told) for name, told in FACETS.items()}

    @router.get("/look")
    def look(request: Request) -> HTMLResponse:
        found, after = Filter.of(request.query_params), Place.of(request.query_params.get("after"))
        with opened.seen_by(request) as (db, answered):
            hidden = answered is not None
            counted = counts(db, found, withheld=hidden, kept=opened.kept, who=answered)
            rows = page(db, found, after, withheld=hidden, dense=counted.dense)
            unseen = closed(db, [row["n"] for row in rows]) if hidden else set()
        state = {name: value for name, value in vars(found).items() if value}
        more = {**state, "after": _place(rows[PAGE - 1])} if len(rows) > PAGE else None
        return show(
            "look.html", request, found=found, rows=rows[:PAGE], counted=counted,
            narrowed=bool(state.keys() - {"q"}), closed=unseen, withheld=WITHHELD,
            choices=choices, state=urlencode(state),
            more=None if more is None else urlencode(more),
            first=urlencode(state) if after.n else None,
        )  # fmt: skip

    @router.get("/look/{item}")
    def one(item: str, request: Request) -> HTMLResponse:
        found = Filter.of(request.query_params)
        with opened.seen_by(request) as (db, answered), closing(Shelf(run_dir, db)) as shelf:
            hidden = answered is not None
            row = db.execute("SELECT * FROM items WHERE id = ?", (item,)).fetchone()
            story = tell(shelf, item)
            if row is None or story is None:
                raise HTTPException(404, f"This run has no item {item!r}.")
            allowed = not (hidden and closed(db, [row["n"]]))
            mates = db.execute(
                "SELECT id, split FROM items WHERE question = ? AND id <> ? LIMIT 50",
                (row["question"], item),
            ).fetchall()
            opinions = _opinions(db, row["n"]) if allowed else []
            counted = counts(db, found, withheld=hidden, kept=opened.kept, who=answered)
            after = place_of(db, found, row["n"])
            following = page(db, found, after, withheld=hidden, dense=counted.dense)[:1]
        state = urlencode({name: value for name, value in vars(found).items() if value})
        return show(
            "look_item.html", request, story=visible(story, allowed), withheld=WITHHELD,
            mates=mates, opinions=opinions, state=state,
            following=following[0]["id"] if following else None,
        )  # fmt: skip

    return router


def _values(db: sqlite3.Connection, told: str) -> list[str]:
    return [str(row[0]) for row in db.execute(f"{told} ORDER BY 1 LIMIT 60") if row[0] is not None]


def _opinions(db: sqlite3.Connection, n: int) -> list[sqlite3.Row]:
    """What each judge says of an item in one verdict, the measured ones first."""
    return db.execute(
        "SELECT * FROM opinions WHERE n = ? ORDER BY against IS NULL, judge", (n,)
    ).fetchall()


def _place(row: sqlite3.Row) -> str:
    return str(Place(float(row["key"]), row["n"]))
