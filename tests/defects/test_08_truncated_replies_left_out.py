"""Defect 8: truncated replies excluded from kappa, which inflates it by 0.06 to 0.18.

Planted: a judge whose replies on hard items run long and are cut off. On the whole set it is no
better; on what is left it looks better, and the audit says by how much and why.
"""

import random

from judgesmith.audits.finding import Severity
from judgesmith.audits.unparsed import JudgedItem, UnparsedTable, unparsed_findings, unparsed_table


def judged(cut_off: float) -> UnparsedTable:
    """400 items, a quarter of them hard: right on 90% of the easy, on 40% of the hard ones.

    A reply on a hard item is cut off with the chance `cut_off`, on an easy one never.
    """
    rng = random.Random(8)
    items = []
    for i in range(400):
        hard, label = i % 4 == 0, rng.choice(("A", "B", "TIE"))
        right = rng.random() < (0.4 if hard else 0.9)
        verdict = label if right else rng.choice([v for v in ("A", "B", "TIE") if v != label])
        cut = hard and rng.random() < cut_off
        items.append(
            JudgedItem(
                f"judgments.jsonl:{i + 1}",
                "hard" if hard else "easy",
                None if cut else verdict,
                label,
                "truncated" if cut else "parsed",
            )
        )
    return unparsed_table(items)


def test_the_inflation_is_named_and_so_is_the_bucket() -> None:
    table, whole = judged(0.5), judged(0.0)
    assert table.bounds.kappa.parsed.value is not None
    assert whole.bounds.kappa.parsed.value is not None
    assert table.bounds.kappa.parsed.value > whole.bounds.kappa.parsed.value + 0.03
    assert table.inflation is not None
    assert table.inflation > 0.06
    found = unparsed_findings(table)
    assert {f.severity for f in found} == {Severity.WARNING}
    assert "leaving them out raises kappa by" in found[0].effect
    assert f"(truncated {table.unparsed})" in found[0].message
    assert "depend on the bucket: easy 0 of 300" in found[1].message
    assert found[0].examples[0].startswith("judgments.jsonl:")


def test_the_truth_lies_within_the_bounds_that_stand_beside_it() -> None:
    kappa, whole = judged(0.5).bounds.kappa, judged(0.0).bounds.kappa.parsed.value
    assert kappa.worst.value is not None
    assert kappa.best.value is not None
    assert whole is not None
    assert kappa.worst.value <= whole <= kappa.best.value


def test_complete_replies_are_not_flagged() -> None:
    assert unparsed_findings(judged(0.0)) == ()


def test_a_cut_off_reply_stored_as_a_tie_is_an_error() -> None:
    """Defect 13 in a file: the verdict is there, the reply is not."""
    items = [
        JudgedItem(f"f:{i}", "x", "TIE" if i < 4 else "A", "TIE", None, "" if i < 4 else "[[A]]")
        for i in range(20)
    ]
    found = [f for f in unparsed_findings(unparsed_table(items)) if f.severity is Severity.ERROR]
    assert [(f.count, f.of, f.examples) for f in found] == [(4, 20, ("f:0", "f:1", "f:2", "f:3"))]
