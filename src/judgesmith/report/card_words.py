"""What a judge card says in sentences: what the judge is, by what it judges, what made it."""

from typing import TYPE_CHECKING

from judgesmith.judging.dialect import Dialect
from judgesmith.records import Kind
from judgesmith.report.document import Document
from judgesmith.report.markdown import fenced, plain
from judgesmith.report.numbers import duration
from judgesmith.runs.students import student_stage

if TYPE_CHECKING:
    from judgesmith.report.card import Card

_GIVEN = {
    Kind.SINGLE: "one response at a time", Kind.PAIR: "two responses, in both orders",
    Kind.LIST: "several responses, in their order and its reverse",
}  # fmt: skip


def what(dialect: Dialect) -> str:
    """What the judge is given and what it says."""
    given = _GIVEN[dialect.kind]
    values = ", ".join(dialect.scale.values)
    said = f"It is shown {given}, and answers with one of: {values}."
    if dialect.direction is not None and dialect.scored:
        worst = dialect.direction.value
        said += f" A higher score is {worst}."
        if dialect.kind is Kind.SINGLE:
            said += f" Of two responses its verdict (A, B, TIE) names the {worst} one by score."
    elif dialect.direction is not None:
        said += f" A verdict names the {dialect.direction.value} response."
    if dialect.reference_user is not None:
        said += " It answers the question first, unless it is given a reference."
    return said


def rubric(card: "Card") -> list[str]:
    """By what it judges, in words: its rubric, and how the answer key decides."""
    found = [fenced(card.dialect.rubric)] if card.dialect.rubric else []
    meaning = card.glossary.get(card.policy or "")
    if card.policy and meaning:
        found.append(f"The answer key ({plain(card.policy)}) decides so: {plain(meaning)}")
    return found


def learned(card: "Card") -> str:
    """How much it learned from, by the run's stages."""
    made = {row.stage: row.made for row in card.document.stages}
    stage = student_stage(card.exported.student)
    if made.get(stage) is None or stage not in ("sft", "dpo"):
        return ""
    told = f"The stage {stage} trained on {made[stage]:,} rows."
    if made.get("questions") is not None and made.get("responses") is not None:
        whose = " (some or all by simulated models)" if card.simulated else ""
        told += (
            f" Its data began as {made['responses']:,} responses{whose} to "
            f"{made['questions']:,} questions; the test side was kept apart."
        )
    return told + (" The questions are in English." if card.language == "en" else "")


def speed(document: Document) -> str:
    """How fast the evaluation was, where it was timed."""
    row = next((one for one in document.stages if one.stage == "evaluate"), None)
    if document.rehearsed or row is None or not row.wall_s or not row.calls:
        return ""
    return (
        f"On the machine of the run, the stage evaluate asked {row.calls:,} times, all judges "
        f"together, and took {duration(row.wall_s)} with all statistics. Memory was not measured."
    )
