"""Defect 14, planted: a judge that names what it sees first, on labels that favour one slot.

Clean: both orders, no preference for a slot. Planted: in 15%, 30% or half of its replies
the judge names the response shown first; three labels in four name the first stored slot, so the
stored order flatters it.
"""

import random

from judgesmith.audits.finding import Severity
from judgesmith.audits.order import ORIGINAL, SWAPPED, OrderedJudgment, order_table
from judgesmith.audits.order_findings import order_findings

LEVEL = 0.01
STRENGTHS = (0, 1, 2, 3)
_FOLLOWS = {0: 0.0, 1: 0.15, 2: 0.3, 3: 0.5}


def make(seed: int, strength: int) -> list[OrderedJudgment]:
    """250 items of one judge in both orders."""
    rng = random.Random(f"order_move/{seed}/{strength}")
    rows = []
    for i in range(250):
        label = rng.choices(("A", "B"), (3, 1))[0]
        for order, first in ((ORIGINAL, "A"), (SWAPPED, "B")):
            verdict = label if rng.random() < 0.7 else rng.choice(("A", "B"))
            if rng.random() < _FOLLOWS[strength]:
                verdict = first
            where = f"judgments.jsonl:{len(rows) + 1}"
            rows.append(OrderedJudgment(where, "judge", f"i{i}", order, verdict, label))
    return rows


def detect(inputs: list[OrderedJudgment]) -> bool:
    """Whether the move between orders is warned of."""
    found = order_findings(order_table(inputs))
    return any(finding.severity is not Severity.INFO for finding in found)
