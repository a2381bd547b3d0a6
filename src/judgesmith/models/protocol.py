"""The seam: requests in, completions out. Everything that answers a prompt stands behind it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, model_validator

from judgesmith.records import Finish, JsonScalar, Message

Mode = Literal["rationale", "fast"]
"""How a judge is asked: for its reasons and then the verdict, or for the verdict at once."""


class Sampling(BaseModel):
    """How a reply is drawn. Temperature 0 is greedy; `seed` is used above 0."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    temperature: float = 0.0
    max_tokens: int = 300
    seed: int = 0

    def as_fields(self) -> dict[str, JsonScalar]:
        """The same as plain fields of a record."""
        return dict(self.model_dump())


class Wanted(BaseModel):
    """Probabilities wanted of the model: of each option, right after the last `after`.

    `closing` is what follows an option in the reply, whichever it is: an option is scored with it,
    as "1" alone may be the beginning of "10". Where an option begins another and nothing follows,
    it is scored with the end of the reply. Models behind HTTP, which list the chances of single
    tokens, read them by the options alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    after: str
    options: tuple[str, ...]
    closing: str = ""


class Form(BaseModel):
    """What the server holds a reply to: a JSON schema, or a grammar in GBNF. Exactly one."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    json_schema: dict[str, Any] | None = None
    grammar: str | None = None

    @model_validator(mode="after")
    def _one(self) -> "Form":
        if (self.json_schema is None) == (self.grammar is None):
            raise ValueError("give a JSON schema or a grammar, and not both")
        return self


class Request(BaseModel):
    """One prompt. `record_id` is the record asked about: it keys simulation.

    `forced` is the beginning of the reply, given to the model: nothing is generated, and `wanted`
    is read right after it. The completion's text is then the whole reply with the likeliest option.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    record_id: str
    messages: tuple[Message, ...]
    sampling: Sampling
    wanted: Wanted | None = None
    form: Form | None = None
    forced: str | None = None

    @model_validator(mode="after")
    def _reads_what_it_forces(self) -> "Request":
        if self.forced is not None and self.wanted is None:
            raise ValueError(
                "a reply is begun (`forced`) to read probabilities: say which, `wanted`"
            )
        return self


class Completion(BaseModel):
    """One reply. `too_long` says that the prompt did not fit the model, so nothing was asked.

    `prompt_tokens` are all tokens of the prompt; of them, `cached_tokens` were read from the
    vendor's prompt cache and `cache_write_tokens` written to it. `probabilities` are of the options
    that were wanted and sum to 1; `covered` is the mass that they had before, where it is known.
    `failure` says why a reply failed. `calls` counts the requests that it took: none where it
    came out of our own cache, more than one where several were put together.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    text: str
    finish: Finish
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    probabilities: dict[str, float] | None = None
    covered: float | None = None
    too_long: bool = False
    failure: str | None = None
    cost_usd: float = 0.0
    calls: int = 1


class Model(Protocol):
    """Anything that answers prompts.

    `complete` yields one completion per request in the order of the requests, as they become
    ready, so that a caller can store each before the next is paid for. A model may say how many
    requests are worth giving it at once (`lot`), that no reply depends on the others given with
    it (`independent`), and that it can be given the beginning of a reply (`takes_forced`).
    """

    name: str

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        """Answer the requests in order."""
        ...


ModelOpener = Callable[[str], Model]
"""Gives the model of a name; stages receive one and never build a model themselves."""
