"""A thread with the event loop, so that replies keep coming in while the caller is at work."""

import asyncio
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from itertools import islice
from queue import SimpleQueue
from typing import Protocol, Self

from judgesmith.models.http.calls import Answer
from judgesmith.models.protocol import Completion, Request

LOOK_UP = 64
"""Requests whose replies are looked up in the cache at a time."""


class Asking(Protocol):
    """What answers the requests: single calls, or batches."""

    def opened(
        self, hand_over: Callable[[Iterable[Answer] | None], None]
    ) -> AbstractAsyncContextManager[Self]:
        """Ready to be asked; answers go to `hand_over`, None where no more need be asked."""
        ...

    def take_cached(self, some: Sequence[tuple[int, Request]]) -> list[tuple[int, Request, str]]:
        """Hand over what the cache has, and give back the rest, each with its key."""
        ...

    async def begin(self, position: int, request: Request, key: str) -> None:
        """Take a request."""
        ...

    async def finish(self) -> None:
        """Wait until all that was taken is answered; raise what stopped it."""
        ...


class Worker:
    """Answers requests in a thread of its own, and hands completions over in order.

    The thread takes requests as it can send them. It stops taking them where the caller has not
    taken completions for a while, so memory does not grow with their number: it is at most `ahead`
    requests beyond the completion that was taken last. None is as far as it goes.
    """

    def __init__(self, calls: Asking, requests: Iterable[Request], *, ahead: int | None) -> None:
        self._calls, self._requests = calls, enumerate(requests)
        self._ahead = sys.maxsize if ahead is None else ahead
        self._done: SimpleQueue[list[tuple[int, Completion]] | BaseException | None] = SimpleQueue()
        self._taken, self._full, self._halted = 0, False, False
        self._room: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._began = threading.Event()
        self._thread = threading.Thread(target=self._run, name="calls", daemon=True)

    def results(self) -> Iterator[Completion]:
        """Completions in the order of the requests; what stopped the thread is raised here."""
        self._thread.start()
        waiting: dict[int, Completion] = {}
        while True:
            batch = self._done.get()
            if batch is None:
                return
            if isinstance(batch, BaseException):
                raise batch
            waiting.update(batch)
            while self._taken in waiting:
                completion = waiting.pop(self._taken)
                self._taken += 1
                yield completion
            self._make_room()

    def stop(self) -> None:
        """End the thread; calls in flight are given up, and are booked as possibly paid."""
        if self._thread.ident is None:
            return
        self._began.wait()
        if self._thread.is_alive() and self._loop is not None and self._task is not None:
            task = self._task
            self._tell(task.cancel)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._answer_all())
        except asyncio.CancelledError:
            self._done.put(None)
        except BaseException as error:
            self._done.put(error)
        else:
            self._done.put(None)
        finally:
            self._began.set()

    async def _answer_all(self) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        self._room = asyncio.Event()
        self._began.set()
        async with self._calls.opened(self._hand_over) as calls:
            while not self._halted and (some := list(islice(self._requests, LOOK_UP))):
                await self._wait_for_room(some[0][0])
                for waiting in calls.take_cached(some):
                    await calls.begin(*waiting)
            await calls.finish()

    def _hand_over(self, answers: Iterable[Answer] | None) -> None:
        if answers is not None:
            self._done.put(list(answers))
            return
        assert self._room is not None
        self._halted = True
        self._room.set()  # who waits for room might wait for a completion that never comes

    async def _wait_for_room(self, position: int) -> None:
        assert self._room is not None
        self._full = True  # before the look: a completion taken right after it makes room
        while not self._halted and position > self._taken + self._ahead:
            await self._room.wait()
            self._room.clear()
        self._full = False

    def _make_room(self) -> None:
        if self._full and self._room is not None:
            self._tell(self._room.set)

    def _tell(self, what: object) -> None:
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(what)  # type: ignore[arg-type]
        except RuntimeError:
            return  # the loop has ended meanwhile
