"""Defect 15, planted: some rows are rendered with another dialect than the training rows.

Clean: one hash on all sides. Planted: one row, a tenth, or all of the serving side differ. Nothing
is tested, so the stated level is 0.
"""

import random
from hashlib import blake2b

from judgesmith.audits.dialects import dialect_findings, dialect_table

LEVEL = 0.0
STRENGTHS = (0, 1, 2, 3)
_OTHER = {0: 0, 1: 1, 2: 20, 3: 200}

Sides = dict[str, dict[str | None, list[str]]]


def make(seed: int, strength: int) -> Sides:
    """Three sides of 200 rows."""
    rng = random.Random(f"dialects/{seed}/{strength}")
    prompt = f"Judge the two responses. {rng.random()}"
    ours, other = (blake2b(p.encode(), digest_size=8).hexdigest() for p in (prompt, prompt + " "))
    sides: Sides = {}
    for side in ("train", "evaluation", "serving"):
        moved = set(rng.sample(range(200), _OTHER[strength])) if side == "serving" else set()
        seen: dict[str | None, list[str]] = {}
        for i in range(200):
            seen.setdefault(other if i in moved else ours, []).append(f"{side}.jsonl:{i + 1}")
        sides[side] = seen
    return sides


def detect(inputs: Sides) -> bool:
    """Whether a difference is reported."""
    return bool(dialect_findings(dialect_table(inputs)))
