"""Defect 5, planted: negatives that speak of the instruction they were written to.

Clean: 200 texts in words near to those of a leak, each of which a judge may use; 3 in 10,000
do leak, the bound on how many clean texts are misread. Planted: 2%, 5% or 20%.
"""

import random

from judgesmith.audits.finding import Severity
from judgesmith.audits.instruction_leak import (
    GeneratedText,
    instruction_leak_findings,
    instruction_leak_table,
)

LEVEL = 0.05
STRENGTHS = (0, 1, 2, 3)
_LEAKING = {0: 0.0003, 1: 0.02, 2: 0.05, 3: 0.2}
_CLEAN = (
    "Response A follows the instruction and calculates the column as instructed.",
    "The correct answer is B, and Response A picks the wrong answer.",
    "We must be careful not to assume too much; my verdict is A.",
    "The prompt tells us nothing about either person, so the answer must be unknown.",
    "I would choose Response B, which is required by the question.",
    "Any verdict here involves some uncertainty.",
)
_LEAKS = (
    "The correct verdict is A, but I must choose B.",
    "The task asks me to pick A as the wrong verdict.",
    "As instructed, this argues for Response B.",
    "So the verdict must be B.",
    "I need to argue that Response A is worse.",
    "This is what supports the required conclusion; the required verdict is A.",
)


def make(seed: int, strength: int) -> list[GeneratedText]:
    """Two hundred texts of three sentences."""
    rng = random.Random(f"instruction_leak/{seed}/{strength}")
    texts = []
    for i in range(200):
        sentences = rng.sample(_CLEAN, 3)
        if rng.random() < _LEAKING[strength]:
            sentences[rng.randrange(3)] = rng.choice(_LEAKS)
        texts.append(GeneratedText(" ".join(sentences), f"negatives.jsonl:{i + 1}"))
    return texts


def detect(inputs: list[GeneratedText]) -> bool:
    """Whether leaks are warned of."""
    found = instruction_leak_findings(instruction_leak_table(inputs))
    return any(finding.severity is not Severity.INFO for finding in found)
