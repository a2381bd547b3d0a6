"""Packed training against TRL's own padded trainer: tokens/s, memory, share of the matmul rate.

    python -m benchmarks.training [--config small] [--mix 'several dialects' ...] [--times 3]

Both sides train the same model from the same random weights on the same rows in the same batches,
so the loss of every batch must be the same to 1e-3. Rows have lengths of real ones (see
`training_rows`); a batch holds `--batch` of them as they are drawn. `--config small` trains all
weights of a Llama of 4M parameters in float32; `--config 4b` an adapter of rank 16 on random bf16
weights of 4B parameters, on a GPU.

- padded: `trl.SFTTrainer` with its own collator and loss.
- packed: the trainer of stage sft with `packing: bfd`.

Each side runs in a process of its own, in turns, `--times` times. Tokens are those of prompts and
replies; padding does not count. Seconds are of CPU on a CPU, which others may share, and by the
clock on a GPU; the ratio by the clock is given too. The matrix product is measured in each process
before it trains, and the share is 6 operations per trained weight and token (4 per frozen one) over
that rate: attention is not counted. Memory is the largest resident set, or the most that torch
allocated on a GPU.
Prints a Markdown table and the machine's load; exits 1 when packing is less than twice as fast for
rows of several dialects, or when losses differ.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from statistics import median
from typing import Any

from benchmarks.training_rows import MIXES

LEAST_RATIO = 2.0
MOST_APART = 1e-3
Found = dict[str, Any]


def run_side(what: str, job: dict[str, Any]) -> Found:
    """What a process of its own measured; ends with its error where there is one."""
    command = [sys.executable, "-m", "benchmarks.training_sides", what, json.dumps(job)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr.strip() or f"{what} ended with code {done.returncode}")
    found: Found = json.loads(done.stdout.splitlines()[-1]) if what != "build" else {}
    return found


def compare(job: dict[str, Any], times: int) -> tuple[list[Found], list[Found]]:
    """Padded and packed, in turns."""
    run_side("build", job)
    turns = [(run_side("padded", job), run_side("packed", job)) for _ in range(times)]
    return [one for one, _ in turns], [two for _, two in turns]


def apart(padded: list[Found], packed: list[Found]) -> float:
    """How far the losses of a batch are apart, at most."""
    pairs = [
        (one, two)
        for left, right in zip(padded, packed, strict=True)
        for one, two in zip(left["losses"], right["losses"], strict=True)
    ]
    return max(abs(one - two) for one, two in pairs)


def of(found: list[Found], name: str) -> float:
    return median(one[name] for one in found)


def print_row(mix: str, padded: list[Found], packed: list[Found]) -> float:
    """One row of the table; the ratio of the medians."""
    ratios, by_clock = (
        sorted(two[name] / one[name] for one, two in zip(padded, packed, strict=True))
        for name in ("tokens_per_second", "wall")
    )
    ratio = median(ratios)
    memory = [of(side, "peak_mib") for side in (padded, packed)]
    shares = [of(side, "share") for side in (padded, packed)]
    print(
        f"| {mix} | {of(padded, 'padding'):.2f} | {of(padded, 'tokens_per_second'):,.0f} | "
        f"{of(packed, 'tokens_per_second'):,.0f} | {ratio:.2f} ({ratios[0]:.2f} to "
        f"{ratios[-1]:.2f}) | {median(by_clock):.2f} | {shares[0]:.0%} | "
        f"{shares[1]:.0%} | {memory[0]:,.0f} | {memory[1]:,.0f} | {apart(padded, packed):.1e} |",
        flush=True,
    )
    return ratio


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", choices=["small", "4b"], default="small")
    parser.add_argument("--mix", nargs="+", choices=MIXES, default=list(MIXES))
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--max-length", type=int, default=3072)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--times", type=int, default=3)
    given = parser.parse_args()
    failed, last = [], {}
    print(
        "| rows | padded tokens per token | padded tokens/s | packed tokens/s | ratio (spread) | "
        "by the clock | padded share of matmul rate | packed | padded MiB | packed MiB | "
        "losses apart |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|", flush=True)
    for mix in given.mix:
        with tempfile.TemporaryDirectory() as folder:
            job = {
                "folder": folder, "size": given.config, "mix": mix, "batch": given.batch,
                "steps": given.steps, "max_length": given.max_length, "threads": given.threads,
            }  # fmt: skip
            padded, packed = compare(job, given.times)
        ratio, last = print_row(mix, padded, packed), packed[-1]
        if apart(padded, packed) > MOST_APART:
            failed.append(f"{mix}: losses of a batch are more than {MOST_APART:g} apart")
        if len(MIXES[mix]) > 1 and ratio < LEAST_RATIO:
            failed.append(f"{mix}: packing is less than {LEAST_RATIO:g} times as fast")
    load = ", ".join(f"{part:.1f}" for part in os.getloadavg())
    print(
        f"\n{last['parameters'] / 1e6:.0f}M parameters on {last['device']}, {given.threads} "
        f"thread(s) of {os.cpu_count()}, matrix products at {last['rate'] / 1e9:,.0f} GFLOP/s; "
        f"batches of {given.batch}, {given.steps} steps, {given.times} turns; load {load}."
    )
    for line in failed:
        print(line, file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
