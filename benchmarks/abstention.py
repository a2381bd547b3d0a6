"""How often the promise of an abstention threshold is broken, over judges whose risk is known.

    python -m benchmarks.abstention [--judges 2000]

A world is a grid of confidences with a risk at each; a question draws a difficulty that all of its
items share, so that items of a question are wrong together. The true risk of a threshold is then a
finite sum. Each row is one world and number of questions, at a risk of 10% and delta 5%, with four
ways to choose the threshold:

    one per question    what judgesmith does: fixed ranks, union bound, one item per question
    every item          the same on all items, as if they were independent
    no union bound      one item per question, each rank tested at delta itself
    share of errors     the lowest threshold with at most 10% of errors above it

Prints the share of judges for which the promise is broken (a threshold is given and its true risk
is above 10%) and the mean coverage, both on the population. Exits 1 where the first way is shown
to break it in more than delta, by Clopper and Pearson's lower end at 99.9%.
"""

import argparse
import sys
from collections.abc import Callable

import numpy as np
from benchmarks.planted.table import clopper_pearson
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import bdtr, expit, logit

from judgesmith.metrics.selective import KEEPS_ALL, STEPS, abstention, one_per_cluster

Floats = NDArray[np.float64]
RISK, DELTA = 0.1, 0.05
GRID = np.linspace(0.005, 0.995, 100)
COARSE = np.array([0.34, 0.5, 0.67, 0.84, 1.0])
"""Confidences of a judge whose votes are counted: most items have the highest."""
SHARED = np.linspace(-2.5, 2.5, 11)
"""Difficulties of questions on the logit scale, evenly likely."""


class World:
    """Confidences, their weights, and the risk at each for each difficulty.

    `items` is the range of items of a question; without `shared` they are independent.
    """

    def __init__(
        self, grid: Floats, weights: Floats, risk: Floats, items: tuple[int, int], shared: bool
    ) -> None:
        self.grid, self.weights, self.items = grid, weights / weights.sum(), items
        hardness = SHARED if shared else np.zeros(1)
        self.risks = expit(logit(risk)[None] + hardness[:, None])

    def risk_above(self, above: float) -> float:
        """The true risk of verdicts given above a threshold."""
        kept = self.grid > above
        weight = self.weights[kept]
        return float((self.risks.mean(axis=0)[kept] * weight).sum() / weight.sum())

    def coverage(self, above: float) -> float:
        """The share of items above a threshold."""
        return float(self.weights[self.grid > above].sum())

    def draw(self, questions: int, generator: np.random.Generator) -> tuple[Floats, Floats, Floats]:
        """Confidence, right and question of each item."""
        sizes = generator.integers(*self.items, questions)
        question = np.repeat(np.arange(questions), sizes)
        hard = generator.integers(0, len(self.risks), questions)[question]
        at = generator.choice(len(self.grid), len(question), p=self.weights)
        right = generator.random(len(question)) >= self.risks[hard, at]
        return self.grid[at], right, question


def marginal(target: float) -> float:
    """The risk at difficulty 0 that gives this mean risk over all difficulties."""
    found: float = brentq(lambda risk: expit(logit(risk) + SHARED).mean() - target, 1e-4, 0.5)
    return found


EVEN = np.ones(100)
AT_LIMIT = 0.1001
VOTES = np.array([0.6, 0.45, 0.4, 0.3, 0.02])
WORLDS = {
    "good ranking": World(GRID, EVEN, 0.001 + 0.3 * (1 - GRID) ** 2, (2, 5), True),
    "weak ranking": World(GRID, EVEN, 0.02 + 0.06 * (1 - GRID), (2, 5), True),
    "surest are worst": World(GRID, EVEN, np.where(GRID > 0.8, 0.25, 0.005), (2, 5), True),
    "few levels": World(COARSE, np.array([2, 6, 5, 10, 77.0]), VOTES, (1, 4), True),
    "at the limit throughout": World(GRID, EVEN, np.full(100, AT_LIMIT), (2, 5), False),
    "at the limit, 20 items a question": World(
        GRID, EVEN, np.full(100, marginal(AT_LIMIT)), (20, 21), True
    ),
}


def by_ranks(stated: Floats, right: Floats, level: float) -> float | None:
    """The lowest of the ten ranks that passes a test at this level."""
    falling, n, best = np.sort(stated)[::-1], len(stated), None
    for step in range(1, STEPS + 1):
        rank = -(-step * n // STEPS)
        above = KEEPS_ALL if rank >= n else float(falling[rank])
        kept = stated > above
        if kept.any() and bdtr(int((~right[kept]).sum()), int(kept.sum()), RISK) <= level:
            best = above
    return best


def by_share(stated: Floats, right: Floats) -> float | None:
    """The lowest threshold with at most the risk's share of errors above it."""
    best = None
    for above in np.unique(stated)[::-1]:
        kept = stated > above
        if kept.any() and (~right[kept]).mean() <= RISK:
            best = float(above)
    return KEEPS_ALL if (~right).mean() <= RISK else best


def ours(stated: Floats, right: Floats) -> float | None:
    return abstention(stated.tolist(), right.tolist(), risk=RISK, delta=DELTA).above


def ways(
    stated: Floats, right: Floats, question: Floats, seed: int
) -> dict[str, Callable[[], float | None]]:
    one = one_per_cluster(question.tolist(), seed)
    return {
        "one per question": lambda: ours(stated[one], right[one]),
        "every item": lambda: ours(stated, right),
        "no union bound": lambda: by_ranks(stated[one], right[one], DELTA),
        "share of errors": lambda: by_share(stated[one], right[one]),
    }


def row(name: str, questions: int, judges: int) -> bool:
    """Print one world; whether its first way keeps the promise as far as can be seen."""
    world = WORLDS[name]
    generator = np.random.default_rng([questions, *map(ord, name)])
    broken: dict[str, int] = {}
    covered: dict[str, float] = {}
    for judge in range(judges):
        stated, right, question = world.draw(questions, generator)
        for way, choose in ways(stated, right, question, judge).items():
            above = choose()
            broken.setdefault(way, 0)
            covered.setdefault(way, 0.0)
            if above is not None:
                broken[way] += world.risk_above(above) > RISK
                covered[way] += world.coverage(above)
    cells = [f"{broken[way] / judges:.1%} ({covered[way] / judges:.0%})" for way in broken]
    print(f"| {name} | {questions} | {' | '.join(cells)} |", flush=True)
    low, _ = clopper_pearson(broken["one per question"], judges, 0.999)
    return low <= DELTA


def main() -> None:
    """All worlds."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--judges", type=int, default=2000)
    judges = parser.parse_args().judges
    print(
        f"Promise broken, and coverage in brackets; risk {RISK:.0%}, delta {DELTA:.0%}, {judges:,}"
    )
    print(
        "| world | questions | one per question | every item | no union bound | share of errors |"
    )
    print("|---|---|---|---|---|---|")
    kept = [row(name, questions, judges) for name in WORLDS for questions in (100, 300, 1000)]
    sys.exit(0 if all(kept) else 1)


if __name__ == "__main__":
    main()
