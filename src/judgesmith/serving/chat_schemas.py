"""OpenAI's chat completions, as far as a judge can answer them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from judgesmith.records import Status

Number = int | float


class Part(BaseModel):
    """A part of a message; a judge reads text."""

    model_config = ConfigDict(extra="forbid")
    type: Literal["text"]
    text: str


class ChatTurn(BaseModel):
    """One message."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[Part]

    @property
    def text(self) -> str:
        """The text of all parts."""
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content)


class StreamOptions(BaseModel):
    """Whether the last piece of a stream counts the tokens."""

    include_usage: bool | None = None


class ChatBody(BaseModel):
    """A chat.

    Fields that change no reply (`user`, `metadata`, ...) are passed over; those that would, and
    that a judge cannot follow (`tools`, `stop`, ...), are refused by name.
    """

    model_config = ConfigDict(extra="allow")
    model: str
    messages: list[ChatTurn] = Field(min_length=1)
    temperature: float | None = Field(None, ge=0, le=2, description="0 where it is not given.")
    seed: int | None = Field(None, ge=0, lt=2**63)
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    n: Literal[1] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = Field(None, ge=0, le=20)


class ChatJudgment(BaseModel):
    """What our parser reads in the reply; letters follow the order in the prompt."""

    verdict: str | list[float] | None
    distribution: dict[str, float] | None
    covered: float | None
    status: Status
    judge: str
    version: str
    dialect_hash: str


class Message(BaseModel):
    """The judge's turn."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None


class Alternative(BaseModel):
    """A piece of text and its log-probability."""

    token: str
    logprob: float
    bytes: list[int]


class Piece(Alternative):
    """A piece of the reply."""

    top_logprobs: list[Alternative]


class Logprobs(BaseModel):
    """The reply in pieces: before the verdict, the verdict, and the rest."""

    content: list[Piece]
    refusal: None = None


class ChatChoice(BaseModel):
    """The reply, and how it ended."""

    index: int = 0
    message: Message
    logprobs: Logprobs | None = None
    finish_reason: Literal["stop", "length"]


class ChatUsage(BaseModel):
    """Tokens."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ChatReply(BaseModel):
    """A chat completion, and in `judgment` what it means."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[ChatChoice]
    usage: ChatUsage
    judgment: ChatJudgment


class ModelCard(BaseModel):
    """The judge, as a model of OpenAI's list."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "judgesmith"
    version: str
    dialect_hash: str
    calibration: str | None


class ModelList(BaseModel):
    """All models there are: one."""

    object: Literal["list"] = "list"
    data: list[ModelCard]


REFUSED: dict[str, tuple[Any, ...]] = {
    "tools": ([],), "functions": ([],), "stop": ("", []), "logit_bias": ({},), "top_p": (1, 1.0),
    "frequency_penalty": (0, 0.0), "presence_penalty": (0, 0.0),
    "response_format": ({"type": "text"},), "modalities": (["text"],), "prediction": (),
    "grammar": (), "guided_json": (),
}  # fmt: skip
"""Fields that would change the reply, with the values at which they do not."""
