"""Everything but the calls themselves: models, files and batches of both vendors."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from asked import Malformed
from batch_shapes import Batch, anthropic_batch, openai_batch, written
from batch_store import BatchStore
from desk import Desk, Refused
from faults_plan import Plan
from vendor_errors import ANTHROPIC, OPENAI

ID = r"/(?P<id>[^/]+)"
ROUTES = [
    (method, re.compile(path + "/?"), place)
    for method, path, place in (
        ("GET", "/v1/models", "models"),
        ("GET", "/v1/models" + ID, "models"),
        ("POST", "/v1/files", "files_create"),
        ("GET", "/v1/files", "files_list"),
        ("GET", "/v1/files" + ID, "files_get"),
        ("GET", "/v1/files" + ID + "/content", "files_content"),
        ("DELETE", "/v1/files" + ID, "files_delete"),
        ("POST", "/v1/batches", "batches_create"),
        ("GET", "/v1/batches", "batches_list"),
        ("GET", "/v1/batches" + ID, "batches_get"),
        ("POST", "/v1/batches" + ID + "/cancel", "batches_cancel"),
        ("POST", "/v1/messages/batches", "message_batches_create"),
        ("GET", "/v1/messages/batches", "message_batches_list"),
        ("GET", "/v1/messages/batches" + ID, "message_batches_get"),
        ("GET", "/v1/messages/batches" + ID + "/results", "message_batches_results"),
        ("POST", "/v1/messages/batches" + ID + "/cancel", "message_batches_cancel"),
    )
]


def route(method: str, path: str) -> tuple[str, str] | None:
    """The endpoint of a path, and the id in it."""
    for known, pattern, place in ROUTES:
        found = pattern.fullmatch(path) if known == method else None
        if found:
            return place, found.groupdict().get("id", "")
    return None


@dataclass
class Ask:
    """One request to an endpoint: the id in its path, its query, its JSON body or its form."""

    vendor: str
    id: str
    query: Mapping[str, str]
    origin: str
    plan: Plan
    raw: bytes = b""
    form: dict[str, Any] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        """The body as an object."""
        try:
            body = orjson.loads(self.raw)
        except orjson.JSONDecodeError as problem:
            raise Malformed("We could not parse the JSON body of your request.") from problem
        if not isinstance(body, dict):
            raise Malformed("Expected a JSON object.")
        return body


class Endpoints:
    """One method per endpoint; each returns a JSON body, or bytes that are sent as they are."""

    def __init__(self, desk: Desk, store: BatchStore) -> None:
        self.desk = desk
        self.store = store

    def serve(self, place: str, ask: Ask) -> Any:
        """Answer a request."""
        return getattr(self, place)(ask)

    def models(self, ask: Ask) -> Any:
        """The models, or one."""
        if ask.id:
            return self.desk.model(ask.vendor, ask.id)
        return self.desk.model_list(ask.vendor)

    def files_create(self, ask: Ask) -> Any:
        """Take a file in."""
        given = ask.form.get("file")
        if given is None or "purpose" not in ask.form:
            raise Malformed("expected a form with `file` and `purpose`")
        return self.store.keep_file(given[0], ask.form["purpose"], given[1])

    def files_list(self, ask: Ask) -> Any:
        """The files, newest first."""
        files = list(self.store.files.values())[::-1]
        return page(files, ask.query.get("after"), ask.query.get("limit", "10000"))

    def files_get(self, ask: Ask) -> Any:
        """One file."""
        if ask.id not in self.store.files:
            raise Refused(OPENAI, "no_thing", what="File object", id=ask.id)
        return self.store.files[ask.id]

    def files_content(self, ask: Ask) -> Any:
        """What a file holds."""
        return self.store.contents[self.files_get(ask)["id"]]

    def files_delete(self, ask: Ask) -> Any:
        """Forget a file."""
        del self.store.files[self.files_get(ask)["id"]], self.store.contents[ask.id]
        return {"id": ask.id, "object": "file", "deleted": True}

    def batches_create(self, ask: Ask) -> Any:
        """A batch from a file."""
        body = ask.json()
        if body.get("endpoint") != "/v1/chat/completions" or body.get("completion_window") != "24h":
            raise Malformed("expected the endpoint /v1/chat/completions and the window 24h")
        name = str(body.get("input_file_id"))
        if self.store.files.get(name, {}).get("purpose") != "batch":
            raise Refused(OPENAI, "no_thing", what="File object with purpose batch", id=name)
        rows = [row_of(line) for line in self.store.contents[name].splitlines() if line.strip()]
        more = {"input_file": name, "metadata": body.get("metadata")}
        return openai_batch(self.store.create(OPENAI, rows, ask.plan, **more))

    def batches_list(self, ask: Ask) -> Any:
        """The batches, newest first."""
        bodies = [openai_batch(batch) for batch in self.newest(OPENAI)]
        return page(bodies, ask.query.get("after"), ask.query.get("limit", "20"))

    def batches_get(self, ask: Ask) -> Any:
        """One batch, which moves on."""
        return openai_batch(self.store.look(self.batch(OPENAI, ask.id)))

    def batches_cancel(self, ask: Ask) -> Any:
        """Stop a batch."""
        return openai_batch(self.store.cancel(self.batch(OPENAI, ask.id)))

    def message_batches_create(self, ask: Ask) -> Any:
        """A batch of messages."""
        rows = ask.json().get("requests")
        if not isinstance(rows, list):
            raise Malformed("requests: Field required")
        return anthropic_batch(self.store.create(ANTHROPIC, rows, ask.plan), ask.origin)

    def message_batches_list(self, ask: Ask) -> Any:
        """The batches, newest first."""
        bodies = [anthropic_batch(batch, ask.origin) for batch in self.newest(ANTHROPIC)]
        listed = page(bodies, ask.query.get("after_id"), ask.query.get("limit", "20"))
        del listed["object"]
        return listed

    def message_batches_get(self, ask: Ask) -> Any:
        """One batch, which moves on."""
        return anthropic_batch(self.store.look(self.batch(ANTHROPIC, ask.id)), ask.origin)

    def message_batches_results(self, ask: Ask) -> Any:
        """The results of a batch that has ended."""
        batch = self.batch(ANTHROPIC, ask.id)
        if batch.ended is None:
            raise Malformed(f"Batch {ask.id} has no results yet.")
        return written(batch, batch.lines)

    def message_batches_cancel(self, ask: Ask) -> Any:
        """Stop a batch."""
        return anthropic_batch(self.store.cancel(self.batch(ANTHROPIC, ask.id)), ask.origin)

    def newest(self, vendor: str) -> list[Batch]:
        """A vendor's batches, newest first."""
        return [b for b in reversed(self.store.batches.values()) if b.vendor == vendor]

    def batch(self, vendor: str, name: str) -> Batch:
        """One batch of a vendor."""
        found = self.store.batches.get(name)
        if found is None or found.vendor != vendor:
            raise Refused(vendor, "no_thing", what="Batch", id=name)
        return found


def row_of(line: bytes) -> Any:
    """A line of an input file; None where it is no JSON."""
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return None


def page(bodies: list[dict[str, Any]], after: str | None, limit: str) -> dict[str, Any]:
    """One page of a list."""
    if after:
        names = [body["id"] for body in bodies]
        if after not in names:
            raise Malformed(f"no such cursor: {after}")
        bodies = bodies[names.index(after) + 1 :]
    shown = bodies[: int(limit)]
    return {
        "object": "list",
        "data": shown,
        "first_id": shown[0]["id"] if shown else None,
        "last_id": shown[-1]["id"] if shown else None,
        "has_more": len(shown) < len(bodies),
    }
