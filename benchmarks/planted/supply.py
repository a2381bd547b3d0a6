"""Planted: a bucket stays short of its quota.

Clean: four buckets that are full, with pools of different depth. Planted: one bucket is one item, a
quarter or all of its quota short. Nothing is tested: the stated level is 0.
"""

import random

from judgesmith.audits.supply import SupplyCount, supply_findings, supply_rows

LEVEL = 0.0
STRENGTHS = (0, 1, 2, 3)
_SHORT = {0: 0, 1: 1, 2: 20, 3: 80}


def make(seed: int, strength: int) -> list[SupplyCount]:
    """Four buckets with a quota of 80."""
    rng = random.Random(f"supply/{seed}/{strength}")
    counts = []
    for bucket in ("clear", "subtle", "tie", "both"):
        filled = 80 - (_SHORT[strength] if bucket == "tie" else 0)
        ceiling = filled + (rng.randint(0, 40) if filled == 80 else 0)
        pool = ceiling + rng.randint(0, 60)
        counts.append(SupplyCount(bucket, pool=pool, ceiling=ceiling, quota=80, filled=filled))
    return counts


def detect(inputs: list[SupplyCount]) -> bool:
    """Whether a short bucket is reported."""
    return bool(supply_findings(supply_rows(inputs)))
