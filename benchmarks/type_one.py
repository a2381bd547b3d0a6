"""How often a test or the gate is wrong about simulated judges whose truth is known.

    python -m benchmarks.type_one [--judges 10000]

The gate passes a judge when the lower bound of its 95% interval reaches the threshold. Its error is
worst for a judge that lies exactly on the threshold, and there it should pass at most 2.5% of them,
the share of a 95% interval that lies above the truth. McNemar's exact test should find a difference
between judges that are right equally often in at most 5%. Prints Markdown tables with Clopper and
Pearson's intervals; exits 1 where a share is shown to be above its level.
"""

import argparse
import sys
from collections.abc import Callable

import numpy as np
from benchmarks.planted.table import clopper_pearson
from benchmarks.simulated_judges import STEADINESS, World

from judgesmith.evaluation.scoring import number
from judgesmith.metrics import (
    Estimate,
    ResamplingOptions,
    Slice,
    cluster_bootstrap_kappa,
    cluster_bootstrap_rate,
    coverage,
    holm,
    mcnemar_exact,
    slice_kappa_difference,
)
from judgesmith.metrics.resample import IntervalMethod
from judgesmith.report.results import Evaluation, JudgeResult, Number, SliceResult
from judgesmith.stages.gate import Config, decide

ONE_SIDED = 0.025
TWO_SIDED = 0.05
METHODS: tuple[IntervalMethod, ...] = ("percentile", "bca")
SHIPPED: IntervalMethod = "bca"
"""The interval that `evaluate` hands to the gate; rows by the other method are shown, not gated."""
DROP = -0.1
CERTAIN = Number(value=1.0, low=1.0, high=1.0, n=1000)
Generator = np.random.Generator
Trial = Callable[[int, Generator], str]


def outcome(config: Config, *, drop: Number | None = None, **found: Number) -> str:
    """The gate's verdict on a judge; what is not given is certain to be good enough."""
    shown = {"kappa": CERTAIN, "consistency": CERTAIN, "coverage": CERTAIN, **found}
    part = SliceResult(
        **shown, accuracy=CERTAIN, kappa_stored_order=None, kappa_swapped_order=None,
        if_unparsed={}, position_bias=None, verbosity=None, confusion=None,
    )  # fmt: skip
    judge = JudgeResult(
        name="judge", role="student", order_proof=False, note="", slices={"in_domain": part}
    )
    results = Evaluation(
        labels_kind="people", labels_title="simulated", direction="", confidence=0.95,
        resamples=1000, test_looks=1, slices=(), judges=(judge,), comparisons=(),
        domain_difference=drop, published=(), examples=(),
    )  # fmt: skip
    return decide(results, judge, config).outcome


def options(index: int, method: IntervalMethod) -> ResamplingOptions:
    """Settings of one simulated judge's bootstrap."""
    return {"seed": index, "resamples": 1000, "method": method}


def kappa_gate(
    clusters: int, true: float, threshold: float, method: IntervalMethod = "percentile"
) -> Trial:
    """A judge with this kappa meets this threshold."""
    world, config = World.with_kappa("skewed", true), Config(kappa=threshold)

    def trial(index: int, generator: Generator) -> str:
        drawn = world.draw(clusters, generator)
        found = cluster_bootstrap_kappa(
            drawn.words(drawn.first), drawn.words(drawn.labels), drawn.clusters.tolist(),
            **options(index, method),
        )  # fmt: skip
        return outcome(config, kappa=number(found))

    return trial


def consistency_gate(clusters: int, method: IntervalMethod = "percentile") -> Trial:
    """A judge whose consistency is the threshold."""
    config = Config(consistency=STEADINESS[0] / sum(STEADINESS))

    def trial(index: int, generator: Generator) -> str:
        group = np.repeat(np.arange(clusters), generator.integers(2, 6, clusters))
        steady = generator.random(len(group)) < generator.beta(*STEADINESS, clusters)[group]
        found = cluster_bootstrap_rate(steady.tolist(), group.tolist(), **options(index, method))
        return outcome(config, consistency=number(found))

    return trial


def coverage_gate(items: int) -> Trial:
    """A judge whose coverage is the threshold."""
    config = Config()

    def trial(index: int, generator: Generator) -> str:
        parsed = generator.random(items) < config.coverage
        found = coverage(["A" if ok else None for ok in parsed.tolist()])
        return outcome(config, coverage=number(found))

    return trial


def drop_gate(clusters: int, method: IntervalMethod = "percentile") -> Trial:
    """A judge that loses as much out of domain as is allowed, with half as many questions there."""
    inside, outside = World.with_kappa("skewed", 0.6), World.with_kappa("even", 0.6 + DROP)
    config = Config(domain_drop=DROP)

    def trial(index: int, generator: Generator) -> str:
        parts = []
        for world, size, start in ((outside, clusters // 2, clusters), (inside, clusters, 0)):
            drawn = world.draw(size, generator)
            parts.append(
                Slice(drawn.words(drawn.first), drawn.words(drawn.labels),
                      (drawn.clusters + start).tolist())
            )  # fmt: skip
        found: Estimate = slice_kappa_difference(*parts, **options(index, method))
        return outcome(config, drop=number(found))

    return trial


def mcnemar(clusters: int, *, independent: bool, judges: int = 2) -> Trial:
    """Judges that are right equally often; a table of several is corrected by Holm's method."""
    world = World.with_kappa("skewed", 0.6)

    def trial(index: int, generator: Generator) -> str:
        drawn = world.draw(clusters, generator)
        kept = np.arange(len(drawn.labels))
        if independent:
            kept = np.unique(drawn.clusters, return_index=True)[1]
        label = drawn.labels[kept]
        own = drawn.first[kept], drawn.second[kept]
        columns = list(own)
        for _ in range(judges - 2):  # further judges copy either verdict, so they are as good
            columns.append(np.where(generator.random(len(kept)) < 0.5, *own))
        words = [drawn.words(column) for column in columns]
        truth = drawn.words(label)
        pairs = [(i, j) for i in range(judges) for j in range(i)]
        p_values = [mcnemar_exact(words[i], words[j], truth).p for i, j in pairs]
        return "pass" if min(holm(p_values)) < TWO_SIDED else "inconclusive"

    return trial


def share(name: str, trial: Trial, level: float | None, judges: int) -> bool:
    """Print one row; return whether the share of passes is shown to be above the level."""
    seed = sum(map(ord, name))
    outcomes = [trial(index, np.random.default_rng([seed, index])) for index in range(judges)]
    passed, failed = outcomes.count("pass"), outcomes.count("fail")
    low, high = clopper_pearson(passed, judges)
    above = level is not None and low > level
    stated = "" if level is None else f"{level:.1%}{' **above**' if above else ''}"
    print(
        f"| {name} | {passed / judges:.2%} | {low:.2%} to {high:.2%} | {stated} | "
        f"{failed / judges:.2%} |",
        flush=True,
    )
    return above


def trials() -> dict[str, tuple[Trial, float | None]]:
    """All rows by name; a row without a level is shown and not gated."""
    rows: dict[str, tuple[Trial, float | None]] = {}
    for c in (50, 100, 200):
        gated = c >= 100
        for method in METHODS:
            level = ONE_SIDED if gated and method == SHIPPED else None
            by = f"{c} clusters, {method}"
            rows[f"kappa .6 at .6, {by}"] = kappa_gate(c, 0.6, 0.6, method), level
            rows[f"kappa .8 at .8, {by}"] = kappa_gate(c, 0.8, 0.8, method), level
            rows[f"consistency .85 at .85, {by}"] = consistency_gate(c, method), level
            rows[f"drop -.1 at -.1, {c} + {c // 2} clusters, {method}"] = (
                drop_gate(c, method),
                level,
            )
        rows[f"coverage .98 at .98, {4 * c} items"] = coverage_gate(4 * c), ONE_SIDED
        plain = mcnemar(c, independent=True)
        rows[f"McNemar, {c} independent items"] = plain, TWO_SIDED
        rows[f"McNemar, {c} clusters of 2 to 5 items"] = mcnemar(c, independent=False), None
    for true in (0.55, 0.5):
        below = kappa_gate(100, true, 0.6, SHIPPED)
        rows[f"kappa {true:g} at .6, 100 clusters, {SHIPPED}"] = below, ONE_SIDED
    several = mcnemar(200, independent=True, judges=4)
    rows["Holm over 6 McNemar tests, 200 independent items"] = several, TWO_SIDED
    return rows


def main() -> int:
    """Run all rows, or those whose names contain a given text."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--judges", type=int, default=10_000)
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    print("| judge at gate | passes | 95% interval | stated level | fails |\n|---|---|---|---|---|")
    above = [
        name
        for name, (trial, level) in trials().items()
        if given.only in name and share(name, trial, level, given.judges)
    ]
    for name in above:
        print(f"above its level: {name}", file=sys.stderr)
    return 1 if above else 0


if __name__ == "__main__":
    sys.exit(main())
