"""Defect 17, planted: one label holds nearly all items of a bucket.

Clean: four buckets of 50 items in which the commonest label is drawn with 60%. Planted: in one
bucket it is given to 46, 48 or 50 of 50 items (published: 24 of 25). Nothing is tested, the
share is counted: a clean bucket holds more than 45 of 50 by chance less than once in 100,000 sets.
"""

import random

from judgesmith.audits.labels import LabelItem, label_findings, label_table

LEVEL = 0.0001
STRENGTHS = (0, 1, 2, 3)
_HELD = {1: 46, 2: 48, 3: 50}


def make(seed: int, strength: int) -> list[LabelItem]:
    """200 labelled items."""
    rng = random.Random(f"one_label/{seed}/{strength}")
    items = []
    for bucket in ("clear", "subtle", "tie", "both"):
        for i in range(50):
            verdict = rng.choices(("TIE", "A", "B"), (6, 2, 2))[0]
            if strength and bucket == "tie":
                verdict = "TIE" if i < _HELD[strength] else rng.choice("AB")
            items.append(LabelItem(f"{bucket}{i}", bucket, verdict))
    return items


def detect(inputs: list[LabelItem]) -> bool:
    """Whether a bucket with nearly one label is reported."""
    return any("holds" in finding.message for finding in label_findings(label_table(inputs)))
