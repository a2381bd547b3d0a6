"""How a request is written and a reply is read, one wire per vendor's protocol: pure, no network.

A wire makes a body out of a request and a completion out of a body that came back with status 200.
It never guesses: a reply that is not of the promised form is `Unreadable`, and token counts that a
server did not give are said to be unknown, so that the call can be booked at its bound.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import orjson

from judgesmith.errors import DataError, ModelError
from judgesmith.models.protocol import Completion, Request
from judgesmith.runs.endpoint import Endpoint

SHOWN = 120
"""Characters shown of what a server sent."""
OURS = {
    "model": "the endpoint's `model`",
    "messages": "the dialect",
    "max_tokens": "the stage's `max_tokens`",
    "stream": "the client, which reads whole replies",
    "n": "the client, which asks for one reply per call",
}
"""Fields of a body that `options` may not set, and what sets them: the bound on a call's cost, the
key of the cache and the reader rest on each."""

_DATED = re.compile(r"[-@:_](?:latest|free|nitro|floor|(\d{4}-\d{2}-\d{2}|\d{3,8}))$")


class Unreadable(ModelError):
    """A reply with status 200 that is not of the promised form; it may well have been billed."""


class Reply(NamedTuple):
    """A reply as read.

    Where `usage_known` is false the server did not count the tokens (or its counts contradict each
    other): those of the completion are then all 0, which does not mean that the call was free.
    `model_said` is the model that the server says answered, None where it says nothing.
    """

    completion: Completion
    usage_known: bool
    model_said: str | None


class Usage(NamedTuple):
    """Tokens of a call: `prompt` are all of the prompt, `cached` and `written` parts of them."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    written: int = 0
    known: bool = False


class Wire(Protocol):
    """One vendor's protocol."""

    path: str
    """What follows an endpoint's `url`."""

    def headers(self, key: str | None) -> dict[str, str]:
        """The headers of every request; without a key none that names one."""
        ...

    def refuses(self, endpoint: Endpoint, request: Request) -> str | None:
        """Why such a request cannot be sent, and what to do; None where it can."""
        ...

    def fields(self, endpoint: Endpoint, request: Request) -> dict[str, Any]:
        """The body as JSON fields, which is also what a line of a batch holds."""
        ...

    def body(self, endpoint: Endpoint, request: Request) -> bytes:
        """The body; raises ModelError where the protocol refuses the request."""
        ...

    def read(self, content: bytes, request: Request, *, asked: str) -> Reply:
        """Read a body with status 200; `asked` is the model that was asked. Raises Unreadable."""
        ...

    def read_fields(self, found: Mapping[str, Any], request: Request, *, asked: str) -> Reply:
        """The same for a body that is parsed already, as in a line of a batch."""
        ...


def load_wire(protocol: str) -> Wire:
    """The wire of a protocol's name.

    >>> load_wire("openai").path, load_wire("anthropic").path
    ('/chat/completions', '/messages')
    """
    from judgesmith.models.http.anthropic_wire import AnthropicWire
    from judgesmith.models.http.openai_wire import OpenAIWire

    wires: dict[str, Wire] = {"openai": OpenAIWire(), "anthropic": AnthropicWire()}
    return wires[protocol]


@lru_cache(maxsize=256)
def same_model(asked: str, said: str) -> bool:
    """Whether a server that says `said` answered as the model `asked`.

    Names are equal where one is the end of the other's path; letter case and `.gguf` do not count.
    A dated snapshot is the model that it is a snapshot of, and never that of another date. Of the
    tags, `latest` and those that only choose a route (`free`, `nitro`, `floor`) do not count.

    >>> same_model("gpt-5.4", "gpt-5.4-2026-03-05"), same_model("gpt-5.4", "openai/gpt-5.4")
    (True, True)
    >>> same_model("student", "/models/student.gguf"), same_model("llama3.2", "llama3.2:latest")
    (True, True)
    >>> same_model("gpt-5.4", "gpt-5.4-mini"), same_model("a/judge", "b/judge")
    (False, False)
    >>> same_model("gpt-4o-2024-05-13", "gpt-4o-2024-08-06")
    False
    """
    (path, date), (path_said, date_said) = _parted(asked), _parted(said)
    shared = min(len(path), len(path_said))
    dates_agree = None in (date, date_said) or date == date_said
    return path[-shared:] == path_said[-shared:] and dates_agree


def _parted(name: str) -> tuple[list[str], str | None]:
    """The path of a name without its date or tag, and its date with the dashes left out."""
    name = name.strip().casefold().removesuffix(".gguf")
    tail = _DATED.search(name)
    date = tail[1].replace("-", "") if tail and tail[1] else None
    stem = name[: tail.start()] if tail else name
    return [part for part in re.split(r"[/\\]", stem) if part] or [""], date


def check_model(said: object, asked: str) -> str | None:
    """The model's name as the server said it; raises Unreadable where another one answered."""
    if said is None or said == "":
        return None
    if not isinstance(said, str):
        raise Unreadable(f"expected the name of a model, found {shortened(repr(said))}")
    if not same_model(asked, said):
        raise Unreadable(f"model {asked!r} was asked, and the server answered as {shortened(said)}")
    return said


def opened(content: bytes) -> Mapping[str, Any]:
    """A body as a JSON object. Raises Unreadable, also for an error sent with status 200."""
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise Unreadable(f"expected JSON, found {shortened(content)}") from None
    if not isinstance(found, dict):
        raise Unreadable(f"expected a JSON object, found {shortened(content)}")
    return checked(found)


def checked(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same object; raises Unreadable where it is an error that was sent with status 200."""
    if found.get("error") is not None or found.get("type") == "error":
        raise Unreadable(
            f"the server sent an error as its reply: {shortened(repr(found.get('error')))}"
        )
    return found


def field(found: Mapping[str, Any], name: str, kind: type) -> Any:
    """A field of the right type; raises Unreadable with what is there instead."""
    value = found.get(name)
    if not isinstance(value, kind):
        what = shortened(repr(value)) if name in found else "no such field"
        raise Unreadable(f"expected `{name}` to be a {kind.__name__}, found {what}")
    return value


def counted(value: object) -> int | None:
    """A number of tokens; 0 where there is none, None where it is no number of tokens."""
    if value is None:
        return 0
    return value if type(value) is int and value >= 0 else None


def shortened(found: str | bytes) -> str:
    r"""What a server sent, fit for one line of a message.

    At most 120 characters, no line breaks or control characters. A word that does not fit is left
    out whole, so that a key in it is there whole, to be redacted, or not at all.

    >>> shortened("not\n  JSON")
    'not JSON'
    >>> shortened(b"")
    'nothing'
    >>> shortened("see " + "x" * 200)
    'see ... (204 characters)'
    """
    text = found.decode(errors="replace") if isinstance(found, bytes) else found
    # Long texts are cut twice: splitting a megabyte to show a line of it would take a while.
    head = "".join(c if c.isprintable() else " " for c in text[: 8 * SHOWN])
    line = " ".join(head.split())
    if len(text) <= 8 * SHOWN and len(line) <= SHOWN:
        return line or "nothing"
    kept = line[: SHOWN + 1].rpartition(" ")[0]
    return f"{kept} ... ({len(text)} characters)".lstrip()


def refused_options(endpoint: Endpoint, fixed: Iterable[str]) -> str | None:
    """Why the endpoint's options cannot be sent: they set a field that is not theirs to set."""
    for name in fixed:
        if name in endpoint.options:
            return (
                f"option {name!r} of model {endpoint.model!r} at {endpoint.url}: expected no "
                f"{name!r} in `options`, found {shortened(repr(endpoint.options[name]))}; it comes "
                f"from {OURS[name]}. Remove it from `options`."
            )
    return None


def with_options(fields: dict[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a body with an endpoint's options over them; None removes a field.

    >>> with_options({"temperature": 0.0, "seed": 1}, {"temperature": None, "top_p": 0.9})
    {'seed': 1, 'top_p': 0.9}
    """
    return {k: v for k, v in {**fields, **options}.items() if v is not None}


def written(wire: Wire, endpoint: Endpoint, request: Request) -> bytes:
    """A body as bytes. Raises ModelError where the wire refuses it, DataError for a broken text."""
    why = wire.refuses(endpoint, request)
    if why is not None:
        raise ModelError(why)
    fields = wire.fields(endpoint, request)
    try:
        return orjson.dumps(fields)
    except TypeError as error:
        raise DataError(
            f"record {request.record_id}: expected a prompt of whole characters and options that "
            f"JSON can hold, found what cannot be sent ({error}). Mend the record, or `options`."
        ) from None
