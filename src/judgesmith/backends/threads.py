"""How many threads torch should use: measured once, then stored in the run and reused.

On shared machines two threads can be far slower than one, and the number of threads also decides
the order of floating-point sums; so the choice belongs to the run, not to the moment.
"""

import os
import time
from pathlib import Path

import orjson

from judgesmith.backends.loading import load
from judgesmith.runs.jsonl import write_json

WORTH_IT = 1.3
"""How many times faster than one thread more threads must be: a small gain when the probe ran can
become a sevenfold loss when other work arrives."""


def choose_threads(store: Path) -> int:
    """The stored number of threads; else all cores if a short probe finds that worth it, or one."""
    torch = load("torch")
    if store.exists():
        chosen = int(orjson.loads(store.read_bytes())["torch_threads"])
    else:
        timings = {count: _probe(count) for count in sorted({1, os.cpu_count() or 1})}
        fastest = min(timings, key=lambda count: timings[count])
        chosen = fastest if timings[fastest] * WORTH_IT <= timings[1] else 1
        measured = {str(count): round(seconds, 4) for count, seconds in timings.items()}
        write_json(store, {"torch_threads": chosen, "probe_s": measured})
    torch.set_num_threads(chosen)
    return chosen


def _probe(threads: int) -> float:
    """Seconds for a training-like load: the best of three."""
    torch = load("torch")
    torch.set_num_threads(threads)
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        weights = torch.ones(256, 256, requires_grad=True)
        out = torch.ones(2048, 256)
        for _ in range(8):
            out = torch.tanh(out @ weights)
        out.sum().backward()
        best = min(best, time.perf_counter() - start)
    return best
