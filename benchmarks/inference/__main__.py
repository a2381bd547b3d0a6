"""Verdicts per second: read out at once, with a reason, and as people usually do it.

    python -m benchmarks.inference [--run runs/judge] [--server .venv-external/bin/python] [--help]

All sides get the same prompts, in both orders, from the same model on the same machine:

- fast: the verdict read out at once, prompts that begin alike computed once;
- fast in bf16: the same in half precision, as training multiplies where the processor gains by it;
- rationale: a reason of up to `--tokens` tokens and the verdict's chances, in batches;
- one by one: the obvious loop, `generate` for one prompt at a time, up to `--tokens` tokens;
- one by one, to the end: the same, where replies end earlier, with all `--tokens` tokens;
- batched: the same in padded batches of `--batch`, as transformers' own examples do;
- regex: sampled replies in such batches, read by a regular expression and asked again where it
  does not match, up to ten times: the way in which prometheus-eval is used;
- llama.cpp: its server over the same weights as GGUF F16, one call after the other (`--server`).

Models are Llamas of random weights, one of the quickstart's size with prompts of some 110 tokens
and one of 20M with 700, which write to the end, and the student of a finished run (`--run`), whose
replies end by themselves. A verdict is that of one prompt: a pair in both orders is two. The
judge's own answers, where its dialect asks for them, are there before the clock runs, on every
side. Seconds are of CPU on a CPU, which others may share; the server's are its own and the
client's. Sides take turns, `--rounds` times, and the medians count; slow sides judge `--loops`
pairs only. Prints a table by model with the range of the rates.

Exits 1 where fast is less than `LEAST` times the loop, or not ahead of `generate` at equal batch
sizes, of the regular expression, or of the server. The aim is 12 times; what decides is how much
of the prompts is shared, and how long the loop writes.
"""

import argparse
import gc
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks.inference.llama_side import LlamaSide, llama_server
from benchmarks.inference.sides import AS_PROMETHEUS, Side, generated, ours
from benchmarks.inference.subjects import LARGE, SMALL, Subject, random_llama, student_of

from judgesmith.backends.encode import encode_prompt
from judgesmith.backends.loading import load

AIM = 12.0
LEAST = {SMALL.name: 7.0, LARGE.name: 2.5}
LEAST_STUDENT = 6.0


class Timed(NamedTuple):
    """A side, how many prompts it gets, and the clock that it is timed by."""

    run: Side
    count: int
    clock: Callable[[], float]


def own_clock() -> float:
    """Seconds of CPU on a CPU, which others may share, else by the clock."""
    return time.perf_counter() if load("torch").cuda.is_available() else time.process_time()


def sides_of(
    subject: Subject, loops: int, batch: int, server: LlamaSide | None
) -> dict[str, Timed]:
    """Every side by its name; the slow ones get fewer prompts."""
    every = len(subject.requests["fast"])
    some = min(2 * loops, every)
    lots = min(every, max(some, 2 * batch))
    sides: dict[str, tuple[Side, int]] = {
        "fast": (ours(subject, "fast"), every),
        f"fast, {batch} at once": (ours(subject, "fast", batch), every),
        "fast in bf16": (ours(subject, "fast", bf16=True), every),
        "rationale": (ours(subject, "rationale"), lots),
        f"rationale, {batch} at once": (ours(subject, "rationale", batch), lots),
        "one by one": (generated(subject, 1), some),
        "batched": (generated(subject, batch), lots),
        "regex": (generated(subject, batch, **AS_PROMETHEUS), lots),
    }
    if subject.ends:
        sides["one by one, to the end"] = (
            generated(subject, 1, min_new_tokens=subject.tokens),
            some,
        )
    timed = {name: Timed(run, count, own_clock) for name, (run, count) in sides.items()}
    if server is not None:
        timed["llama.cpp"] = Timed(server, lots, lambda: own_clock() + server.cpu_s())
    return timed


def rates_of(sides: dict[str, Timed], rounds: int) -> dict[str, list[float]]:
    """Prompts judged per second, side by side in turns; lowest first."""
    rates: dict[str, list[float]] = {name: [] for name in sides}
    for side in sides.values():
        side.run(2)
    for number in range(rounds):
        for name, side in sides.items():
            gc.collect()
            start = side.clock()
            side.run(side.count)
            rates[name].append(side.count / (side.clock() - start))
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    return {name: sorted(found) for name, found in rates.items()}


def show(subject: Subject, sides: dict[str, Timed], rates: dict[str, list[float]]) -> None:
    """Print the table of one model, and what half precision does to its verdicts."""
    lengths = [len(encode_prompt(subject.tokenizer, r.messages)) for r in subject.requests["fast"]]
    millions = subject.model.num_parameters() / 1e6
    print(
        f"\n{subject.name}: {millions:.1f}M weights, prompts of {min(lengths)} to {max(lengths)} "
        f"tokens (mean {sum(lengths) / len(lengths):.0f}), replies of up to {subject.tokens}\n"
    )
    print("| side | prompts | verdicts/s, median (range) | times the loop |\n|---|---|---|---|")
    loop = median(rates["one by one"])
    for name, found in rates.items():
        rate = median(found)
        spread = f"{rate:.3g} ({found[0]:.3g} to {found[-1]:.3g})"
        print(f"| {name} | {sides[name].count} | {spread} | {rate / loop:.1f} |", flush=True)
    print(f"\nbf16: {moved_by_bf16(subject)}")


def moved_by_bf16(subject: Subject) -> str:
    """How many of the likeliest verdicts half precision changes, and the largest move."""
    whole: Any = ours(subject, "fast")(len(subject.requests["fast"]))
    half: Any = ours(subject, "fast", bf16=True)(len(subject.requests["fast"]))
    chances = [(a.probabilities, b.probabilities) for a, b in zip(whole, half, strict=True)]
    flips = sum(max(a, key=a.get) != max(b, key=b.get) for a, b in chances)
    most = max(abs(a[option] - b[option]) for a, b in chances for option in a)
    return f"{flips} of {len(chances)} verdicts moved, a chance by {most:.3f} at most"


def good(subject: Subject, rates: dict[str, list[float]], batch: int) -> bool:
    """Whether fast is ahead of every other way, and of the loop by as much as is promised."""
    by = {name: median(found) for name, found in rates.items()}
    least = LEAST.get(subject.name, LEAST_STUDENT)
    held = {
        f"{least:g} times the loop": by["fast"] >= least * by["one by one"],
        "ahead at equal batch sizes": by[f"fast, {batch} at once"] > by["batched"],
        "ahead of the regular expression": by["fast"] > by["regex"],
        "ahead of llama.cpp": by["fast"] > by.get("llama.cpp", 0.0),
    }
    for what, holds in held.items():
        if not holds:
            print(f"{subject.name}: fast is not {what}")
    return all(held.values())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, help="a finished run, whose student is timed as well")
    parser.add_argument("--server", type=Path, help="a Python that has llama-cpp-python's server")
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--large-pairs", type=int, default=6, help="of prompts of 700 tokens")
    parser.add_argument("--loops", type=int, default=4, help="pairs of the slow sides")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["small", "large", "run"])
    asked = parser.parse_args()
    print(f"torch with {load('torch').get_num_threads()} threads")
    passed = True
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        subjects: dict[str, Callable[[], Subject]] = {
            "small": lambda: random_llama(SMALL, folder / "small", asked.pairs, asked.tokens),
            "large": lambda: random_llama(LARGE, folder / "large", asked.large_pairs, asked.tokens),
        }
        if asked.run:
            subjects["run"] = lambda: student_of(asked.run, asked.pairs, asked.tokens)
        for name, subject_of in subjects.items():
            if asked.only in (None, name):
                passed &= timed(subject_of(), asked, folder / f"{name}-gguf")
    print(f"\nAim: {AIM:g} times the loop. {'As promised.' if passed else 'Less than promised.'}")
    return 0 if passed else 1


def timed(subject: Subject, asked: argparse.Namespace, folder: Path) -> bool:
    """Time one model and print it; whether it held what is promised."""
    loops = min(asked.loops, 2) if subject.name == LARGE.name else asked.loops
    batch = min(asked.batch, 2 * asked.large_pairs) if subject.name == LARGE.name else asked.batch
    with ExitStack() as open_till_done:
        server = None
        if asked.server and subject.ends:
            server = open_till_done.enter_context(llama_server(asked.server, subject, folder))
        sides = sides_of(subject, loops, batch, server)
        rates = rates_of(sides, asked.rounds)
        if server is not None:
            print(f"llama.cpp: a verdict was read in {server.read} of {server.asked} replies")
    show(subject, sides, rates)
    return good(subject, rates, batch)


if __name__ == "__main__":
    sys.exit(main())
