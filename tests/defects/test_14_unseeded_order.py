"""Defect 14: an unseeded answer order moves a result by 0.02 to 0.04.

Planted: a judge that follows the first slot on some items, judged once, in an order that a
generator without a seed draws anew on each run.
"""

import random
from statistics import mean

from judgesmith.audits.finding import Severity
from judgesmith.audits.order import ORIGINAL, SWAPPED, OrderedJudgment, order_table
from judgesmith.audits.order_findings import order_findings
from judgesmith.metrics.agreement import cohen_kappa

N = 300


def verdicts(follows: float) -> list[tuple[str, str, str]]:
    """(label, verdict in the stored order, verdict in the swapped one), mapped back."""
    rng = random.Random(14)
    rows = []
    for _ in range(N):
        label = rng.choice("AB")
        if rng.random() < follows:
            rows.append((label, "A", "B"))
        else:
            opinion = label if rng.random() < 0.85 else "AB"[label == "A"]
            rows.append((label, opinion, opinion))
    return rows


def judgments(
    rows: list[tuple[str, str, str]], orders: list[tuple[str, ...]]
) -> list[OrderedJudgment]:
    return [
        OrderedJudgment(f"judgments.jsonl:{i + 1}", "judge", f"i{i}", order,
                        stored if order == ORIGINAL else swapped, label)
        for i, ((label, stored, swapped), shown) in enumerate(zip(rows, orders, strict=True))
        for order in shown
    ]  # fmt: skip


def drawn(seed: int) -> list[tuple[str, ...]]:
    rng = random.Random(seed)
    return [(rng.choice((ORIGINAL, SWAPPED)),) for _ in range(N)]


def test_a_single_unseeded_order_is_caught() -> None:
    found = order_findings(order_table(judgments(verdicts(0.3), drawn(1))))
    assert [(f.severity, f.count, f.of) for f in found] == [(Severity.WARNING, N, N)]
    assert "were judged in one order only" in found[0].message
    assert found[0].examples[0] == "judgments.jsonl:1"


def test_the_range_it_can_move_in_is_the_range_it_moves_in() -> None:
    """40 runs without a seed: all but a few lie in the stated 95% range, and they spread."""
    rows = verdicts(0.3)
    move = order_table(judgments(rows, [(ORIGINAL, SWAPPED)] * N)).judges[0].move
    assert move is not None
    assert move.low is not None
    assert move.high is not None
    assert move.high - move.low > 0.04
    runs = []
    for seed in range(40):
        seen = judgments(rows, drawn(seed))
        kappa = cohen_kappa([j.verdict or "" for j in seen], [j.label for j in seen]).value
        assert kappa is not None
        runs.append(kappa)
    assert max(runs) - min(runs) > 0.04
    assert mean(move.low <= kappa <= move.high for kappa in runs) >= 0.85


def test_an_order_that_was_not_recorded_is_caught() -> None:
    rows = [
        OrderedJudgment(f"f:{i}", "judge", f"i{i}", None, "A", label)
        for i, (label, _, _) in enumerate(verdicts(0.0))
    ]
    found = order_findings(order_table(rows))
    assert [(f.severity, f.count, f.of) for f in found] == [(Severity.WARNING, N, N)]


def test_both_orders_of_a_judge_that_reads_give_nothing() -> None:
    assert order_findings(order_table(judgments(verdicts(0.0), [(ORIGINAL, SWAPPED)] * N))) == ()
