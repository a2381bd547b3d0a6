"""Defect 14, planted: items are judged in one order only, drawn by a generator without a seed.

Clean: every item in both orders, by a judge that changes its mind on a tenth of them whichever
comes first. Planted: 2%, 20% or all of the items in one order. The clean set runs the test of the
move between orders, so the stated level is that of the audit.
"""

import random

from judgesmith.audits.finding import Severity
from judgesmith.audits.order import ORIGINAL, SWAPPED, OrderedJudgment, order_table
from judgesmith.audits.order_findings import order_findings

LEVEL = 0.01
STRENGTHS = (0, 1, 2, 3)
_SINGLE = {0: 0.0, 1: 0.02, 2: 0.2, 3: 1.0}


def make(seed: int, strength: int) -> list[OrderedJudgment]:
    """250 items of one judge."""
    rng = random.Random(f"single_order/{seed}/{strength}")
    rows = []
    for i in range(250):
        label = rng.choice(("A", "B", "TIE"))
        orders = [ORIGINAL, SWAPPED]
        if rng.random() < _SINGLE[strength]:
            orders = [rng.choice(orders)]
        opinion = label if rng.random() < 0.75 else rng.choice(("A", "B", "TIE"))
        for order in orders:
            verdict = opinion if rng.random() < 0.9 else rng.choice(("A", "B", "TIE"))
            where = f"judgments.jsonl:{len(rows) + 1}"
            rows.append(OrderedJudgment(where, "judge", f"i{i}", order, verdict, label))
    return rows


def detect(inputs: list[OrderedJudgment]) -> bool:
    """Whether the orders are warned of."""
    found = order_findings(order_table(inputs))
    return any(finding.severity is not Severity.INFO for finding in found)
