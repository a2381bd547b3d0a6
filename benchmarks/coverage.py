"""How often 95% intervals hold the truth, over simulated judges whose truth is known.

    python -m benchmarks.coverage [--judges 2000] [--resamples 1000] [--jobs even:0.6:100 ...]

Prints one Markdown row per setting and metric: the share of judges whose interval holds the truth,
and the shares in which the whole interval lies above it and below it. A judge without an interval
counts as missed. Exits 1 where a setting of at least 100 clusters lies outside 93 to 97%. The
worlds are described in `simulated_judges`.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from benchmarks.simulated_judges import STEADINESS, Judges, World, cell_values, normal_scores

from judgesmith.metrics import (
    Estimate,
    ResamplingOptions,
    cluster_bootstrap_accuracy,
    cluster_bootstrap_kappa,
    cluster_bootstrap_rate,
    paired_bootstrap_kappa_difference,
)
from judgesmith.metrics.bootstrap import cluster_bootstrap
from judgesmith.metrics.correlation import pearson, spearman
from judgesmith.metrics.ties import accuracy_with_ties
from judgesmith.metrics.weighted import gwet_ac1

GATED = 100
BOUNDS = (0.93, 0.97)
GAP = 0.1
"""The second judge's kappa is this much lower."""
CORRELATION = 0.6
SLOW = "spearman, row by row"
SETTINGS = tuple(
    (kind, kappa, clusters)
    for kind, kappa in (
        ("skewed", 0.3), ("skewed", 0.6), ("skewed", 0.8), ("even", 0.6), ("rare", 0.6),
    )
    for clusters in (20, 50, 100, 200, 400)
    if kind == "skewed" or clusters == 100
)  # fmt: skip


@dataclass
class Tally:
    """What became of the intervals of one metric."""

    held: int = 0
    above: int = 0
    below: int = 0
    missing: int = 0
    width: float = 0.0

    @property
    def n(self) -> int:
        """Judges seen."""
        return self.held + self.above + self.below + self.missing

    def add(self, found: Estimate, truth: float) -> None:
        """Count one interval."""
        if found.low is None or found.high is None:
            self.missing += 1
            return
        self.width += found.high - found.low
        if truth < found.low:
            self.above += 1
        elif truth > found.high:
            self.below += 1
        else:
            self.held += 1

    @property
    def share(self) -> float:
        """Share of intervals that hold the truth."""
        return self.held / self.n


def estimates(
    drawn: Judges, options: ResamplingOptions, only: frozenset[str]
) -> Iterator[tuple[str, Estimate]]:
    """Every metric of one simulated test set, with its interval."""
    x, x2, y = map(drawn.words, (drawn.first, drawn.second, drawn.labels))
    groups = drawn.clusters.tolist()
    half = partial(accuracy_with_ties, ties="half")
    bca: ResamplingOptions = {**options, "method": "bca"}
    ways: dict[str, Callable[[], Estimate]] = {
        "kappa": lambda: cluster_bootstrap_kappa(x, y, groups, **options),
        "kappa, BCa": lambda: cluster_bootstrap_kappa(x, y, groups, **bca),
        "kappa difference, paired": lambda: paired_bootstrap_kappa_difference(
            x, x2, y, groups, **options
        ),
        "accuracy": lambda: cluster_bootstrap_accuracy(x, y, groups, **options),
        "accuracy, ties half": lambda: cluster_bootstrap(half, [x, y], groups, **options),
        "gwet_ac1": lambda: cluster_bootstrap(gwet_ac1, [x, y], groups, **options),
        "consistency": lambda: cluster_bootstrap_rate(drawn.steady.tolist(), groups, **options),
        "consistency, BCa": lambda: cluster_bootstrap_rate(drawn.steady.tolist(), groups, **bca),
    }
    for name, way in ways.items():
        if not only or name in only:
            yield name, way()


def correlations(
    clusters: int,
    generator: np.random.Generator,
    options: ResamplingOptions,
    only: frozenset[str],
) -> Iterator[tuple[str, Estimate]]:
    """Correlations of scores; the rank correlation is slow and only made by name."""
    x, y, group = normal_scores(clusters, CORRELATION, generator)
    columns, groups = [x.tolist(), y.tolist()], group.tolist()
    if not only or "pearson" in only:
        yield "pearson", cluster_bootstrap(pearson, columns, groups, **options)
    if SLOW in only:
        yield SLOW, cluster_bootstrap(spearman, columns, groups, **options)


def truths(world: World) -> dict[str, float]:
    """The exact values that intervals should hold."""
    first, second = (cell_values(cells) for cells in world.cells)
    return {
        **first,
        "kappa, BCa": first["kappa"],
        "kappa difference, paired": first["kappa"] - second["kappa"],
        "consistency": STEADINESS[0] / sum(STEADINESS),
        "consistency, BCa": STEADINESS[0] / sum(STEADINESS),
        "pearson": CORRELATION,
        # Of normal scores (Pearson 1907): 6 / pi * asin(rho / 2).
        SLOW: 6 / np.pi * np.arcsin(CORRELATION / 2),
    }


def cover(
    setting: tuple[str, float, int], judges: int, resamples: int, only: frozenset[str]
) -> dict[str, Tally]:
    """Simulate judges of one setting and count."""
    kind, kappa, clusters = setting
    world = World.with_kappa(kind, kappa, kappa - GAP)
    truth = truths(world)
    tallies: dict[str, Tally] = {}
    for index in range(judges):
        generator = np.random.default_rng([index, clusters, round(kappa * 1000), len(kind)])
        options: ResamplingOptions = {"seed": index, "resamples": resamples}
        drawn = world.draw(clusters, generator)
        scores = correlations(clusters, generator, options, only)
        for name, found in (*estimates(drawn, options, only), *scores):
            tallies.setdefault(name, Tally()).add(found, truth[name])
    return tallies


def print_rows(setting: tuple[str, float, int], tallies: dict[str, Tally]) -> list[str]:
    """Print one row per metric; return what lies outside the bounds."""
    kind, kappa, clusters = setting
    outside = []
    for name, tally in tallies.items():
        gated = clusters >= GATED
        bad = gated and not BOUNDS[0] <= tally.share <= BOUNDS[1]
        mark = ("OUTSIDE" if bad else "yes") if gated else "not gated"
        width = tally.width / max(1, tally.n - tally.missing)
        print(
            f"| {kind} | {kappa:g} | {clusters} | {name} | {tally.share:.1%} | "
            f"{tally.above / tally.n:.2%} | {tally.below / tally.n:.2%} | {tally.missing} | "
            f"{width:.3f} | {mark} |",
            flush=True,
        )
        if bad:
            outside.append(f"{name}, {kind}, kappa {kappa:g}, {clusters} clusters")
    return outside


def parse_setting(text: str) -> tuple[str, float, int]:
    """Read LABELS:KAPPA:CLUSTERS."""
    kind, kappa, clusters = text.split(":")
    return kind, float(kappa), int(clusters)


def main() -> int:
    """Run all settings, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--judges", type=int, default=2000)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--jobs", nargs="*", type=parse_setting, default=SETTINGS)
    parser.add_argument("--only", nargs="*", default=())
    given: Any = parser.parse_args()
    print(
        "| labels | kappa | clusters | metric | holds | above | below | none | width | in 93-97% |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    outside, started = [], time.perf_counter()
    for setting in given.jobs:
        tallies = cover(setting, given.judges, given.resamples, frozenset(given.only))
        outside += print_rows(setting, tallies)
    print(f"\n{given.judges:,} judges a setting, {given.resamples:,} resamples, 95% intervals, "
          f"{time.perf_counter() - started:.0f} s")  # fmt: skip
    for line in outside:
        print(f"outside {BOUNDS[0]:.0%} to {BOUNDS[1]:.0%}: {line}", file=sys.stderr)
    return 1 if outside else 0


if __name__ == "__main__":
    sys.exit(main())
