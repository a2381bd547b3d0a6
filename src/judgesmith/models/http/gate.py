"""Who may call now: the window, the rates, a Retry-After, and the money, in the order of asking."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from judgesmith.errors import JudgesmithError
from judgesmith.models.http.pace import Rates, Window


class Gate:
    """Lets calls pass in the order in which they ask.

    `affords(bound)` says whether a call that may cost `bound` fits the budget beside all that is
    booked; where it does not and no call is in flight whose end could free some, `broke(bound)` is
    called: it raises.
    """

    def __init__(
        self, window: Window, rates: Rates | None, *,
        affords: Callable[[int], bool], broke: Callable[[int], None],
    ) -> None:  # fmt: skip
        self.window, self.in_flight = window, 0
        self._rates, self._affords, self._broke = rates, affords, broke
        self._hold_until = 0.0
        self._waiting: deque[asyncio.Event] = deque()
        self._stopped: JudgesmithError | None = None
        self._stopping = asyncio.Event()

    async def enter(self, bound: int, tokens: int) -> None:
        """Wait for a turn. `bound` is the most that the call can cost, in nano-dollars."""
        turn = asyncio.Event()
        self._waiting.append(turn)
        try:
            while not self._may_pass(turn, bound, tokens):
                await self._changed(turn, tokens)
            self.in_flight += 1
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

    def stop(self, error: JudgesmithError) -> None:
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
        if self.in_flight == 0:
            self._broke(bound)
        return False

    def _pause_s(self, tokens: int) -> float:
        now = time.monotonic()
        rates = 0.0 if self._rates is None else self._rates.wait_s(now, tokens=tokens)
        return max(self._hold_until - now, rates)

    async def _changed(self, turn: asyncio.Event, tokens: int) -> None:
        turn.clear()
        # Rates refill by the clock alone: nobody would wake the call that waits for them.
        pause = self._pause_s(tokens) if self._waiting[0] is turn else 0.0
        with suppress(TimeoutError):
            await asyncio.wait_for(turn.wait(), pause if pause > 0 else None)
