"""OpenAI's batches: a file of requests goes up, a batch is made of it, files of results come back.

A batch carries our own name for it in its metadata, so the list shows which one is whose.
"""

from collections.abc import Mapping
from typing import Any

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
from judgesmith.models.http.wires import Unreadable, field, shortened
from judgesmith.runs.endpoint import Endpoint

CALLED = "/v1/chat/completions"
OURS = "judgesmith"
"""The field of a batch's metadata that holds our name for it."""
OVER = ("completed", "failed", "expired", "cancelled")
CROWDED = "token_limit_exceeded"
SAID = 3
"""Errors of a refused batch that are quoted."""


class OpenAIBatches:
    """Files and batches."""

    most = 50_000
    keeps_names = True

    async def prepare(self, sender: BatchSender, draft: Draft) -> str | None:
        """Upload the requests."""
        rows = b"".join(
            orjson.dumps(
                {"custom_id": name, "method": "POST", "url": CALLED, "body": orjson.Fragment(body)}
            )
            + b"\n"
            for name, body in draft.bodies
        )
        fields = {"purpose": "batch", "filename": f"{OURS}-{draft.intent}.jsonl"}
        return await sender.upload("/files", _file, fields=fields, content=rows)

    async def create(self, sender: BatchSender, draft: Draft, file: str | None) -> Seen:
        """Make a batch of the uploaded file."""
        fields = {
            "input_file_id": file,
            "endpoint": CALLED,
            "completion_window": "24h",
            "metadata": {OURS: draft.intent},
        }
        return await sender.create("/batches", _seen, body=orjson.dumps(fields))

    async def look(self, sender: BatchSender, server_id: str) -> Seen:
        """One batch as it stands."""
        return await sender.get(f"/batches/{server_id}", _seen)

    async def listed(self, sender: BatchSender, since: float) -> list[Seen]:
        """The batches of the account's project."""
        return await all_pages(sender, Paging("/batches", "after", _seen), since)

    def line(self, row: Mapping[str, Any], endpoint: Endpoint) -> LineRead:
        """A line of the output file or of the error file.

        >>> row = {"custom_id": "b-1", "response": None, "error": {"code": "batch_expired"}}
        >>> here = Endpoint(protocol="openai", url="http://localhost:1/v1", model="m")
        >>> OpenAIBatches().line(row, here).found.what
        'the batch ran out of time before this request'
        """
        return LineRead(custom_id_of(row), _found(row, endpoint))


def _found(row: Mapping[str, Any], endpoint: Endpoint) -> Mapping[str, Any] | Fault:
    error, response = row.get("error"), row.get("response")
    if isinstance(error, dict):
        code = error.get("code")
        if code == "batch_expired":
            return EXPIRED
        if code == "batch_cancelled":
            return CANCELLED
        return of_status(500, {}, orjson.dumps({"error": error}), endpoint)
    if not isinstance(response, dict) or not isinstance(response.get("body"), dict):
        return of_unreadable(f"a line of the results is {shortened(repr(dict(row)))}")
    status, body = response.get("status_code"), response["body"]
    if status == 200:
        return dict(body)
    code = status if isinstance(status, int) else 500
    return of_status(code, {}, orjson.dumps(body), endpoint)


def _file(found: Mapping[str, Any]) -> str:
    return str(field(found, "id", str))


def _seen(found: Mapping[str, Any]) -> Seen:
    status, created = found.get("status"), found.get("created_at")
    metadata, counts = found.get("metadata"), found.get("request_counts")
    if not isinstance(created, int | float):
        raise Unreadable(f"expected a batch, found {shortened(repr(dict(found)))}")
    files = [found.get(f"{kind}_file_id") for kind in ("output", "error", "input")]
    paths = [f"/files/{file}" if file else None for file in files]  # some servers write ""
    failed, crowded = _failure(found) if status == "failed" else (None, False)
    return Seen(
        id=field(found, "id", str),
        over=status in OVER,
        created=float(created),
        requests=counts.get("total", 0) if isinstance(counts, dict) else 0,
        intent=metadata.get(OURS) if isinstance(metadata, dict) else None,
        failed=failed,
        crowded=crowded,
        results=tuple(f"{path}/content" for path in paths[:2] if path is not None),
        files=tuple(path for path in paths if path is not None),
    )


def _failure(found: Mapping[str, Any]) -> tuple[str, bool]:
    """The vendor's words for a refused batch, and whether the queue was too full for it."""
    errors = found.get("errors")
    data = errors.get("data") if isinstance(errors, dict) else None
    problems = [one for one in data or () if isinstance(one, dict)]
    words = [
        f"{one.get('message')} ({one.get('code')})"
        + (f", line {one['line']}" if one.get("line") is not None else "")
        for one in problems[:SAID]
    ]
    more = f"; and {len(problems) - SAID} more" if len(problems) > SAID else ""
    crowded = any(one.get("code") == CROWDED for one in problems)
    return ("; ".join(words) or "no reason was given") + more, crowded
