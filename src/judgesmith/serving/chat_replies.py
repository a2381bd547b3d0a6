"""A completion as OpenAI's API has it, and as our parser reads it."""

import math
import time

import orjson

from judgesmith.inference.judge import Judge
from judgesmith.models import protocol
from judgesmith.models.judge import read_completion
from judgesmith.models.protocol import Completion, Wanted
from judgesmith.records import Choice, Finish, Scores
from judgesmith.serving import chat_schemas as chat
from judgesmith.serving.refusals import Refusal

_NEVER = -9999.0
"""The log-probability that OpenAI gives for what is as good as impossible."""


def reply_of(
    judge: Judge, found: Completion, asked: protocol.Request, body: chat.ChatBody, request_id: str
) -> chat.ChatReply:
    """A completion as OpenAI's API has it, and as our parser reads it."""
    if found.finish not in (Finish.STOP, Finish.LENGTH):
        raise Refusal(500, "failed", found.failure or f"the model {found.finish.value}")
    return chat.ChatReply(
        id=f"chatcmpl-{request_id}",
        created=int(time.time()),
        model=judge.name,
        choices=[
            chat.ChatChoice(
                message=chat.Message(content=found.text),
                finish_reason="stop" if found.finish is Finish.STOP else "length",
                logprobs=_logprobs(found, asked.wanted, body.top_logprobs)
                if body.logprobs
                else None,
            )
        ],
        usage=chat.ChatUsage(
            prompt_tokens=found.prompt_tokens,
            completion_tokens=found.completion_tokens,
            total_tokens=found.prompt_tokens + found.completion_tokens,
        ),
        judgment=_judgment(judge, found),
    )


def _judgment(judge: Judge, found: Completion) -> chat.ChatJudgment:
    reading = read_completion(judge.dialect, found, criteria=judge.dialect.criteria or None)
    verdict: str | list[float] | None = None
    if isinstance(reading.verdict, Choice):
        verdict = reading.verdict.value
    elif isinstance(reading.verdict, Scores):
        verdict = list(reading.verdict.values)
    said = {words: value for value, words in judge.dialect.wording.of.items()}
    chances = found.probabilities if reading.verdict is not None else None
    return chat.ChatJudgment(
        verdict=verdict,
        distribution=None if chances is None else {said[w]: p for w, p in chances.items()},
        covered=found.covered,
        status=reading.status,
        judge=judge.name,
        version=judge.version,
        dialect_hash=judge.dialect.hash,
    )


def _logprobs(found: Completion, wanted: Wanted | None, top: int | None) -> chat.Logprobs | None:
    """The reply in pieces; None where no probability of the verdict is known."""
    if wanted is None or found.probabilities is None:
        return None
    start = found.text.rfind(wanted.after) + len(wanted.after)
    rest = found.text[start:]
    blank = len(rest) - len(rest.lstrip())
    spoken = [o for o in found.probabilities if rest[blank:].casefold().startswith(o.casefold())]
    end = start + blank + len(max(spoken, key=len, default=""))
    covered = 1.0 if found.covered is None else found.covered
    ranked = sorted(found.probabilities.items(), key=lambda one: -one[1])
    others = [_alternative(option, p * covered) for option, p in ranked]
    own = found.probabilities.get(max(spoken, key=len, default=""), 0.0) * covered
    pieces = [
        _piece(found.text[: start + blank], 1.0, []),
        _piece(found.text[start + blank : end], own, others[: top or 0]),
        _piece(found.text[end:], 1.0, []),
    ]
    return chat.Logprobs(content=[piece for piece in pieces if piece.token])


def _alternative(text: str, chance: float) -> chat.Alternative:
    logprob = math.log(chance) if chance > 0 else _NEVER
    return chat.Alternative(token=text, logprob=min(logprob, 0.0), bytes=list(text.encode()))


def _piece(text: str, chance: float, others: list[chat.Alternative]) -> chat.Piece:
    return chat.Piece(**_alternative(text, chance).model_dump(), top_logprobs=others)


def as_stream(reply: chat.ChatReply, *, counted: bool) -> bytes:
    """The reply as events: one piece with all of it, its end, and the mark of the end."""
    (said,) = reply.choices
    head = {
        "id": reply.id, "object": "chat.completion.chunk", "created": reply.created,
        "model": reply.model,
    }  # fmt: skip
    usage = {"usage": None} if counted else {}

    def event(delta: dict[str, str], end: str | None, **more: object) -> bytes:
        piece = {"index": 0, "delta": delta, "finish_reason": end, **more}
        return b"data: " + orjson.dumps({**head, "choices": [piece], **usage}) + b"\n\n"

    logprobs = None if said.logprobs is None else said.logprobs.model_dump()
    told = event({"role": "assistant", "content": said.message.content}, None, logprobs=logprobs)
    told += event({}, said.finish_reason)
    if counted:
        last = {**head, "choices": [], "usage": reply.usage.model_dump()}
        told += b"data: " + orjson.dumps(last) + b"\n\n"
    return told + b"data: [DONE]\n\n"
