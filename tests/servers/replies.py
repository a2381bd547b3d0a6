"""What the server answers: a reply that follows from the prompt and the seed, and its shapes."""

import math
import re
from dataclasses import dataclass, field
from json import JSONDecodeError, JSONDecoder
from pathlib import Path
from typing import Any

import orjson
from asked import Asked, prompt_key, tokens_of
from vendor_errors import ANTHROPIC

TEMPLATE = "<rationale>Reply {number}.</rationale><verdict>{verdict}</verdict>"
PLACES = re.compile(r"\{(number|verdict|key|quote)\}")
PLAIN = re.compile(r"\w+|\s+|[^\w\s]")
STRADDLING = re.compile(r">\w+|\w+|\s+|[^\w\s]")
FILLERS = (("\n", 0.02), (" ", 0.01), ("The", 0.005), ("I", 0.002), ("**", 0.001))
CHOSEN, OTHERS = 0.72, 0.24
"""The probability of the verdict that the reply gives, and of all the other verdicts together."""
MOST_PREFIXES = 10_000


@dataclass(slots=True)
class Reply:
    """One reply before it takes a vendor's shape."""

    text: str
    finish: str = "stop"
    tokens: int = 0
    chances: dict[str, float] | None = None
    spoilt: str = ""


@dataclass(slots=True)
class Author:
    """Writes replies. `marker` lets the last user message decide the reply, if it carries it.

    `tape` holds replies by prompt, whatever its seed: one for each time it is asked, and the last
    from then on. `{quote}` in the template is what stands between two `marks` in the last message.
    """

    seed: int = 0
    template: str = TEMPLATE
    verdicts: tuple[str, ...] = ("A", "B", "TIE")
    marker: str | None = None
    straddle: bool = False
    tape: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    marks: tuple[str, ...] = ()

    def reply(self, asked: Asked) -> Reply:
        """The reply to a call, cut where the call allows no more tokens."""
        reply = self.dictated(asked) if self.marker else self.taped(asked)
        if reply is None:
            drawn = int(asked.key, 16) ^ (self.seed * 0x9E3779B97F4A7C15 % 2**64)
            reply = Reply(self.written(asked, drawn))
        reply.tokens = tokens_of(reply.text)
        most = asked.most
        if most is not None and reply.tokens > most:
            reply.text = reply.text.encode()[: most * 4].decode(errors="ignore")
            reply.tokens, reply.finish = most, "length"
        return reply

    def written(self, asked: Asked, drawn: int) -> str:
        """The text that a number stands for."""
        schema = asked.schema
        if schema is not None:
            return orjson.dumps(instance(schema, schema, drawn)).decode()
        shown = {
            "number": f"{drawn % 10_000:04d}",
            "verdict": self.verdicts[(drawn >> 32) % len(self.verdicts)],
            "key": asked.key,
            "quote": self.quoted(asked.texts[-1][1]),
        }
        return PLACES.sub(lambda place: shown[place[1]], self.template)

    def quoted(self, text: str) -> str:
        """What stands between the marks in a text; without marks the whole of it."""
        if not self.marks:
            return text
        first, last = self.marks
        start, end = text.find(first), text.rfind(last)
        return text[start + len(first) : end] if min(start, end) >= 0 else ""

    def taped(self, asked: Asked) -> Reply | None:
        """The next reply on the tape for this prompt."""
        replies = self.tape.get(prompt_key(asked.model, asked.texts))
        if not replies:
            return None
        found = replies[0] if len(replies) == 1 else replies.pop(0)
        return Reply(found["text"], found["finish"])

    def dictated(self, asked: Asked) -> Reply | None:
        """The reply that the last user message asks for after the marker."""
        said = [text for role, text in asked.texts if role == "user"]
        _, found, rest = (said or [""])[-1].rpartition(self.marker or "")
        if not found:
            return None
        try:
            given, end = JSONDecoder().raw_decode(rest.lstrip())
        except JSONDecodeError:
            return None
        if not isinstance(given, dict) or "text" not in given:
            return Reply(rest.lstrip()[:end])
        return Reply(given["text"], given.get("finish", "stop"), chances=given.get("chances"))

    def logprobs(self, reply: Reply, top: int) -> list[dict[str, Any]]:
        """The tokens of a reply in OpenAI's shape; the last one that is a verdict has rivals."""
        tokens = (STRADDLING if self.straddle else PLAIN).findall(reply.text)
        known = {*self.verdicts, *(reply.chances or ())}
        places = [n for n, token in enumerate(tokens) if token.lstrip(">") in known]
        return [
            shaped(token, self.rivals(token, reply, n == max(places, default=-1)), top)
            for n, token in enumerate(tokens)
        ]

    def rivals(self, token: str, reply: Reply, is_verdict: bool) -> dict[str, float]:
        """The probabilities of a token and of what might have stood in its place."""
        if not is_verdict:
            return {**dict(FILLERS), token: 0.98 - sum(p for t, p in FILLERS if t != token)}
        before, verdict = token[: token.startswith(">")], token.lstrip(">")
        chances = reply.chances
        if chances is None:
            others = [other for other in self.verdicts if other != verdict]
            chances = {verdict: CHOSEN, **dict.fromkeys(others, OTHERS / max(1, len(others)))}
        return {**dict(FILLERS), **{before + name: chance for name, chance in chances.items()}}


def read_tape(path: Path) -> dict[str, list[dict[str, str]]]:
    """Replies by prompt, in the order of the lines."""
    tape: dict[str, list[dict[str, str]]] = {}
    for line in path.read_bytes().splitlines():
        row = orjson.loads(line)
        texts = [(role, text) for role, text in row["texts"]]
        tape.setdefault(prompt_key(row["model"], texts), []).append(row)
    return tape


def shaped(token: str, rivals: dict[str, float], top: int) -> dict[str, Any]:
    """One entry of `logprobs.content`."""
    ranked = sorted(rivals.items(), key=lambda pair: -pair[1])[:top]
    return {**entry(token, rivals.get(token, 1e-9)), "top_logprobs": [entry(*r) for r in ranked]}


def entry(token: str, chance: float) -> dict[str, Any]:
    """A token, its log-probability and its bytes."""
    logprob = math.log(chance) if chance > 0 else -9999.0
    return {"token": token, "logprob": logprob, "bytes": list(token.encode())}


def instance(schema: dict[str, Any], root: dict[str, Any], drawn: int) -> Any:
    """A value that a JSON schema allows; choices are drawn by the number."""
    if "$ref" in schema:
        found = root
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return instance(found, root, drawn)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][(drawn >> 32) % len(schema["enum"])]
    if "anyOf" in schema:
        return instance(schema["anyOf"][0], root, drawn)
    kind = schema.get("type")
    if kind == "object":
        wanted = schema.get("properties", {})
        return {name: instance(inner, root, drawn) for name, inner in wanted.items()}
    if kind == "array":
        count = max(1, schema.get("minItems", 1))
        return [instance(schema.get("items", {}), root, drawn + n) for n in range(count)]
    if kind in ("integer", "number"):
        least = schema.get("minimum", 1)
        return least + drawn % (int(schema.get("maximum", least + 4) - least) + 1)
    if kind in ("boolean", "null"):
        return drawn % 2 == 0 if kind == "boolean" else None
    return f"Reply {drawn % 10_000:04d}."


class Prefixes:
    """The prompt cache of a vendor: which beginnings of prompts it has seen."""

    def __init__(self, least: int = 16) -> None:
        self.least = least
        self.seen: set[Any] = set()

    def look(self, asked: Asked) -> tuple[int, int]:
        """The tokens of a prompt that are read from the cache, and those written to it."""
        if asked.vendor == ANTHROPIC:
            prefix: Any
            prefix, tokens = asked.marked()
        elif len(asked.texts) > 1:
            prefix = (asked.model, asked.texts[0][1])
            tokens = tokens_of(prefix[1])
        else:
            return 0, 0
        if tokens < self.least:
            return 0, 0
        if prefix in self.seen:
            return tokens, 0
        if len(self.seen) < MOST_PREFIXES:
            self.seen.add(prefix)
        return 0, (tokens if asked.vendor == ANTHROPIC else 0)


Bill = tuple[int, int, int, int]
"""Tokens of the prompt (all), of the reply, read from the cache, written to the cache."""


def openai_body(asked: Asked, reply: Reply, bill: Bill, logprobs: Any) -> dict[str, Any]:
    """A chat completion."""
    spoilt, refused = reply.spoilt, reply.finish == "refused"
    content = None if refused or spoilt == "null_content" else reply.text
    choice = {
        "index": 0,
        "message": {
            "role": "assistant",
            "content": content,
            "refusal": reply.text if refused else None,
        },
        "logprobs": None if logprobs is None else {"content": logprobs, "refusal": None},
        "finish_reason": "stop" if refused else reply.finish,
    }
    body: dict[str, Any] = {
        "id": f"chatcmpl-{asked.key}",
        "object": "chat.completion",
        "created": 1_760_000_000,
        "model": "another-model" if spoilt == "wrong_model" else asked.model,
        "choices": [] if spoilt == "empty_choices" else [choice],
    }
    if spoilt != "no_usage":
        body["usage"] = {
            "prompt_tokens": bill[0],
            "completion_tokens": bill[1],
            "total_tokens": bill[0] + bill[1],
            "prompt_tokens_details": {"cached_tokens": bill[2]},
        }
    return body


FINISHES = {"stop": "end_turn", "length": "max_tokens", "refused": "refusal"}


def anthropic_body(asked: Asked, reply: Reply, bill: Bill, _: Any = None) -> dict[str, Any]:
    """A message."""
    empty = reply.spoilt in ("empty_choices", "null_content") or reply.finish == "refused"
    body: dict[str, Any] = {
        "id": f"msg_{asked.key}",
        "type": "message",
        "role": "assistant",
        "model": "another-model" if reply.spoilt == "wrong_model" else asked.model,
        "content": [] if empty else [{"type": "text", "text": reply.text}],
        "stop_reason": FINISHES.get(reply.finish, "refusal"),
        "stop_sequence": None,
    }
    if reply.spoilt != "no_usage":
        body["usage"] = {
            "input_tokens": bill[0] - bill[2] - bill[3],
            "cache_creation_input_tokens": bill[3],
            "cache_read_input_tokens": bill[2],
            "output_tokens": bill[1],
        }
    return body


def spoil(reply: Reply, fault: str) -> None:
    """Turn a whole reply into an odd one."""
    reply.spoilt = fault
    if fault == "refusal":
        reply.text, reply.finish = "I'm sorry, I can't help with that.", "refused"
    elif fault == "content_filter":
        reply.text, reply.finish = "", "content_filter"
    elif fault == "truncated":
        reply.text, reply.finish = reply.text[: len(reply.text) // 2], "length"
    else:
        return
    reply.tokens = tokens_of(reply.text)
