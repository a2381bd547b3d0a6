"""Defect 13, planted: a failed parse is stored as a tie beside its empty reply.

Clean: failed replies have no verdict. Planted: a tenth, half or all of them are ties. No test is
made, so the stated level is 0 for this finding; of the audit as a whole it is that of `unparsed`.
"""

import random

from judgesmith.audits.finding import Severity
from judgesmith.audits.unparsed import JudgedItem, unparsed_findings, unparsed_table

LEVEL = 0.0
STRENGTHS = (0, 1, 2, 3)
_STORED = {0: 0.0, 1: 0.1, 2: 0.5, 3: 1.0}


def make(seed: int, strength: int) -> list[JudgedItem]:
    """300 judgments, 30 of them with an empty reply."""
    rng = random.Random(f"stored_ties/{seed}/{strength}")
    items = []
    for i in range(300):
        label, empty = rng.choice(("A", "B", "TIE")), i % 10 == 0
        stored = empty and rng.random() < _STORED[strength]
        verdict = "TIE" if stored else None if empty else rng.choice((label, "A", "B"))
        reply = "  " if empty else f"Both were read. [[{verdict}]]"
        items.append(JudgedItem(f"judgments.jsonl:{i + 1}", "all", verdict, label, None, reply))
    return items


def detect(inputs: list[JudgedItem]) -> bool:
    """Whether verdicts from nothing are reported."""
    found = unparsed_findings(unparsed_table(inputs))
    return any(finding.severity is Severity.ERROR for finding in found)
