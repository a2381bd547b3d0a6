"""Who asks, and what a person of that role may see and do."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from judgesmith.records import content_id
from judgesmith.review.door import csrf_of
from judgesmith.review.pages import LOOK, PAGES, page
from judgesmith.review.review import Review
from judgesmith.review.types import Annotator
from judgesmith.runs.layout import RunDir


class Refused(Exception):
    """A request that is not answered: the status, and what to do in words."""

    def __init__(self, status: int, told: str, to: str | None = None) -> None:
        super().__init__(told)
        self.status, self.told, self.to = status, told, to


class Settings(NamedTuple):
    """How a review is served.

    Attributes:
        local: whether only this machine can reach it; whoever comes first may then name themselves.
        hosts: names under which it may be called; None is any.
    """

    local: bool = True
    hosts: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Room:
    """A review and how it is served: what every route needs; `run_dir` is the run it is of."""

    review: Review
    settings: Settings
    run_dir: RunDir | None = None

    @property
    def name(self) -> str:
        """Of this review among others that one browser may have open."""
        about = self.review.about
        return content_id(about.name, about.dialect_hash, str(self.review.folder.resolve()))

    @property
    def cookie(self) -> str:
        """Reviews on other ports of one host have cookies of other names."""
        return f"judgesmith_review_{self.name}"

    def me(self, request: Request) -> Annotator:
        """Who asks; raises Refused where nobody is known."""
        token = request.scope["token"]
        found = None if token is None else self.review.who(token)
        if found is None:
            raise Refused(401, "Open your personal link.", "/hello")
        return found

    def allowed(self, role: str) -> Callable[[Request], Annotator]:
        """Who asks, when they have a role; raises Refused otherwise."""

        def check(request: Request) -> Annotator:
            found = self.me(request)
            if role not in found.roles:
                raise Refused(403, f"This page is for those with the role {role!r}; you have "
                                   f"{', '.join(sorted(found.roles))}.")  # fmt: skip
            return found

        return check

    def page(
        self, template: str, request: Request, me: Annotator | None, *, status: int = 200,
        **values: Any,
    ) -> HTMLResponse:  # fmt: skip
        """A page as this person sees it."""
        links = [
            link for role, found in PAGES.items() if me and role in me.roles for link in found
            if link != LOOK or self.run_dir is not None
        ]  # fmt: skip
        return page(
            template, status=status, about=self.review.about, me=me, pages=links,
            here="/" + request.url.path.split("/")[1], csrf=csrf_of(request.scope["token"]),
            **values,
        )  # fmt: skip

    def signed_in(self, reply: Response, token: str, request: Request) -> Response:
        """The reply, with the cookie of a personal token."""
        reply.set_cookie(
            self.cookie, token, max_age=90 * 86400, httponly=True, samesite="lax",
            secure=request.url.scheme == "https",
        )  # fmt: skip
        return reply
