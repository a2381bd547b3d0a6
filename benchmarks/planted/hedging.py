"""Defect 11, planted: hedge phrases stand on the unflagged side.

Clean: a third of all responses hold a hedge phrase, in three buckets of 60 pairs. Planted: in one
bucket 60%, 75% or 90% of the unflagged responses hold one.

The audit reports a difference of more than .2 between intervals that do not touch.
"""

import random

from judgesmith.audits.confound import ConfoundItem, StyledResponse, confound_table
from judgesmith.audits.confound_findings import confound_findings

LEVEL = 0.02
STRENGTHS = (0, 1, 2, 3)
_HEDGED = {0: 1 / 3, 1: 0.6, 2: 0.75, 3: 0.9}


def make(seed: int, strength: int) -> list[ConfoundItem]:
    """180 pairs with one flagged response each."""
    rng = random.Random(f"hedging/{seed}/{strength}")

    def response(flagged: bool, share: float) -> StyledResponse:
        text = "It was probably Ann." if rng.random() < share else "It was certainly Ann."
        return StyledResponse(flagged, rng.choice(("m1", "m2", "m3")), text)

    items = []
    for bucket in ("clear", "subtle", "both"):
        for i in range(60):
            share = _HEDGED[strength] if bucket == "subtle" else 1 / 3
            pair = [response(True, 1 / 3), response(False, share)]
            rng.shuffle(pair)
            items.append(ConfoundItem(f"{bucket}{i}", bucket, tuple(pair)))
    return items


def detect(inputs: list[ConfoundItem]) -> bool:
    """Whether hedging is reported to give the label away."""
    found = confound_findings(confound_table(inputs, hedge_phrases=["probably"]))
    return any("hedge phrase" in finding.message for finding in found)
