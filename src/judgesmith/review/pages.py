"""The pages: templates with everything escaped, and who sees which."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import FileResponse, HTMLResponse

from judgesmith.review.shown_text import as_html, plain

FOLDER = Path(__file__).with_name("static")
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
FILES = {path.name: path for path in sorted(FOLDER.iterdir()) if path.suffix in TYPES}

LOOK = ("/look", "Look")
PAGES = {
    "label": (("/label", "Label"),),
    "adjudicate": (("/adjudicate", "Adjudicate"),),
    "owner": (
        ("/agreement", "Agreement"), LOOK, ("/people", "People"),
        ("/export", "Export"),
    ),
}  # fmt: skip
"""What each role sees in the head of every page; LOOK in a review of a run only."""


def render(template: str, **values: object) -> str:
    """A template of this package, filled; every text in it is escaped, odd characters shown."""
    return environment().get_template(template).render(**values)


def page(template: str, *, status: int = 200, **values: object) -> HTMLResponse:
    """A page as a reply."""
    return HTMLResponse(render(template, **values), status)


def static(name: str) -> FileResponse | None:
    """A file that pages load; None where there is no such."""
    if name not in FILES:
        return None
    return FileResponse(
        FILES[name], media_type=f"{TYPES[FILES[name].suffix]}; charset=utf-8",
        headers={"Cache-Control": "no-cache"},
    )  # fmt: skip


@cache
def environment() -> Environment:
    """Where templates are read, here and for pages of other modules of this package."""
    found = Environment(
        loader=PackageLoader("judgesmith.review"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, finalize=_finish,
    )  # fmt: skip
    found.filters |= {"as_html": as_html, "plain": plain}
    return found


def _finish(value: object) -> object:
    return plain(value) if type(value) is str else value
