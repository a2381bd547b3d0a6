"""The judge at its desk: one thread opens it, tries it, and answers what the queue brings."""

import asyncio
import logging
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from enum import StrEnum
from typing import Any, NamedTuple

from fastapi import Request

from judgesmith.errors import JudgesmithError, ModelError
from judgesmith.inference.abstaining import Abstaining
from judgesmith.inference.judge import Judge
from judgesmith.inference.judged import Judged
from judgesmith.models import protocol
from judgesmith.models.protocol import Completion, Mode, Sampling
from judgesmith.serving.batching import Batcher, Room, Watch
from judgesmith.serving.refusals import ClientGone, Refusal
from judgesmith.serving.specimen import specimen_entry
from judgesmith.sources.own_files import OwnPair

log = logging.getLogger(__name__)


class State(StrEnum):
    """What the server can do now. Only `ready` judges."""

    LOADING = "loading"
    READY = "ready"
    DRAINING = "draining"
    FAILED = "failed"


class _Judging(NamedTuple):
    """Rows, to be judged in this mode."""

    mode: Mode


class _Asking(NamedTuple):
    """Prompts, to be answered so; `alone` tells apart what must not share a batch."""

    sampling: Sampling
    alone: str | None


class Opened(NamedTuple):
    """A judge, and the rule by which it abstains; None is never."""

    judge: Judge
    abstaining: Abstaining | None = None


class Desk:
    """The judge, its queue, and whether both are in service.

    `open_judge` runs in the worker's thread, which alone uses the model. `changed` is called from
    there when the judge is ready or could not be opened; the reason is then in `failure`.
    """

    def __init__(
        self, open_judge: Callable[[], Opened], room: Room, watch: Callable[["Desk"], Watch],
        changed: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self.state = State.LOADING
        self.failure: BaseException | None = None
        self.room = room
        self._open, self._changed = open_judge, changed
        self._opened: Opened | None = None
        self.batcher = Batcher(self._answer, room, watch(self))

    @property
    def opened(self) -> Opened:
        """The open judge and its rule; raises Refusal 503 while there is none to ask."""
        if self.state is State.READY and self._opened is not None:
            return self._opened
        told = {
            State.LOADING: "the judge is being loaded",
            State.DRAINING: "the server is stopping",
        }.get(self.state, "the judge could not be opened")
        raise Refusal(503, self.state.value, told, retry_after_s=5)

    @property
    def judge(self) -> Judge:
        """The open judge; raises Refusal 503 while there is none to ask."""
        return self.opened.judge

    def start(self) -> None:
        """Open the judge in the worker's thread."""
        self.batcher.start(self._begin)

    def drain(self) -> None:
        """Take nothing more; what was accepted is still answered."""
        self.state = State.DRAINING
        self.batcher.close()

    async def judged(
        self, request: Request, entries: Sequence[OwnPair], mode: Mode
    ) -> list[Judged]:
        """What the judge says of rows; raises ClientGone where nobody waits for it any more."""
        return await self._answered(request, _Judging(mode), entries)

    async def completed(self, request: Request, asked: protocol.Request) -> Completion:
        """The model's reply to one prompt.

        Replies that are drawn by chance are never batched: the draws of one would depend on what
        else is in the batch.
        """
        drawn = asked.record_id if asked.sampling.temperature > 0 else None
        (found,) = await self._answered(request, _Asking(asked.sampling, drawn), [asked])
        if not isinstance(found, Completion):
            raise TypeError(f"expected a completion, found {type(found)}")
        return found

    async def _answered(
        self, request: Request, kind: Hashable, payloads: Sequence[Any]
    ) -> list[Any]:
        futures = self.batcher.offer(kind, payloads)
        answers = asyncio.create_task(_all(futures))
        gone = asyncio.create_task(_hung_up(request))
        try:
            both: set[asyncio.Task[Any]] = {answers, gone}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if not answers.done():
                raise ClientGone
            return await answers
        finally:
            gone.cancel()
            answers.cancel()
            for future in futures:  # those at work go on, and nobody hears of them
                future.cancel()

    def _begin(self) -> None:
        """Open the judge and have it judge once, so that no client waits for what comes first."""
        try:
            opened = self._open()
            entry = specimen_entry(opened.judge.dialect)
            if entry is not None and not opened.judge.judge([entry]):
                raise ModelError("the judge gave no answer to a first row")
            self._opened = opened
            if self.state is State.LOADING:
                self.state = State.READY
        except BaseException as error:
            self.failure, self.state = error, State.FAILED
            self.batcher.close()
            if not isinstance(error, JudgesmithError | OSError):
                log.error("the judge could not be opened", exc_info=error)
        self._changed()

    def _answer(self, kind: Hashable, payloads: list[Any]) -> Sequence[Any]:
        assert self._opened is not None
        judge = self._opened.judge
        if isinstance(kind, _Asking):
            return list(judge.model.complete(payloads))
        assert isinstance(kind, _Judging)
        return in_mode(judge, kind.mode).judge(payloads)


def in_mode(judge: Judge, mode: Mode) -> Judge:
    """The judge in a mode; a calibration holds for the mode that it was fitted in alone."""
    return judge if mode == judge.mode else replace(judge, mode=mode, calibration=None)


async def _hung_up(request: Request) -> None:
    """Return when the client has hung up; its body was read before."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _all(futures: "Sequence[Future[Any]]") -> list[Any]:
    """The results in order; the first fault of any is raised."""
    waited = [asyncio.wrap_future(future) for future in futures]
    for one in waited:
        one.add_done_callback(_heard)
    return [await one for one in waited]


def _heard(future: "asyncio.Future[Any]") -> None:
    """Asyncio logs faults that nobody asks for."""
    if not future.cancelled():
        future.exception()
