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


_LOST = {
    Status.CALL_FAILED: (
        "failed calls", "the call failed",
        "delete labels/manifest.json and run the recipe again: what was answered comes out of the "
        "cache, and only the calls that failed go out",
    ),
    Status.TOO_LONG: (
        "long prompts", "prompt and reply do not fit into the model's context",
        "take a teacher with a longer context, lower labels.teachers.reply_tokens, or leave long "
        "responses out",
    ),
}  # fmt: skip
"""What a judgment without a reply is missing for: the audit's name, the reason, what to do."""


def failed_findings(judgments: Iterable[Judgment]) -> list[Finding]:
    """A warning for each teacher that could not be asked, or not be reached for good."""
    by_teacher: dict[str, list[Judgment]] = {}
    for judgment in judgments:
        by_teacher.setdefault(judgment.judge, []).append(judgment)
    found = []
    for name, asked in by_teacher.items():
        for status, (audit, reason, remedy) in _LOST.items():
            lost = [one for one in asked if one.status is status]
            if lost:
                found.append(
                    Finding(
                        audit=audit,
                        severity=Severity.WARNING,
                        message=f"{len(lost)} of {len(asked)} judgments by {name!r} are missing: "
                        f"{reason}",
                        count=len(lost),
                        of=len(asked),
                        examples=tuple(dict.fromkeys(one.item_id for one in lost))[:MAX_EXAMPLES],
                        effect="these items have no verdict of this teacher",
                        remedy=remedy,
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
