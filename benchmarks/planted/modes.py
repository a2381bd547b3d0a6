"""Planted: negatives of one failure mode are rarer than those of the other three.

Clean: four modes and two slots drawn evenly. Planted: the last mode is drawn with .6, .45 or .2 of
the weight of the others (published: 101 rows against 226 on average).
"""

import random

from judgesmith.audits.modes import MadeItem, mode_findings, mode_table

LEVEL = 0.01
STRENGTHS = (0, 1, 2, 3)
_WEIGHT = {0: 1.0, 1: 0.6, 2: 0.45, 3: 0.2}
_MODES = ("hedging", "surface", "stereotype", "burying")


def make(seed: int, strength: int) -> list[MadeItem]:
    """400 negatives."""
    rng = random.Random(f"modes/{seed}/{strength}")
    weights = (1.0, 1.0, 1.0, _WEIGHT[strength])
    return [
        MadeItem(f"made.jsonl:{i + 1}", rng.choices(_MODES, weights)[0], rng.choice("AB"))
        for i in range(400)
    ]


def detect(inputs: list[MadeItem]) -> bool:
    """Whether an imbalance is reported."""
    return bool(mode_findings(mode_table(inputs)))
