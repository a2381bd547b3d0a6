"""A server for a review: its socket, its signals, and an end that answers what was accepted."""

from collections.abc import Callable
from types import FrameType

import uvicorn

from judgesmith.review.access import Room, Settings
from judgesmith.review.app import create_app
from judgesmith.review.review import Review
from judgesmith.runs.layout import RunDir
from judgesmith.web.listening import LOOPBACK, Address, address_of, is_loopback, listen, url_of

_END_S = 20
"""How long a request that was accepted may take once the server is told to end."""


def serve(
    review: Review, address: Address, tell: Callable[[str], None], run_dir: RunDir | None = None
) -> None:
    """Serve a review until SIGTERM or SIGINT; what was accepted is answered before it ends.

    `run_dir` is the run that it is of, which its owners can look at.

    `tell` is given the address once the socket is open: it answers from then on.

    Raises RecipeError for an address that cannot be had.
    """
    held = listen(address)
    bound = address_of(held)
    local = is_loopback(address.host)
    hosts = tuple({*LOOPBACK, address.host.lower()}) if local else None
    app = create_app(Room(review, Settings(local=local, hosts=hosts), run_dir))
    server = _Server(uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, proxy_headers=False,
        timeout_graceful_shutdown=_END_S, lifespan="off",
    ))  # fmt: skip
    tell(url_of(bound))
    server.run(sockets=[held])


class _Server(uvicorn.Server):
    """A server whose process a signal does not end before what was accepted is answered."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End in order at the first signal, at once at the second."""
        self.force_exit = self.should_exit
        self.should_exit = True
