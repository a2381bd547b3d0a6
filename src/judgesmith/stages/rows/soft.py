"""Soft labels beside the rows, and what the report says of them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from judgesmith.evaluation.soft_targets import Hard, SoftLabel, Targets
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.reply import reply_in
from judgesmith.records import Judgment, SftRow

ANSWERS = "an answer, and no verdict"
CERTAIN = 1 - 1e-6
"""From this chance of one verdict on, a soft label teaches what the hard one does."""


def made_from(
    rows: Iterable[SftRow], judgments: Sequence[Judgment], dialect: Dialect
) -> dict[str, Judgment]:
    """The judgment that each row was made from, by row id; an answer was made from none."""
    replies = {(one.order, reply_in(dialect, one)): one for one in reversed(judgments)}
    return {
        row.id: replies[row.order, row.completion]
        for row in rows
        if (row.order, row.completion) in replies
    }


def soft_labels(
    rows: Iterable[SftRow], targets: Targets, sources: Mapping[str, Judgment],
    dialects: Iterable[Dialect],
) -> tuple[list[SoftLabel], dict[str, Any]]:  # fmt: skip
    """The soft labels of rows in their order, and the table of the report."""
    by_hash = {dialect.hash: dialect for dialect in dialects}
    found: list[SoftLabel] = []
    hard: Counter[str] = Counter()
    for row in rows:
        judgment = sources.get(row.id)
        if judgment is None:
            hard[ANSWERS] += 1
            continue
        label = targets.of(row, judgment, by_hash[row.dialect])
        if isinstance(label, Hard):
            hard[label.value] += 1
        else:
            found.append(label)
    return found, _table(found, hard)


def _table(found: Sequence[SoftLabel], hard: Mapping[str, int]) -> dict[str, Any]:
    surest = [max(label.chances.values()) for label in found]
    missing = [label.missing for label in found]
    told: dict[str, Any] = {"soft": len(found)}
    if found:
        told |= {
            "by origin": dict(Counter(label.origin.value for label in found)),
            "certain, as good as hard": sum(p >= CERTAIN for p in surest),
            "mean chance of the verdict": round(sum(surest) / len(surest), 4),
            "rows that missed mass": sum(m > 0 for m in missing),
            "missing mass, mean": round(sum(missing) / len(missing), 6),
            "missing mass, most": max(missing),
        }
    return told | {f"hard, {why}": n for why, n in hard.items()}
