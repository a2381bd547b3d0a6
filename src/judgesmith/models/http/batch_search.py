"""Whether a batch that was meant to be created is on the server, though nobody saw the answer."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from judgesmith.models.http.batch_book import BatchBook, OpenBatch
from judgesmith.models.http.batch_sender import BatchFault, BatchSender
from judgesmith.models.http.batch_vendor import BatchVendor, Seen, custom_id_of
from judgesmith.models.http.faults import of_unreadable
from judgesmith.models.http.wires import Unreadable

CLOCKS_APART_S = 3600.0
"""How far the server's clock may be behind ours."""
GRACE_S = 30.0
"""A batch that is not listed is looked for once more after so long, or one wait for a look."""
GONE = 404


class Search:
    """Matches batches on the server to those in the ledger.

    OpenAI keeps our name for a batch. Anthropic does not: there, batches of the same size that
    nobody else in the ledger has are candidates, and the custom ids in their results decide, so
    one that is still at work is waited for.
    """

    def __init__(
        self, sender: BatchSender, vendor: BatchVendor, book: BatchBook, *, poll_s: float
    ) -> None:
        self._sender, self._vendor, self._book = sender, vendor, book
        self._poll_s = poll_s
        self._owners: dict[str, str] = {}
        self._waited_for = set[str]()

    async def find(self, batch: OpenBatch) -> Seen | None:
        """The batch as the server shows it; None only after two whole lists without it."""
        for pause in (0.0, min(self._poll_s, GRACE_S)):
            await asyncio.sleep(pause)
            listed = await self._vendor.listed(self._sender, batch.intended_at - CLOCKS_APART_S)
            found = await self._among(listed[::-1], batch)
            if found is not None:
                return found
        return None

    async def _among(self, listed: Sequence[Seen], batch: OpenBatch) -> Seen | None:
        """The batch in a list, oldest first."""
        if self._vendor.keeps_names:
            return next((seen for seen in listed if seen.intent == batch.intent), None)
        waiting = [seen for seen in listed if seen.requests == len(batch.lines)]
        while waiting := [seen for seen in waiting if seen.id not in self._book.known_ids()]:
            for seen in (seen for seen in waiting if seen.over):
                if await self._owner(seen) == batch.intent:
                    return seen
            waiting = [seen for seen in waiting if not seen.over]
            if waiting:
                self._say_waiting(waiting)
                await asyncio.sleep(self._poll_s)
            waiting = [await self._vendor.look(self._sender, seen.id) for seen in waiting]
        return None

    def _say_waiting(self, waiting: Sequence[Seen]) -> None:
        new = [seen.id for seen in waiting if seen.id not in self._waited_for]
        self._waited_for.update(new)
        if new:
            self._sender.say(
                "the answer to the creation of a batch was lost, and the vendor shows no names. "
                "Before it is created again, which might be paid twice, the end of each batch of "
                f"its size is waited for: {', '.join(new)}"
            )

    async def _owner(self, seen: Seen) -> str:
        """The intent in the custom ids of a batch that is over."""
        if seen.id not in self._owners:
            self._owners[seen.id] = await self._sender.patiently(lambda: self._read_owner(seen))
        return self._owners[seen.id]

    async def _read_owner(self, seen: Seen) -> str:
        for path in seen.results:
            first = _First()
            try:
                await self._sender.rows(path, first.take)
            except _Enough:
                return first.custom_id.rpartition("-")[0]
            except BatchFault as error:
                if error.status == GONE:
                    continue
                raise
            # Whose it is must be known: ours would be paid for again.
            what = "expected results with custom ids, found none"
            raise self._sender.failed(of_unreadable(what))
        return ""


class _Enough(Exception):
    """One line was read."""


class _First:
    """Takes the custom id of the first line that has one."""

    custom_id = ""

    def take(self, row: Mapping[str, Any]) -> None:
        try:
            self.custom_id = custom_id_of(row)
        except Unreadable:
            return
        raise _Enough
