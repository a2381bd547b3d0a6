"""Anthropic's Messages."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from judgesmith.models.http.wires import (
    Reply,
    Unreadable,
    Usage,
    check_model,
    checked,
    counted,
    field,
    opened,
    refused_options,
    shortened,
    with_options,
    written,
)
from judgesmith.models.protocol import Completion, Form, Request
from judgesmith.records import Finish, Message
from judgesmith.runs.endpoint import Endpoint, Price

VERSION = "2023-06-01"
"""The version of the protocol that is spoken here."""

FINISHES = {
    "end_turn": Finish.STOP,
    "stop_sequence": Finish.STOP,
    "tool_use": Finish.STOP,
    "max_tokens": Finish.LENGTH,
    "model_context_window_exceeded": Finish.LENGTH,
    "pause_turn": Finish.LENGTH,
    "refusal": Finish.REFUSED,
}
"""How a reply ended. The context was full: cut, as at the token limit. A paused turn is not over,
so it counts as cut as well. A call of a tool, of which none is offered, ends a reply by itself.
Any other word is unreadable."""


class AnthropicWire:
    """The wire of Messages. It gives no probabilities: where they are wanted they are None."""

    path = "/messages"

    def headers(self, key: str | None) -> dict[str, str]:
        """The version, and the key where there is one."""
        return {"anthropic-version": VERSION} | ({} if key is None else {"x-api-key": key})

    def refuses(self, endpoint: Endpoint, request: Request) -> str | None:
        """A grammar, a late system message, and options that break the client's bookkeeping."""
        where = f"model {endpoint.model!r} at {endpoint.url}"
        if request.form is not None and request.form.grammar is not None:
            return (
                f"{where}: expected a form that the Anthropic protocol can hold a reply to (a "
                "JSON schema), found a grammar. Use a JSON schema, or an endpoint that reads "
                "grammars, such as llama.cpp's server."
            )
        turns = [m.role for m in request.messages]
        if "system" in turns[_opening(request.messages) :]:
            return (
                f"{where}: expected system messages to come first, found one after a turn "
                f"({', '.join(turns)}). Move it to the front."
            )
        if "cache_control" in endpoint.options and not _is_write_priced(endpoint):
            return (
                f"{where}: expected the price of what `cache_control` in `options` writes to the "
                "cache, found none. Write `cache_write` in its `price`."
            )
        return refused_options(endpoint)

    def fields(self, endpoint: Endpoint, request: Request) -> dict[str, Any]:
        """The body as JSON fields.

        System messages are blocks of their own field. The last one closes what is the same in
        every call, and is marked for the vendor's prompt cache.
        Turns of one role in a row are joined by an empty line. A schema goes into
        `output_config.format`; of that field alone `options` replace parts and not the whole.
        """
        cut = _opening(request.messages)
        fields: dict[str, Any] = {
            "model": endpoint.model,
            "max_tokens": request.sampling.max_tokens,
            "temperature": request.sampling.temperature,
            "messages": _turns(request.messages[cut:]),
        }
        system = _system(request.messages[:cut])
        if system:
            fields["system"] = system
        config, changed = _config(request.form), endpoint.options.get("output_config")
        if config:
            fields["output_config"] = config
        options = dict(endpoint.options)
        if isinstance(changed, dict):
            options["output_config"] = {**config, **changed}
        return with_options(fields, options)

    def body(self, endpoint: Endpoint, request: Request) -> bytes:
        """The body; raises ModelError for what the protocol cannot say."""
        return written(self, endpoint, request)

    def read(
        self, content: bytes, request: Request, *, asked: str, also: Sequence[str] = ()
    ) -> Reply:
        """Read a body with status 200. Raises Unreadable.

        Anthropic counts the prompt in three parts; a completion has their sum and two of them.

        >>> from judgesmith.models.protocol import Request, Sampling
        >>> asked = Request(record_id="r", messages=(), sampling=Sampling())
        >>> body = (b'{"model": "m", "content": [{"type": "text", "text": "B"}], "stop_reason": '
        ...         b'"end_turn", "usage": {"input_tokens": 9, "cache_read_input_tokens": 100, '
        ...         b'"cache_creation_input_tokens": 20, "output_tokens": 1}}')
        >>> done = AnthropicWire().read(body, asked, asked="m").completion
        >>> done.text, done.prompt_tokens, done.cached_tokens, done.cache_write_tokens
        ('B', 129, 100, 20)
        """
        return self.read_fields(opened(content), request, asked=asked, also=also)

    def read_fields(
        self, found: Mapping[str, Any], request: Request, *, asked: str, also: Sequence[str] = ()
    ) -> Reply:
        """The same for a body that is parsed already."""
        said = check_model(checked(found).get("model"), asked, also)
        reason = found.get("stop_reason")
        if not isinstance(reason, str) or reason not in FINISHES:
            raise Unreadable(f"expected a known `stop_reason`, found {shortened(repr(reason))}")
        usage = _usage(found.get("usage"))
        completion = Completion(
            text=_text(field(found, "content", list)),
            finish=FINISHES[reason],
            prompt_tokens=usage.prompt,
            completion_tokens=usage.completion,
            cached_tokens=usage.cached,
            cache_write_tokens=usage.written,
        )
        return Reply(completion, usage.known, said)


def _opening(messages: Iterable[Message]) -> int:
    """How many system messages come before the first turn."""
    count = 0
    for message in messages:
        if message.role != "system":
            break
        count += 1
    return count


def _is_write_priced(endpoint: Endpoint) -> bool:
    return not isinstance(endpoint.price, Price) or endpoint.price.cache_write is not None


def _system(messages: Iterable[Message]) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = [
        {"type": "text", "text": m.content} for m in messages if m.content.strip()
    ]  # the vendor refuses empty blocks
    if blocks:
        blocks[-1]["cache_control"] = {"type": "ephemeral"}
    return blocks


def _turns(messages: Iterable[Message]) -> list[dict[str, str]]:
    return [
        {"role": role, "content": "\n\n".join(message.content for message in turn)}
        for role, turn in groupby(messages, key=lambda message: message.role)
    ]


def _config(form: Form | None) -> dict[str, Any]:
    if form is None or form.json_schema is None:
        return {}
    return {"format": {"type": "json_schema", "schema": form.json_schema}}


def _text(blocks: list[Any]) -> str:
    """The text blocks in one; thoughts are no part of it."""
    texts = []
    for block in blocks:
        if not isinstance(block, dict):
            raise Unreadable(f"expected blocks in `content`, found {shortened(repr(block))}")
        if block.get("type") == "text":
            texts.append(field(block, "text", str))
    return "".join(texts)


def _usage(found: object) -> Usage:
    """Token counts; unknown where one is missing or no count."""
    if not isinstance(found, dict):
        return Usage()
    fresh, completion = found.get("input_tokens"), found.get("output_tokens")
    counts = [counted(fresh), counted(completion)]
    counts += [counted(found.get(f"cache_{how}_input_tokens")) for how in ("read", "creation")]
    if fresh is None or completion is None or None in counts:
        return Usage()
    n_fresh, n_completion, cached, cache_write = (n or 0 for n in counts)
    return Usage(n_fresh + cached + cache_write, n_completion, cached, cache_write, True)
