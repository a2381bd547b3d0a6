"""OpenAI's API for the same judge: `/v1/chat/completions` and `/v1/models`.

The user's turn is the prompt that the dialect renders. The dialect's system text is put in where
the client sends none; another one is refused, because a judge under another system text is not
the judge that was measured.
"""

from fastapi import APIRouter, Request, Response

from judgesmith.inference.judge import Judge
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.render import fold_system
from judgesmith.models import protocol
from judgesmith.models.judge import requests_about, showings
from judgesmith.models.protocol import Sampling
from judgesmith.records import Message
from judgesmith.serving import chat_schemas as chat
from judgesmith.serving.chat_replies import as_stream, reply_of
from judgesmith.serving.context import Serving
from judgesmith.serving.json_body import JsonRoute
from judgesmith.serving.refusals import Refusal, described, invalid
from judgesmith.serving.replies import calibration_id
from judgesmith.serving.specimen import specimen_entry


def chats(serving: Serving) -> APIRouter:
    """The routes of OpenAI's API."""
    router = APIRouter(prefix="/v1", route_class=JsonRoute, tags=["OpenAI's API"])

    @router.post(
        "/chat/completions", summary="Ask the judge with a prompt of your own",
        response_model=chat.ChatReply, responses=described(400, 401, 404, 408, 413, 422, 503),
    )  # fmt: skip
    async def complete(request: Request, body: chat.ChatBody) -> chat.ChatReply | Response:
        """One reply of the judge, whole, or as a stream of one piece.

        At temperature 0 unless told otherwise. `logprobs` are of the verdict: the reply comes as
        the pieces before it, itself, and after it, and only of the verdict a probability is known
        (the others say 0).
        """
        judge = asked_judge(serving, body)
        request_id = request.scope["request_id"]
        asked = request_of(judge, body, request_id)
        found = await serving.desk.completed(request, asked)
        if found.too_long:
            raise Refusal(
                400, "context_length_exceeded",
                f"messages: the prompt and a reply of {asked.sampling.max_tokens} tokens do not "
                "fit the judge's context", param="messages",
            )  # fmt: skip
        reply = reply_of(judge, found, asked, body, request_id)
        serving.counts.judged(
            reply.judgment.verdict if isinstance(reply.judgment.verdict, str) else "none",
            reply.judgment.status.value,
        )
        serving.keep(request_id, body, reply)
        if not body.stream:
            return reply
        counted = body.stream_options is not None and bool(body.stream_options.include_usage)
        return Response(as_stream(reply, counted=counted), media_type="text/event-stream")

    @router.get(
        "/models", summary="The judge, as the one model there is", responses=described(401, 503)
    )
    async def models() -> chat.ModelList:
        """The name to give as `model`."""
        return chat.ModelList(data=[card_of(serving.desk.judge)])

    @router.get(
        "/models/{name:path}",
        summary="The same, by its name",
        responses=described(401, 404, 422, 503),
    )
    async def model(name: str) -> chat.ModelCard:
        """The judge, where that is its name."""
        card = card_of(serving.desk.judge)
        if name != card.id:
            raise Refusal(404, "model_not_found", f"model: expected {card.id!r}, found {name!r}")
        return card

    return router


def asked_judge(serving: Serving, body: chat.ChatBody) -> Judge:
    """The judge, where a chat can be had with it and it is the one that is named."""
    judge, abstaining = serving.desk.opened
    if abstaining is not None:
        raise Refusal(
            422, "abstains",
            "this server withholds verdicts that are not sure enough, which takes a whole row "
            "to tell: POST /v1/judgments, or serve the judge without --abstain-risk",
        )  # fmt: skip
    if body.model != judge.name:
        raise Refusal(
            404, "model_not_found", f"model: expected {judge.name!r}, found {body.model!r}",
            param="model",
        )  # fmt: skip
    return judge


def card_of(judge: Judge) -> chat.ModelCard:
    """The judge as a model of the list."""
    return chat.ModelCard(
        id=judge.name, version=judge.version, dialect_hash=judge.dialect.hash,
        calibration=calibration_id(judge),
    )  # fmt: skip


def request_of(judge: Judge, body: chat.ChatBody, request_id: str) -> protocol.Request:
    """What the model is asked; raises Refusal for what a judge cannot follow."""
    for name, at_rest in chat.REFUSED.items():
        given = (body.model_extra or {}).get(name)
        if given is not None and given not in at_rest:
            raise invalid(name, "a judge's reply has its own form, so this cannot be set")
    limits = [judge.max_tokens, body.max_tokens, body.max_completion_tokens]
    sampling = Sampling(
        temperature=body.temperature or 0.0, seed=body.seed or 0,
        max_tokens=min(limit for limit in limits if limit is not None),
    )  # fmt: skip
    like = _like_a_row(judge, sampling)
    return protocol.Request(
        record_id=request_id, messages=_turns(judge.dialect, body.messages), sampling=sampling,
        wanted=None if like is None else like.wanted,
        forced=None if like is None else like.forced,
    )  # fmt: skip


def _like_a_row(judge: Judge, sampling: Sampling) -> protocol.Request | None:
    """What any row is asked in the judge's mode, for its verdict's probabilities and its beginning.

    Raises Refusal where it has no row to go by and must not write a reason first.
    """
    dialect = judge.dialect
    entry = specimen_entry(dialect)
    if entry is None:
        if judge.mode == "fast":
            raise invalid("messages", "this judge is served in mode fast: POST /v1/judgments")
        return None
    (asked, *_) = requests_about(
        showings([entry.item], dialect), {entry.question.id: entry.question},
        {response.id: response for response in entry.responses}, dialect=dialect,
        sampling=sampling, mode=judge.mode,
    )  # fmt: skip
    return asked


def _turns(dialect: Dialect, given: list[chat.ChatTurn]) -> tuple[Message, ...]:
    """The judge's system text and the user's turn."""
    told = [turn.text for turn in given if turn.role in ("system", "developer")]
    others = [turn for turn in given if turn.role not in ("system", "developer")]
    if [turn.role for turn in others] != ["user"]:
        raise invalid(
            "messages",
            "expected one message of the user, the prompt of one judgment, found "
            f"{[turn.role for turn in others]}",
        )
    if told and "\n\n".join(told).strip() != (dialect.system or "").strip():
        raise invalid(
            "messages",
            "expected no system message, or the judge's own (`system` of /v1/judge): under "
            "another it is not the judge that was measured",
        )
    user = Message(role="user", content=others[0].text)
    if dialect.system is None:
        return (user,)
    if not dialect.system_role and user.content.startswith(dialect.system):
        return (user,)
    turns = (Message(role="system", content=dialect.system), user)
    return turns if dialect.system_role else fold_system(turns)
