"""How a request is written and a reply is read, one wire per vendor's protocol: pure, no network.

A wire makes a body out of a request and a completion out of a body that came back with status 200.
It never guesses: a reply that is not of the promised form is `Unreadable`, and token counts that a
server did not give are said to be unknown, so that the call can be booked at its bound.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import orjson

from judgesmith.errors import DataError, ModelError
from judgesmith.models.protocol import Completion, Request
from judgesmith.runs.endpoint import Endpoint

SHOWN = 120
"""Characters shown of what a server sent."""
_LIMIT = "it comes from the stage's `max_tokens`"
_ONE = "it comes from the client, which asks for one reply per call"
_SWAP = "another model than the endpoint's `model` could answer"
_EXTRA = "it is billed beside the tokens, so a budget could not be kept"
OURS = {
    "model": "it comes from the endpoint's `model`",
    "models": _SWAP,
    "route": _SWAP,
    "messages": "it comes from the dialect",
    "max_tokens": _LIMIT,
    "max_completion_tokens": _LIMIT,
    "max_output_tokens": _LIMIT,
    "stream": "it comes from the client, which reads whole replies",
    "n": _ONE,
    "best_of": _ONE,
    "plugins": _EXTRA,
    "web_search_options": _EXTRA,
    "prediction": _EXTRA,
}
"""Fields of a body that `options` may not set, and why: the bound on a call's cost, the key of the
cache and the reader rest on each."""
MOST_TOKENS = 10**9
"""A greater count of tokens is none."""

_ROUTE = re.compile(r"(?<!:):[a-z]+$")
_PART = re.compile(r"-\d{5}-of-\d{5}$")
_KNOWN_ROUTE = re.compile(r"[-@:_](?:latest|free|nitro|floor)$")
# Years of four digits or two, month and day, month and year, and versions such as -001. Other
# numbers are part of the name, as a length of context is.
_DATE = re.compile(
    r"[-@:_](20\d{2}-\d{2}-\d{2}|20\d{6}|2[3-9]\d{4}|\d{2}-20\d{2}"
    r"|(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|2[3-9](?:0[1-9]|1[0-2])|00\d)$"
)


class Unreadable(ModelError):
    """A reply with status 200 that is not of the promised form; it may well have been billed."""


class OtherModel(Unreadable):
    """Another model answered than the one that was asked."""


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

    def read(
        self, content: bytes, request: Request, *, asked: str, also: Sequence[str] = ()
    ) -> Reply:
        """Read a body with status 200. Raises Unreadable.

        `asked` is the model that was asked, `also` are names under which it may answer too.
        """
        ...

    def read_fields(
        self, found: Mapping[str, Any], request: Request, *, asked: str, also: Sequence[str] = ()
    ) -> Reply:
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
    A dated snapshot is the model that it is a snapshot of, and never that of another date. A tag
    of letters alone chooses a route: it does not count where the other name has none, and `latest`,
    `free`, `nitro` and `floor` never do. Names that no rule tells to be the same are `answers_as`
    of an endpoint.

    >>> same_model("gpt-5.4", "gpt-5.4-2026-03-05"), same_model("gpt-5.4", "openai/gpt-5.4")
    (True, True)
    >>> same_model("student", "/models/student.gguf"), same_model("llama3.2", "llama3.2:latest")
    (True, True)
    >>> same_model("gpt-5.4", "gpt-5.4-mini"), same_model("a/judge", "b/judge")
    (False, False)
    >>> same_model("gpt-4o-2024-05-13", "gpt-4o-2024-08-06")
    False
    >>> same_model("org/m-0324:groq", "m-0324"), same_model("org/m:groq", "org/m:nebius")
    (True, False)
    """
    one, other = _named(asked), _named(said)
    tuned = one.startswith("ft:")  # its parts are an owner and a number, and no route
    if not tuned and (_ROUTE.search(one) is None) != (_ROUTE.search(other) is None):
        one, other = _ROUTE.sub("", one), _ROUTE.sub("", other)
    (path, date), (path_said, date_said) = _parted(one), _parted(other)
    shared = min(len(path), len(path_said))
    dates_agree = None in (date, date_said) or date == date_said
    return path[-shared:] == path_said[-shared:] and dates_agree


def _named(name: str) -> str:
    found = _PART.sub("", name.strip().casefold().removesuffix(".gguf"))
    while (shorter := _KNOWN_ROUTE.sub("", found)) != found:
        found = shorter
    return found


def _parted(name: str) -> tuple[list[str], str | None]:
    """The path of a name without its date, and its date with the dashes left out."""
    tail = _DATE.search(name)
    date = tail[1].replace("-", "") if tail else None
    stem = name[: tail.start()] if tail else name
    return [part for part in re.split(r"[/\\]", stem) if part] or [""], date


def check_model(said: object, asked: str, also: Sequence[str] = ()) -> str | None:
    """The model's name as the server said it; raises OtherModel where another one answered."""
    if said is None or said == "":
        return None
    if not isinstance(said, str):
        raise Unreadable(f"expected the name of a model, found {shortened(repr(said))}")
    if not any(same_model(name, said) for name in (asked, *also)):
        raise OtherModel(
            f"model {asked!r} was asked, and the server answered as {shortened(said)!r}. If that "
            f"is the same, write `answers_as: [{said!r}]` in its endpoint"
        )
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
    return value if type(value) is int and 0 <= value <= MOST_TOKENS else None


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


def refused_options(endpoint: Endpoint, *, but: str | None = None) -> str | None:
    """Why the endpoint's options cannot be sent: they set a field that is not theirs to set."""
    for name, why in OURS.items():
        if name in endpoint.options and name != but:
            return (
                f"option {name!r} of model {endpoint.model!r} at {endpoint.url}: expected no "
                f"{name!r} in `options`, found {shortened(repr(endpoint.options[name]))}; {why}. "
                "Remove it from `options`."
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
