"""The calls of one `complete`: sent, tried again where that helps, and ended one way or another."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Self

from judgesmith.errors import JudgesmithError, ModelError
from judgesmith.models.http.booking import Booking, Outcome
from judgesmith.models.http.cache import request_key
from judgesmith.models.http.faults import Action, Fault
from judgesmith.models.http.gate import Gate
from judgesmith.models.http.ledger import Call, CallState, Settled
from judgesmith.models.http.pace import Rates, Window, backoff_s
from judgesmith.models.http.prices import actual, bound, usd
from judgesmith.models.http.sender import Sender
from judgesmith.models.http.wires import Reply
from judgesmith.models.protocol import Completion, Request
from judgesmith.records import Finish
from judgesmith.runs.endpoint import Endpoint

if TYPE_CHECKING:
    from judgesmith.models.http.client import Books

ATTEMPTS = 6
"""How often a call is tried."""
SPARE_RETRIES = 100
"""Retries beyond one per call: a server that is going down is not asked twice as much as usual."""
GIVEN_UP, GIVEN_UP_AT_FIRST = 10, 3
"""Calls in a row that fail for good, after which the endpoint counts as gone; before any answer
fewer, yet more than one: a single prompt may be what the server cannot take."""


class Answer(NamedTuple):
    """The completion of the request at a position."""

    position: int
    completion: Completion


@dataclass
class _Asked:
    """A prompt on its way: who waits for it, and what it may cost."""

    request: Request
    key: str
    body: bytes
    bound: int
    positions: list[int]
    attempts: int = 0


class Calls:
    """Calls to one endpoint for one stage."""

    def __init__(self, name: str, endpoint: Endpoint, key: str | None, books: "Books") -> None:
        self.endpoint = endpoint
        self._name, self._books = name, books
        self._sender = Sender(endpoint, key)
        self._asked: dict[str, _Asked] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped: JudgesmithError | None = None
        self._retries_left = SPARE_RETRIES
        self._given_up, self._answers = 0, 0
        self._draw = random.Random()  # when to try again is no result: it need not repeat

    @asynccontextmanager
    async def opened(self, hand_over: Callable[[Iterable[Answer]], None]) -> AsyncIterator[Self]:
        """Connections open, books ready. On the way out nothing is left in flight."""
        self._hand_over = hand_over
        self._booking = Booking(
            self._books.cache, self._books.ledger, kept=self._kept, broken=self._stop
        )
        rates = self.endpoint.per_minute
        self._gate = Gate(
            Window(self.endpoint.in_flight), None if rates is None else Rates(*rates),
            affords=self._booking.affords, broke=self._books.ledger.refuse,
        )  # fmt: skip
        async with self._sender.opened():
            try:
                yield self
            except asyncio.CancelledError:
                self._give_up_all()
                raise
            finally:
                if self._tasks:
                    await asyncio.wait(self._tasks)
                self._booking.flush()

    def take_cached(self, some: Sequence[tuple[int, Request]]) -> list[tuple[int, Request, str]]:
        """Hand over what the cache has, and give back the rest, each with its key."""
        keyed = [(p, request, request_key(self.endpoint, request)) for p, request in some]
        found = self._books.cache.get(key for _, _, key in keyed)
        hits = [Answer(p, found[key]) for p, _, key in keyed if key in found]
        if hits:
            self._books.ledger.hits(self._books.stage, self._name, len(hits))
            self._hand_over(hits)
        return [entry for entry in keyed if entry[2] not in found]

    async def begin(self, position: int, request: Request, key: str) -> None:
        """Send a request as soon as it may go out."""
        self._raise_if_stopped()
        if key in self._asked:
            self._asked[key].positions.append(position)
            return
        body = self._sender.body(request)
        most = bound(self.endpoint, request, len(body))
        asked = _Asked(request, key, body, most, [position])
        number = await self._enter(asked)
        self._asked[key] = asked
        task = asyncio.create_task(self._answer(asked, number))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Wait for all calls; what stopped them is raised here."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        self._booking.flush()
        self._raise_if_stopped()

    async def _enter(self, asked: _Asked) -> "asyncio.Future[int]":
        tokens = len(asked.body) // 4 + asked.request.sampling.max_tokens
        await self._gate.enter(asked.bound, tokens)
        call = Call(self._books.stage, self._name, asked.key, asked.bound)
        return self._booking.open(call)

    async def _answer(self, asked: _Asked, number: "asyncio.Future[int]") -> None:
        """Try until there is an answer, or a reason why there is none."""
        try:
            while (fault := await self._attempt(asked, number)) is not None:
                if self._stopped is not None:
                    return
                if fault.action is Action.STOP or (fault.stop_if_first and not self._answers):
                    return self._stop(ModelError(self._said(fault)))
                if fault.action is Action.FAIL or not self._may_retry(asked):
                    return self._fail(asked, fault)
                await self._gate.pause(max(fault.retry_after_s or 0.0, self._backoff_s(asked)))
                if self._stopped is not None:
                    return
                number = await self._enter(asked)
        except JudgesmithError as error:
            self._stop(error)

    async def _attempt(self, asked: _Asked, number: "asyncio.Future[int]") -> Fault | None:
        """One call, booked however it ends; None where it was answered."""
        asked.attempts += 1
        epoch = self._gate.window.epoch
        call_id = None
        try:
            call_id = await number
            sent = await self._sender.send(asked.body, asked.request)
        except asyncio.CancelledError:
            if call_id is not None:
                self._settle(asked, call_id, CallState.POSSIBLY_PAID)
            raise
        finally:
            self._gate.leave()
        if isinstance(sent, Reply):
            self._gate.window.answered()
            self._given_up, self._answers = 0, self._answers + 1
            self._retries_left += 1
            self._keep(asked, call_id, sent)
            return None
        paid = CallState.POSSIBLY_PAID if sent.maybe_paid else CallState.FREE
        self._settle(asked, call_id, paid)
        if sent.slow_down:
            self._gate.window.objected(epoch)
        if sent.retry_after_s is not None:
            self._gate.hold(sent.retry_after_s)
        return sent

    def _keep(self, asked: _Asked, call_id: int, reply: Reply) -> None:
        cost = actual(self.endpoint, reply.completion) if reply.usage_known else asked.bound
        completion = reply.completion.model_copy(
            update={"cost_usd": usd(cost), "calls": asked.attempts}
        )
        settled = Settled(
            call_id, CallState.PAID, cost,
            completion.prompt_tokens, completion.cached_tokens,
            completion.cache_write_tokens, completion.completion_tokens,
        )  # fmt: skip
        self._booking.settle(Outcome(settled, asked.key, completion))

    def _settle(self, asked: _Asked, call_id: int, state: CallState) -> None:
        self._booking.settle(Outcome(Settled(call_id, state), asked.key, None))

    def _kept(self, outcomes: Sequence[Outcome]) -> None:
        """What is on disk goes to whoever waits; money that was held back is free again."""
        answered = [(self._asked.pop(o.key), o.reply) for o in outcomes if o.reply is not None]
        if answered:
            self._hand_over(answer for found in answered for answer in answers(*found))
        self._gate.wake()

    def _may_retry(self, asked: _Asked) -> bool:
        if asked.attempts >= ATTEMPTS or self._retries_left <= 0:
            return False
        self._retries_left -= 1
        return True

    def _backoff_s(self, asked: _Asked) -> float:
        return backoff_s(asked.attempts, self._draw.random())

    def _fail(self, asked: _Asked, fault: Fault) -> None:
        """End one call for good; many in a row say that the endpoint is gone."""
        if fault.action is Action.RETRY:
            self._given_up += 1
            if self._given_up >= (GIVEN_UP if self._answers else GIVEN_UP_AT_FIRST):
                return self._stop(ModelError(_gone(self._name, self.endpoint, fault)))
        del self._asked[asked.key]
        self._hand_over(answers(asked, failed(fault, asked.attempts)))
        return None

    def _stop(self, error: JudgesmithError) -> None:
        """Send nothing more; the first reason is the one that is raised."""
        self._stopped = self._stopped or error
        self._gate.stop(self._stopped)

    def _raise_if_stopped(self) -> None:
        if self._stopped is not None:
            raise self._stopped

    def _said(self, fault: Fault) -> str:
        return f"model {self._name!r} at {self.endpoint.url}: {fault.what}"

    def _give_up_all(self) -> None:
        for task in self._tasks:
            task.cancel()


def answers(asked: _Asked, completion: Completion) -> Iterator[Answer]:
    """The completion for all who wait for it; the first has paid."""
    first, *others = asked.positions
    yield Answer(first, completion)
    for position in others:
        yield Answer(position, free_of_charge(completion))


def free_of_charge(completion: Completion) -> Completion:
    """The same reply without a call: another request paid for it."""
    return completion.model_copy(update={"cost_usd": 0.0, "calls": 0})


def failed(fault: Fault, attempts: int) -> Completion:
    """A completion for a call that has no reply."""
    return Completion(
        text="", finish=Finish.REFUSED if fault.refused else Finish.FAILED,
        prompt_tokens=0, completion_tokens=0,
        too_long=fault.too_long, failure=fault.what, calls=attempts,
    )  # fmt: skip


def _gone(name: str, endpoint: Endpoint, fault: Fault) -> str:
    return (
        f"model {name!r} at {endpoint.url} does not answer: {fault.what}. Nothing that was "
        "answered before is lost; check the address and the server, and run the same command again."
    )
