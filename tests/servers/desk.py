"""Where calls are answered: who may ask, what is refused, what is billed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from asked import Asked
from replies import Author, Bill, Prefixes, Reply, anthropic_body, openai_body, spoil
from tallies import Tally
from vendor_errors import ANTHROPIC, error, masked


class Refused(Exception):
    """A call that is answered with an error."""

    def __init__(self, vendor: str, kind: str, **facts: object) -> None:
        super().__init__(kind)
        self.status, self.body = error(vendor, kind, **facts)


def key_of(headers: Mapping[str, str]) -> str:
    """The key that a request carries, in either vendor's header."""
    given = headers.get("x-api-key")
    return given if given is not None else headers.get("authorization", "").removeprefix("Bearer ")


@dataclass
class Desk:
    """Answers single calls and lines of batches alike."""

    author: Author
    tally: Tally
    keys: frozenset[str] = frozenset()
    models: tuple[str, ...] = ()
    context: int | None = None
    prefixes: Prefixes = field(default_factory=Prefixes)

    def check_key(self, vendor: str, headers: Mapping[str, str]) -> None:
        """Refuse a key that is not known."""
        key = key_of(headers)
        if self.keys and key not in self.keys:
            raise Refused(vendor, "wrong_key", masked=masked(key), key=key)

    def check(self, asked: Asked) -> None:
        """Refuse an unknown model and a prompt that is too long."""
        if self.models and asked.model not in self.models:
            raise Refused(asked.vendor, "no_model", model=asked.model)
        if self.context is None:
            return
        more = asked.most or 0
        if asked.tokens + more > self.context:
            kind = "context" if asked.tokens > self.context else "context_with_reply"
            total = asked.tokens + more
            raise Refused(
                asked.vendor,
                kind,
                tokens=asked.tokens,
                more=more,
                total=total,
                limit=self.context,
            )

    def answer(self, asked: Asked, fault: str = "") -> tuple[dict[str, Any], Bill]:
        """The body of a whole answer, and what it costs."""
        reply = self.author.reply(asked)
        if fault:
            spoil(reply, fault)
        read, written = self.prefixes.look(asked)
        bill = (asked.tokens, reply.tokens, read, written)
        if asked.vendor == ANTHROPIC:
            return anthropic_body(asked, reply, bill), bill
        return openai_body(asked, reply, bill, self.logprobs(asked, reply)), bill

    def logprobs(self, asked: Asked, reply: Reply) -> list[dict[str, Any]] | None:
        """The log-probabilities, if they were asked for."""
        if not asked.body.get("logprobs"):
            return None
        return self.author.logprobs(reply, asked.body.get("top_logprobs") or 0)

    def model_list(self, vendor: str) -> dict[str, Any]:
        """The models that are served."""
        data = [self.model(vendor, name) for name in self.models or ("judge-large", "judge-small")]
        if vendor == ANTHROPIC:
            ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]}
            return {"data": data, "has_more": False, **ends}
        return {"object": "list", "data": data}

    def model(self, vendor: str, name: str) -> dict[str, Any]:
        """One model's description."""
        if self.models and name not in self.models:
            raise Refused(vendor, "no_model", model=name)
        if vendor == ANTHROPIC:
            made = "2026-01-01T00:00:00Z"
            return {"type": "model", "id": name, "display_name": name, "created_at": made}
        return {"id": name, "object": "model", "created": 1_760_000_000, "owned_by": "tests"}


def dumps(body: object) -> bytes:
    """JSON bytes."""
    return orjson.dumps(body)
