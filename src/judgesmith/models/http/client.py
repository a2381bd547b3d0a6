"""A model behind HTTP: many calls in flight, each booked before it goes out, none lost after.

A call's life: the cache is asked; the gate gives a turn; the ledger books what the call may cost;
the request goes out; the reply is kept and the call settled in one step; the completion is handed
over, in the order of the requests. A kill between two steps loses nothing that was answered, and
what was in flight is booked as possibly paid.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from judgesmith.models.http.cache import ReplyCache, request_key
from judgesmith.models.http.estimates import Estimate, estimate, estimate_line
from judgesmith.models.http.ledger import Ledger
from judgesmith.models.protocol import Completion, Request
from judgesmith.runs.endpoint import Endpoint

if TYPE_CHECKING:
    from judgesmith.models.http.worker import Worker

AHEAD = 4
"""How many windows of calls may be begun beyond the completion that the caller took last."""
LOT = 4096
"""Requests worth giving at once to single calls."""
BATCHES = 8
"""Batches that are worth filling at once."""


@dataclass(frozen=True)
class Books:
    """Where replies are kept and calls are booked; `stage` is the one that asks.

    `foreseen` keeps what requests were expected to cost: of a stage, to a model, for a purpose.
    """

    cache: ReplyCache
    ledger: Ledger
    stage: str
    foreseen: Callable[[str, str, str, Estimate], None] = lambda *_: None


class HttpModel:
    """Answers by calls to an endpoint.

    Raises ModelError where going on is useless: a wrong key, an unknown model, a spent budget, an
    endpoint that stopped answering. What was answered by then is in the cache, so the same command
    goes on where it stopped. A single call that fails for good is a completion with
    `finish` "failed" and its reason.

    `lot` is how many requests are worth giving at once: between two lots calls run dry. A reply
    follows from its own prompt alone: it is `independent` of the others.
    """

    independent = True

    def __init__(self, name: str, endpoint: Endpoint, *, key: str | None, books: Books) -> None:
        self.name, self.endpoint, self.books = name, endpoint, books
        self._key = key
        batch = endpoint.batch
        self.lot = LOT if batch is None else max(LOT, BATCHES * batch.max_requests)

    def complete(self, requests: Iterable[Request]) -> Iterator[Completion]:
        """Answer in order. Requests are taken as they can be sent: they may be a generator.

        Where the endpoint has `batch` they are taken to their end, and asked through the vendor's
        batches, at `price.batch` times the price.
        """
        worker = self._worker(requests)
        try:
            yield from worker.results()
        finally:
            worker.stop()

    def foresee(self, some: Sequence[Request], count: int, purpose: str) -> str | None:
        """What `count` requests like `some` will cost, in words; None where nothing is to be paid.

        Replies in the cache cost nothing: their share of all is taken to be that of `some`.
        """
        if not self.endpoint.is_paid:
            return None
        keys = [request_key(self.endpoint, request) for request in some]
        known = self.books.cache.get(keys)
        new = [request for request, key in zip(some, keys, strict=True) if key not in known]
        left = round(count * len(new) / len(some))
        if not left:
            return None
        found = estimate(self.endpoint, new, left)
        self.books.foreseen(self.books.stage, self.name, purpose, found)
        return estimate_line(purpose, self.name, found, self.books.ledger.totals())

    def _worker(self, requests: Iterable[Request]) -> "Worker":
        from judgesmith.models.http.batches import Batches
        from judgesmith.models.http.calls import Calls
        from judgesmith.models.http.worker import LOOK_UP, Worker

        about = (self.name, self.endpoint, self._key, self.books)
        if self.endpoint.batch is not None:
            return Worker(Batches(*about), requests, ahead=None)
        ahead = AHEAD * self.endpoint.in_flight + LOOK_UP
        return Worker(Calls(*about), requests, ahead=ahead)
