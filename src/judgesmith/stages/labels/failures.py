"""How the judgments of teachers ended, and a warning of those that never came."""

from collections import Counter
from collections.abc import Iterable

from judgesmith.audits import Finding, Severity
from judgesmith.audits.finding import MAX_EXAMPLES
from judgesmith.records import Judgment, Status


def status_table(judgments: Iterable[Judgment]) -> dict[str, dict[str, int]]:
    """Judgments by teacher and by how they ended."""
    table: dict[str, Counter[str]] = {}
    for judgment in judgments:
        table.setdefault(judgment.judge, Counter())[judgment.status.value] += 1
    return {name: dict(sorted(counts.items())) for name, counts in table.items()}


def failed_findings(judgments: Iterable[Judgment]) -> list[Finding]:
    """A warning for each teacher whose calls failed for good."""
    by_teacher: dict[str, list[Judgment]] = {}
    for judgment in judgments:
        by_teacher.setdefault(judgment.judge, []).append(judgment)
    found = []
    for name, asked in by_teacher.items():
        failed = [one for one in asked if one.status is Status.CALL_FAILED]
        if failed:
            found.append(
                Finding(
                    audit="failed calls",
                    severity=Severity.WARNING,
                    message=f"{len(failed)} of {len(asked)} judgments by {name!r} are missing: "
                    "the call failed",
                    count=len(failed),
                    of=len(asked),
                    examples=tuple(dict.fromkeys(one.item_id for one in failed))[:MAX_EXAMPLES],
                    effect="these items have no verdict of this teacher",
                    remedy="delete labels/manifest.json and run the recipe again: what was "
                    "answered comes out of the cache, and only the calls that failed go out",
                )
            )
    return found
