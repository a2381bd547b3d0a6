"""Planted: in some buckets the flagged response is shown first more often.

Clean: six buckets of 50 pairs in a drawn order. Planted: in one bucket the flagged response is
shown first in 70%, 80% or 95%. The stated level is `slot_p`, for all buckets together.
"""

import random

from judgesmith.audits.confound import ConfoundItem, StyledResponse, confound_table
from judgesmith.audits.confound_findings import ConfoundLimits, confound_findings

LEVEL = ConfoundLimits().slot_p
STRENGTHS = (0, 1, 2, 3)
_FIRST = {0: 0.5, 1: 0.7, 2: 0.8, 3: 0.95}


def make(seed: int, strength: int) -> list[ConfoundItem]:
    """300 pairs with one flagged response each."""
    rng = random.Random(f"slot_confound/{seed}/{strength}")
    items = []
    for bucket in "abcdef":
        for i in range(50):
            first = rng.random() < (_FIRST[strength] if bucket == "c" else 0.5)
            pair = tuple(
                StyledResponse(flag, rng.choice("mn"), "one") for flag in (first, not first)
            )
            items.append(ConfoundItem(f"{bucket}{i}", bucket, pair))
    return items


def detect(inputs: list[ConfoundItem]) -> bool:
    """Whether a slot is reported to give the label away."""
    return any("is shown first" in f.message for f in confound_findings(confound_table(inputs)))
