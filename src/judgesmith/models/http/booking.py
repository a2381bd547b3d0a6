"""Books calls and keeps replies, those of one turn of the event loop in one transaction."""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from judgesmith.models.http.cache import ReplyCache
from judgesmith.models.http.ledger import Call, Ledger, Settled
from judgesmith.models.protocol import Completion


class Outcome(NamedTuple):
    """How a call ended; `reply` is what is kept of it, where it was answered."""

    settled: Settled
    key: str
    reply: Completion | None


class Booking:
    """The cache and the ledger, as the calls of one event loop see them.

    `kept` is told of outcomes once they are on disk. `broken` is told where they cannot be
    written; they are not lost by that, and the next flush tries again.
    """

    def __init__(
        self, cache: ReplyCache, ledger: Ledger, *,
        kept: Callable[[Sequence[Outcome]], None], broken: Callable[[Exception], None],
    ) -> None:  # fmt: skip
        self._cache, self._ledger = cache, ledger
        self._kept, self._broken = kept, broken
        self._opening: list[tuple[Call, asyncio.Future[int]]] = []
        self._settling: list[Outcome] = []
        self._promised = 0
        self._scheduled = False

    def affords(self, bound: int) -> bool:
        """Whether a call of at most `bound` fits beside what is booked and about to be."""
        if self._ledger.fits(self._promised + bound):
            return True
        self.flush()  # calls that have ended may still be booked at their bounds
        return self._ledger.fits(self._promised + bound)

    def open(self, call: Call) -> "asyncio.Future[int]":
        """Book a call; its number comes once it is on disk, and only then may it go out."""
        number: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._opening.append((call, number))
        self._promised += call.bound
        self._schedule()
        return number

    def settle(self, outcome: Outcome) -> None:
        """Book how a call ended, and keep its reply."""
        self._settling.append(outcome)
        self._schedule()

    def flush(self) -> None:
        """Write what waits."""
        self._scheduled = False
        opening, self._opening = self._opening, []
        settling, self._settling = self._settling, []
        booked = False
        try:
            if settling:
                # The reply first: a kill in between leaves a paid reply that is there, never
                # a call that counts as paid and whose reply is gone.
                self._cache.put(
                    {o.key: o.reply for o in settling if o.reply is not None},
                    {o.key: o.settled.call_id for o in settling if o.reply is not None},
                )
                self._ledger.settle([outcome.settled for outcome in settling])
                booked = True
                self._kept(settling)
            if opening:
                self._open_all(opening)
        except Exception as error:  # whatever it is, nobody may wait for it for ever
            if not booked:
                self._settling = settling + self._settling
            self._broken(error)
            for _, number in opening:
                if not number.done():
                    number.set_exception(error)

    def _open_all(self, opening: Sequence[tuple[Call, "asyncio.Future[int]"]]) -> None:
        self._promised -= sum(call.bound for call, _ in opening)
        numbers = self._ledger.open([call for call, _ in opening])
        for (_, waiting), number in zip(opening, numbers, strict=True):
            if not waiting.done():
                waiting.set_result(number)

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self.flush)
