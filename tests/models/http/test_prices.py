"""Prices: exact, never below what is paid, and the bound never below the actual cost."""

from decimal import ROUND_CEILING, Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgesmith.errors import RecipeError
from judgesmith.models.http.prices import actual, bound, dollars, nano_dollars, usd
from judgesmith.models.protocol import Completion, Form, Request, Sampling
from judgesmith.records import Finish, Message
from judgesmith.runs.endpoint import Endpoint


def endpoint(price: Any, **said: object) -> Endpoint:
    if isinstance(price, dict):
        price = {"as_of": "2026-01-31", **price}
    url = "http://localhost:1/v1"
    return Endpoint.model_validate(
        {"protocol": "openai", "url": url, "model": "m", "price": price, **said}
    )


def request(messages: int = 1, max_tokens: int = 300, form: Form | None = None) -> Request:
    return Request(
        record_id="q",
        messages=(Message(role="user", content="Which?"),) * messages,
        sampling=Sampling(max_tokens=max_tokens),
        form=form,
    )


def reply(prompt: int, completion: int, cached: int = 0, written: int = 0) -> Completion:
    return Completion(
        text="A", finish=Finish.STOP, prompt_tokens=prompt, completion_tokens=completion,
        cached_tokens=cached, cache_write_tokens=written,
    )  # fmt: skip


@pytest.mark.parametrize("price", [None, "free", {"input": 0, "output": 0}])
def test_what_is_free_costs_nothing(price: Any) -> None:
    assert bound(endpoint(price), request(), 10_000) == 0
    assert actual(endpoint(price), reply(1000, 1000, 500, 500)) == 0


def test_cost_is_rounded_up_to_a_nano_dollar() -> None:
    """$0.0001 a million is 0.0001 x 1,000 = 0.1 nano-dollars a token: 10 are 1, 11 are 1.1."""
    cheap = endpoint({"input": 0.0001, "output": 0})
    assert [actual(cheap, reply(n, 0)) for n in (0, 1, 10, 11, 20, 21)] == [0, 1, 1, 2, 2, 3]


def test_a_decimal_price_is_that_decimal() -> None:
    """0.07 x 1,000 x 3 = 210; the binary fraction for 0.07 lies above it and would give 211."""
    assert actual(endpoint({"input": 0.07, "output": 0}), reply(3, 0)) == 210
    assert actual(endpoint({"input": 1e-05, "output": 0}), reply(100, 0)) == 1


def test_prices_that_are_not_given() -> None:
    """Cached tokens cost what input does, and written ones a quarter more.

    At $2 that is 70 x 2,000 + 30 x 2,500; 40 cached at $0.50 leave 30 x 2,000 + 40 x 500.
    """
    assert actual(endpoint({"input": 2, "output": 8}), reply(100, 0, 40, 30)) == 215_000
    assert (
        actual(endpoint({"input": 2, "output": 8, "cached_input": 0.5}), reply(100, 0, 40, 30))
        == 30 * 2000 + 40 * 500 + 30 * 2500
    )


def test_a_write_that_nobody_asked_for_is_booked_as_it_is_billed() -> None:
    """4,000 of prompt, 3,900 of them written, at $5 and $30: 100 x 5 + 3,900 x 6.25 + 5 x 30."""
    here = endpoint({"input": 5, "cached_input": 0.5, "output": 30})
    assert actual(here, reply(4000, 5, 0, 3900)) == (500 + 24_375 + 150) * 1000


def test_parts_beyond_the_whole_are_still_paid() -> None:
    """A server that says 10 of the prompt and 30 cached is charged for 30."""
    assert actual(endpoint({"input": 1, "output": 1}), reply(10, 0, 30)) == 30_000


def test_messages_and_forms_raise_the_bound() -> None:
    """At $1: 500 bytes + 3 x 64 + 256 = 948 tokens; a form adds 1,024."""
    said = endpoint({"input": 1, "output": 0, "cache_write": 1})
    assert bound(said, request(messages=3), 500) == 948_000
    form = Form(json_schema={"type": "object"})
    assert bound(said, request(messages=3, form=form), 500) == 948_000 + 1_024_000


@pytest.mark.parametrize("dearest", ["input", "cached_input", "cache_write"])
def test_the_prompt_is_bounded_at_its_dearest_price(dearest: str) -> None:
    """(500 + 64 + 256) x $9, whatever kind of prompt token it is that costs $9."""
    price = {"input": 2, "cached_input": 1, "cache_write": 3, "output": 0} | {dearest: 9}
    assert bound(endpoint(price), request(), 500) == 820 * 9000


def test_a_price_that_is_no_number_is_refused() -> None:
    said = endpoint({"input": 1, "output": 2})
    assert said.price is not None
    broken = said.model_copy(
        update={"price": said.price.model_copy(update={"output": float("inf")})}
    )
    with pytest.raises(RecipeError, match="US dollars per million tokens for output, found inf"):
        bound(broken, request(), 500)


prices = st.fixed_dictionaries(
    {"input": st.floats(0, 1000), "output": st.floats(0, 1000)},
    optional={
        "cached_input": st.none() | st.floats(0, 1000),
        "cache_write": st.none() | st.floats(0, 1000),
        "batch": st.floats(0.01, 1),
    },
)


@st.composite
def answered(draw: st.DrawFn) -> tuple[Request, int, Completion]:
    """A request, the length of its body, and a reply within what these allow."""
    asked = request(draw(st.integers(1, 5)), draw(st.integers(1, 10_000)))
    size = draw(st.integers(0, 10**6))

    def part(most: int) -> int:
        return draw(st.sampled_from([0, most]) | st.integers(0, most))

    prompt = part(size + 64 * len(asked.messages) + 256)
    cached = part(prompt)
    written = part(prompt - cached)
    completion = part(asked.sampling.max_tokens)
    return asked, size, reply(prompt, completion, cached, written)


@given(price=prices, call=answered(), batch=st.booleans())
def test_no_call_costs_more_than_its_bound(
    price: dict[str, Any], call: tuple[Request, int, Completion], batch: bool
) -> None:
    asked, size, completion = call
    said = endpoint(price)
    cost = actual(said, completion, batch=batch)
    assert cost <= bound(said, asked, size, batch=batch) <= bound(said, asked, size)


@given(price=prices, call=answered(), batch=st.booleans())
def test_cost_agrees_with_decimals(
    price: dict[str, Any], call: tuple[Request, int, Completion], batch: bool
) -> None:
    """An oracle of another kind: decimal numbers with more digits than any of these has."""
    completion = call[2]
    with localcontext() as context:
        context.prec = 1100  # the smallest double has 767 digits
        dear = {name: Decimal(str(value)) for name, value in price.items() if value is not None}
        cached, written = completion.cached_tokens, completion.cache_write_tokens
        plain = completion.prompt_tokens - cached - written
        total = plain * dear["input"] + completion.completion_tokens * dear["output"]
        total += cached * dear.get("cached_input", dear["input"])
        total += written * dear.get("cache_write", dear["input"] * Decimal("1.25"))
        share = dear.get("batch", Decimal(1)) if batch else Decimal(1)
        expected = (total * 1000 * share).to_integral_value(ROUND_CEILING)
    assert actual(endpoint(price), completion, batch=batch) == int(expected)


@given(st.integers(0, 10**15))
def test_dollars_and_back(nano: int) -> None:
    assert nano_dollars(usd(nano)) == nano
    shown = dollars(nano).removeprefix("$").replace(",", "")
    assert Decimal(shown) * 10**9 == nano
    assert len(shown.split(".")[1]) >= 2
