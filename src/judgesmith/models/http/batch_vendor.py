"""What a vendor's batch interface must offer, and the parts that both vendors share."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from judgesmith.models.http.batch_sender import BatchSender
from judgesmith.models.http.faults import Action, Fault
from judgesmith.models.http.wires import Unreadable, field, shortened
from judgesmith.runs.endpoint import Endpoint

PAGE = 100
"""Batches asked for per page of a list: the most that both vendors give."""

EXPIRED = Fault(Action.RETRY, "the batch ran out of time before this request")
CANCELLED = Fault(Action.RETRY, "the batch was cancelled before this request")
MISSING = Fault(
    Action.RETRY, "the results of the batch have no line for this request", maybe_paid=True
)


class Draft(NamedTuple):
    """A batch before it is created: our name for it, and the bodies by custom id."""

    intent: str
    bodies: Sequence[tuple[str, bytes]]


class Seen(NamedTuple):
    """A batch as the server shows it.

    `created` is in seconds since the epoch. `intent` is our own name for it where the vendor keeps
    one. `failed` are the vendor's words where the batch was refused as a whole, `crowded` where
    that was for the tokens that others have in the queue. `results` are paths or addresses of its
    result files, once it is over, and `files` the paths of all files to delete in the end.
    """

    id: str
    over: bool
    created: float
    requests: int
    intent: str | None = None
    failed: str | None = None
    crowded: bool = False
    results: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


class LineRead(NamedTuple):
    """A line of the results: the body of an answer, or why there is none."""

    custom_id: str
    found: Mapping[str, Any] | Fault


class BatchVendor(Protocol):
    """One vendor's batch interface."""

    most: int
    """Requests that the vendor takes in one batch."""
    keeps_names: bool
    """Whether the list of batches shows our own names for them."""

    async def prepare(self, sender: BatchSender, draft: Draft) -> str | None:
        """What comes before the creation and costs nothing; the id of an uploaded file."""
        ...

    async def create(self, sender: BatchSender, draft: Draft, file: str | None) -> Seen:
        """Create the batch, in one attempt."""
        ...

    async def look(self, sender: BatchSender, server_id: str) -> Seen:
        """One batch as it stands."""
        ...

    async def listed(self, sender: BatchSender, since: float) -> list[Seen]:
        """All batches created at `since` or later, over all pages, newest first."""
        ...

    def line(self, row: Mapping[str, Any], endpoint: Endpoint) -> LineRead:
        """Read a line of the results. Raises Unreadable where it has no custom id."""
        ...


def load_vendor(protocol: str) -> BatchVendor:
    """The batch interface that belongs to a protocol.

    >>> load_vendor("openai").keeps_names, load_vendor("anthropic").keeps_names
    (True, False)
    """
    from judgesmith.models.http.anthropic_batches import AnthropicBatches
    from judgesmith.models.http.openai_batches import OpenAIBatches

    vendors: dict[str, BatchVendor] = {"openai": OpenAIBatches(), "anthropic": AnthropicBatches()}
    return vendors[protocol]


class Paging(NamedTuple):
    """How a vendor's list of batches is read."""

    path: str
    cursor: str
    read: Callable[[Mapping[str, Any]], Seen]


async def all_pages(sender: BatchSender, paging: Paging, since: float) -> list[Seen]:
    """Read a list, newest first, until it ends or reaches what is older than `since`."""

    def read(page: Mapping[str, Any]) -> tuple[list[Seen], bool]:
        return [paging.read(row) for row in field(page, "data", list)], bool(page.get("has_more"))

    found: list[Seen] = []
    query = {"limit": str(PAGE)}
    while True:
        some, has_more = await sender.get(paging.path, read, query=query)
        found += some
        if not some or not has_more or some[-1].created < since:
            return [seen for seen in found if seen.created >= since]
        query = {"limit": str(PAGE), paging.cursor: some[-1].id}


def custom_id_of(row: Mapping[str, Any]) -> str:
    """The custom id of a line; raises Unreadable where it has none."""
    found = row.get("custom_id")
    if not isinstance(found, str):
        raise Unreadable(f"expected a line with a `custom_id`, found {shortened(repr(dict(row)))}")
    return found
