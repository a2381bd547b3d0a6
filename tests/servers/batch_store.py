"""Files and batches of both vendors: kept in memory, moved on by being looked at."""

import itertools
import time
from collections.abc import Iterable
from typing import Any

from asked import Asked, Malformed, read_call
from batch_shapes import Batch, Line, written
from desk import Desk, Refused
from faults_plan import BATCHES, LINES, SPOILT, Plan
from vendor_errors import ANTHROPIC, OPENAI, error

OPEN = ("validating", "in_progress")
CROWDED = "token_limit_exceeded"
MOST_LINES = {OPENAI: 50_000, ANTHROPIC: 100_000}


class InvalidLines(Exception):
    """Input that fails the validation of a batch."""

    def __init__(self, code: str, message: str, line: int | None) -> None:
        super().__init__(message)
        self.problem = {"code": code, "message": message, "line": line, "param": None}


class BatchStore:
    """All files and batches. What a batch costs is billed when it is accepted."""

    def __init__(self, desk: Desk, polls: int = 1, enqueued: int | None = None) -> None:
        self.desk = desk
        self.polls = polls
        self.enqueued = enqueued
        self.files: dict[str, dict[str, Any]] = {}
        self.contents: dict[str, bytes] = {}
        self.batches: dict[str, Batch] = {}
        self.numbers = itertools.count(1)

    def keep_file(self, name: str, purpose: str, content: bytes) -> dict[str, Any]:
        """Take a file in."""
        file_id = f"file-{next(self.numbers):06d}"
        self.contents[file_id] = content
        self.files[file_id] = {
            "id": file_id,
            "object": "file",
            "bytes": len(content),
            "created_at": int(time.time()),
            "filename": name,
            "purpose": purpose,
            "status": "processed",
        }
        return self.files[file_id]

    def create(self, vendor: str, rows: list[Any], plan: Plan, **more: Any) -> Batch:
        """Accept a batch, or let it fail validation (OpenAI: status failed; Anthropic: 400)."""
        number = next(self.numbers)
        name = f"batch_{number:06d}" if vendor == OPENAI else f"msgbatch_{number:06d}"
        place = "batches_create" if vendor == OPENAI else "message_batches_create"
        batch = Batch(name, vendor, [], self.polls, int(time.time()), **more)
        try:
            calls = self.validated(vendor, rows)
            key = "|".join(asked.key for _, asked in calls)
            hit = plan.of(place, key, lambda: "\n".join(a.text() for _, a in calls), BATCHES)
            fault = hit.fault if hit else ""
            if fault == "batch_invalid":
                raise InvalidLines("invalid_request", "The batch failed validation.", 1)
        except InvalidLines as problem:
            if vendor == ANTHROPIC and problem.problem["code"] == CROWDED:
                raise Refused(vendor, "queue_full") from problem
            if vendor == ANTHROPIC:
                raise Malformed(problem.problem["message"]) from problem
            batch.status, batch.problems = "failed", [problem.problem]
            self.desk.tally.batches["failed"] += 1
            self.batches[batch.id] = batch
            return batch
        if hit is not None and fault == "batch_polls":
            batch.polls = hit.rule.polls
        batch.shuffled = fault == "lines_reordered"
        batch.no_file = "" if fault == "empty_file_ids" else None
        self.note(fault)
        batch.lines = [self.run(custom_id, asked, plan, place) for custom_id, asked in calls]
        self.desk.tally.batches["created"] += 1
        self.batches[batch.id] = batch
        return batch

    def note(self, fault: str) -> None:
        """Count a fault."""
        if fault:
            self.desk.tally.faults[fault] += 1

    def validated(self, vendor: str, rows: list[Any]) -> list[tuple[str, Asked]]:
        """The calls of a batch, if the whole of it is in order."""
        if not 0 < len(rows) <= MOST_LINES[vendor]:
            raise InvalidLines("empty_file", f"Batch of {len(rows)} requests is not allowed.", None)
        calls: dict[str, Asked] = {}
        for number, row in enumerate(rows, 1):
            custom_id, body = parts_of(vendor, row, number)
            if custom_id in calls:
                said = f"The custom_id '{custom_id}' is not unique."
                raise InvalidLines("duplicate_custom_id", said, number)
            try:
                calls[custom_id] = read_call(vendor, body)
            except Malformed as problem:
                raise InvalidLines("invalid_request", str(problem), number) from problem
        self.check_room(vendor, calls.values())
        return list(calls.items())

    def check_room(self, vendor: str, calls: Iterable[Asked]) -> None:
        """Refuse what exceeds the tokens that may be enqueued at a time."""
        if self.enqueued is None:
            return
        open_lines = [
            line.asked.tokens
            for batch in self.batches.values()
            if batch.vendor == vendor and batch.status in OPEN
            for line in batch.lines
            if line.asked is not None
        ]
        if sum(open_lines) + sum(asked.tokens for asked in calls) > self.enqueued:
            said = (
                f"Enqueued token limit reached in organization org-test. Limit: {self.enqueued:,} "
                "enqueued tokens. Please try again once some in_progress batches have been "
                "completed."
            )
            raise InvalidLines(CROWDED, said, None)

    def run(self, custom_id: str, asked: Asked, plan: Plan, place: str) -> Line:
        """Answer one request of a batch, with the fault that the plan has for it."""
        hit = plan.of(place, asked.key, asked.text, LINES | SPOILT)
        fault = hit.fault if hit else ""
        self.note(fault)
        if fault == "line_expired":
            return Line(custom_id, asked, "expired", {})
        if fault == "line_errored":
            status, body = error(asked.vendor, "error_500")
            return Line(custom_id, asked, "errored", {"status": status, "body": body})
        try:
            self.desk.check(asked)
        except Refused as no:
            return Line(custom_id, asked, "errored", {"status": no.status, "body": no.body})
        body, bill = self.desk.answer(asked, fault if fault in SPOILT else "")
        self.desk.tally.bill_line(custom_id, asked.key, bill)
        return Line(custom_id, asked, "succeeded", body, bill, fault)

    def look(self, batch: Batch) -> Batch:
        """A look at a batch, which moves it on."""
        if batch.status in OPEN:
            batch.looks += 1
            batch.status = "in_progress"
            if batch.looks >= batch.polls:
                self.end(batch, "expired" if batch.count("expired") else "completed")
        elif batch.status == "cancelling":
            self.end(batch, "cancelled")
        return batch

    def cancel(self, batch: Batch) -> Batch:
        """Stop a batch half way: the second half of its requests never runs."""
        if batch.status in OPEN:
            batch.status = "cancelling"
            self.desk.tally.batches["cancelled"] += 1
            for line in batch.lines[len(batch.lines) // 2 :]:
                if line.bill is not None and line.asked is not None:
                    tally = self.desk.tally
                    tally.bill_line(line.custom_id, line.asked.key, line.bill, sign=-1)
                line.state, line.bill = "canceled", None
        return batch

    def end(self, batch: Batch, status: str) -> None:
        """Close a batch and write its result files (OpenAI)."""
        batch.status, batch.ended = status, int(time.time())
        if batch.vendor == ANTHROPIC:
            return
        good = [line for line in batch.lines if line.state == "succeeded"]
        bad = [line for line in batch.lines if line.state != "succeeded"]
        for field_name, lines in (("output_file_id", good), ("error_file_id", bad)):
            if lines:
                content = written(batch, lines)
                kept = self.keep_file(f"{batch.id}_{field_name}.jsonl", "batch_output", content)
                batch.files[field_name] = kept["id"]


def parts_of(vendor: str, row: Any, number: int) -> tuple[str, Any]:
    """The custom id and the body of one row."""
    wanted = ("custom_id", "params") if vendor == ANTHROPIC else ("custom_id", "method", "body")
    if not isinstance(row, dict) or any(name not in row for name in wanted):
        said = f"Line {number} is not a valid request: expected {', '.join(wanted)}."
        raise InvalidLines("invalid_json_line", said, number)
    if vendor == OPENAI and (row["method"], row.get("url")) != ("POST", "/v1/chat/completions"):
        raise InvalidLines("invalid_url", f"Line {number}: the url is not the batch's.", number)
    return str(row["custom_id"]), row["params" if vendor == ANTHROPIC else "body"]
