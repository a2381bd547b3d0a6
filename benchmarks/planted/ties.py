"""Defect 19, planted: where annotators 1 and 3 agree against 2, gold is drawn among the votes.

Clean: gold is the majority, but for 1% of the items that were corrected by hand. Planted: the draw,
in sets where annotators dissent ever more often, as far as in the published one (12%).
"""

import random

from judgesmith.audits.finding import Severity
from judgesmith.audits.ties import VotedItem, majority, ties_findings, ties_table

LEVEL = 0.01
STRENGTHS = (0, 1, 2, 3)
# strength -> (chance that an annotator dissents, whether gold is drawn)
_DISSENT = {0: (0.12, False), 1: (0.04, True), 2: (0.08, True), 3: (0.12, True)}


def make(seed: int, strength: int) -> list[VotedItem]:
    """600 items of three annotators with a majority each."""
    rng = random.Random(f"ties/{seed}/{strength}")
    dissent, drawn = _DISSENT[strength]
    items = []
    for i in range(600):
        top = rng.choice(("A", "B", "TIE"))
        other = rng.choice([v for v in ("A", "B", "TIE") if v != top])
        votes = [top, top, top]
        if rng.random() < dissent:
            votes[rng.randrange(3)] = other
        gold = majority(votes) or "TIE"
        if drawn and votes[0] == votes[2] != votes[1]:
            gold = rng.choice(votes)
        elif rng.random() < 0.01:
            gold = rng.choice([v for v in ("A", "B", "TIE") if v != gold])
        items.append(VotedItem(f"gold.json:{i + 1}", tuple(votes), gold))
    return items


def detect(inputs: list[VotedItem]) -> bool:
    """Whether gold that departs from the votes is more than scattered."""
    found = ties_findings(ties_table(inputs))
    return any(finding.severity is not Severity.INFO for finding in found)
