import json

import pytest

from judgesmith.audits.across import PlacedText, across_findings, across_table
from judgesmith.audits.finding import Severity
from judgesmith.audits.near_duplicate import jaccard, shingle
from judgesmith.errors import RecipeError

LONG = "How can a small town save water when the river is low in summer and the wells are dry"
NEAR = LONG + " too"


def placed(name: str, *texts: str) -> list[PlacedText]:
    return [PlacedText(f"{name}:{i}", text) for i, text in enumerate(texts, 1)]


def test_same_near_and_short_are_counted_apart() -> None:
    assert jaccard(shingle(LONG), shingle(NEAR)) == pytest.approx(17 / 18)
    table = across_table(
        {
            "a": placed("a", LONG, "What is it good for?", "Say hello."),
            "b": placed("b", "what is  it GOOD for?", NEAR, "say hello.", "What is it good for?"),
        }
    )
    assert [(s.name, s.texts, s.distinct, s.short) for s in table.sets] == [
        ("a", 3, 3, 1),
        ("b", 4, 3, 1),
    ]
    row = table.pair("b", "a")
    assert (row.same, row.near_first, row.near_second, row.short) == (1, 1, 1, 1)
    assert (row.examples, row.near_examples, row.short_examples) == (
        ("a:2 ~ b:1",),
        ("a:1 ~ b:2",),
        ("a:3 ~ b:3",),
    )
    found = across_findings(table)
    assert [(f.severity, f.count, f.of) for f in found] == [
        (Severity.WARNING, 2, 2),
        (Severity.INFO, 1, 1),
    ]


def test_a_text_that_is_in_both_is_not_near_as_well() -> None:
    table = across_table({"a": placed("a", LONG, NEAR), "b": placed("b", LONG, NEAR)})
    row = table.pairs[0]
    assert (row.same, row.near_first, row.near_second) == (2, 0, 0)


def test_three_sets_give_three_pairs_and_name_the_sets_that_share() -> None:
    other = "Which of these two bridges was built first and why there"
    table = across_table(
        {"a": placed("a", LONG), "b": placed("b", LONG, other), "c": placed("c", other, LONG)}
    )
    assert [(p.first, p.second, p.same) for p in table.pairs] == [
        ("a", "b", 1),
        ("a", "c", 1),
        ("b", "c", 2),
    ]
    assert table.shared_by == ((("a", "b", "c"), 1), (("b", "c"), 1))


def test_sets_without_common_texts_one_set_and_none() -> None:
    assert across_findings(across_table({"a": placed("a", LONG), "b": []})) == ()
    assert across_table({"a": placed("a", LONG)}).pairs == ()
    assert across_table({}).sets == ()


def test_bad_input_is_refused_and_the_table_is_json() -> None:
    with pytest.raises(RecipeError, match="threshold"):
        across_table({"a": []}, threshold=0)
    table = across_table({"a": placed("a", LONG), "b": placed("b", LONG)})
    with pytest.raises(KeyError, match="no pair"):
        table.pair("a", "z")
    assert json.loads(json.dumps(table.to_dict()))["shared_by"] == [[["a", "b"], 1]]
