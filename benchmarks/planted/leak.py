"""Defect 1, planted: evaluation items rest on questions and responses of the training side.

Clean: 200 training and 60 evaluation items of different questions, whose responses come from a
small vocabulary, so that some are the same by chance ("The answer is B"). Planted: one, six or 30
evaluation items are the training side's own. Nothing is tested: the stated level is 0.
"""

import random

from judgesmith.audits.finding import Severity
from judgesmith.audits.leak import leak_audit
from judgesmith.audits.leak_report import LeakItem, SplitLevel, leak_findings

LEVEL = 0.0
STRENGTHS = (0, 1, 2, 3)
_SHARED = {0: 0, 1: 1, 2: 6, 3: 30}
Sides = tuple[list[LeakItem], list[LeakItem]]


def make(seed: int, strength: int) -> Sides:
    """Training items and evaluation items."""
    rng = random.Random(f"leak/{seed}/{strength}")

    def item(name: str, question: str) -> LeakItem:
        texts = tuple(f"I think that the answer is {rng.choice('ABC')}." for _ in range(2))
        return LeakItem(name, question, None, texts)

    train = [item(f"t{i}", f"q{i // 2}") for i in range(200)]
    evaluation = [item(f"e{i}", f"q{1000 + i // 2}") for i in range(60)]
    for i in rng.sample(range(60), _SHARED[strength]):
        taken = rng.choice(train)
        evaluation[i] = LeakItem(f"e{i}", taken.group_id, None, taken.texts)
    return train, evaluation


def detect(inputs: Sides) -> bool:
    """Whether the leak stops the run."""
    found = leak_findings(leak_audit(*inputs), SplitLevel.QUESTION)
    return any(finding.severity is Severity.ERROR for finding in found)
