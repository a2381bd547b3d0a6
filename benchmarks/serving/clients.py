"""Clients that wait for each verdict, and a flood that waits for none."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import cycle, islice
from typing import Any, NamedTuple

import aiohttp

from judgesmith.sources.bank import read_questions

PATH = "/v1/judgments"
TIMEOUT = aiohttp.ClientTimeout(total=120)


@cache
def rows(count: int = 400) -> list[dict[str, Any]]:
    """Pairs about questions of the bank: each names one of the choices, in a sentence or two."""
    found = []
    for place, question in enumerate(islice(read_questions(None), 3 * count)):
        if place % 3 or not question.choices:
            continue
        first, second = question.choices[0], question.choices[-1]
        found.append({
            "question": question.text, "context": question.context,
            "choices": list(question.choices), "response_a": f"It is {first}.",
            "response_b": f"{second}. The text says no more than that.",
        })  # fmt: skip
    return found


def percentile(times: Sequence[float], share: float) -> float:
    """The time that a share of the requests, in percent, took at most."""
    return sorted(times)[min(len(times) - 1, int(len(times) * share / 100))]


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=TIMEOUT)


async def _judged(session: aiohttp.ClientSession, url: str, row: dict[str, Any]) -> float:
    begun = time.perf_counter()
    async with session.post(url + PATH, json=row) as answer:
        found = await answer.json()
    if answer.status != 200 or "status" not in found:
        raise SystemExit(f"expected a judgment, found {answer.status}: {found}")
    return time.perf_counter() - begun


class Crowd(NamedTuple):
    """What each request took, and all of them together from the first to the last reply."""

    times: list[float]
    took_s: float

    @property
    def per_s(self) -> float:
        """Requests per second."""
        return len(self.times) / self.took_s

    def __add__(self, other: "Crowd") -> "Crowd":  # type: ignore[override]
        """Both, one after the other."""
        return Crowd(self.times + other.times, self.took_s + other.took_s)


async def crowd(url: str, clients: int, seconds: float) -> Crowd:
    """So many clients that ask one after another for a while."""
    begun, times = time.perf_counter(), list[float]()
    end, feed = begun + seconds, cycle(rows())

    async def client(session: aiohttp.ClientSession) -> None:
        while time.perf_counter() < end:
            times.append(await _judged(session, url, next(feed)))

    async with _session() as session:
        await asyncio.gather(*(client(session) for _ in range(clients)))
    return Crowd(times, time.perf_counter() - begun)


async def one_after_another(url: str, requests: int, clients: int) -> None:
    """So many requests by so many clients."""
    feed = islice(cycle(rows()), requests)

    async def client(session: aiohttp.ClientSession) -> None:
        for row in feed:
            await _judged(session, url, row)

    async with _session() as session:
        await asyncio.gather(*(client(session) for _ in range(clients)))


async def flood(url: str, per_s: float, seconds: float) -> Counter[Any]:
    """Requests at a steady pace, answered or not: how many ended how.

    A 503 without Retry-After and a verdict without status are "wrong"; broken connections are
    named by their error.
    """
    found: Counter[Any] = Counter()
    begun = time.perf_counter()

    async def one(session: aiohttp.ClientSession, row: dict[str, Any], at: float) -> None:
        await asyncio.sleep(max(0.0, begun + at - time.perf_counter()))
        try:
            async with session.post(url + PATH, json=row) as answer:
                said = await answer.json()
            right = "status" in said if answer.status == 200 else "Retry-After" in answer.headers
            found[answer.status if right else "wrong"] += 1
        except (aiohttp.ClientError, TimeoutError) as error:
            found[type(error).__name__] += 1

    count = int(per_s * seconds)
    feed = islice(cycle(rows()), count)
    async with _session() as session:
        await asyncio.gather(*(one(session, row, n / per_s) for n, row in enumerate(feed)))
    return found
