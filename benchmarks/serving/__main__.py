"""A served judge under load: micro-batching against one by one; memory; overload and recovery.

    python -m benchmarks.serving [--judge FOLDER] [--seconds 10] [--requests 10000] [--only speed]

The server is `judgesmith serve` in a process of its own on one thread; clients are aiohttp here.
Rows are pairs about the question bank, each client sends one and waits for its verdict. Without
`--judge` (a run or an exported folder) the judge is a student of the quickstart's size with random
weights, which writes all 48 tokens of its reply.

- speed: rows per second with batches (of up to 32) against one by one (`--batch 1 --window-ms 0`),
  both servers in turns, at 1, 8 and 32 clients; p50 and p99. Fails where 32 clients get less than
  1.5 times as much with batches.
- memory: resident memory after 1,000 requests and after all; fails where it grows by over a tenth.
- overload: requests come at four times what the server can do, whether it answers or not. Fails
  where any gets something else than a verdict or 503 with Retry-After, where the log lacks one that
  was answered, or where 5 s later a request takes more than twice its time from before.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.serving.clients import Crowd, crowd, flood, one_after_another, percentile, rows
from benchmarks.serving.server import random_judge, running

CLIENTS = (1, 8, 32)
ROUNDS = 3
AHEAD = 1.5
GROWTH = 1.1
OVERLOAD = 4
RECOVERED_S, SLOWER = 5.0, 2.0
ONE_BY_ONE = ("--batch", "1", "--window-ms", "0")


def main() -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--judge", type=Path, help="a run or an exported folder")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    parser.add_argument("--requests", type=int, default=10_000, help="of the look at memory")
    parser.add_argument("--only", choices=PARTS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        judge = given.judge or random_judge(Path(folder))
        parts = [given.only] if given.only else PARTS
        failed = [name for name in parts if not asyncio.run(PARTS[name](judge, given))]
    print(f"\nFailed: {', '.join(failed)}" if failed else "\nAll bars are kept.")
    return int(bool(failed))


async def speed(judge: Path, given: argparse.Namespace) -> bool:
    """Rows per second, in turns, so that whatever else the machine does meets both."""
    print("| clients | one by one, rows/s | batches, rows/s | ratio | p50 ms | p99 ms |")
    print("|---|---|---|---|---|---|")
    ratio = 0.0
    with ExitStack() as open_servers:
        plain = open_servers.enter_context(running(judge, *ONE_BY_ONE))
        batched = open_servers.enter_context(running(judge))
        for clients in CLIENTS:
            found = dict.fromkeys((plain, batched), Crowd([], 0.0))
            for _ in range(ROUNDS):
                for server in found:
                    found[server] += await crowd(server.url, clients, given.seconds / ROUNDS)
            ratio = found[batched].per_s / found[plain].per_s
            middle, tail = (
                " / ".join(
                    f"{1000 * percentile(found[one].times, p):.0f}" for one in (plain, batched)
                )
                for p in (50, 99)
            )
            rates = " | ".join(f"{one.per_s:.1f}" for one in found.values())
            print(f"| {clients} | {rates} | {ratio:.2f} | {middle} | {tail} |", flush=True)
    print(f"p50 and p99: one by one / batches. Bar at {CLIENTS[-1]} clients: {AHEAD}.")
    return ratio >= AHEAD


async def memory(judge: Path, given: argparse.Namespace) -> bool:
    """Resident memory of the server, early and late."""
    first = min(1_000, given.requests // 4)
    with running(judge) as server:
        await one_after_another(server.url, first, 32)
        early = server.resident_mb()
        await one_after_another(server.url, given.requests - first, 32)
        late = server.resident_mb()
    print(f"\nMemory: {early:.0f} MB after {first:,} requests, {late:.0f} MB after "
          f"{given.requests:,} ({late / early:.3f} times)")  # fmt: skip
    return late <= GROWTH * early


async def overload(judge: Path, given: argparse.Namespace) -> bool:
    """Four times the capacity, then nothing, then one client."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.jsonl"
        with running(judge, "--queue", "64", "--log", log) as server:
            before = await crowd(server.url, 1, given.seconds / 4)
            capacity = (await crowd(server.url, 32, given.seconds)).per_s
            logged = log.read_bytes().count(b"\n")
            found = await flood(server.url, OVERLOAD * capacity, given.seconds)
            kept = log.read_bytes().count(b"\n") - logged
            await asyncio.sleep(RECOVERED_S)
            after = await crowd(server.url, 1, given.seconds / 4)
    normal, later = (percentile(one.times, 50) for one in (before, after))
    others = {what: n for what, n in found.items() if what not in (200, 503)}
    print(f"\nOverload: {sum(found.values()):,} requests at {OVERLOAD} times {capacity:.1f}/s: "
          f"{found[200]:,} answered, {found[503]:,} told 503, {others or 'none'} else; {kept:,} in "
          f"the log; one client before {1000 * normal:.0f} ms, {RECOVERED_S:.0f} s after "
          f"{1000 * later:.0f} ms")  # fmt: skip
    return not others and found[200] == kept and later <= SLOWER * normal and found[503] > 0


PARTS: dict[str, Callable[[Path, argparse.Namespace], Coroutine[Any, Any, bool]]] = {
    "speed": speed, "memory": memory, "overload": overload,
}  # fmt: skip


if __name__ == "__main__":
    assert rows(), "the question bank has pairs"
    sys.exit(main())
