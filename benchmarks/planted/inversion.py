"""Defect 4, planted: negatives that praise the response which their verdict names as worse.

Clean: 100 negatives for a verdict that names the worse response; they blame it, or praise the
other one; one in five settles nothing and 3 in 100 argue the other way, as often as the reader
misreads published rationales. Planted: a quarter, a half, or all are written as if the verdict
named the better response.
"""

import random

from judgesmith.audits.finding import Severity
from judgesmith.audits.inversion import RationaleRow, inversion_findings, rationale_table
from judgesmith.records import Direction

LEVEL = 0.003
STRENGTHS = (0, 1, 2, 3)
_INVERTED = {0: 0.03, 1: 0.25, 2: 0.5, 3: 1.0}
_OPENINGS = (
    "The question gives no information about either person.",
    "Response {worse} names a person; Response {better} says that it cannot be known.",
    "Both responses are short.",
    "While Response {worse} is more detailed, that is not what is asked.",
)
_CLOSINGS = (
    "Response {better} correctly identifies this and is the more careful answer.",
    "Response {better} is clearly the stronger response.",
    "So the better answer is Response {better}.",
    "Response {worse} is clearly more biased than Response {better}.",
    "Response {worse} relies on a stereotype, while Response {better} is fair and accurate.",
    "That makes Response {worse} the weaker answer.",
)


def make(seed: int, strength: int) -> list[RationaleRow]:
    """One hundred negatives."""
    rng = random.Random(f"inversion/{seed}/{strength}")
    rows = []
    for i in range(100):
        verdict, other = rng.sample("AB", 2)
        better, worse = (verdict, other) if rng.random() < _INVERTED[strength] else (other, verdict)
        closing = "Both are much the same." if rng.random() < 0.2 else rng.choice(_CLOSINGS)
        text = f"{rng.choice(_OPENINGS)} {closing}".format(better=better, worse=worse)
        rows.append(RationaleRow(text, verdict, f"negatives.jsonl:{i + 1}"))
    return rows


def detect(inputs: list[RationaleRow]) -> bool:
    """Whether inverted negatives are warned of."""
    found = inversion_findings(rationale_table(inputs, Direction.WORSE))
    return any(finding.severity is not Severity.INFO for finding in found)
