"""What requests will probably cost, said before the first of them goes out.

It is an estimate and decides nothing: the cap is kept by bounds, see `prices.bound`. Tokens are
guessed at four bytes of the request each, and replies at half of their limit.
"""

from collections.abc import Sequence
from typing import NamedTuple

from judgesmith.models.http.ledger import Totals
from judgesmith.models.http.prices import actual, bound, dollars
from judgesmith.models.http.wires import load_wire
from judgesmith.models.protocol import Completion, Request
from judgesmith.records import Finish
from judgesmith.runs.endpoint import Endpoint

BYTES_PER_TOKEN = 4
"""Of English text with common tokenizers; other languages and code take more tokens per byte."""
REPLY_SHARE = 2
"""A reply is guessed at its limit divided by this."""
SAMPLE = 256
"""Requests that are looked at; the others are taken to be as long on average."""
CENT = 10**7


class Estimate(NamedTuple):
    """Expected tokens and money of some requests; `most` is the sum of their bounds.

    Tokens are whole numbers, money is in nano-dollars. Neither knows of replies that the vendor
    reads from its cache, which cost less, or of calls that have to be repeated.
    """

    requests: int
    prompt_tokens: int
    reply_tokens: int
    expected: int
    most: int


def estimate(endpoint: Endpoint, requests: Sequence[Request], count: int | None = None) -> Estimate:
    """Estimate what requests will cost, from the mean length of some of them.

    Args:
        endpoint: with its prices; a batch is reckoned at its share of them.
        requests: those still to be made, or some of them.
        count: how many there are to be made; as many as are given if None.

    A body of 96 bytes and a reply of at most 300 tokens, at $3 and $15 a million: 24 tokens of
    prompt and 150 of reply are expected, 24 x 3,000 + 150 x 15,000 nano-dollars; and ten of them.

    >>> from judgesmith.records import Message
    >>> from judgesmith.models.protocol import Sampling
    >>> price = {"input": 3, "output": 15, "as_of": "2026-01-31"}
    >>> endpoint = Endpoint(protocol="openai", url="https://o.example", model="m", price=price)
    >>> request = Request(record_id="q", messages=(Message(role="user", content="Which?"),),
    ...     sampling=Sampling(max_tokens=300))
    >>> len(load_wire("openai").body(endpoint, request))
    96
    >>> estimate(endpoint, [request])[:4]
    (1, 24, 150, 2322000)
    >>> estimate(endpoint, [request], 10)[:4]
    (10, 240, 1500, 23220000)
    """
    wanted = len(requests) if count is None else count
    looked = requests[:: max(1, len(requests) // SAMPLE)]
    if not looked or not wanted:
        return Estimate(wanted, 0, 0, 0, 0)
    body, batch = load_wire(endpoint.protocol).body, endpoint.batch is not None
    sums = [0, 0, 0, 0]
    for request in looked:
        size = len(body(endpoint, request))
        prompt = -(-size // BYTES_PER_TOKEN)
        reply = -(-request.sampling.max_tokens // REPLY_SHARE)
        guess = Completion(
            text="", finish=Finish.STOP, prompt_tokens=prompt, completion_tokens=reply
        )
        found = (
            prompt, reply,
            actual(endpoint, guess, batch=batch), bound(endpoint, request, size, batch=batch),
        )  # fmt: skip
        sums = [a + b for a, b in zip(sums, found, strict=True)]
    return Estimate(wanted, *(-(-total * wanted // len(looked)) for total in sums))


def estimate_line(stage: str, model: str, found: Estimate, totals: Totals) -> str:
    r"""Say an estimate in one line, beside what is left of the budget.

    >>> line = estimate_line("labels", "m", Estimate(10, 230, 1500, 23_190_000, 50_000_000),
    ...     Totals(5 * 10**9, 0, 0, 20 * 10**9))
    >>> print(line.replace("; ", "\n").replace(". L", "\nL"))
    labels: estimate for 10 requests to m: about 230 + 1,500 tokens (prompt + reply), $0.03
    at most $0.05
    Left of the budget of $20.00: $15.00
    """
    said = (
        f"{stage}: estimate for {found.requests:,} requests to {model}: about "
        f"{found.prompt_tokens:,} + {found.reply_tokens:,} tokens (prompt + reply), "
        f"{_rounded(found.expected)}; at most {_rounded(found.most)}"
    )
    if totals.cap is None:
        return f"{said}. No budget is given"
    left = max(totals.cap - totals.booked, 0)
    short = ", which may not suffice" if found.most > left else ""
    return f"{said}. Left of the budget of {dollars(totals.cap)}: {dollars(left)}{short}"


def _rounded(nano: int) -> str:
    """Rounded up to a cent, as no estimate is better than that; less than a cent as it is."""
    return dollars(-(-nano // CENT) * CENT) if nano >= CENT else dollars(nano)
