"""Who may call now: the window, the rates, a Retry-After, and the money, in the order of asking."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from math import inf

from judgesmith.models.http.pace import Rates, Window


class Gate:
    """Lets calls pass in the order in which they ask.

    `affords(bound)` says whether a call that may cost `bound` fits the budget beside all that is
    booked; where it does not and no call is in flight whose end could free some, `broke(bound)` is
    called: it raises.

    After a fault the server is in doubt: until a call that began later is answered, one call passes
    for each answer to an older one, and one to try the server after a while. So a server that
    answers most calls is hardly slowed, and one that is gone gets one call at a time.
    """

    def __init__(
        self, window: Window, rates: Rates | None, *,
        affords: Callable[[int], bool], broke: Callable[[int], None],
    ) -> None:  # fmt: skip
        self.window, self.in_flight = window, 0
        self._rates, self._affords, self._broke = rates, affords, broke
        self._hold_until = 0.0
        self._doubted: int | None = None  # the epoch from which on an answer ends the doubt
        self._probes, self._probe_at = 0, 0.0
        self._waiting: deque[asyncio.Event] = deque()
        self._stopped: Exception | None = None
        self._stopping = asyncio.Event()

    async def enter(self, bound: int, tokens: int) -> None:
        """Wait for a turn. `bound` is the most that the call can cost, in nano-dollars."""
        turn = asyncio.Event()
        self._waiting.append(turn)
        try:
            while not self._may_pass(turn, bound, tokens):
                await self._changed(turn, tokens)
            self.in_flight += 1
            if self._doubted is not None:
                self._tried()
            if self._rates is not None:
                self._rates.take(time.monotonic(), tokens=tokens)
        finally:
            self._waiting.remove(turn)
            self.wake()

    def leave(self) -> None:
        """A call has ended, however it did."""
        self.in_flight -= 1
        self.wake()

    def wake(self) -> None:
        """Something changed: let the first look again."""
        if self._waiting:
            self._waiting[0].set()

    def hold(self, seconds: float) -> None:
        """The server asked for a pause."""
        self._hold_until = max(self._hold_until, time.monotonic() + seconds)

    def doubt(self, seconds: float) -> None:
        """The server may be gone; it is tried after so many seconds."""
        if self._doubted is None:
            self._doubted = self.window.epoch
        self._probes = 0  # what was answered before this fault says nothing any more
        self._probe_at = time.monotonic() + seconds

    def heard(self, epoch: int) -> None:
        """The server answered a call that began in `epoch`."""
        if self._doubted is not None:
            if epoch >= self._doubted:
                self._doubted = None
            else:
                self._probes += 1
            self.wake()

    def stop(self, error: Exception) -> None:
        """Nobody passes any more: those who wait are told why."""
        self._stopped = error
        self._stopping.set()
        for turn in self._waiting:
            turn.set()

    async def pause(self, seconds: float) -> None:
        """Let time pass, unless all is stopped meanwhile."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    def _may_pass(self, turn: asyncio.Event, bound: int, tokens: int) -> bool:
        if self._stopped is not None:
            raise self._stopped
        return self._waiting[0] is turn and self._open(bound, tokens)

    def _open(self, bound: int, tokens: int) -> bool:
        if self.in_flight >= self.window.size or self._pause_s(tokens) > 0:
            return False
        if self._affords(bound):
            return True
        if self._stopped is not None:  # by that look: the books cannot be written
            raise self._stopped
        if self.in_flight == 0:
            self._broke(bound)
        return False

    def _pause_s(self, tokens: int) -> float:
        now = time.monotonic()
        rates = 0.0 if self._rates is None else self._rates.wait_s(now, tokens=tokens)
        doubt = 0.0 if self._doubted is None or self._probes else self._probe_at - now
        return max(self._hold_until - now, doubt, rates)

    def _tried(self) -> None:
        if self._probes:
            self._probes -= 1
        else:
            self._probe_at = inf  # until it is known how this call ends

    async def _changed(self, turn: asyncio.Event, tokens: int) -> None:
        turn.clear()
        # Rates refill by the clock alone: nobody would wake the call that waits for them.
        pause = self._pause_s(tokens) if self._waiting[0] is turn else 0.0
        with suppress(TimeoutError):
            await asyncio.wait_for(turn.wait(), pause if 0 < pause < inf else None)
