"""The results of a batch: read line by line, and no line is trusted to be there, or there once."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from judgesmith.models.http.batch_book import Counts, OpenBatch, OpenLine
from judgesmith.models.http.batch_sender import BatchFault, BatchSender
from judgesmith.models.http.batch_vendor import MISSING, BatchVendor, Seen
from judgesmith.models.http.faults import Action, Fault, of_unreadable
from judgesmith.models.http.wires import Reply, Unreadable, load_wire
from judgesmith.models.protocol import Request, Sampling
from judgesmith.runs.endpoint import Endpoint

DOWNLOADS = 6
"""How often results are downloaded in which lines are missing or broken: a file that was cut
between two lines looks whole."""
GONE = 404
NOT_THERE = (
    "status 404 for the results of batch {}, which is over. They are not asked for anew, as they "
    "are paid. Where they were deleted, start a run in another folder"
)


class Results:
    """What came of each line of a batch. Of lines with one custom id the first counts."""

    def __init__(self, batch: OpenBatch, endpoint: Endpoint, vendor: BatchVendor) -> None:
        self._endpoint, self._vendor = endpoint, vendor
        self._wire = load_wire(endpoint.protocol)
        self._lines = {batch.custom_id(line.number): line for line in batch.lines}
        self._found: dict[int, Reply | Fault] = {}
        self._odd = Counter[str]()

    def take(self, row: Mapping[str, Any]) -> None:
        """Read a line."""
        try:
            custom_id, found = self._vendor.line(row, self._endpoint)
        except Unreadable:
            self._odd["unknown"] += 1
            return
        line = self._lines.get(custom_id)
        if line is None:
            self._odd["unknown"] += 1
        elif line.number in self._found:
            self._odd["duplicated"] += 1
        else:
            self._found[line.number] = (
                found if isinstance(found, Fault) else self._read(found, line)
            )

    def of(self, line: OpenLine) -> Reply | Fault:
        """The reply to a line, or why there is none."""
        return self._found.get(line.number, MISSING)

    def counts(self) -> Counts:
        """How many lines there were of each kind."""
        answered = sum(isinstance(found, Reply) for found in self._found.values())
        return Counts(
            answered=answered,
            failed=len(self._found) - answered,
            missing=len(self._lines) - len(self._found),
            duplicated=self._odd["duplicated"],
            unknown=self._odd["unknown"],
        )

    def _read(self, found: Mapping[str, Any], line: OpenLine) -> Reply | Fault:
        # A reply is read for what was wanted of it, and for nothing else of the request: so the
        # results of a batch can be kept also where nobody has asked for them again yet.
        asked = Request(record_id="", messages=(), sampling=Sampling(), wanted=line.wanted)
        here = self._endpoint
        try:
            return self._wire.read_fields(found, asked, asked=here.model, also=here.answers_as)
        except Unreadable as error:
            return of_unreadable(error)


async def download(
    sender: BatchSender, vendor: BatchVendor, *, batch: OpenBatch, seen: Seen, endpoint: Endpoint
) -> Results:
    """Read the results of a batch that is over, from the beginning where a download broke off.

    Raises BatchFault where lines are missing because a file of the batch does not come to be there.
    """

    async def once() -> Results:
        results, gone = Results(batch, endpoint, vendor), False
        for path in seen.results:
            try:
                await sender.rows(path, results.take)
            except BatchFault as error:
                if error.status != GONE:
                    raise
                gone = True
        if gone and results.counts().missing:
            raise sender.failed(Fault(Action.RETRY, NOT_THERE.format(seen.id)), GONE)
        return results

    tried = [await sender.patiently(once)]
    while len(tried) < DOWNLOADS and tried[-1].counts().missing:
        await sender.pause(len(tried), MISSING)
        tried.append(await sender.patiently(once))
    return min(tried, key=lambda results: results.counts().missing)
