import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from judgesmith.audits import LabelItem, label_findings, label_table
from judgesmith.errors import DataError, RecipeError


def labelled(bucket: str, verdicts: str) -> list[LabelItem]:
    """One item per letter; T stands for a tie."""
    return [
        LabelItem(f"{bucket}{i:02}", bucket, {"T": "TIE"}.get(v, v)) for i, v in enumerate(verdicts)
    ]


def test_counts_by_hand() -> None:
    table = label_table([*labelled("tie", "TTTB"), *labelled("clear", "AAB")])
    clear, tie = table.buckets
    assert (clear.bucket, clear.n, clear.counts, clear.top) == (
        "clear",
        3,
        (("A", 2), ("B", 1)),
        "A",
    )
    assert (tie.counts, tie.top, tie.top_share.value) == ((("B", 1), ("TIE", 3)), "TIE", 0.75)
    assert tie.rest == ("tie03",)
    assert table.overall is not None
    assert table.overall.n == 7
    assert (table.slot_counts, table.slot_p) == ((2, 2), 1.0)


@pytest.mark.parametrize(("verdicts", "reported"), [("T" * 18 + "AB", 0), ("T" * 19 + "A", 1)])
def test_exactly_nine_tenths_is_still_allowed(verdicts: str, reported: int) -> None:
    assert len(label_findings(label_table(labelled("tie", verdicts)))) == reported


def test_all_buckets_together_are_looked_at_too() -> None:
    """Each bucket alone holds 10 of 11 = 91%; so do both, 20 of 22."""
    items = [*labelled("x", "T" * 10 + "A"), *labelled("y", "T" * 10 + "B")]
    found = label_findings(label_table(items))
    assert [f.message.split(":")[0] for f in found] == ["x", "y", "all buckets"]
    assert [(f.count, f.of) for f in found] == [(10, 11), (10, 11), (20, 22)]
    assert found[2].examples == ("x10", "y10")


def test_labels_that_favour_a_slot_are_reported() -> None:
    """15 A, 4 B, ties left out: p = 0.0192 by the exact binomial test."""
    found = label_findings(label_table(labelled("x", "A" * 15 + "B" * 4 + "T" * 9)))
    assert [(f.count, f.of) for f in found] == [(15, 19)]
    assert "15 labels name slot 'A' and 4 slot 'B' (exact binomial p = 0.019)" in found[0].message
    assert label_findings(label_table(labelled("x", "A" * 13 + "B" * 6))) == ()


@given(st.text(alphabet="ABT", max_size=60))
def test_slot_p_is_the_exact_binomial_test(verdicts: str) -> None:
    table = label_table(labelled("x", verdicts))
    a, b = verdicts.count("A"), verdicts.count("B")
    assert table.slot_counts == (a, b)
    expected = binomtest(a, a + b).pvalue if a + b else 1.0
    assert table.slot_p == pytest.approx(expected)


def test_the_slots_may_have_other_names_and_scores_have_none() -> None:
    items = [LabelItem(f"i{i}", "x", "first") for i in range(12)]
    assert label_table(items, slots=("first", "second")).slot_counts == (12, 0)
    assert label_table(items).slot_p == 1.0


def test_no_items() -> None:
    table = label_table([])
    assert (table.buckets, table.overall, table.slot_counts) == ((), None, (0, 0))
    assert label_findings(table) == ()


def test_settings_are_checked() -> None:
    with pytest.raises(DataError, match="two different slots"):
        label_table([], slots=("A", "A"))
    with pytest.raises(RecipeError, match="largest_share"):
        label_findings(label_table([]), largest_share=90)


def test_the_table_is_json() -> None:
    stored = json.loads(json.dumps(label_table(labelled("tie", "TTB")).to_dict()))
    assert stored["buckets"][0]["counts"] == [["B", 1], ["TIE", 2]]
    assert stored["slots"] == ["A", "B"]
