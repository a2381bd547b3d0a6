"""Planted: the label follows who wrote the responses.

Clean: four generators in random slots, labels unrelated to them. Planted: one generator is flagged
more often whenever it is there, and another less.
"""

import random

from judgesmith.audits.generator import GeneratedItem, generator_findings, generator_table

LEVEL = 0.01
STRENGTHS = (0, 1, 2, 3)
_PULL = {0: 0.0, 1: 0.3, 2: 0.5, 3: 0.8}
_RANK = {"weak": 0, "older": 1, "newer": 2, "strong": 3}


def make(seed: int, strength: int) -> list[GeneratedItem]:
    """240 pairs of 120 questions."""
    rng = random.Random(f"generator/{seed}/{strength}")
    items = []
    for i in range(240):
        first, second = rng.sample(sorted(_RANK), 2)
        label = rng.choices(("A", "B", "TIE"), (2, 2, 1))[0]
        if rng.random() < _PULL[strength]:
            label = "A" if _RANK[first] < _RANK[second] else "B"
        items.append(GeneratedItem(f"pairs.jsonl:{i + 1}", f"q{i // 2}", (first, second), label))
    return items


def detect(inputs: list[GeneratedItem]) -> bool:
    """Whether the generators alone are reported to predict the label."""
    return bool(generator_findings(generator_table(inputs, permutations=199)))
