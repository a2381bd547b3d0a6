"""What a line of a batch comes to: its completion, and how its call is booked."""

from judgesmith.models.http.batch_book import OpenBatch, OpenLine
from judgesmith.models.http.faults import Fault
from judgesmith.models.http.ledger import CallState, Settled
from judgesmith.models.http.prices import actual, usd
from judgesmith.models.http.wires import Reply
from judgesmith.models.protocol import Completion
from judgesmith.runs.endpoint import Endpoint


def completed(endpoint: Endpoint, line: OpenLine, reply: Reply) -> Completion:
    """The completion, with what it cost and how many batches it took."""
    spent = {"cost_usd": usd(_cost(endpoint, line, reply)), "calls": line.tries}
    return reply.completion.model_copy(update=spent)


def settled(endpoint: Endpoint, line: OpenLine, found: Reply | Fault) -> Settled:
    """How a call ended; a line that is not there may have been paid."""
    if isinstance(found, Fault):
        unsure = found.maybe_paid
        return Settled(line.call_id, CallState.POSSIBLY_PAID if unsure else CallState.FREE)
    c = found.completion
    return Settled(
        line.call_id, CallState.PAID, _cost(endpoint, line, found),
        c.prompt_tokens, c.cached_tokens, c.cache_write_tokens, c.completion_tokens,
    )  # fmt: skip


def all_free(batch: OpenBatch) -> list[Settled]:
    """The calls of a batch that was refused or never created."""
    return [Settled(line.call_id, CallState.FREE) for line in batch.lines]


def _cost(endpoint: Endpoint, line: OpenLine, reply: Reply) -> int:
    """At the price of batches; where the tokens are not known, the most that it can be."""
    return actual(endpoint, reply.completion, batch=True) if reply.usage_known else line.bound
