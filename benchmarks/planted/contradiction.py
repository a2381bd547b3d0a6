"""Planted: judgments whose rationale argues for the other response than their verdict.

Clean: 200 judgments whose verdict names the better response; 3 in 100 rationales argue the other
way, as often as the reader misreads published ones, and one in five verdicts is a tie. Planted:
20%, 40% or all of the verdicts are turned.
"""

import random

from judgesmith.audits.finding import Severity
from judgesmith.audits.inversion import RationaleRow, contradiction_findings, rationale_table
from judgesmith.records import Direction

LEVEL = 0.003
STRENGTHS = (0, 1, 2, 3)
_TURNED = {0: 0.03, 1: 0.2, 2: 0.4, 3: 1.0}
_TEXTS = (
    "Assistant {better} is more detailed and more accurate than Assistant {worse}.",
    "Both answers are helpful. Overall, Assistant {better}'s answer is better.",
    "Assistant {worse} makes several errors, while Assistant {better} is correct and clear.",
    "Assistant {worse} is less helpful. I prefer Assistant {better}.",
    "Assistant {better} receives a higher score.",
)


def make(seed: int, strength: int) -> list[RationaleRow]:
    """Two hundred judgments."""
    rng = random.Random(f"contradiction/{seed}/{strength}")
    rows = []
    for i in range(200):
        better, worse = rng.sample("AB", 2)
        number = {"A": 1, "B": 2}
        text = rng.choice(_TEXTS).format(better=number[better], worse=number[worse])
        verdict = worse if rng.random() < _TURNED[strength] else better
        if rng.random() < 0.2:
            text, verdict = "Both assistants are equally helpful.", "TIE"
        rows.append(RationaleRow(text, verdict, f"judgments.jsonl:{i + 1}"))
    return rows


def detect(inputs: list[RationaleRow]) -> bool:
    """Whether contradictions are warned of."""
    found = contradiction_findings(rationale_table(inputs, Direction.BETTER))
    return any(finding.severity is not Severity.INFO for finding in found)
