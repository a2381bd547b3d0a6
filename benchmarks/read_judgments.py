"""Read judgments through a mapping: rows a second, and memory that does not grow with the file.

    python benchmarks/read_judgments.py

Writes JSON Lines of two sizes, reads each in a process of its own, and prints time, rates and
peak memory. Exits 1 when the larger file takes more memory than the smaller one.
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

from judgesmith.sources.mapped import read_mapped
from judgesmith.sources.mapping import Mapping

ALLOWED_GROWTH_MB = 16.0
MAPPING = {
    "name": "made", "title": "Judgments made for this measurement", "published": "nowhere",
    "licence": "Apache-2.0", "kind": "pair", "names": "better",
    "files": [
        {
            "path": "*.jsonl",
            "item": "{id}",
            "question": "{question}",
            "responses": ["{output_1}", "{output_2}"],
            "fields": {"category": "{category}"},
            "votes": [
                {
                    "by": "{judge}",
                    "verdict": "{winner}",
                    "read": {"1": "A", "2": "B", "0": "TIE", "null": "no_verdict"},
                    "letters": "shown",
                    "order": "{swapped}",
                    "orders": {"false": "stored", "true": "swapped"},
                }
            ],
        }
    ],
}  # fmt: skip


def write_rows(path: Path, count: int) -> None:
    """Write judgments of plausible length, one a line."""
    draw = random.Random(1)
    words = ["reason", "because", "answer", "clear", "short", "question", "which", "better"]
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            row = {
                "id": f"q{number // 2}",
                "question": " ".join(draw.choices(words, k=12)),
                "output_1": " ".join(draw.choices(words, k=25)),
                "output_2": " ".join(draw.choices(words, k=25)),
                "category": draw.choice(words),
                "judge": "judge-7b",
                "winner": draw.choice([1, 1, 2, 2, 0, None]),
                "swapped": bool(number % 2),
            }
            file.write(json.dumps(row) + "\n")


def read(path: Path) -> None:
    """Read one file to its end and print time, rows, verdicts and peak memory as JSON."""
    mapping = Mapping.model_validate(MAPPING)
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    started = time.perf_counter()
    rows = parsed = 0
    for row in read_mapped(mapping, [path]):
        rows += 1
        parsed += row.judgments[0].verdict is not None
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rows": rows, "parsed": parsed, "s": seconds, "base": base, "peak": peak}))


def measure(folder: Path, count: int) -> float:
    """Read a file of so many rows in a fresh process; the peak memory in MB."""
    path = folder / f"{count}.jsonl"
    write_rows(path, count)
    done = subprocess.run(
        [sys.executable, __file__, "--read", str(path)], check=True, capture_output=True, text=True
    )
    found = json.loads(done.stdout)
    print(
        f"{found['rows']:>9,} rows, {path.stat().st_size / 1e6:.0f} MB: {found['s']:.2f} s, "
        f"{found['rows'] / found['s']:,.0f} rows/s, {found['parsed']:,} with a verdict, peak "
        f"{found['peak']:.0f} MB ({found['peak'] - found['base']:+.0f} MB while reading)"
    )
    path.unlink()
    return float(found["peak"])


def main() -> int:
    """Measure both sizes and compare their memory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[250_000, 1_000_000])
    parser.add_argument("--read", type=Path)
    given = parser.parse_args()
    if given.read is not None:
        read(given.read)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        peaks = [measure(Path(folder), count) for count in given.rows]
    growth = peaks[-1] - peaks[0]
    flat = growth <= ALLOWED_GROWTH_MB
    print(f"peak memory grows by {growth:+.1f} MB: {'flat' if flat else 'NOT FLAT'}")
    return 0 if flat else 1


if __name__ == "__main__":
    sys.exit(main())
