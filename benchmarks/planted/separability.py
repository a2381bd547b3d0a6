"""Defect 4, planted: a word that stands in nearly every chosen text and in few rejected ones.

Clean: 100 pairs of texts of 12 to 24 words from one vocabulary, the same for both sides. Planted:
the word stands in 90% of the chosen texts and in 10% of the rejected ones, then 95% and 5%, then
in all and none.
"""

import random

from judgesmith.audits.separability import ContrastRow, separability_findings, separability_table

LEVEL = 0.03
STRENGTHS = (0, 1, 2, 3)
_WITH_WORD = {1: (0.9, 0.1), 2: (0.95, 0.05), 3: (1.0, 0.0)}
_WORDS = (
    "response answer context question picks names person states reason clear unknown choice gives "
    "evidence text says neither both first second group view claims shown stated asked tells work"
)


def make(seed: int, strength: int) -> list[ContrastRow]:
    """One hundred preference rows."""
    rng = random.Random(f"separability/{seed}/{strength}")

    def text(share: float) -> str:
        words = rng.choices(_WORDS.split(), k=rng.randint(12, 24))
        if rng.random() < share:
            words.insert(rng.randrange(len(words)), "biased")
        return " ".join(words)

    chosen, rejected = _WITH_WORD.get(strength, (0.3, 0.3))
    return [
        ContrastRow(f"q{i}", text(chosen), text(rejected), f"rows.jsonl:{i + 1}")
        for i in range(100)
    ]


def detect(inputs: list[ContrastRow]) -> bool:
    """Whether a keyword is warned of."""
    return bool(separability_findings(separability_table(inputs)))
