"""What the trainings of a run will cost, by their dry runs: `cost.py RUN KEPT --price 2.49`.

A dry run's projection lies in the run while its training goes on; a copy of it is kept in KEPT.
Prints each once. Exits 3 where all together cost more than `--most`. Evaluation, downloads and
installation are not in it.
"""

# ruff: noqa: D103, T201
import argparse
import json
import shutil
import sys
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("kept", type=Path)
    parser.add_argument("--price", type=float, required=True)
    parser.add_argument("--most", type=float)
    given = parser.parse_args()
    given.kept.mkdir(parents=True, exist_ok=True)
    for file in sorted(given.run.glob("**/checkpoints/dry_run.json")):
        name = str(file.parent.parent.relative_to(given.run)).replace("/", "-")
        kept = given.kept / f"{name}.json"
        if not kept.exists() or kept.read_bytes() != file.read_bytes():
            shutil.copy(file, kept)
            hours = json.loads(kept.read_bytes())["projected_hours"]
            told = f"{name}: {hours:.2f} hours of training at {given.price:.2f} an hour"
            print(f"{told} = {hours * given.price:.2f}", flush=True)
    hours = sum(json.loads(k.read_bytes())["projected_hours"] for k in given.kept.glob("*.json"))
    if given.most is not None and hours * given.price > given.most:
        print(f"stopped: {hours * given.price:.2f} is more than {given.most:.2f}", flush=True)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
