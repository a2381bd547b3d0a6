"""The calls of one `complete`: sent, tried again where that helps, and ended one way or another."""

import asyncio
import random
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, Self

from judgesmith.errors import ModelError, RecipeError
from judgesmith.models.http.booking import Booking, Outcome
from judgesmith.models.http.cache import request_key
from judgesmith.models.http.faults import Action, Fault
from judgesmith.models.http.gate import Gate
from judgesmith.models.http.ledger import Call, CallState, Settled
from judgesmith.models.http.pace import Rates, Window, backoff_s
from judgesmith.models.http.prices import actual, bound, dollars, usd
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
SILENT, SILENT_AT_FIRST, SILENT_PROMPTS, PROBE_S = 12, 6, 8, 0.1
"""Faults in a row after which the endpoint counts as gone. The pause after the first is `PROBE_S`
and doubles up to 30 s, which makes two minutes. Before any answer it is given up sooner where each
call may be billed, or nobody listens. After answers, what may lie in a prompt counts by prompts:
some are never taken by a server that is well."""
PATIENCE_S = 600.0
"""The longest pause that a server may ask for; for a longer one the run stops, and says so."""
CHARACTERS_PER_TOKEN = 8
"""More than tokenizers pack into a token, on average over a prompt: those of Llama 3, Qwen 3.5,
Gemma 4 and Command R had at most 6.5 over any of 1,537 English responses and prompts (median 5.3),
and less in every other language tried (Russian 5.1, German 4.8, Hindi 4.0, Thai 3.0). Runs of one
sign are another matter (up to 400 spaces a token), and count as three signs."""
_RUN = re.compile(r"([\W_])\1{3,}")


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
        self._lately = set[str]()  # answered since the cache was looked at
        self._stopped: Exception | None = None
        self._retries_left, self._answers = SPARE_RETRIES, 0
        self._silenced: Fault | None = None
        self._draw = random.Random()  # when to try again is no result: it need not repeat

    @asynccontextmanager
    async def opened(
        self, hand_over: Callable[[Iterable[Answer] | None], None]
    ) -> AsyncIterator[Self]:
        """Connections open, books ready. On the way out nothing is left in flight."""
        self._hand_over = hand_over
        self._booking = Booking(
            self._books.cache, self._books.ledger, kept=self._kept, broken=self._stop
        )
        # A model that answered this run before is there; what fails now is the prompt, or a while.
        known = self._books.ledger.lines()
        self._answers = sum(line.paid_calls for line in known if line.model == self._name)
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
        self._lately.clear()
        return self._not_cached([(p, r, request_key(self.endpoint, r)) for p, r in some])

    def _not_cached(
        self, keyed: Sequence[tuple[int, Request, str]]
    ) -> list[tuple[int, Request, str]]:
        found = self._books.cache.get(key for _, _, key in keyed)
        hits = [Answer(p, found[key]) for p, _, key in keyed if key in found]
        if hits:
            self._books.ledger.hits(self._books.stage, self._name, len(hits))
            self._answers += len(hits)
            self._hand_over(hits)
        return [entry for entry in keyed if entry[2] not in found]

    async def begin(self, position: int, request: Request, key: str) -> None:
        """Send a request as soon as it may go out."""
        self._raise_if_stopped()
        if key in self._asked:
            self._asked[key].positions.append(position)
            return
        if key in self._lately and not self._not_cached([(position, request, key)]):
            return
        long = too_long(self.endpoint, request)
        if long is not None:
            self._hand_over([Answer(position, failed(long, 0))])
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
        if self._silenced is not None and not self._answers:
            raise ModelError(_gone(self._said(self._silenced)))

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
                if (fault.retry_after_s or 0) > PATIENCE_S:
                    return self._stop(ModelError(_later(self._said(fault), fault)))
                if fault.action is Action.FAIL or not self._may_retry(asked):
                    return self._fail(asked, fault)
                if self._is_gone(fault):
                    return self._stop(ModelError(_gone(self._said(fault))))
                await self._gate.pause(max(fault.retry_after_s or 0.0, self._backoff_s(asked)))
                if self._stopped is not None:
                    return
                number = await self._enter(asked)
        except Exception as error:  # raised by `finish`, also where it is a mistake of ours
            self._stop(error)

    async def _attempt(self, asked: _Asked, number: "asyncio.Future[int]") -> Fault | None:
        """One call, booked however it ends; None where it was answered."""
        asked.attempts += 1
        try:
            return await self._called(asked, number)
        finally:
            # Once it is booked: whoever waits for its money would find it still in flight.
            self._gate.leave()

    async def _called(self, asked: _Asked, number: "asyncio.Future[int]") -> Fault | None:
        epoch = self._gate.window.epoch
        call_id = None
        try:
            call_id = await number
            sent = await self._sender.send(asked.body, asked.request)
            if isinstance(sent, Reply):
                self._keep(asked, call_id, sent)
        except BaseException:
            if call_id is not None:
                self._settle(asked, call_id, CallState.POSSIBLY_PAID)
            raise
        if isinstance(sent, Reply):
            self._gate.window.answered()
            self._gate.heard(epoch)
            self._answers += 1
            self._retries_left += 1
            return None
        paid = CallState.POSSIBLY_PAID if sent.maybe_paid else CallState.FREE
        self._settle(asked, call_id, paid)
        window = self._gate.window
        if sent.action is not Action.RETRY:
            self._gate.heard(epoch)
        elif window.failed(epoch, asked.key, busy=sent.slow_down):
            faults = window.faults if self._of_the_server(sent) else window.silent
            self._gate.doubt(backoff_s(faults, 1.0, first_s=PROBE_S))
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
        if cost > asked.bound:
            self._stop(ModelError(self._too_dear(asked, cost, completion)))

    def _settle(self, asked: _Asked, call_id: int, state: CallState) -> None:
        self._booking.settle(Outcome(Settled(call_id, state), asked.key, None))

    def _kept(self, outcomes: Sequence[Outcome]) -> None:
        """What is on disk goes to whoever waits; money that was held back is free again."""
        answered = [(self._asked.pop(o.key), o.reply) for o in outcomes if o.reply is not None]
        if answered:
            self._lately.update(asked.key for asked, _ in answered)
            self._hand_over(answer for found in answered for answer in answers(*found))
        self._gate.wake()

    def _is_gone(self, fault: Fault) -> bool:
        """Whether to ask no more; early where each call may cost and none was ever answered."""
        if self._of_the_server(fault):
            early = (fault.unreachable or fault.maybe_paid) and not self._answers
            return self._gate.window.faults >= (SILENT_AT_FIRST if early else SILENT)
        return self._gate.window.silent >= SILENT_PROMPTS

    def _of_the_server(self, fault: Fault) -> bool:
        """Whether it cannot be this prompt that is at fault, one that the server never takes."""
        busy = fault.slow_down and not fault.maybe_paid
        return fault.unreachable or busy or not self._answers

    def _may_retry(self, asked: _Asked) -> bool:
        if asked.attempts >= ATTEMPTS or self._retries_left <= 0:
            return False
        self._retries_left -= 1
        return True

    def _backoff_s(self, asked: _Asked) -> float:
        return backoff_s(asked.attempts, self._draw.random())

    def _fail(self, asked: _Asked, fault: Fault) -> None:
        """End one call for good."""
        if fault.action is Action.RETRY:
            self._silenced = fault
        del self._asked[asked.key]
        self._hand_over(answers(asked, failed(fault, asked.attempts)))

    def _stop(self, error: Exception) -> None:
        """Send nothing more; the first reason is the one that is raised."""
        if self._stopped is None:
            self._stopped = error
            self._gate.stop(error)
            self._hand_over(None)

    def _raise_if_stopped(self) -> None:
        if self._stopped is not None:
            raise self._stopped

    def _said(self, fault: Fault) -> str:
        return f"model {self._name!r} at {self.endpoint.url}: {fault.what}"

    def _too_dear(self, asked: _Asked, cost: int, completion: Completion) -> str:
        return (
            f"model {self._name!r} at {self.endpoint.url}: expected a call that costs at most "
            f"{dollars(asked.bound)}, with up to {asked.request.sampling.max_tokens} tokens of "
            f"reply, found one for {dollars(cost)}, with {completion.prompt_tokens} tokens of "
            f"prompt and {completion.completion_tokens} of reply. No budget can be kept so. Raise "
            "the stage's `max_tokens`, or turn long thinking off in `options`; then run again: "
            "what was answered is not paid again."
        )

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


def too_long(endpoint: Endpoint, request: Request) -> Fault | None:
    """Why a prompt surely does not fit the endpoint's `context`, so that no call is worth making.

    Where it is not sure the server decides. Raises RecipeError where no prompt could fit.

    >>> here = Endpoint(protocol="openai", url="http://localhost:1/v1", model="m", context=1000)
    >>> from judgesmith.models.protocol import Sampling
    >>> from judgesmith.records import Message
    >>> def prompt(length: int) -> Request:
    ...     said = (Message(role="user", content="x" * length),)
    ...     return Request(record_id="q", messages=said, sampling=Sampling(max_tokens=300))
    >>> too_long(here, prompt(700 * 8)) is None, too_long(here, prompt(700 * 8 + 1)) is None
    (True, False)
    """
    if endpoint.context is None:
        return None
    texts, limit = [m.content for m in request.messages], request.sampling.max_tokens
    if limit >= endpoint.context:
        raise RecipeError(
            f"model {endpoint.model!r} at {endpoint.url}: expected a `context` with room for a "
            f"prompt beside a reply of up to {limit:,} tokens, found one of {endpoint.context:,} "
            "tokens in all. Correct `context`, or let the stage ask for shorter replies "
            "(`reply_tokens`, or `max_tokens` of its `sampling`)."
        )
    room = CHARACTERS_PER_TOKEN * (endpoint.context - limit)
    length = sum(map(len, texts))
    if length <= room or sum(len(_RUN.sub(r"\1\1\1", text)) for text in texts) <= room:
        return None
    return Fault(
        Action.FAIL,
        f"the prompt of {length:,} characters and a reply of up to {limit:,} tokens do not fit the "
        f"`context` of {endpoint.context:,} tokens",
        too_long=True,
    )


def _later(said: str, fault: Fault) -> str:
    back = datetime.now().astimezone() + timedelta(seconds=fault.retry_after_s or 0)
    return (
        f"{said}. The server takes no calls before {back:%Y-%m-%d %H:%M %Z}: run the same command "
        "again then; nothing that was answered is lost."
    )


def _gone(said: str) -> str:
    return (
        f"{said}. It does not answer as it should, however often it is asked. Check the address "
        "and the server, then run the same command again: nothing that was answered is lost."
    )
