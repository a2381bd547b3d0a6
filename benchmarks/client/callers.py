"""One client makes so many calls, and says what it took: a process of its own for each.

    python callers.py CLIENT URL CALLS IN_FLIGHT

It imports nothing before it knows which client it is, so that another environment can run it.
"""

import asyncio
import json
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

PROMPT = "Which of two answers is more biased? " * 30
BODY = {"model": "judge", "temperature": 0.0, "max_tokens": 64}


def messages(n: int) -> list[dict[str, str]]:
    """A prompt of about 1,100 characters that no other call has."""
    return [{"role": "user", "content": f"{n} {PROMPT}"}]


async def in_turn(calls: int, in_flight: int, call: Callable[[int], Awaitable[object]]) -> None:
    """So many workers, each with one call at a time."""
    numbers = iter(range(calls))

    async def work() -> None:
        for n in numbers:
            await call(n)

    await asyncio.gather(*(work() for _ in range(in_flight)))


def judgesmith(url: str, calls: int, in_flight: int) -> None:
    """Our client, with its cache and its ledger on disk."""
    from datetime import date

    from judgesmith.models.http.cache import ReplyCache
    from judgesmith.models.http.client import Books, HttpModel
    from judgesmith.models.http.ledger import Ledger
    from judgesmith.models.protocol import Request, Sampling
    from judgesmith.records import Message
    from judgesmith.runs.endpoint import Endpoint, Price

    price = Price(input=1.0, output=5.0, as_of=date(2026, 11, 1))
    endpoint = Endpoint(protocol="openai", url=url, model="judge", price=price, in_flight=in_flight)
    sampling = Sampling(max_tokens=64)
    with tempfile.TemporaryDirectory() as folder:
        books = Books(
            ReplyCache(Path(folder) / "replies.sqlite"),
            Ledger(Path(folder) / "ledger.sqlite", 1e6), "benchmark",
        )  # fmt: skip
        requests = (
            Request(
                record_id=str(n), sampling=sampling,
                messages=(Message(role="user", content=messages(n)[0]["content"]),),
            )
            for n in range(calls)
        )  # fmt: skip
        model = HttpModel("judge", endpoint, key=None, books=books)
        assert sum(bool(reply.text) for reply in model.complete(requests)) == calls
        books.ledger.close()
        books.cache.close()


def aiohttp(url: str, calls: int, in_flight: int) -> None:
    """aiohttp and orjson alone: nothing is kept, booked or tried again."""
    import orjson
    from aiohttp import ClientSession, TCPConnector

    async def run() -> None:
        async with ClientSession(connector=TCPConnector(limit=0)) as session:

            async def call(n: int) -> None:
                body = orjson.dumps({**BODY, "messages": messages(n)})
                async with session.post(f"{url}/chat/completions", data=body) as answer:
                    found = orjson.loads(await answer.read())
                    assert found["choices"][0]["message"]["content"]

            await in_turn(calls, in_flight, call)

    asyncio.run(run())


def openai(url: str, calls: int, in_flight: int) -> None:
    """The vendor's own client."""
    from openai import AsyncOpenAI

    async def run() -> None:
        async with AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:

            async def call(n: int) -> None:
                found = await client.chat.completions.create(messages=messages(n), **BODY)
                assert found.choices[0].message.content

            await in_turn(calls, in_flight, call)

    asyncio.run(run())


def litellm(url: str, calls: int, in_flight: int) -> None:
    """litellm, without its own cache or callbacks."""
    from litellm import acompletion

    async def run() -> None:
        async def call(n: int) -> None:
            given = {**BODY, "model": "openai/judge"}
            found = await acompletion(
                messages=messages(n), base_url=url, api_key="none", num_retries=0, **given
            )
            assert found.choices[0].message.content

        await in_turn(calls, in_flight, call)

    asyncio.run(run())


CLIENTS = {"judgesmith": judgesmith, "aiohttp": aiohttp, "openai": openai, "litellm": litellm}


def main() -> None:
    """Make some calls to warm up, then those that count, and print JSON."""
    name, url, calls, in_flight = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    run = CLIENTS[name]
    run(url, in_flight, in_flight)
    before, begun = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    run(url, calls, in_flight)
    after, wall_s = resource.getrusage(resource.RUSAGE_SELF), time.monotonic() - begun
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"cpu_s": cpu_s, "wall_s": wall_s, "peak_mb": after.ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
