"""Defect 7: conclusions from two to four pairs (out-of-domain "regression": 1 gained, 3 lost).

Planted: two judges that are right equally often, and a claim from the few items on which they
differ. The audit says what the counts can carry; a difference that is there passes.
"""

import random

import pytest

from judgesmith.audits.few_items import (
    ComparedSlice,
    compare_slices,
    few_items_findings,
    few_items_table,
)
from judgesmith.audits.finding import Severity


def test_the_published_regression_is_not_shown() -> None:
    table = few_items_table([ComparedSlice("religion", gained=1, lost=3, n=60)])
    assert (table.rows[0].p, table.rows[0].least_discordant) == (0.625, 6)
    found = few_items_findings(table)
    assert [(f.severity, f.count, f.of) for f in found] == [(Severity.WARNING, 4, 60)]
    assert "fewer than 6 discordant items can never reach p < 0.05" in found[0].message
    assert "label 469 such items" in found[0].remedy


@pytest.mark.parametrize("discordant", range(1, 6))
def test_five_items_or_fewer_can_never_carry_a_claim(discordant: int) -> None:
    for gained in range(discordant + 1):
        row = ComparedSlice("x", gained, discordant - gained, n=60)
        assert len(few_items_findings(few_items_table([row]))) == 1
    six = ComparedSlice("x", 6, 0, n=60)
    assert few_items_findings(few_items_table([six])) == ()


def test_equal_judges_are_caught_and_a_better_one_passes() -> None:
    rng = random.Random(7)
    labels = ["A"] * 300
    where = [f"results.jsonl:{i}" for i in range(1, 301)]
    right = ["A" if rng.random() < 0.75 else "B" for _ in labels]
    apart = {i: rng.choice("AB") for i in rng.sample(range(300), 20)}
    right = [apart.get(i, verdict) for i, verdict in enumerate(right)]
    same = [{"A": "B", "B": "A"}[v] if i in apart else v for i, v in enumerate(right)]
    better = ["A" if rng.random() < 0.6 else v for v in right]
    for other, caught in ((same, True), (better, False)):
        rows = compare_slices(other, right, labels, slices=["all"] * 300, where=where)
        assert rows[0].examples[0].startswith("results.jsonl:")
        assert bool(few_items_findings(few_items_table(rows))) is caught
