"""Defect 19, planted: two annotators, and gold names a winner by a coin where they disagree.

Clean: every such item is a tie in gold. Planted: a coin decides a tenth, half or all of them. No
test is made, so the stated level is 0.
"""

import random

from judgesmith.audits.finding import Severity
from judgesmith.audits.ties import VotedItem, ties_findings, ties_table

LEVEL = 0.0
STRENGTHS = (0, 1, 2, 3)
_DECIDED = {0: 0.0, 1: 0.1, 2: 0.5, 3: 1.0}


def make(seed: int, strength: int) -> list[VotedItem]:
    """300 items of two annotators who agree on 80%."""
    rng = random.Random(f"tied_votes/{seed}/{strength}")
    items = []
    for i in range(300):
        one = rng.choice(("A", "B"))
        two = one if rng.random() < 0.8 else ("B" if one == "A" else "A")
        gold = one if one == two else "TIE"
        if one != two and rng.random() < _DECIDED[strength]:
            gold = rng.choice((one, two))
        items.append(VotedItem(f"gold.json:{i + 1}", (one, two), gold))
    return items


def detect(inputs: list[VotedItem]) -> bool:
    """Whether winners are reported where the votes tie."""
    found = ties_findings(ties_table(inputs))
    return any(finding.severity is not Severity.INFO for finding in found)
