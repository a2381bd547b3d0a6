"""Defect 1, planted: questions differ, but the templates they were made from are shared.

Clean: 60 templates for training, 20 others for evaluation. Planted: one, four or all of the
evaluation templates are used in training too, in a split by template. Nothing is tested.
"""

import random

from judgesmith.audits.finding import Severity
from judgesmith.audits.leak import leak_audit
from judgesmith.audits.leak_report import LeakItem, SplitLevel, leak_findings

LEVEL = 0.0
STRENGTHS = (0, 1, 2, 3)
_SHARED = {0: 0, 1: 1, 2: 4, 3: 20}
Sides = tuple[list[LeakItem], list[LeakItem]]


def make(seed: int, strength: int) -> Sides:
    """Training items and evaluation items."""
    rng = random.Random(f"template_leak/{seed}/{strength}")
    shared = set(rng.sample(range(20), _SHARED[strength]))

    def item(side: str, i: int, template: str) -> LeakItem:
        text = " ".join(rng.choices(("ann", "bob", "went", "home", "saw", "left"), k=12))
        return LeakItem(f"{side}{i}", f"{side}-question-{i}", template, (text,))

    train = [item("t", i, f"train{rng.randrange(60)}") for i in range(200)]
    train += [item("t", 200 + i, f"eval{i}") for i in sorted(shared)]
    evaluation = [item("e", i, f"eval{i % 20}") for i in range(60)]
    return train, evaluation


def detect(inputs: Sides) -> bool:
    """Whether the leak stops the run."""
    found = leak_findings(leak_audit(*inputs), SplitLevel.TEMPLATE)
    return any(finding.severity is Severity.ERROR for finding in found)
