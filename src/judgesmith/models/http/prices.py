"""What a call may cost before it is made, and what it did cost after.

Money is whole nano-dollars (1e-9 US dollars), rounded up. Prices are the decimal numbers that the
recipe says, and all arithmetic is on integers, so sums are exact.
"""

from fractions import Fraction
from functools import lru_cache
from math import lcm
from typing import NamedTuple

from judgesmith.errors import RecipeError
from judgesmith.models.protocol import Completion, Request
from judgesmith.runs.endpoint import Endpoint, Price

NANO = 10**9
PER_MESSAGE = 64
"""Tokens that a chat template may put around one message."""
PER_REQUEST = 256
"""Tokens that a server may add to a request."""
PER_FORM = 1024
"""Tokens that a server may add to explain a schema or grammar to the model."""
WRITE = Fraction(5, 4)
"""What writing a token to the vendor's cache costs as a share of input, where no price is given:
both OpenAI (from GPT-5.6 on, unasked) and Anthropic (for five minutes) take a quarter more."""


class _Rates(NamedTuple):
    """Nano-dollars per token, each times `scale`, which makes them whole numbers."""

    scale: int
    input: int
    output: int
    cached: int
    written: int


def bound(endpoint: Endpoint, request: Request, body_bytes: int, *, batch: bool = False) -> int:
    """The most that a call can cost, in nano-dollars.

    `body_bytes` is the length of the request's body. A byte-level tokenizer makes no more tokens
    than bytes; 64 tokens are added for each message, 256 for the request and 1,024 where a form is
    given. They cost what the dearest kind of prompt token costs. The reply is taken at its limit,
    which `options` of an endpoint cannot raise.

    One message, a body of 680 bytes and 300 tokens at most, at $3 for input, $3.75 for writing to
    the cache and $15 for output: (680 + 64 + 256) x 3,750 + 300 x 15,000 nano-dollars.

    >>> from judgesmith.models.protocol import Sampling
    >>> from judgesmith.records import Message
    >>> price = {"input": 3, "output": 15, "cache_write": 3.75, "as_of": "2026-01-31"}
    >>> endpoint = Endpoint(protocol="anthropic", url="https://a.example", model="m", price=price)
    >>> request = Request(record_id="q", messages=(Message(role="user", content="Which?"),),
    ...     sampling=Sampling(max_tokens=300))
    >>> bound(endpoint, request, 680)
    8250000
    """
    if not isinstance(endpoint.price, Price):
        return 0
    rates = _rates(endpoint.price, batch)
    prompt = body_bytes + PER_MESSAGE * len(request.messages) + PER_REQUEST
    if request.form is not None:
        prompt += PER_FORM
    dearest = max(rates.input, rates.cached, rates.written)
    reply = request.sampling.max_tokens * rates.output
    return -(-(prompt * dearest + reply) // rates.scale)


def actual(endpoint: Endpoint, completion: Completion, *, batch: bool = False) -> int:
    """What a call cost, in nano-dollars, rounded up.

    `prompt_tokens` are all tokens of the prompt; those read from the vendor's cache and those
    written to it are parts of them, each at its own price.

    OpenAI reports the whole prompt and the cached part of it: 1,000 of which 600 cached, and 50 of
    reply, at $2.50, $1.25 and $10: 400 x 2,500 + 600 x 1,250 + 50 x 10,000.

    >>> price = {"input": 2.5, "cached_input": 1.25, "output": 10, "as_of": "2026-01-31"}
    >>> openai = Endpoint(protocol="openai", url="https://o.example", model="m", price=price)
    >>> reply = {"text": "A", "finish": "stop", "completion_tokens": 50}
    >>> actual(openai, Completion(**reply, prompt_tokens=1000, cached_tokens=600))
    2250000

    Anthropic reports three parts that exclude each other, here 21 plain, 600 read and 379 written;
    the wire adds them up to 1,000 of the prompt. At $3, $0.30, $3.75 and $15:
    21 x 3,000 + 600 x 300 + 379 x 3,750 + 50 x 15,000.

    >>> price = {"input": 3, "cached_input": 0.3, "cache_write": 3.75, "output": 15,
    ...     "batch": 0.5, "as_of": "2026-01-31"}
    >>> anthropic = Endpoint(protocol="anthropic", url="https://a.example", model="m", price=price)
    >>> parts = {"prompt_tokens": 1000, "cached_tokens": 600, "cache_write_tokens": 379}
    >>> actual(anthropic, Completion(**reply, **parts))
    2414250
    >>> actual(anthropic, Completion(**reply, **parts), batch=True)
    1207125
    """
    if not isinstance(endpoint.price, Price):
        return 0
    rates = _rates(endpoint.price, batch)
    cached, written = completion.cached_tokens, completion.cache_write_tokens
    plain = max(completion.prompt_tokens - cached - written, 0)
    prompt = plain * rates.input + cached * rates.cached + written * rates.written
    return -(-(prompt + completion.completion_tokens * rates.output) // rates.scale)


def usd(nano: int) -> float:
    """Nano-dollars as US dollars.

    >>> usd(2_250_000)
    0.00225
    """
    return nano / NANO


def nano_dollars(usd: float) -> int:
    """US dollars as nano-dollars, the nearest; `nano_dollars(usd(n)) == n` below a million dollars.

    >>> nano_dollars(0.00225)
    2250000
    """
    return round(usd * NANO)


def dollars(nano: int) -> str:
    """Nano-dollars as they are shown: exact, with at least two decimals.

    >>> dollars(5 * 10**9), dollars(2_250_000), dollars(1)
    ('$5.00', '$0.00225', '$0.000000001')
    """
    whole, part = divmod(nano, NANO)
    decimals = f"{part:09d}".rstrip("0").ljust(2, "0")
    return f"${whole:,}.{decimals}"


@lru_cache(maxsize=256)
def _rates(price: Price, batch: bool) -> _Rates:
    share = _decimal(price.batch, "batch") if batch else Fraction(1)
    cached = price.input if price.cached_input is None else price.cached_input
    named = {"input": price.input, "output": price.output, "cached": cached}
    exact = [_decimal(value, name) for name, value in named.items()]
    if price.cache_write is None:
        exact.append(exact[0] * WRITE)
    else:
        exact.append(_decimal(price.cache_write, "written"))
    # Dollars per million tokens are 1,000 nano-dollars per token.
    exact = [rate * 1000 * share for rate in exact]
    scale = lcm(*(rate.denominator for rate in exact))
    return _Rates(scale, *(int(rate * scale) for rate in exact))


def _decimal(value: float, name: str) -> Fraction:
    """The number as it was written: 0.1 is a tenth, not the binary fraction next to it."""
    try:
        return Fraction(str(value))
    except ValueError:
        raise RecipeError(
            f"`price`: expected a number of US dollars per million tokens for {name}, "
            f"found {value!r}."
        ) from None
