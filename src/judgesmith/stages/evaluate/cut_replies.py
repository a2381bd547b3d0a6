"""A warning of students most of whose replies were cut off before their end."""

from collections.abc import Sequence

from judgesmith.audits import Finding, Severity
from judgesmith.audits.finding import MAX_EXAMPLES
from judgesmith.inference.students import origin_of
from judgesmith.records import Status
from judgesmith.runs.layout import RunDir
from judgesmith.stages.evaluate.asking import token_budget
from judgesmith.stages.evaluate.measuring import Asked


def cut_findings(asked: Sequence[Asked], run_dir: RunDir) -> list[Finding]:
    """One for each student and dialect; none where at most half of the replies were cut off."""
    found = []
    for one in asked:
        for student in one.part.students:
            replies = one.judgments[student]
            cut = [reply for reply in replies if reply.status is Status.TRUNCATED]
            if 2 * len(cut) > len(replies):
                budget = token_budget(one.part, run_dir)
                found.append(
                    Finding(
                        audit="cut replies",
                        severity=Severity.WARNING,
                        message=f"{student}: {len(cut)} of {len(replies)} replies in "
                        f"{one.dialect.name} were cut off at {budget} tokens "
                        f"(evaluate.reply_tokens){_learnt(run_dir, student)}",
                        count=len(cut),
                        of=len(replies),
                        examples=tuple(dict.fromkeys(c.item_id for c in cut))[:MAX_EXAMPLES],
                        effect="a reply that was cut off has no verdict: coverage is low, and "
                        "agreement is of the few that were read",
                        remedy="raise evaluate.reply_tokens (null takes it from the training "
                        "replies); where it is long enough, the student's context is too short "
                        "for prompt and reply, or it has not learnt to end a reply",
                    )
                )
    return found


def _learnt(run_dir: RunDir, student: str) -> str:
    """How long the replies were that it was trained on, where its folder says so."""
    origin = origin_of(run_dir, student)
    lengths = None if origin is None else origin.reply_tokens
    if lengths is None:
        return ""
    return (
        f"; of its training replies half have up to {lengths.p50} tokens, 99% up to {lengths.p99}"
    )
