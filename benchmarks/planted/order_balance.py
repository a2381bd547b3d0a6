"""Defect 14, planted: single-order judgments in which the right response is mostly shown first.

Clean: a fair coin draws the order. Planted: the response that the label names is first in 60, 70 or
90%. `detect` looks at the balance alone, since every set here is judged in one order.
"""

import random

from judgesmith.audits.order import ORIGINAL, SWAPPED, OrderedJudgment, order_table
from judgesmith.audits.order_findings import order_findings

LEVEL = 0.01
STRENGTHS = (0, 1, 2, 3)
_FIRST = {0: 0.5, 1: 0.6, 2: 0.7, 3: 0.9}


def make(seed: int, strength: int) -> list[OrderedJudgment]:
    """250 items of one judge, each judged once."""
    rng = random.Random(f"order_balance/{seed}/{strength}")
    rows = []
    for i in range(250):
        label = rng.choice(("A", "B"))
        first = rng.random() < _FIRST[strength]
        order = ORIGINAL if first == (label == "A") else SWAPPED
        verdict = label if rng.random() < 0.8 else rng.choice(("A", "B", "TIE"))
        rows.append(
            OrderedJudgment(f"judgments.jsonl:{i + 1}", "judge", f"i{i}", order, verdict, label)
        )
    return rows


def detect(inputs: list[OrderedJudgment]) -> bool:
    """Whether the balance of the slots is warned of."""
    found = order_findings(order_table(inputs))
    return any("the response that the label names" in finding.message for finding in found)
