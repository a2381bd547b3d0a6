"""Estimates: hand-worked, never above the bound, and clearly named as what they are."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgesmith.models.http.estimates import Estimate, estimate, estimate_line
from judgesmith.models.http.ledger import Totals
from judgesmith.models.http.prices import bound
from judgesmith.models.http.wires import load_wire
from judgesmith.models.protocol import Request, Sampling
from judgesmith.records import Message
from judgesmith.runs.endpoint import Endpoint

DOLLAR = 10**9


def endpoint(price: Any, **said: object) -> Endpoint:
    if isinstance(price, dict):
        price = {"as_of": "2026-01-31", **price}
    return Endpoint.model_validate(
        {"protocol": "openai", "url": "http://localhost:1", "model": "m", "price": price, **said}
    )


def request(text: str, max_tokens: int) -> Request:
    return Request(
        record_id="q",
        messages=(Message(role="user", content=text),),
        sampling=Sampling(max_tokens=max_tokens),
    )


def size(to: Endpoint, one: Request) -> int:
    return len(load_wire(to.protocol).body(to, one))


def test_tokens_and_money_by_hand() -> None:
    """Bodies of n and n + 40 bytes, replies of at most 100 and 201 tokens, $2 and $8 a million.

    Prompts are n/4 and n/4 + 10 rounded up, replies 50 and 101; $2 a million is 2,000 nano-dollars.
    """
    to = endpoint({"input": 2, "output": 8})
    two = [request("x", 100), request("x" * 41, 201)]
    n = size(to, two[0])
    assert size(to, two[1]) == n + 40
    prompt = 2 * -(-n // 4) + 10
    money = prompt * 2000 + 151 * 8000
    most = sum(bound(to, one, size(to, one)) for one in two)
    assert estimate(to, two) == Estimate(2, prompt, 151, money, most)
    assert estimate(to, two, 20) == Estimate(20, 10 * prompt, 1510, 10 * money, 10 * most)


def test_batches_are_reckoned_at_their_price() -> None:
    price = {"input": 2, "output": 8, "batch": 0.5}
    plain, batched = endpoint(price), endpoint(price, batch={})
    one = [request("some text", 100)]
    assert estimate(batched, one).expected * 2 == estimate(plain, one).expected
    assert estimate(batched, one).most * 2 == estimate(plain, one).most


@pytest.mark.parametrize("price", [None, "free"])
def test_what_is_free_costs_nothing_but_tokens(price: Any) -> None:
    found = estimate(endpoint(price), [request("text", 10)])
    assert (found.expected, found.most) == (0, 0)
    assert found.prompt_tokens > 0


def test_nothing_to_ask_is_nothing() -> None:
    to = endpoint({"input": 2, "output": 8})
    assert estimate(to, []) == Estimate(0, 0, 0, 0, 0)
    assert estimate(to, [request("x", 1)], 0) == Estimate(0, 0, 0, 0, 0)


@given(st.lists(st.tuples(st.text(max_size=40), st.integers(1, 400)), min_size=1, max_size=20))
def test_the_estimate_is_never_above_the_bound(given: list[tuple[str, int]]) -> None:
    to = endpoint({"input": 2, "output": 8, "cache_write": 2.5})
    found = estimate(to, [request(text, most) for text, most in given])
    assert 0 < found.expected <= found.most


def test_long_lists_are_sampled_evenly() -> None:
    """The second half is long: a sample from the beginning to the end sees both halves."""
    to = endpoint({"input": 2, "output": 8})
    many = [request("x" * (400 if n >= 500 else 4), 10) for n in range(1000)]
    exact = sum(-(-size(to, one) // 4) for one in many)
    assert estimate(to, many).prompt_tokens == pytest.approx(exact, rel=0.01)


def test_the_line_names_the_estimate_the_budget_and_what_may_be_missing() -> None:
    found = Estimate(1000, 320_000, 512_000, 8 * DOLLAR + 1, 16 * DOLLAR)
    line = estimate_line("labels", "big", found, Totals(4 * DOLLAR, DOLLAR, 0, 20 * DOLLAR))
    assert line == (
        "labels: estimate for 1,000 requests to big: about 320,000 + 512,000 tokens (prompt + "
        "reply), $8.01; at most $16.00. Left of the budget of $20.00: $15.00, which may not suffice"
    )
    free = estimate_line("labels", "big", found, Totals(0, 0, 0, None))
    assert free.endswith("No budget is given")
    enough = estimate_line("labels", "big", found, Totals(0, 0, 0, 20 * DOLLAR))
    assert enough.endswith("$20.00")
