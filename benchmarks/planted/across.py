"""Planted: one set holds questions of another, word for word or with one word changed.

Clean: two sets of 60 questions from one vocabulary of 40 words. Planted: 1, 6 or 30 of them are
copies, half of these with a word changed at the end. Nothing is tested: the stated level is 0.
"""

import random

from judgesmith.audits.across import PlacedText, across_findings, across_table
from judgesmith.audits.finding import Severity

LEVEL = 0.0
STRENGTHS = (0, 1, 2, 3)
_COPIES = {0: 0, 1: 1, 2: 6, 3: 30}
_TEXT = (
    "why does the old river turn north before it meets a city and who named this bridge when "
    "people from many towns came over on foot to sell salt bread wool tin glass or wine there"
)


def make(seed: int, strength: int) -> dict[str, list[PlacedText]]:
    """Two sets of questions of 20 words."""
    rng = random.Random(f"across/{seed}/{strength}")

    def question() -> str:
        return " ".join(rng.choices(_TEXT.split(), k=20)) + "?"

    train = [question() for _ in range(60)]
    evaluation = [question() for _ in range(60)]
    for i in range(_COPIES[strength]):
        copied = train[i].upper()
        evaluation[i] = copied if i % 2 == 0 else copied.rsplit(" ", 1)[0] + " here?"
    return {
        "train": [PlacedText(f"train.jsonl:{i + 1}", t) for i, t in enumerate(train)],
        "evaluation": [PlacedText(f"eval.jsonl:{i + 1}", t) for i, t in enumerate(evaluation)],
    }


def detect(inputs: dict[str, list[PlacedText]]) -> bool:
    """Whether shared questions are warned of."""
    found = across_findings(across_table(inputs))
    return any(finding.severity is Severity.WARNING for finding in found)
