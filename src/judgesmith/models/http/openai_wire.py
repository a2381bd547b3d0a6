"""OpenAI's chat completions, as vLLM, llama.cpp's server, Ollama and OpenRouter speak it too."""

from collections.abc import Mapping, Sequence
from typing import Any

from judgesmith.models.http.verdict_chances import Chances, Token, option_chances
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
from judgesmith.models.protocol import Completion, Request, Wanted
from judgesmith.records import Finish
from judgesmith.runs.endpoint import Endpoint

TOP = 20
"""Alternatives asked for per token: the most that vendors give."""
RENAMED = "max_completion_tokens"
FORMAT, OBJECT = "response_format", "json_object"
SLACK = 64
"""Characters read before the last `after`, and so room for an end-of-turn token."""

FINISHES = {
    "stop": Finish.STOP,
    "eos": Finish.STOP,
    "eos_token": Finish.STOP,
    "stop_sequence": Finish.STOP,
    "tool_calls": Finish.STOP,
    "function_call": Finish.STOP,
    "length": Finish.LENGTH,
    "max_tokens": Finish.LENGTH,
    "model_length": Finish.LENGTH,
    "content_filter": Finish.REFUSED,
    "refusal": Finish.REFUSED,
}
"""How a reply ended, in the words of OpenAI and of servers that speak like it. A call of a tool,
of which none is offered, ends a reply by itself. Any other word is unreadable: a reply that may be
cut is not taken for a whole one."""


class OpenAIWire:
    """The wire of chat completions."""

    path = "/chat/completions"

    def headers(self, key: str | None) -> dict[str, str]:
        """The key as a bearer; nothing for a server that needs none."""
        return {} if key is None else {"Authorization": f"Bearer {key}"}

    def refuses(self, endpoint: Endpoint, request: Request) -> str | None:
        """Options that break the client's bookkeeping; anything else can be sent."""
        renamed = endpoint.options.get(RENAMED)
        if renamed not in (None, True):
            return (
                f"option {RENAMED!r} of model {endpoint.model!r} at {endpoint.url}: expected true "
                f"(the stage's `max_tokens` is then sent under this name), found {renamed!r}."
            )
        return refused_options(endpoint, but=RENAMED)

    def fields(self, endpoint: Endpoint, request: Request) -> dict[str, Any]:
        """The body as JSON fields.

        `options: {max_completion_tokens: true}` sends the limit under that name, as OpenAI's
        reasoning models want it. A grammar goes into `grammar`, which llama.cpp's servers read.
        `options: {response_format: json_object}` sends a schema inside that older type, the only
        one that llama-cpp-python's server knows. The seed is sent above temperature 0 only.
        """
        sampling, form = request.sampling, request.form
        limit = RENAMED if endpoint.options.get(RENAMED) else "max_tokens"
        fields: dict[str, Any] = {
            "model": endpoint.model,
            "messages": [{"role": m.role, "content": m.content} for m in request.messages],
            "temperature": sampling.temperature,
        }
        if sampling.temperature > 0:
            fields["seed"] = sampling.seed
        if request.wanted is not None:
            fields |= {"logprobs": True, "top_logprobs": TOP}
        options = {k: v for k, v in endpoint.options.items() if k != RENAMED}
        older = options.get(FORMAT) == OBJECT
        if older:
            del options[FORMAT]
        if form is not None and form.json_schema is not None:
            fields[FORMAT] = _held_to(form.json_schema, older=older)
        elif form is not None:
            fields["grammar"] = form.grammar
        return with_options({**fields, limit: sampling.max_tokens}, options)

    def body(self, endpoint: Endpoint, request: Request) -> bytes:
        """The body; raises ModelError for options that cannot be sent."""
        return written(self, endpoint, request)

    def read(
        self, content: bytes, request: Request, *, asked: str, also: Sequence[str] = ()
    ) -> Reply:
        """Read a body with status 200. Raises Unreadable.

        >>> from judgesmith.models.protocol import Request, Sampling
        >>> asked = Request(record_id="r", messages=(), sampling=Sampling())
        >>> body = (b'{"model": "m", "choices": [{"message": {"content": "B"}, "finish_reason": '
        ...         b'"stop"}], "usage": {"prompt_tokens": 9, "completion_tokens": 1}}')
        >>> reply = OpenAIWire().read(body, asked, asked="m")
        >>> reply.completion.text, reply.completion.prompt_tokens, reply.usage_known
        ('B', 9, True)
        """
        return self.read_fields(opened(content), request, asked=asked, also=also)

    def read_fields(
        self, found: Mapping[str, Any], request: Request, *, asked: str, also: Sequence[str] = ()
    ) -> Reply:
        """The same for a body that is parsed already."""
        said = check_model(checked(found).get("model"), asked, also)
        choices = field(found, "choices", list)
        if not choices or not isinstance(choices[0], dict):
            raise Unreadable(f"expected one reply in `choices`, found {shortened(repr(choices))}")
        text, finish = _reply(choices[0])
        chances = None
        if request.wanted is not None and finish is not Finish.REFUSED:
            chances = _chances(choices[0].get("logprobs"), text, request.wanted)
        usage = _usage(found.get("usage"))
        completion = Completion(
            text=text,
            finish=finish,
            prompt_tokens=usage.prompt,
            completion_tokens=usage.completion,
            cached_tokens=usage.cached,
            cache_write_tokens=usage.written,
            probabilities=chances.probabilities if chances else None,
            covered=chances.covered if chances else None,
        )
        return Reply(completion, usage.known, said)


def _held_to(schema: Mapping[str, Any], *, older: bool) -> dict[str, Any]:
    """The field that holds a reply to a schema."""
    if older:
        return {"type": OBJECT, "schema": schema}
    named = {"name": "reply", "schema": schema, "strict": True}
    return {"type": "json_schema", "json_schema": named}


def _reply(choice: Mapping[str, Any]) -> tuple[str, Finish]:
    """Text and end of a reply; what a model thought (`reasoning_content`) is no part of it."""
    checked(choice)
    reason = choice.get("finish_reason")
    if not isinstance(reason, str) or reason not in FINISHES:
        raise Unreadable(f"expected a known `finish_reason`, found {shortened(repr(reason))}")
    message = field(choice, "message", dict)
    content, refusal = message.get("content"), message.get("refusal")
    if isinstance(content, list):
        content = "".join(
            part["text"]
            for part in content
            if isinstance(part, dict) and part.get("type") == "text" and _is_text(part.get("text"))
        )
    if content is not None and not isinstance(content, str):
        raise Unreadable(f"expected `content` to be a text, found {shortened(repr(content))}")
    if isinstance(refusal, str) and refusal:
        return content or refusal, Finish.REFUSED
    return content or "", FINISHES[reason]


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _usage(found: object) -> Usage:
    """Token counts; unknown where one is missing, no count, or greater than what it is part of.

    Some servers leave thought tokens out of `completion_tokens` and bill them: what `total_tokens`
    has beyond prompt and completion is counted as completion.
    """
    if not isinstance(found, dict):
        return Usage()
    details = found.get("prompt_tokens_details") or {}
    if not isinstance(details, dict):
        return Usage()
    prompt, completion = found.get("prompt_tokens"), found.get("completion_tokens")
    counts = [counted(prompt), counted(completion), counted(found.get("total_tokens"))]
    counts += [counted(details.get("cached_tokens")), counted(details.get("cache_write_tokens"))]
    if prompt is None or completion is None or None in counts:
        return Usage()
    n_prompt, n_completion, total, cached, cache_write = (n or 0 for n in counts)
    if cached + cache_write > n_prompt:
        return Usage()
    return Usage(n_prompt, max(n_completion, total - n_prompt), cached, cache_write, True)


def _chances(found: object, text: str, wanted: Wanted) -> Chances | None:
    start = text.rfind(wanted.after)
    if start < 0 or not isinstance(found, dict) or not isinstance(found.get("content"), list):
        return None
    tokens = _last_tokens(found["content"], len(text) - start + SLACK)
    return None if tokens is None else option_chances(tokens, text, wanted)


def _last_tokens(content: Sequence[Any], length: int) -> list[Token] | None:
    """The last tokens, at least `length` characters of them; None where one is malformed.

    A long reply has thousands of alternatives, of which only those of the verdict are needed.
    """
    tokens: list[Token] = []
    for entry in reversed(content):
        token = _token(entry)
        if token is None:
            return None
        tokens.append(token)
        length -= len(token.text)
        if length <= 0:
            break
    return tokens[::-1]


def _token(entry: Any) -> Token | None:
    try:
        others = tuple((o["token"], o["logprob"]) for o in entry["top_logprobs"] or ())
        text, logprob = entry["token"], entry["logprob"]
    except (KeyError, TypeError):
        return None
    if not all(_is_text(t) and type(p) in (int, float) for t, p in ((text, logprob), *others)):
        return None
    return Token(text, logprob, others)
