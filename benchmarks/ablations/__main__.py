"""Five ablations of the quickstart, each with every arm run in full for three seeds.

    python -m benchmarks.ablations swap|dpo|policy|size|soft [--seeds 7 8 9] [--out FOLDER]
        [--set KEY=VALUE ...]

Every arm is a run of the shipped recipe in a folder of its own (runs/ablations/NAME/ARM-SEED);
`settings.py` holds what is changed. A finished arm is not run again, and an interrupted one goes
on. Arms share their test items within a seed, so differences are paired by item. Prints Markdown.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.ablations.arms import Outcome, run_arm, same_items
from benchmarks.ablations.compare import COMPARE
from benchmarks.ablations.settings import ABLATIONS, RESAMPLES, SEEDS
from benchmarks.ablations.table import costs, markdown, starts

from judgesmith.errors import JudgesmithError

NOTE = (
    "Test items of seeds {seeds} are pooled; intervals are from {resamples:,} resamples of whole "
    "questions within a seed (values BCa, differences percentile and paired by item). They say "
    "nothing of how far another training seed would move a number, which {count} seeds do not "
    "bound: see each seed's value. A question that two seeds share counts twice. Kappa is of "
    "order-averaged verdicts against the answer key, an unparsed verdict counted as wrong. The "
    "difference is to the first arm of its block. McNemar's test takes items as independent."
)
ORDERS = (
    "A flip is an item whose raw verdicts in the two orders differ, of those parsed in both. The "
    "stored order of an item is itself drawn by a coin keyed by its id, so `stored` is one draw of "
    "the coin and `coin_flip` another: neither slot pays in either."
)


SOFT = (
    "`95` and `80` are how often the simulated teacher is right, in percent; it is calibrated, and "
    "each soft arm learns from the same rows as the hard one. The squared error is of the expected "
    "score of each response, from 0 to 1, against the answer key: its Brier score."
)


def run_all(name: str, seeds: Sequence[int], out: Path, extra: Sequence[str]) -> list[Outcome]:
    """Every arm with every seed."""
    ablation = ABLATIONS[name]
    found = [
        run_arm(ablation, arm, seed, folder=out / f"{arm}-{seed}", extra=extra)
        for arm in ablation.arms
        for seed in seeds
    ]
    same_items(found)
    return found


def show(name: str, outcomes: Sequence[Outcome], seeds: Sequence[int]) -> None:
    """Print the table, what it means, and what it cost."""
    print(f"### {ABLATIONS[name].title}\n")
    print(markdown(COMPARE[name](outcomes)))
    listed = ", ".join(map(str, seeds))
    print("\n" + NOTE.format(seeds=listed, resamples=RESAMPLES, count=len(seeds)))
    if name == "swap":
        print(ORDERS)
    if name == "soft":
        print(SOFT)
    if name == "dpo":
        print("\n" + starts(outcomes))
    print("\n" + costs(outcomes))


def main() -> int:
    """Run one ablation."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=list(ABLATIONS))
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--out", type=Path)
    parser.add_argument("--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE")
    given = parser.parse_args()
    out = given.out or Path("runs") / "ablations" / given.name
    seeds = sorted(set(given.seeds))
    try:
        show(given.name, run_all(given.name, seeds, out, given.set), seeds)
    except JudgesmithError as error:
        print(f"{given.name}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
