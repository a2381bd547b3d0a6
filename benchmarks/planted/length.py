"""Defect 11, planted: the flagged response is longer.

Clean: five buckets, one of them with eight pairs only, lengths drawn alike on both sides. Planted:
in the bucket "clear" the flagged response is redrawn as the longer one in half, 70% or all of the
pairs (published: longer in 82% of one bucket).

The audit reports a share whose lower bound lies above .65. Where length says nothing, the chance
of that in one bucket is largest with eight pairs: 2 / 2**8 = .8%.
"""

import random

from judgesmith.audits.confound import ConfoundItem, StyledResponse, confound_table
from judgesmith.audits.confound_findings import confound_findings

LEVEL = 0.02
STRENGTHS = (0, 1, 2, 3)
_FORCED = {0: 0.0, 1: 0.5, 2: 0.7, 3: 1.0}
_BUCKETS = {"clear": 80, "subtle": 80, "both": 60, "neither": 40, "rare": 8}


def make(seed: int, strength: int) -> list[ConfoundItem]:
    """268 pairs with one flagged response each."""
    rng = random.Random(f"length/{seed}/{strength}")
    items = []
    for bucket, pairs in _BUCKETS.items():
        for i in range(pairs):
            lengths = [rng.randint(5, 60), rng.randint(5, 60)]
            if bucket == "clear" and rng.random() < _FORCED[strength]:
                lengths.sort(reverse=True)
            responses = [
                StyledResponse(flagged, rng.choice(("m1", "m2", "m3")), "word " * length)
                for flagged, length in zip((True, False), lengths, strict=True)
            ]
            rng.shuffle(responses)
            items.append(ConfoundItem(f"{bucket}{i}", bucket, tuple(responses)))
    return items


def detect(inputs: list[ConfoundItem]) -> bool:
    """Whether a length is reported to give the label away."""
    found = confound_findings(confound_table(inputs))
    return any("is longer in" in f.message or "is shorter in" in f.message for f in found)
