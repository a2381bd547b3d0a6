"""Do 95% intervals hold the truth in 95% of simulated judges, and how often is the gate wrong?

The worlds of `benchmarks/simulated_judges.py` have an exact kappa, so nothing here is estimated but
the shares themselves. With 2,000 judges a share of 95% has a standard error of half a point; the
bounds of 93 and 97% lie four of them away. The tables in full come from `benchmarks/coverage.py`
and `benchmarks/type_one.py`.
"""

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy.stats import binom

from judgesmith.metrics import (
    ResamplingOptions,
    cluster_bootstrap_kappa,
    cluster_bootstrap_rate,
    cohen_kappa,
    mcnemar_exact,
)

JUDGES = 2000
CLUSTERS = 100
ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture
def simulated(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module that draws the judges, from the folder of benchmarks."""
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import simulated_judges

    return simulated_judges


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module that asks the gate about simulated judges."""
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import type_one

    return type_one


def options(seed: int) -> ResamplingOptions:
    return {"seed": seed, "resamples": 1000}


def test_the_stated_kappa_is_that_of_a_large_sample(simulated: ModuleType) -> None:
    """700,000 items: the standard error of kappa is about .001."""
    drawn = simulated.World.with_kappa("skewed", 0.6, 0.5).draw(200_000, np.random.default_rng(1))
    label = drawn.words(drawn.labels)
    assert cohen_kappa(drawn.words(drawn.first), label).value == pytest.approx(0.6, abs=0.005)
    assert cohen_kappa(drawn.words(drawn.second), label).value == pytest.approx(0.5, abs=0.005)


def test_clusters_matter_in_the_simulation(simulated: ModuleType) -> None:
    """Rows taken as independent must give an interval that is too narrow, or the test is blind."""
    world = simulated.World.with_kappa("skewed", 0.6)
    whole, rows = [], []
    for seed in range(100):
        drawn = world.draw(CLUSTERS, np.random.default_rng(seed))
        verdicts, labels = drawn.words(drawn.first), drawn.words(drawn.labels)
        for groups, widths in ((drawn.clusters.tolist(), whole), (range(len(labels)), rows)):
            found = cluster_bootstrap_kappa(verdicts, labels, groups, seed=seed, resamples=400)
            assert found.low is not None
            assert found.high is not None
            widths.append(found.high - found.low)
    assert np.mean(whole) > 1.1 * np.mean(rows)


def test_the_interval_of_kappa_covers(simulated: ModuleType) -> None:
    world, held = simulated.World.with_kappa("skewed", 0.6), 0
    for seed in range(JUDGES):
        drawn = world.draw(CLUSTERS, np.random.default_rng([seed, 1]))
        found = cluster_bootstrap_kappa(
            drawn.words(drawn.first), drawn.words(drawn.labels), drawn.clusters.tolist(),
            **options(seed),
        )  # fmt: skip
        held += found.low is not None and found.high is not None and found.low <= 0.6 <= found.high
    assert 0.93 <= held / JUDGES <= 0.97


def test_the_interval_of_consistency_covers(simulated: ModuleType) -> None:
    first, second = simulated.STEADINESS
    truth, held = first / (first + second), 0
    for seed in range(JUDGES):
        generator = np.random.default_rng([seed, 2])
        group = np.repeat(np.arange(CLUSTERS), generator.integers(2, 6, CLUSTERS))
        steady = generator.random(len(group)) < generator.beta(first, second, CLUSTERS)[group]
        found = cluster_bootstrap_rate(steady.tolist(), group.tolist(), **options(seed))
        held += (
            found.low is not None and found.high is not None and found.low <= truth <= found.high
        )
    assert 0.93 <= held / JUDGES <= 0.97


def most(level: float, n: int) -> int:
    """The count that a share of at most `level` exceeds in one of a thousand repetitions."""
    return int(binom.ppf(0.999, n, level))


@pytest.mark.parametrize(("method", "level"), [("bca", 0.025), ("percentile", 0.05)])
def test_the_gate_passes_few_judges_on_its_threshold(
    gate: ModuleType, method: str, level: float
) -> None:
    """Measured over 5,000 judges: 2.5% by BCa, 3.0% by percentile (4.0% for a kappa of .8)."""
    trial = gate.kappa_gate(CLUSTERS, 0.6, 0.6, method)
    passed = sum(trial(seed, np.random.default_rng([seed, 3])) == "pass" for seed in range(JUDGES))
    assert passed <= most(level, JUDGES)


def test_the_gate_passes_hardly_any_judge_below_its_threshold(gate: ModuleType) -> None:
    trial = gate.kappa_gate(CLUSTERS, 0.5, 0.6)
    passed = sum(trial(seed, np.random.default_rng([seed, 4])) == "pass" for seed in range(500))
    assert passed <= most(0.005, 500)


def test_mcnemar_finds_few_differences_between_equal_judges(gate: ModuleType) -> None:
    trial = gate.mcnemar(200, independent=True)
    found = sum(trial(seed, np.random.default_rng([seed, 5])) == "pass" for seed in range(JUDGES))
    assert found <= most(gate.TWO_SIDED, JUDGES)
    assert mcnemar_exact("AAAAAA", "BBBBBB", "AAAAAA").p == 0.03125
