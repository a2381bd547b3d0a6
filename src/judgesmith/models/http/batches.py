"""Requests answered through a vendor's batches: cheaper, slower, and never paid for twice.

A batch's life: its requests gather until it is full or no more come; the ledger books what it may
cost under a name of ours, for good; only then is it created, and looked at until it is over; the
results are read, the replies kept and the calls settled; the completions are handed over. After a
kill the batches that the ledger has open are looked for on the server before anything is sent.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Self

from judgesmith.errors import ModelError
from judgesmith.models.http.batch_book import BatchBook, BatchState, LineAsked, OpenBatch, OpenLine
from judgesmith.models.http.batch_queue import Asked, Queue
from judgesmith.models.http.batch_results import Results, download
from judgesmith.models.http.batch_search import Search
from judgesmith.models.http.batch_sender import BatchFault, BatchSender
from judgesmith.models.http.batch_settling import all_free, completed, settled
from judgesmith.models.http.batch_vendor import Draft, Seen, load_vendor
from judgesmith.models.http.cache import request_key
from judgesmith.models.http.calls import Answer, failed, free_of_charge, too_long
from judgesmith.models.http.faults import Action, Fault
from judgesmith.models.http.prices import bound
from judgesmith.models.http.wires import Reply, load_wire
from judgesmith.models.protocol import Completion, Request
from judgesmith.runs.endpoint import Endpoint

if TYPE_CHECKING:
    from judgesmith.models.http.client import Books

TRIES = 3
"""Batches that a request may be in before it fails for good."""
NO_ROOM_S = 24 * 3600.0
"""How long there may be no room for a single request while we have none there: by then whatever
others had in the queue is over."""
LONGEST_WAIT_S = 600.0
"""The longest wait between two looks whether there is room."""
CROWDED_AFTER = 6
"""Creations that a server refuses as too many before that is taken for a full queue."""
LAST_LOOK_S = 10.0
"""How long open batches that nobody asks for are looked at, in the end."""
GONE, TOO_MANY = 404, 429


class Batches:
    """Batches of one endpoint for one stage; asked like single calls."""

    def __init__(self, name: str, endpoint: Endpoint, key: str | None, books: "Books") -> None:
        assert endpoint.batch is not None
        self.endpoint, self._how = endpoint, endpoint.batch
        self._name, self._books = name, books
        self._wire, self._vendor = load_wire(endpoint.protocol), load_vendor(endpoint.protocol)
        self._sender = BatchSender(name, endpoint, key)
        self._book = BatchBook(books.ledger, endpoint, stage=books.stage, model=name)
        self._search = Search(self._sender, self._vendor, self._book, poll_s=self._how.poll_s)
        self._most = min(self._how.max_requests, self._vendor.most)
        self._queue = Queue(requests=self._most, tokens=self._how.max_tokens)
        self._asked: dict[str, Asked] = {}
        self._running: dict[asyncio.Task[None], OpenBatch] = {}
        self._pending: set[str] = set()
        self._tries: dict[str, int] = {}
        self._replied: set[str] = set()
        self._looked: set[str] = set()
        self._crowded, self._refusals, self._no_room_since = False, 0, math.inf
        self._answered = False

    @asynccontextmanager
    async def opened(self, hand_over: Callable[[Iterable[Answer]], None]) -> AsyncIterator[Self]:
        """Connections open, open batches taken up. What is still open on the way out stays so."""
        self._hand_over = hand_over
        async with self._sender.opened():
            try:
                for batch in self._book.take_open():
                    self._start(batch, self._recover(batch))
                yield self
            finally:
                for task in self._running:
                    task.cancel()
                await asyncio.gather(*self._running, return_exceptions=True)
                self._book.release()

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
        """Put a request into a batch, unless it is in one."""
        if key in self._asked:
            self._asked[key].positions.append(position)
            return
        # Its batch may have ended since the cache was looked at.
        if key in self._replied and not self.take_cached([(position, request)]):
            return
        long = too_long(self.endpoint, request)
        if long is not None:
            self._hand_over([Answer(position, failed(long, 0))])
            return
        body = self._wire.body(self.endpoint, request)
        most = bound(self.endpoint, request, len(body), batch=True)
        asked = Asked(request, key, body, most, [position], self._tries.get(key, 0))
        self._asked[key] = asked
        if key not in self._pending:
            self._queue.add(asked)
        while self._queue.is_full:
            await self._launch()

    async def finish(self) -> None:
        """Wait until all is answered; what makes going on useless is raised here."""
        while self._queue or any(self._is_wanted(batch) for batch in self._running.values()):
            await (self._launch() if self._queue else self._one_ends())
        # What nobody asks for any more is read where it is over, and left to itself otherwise.
        until = time.monotonic() + LAST_LOOK_S
        while time.monotonic() < until and any(
            batch.intent not in self._looked for batch in self._running.values()
        ):
            await self._one_ends(within_s=0.05)

    async def _launch(self) -> None:
        """Send the next batch, or wait for what stands in its way."""
        chunk = self._queue.head()
        dear = not self._books.ledger.fits(sum(asked.bound for asked in chunk))
        # After a refusal batches go one at a time, until one of full size was answered.
        crowded = self._crowded or self._queue.requests < self._most
        if (dear or crowded or self._too_many_tokens(chunk)) and self._running:
            return await self._one_ends()
        if self._crowded:
            await asyncio.sleep(min(LONGEST_WAIT_S, self._how.poll_s * 2.0**self._refusals))
        if dear:
            chunk = self._queue.head(self._books.ledger.fits)
            if not chunk:
                self._books.ledger.refuse(self._queue.head()[0].bound)
        self._queue.drop(len(chunk))
        for asked in chunk:
            asked.tries += 1
        lines = [LineAsked(a.key, a.bound, a.tries, a.request.wanted) for a in chunk]
        batch = self._book.intend(lines, tokens=sum(asked.tokens for asked in chunk))
        self._start(batch, self._send(batch, chunk))
        await asyncio.sleep(0)

    def _too_many_tokens(self, chunk: Sequence[Asked]) -> bool:
        if self._how.max_tokens is None:
            return False
        enqueued = sum(batch.tokens for batch in self._running.values())
        return enqueued + sum(asked.tokens for asked in chunk) > self._how.max_tokens

    def _start(self, batch: OpenBatch, life: Coroutine[None, None, None]) -> None:
        self._pending.update(line.key for line in batch.lines)
        self._running[asyncio.create_task(life)] = batch

    async def _one_ends(self, within_s: float | None = None) -> None:
        """Wait for a batch to end; what it raised is raised here."""
        done, _ = await asyncio.wait(
            self._running, timeout=within_s, return_when=asyncio.FIRST_COMPLETED
        )
        for task in done:
            del self._running[task]
        for task in done:
            task.result()

    def _is_wanted(self, batch: OpenBatch) -> bool:
        return any(line.key in self._asked for line in batch.lines)

    async def _send(self, batch: OpenBatch, chunk: Sequence[Asked]) -> None:
        """Create a batch and see it through."""
        bodies = [
            (batch.custom_id(line.number), asked.body)
            for line, asked in zip(batch.lines, chunk, strict=True)
        ]
        draft = Draft(batch.intent, bodies)
        try:
            file = await self._vendor.prepare(self._sender, draft)
        except BatchFault:
            self._book.close(batch, BatchState.ABSENT, all_free(batch))
            raise
        if file is not None:
            self._book.uploaded(batch, file)
        seen = await self._create(batch, draft, file)
        if seen is not None:
            await self._follow(batch, seen)
        elif file is not None:
            await self._sender.delete(f"/files/{file}")

    async def _create(self, batch: OpenBatch, draft: Draft, file: str | None) -> Seen | None:
        """Create a batch; where it is not known whether it was, look before trying again.

        None where there was no room for it.
        """
        attempts = 0
        while True:
            try:
                return await self._vendor.create(self._sender, draft, file)
            except BatchFault as error:
                attempts += 1
                if error.fault.action is not Action.RETRY:
                    self._book.close(batch, BatchState.REFUSED, all_free(batch))
                    raise
                if error.status == TOO_MANY and attempts >= CROWDED_AFTER:
                    self._refused(batch, error.fault.what, crowded=True)
                    return None
                if self._sender.is_enough(attempts):
                    raise
                await self._sender.pause(attempts, error.fault)
                found = await self._search.find(batch) if error.fault.maybe_paid else None
                if found is not None:
                    return found

    async def _recover(self, batch: OpenBatch) -> None:
        """See a batch of an earlier process through, if it is there."""
        if batch.server_id is not None:
            await self._follow(batch, await self._look(batch.server_id))
            return
        seen = await self._search.find(batch)
        if seen is not None:
            await self._follow(batch, seen)
            return
        self._book.close(batch, BatchState.ABSENT, all_free(batch))
        self._ask_anew(batch)
        if batch.input_file is not None:
            await self._sender.delete(f"/files/{batch.input_file}")

    async def _look(self, server_id: str) -> Seen:
        try:
            return await self._vendor.look(self._sender, server_id)
        except BatchFault as error:
            if error.status != GONE:
                raise
            raise ModelError(
                self._sender.said(
                    f"batch {server_id}, which this run made, is not known to the server. Use a "
                    "key of the account and project that made it. If the batch was deleted there, "
                    "start a run in another folder: what was answered comes out of the cache."
                )
            ) from None

    async def _follow(self, batch: OpenBatch, seen: Seen) -> None:
        """Wait for a batch to be over, and take its results."""
        self._book.created(batch, seen.id)
        while not seen.over:
            self._looked.add(batch.intent)
            await asyncio.sleep(self._how.poll_s)
            seen = await self._look(seen.id)
        if seen.failed is None:
            results = await download(
                self._sender, self._vendor, batch=batch, seen=seen, endpoint=self.endpoint
            )
            self._keep(batch, results)
            if results.counts().missing:
                return  # what was paid may still be in them
        else:
            self._refused(batch, seen.failed, crowded=seen.crowded)
        for file in seen.files:
            await self._sender.delete(file)

    def _refused(self, batch: OpenBatch, words: str, *, crowded: bool) -> None:
        """The vendor took none of it: ask again once there is room, or stop."""
        self._book.close(batch, BatchState.REFUSED, all_free(batch))
        size = len(batch.lines)
        if not crowded:
            raise ModelError(
                self._sender.said(
                    f"a batch of {size} requests was refused: {words}. Mend the recipe, or set "
                    "`batch: {max_requests, max_tokens}` lower; then run the same command again."
                )
            )
        self._crowded = True
        if len(self._running) == 1:
            self._no_room_alone(size, words)
        self._ask_anew(batch)

    def _no_room_alone(self, size: int, words: str) -> None:
        """Nothing of ours is in the way of a batch: it is too large, or others fill the queue."""
        now = time.monotonic()
        if size == 1 or self._no_room_since == math.inf:
            self._sender.say(f"no room for a batch of {size}, it is tried again: {words}")
        self._no_room_since = min(self._no_room_since, now)
        if size == 1 and now - self._no_room_since >= NO_ROOM_S:
            raise ModelError(
                self._sender.said(
                    f"there was no room for a single request for {NO_ROOM_S / 3600:g} h: {words}. "
                    "Others' batches fill the queue of the account: once they are over, or "
                    "cancelled by whoever made them, run the same command again."
                )
            )
        self._refusals += size == 1
        self._queue.requests = max(1, size // 2)

    def _ask_anew(self, batch: OpenBatch) -> None:
        """Put what is asked for back into the queue: this batch was no try."""
        self._pending.difference_update(line.key for line in batch.lines)
        some = []
        for line in batch.lines:
            self._tries[line.key] = line.tries - 1
            if line.key in self._asked:
                some.append(self._asked[line.key])
                some[-1].tries = line.tries - 1
        self._queue.put_back(some)

    def _keep(self, batch: OpenBatch, results: Results) -> None:
        """Keep the replies, settle the calls, and only then hand over."""
        found = [(line, results.of(line)) for line in batch.lines]
        replies = {
            line.key: (line, completed(self.endpoint, line, one))
            for line, one in found
            if isinstance(one, Reply)
        }
        others = [one for _, one in found if isinstance(one, Fault) and _of_another_model(one)]
        if others and not replies and not self._answered:
            # The batch stays open: it is paid for, and `answers_as` may make its replies readable.
            raise ModelError(self._sender.said(self._sender.redacted(others[0]).what))
        # The reply first: a kill in between leaves a batch that is read once more.
        self._books.cache.put(
            {key: completion for key, (_, completion) in replies.items()},
            {key: line.call_id for key, (line, _) in replies.items()},
        )
        outcomes = [settled(self.endpoint, line, one) for line, one in found]
        self._book.close(batch, BatchState.OVER, outcomes, results.counts())
        self._pending.difference_update(line.key for line in batch.lines)
        self._answered = self._answered or bool(replies)
        self._crowded, self._refusals, self._no_room_since = False, 0, math.inf
        self._queue.requests = min(self._most, 2 * self._queue.requests)
        self._replied.update(replies)
        self._hand_over(
            answer for key, (_, completion) in replies.items()
            for answer in self._answers(key, completion)
        )  # fmt: skip
        self._go_on([(line, one) for line, one in found if isinstance(one, Fault)])

    def _go_on(self, faults: Sequence[tuple[OpenLine, Fault]]) -> None:
        """Ask again, or say why there is no answer."""
        for line, fault in faults:
            fault = self._sender.redacted(fault)
            if fault.action is Action.STOP or (fault.stop_if_first and not self._answered):
                raise ModelError(self._sender.said(fault.what))
            self._tries[line.key] = line.tries
            asked = self._asked.get(line.key)
            if asked is not None and fault.action is Action.RETRY and line.tries < TRIES:
                asked.tries = line.tries
                self._queue.add(asked)
            else:
                self._hand_over(self._answers(line.key, failed(fault, line.tries)))

    def _answers(self, key: str, completion: Completion) -> Iterator[Answer]:
        """The completion for all who wait for it; the first has paid."""
        asked = self._asked.pop(key, None)
        for n, position in enumerate(asked.positions if asked is not None else ()):
            yield Answer(position, completion if n == 0 else free_of_charge(completion))


def _of_another_model(fault: Fault) -> bool:
    """Whether a reply came that is paid for, under a name that was not asked."""
    return fault.stop_if_first and fault.maybe_paid
