"""Defect 13, planted: replies that hold no verdict are stored as ties.

Clean: 200 replies with two scores or a word on both responses, and the verdict they state. Planted:
1%, 5% or 20% are empty, cut off, or in a form like "8/10 9/10", and are stored as ties. Nothing is
tested, so the stated level is 0.
"""

import random

from judgesmith.audits.parsing import Misreading, ParsedReply, parsing_findings, parsing_table

LEVEL = 0.0
STRENGTHS = (0, 1, 2, 3)
_PLANTED = {0: 0.0, 1: 0.01, 2: 0.05, 3: 0.2}
_UNREAD = ("", "8/10 9/10", "Assistant 1 is helpful, and its answer", "I cannot judge this.", "7")
_TIES = (
    "8 8\nBoth are fine.",
    "Both answers are equally good.",
    "It is a tie.",
    "7/10 7/10",
    "There is no clear winner.",
    "Verdict: TIE",
)


def make(seed: int, strength: int) -> list[ParsedReply]:
    """Two hundred replies."""
    rng = random.Random(f"unsaid_ties/{seed}/{strength}")
    rows = []
    for i in range(200):
        if i < 200 * _PLANTED[strength]:
            reply, verdict = rng.choice(_UNREAD), "TIE"
        elif rng.random() < 0.3:
            reply, verdict = rng.choice(_TIES), "TIE"
        else:
            first, second = rng.sample(range(1, 11), 2)
            reply, verdict = f"{first} {second}", "A" if first > second else "B"
        rows.append(ParsedReply(reply, verdict, f"replies.jsonl:{i + 1}"))
    return rows


def detect(inputs: list[ParsedReply]) -> bool:
    """Whether unsaid ties are reported."""
    table = parsing_table(inputs)
    return bool(parsing_findings(table)) and table.count(Misreading.TIE_UNSAID).count > 0
