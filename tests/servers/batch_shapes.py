"""Batches and their lines, and the shapes that the two vendors give them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from asked import Asked
from faults_plan import draw
from replies import Bill
from vendor_errors import ANTHROPIC


@dataclass(slots=True)
class Line:
    """One request of a batch and what came of it: succeeded, errored, expired or canceled."""

    custom_id: str
    asked: Asked | None
    state: str
    body: dict[str, Any]
    bill: Bill | None = None
    fault: str = ""


@dataclass(slots=True)
class Batch:
    """One batch. It ends at look number `polls`."""

    id: str
    vendor: str
    lines: list[Line]
    polls: int
    created: int
    input_file: str = ""
    metadata: dict[str, str] | None = None
    status: str = "validating"
    problems: list[dict[str, Any]] = field(default_factory=list)
    shuffled: bool = False
    no_file: str | None = None
    looks: int = 0
    ended: int | None = None
    files: dict[str, str] = field(default_factory=dict)

    def count(self, state: str) -> int:
        """How many lines are in a state."""
        return sum(line.state == state for line in self.lines)


def written(batch: Batch, lines: list[Line]) -> bytes:
    """Lines of results as JSONL, with the faults that strike there."""
    rows: list[bytes] = []
    for line in lines:
        shaped = anthropic_line(line) if batch.vendor == ANTHROPIC else openai_line(line)
        copies = {"lines_missing": 0, "lines_duplicated": 2}.get(line.fault, 1)
        rows += [orjson.dumps(shaped)] * copies
    if batch.shuffled:
        rows.sort(key=lambda row: draw(batch.id, row))
    return b"".join(row + b"\n" for row in rows)


def openai_line(line: Line) -> dict[str, Any]:
    """A line of an output file or an error file."""
    response: dict[str, Any] | None = None
    problem: dict[str, Any] | None = None
    if line.state == "succeeded":
        response = {"status_code": 200, "request_id": "req_test", "body": line.body}
    elif line.state == "errored":
        response = {"status_code": line.body["status"], "request_id": "req_test"}
        response["body"] = line.body["body"]
    elif line.state == "expired":
        said = "This request could not be executed before the completion window expired."
        problem = {"code": "batch_expired", "message": said}
    else:
        problem = {"code": "batch_cancelled", "message": "This request was cancelled."}
    named = {"id": f"batch_req_{line.custom_id}", "custom_id": line.custom_id}
    return {**named, "response": response, "error": problem}


def anthropic_line(line: Line) -> dict[str, Any]:
    """A line of the results of a message batch."""
    result: dict[str, Any] = {"type": line.state}
    if line.state == "succeeded":
        result["message"] = line.body
    elif line.state == "errored":
        result["error"] = line.body["body"]
    return {"custom_id": line.custom_id, "result": result}


def openai_batch(batch: Batch) -> dict[str, Any]:
    """A batch in OpenAI's shape."""
    body: dict[str, Any] = {
        "id": batch.id,
        "object": "batch",
        "endpoint": "/v1/chat/completions",
        "errors": {"object": "list", "data": batch.problems} if batch.problems else None,
        "input_file_id": batch.input_file,
        "completion_window": "24h",
        "status": batch.status,
        "output_file_id": batch.files.get("output_file_id", batch.no_file),
        "error_file_id": batch.files.get("error_file_id", batch.no_file),
        "created_at": batch.created,
        "expires_at": batch.created + 86_400,
        "request_counts": {"total": len(batch.lines), "completed": 0, "failed": 0},
        "metadata": batch.metadata,
    }
    if batch.ended is not None:
        done = batch.count("succeeded")
        counts = {"completed": done, "failed": len(batch.lines) - done}
        body["request_counts"].update(counts)
        body[f"{batch.status}_at"] = batch.ended
    return body


def stamp(moment: int) -> str:
    """A moment in RFC 3339."""
    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")


def anthropic_batch(batch: Batch, origin: str) -> dict[str, Any]:
    """A batch in Anthropic's shape."""
    over = batch.ended is not None
    states = ("succeeded", "errored", "canceled", "expired")
    counts = {state: batch.count(state) if over else 0 for state in states}
    counts["processing"] = 0 if over else len(batch.lines)
    status = "canceling" if batch.status == "cancelling" else "in_progress"
    return {
        "id": batch.id,
        "type": "message_batch",
        "processing_status": "ended" if over else status,
        "request_counts": counts,
        "created_at": stamp(batch.created),
        "expires_at": stamp(batch.created + 86_400),
        "ended_at": stamp(batch.ended) if batch.ended is not None else None,
        "cancel_initiated_at": None,
        "archived_at": None,
        "results_url": f"{origin}/v1/messages/batches/{batch.id}/results" if over else None,
    }
