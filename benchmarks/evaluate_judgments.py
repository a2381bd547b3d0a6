"""Read and evaluate judgments in our own columns: time, and memory by the size of the file.

    python benchmarks/evaluate_judgments.py [--sizes 250000 1000000]

Each size is three judges in both orders, with one label an item and texts of plausible length. It
is measured in a process of its own: the whole of `judgesmith evaluate` with its 10,000 resamples.
Prints bytes per judgment, which is what grows; the texts do not stay in memory. Exits 1 when a
judgment takes more than is promised.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from judgesmith.pipeline.measure_files import Asked, measure_readable
from judgesmith.pipeline.readable import open_readable

MOST_BYTES = 700
JUDGES = (("large", 0.85), ("middle", 0.7), ("small", 0.6))


def write_rows(path: Path, judgments: int) -> None:
    """Write labels and judgments, one a line."""
    draw = random.Random(1)
    words = ["reason", "because", "answer", "clear", "short", "question", "which", "better"]
    with path.open("w", encoding="utf-8") as file:
        for number in range(judgments // (2 * len(JUDGES))):
            item, label = f"item-{number}", draw.choice(["A", "B", "TIE"])
            file.write(json.dumps({
                "item": item, "question": f"{number // 3} " + " ".join(draw.choices(words, k=12)),
                "response_a": " ".join(draw.choices(words, k=25)),
                "response_b": " ".join(draw.choices(words, k=25)),
                "annotator": "person", "label": label,
            }) + "\n")  # fmt: skip
            for judge, skill in JUDGES:
                for order in ("stored", "swapped"):
                    said = label if draw.random() < skill else draw.choice(["A", "B"])
                    row = {"item": item, "judge": judge, "order": order, "verdict": said}
                    file.write(json.dumps(row) + "\n")


def evaluate(path: Path) -> None:
    """Evaluate one file and print seconds and memory above the imports as JSON."""
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    document = measure_readable(open_readable([str(path)]), Asked())
    assert document.evaluation is not None
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base
    print(json.dumps({"seconds": time.perf_counter() - started, "grown_mb": grown / 1024}))


def measured(path: Path) -> dict[str, float]:
    """The figures of one file, from a fresh process."""
    done = subprocess.run(
        [sys.executable, __file__, "--one", str(path)], check=True, text=True, capture_output=True
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> int:
    """Measure every size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[250_000, 1_000_000])
    parser.add_argument("--one", type=Path)
    arguments = parser.parse_args()
    if arguments.one:
        evaluate(arguments.one)
        return 0
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for size in arguments.sizes:
            path = Path(folder) / f"judgments-{size}.jsonl"
            write_rows(path, size)
            found = measured(path)
            per_row = found["grown_mb"] * 1024**2 / size
            worst = max(worst, per_row)
            print(
                f"{size:>9,} judgments: {found['seconds']:6.1f} s, "
                f"{found['grown_mb']:6.0f} MB, {per_row:4.0f} bytes a judgment"
            )
            path.unlink()
    if worst > MOST_BYTES:
        print(f"a judgment takes {worst:.0f} bytes, more than the {MOST_BYTES} promised")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
