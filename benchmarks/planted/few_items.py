"""Defect 7, planted: a difference is claimed that does not exist, on ever fewer discordant items.

Clean: a judge that is right on 30% of 400 items where the other is wrong, and wrong on 5%. Planted:
two judges that are right equally often, and the claim all the same. LEVEL is the chance that the
true difference of the clean set is reported: under 1e-9.
"""

import random

from judgesmith.audits.few_items import (
    FewItemsTable,
    compare_slices,
    few_items_findings,
    few_items_table,
)
from judgesmith.audits.finding import Severity

LEVEL = 0.01
STRENGTHS = (0, 1, 2, 3)
# strength -> (items, chance that only the first is right, chance that only the second is right)
_SHARES = {0: (400, 0.30, 0.05), 1: (240, 0.05, 0.05), 2: (60, 0.05, 0.05), 3: (35, 0.05, 0.05)}


def make(seed: int, strength: int) -> FewItemsTable:
    """One claimed comparison of two judges."""
    rng = random.Random(f"few_items/{seed}/{strength}")
    n, gained, lost = _SHARES[strength]
    first, second = [], []
    for _ in range(n):
        drawn = rng.random()
        both = rng.random() < 0.75
        first.append("A" if drawn < gained or (drawn >= gained + lost and both) else "B")
        second.append("A" if gained <= drawn < gained + lost or (drawn >= gained + lost and both)
                      else "B")  # fmt: skip
    where = [f"results.jsonl:{i + 1}" for i in range(n)]
    rows = compare_slices(first, second, ["A"] * n, slices=["religion"] * n, where=where)
    return few_items_table(rows)


def detect(inputs: FewItemsTable) -> bool:
    """Whether the claim is reported as not shown."""
    return any(f.severity is not Severity.INFO for f in few_items_findings(inputs))
