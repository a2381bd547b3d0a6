"""`/v1/judgments` and `/v1/judge`."""

from typing import Annotated

from fastapi import APIRouter, Body, Request

from judgesmith.serving import replies, rows
from judgesmith.serving.context import Serving
from judgesmith.serving.desk import in_mode
from judgesmith.serving.json_body import JsonRoute
from judgesmith.serving.refusals import described, invalid
from judgesmith.serving.schemas import (
    Body as JudgmentBody,
)
from judgesmith.serving.schemas import (
    JudgeAbout,
    JudgmentReply,
    ManyReplies,
    ManyRows,
)

_PAIR = {
    "question": "Who lost the key?", "context": "Ann and Bo came home. Bo had lost the key.",
    "choices": ["Ann", "Bo", "Not known"], "response_a": "Ann did.", "response_b": "Bo did.",
}  # fmt: skip
EXAMPLES = {
    "one": {"summary": "One pair, with the reasons", "value": {**_PAIR, "rationale": True}},
    "many": {"summary": "Several rows", "value": {"items": [_PAIR, {**_PAIR, "id": "again"}]}},
}


def judgments(serving: Serving) -> APIRouter:
    """The routes of a server's own API."""
    router = APIRouter(prefix="/v1", route_class=JsonRoute, tags=["judgments"])

    @router.post(
        "/judgments", summary="Judge one row, or several",
        responses=described(401, 408, 413, 422, 503),
    )  # fmt: skip
    async def judge_rows(
        request: Request, body: Annotated[JudgmentBody, Body(openapi_examples=EXAMPLES)]
    ) -> JudgmentReply | ManyReplies:
        """Judge a row in both orders, or each response alone, as the judge was made.

        A reply that could not be read, or a prompt that does not fit the model, is no error: its
        `verdict` is null and its `status` says why.
        """
        opened = serving.desk.opened
        if isinstance(body, ManyRows) and len(body.items) > serving.desk.room.waiting:
            raise invalid(
                "items",
                f"expected at most {serving.desk.room.waiting} rows, found {len(body.items)}",
            )
        judge = in_mode(opened.judge, body.mode or opened.judge.mode)
        if opened.abstaining is not None and judge.mode != opened.judge.mode:
            raise invalid("mode", f"this judge abstains by a rule for the mode {opened.judge.mode}")
        request_id = request.scope["request_id"]
        entries = rows.entries_of(judge, body, request_id, opened.abstaining)
        found = await serving.desk.judged(request, entries, judge.mode)
        said = [replies.judgment_reply(judge, one, opened.abstaining) for one in found]
        serving.note(request_id, zip(rows.rows_of(body), said, strict=True))
        if not body.rationale:
            said = [replies.without_rationale(one) for one in said]
        return ManyReplies(judgments=said) if isinstance(body, ManyRows) else said[0]

    @router.get(
        "/judge", summary="What this judge is, and what it must be given",
        responses=described(401, 503),
    )  # fmt: skip
    async def which() -> JudgeAbout:
        """Name, version, dialect, scale, and what a row must hold."""
        return replies.about(serving.desk.judge, serving.desk.room.waiting)

    return router
