"""Cluster bootstrap of kappa: counts per cluster against rows through scikit-learn.

    python benchmarks/bootstrap.py

Prints the time per resample of both on the same judgments, their ratio, and what 10,000 resamples
of 100,000 judgments take. Exits 1 when the ratio is below the least one that is promised.
"""

import argparse
import resource
import sys
import time

import numpy as np
from sklearn.metrics import cohen_kappa_score

from judgesmith.metrics import cluster_bootstrap_kappa, paired_bootstrap_kappa_difference

LEAST_RATIO = 20.0
LABELS = np.array(["A", "B", "TIE"])


def judgments(n: int, per_cluster: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw verdicts, labels (as codes) and clusters of n clustered judgments."""
    draw = np.random.default_rng(seed)
    clusters = np.arange(n) // per_cluster
    right = draw.random(n) < draw.beta(6, 2, clusters[-1] + 1)[clusters]
    y = draw.choice(3, n, p=[0.4, 0.4, 0.2])
    x = np.where(right, y, (y + draw.integers(1, 3, n)) % 3)
    return x, y, clusters


def row_loop(x: np.ndarray, y: np.ndarray, resamples: int) -> float:
    """Seconds per resample of the plain way: draw rows, score them, repeat."""
    draw = np.random.default_rng(0)
    started = time.perf_counter()
    for _ in range(resamples):
        rows = draw.integers(0, len(x), len(x))
        cohen_kappa_score(x[rows], y[rows])
    return (time.perf_counter() - started) / resamples


def clustered(x: np.ndarray, y: np.ndarray, clusters: np.ndarray, resamples: int) -> float:
    """Seconds per resample of ours, with all preparation included."""
    columns = LABELS[x].tolist(), LABELS[y].tolist(), clusters.tolist()
    started = time.perf_counter()
    cluster_bootstrap_kappa(*columns, seed=1, resamples=resamples)
    return (time.perf_counter() - started) / resamples


def full_size(per_cluster: int, n: int, resamples: int) -> None:
    """Print what one kappa and one paired difference take at full size."""
    x, y, clusters = judgments(n, per_cluster, seed=1)
    other = judgments(n, per_cluster, seed=2)[0]
    columns = [LABELS[column].tolist() for column in (x, np.where(clusters % 3, x, other), y)]
    groups = clusters.tolist()
    started = time.perf_counter()
    cluster_bootstrap_kappa(columns[0], columns[2], groups, seed=1, resamples=resamples)
    middle = time.perf_counter()
    paired_bootstrap_kappa_difference(*columns, groups, seed=1, resamples=resamples)
    ended = time.perf_counter()
    print(
        f"{n:,} judgments, {len(set(groups)):,} clusters, {resamples:,} resamples: "
        f"kappa {middle - started:.1f} s, paired difference {ended - middle:.1f} s"
    )


def main() -> int:
    """Run the comparison and the full size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--judgments", type=int, default=100_000)
    parser.add_argument("--resamples", type=int, default=10_000)
    parser.add_argument("--loop-judgments", type=int, default=10_000)
    parser.add_argument("--loop-resamples", type=int, default=100)
    given = parser.parse_args()
    x, y, clusters = judgments(given.loop_judgments, per_cluster=4, seed=1)
    loop = row_loop(x, y, given.loop_resamples)
    ours = clustered(x, y, clusters, given.resamples)
    ratio = loop / ours
    print(
        f"{given.loop_judgments:,} judgments, per resample: row loop with scikit-learn "
        f"{loop * 1e3:.2f} ms, clusters {ours * 1e3:.4f} ms, ratio {ratio:,.0f}"
    )
    for per_cluster in (1, 2, 4, 10, 50):
        full_size(per_cluster, given.judgments, given.resamples)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:,.0f} MiB, libraries included")
    if ratio < LEAST_RATIO:
        print(f"the ratio is below {LEAST_RATIO:g}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
