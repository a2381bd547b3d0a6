"""A bounded queue in front of one thread, which takes what waits in batches of like work.

A judge answers a batch in little more time than a single item, and only one thread may use it. So
requests are laid into a queue; the thread takes the oldest job and every other that is alike, and
while it is at work the next batch gathers. Only a queue that has just begun to fill is given a
moment (`window_s`) to gather.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, Protocol

from judgesmith.errors import JudgesmithError

log = logging.getLogger(__name__)


class QueueFullError(JudgesmithError):
    """There is no room for a request now; `retry_after_s` is a guess at when there will be."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("too many requests are waiting")
        self.retry_after_s = retry_after_s


class Room(NamedTuple):
    """How many items may wait, how many are answered at once, and how long a batch gathers."""

    waiting: int
    batch: int
    window_s: float


class Watch(Protocol):
    """What is told about the queue, for metrics; called from the worker's thread."""

    def batch(self, items: int, waited_s: Sequence[float], took_s: float) -> None:
        """A batch was answered."""


Answer = Callable[[Hashable, list[Any]], Sequence[Any]]
"""Answers payloads of one kind, in their order."""


@dataclass(eq=False, slots=True)
class _Job:
    kind: Hashable
    payload: Any
    arrived: float
    future: "Future[Any]" = field(default_factory=Future)


class Batcher:
    """The queue and its thread. Offers come from any thread; `answer` runs in the worker's only.

    An offer is accepted whole or not at all. What was accepted is answered, unless its future is
    cancelled while it waits: then its room is free at once.
    """

    def __init__(self, answer: Answer, room: Room, watch: Watch | None = None) -> None:
        self._answer, self._room, self._watch = answer, room, watch
        self._jobs: deque[_Job] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._item_s = 0.05
        self._thread: threading.Thread | None = None

    @property
    def waiting(self) -> int:
        """Items that wait; those at work are not counted."""
        return len(self._jobs)

    def start(self, first: Callable[[], None]) -> None:
        """Start the thread; it calls `first`, such as to open the judge, and then takes jobs."""
        self._thread = threading.Thread(target=self._run, args=(first,), name="judge", daemon=True)
        self._thread.start()

    def offer(self, kind: Hashable, payloads: Sequence[Any]) -> "list[Future[Any]]":
        """Lay items of one request into the queue; one future each, in order.

        Raises QueueFullError where there is no room for all of them, or the queue is closed.
        """
        with self._changed:
            if self._closed or len(self._jobs) + len(payloads) > self._room.waiting:
                raise QueueFullError(self._retry_after_s())
            now = time.monotonic()
            jobs = [_Job(kind, payload, now) for payload in payloads]
            self._jobs.extend(jobs)
            self._changed.notify_all()
        for job in jobs:
            job.future.add_done_callback(partial(self._forget, job))
        return [job.future for job in jobs]

    def close(self) -> None:
        """Take nothing more. The thread ends when what was accepted is answered."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def join(self, timeout_s: float | None = None) -> None:
        """Wait for the thread to end."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _retry_after_s(self) -> int:
        """The time that what waits will take at the speed of late: whole seconds from 1 to 60."""
        return max(1, min(60, round(len(self._jobs) * self._item_s)))

    def _forget(self, job: _Job, future: "Future[Any]") -> None:
        if future.cancelled():
            with self._changed:
                if job in self._jobs:
                    self._jobs.remove(job)

    def _run(self, first: Callable[[], None]) -> None:
        first()
        while batch := self._take():
            self._work(batch)

    def _take(self) -> list[_Job]:
        """The next batch, once there is one; nothing when the queue is closed and empty."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._jobs or self._closed)
                if not self._jobs:
                    return []
                gathered = self._jobs[0].arrived + self._room.window_s
                while not self._closed and 0 < len(self._jobs) < self._room.batch:
                    if not self._changed.wait(max(0.0, gathered - time.monotonic())):
                        break
                batch = self._alike()
            if batch:
                return batch

    def _alike(self) -> list[_Job]:
        """Take out the oldest job and those like it that are still wanted, in their order."""
        kind = self._jobs[0].kind if self._jobs else None
        batch: list[_Job] = []
        left: deque[_Job] = deque()
        for job in self._jobs:
            if job.kind != kind or len(batch) == self._room.batch:
                left.append(job)
            elif job.future.set_running_or_notify_cancel():
                batch.append(job)
        self._jobs = left
        return batch

    def _work(self, batch: list[_Job]) -> None:
        begun = time.monotonic()
        try:
            found = list(self._answer(batch[0].kind, [job.payload for job in batch]))
            if len(found) != len(batch):
                raise ValueError(f"expected {len(batch)} answers, found {len(found)}")
        except Exception as error:
            self._work_alone(batch, error)
            return
        took = time.monotonic() - begun
        self._item_s = 0.8 * self._item_s + 0.2 * took / len(batch)
        if self._watch is not None:
            self._watch.batch(len(batch), [begun - job.arrived for job in batch], took)
        for job, result in zip(batch, found, strict=True):
            job.future.set_result(result)

    def _work_alone(self, batch: list[_Job], error: Exception) -> None:
        """One item that cannot be answered spoils no other: after a fault each goes by itself."""
        if len(batch) == 1:
            if not isinstance(error, JudgesmithError):
                log.error("a request could not be answered", exc_info=error)
            batch[0].future.set_exception(error)
            return
        for job in batch:
            self._work([job])
