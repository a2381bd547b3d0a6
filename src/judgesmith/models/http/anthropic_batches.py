"""Anthropic's message batches: the requests go up in one body, the results come back as lines.

A batch carries no name of ours: only the custom ids in its results say whose it is.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import orjson

from judgesmith.models.http.batch_sender import BatchSender
from judgesmith.models.http.batch_vendor import (
    CANCELLED,
    EXPIRED,
    Draft,
    LineRead,
    Paging,
    Seen,
    all_pages,
    custom_id_of,
)
from judgesmith.models.http.faults import Fault, of_status, of_unreadable
from judgesmith.models.http.wires import Unreadable, counted, field, shortened
from judgesmith.runs.endpoint import Endpoint

PATH = "/messages/batches"
COUNTS = ("processing", "succeeded", "errored", "canceled", "expired")
STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""The status that a single call would get for an error of this type."""


class AnthropicBatches:
    """Message batches."""

    most = 100_000
    keeps_names = False

    async def prepare(self, sender: BatchSender, draft: Draft) -> str | None:
        """Nothing comes before the creation."""
        return None

    async def create(self, sender: BatchSender, draft: Draft, file: str | None) -> Seen:
        """Create the batch with all its requests."""
        rows = [{"custom_id": name, "params": orjson.Fragment(body)} for name, body in draft.bodies]
        return await sender.create(PATH, _seen, body=orjson.dumps({"requests": rows}))

    async def look(self, sender: BatchSender, server_id: str) -> Seen:
        """One batch as it stands."""
        return await sender.get(f"{PATH}/{server_id}", _seen)

    async def listed(self, sender: BatchSender, since: float) -> list[Seen]:
        """The batches of the workspace that the key belongs to."""
        return await all_pages(sender, Paging(PATH, "after_id", _seen), since)

    def line(self, row: Mapping[str, Any], endpoint: Endpoint) -> LineRead:
        """A line of the results.

        >>> row = {"custom_id": "b-1", "result": {"type": "expired"}}
        >>> here = Endpoint(protocol="anthropic", url="http://localhost:1/v1", model="m")
        >>> AnthropicBatches().line(row, here).found.what
        'the batch ran out of time before this request'
        """
        return LineRead(custom_id_of(row), _found(row, endpoint))


def _found(row: Mapping[str, Any], endpoint: Endpoint) -> Mapping[str, Any] | Fault:
    result = row.get("result")
    kind = result.get("type") if isinstance(result, dict) else None
    if isinstance(result, dict):
        if kind == "succeeded" and isinstance(result.get("message"), dict):
            return dict(result["message"])
        if kind == "errored":
            return _error(result.get("error"), endpoint)
        if kind in ("expired", "canceled"):
            return EXPIRED if kind == "expired" else CANCELLED
    return of_unreadable(f"a line of the results is {shortened(repr(dict(row)))}")


def _error(found: object, endpoint: Endpoint) -> Fault:
    inner = found.get("error", found) if isinstance(found, dict) else found
    kind = inner.get("type") if isinstance(inner, dict) else None
    status = STATUSES.get(kind, 500) if isinstance(kind, str) else 500
    # No gateway stands between: a line with an error is never billed.
    fault = of_status(status, {}, orjson.dumps({"error": inner}), endpoint)
    return fault._replace(maybe_paid=False)


def _seen(found: Mapping[str, Any]) -> Seen:
    server_id, counts = field(found, "id", str), field(found, "request_counts", dict)
    over = found.get("processing_status") == "ended"
    return Seen(
        id=server_id,
        over=over,
        created=_moment(found.get("created_at")),
        requests=sum(counted(counts.get(name)) or 0 for name in COUNTS),
        results=(_results(found.get("results_url"), server_id),) if over else (),
    )


def _results(url: object, server_id: str) -> str:
    """The path of the results: the last part of their address, which belongs to the same API.

    The host of the address is not called: it would be sent the key, and `url` may name a proxy.
    """
    path = urlsplit(url).path if isinstance(url, str) else ""
    named = path[path.rfind(PATH + "/") :] if PATH + "/" in path else ""
    return named or f"{PATH}/{server_id}/results"


def _moment(written: object) -> float:
    try:
        return datetime.fromisoformat(str(written)).timestamp()
    except ValueError:
        raise Unreadable(f"expected a batch, found created_at {shortened(repr(written))}") from None
