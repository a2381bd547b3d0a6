"""Defect 11, planted: one generator is flagged more often than the others.

Clean: five generators in 160 pairs, flagged by a coin; one of them wrote ten responses only.
Planted: one generator is flagged in 75%, 85% or 95% of its pairs (published: 59% against 8%).

The audit reports a share that is more than .2 from that of all responses, which must lie outside
the share's own 95% interval. The rare generator alone is flagged 0, 1, 9 or 10 times of 10 in 2.1%
of clean sets; the others differ by that much in fewer than 0.3%.
"""

import random

from judgesmith.audits.confound import ConfoundItem, StyledResponse, confound_table
from judgesmith.audits.confound_findings import confound_findings

LEVEL = 0.05
STRENGTHS = (0, 1, 2, 3)
_FLAGGED = {0: 0.5, 1: 0.75, 2: 0.85, 3: 0.95}


def make(seed: int, strength: int) -> list[ConfoundItem]:
    """160 pairs with one flagged response each."""
    rng = random.Random(f"generator_share/{seed}/{strength}")
    items = []
    for i in range(160):
        names = ["rare", rng.choice("abcd")] if i < 10 else rng.sample("abcd", 2)
        chance = _FLAGGED[strength] if names[0] == "a" else 0.5
        if names[1] == "a":
            chance = 1 - _FLAGGED[strength]
        first = rng.random() < chance
        pair = [StyledResponse(first, names[0], "x"), StyledResponse(not first, names[1], "y")]
        rng.shuffle(pair)
        items.append(ConfoundItem(f"i{i}", "pairs", tuple(pair)))
    return items


def detect(inputs: list[ConfoundItem]) -> bool:
    """Whether a generator is reported to be flagged unlike the others."""
    found = confound_findings(confound_table(inputs))
    return any(finding.message.startswith("generator ") for finding in found)
