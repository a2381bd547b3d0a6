"""Defect 17: a bucket where one label holds 96% gets a kappa.

The published tie bucket held 24 ties among 25 labels; its kappa was printed, and turned on one
pair.
"""

import pytest

from judgesmith.audits import LabelItem, Severity, label_findings, label_table
from judgesmith.metrics.suppress import not_shown_because


def bucket(name: str, verdicts: list[str]) -> list[LabelItem]:
    return [LabelItem(f"{name}{i}", name, verdict) for i, verdict in enumerate(verdicts)]


def test_the_bucket_is_named_and_its_kappa_is_withheld() -> None:
    tie = ["TIE"] * 24 + ["B"]
    items = [*bucket("tie", tie), *bucket("clear", ["A", "B"] * 25)]
    found = label_findings(label_table(items))
    assert [(f.severity, f.count, f.of) for f in found] == [(Severity.WARNING, 24, 25)]
    assert "tie: the label 'TIE' holds 24 of 25 items (96%)" in found[0].message
    assert found[0].examples == ("tie24",)
    assert not_shown_because(tie) is not None


def test_a_clean_set_is_not_flagged() -> None:
    verdicts = ["TIE"] * 20 + ["A", "B"] * 5
    assert label_findings(label_table(bucket("tie", verdicts))) == ()
    assert not_shown_because(verdicts) is None


@pytest.mark.parametrize("most", range(20, 41))
def test_audit_and_metric_agree_on_where_the_limit_lies(most: int) -> None:
    verdicts = ["A"] * most + ["TIE"] * (40 - most)
    found = label_findings(label_table(bucket("x", verdicts)), slot_p=0.0)
    assert bool(found) == (not_shown_because(verdicts) is not None)
