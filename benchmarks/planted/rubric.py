"""Defect 9, planted: teacher and person hold different rubrics in one bucket of four.

Clean: they differ on 12% of the items, everywhere and in every direction. Planted: in one bucket
the person calls a tie where the teacher names a response, on 30, 50 or 70% of such items.
"""

import random

from judgesmith.audits.rubric import TwiceJudged, rubric_findings, rubric_table

LEVEL = 0.01
STRENGTHS = (0, 1, 2, 3)
_CONFLICT = {0: 0.0, 1: 0.3, 2: 0.5, 3: 0.7}
_BUCKETS = {"clear": 110, "subtle": 50, "tracked": 35, "adversarial": 45}


def make(seed: int, strength: int) -> list[TwiceJudged]:
    """240 items judged by both."""
    rng = random.Random(f"rubric/{seed}/{strength}")
    items = []
    for bucket, n in _BUCKETS.items():
        for _ in range(n):
            teacher = rng.choices(("A", "B", "TIE"), (4, 4, 2))[0]
            person = teacher
            if rng.random() < 0.12:
                person = rng.choice([v for v in ("A", "B", "TIE") if v != teacher])
            if bucket == "tracked" and teacher != "TIE" and rng.random() < _CONFLICT[strength]:
                person = "TIE"
            items.append(TwiceJudged(f"labels.jsonl:{len(items) + 1}", bucket, teacher, person))
    return items


def detect(inputs: list[TwiceJudged]) -> bool:
    """Whether a conflict of rubrics is reported."""
    return bool(rubric_findings(rubric_table(inputs)))
