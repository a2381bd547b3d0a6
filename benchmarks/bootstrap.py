"""Cluster bootstrap of kappa: counts per cluster against rows through scikit-learn.

    python benchmarks/bootstrap.py [--per-cluster 1 2 4 10 50]

Prints the time per resample of both on the same judgments and their ratio, then what 10,000
resamples take for three judges of 100,000 items: three kappas and the three paired differences.
The aim is 10 s and 1 GB on two cores; a time depends on the machine, so only the ratio is
asserted: exits 1 when it is below the least one that is promised.
"""

import argparse
import resource
import sys
import time
from itertools import combinations

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


def three_judges(n: int, per_cluster: int) -> tuple[list[list[str]], list[str], list[int]]:
    """Verdicts of three judges that agree in part, the labels, and the cluster of each row."""
    x, y, clusters = judgments(n, per_cluster, seed=1)
    others = [judgments(n, per_cluster, seed=seed)[0] for seed in (2, 3)]
    columns = [x, *(np.where(clusters % 3, x, other) for other in others)]
    return [LABELS[c].tolist() for c in columns], LABELS[y].tolist(), clusters.tolist()


def full_size(per_cluster: int, n: int, resamples: int) -> None:
    """Print what three kappas and the three paired differences between them take."""
    judges, y, clusters = three_judges(n, per_cluster)
    started, busy = time.perf_counter(), time.process_time()
    for x in judges:
        cluster_bootstrap_kappa(x, y, clusters, seed=1, resamples=resamples)
    middle = time.perf_counter()
    for first, second in combinations(judges, 2):
        paired_bootstrap_kappa_difference(first, second, y, clusters, seed=1, resamples=resamples)
    ended = time.perf_counter()
    print(
        f"{n:,} items in {len(set(clusters)):,} clusters, 3 judges, {resamples:,} resamples: "
        f"{ended - started:.1f} s (CPU {time.process_time() - busy:.1f} s), kappas "
        f"{middle - started:.1f} s, paired differences {ended - middle:.1f} s",
        flush=True,
    )


def main() -> int:
    """Run the comparison and the full size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--judgments", type=int, default=100_000)
    parser.add_argument("--resamples", type=int, default=10_000)
    parser.add_argument("--loop-judgments", type=int, default=10_000)
    parser.add_argument("--loop-resamples", type=int, default=100)
    parser.add_argument("--per-cluster", type=int, nargs="*", default=[4])
    given = parser.parse_args()
    x, y, clusters = judgments(given.loop_judgments, per_cluster=4, seed=1)
    loop = row_loop(x, y, given.loop_resamples)
    ours = clustered(x, y, clusters, given.resamples)
    ratio = loop / ours
    print(
        f"{given.loop_judgments:,} judgments, per resample: row loop with scikit-learn "
        f"{loop * 1e3:.2f} ms, clusters {ours * 1e3:.4f} ms, ratio {ratio:,.0f}"
    )
    for per_cluster in given.per_cluster:
        full_size(per_cluster, given.judgments, given.resamples)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:,.0f} MiB, libraries included")
    if ratio < LEAST_RATIO:
        print(f"the ratio is below {LEAST_RATIO:g}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
