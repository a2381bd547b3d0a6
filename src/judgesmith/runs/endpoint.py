"""What a recipe says of a model behind HTTP."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PositiveInt,
    Tag,
    field_validator,
    model_validator,
)

from judgesmith.audits.licences import NOT_STATED, ModelTerms, Terms

LOOPBACK = ("localhost", "127.0.0.1", "::1")
VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,63}")
"""What the name of an environment variable looks like; other text may be a key by mistake."""
FILE = re.compile(r".*[/\\].*|.{1,15}|.+\.[a-z]{1,8}")
"""What the name of a file looks like; other text may be a key by mistake."""


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True
    )


class Price(_Part):
    """US dollars per million tokens on the day `as_of`.

    `cached_input` is the price of prompt tokens read from the vendor's cache, that of input where
    it is not given; `cache_write` of those written to it, 1.25 times that of input. `batch` is what
    a batch costs as a share of the same calls made one by one.
    """

    input: float = Field(ge=0, le=1e6)
    output: float = Field(ge=0, le=1e6)
    cached_input: float | None = Field(None, ge=0, le=1e6)
    cache_write: float | None = Field(None, ge=0, le=1e6)
    batch: float = Field(1.0, gt=0, le=1)
    as_of: date


def _priced(given: Any) -> str:
    return "free" if isinstance(given, str) else "Price"


class Batching(_Part):
    """Use the vendor's batch interface: how many requests, and how many tokens, at once.

    `max_tokens` bounds the estimated prompt tokens that may be enqueued at a time; `poll_s` is the
    wait between two looks at a batch.
    """

    max_requests: int = Field(10_000, ge=1)
    max_tokens: int | None = Field(None, ge=1)
    poll_s: float = Field(30.0, gt=0)


class Endpoint(_Part):
    """A model behind HTTP. `url` ends before `/chat/completions` or `/messages`.

    The key comes from the environment (`key_env`) or from a file outside the run (`key_file`).
    `price` may be "free" and must be given for a server that is not this machine. `context` is the
    prompt and reply in tokens. `options` go into every request's body as they are. `terms` are what
    the vendor allows with what the model writes. `revision` tells one state of a model from the
    next where a server keeps its name, such as a student of yours: replies of another revision are
    not taken from the cache. `answers_as` are other names under which the server may answer.
    """

    protocol: Literal["openai", "anthropic"]
    url: str
    model: str = Field(min_length=1)
    key_env: str | None = None
    key_file: str | None = None
    price: (
        Annotated[
            Annotated[Price, Tag("Price")] | Annotated[Literal["free"], Tag("free")],
            Discriminator(_priced),
        ]
        | None
    ) = None
    context: int | None = Field(None, ge=1)
    in_flight: int = Field(64, ge=1, le=1024)
    per_minute: tuple[PositiveInt, PositiveInt] | None = None
    timeout_s: float = Field(120.0, gt=0)
    batch: Batching | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    terms: Terms = NOT_STATED
    revision: str | None = None
    answers_as: tuple[str, ...] = ()

    @field_validator("key_env")
    @classmethod
    def _names_a_variable(cls, name: str | None) -> str | None:
        if name is not None and not VARIABLE.fullmatch(name):
            raise ValueError(
                "expected the name of an environment variable, in capital letters, that holds the "
                "key; what was found is not shown, as it may be the key itself"
            )
        return name

    @field_validator("key_file")
    @classmethod
    def _names_a_file(cls, name: str | None) -> str | None:
        if name is not None and not FILE.fullmatch(name):
            raise ValueError(
                "expected the path of a file that holds the key (./NAME of one in this folder); "
                "what was found is not shown, as it may be the key itself"
            )
        return name

    @model_validator(mode="after")
    def _whole(self) -> Self:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("expected `url` to begin with http:// or https:// and name a host")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError(
                "a `url` names no user, password or parameters, as it is shown in reports: give "
                "the key by `key_env` or `key_file`"
            )
        if self.key_env and self.key_file:
            raise ValueError("give `key_env` or `key_file`, not both")
        if self.price is None and (self.key_env or self.key_file or not self.is_local):
            raise ValueError(
                "a server elsewhere, or one that asks for a key, needs a `price` ({input, output, "
                'as_of} in US dollars per million tokens), or the word "free"'
            )
        return self

    @property
    def identity(self) -> dict[str, Any]:
        """What its answers follow from; not what they cost, nor how they are fetched."""
        return self.model_dump(include={"protocol", "url", "model", "options", "revision"})

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine."""
        return urlsplit(self.url).hostname in LOOPBACK

    @property
    def is_paid(self) -> bool:
        """Whether a call can cost anything."""
        return isinstance(self.price, Price) and (self.price.input > 0 or self.price.output > 0)


def model_terms(models: Mapping[str, Endpoint]) -> dict[str, ModelTerms]:
    """How each model's vendor names it, and the terms of its outputs."""
    return {name: ModelTerms(found.model, found.terms) for name, found in models.items()}
