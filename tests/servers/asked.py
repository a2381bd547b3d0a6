"""Reading a request: what was asked, of which model, and how many tokens it is."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson
from vendor_errors import ANTHROPIC

ANTHROPIC_FIELDS = frozenset(
    {
        "model", "messages", "max_tokens", "system", "temperature", "top_p", "top_k", "stream",
        "stop_sequences", "metadata", "service_tier", "thinking", "tool_choice", "tools",
        "output_config", "output_format", "cache_control", "container", "inference_geo",
    }
)  # fmt: skip


class Malformed(Exception):
    """A request that a vendor's server refuses; the text is its message."""


def tokens_of(text: str) -> int:
    """A token for each four bytes, rounded up."""
    return -(-(len(text) if text.isascii() else len(text.encode())) // 4)


def blocks_of(content: object, where: str) -> list[dict[str, Any]]:
    """The text blocks of a content."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if not isinstance(content, list):
        raise Malformed(f"{where}: Input should be a valid string or list")
    for block in content:
        if block.get("type") != "text" or not isinstance(block.get("text"), str):
            raise Malformed(f"{where}: only text blocks are served here")
    return content


@dataclass(slots=True)
class Asked:
    """One call. `key` names the prompt: model, texts with their roles, and the sampling seed."""

    vendor: str
    body: dict[str, Any]
    model: str
    texts: list[tuple[str, str]]
    key: str
    tokens: int

    def text(self) -> str:
        """All texts, for the rules of a plan."""
        return "\n".join(text for _, text in self.texts)

    @property
    def most(self) -> int | None:
        """The largest reply that was asked for, in tokens."""
        most = self.body.get("max_completion_tokens")
        return self.body.get("max_tokens") if most is None else most

    @property
    def schema(self) -> dict[str, Any] | None:
        """The JSON schema that the reply is held to."""
        if self.vendor == ANTHROPIC:
            form = (self.body.get("output_config") or {}).get("format")
            form = form or self.body.get("output_format") or {}
            return form.get("schema")
        form = self.body.get("response_format") or {}
        return (form.get("json_schema") or {}).get("schema")

    def marked(self) -> tuple[bytes, int]:
        """What lies before the last cache mark, and its tokens (Anthropic); 0 where no mark is."""
        blocks = blocks_of(self.body.get("system") or [], "system")
        for message in self.body["messages"]:
            blocks = blocks + blocks_of(message["content"], "messages")
        marks = [place for place, block in enumerate(blocks, 1) if block.get("cache_control")]
        end = len(blocks) if self.body.get("cache_control") else max(marks, default=0)
        texts = [block["text"] for block in blocks[:end]]
        return orjson.dumps([self.model, texts]), sum(map(tokens_of, texts))


def prompt_key(model: str, texts: list[tuple[str, str]], seed: object = None) -> str:
    """The name of a prompt in the counts."""
    return blake2b(orjson.dumps([model, texts, seed]), digest_size=8).hexdigest()


def read_call(vendor: str, body: object) -> Asked:
    """What a body asks for."""
    if not isinstance(body, dict):
        raise Malformed("We could not parse the JSON body of your request.")
    model, messages = body.get("model"), body.get("messages")
    if not isinstance(model, str):
        raise Malformed("model: Field required")
    if not isinstance(messages, list) or not messages:
        raise Malformed("messages: Field required, with at least one message")
    if body.get("stream"):
        raise Malformed("stream: not served here")
    if vendor == ANTHROPIC:
        check_anthropic(body, messages)
    else:
        check_openai(body)
    texts: list[tuple[str, str]] = []
    tokens = 0
    if vendor == ANTHROPIC and body.get("system"):
        tokens += add_text(texts, "system", body["system"])
    for message in messages:
        tokens += add_text(texts, message.get("role"), message.get("content"))
    return Asked(vendor, body, model, texts, prompt_key(model, texts, body.get("seed")), tokens)


def add_text(texts: list[tuple[str, str]], role: str, content: object) -> int:
    """Add one message's text, and return its tokens."""
    if isinstance(content, str):
        texts.append((role, content))
        return tokens_of(content)
    parts = [block["text"] for block in blocks_of(content, "messages.content")]
    texts.append((role, "".join(parts)))
    return sum(map(tokens_of, parts))


def check_anthropic(body: dict[str, Any], messages: list[Any]) -> None:
    """What Anthropic refuses and OpenAI lets pass."""
    if not isinstance(body.get("max_tokens"), int) or body["max_tokens"] < 1:
        raise Malformed("max_tokens: Field required")
    unknown = body.keys() - ANTHROPIC_FIELDS
    if unknown:
        raise Malformed(f"{min(unknown)}: Extra inputs are not permitted")
    if any(message.get("role") not in ("user", "assistant") for message in messages):
        raise Malformed(
            'messages: Unexpected role "system". The Messages API accepts a top-level `system` '
            'parameter, not "system" as an input message role.'
        )


def check_openai(body: dict[str, Any]) -> None:
    """What OpenAI refuses."""
    if body.get("n", 1) != 1:
        raise Malformed("n: only one choice is served here")
    top = body.get("top_logprobs")
    if top is not None and not body.get("logprobs"):
        raise Malformed("'top_logprobs' is only allowed when 'logprobs' is enabled.")
    if top is not None and not 0 <= top <= 20:
        raise Malformed(f"Invalid value for 'top_logprobs': must be at most 20, got {top}.")
