"""Detection and false alarms of every audit, over seeded sets with a defect of known strength.

A module of this folder defines `LEVEL` (the false-alarm rate that its audit states on a clean set),
`STRENGTHS` (0 is clean), `make(seed, strength)` and `detect(inputs)`.
"""

import importlib
import pkgutil
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scipy.stats import beta

SEEDS = 200
CONFIDENCE = 0.95
_NOT_AUDITS = {"table", "__main__"}
HEADER = (
    "| audit | false alarms | 95% interval | stated level | detected at 1 | at 2 | at 3 | s |\n"
    "|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Row:
    """What one audit did.

    Attributes:
        audit: name of its module.
        level: the false-alarm rate that it states.
        seeds: sets made per strength.
        found: how many of them it reported, by strength.
        seconds: what all of it took.
    """

    audit: str
    level: float
    seeds: int
    found: dict[int, int]
    seconds: float

    @property
    def false_alarms(self) -> tuple[float, float]:
        """Clopper and Pearson's interval of the false-alarm rate."""
        return clopper_pearson(self.found[0], self.seeds)

    @property
    def above_level(self) -> bool:
        """Whether the false-alarm rate is shown to be above what is stated."""
        return self.false_alarms[0] > self.level


def clopper_pearson(hits: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The exact interval of a share.

    None of 200: the upper end u solves (1 - u)**200 = .025.

    >>> low, high = clopper_pearson(0, 200)
    >>> low, round(high, 6), round((1 - high) ** 200, 6)
    (0.0, 0.018275, 0.025)
    """
    tail = (1 - confidence) / 2
    low = 0.0 if hits == 0 else float(beta.ppf(tail, hits, n - hits + 1))
    high = 1.0 if hits == n else float(beta.ppf(1 - tail, hits + 1, n - hits))
    return low, high


def names() -> list[str]:
    """Modules of this folder that plant a defect."""
    found = pkgutil.iter_modules([str(Path(__file__).parent)])
    return sorted(module.name for module in found if module.name not in _NOT_AUDITS)


def measure(name: str, seeds: int = SEEDS) -> Row:
    """Plant one defect over all seeds and strengths."""
    module: Any = importlib.import_module(f"benchmarks.planted.{name}")
    started = time.perf_counter()
    found = {
        strength: sum(bool(module.detect(module.make(seed, strength))) for seed in range(seeds))
        for strength in module.STRENGTHS
    }
    return Row(name, module.LEVEL, seeds, found, time.perf_counter() - started)


def markdown(row: Row) -> str:
    """One line of the table."""
    low, high = row.false_alarms
    rates = " | ".join(
        f"{count / row.seeds:.1%}" for strength, count in row.found.items() if strength
    )
    mark = " **above**" if row.above_level else ""
    return (
        f"| {row.audit} | {row.found[0]} of {row.seeds}{mark} | {low:.1%} to {high:.1%} | "
        f"{row.level:g} | {rates} | {row.seconds:.0f} |"
    )


def run(chosen: Iterable[str], seeds: int = SEEDS) -> Sequence[Row]:
    """Print the table as it grows and return its rows."""
    print(HEADER)
    rows = []
    for name in chosen:
        rows.append(measure(name, seeds))
        print(markdown(rows[-1]), flush=True)
    return rows
