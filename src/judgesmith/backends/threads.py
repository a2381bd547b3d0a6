"""What this machine computes fastest with: measured once, then stored in the run and reused.

On shared machines two threads can be far slower than one, and the number of threads also decides
the order of floating-point sums; so the choice belongs to the run, not to the moment. The same
holds for half precision, which some processors multiply five times as fast and others slower.
"""

import os
import time
from pathlib import Path
from typing import Any

import orjson

from judgesmith.backends.loading import load
from judgesmith.runs.jsonl import write_json

WORTH_IT = 1.3
"""How many times faster than one thread more threads must be: a small gain when the probe ran can
become a sevenfold loss when other work arrives."""

WORTH_BF16 = 2.0
"""How many times faster than in float32 products must be: the rest of a step gains nothing."""


def choose_threads(store: Path) -> int:
    """The stored number of threads; else all cores if a short probe finds that worth it, or one.

    Where OMP_NUM_THREADS is set, no more than that many are tried.
    """
    torch = load("torch")
    known = _read(store)
    if "torch_threads" in known:
        chosen = int(known["torch_threads"])
    else:
        timings = {count: _probe(count) for count in sorted({1, _most_threads()})}
        fastest = min(timings, key=lambda count: timings[count])
        chosen = fastest if timings[fastest] * WORTH_IT <= timings[1] else 1
        measured = {str(count): round(seconds, 4) for count, seconds in timings.items()}
        write_json(store, known | {"torch_threads": chosen, "probe_s": measured})
    torch.set_num_threads(chosen)
    return chosen


def _most_threads() -> int:
    cores = os.cpu_count() or 1
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return min(cores, int(asked)) if asked.isdigit() and int(asked) else cores


def choose_bf16(store: Path) -> bool:
    """Whether to multiply in bf16 on this processor: the stored answer, or a short probe's."""
    torch = load("torch")
    known = _read(store)
    if "bf16" not in known:
        timings = {str(kind): _multiply(getattr(torch, kind)) for kind in ("float32", "bfloat16")}
        chosen = timings["bfloat16"] * WORTH_BF16 <= timings["float32"]
        measured = {kind: round(seconds, 4) for kind, seconds in timings.items()}
        known |= {"bf16": chosen, "bf16_probe_s": measured}
        write_json(store, known)
    return bool(known["bf16"])


def _read(store: Path) -> dict[str, Any]:
    return dict(orjson.loads(store.read_bytes())) if store.exists() else {}


def _multiply(kind: Any) -> float:
    """Seconds for the matrix products of a small student's step: the best of three."""
    torch = load("torch")
    left, right = torch.ones(4096, 128, dtype=kind), torch.ones(128, 384, dtype=kind)
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        for _ in range(20):
            left @ right
        best = min(best, time.perf_counter() - start)
    return best


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
