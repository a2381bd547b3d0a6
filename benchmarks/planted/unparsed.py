"""Defect 8, planted: replies are cut off on the hard items, and hard items are ties.

Clean: 2% of the replies of a judge fail at random. Planted: replies fail more often where the label
is a tie.
"""

import random

from judgesmith.audits.unparsed import JudgedItem, unparsed_findings, unparsed_table

LEVEL = 0.01
STRENGTHS = (0, 1, 2, 3)
# strength -> (chance to fail where the label is a letter, where it is a tie)
_FAIL = {0: (0.02, 0.02), 1: (0.02, 0.15), 2: (0.02, 0.25), 3: (0.02, 0.40)}


def make(seed: int, strength: int) -> list[JudgedItem]:
    """300 judgments of a judge that is right on 85% of letters and 60% of ties."""
    rng = random.Random(f"unparsed/{seed}/{strength}")
    items = []
    for i in range(300):
        label = rng.choices(("A", "B", "TIE"), (3, 3, 3))[0]
        tied = label == "TIE"
        right = rng.random() < (0.6 if tied else 0.85)
        other = [verdict for verdict in ("A", "B", "TIE") if verdict != label]
        verdict = label if right else rng.choice(other)
        fails = rng.random() < _FAIL[strength][tied]
        items.append(
            JudgedItem(
                f"judgments.jsonl:{i + 1}",
                rng.choice(("clear", "subtle")),
                None if fails else verdict,
                label,
                "truncated" if fails else "parsed",
            )
        )
    return items


def detect(inputs: list[JudgedItem]) -> bool:
    """Whether unparsed replies are reported."""
    return bool(unparsed_findings(unparsed_table(inputs)))
