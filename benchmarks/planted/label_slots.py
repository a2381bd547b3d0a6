"""Planted: labels favour a slot.

Clean: 300 labels, A and B drawn alike, a fifth ties. Planted: A is drawn with 58%, 65% or 80% of
the labels that name a slot. The stated level is `SLOT_P`.
"""

import random

from judgesmith.audits.labels import SLOT_P, LabelItem, label_findings, label_table

LEVEL = SLOT_P
STRENGTHS = (0, 1, 2, 3)
_FIRST = {0: 0.5, 1: 0.58, 2: 0.65, 3: 0.8}


def make(seed: int, strength: int) -> list[LabelItem]:
    """300 labelled items."""
    rng = random.Random(f"label_slots/{seed}/{strength}")
    items = []
    for i in range(300):
        slot = "A" if rng.random() < _FIRST[strength] else "B"
        items.append(LabelItem(f"i{i}", "pairs", slot if rng.random() < 0.8 else "TIE"))
    return items


def detect(inputs: list[LabelItem]) -> bool:
    """Whether the labels are reported to favour a slot."""
    return any(
        "labels name slot" in finding.message for finding in label_findings(label_table(inputs))
    )
