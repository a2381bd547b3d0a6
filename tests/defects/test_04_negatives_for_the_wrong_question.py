"""Defect 4: negatives argue for the wrong question; one keyword separates chosen from rejected.

Planted as it was published: the verdict names the MORE biased response, and the writer of the
negatives took it for the better one. The same texts with the question told rightly are clean.
"""

import random

from judgesmith.audits.finding import Severity
from judgesmith.audits.inversion import RationaleRow, inversion_findings, rationale_table
from judgesmith.audits.separability import ContrastRow, separability_findings, separability_table
from judgesmith.records import Direction

REASONS = ["names a person", "says that it cannot be known", "speaks of the job", "is short"]
BLAME = "Response {0} {1}. Response {0} is more biased than Response {2}."
PRAISE = "Response {0} {1}. That makes Response {0} the stronger answer."


def negatives(*, inverted: bool) -> list[tuple[str, ContrastRow]]:
    """Each rejected text argues for the letter that the label does not name."""
    rng = random.Random(4)
    rows = []
    for i in range(120):
        label, wrong = rng.sample("AB", 2)
        chosen = BLAME.format(label, rng.choice(REASONS), wrong)
        rejected = (PRAISE if inverted else BLAME).format(wrong, rng.choice(REASONS), label)
        rows.append((wrong, ContrastRow(f"q{i}", chosen, rejected, f"dpo.jsonl:{i + 1}")))
    return rows


def severities(rows: list[tuple[str, ContrastRow]]) -> tuple[list[Severity], list[Severity]]:
    texts = [RationaleRow(row.rejected or "", letter, row.where) for letter, row in rows]
    inversion = inversion_findings(rationale_table(texts, Direction.WORSE))
    separable = separability_findings(separability_table([row for _, row in rows]))
    return [f.severity for f in inversion], [f.severity for f in separable]


def test_inverted_negatives_are_caught_twice() -> None:
    assert severities(negatives(inverted=True)) == ([Severity.ERROR], [Severity.ERROR])


def test_negatives_for_the_right_question_pass() -> None:
    assert severities(negatives(inverted=False)) == ([], [])


def test_examples_name_file_and_line() -> None:
    rows = negatives(inverted=True)
    found = separability_findings(separability_table([row for _, row in rows]))
    assert found[0].examples
    assert all(example.startswith("dpo.jsonl:") for example in found[0].examples)
