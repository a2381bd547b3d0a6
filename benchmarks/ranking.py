"""How often intervals of a ranking hold the truth, and how often its tests are wrong.

    python -m benchmarks.ranking [--rankings 1000] [--resamples 1000]

Five systems answer questions. On each question every system has a good or a bad day (a normal
deviation that all its comparisons on that question share), and every comparison has noise of its
own; close ones are ties. The chance of every outcome is then a normal probability, so that the true
win rates are exact, and the true strengths are those that Bradley-Terry has on the exact chances.
Coverage is over systems and rankings together. The last column is for five systems that are alike:
the share of rankings in which any pair is called better, which Holm holds to at most 5%.

Exits 1 where a coverage with at least 100 questions lies outside 93 to 97%, or the last column is
shown to be above 5% by Clopper and Pearson's lower end at 99.9%.
"""

import argparse
import sys
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from benchmarks.planted.table import clopper_pearson
from numpy.typing import NDArray
from scipy.stats import norm

from judgesmith.metrics.bradley_terry import bradley_terry
from judgesmith.metrics.system_ranking import Comparison, rank_systems

NAMES = tuple("abcde")
SKILL = np.array([0.8, 0.5, 0.4, 0.0, -0.4])
DAY, CLOSE = 0.7, 0.4
"""Standard deviation of a system's day; half of the width of a tie. Noise has deviation 1."""
GATED = 100
BOUNDS = (0.93, 0.97)

Pairs = Sequence[tuple[int, int]]
ALL: Pairs = tuple(combinations(range(5), 2))
BASELINE: Pairs = tuple((i, 3) for i in (0, 1, 2, 4))


def truth(pairs: Pairs) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The true win rate and strength of each system."""
    wins = np.zeros((5, 5))
    spread = np.sqrt(2 * DAY**2 + 1)
    for i, j in pairs:
        gap = SKILL[i] - SKILL[j]
        above, below = norm.sf((CLOSE - gap) / spread), norm.cdf((-CLOSE - gap) / spread)
        wins[i, j], wins[j, i] = above + (1 - above - below) / 2, below + (1 - above - below) / 2
    strength = bradley_terry(wins)
    assert strength is not None
    return wins.sum(axis=1) / (wins + wins.T).sum(axis=1), strength


def draw(
    skill: NDArray[np.float64], pairs: Pairs, questions: int, generator: np.random.Generator
) -> list[Comparison]:
    days = generator.normal(0, DAY, (questions, 5))
    found = []
    for q in range(questions):
        for i, j in pairs:
            gap = skill[i] + days[q, i] - skill[j] - days[q, j] + generator.normal()
            share = 0.5 if abs(gap) < CLOSE else float(gap > 0)
            found.append(Comparison(NAMES[i], NAMES[j], share, q))
    return found


def row(name: str, pairs: Pairs, questions: int, rankings: int, resamples: int) -> bool:
    """Print one design; whether it keeps what it says."""
    generator = np.random.default_rng([questions, len(pairs)])
    rates, strengths = truth(pairs)
    held = {"win rate": 0, "strength": 0}
    missing = alarms = 0
    for seed in range(rankings):
        found = rank_systems(
            draw(SKILL, pairs, questions, generator), seed=seed, resamples=resamples
        )
        for one in found.standings:
            at = NAMES.index(one.name)
            for kind, estimate, true in (
                ("win rate", one.win_rate, rates[at]), ("strength", one.strength, strengths[at]),
            ):  # fmt: skip
                if estimate.low is None or estimate.high is None:
                    missing += 1
                else:
                    held[kind] += estimate.low <= true <= estimate.high
        alike = rank_systems(draw(np.zeros(5), pairs, questions, generator), seed=seed, resamples=1)
        alarms += any(duel.p_holm < 0.05 for duel in alike.duels)
    n = 5 * rankings
    shares = {kind: count / n for kind, count in held.items()}
    print(
        f"| {name} | {questions} | {shares['win rate']:.1%} | {shares['strength']:.1%} "
        f"| {missing} | {alarms / rankings:.1%} |",
        flush=True,
    )
    inside = all(BOUNDS[0] <= share <= BOUNDS[1] for share in shares.values())
    low, _ = clopper_pearson(alarms, rankings, 0.999)
    return (inside or questions < GATED) and low <= 0.05


def main() -> None:
    """All designs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rankings", type=int, default=1000)
    parser.add_argument("--resamples", type=int, default=1000)
    asked = parser.parse_args()
    print(
        f"Coverage of 95% intervals, {asked.rankings:,} rankings, {asked.resamples:,} resamples\n"
    )
    print("| design | questions | win rate | strength | without interval | any false 'better' |")
    print("|---|---|---|---|---|---|")
    kept = [
        row(name, pairs, questions, asked.rankings, asked.resamples)
        for name, pairs in (("all pairs", ALL), ("against a baseline", BASELINE))
        for questions in (30, 100, 300)
    ]
    sys.exit(0 if all(kept) else 1)


if __name__ == "__main__":
    main()
