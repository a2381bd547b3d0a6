"""How judgments ended, and a warning of verdicts that never came, or that contradict each other."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from judgesmith.audits import Finding, Severity
from judgesmith.audits.finding import MAX_EXAMPLES
from judgesmith.records import AnnotatorKind, Judgment, Label, Status


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


def torn_findings(torn: Mapping[str, Sequence[str]], items: int) -> list[Finding]:
    """Items that an imported annotator says several things of, each as often, and where."""
    if not torn:
        return []
    places = [" and ".join(one.rpartition("/")[2] for one in found) for found in torn.values()]
    return [
        Finding(
            audit="torn labels",
            severity=Severity.INFO,
            message=f"of {len(torn)} of {items} items an imported annotator says several things, "
            "none of them most often",
            count=len(torn),
            of=items,
            examples=tuple(places[:MAX_EXAMPLES]),
            effect="they have no label by that annotator: a drawn one would be noise",
            remedy="leave them out, or correct the rows if one name stands for one person",
        )
    ]


def silent_key(policy: str | None, labels: Iterable[Label], items: int) -> list[Finding]:
    """A policy of the answer key that gives no label at all; none where it gives one, or is off."""
    by_key = any(label.annotator_kind is AnnotatorKind.KEY for label in labels)
    if policy is None or by_key or not items:
        return []
    return [
        Finding(
            audit="answer key",
            severity=Severity.WARNING,
            message=f"labels.key_policy {policy!r} labels none of {items} items",
            count=items,
            of=items,
            examples=(),
            effect="there is no label of kind 'key' to learn from or to measure against",
            remedy="see that the questions have a key and that the policy fits the dialect, or "
            "leave labels.key_policy out",
        )
    ]
