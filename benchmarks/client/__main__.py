"""CPU of a call over HTTP: our client with cache and ledger, beside three that keep nothing.

    python -m benchmarks.client [--calls 4000] [--litellm-python PATH] [--memory]

A local server answers after 20 ms; each client runs in a process of its own, 16, 64 and 256 calls
in flight. Prints Markdown. Fails where our client at 256 in flight takes more than a fifth of the
openai client's CPU. `--memory`: 100,000 calls, whose peak memory may not exceed that of 10,000 by
more than a tenth. litellm needs an environment of its own (it declares an older openai).
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
SERVER = HERE.parents[1] / "tests" / "servers" / "fault_server.py"
AT_ONCE = (16, 64, 256)
SHARE = 0.2
GROWTH = 1.1


def main() -> int:
    """Run all clients, or look at memory."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=4000)
    parser.add_argument("--litellm-python", help="a Python that has litellm")
    parser.add_argument("--memory", action="store_true")
    given = parser.parse_args()
    sys.path.append(str(SERVER.parent))
    from running import fault_server

    with (
        tempfile.TemporaryDirectory() as folder,
        fault_server(Path(folder), latency_ms=20, history=False) as server,
    ):
        if given.memory:
            return memory(server.url)
        return speed(server.url, given.calls, given.litellm_python)


def measured(python: str, name: str, url: str, calls: int, at_once: int) -> dict[str, float]:
    """One client in its own process."""
    command = [python, str(HERE / "callers.py"), name, url, str(calls), str(at_once)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def speed(url: str, calls: int, litellm_python: str | None) -> int:
    """CPU per call by client and calls in flight."""
    pythons = dict.fromkeys(("judgesmith", "aiohttp", "openai"), sys.executable)
    if litellm_python:
        pythons["litellm"] = litellm_python
    print("| client | in flight | calls | CPU ms per call | times ours | calls/s |")
    print("|---|---|---|---|---|---|")
    share = 1.0
    for at_once in AT_ONCE:
        ours = 0.0
        for name, python in pythons.items():
            # Slow clients make fewer calls: CPU per call is what counts.
            some = calls if name in ("judgesmith", "aiohttp") else max(at_once * 4, calls // 4)
            found = measured(python, name, url, some, at_once)
            ms = 1000 * found["cpu_s"] / some
            ours = ours or ms
            if name == "openai":
                share = ours / ms
            print(
                f"| {name} | {at_once} | {some} | {ms:.2f} | {ms / ours:.1f} | "
                f"{some / found['wall_s']:.0f} |",
                flush=True,
            )
    print(f"\nOurs at {AT_ONCE[-1]} in flight: {share:.2f} of the openai client's CPU.")
    return int(share > SHARE)


def memory(url: str) -> int:
    """Peak memory over 10,000 and 100,000 calls."""
    peaks = {
        calls: measured(sys.executable, "judgesmith", url, calls, 64)["peak_mb"]
        for calls in (10_000, 100_000)
    }
    few, many = peaks.values()
    print(f"Peak memory: {few:.0f} MB over 10,000 calls, {many:.0f} MB over 100,000.")
    return int(many > GROWTH * few)


if __name__ == "__main__":
    sys.exit(main())
