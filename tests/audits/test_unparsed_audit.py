import json

import pytest

from judgesmith.audits.finding import Severity
from judgesmith.audits.unparsed import (
    JudgedItem,
    UnparsedLimits,
    unparsed_findings,
    unparsed_table,
)
from judgesmith.errors import DataError, RecipeError


def judged(verdicts: list[str | None], labels: str, bucket: str = "all") -> list[JudgedItem]:
    """One item per letter of `labels`; T stands for a tie."""
    return [
        JudgedItem(f"{bucket}.jsonl:{i}", bucket, v, {"T": "TIE"}.get(y, y),
                   "truncated" if v is None else "parsed")
        for i, (v, y) in enumerate(zip(verdicts, labels, strict=True))
    ]  # fmt: skip


def test_inflation_by_hand() -> None:
    """20 A and 20 B, all parsed ones right, 5 of each unparsed.

    Parsed: kappa 1. Counted as wrong: n = 40, d = 30, S = 15*20 + 15*20 = 600:
    (1200 - 600) / (1600 - 600) = .6. Inflation .4.
    """
    verdicts: list[str | None] = ["A"] * 15 + [None] * 5 + ["B"] * 15 + [None] * 5
    table = unparsed_table(judged(verdicts, "A" * 20 + "B" * 20))
    assert (table.n, table.unparsed, table.statuses) == (40, 10, (("truncated", 10),))
    assert table.inflation == pytest.approx(0.4)
    assert table.label_p == 1.0
    found = unparsed_findings(table)
    assert [(f.severity, f.count, f.of) for f in found] == [(Severity.WARNING, 10, 40)]
    assert "kappa on the parsed is 1.000, with them counted as wrong 0.600" in found[0].message
    assert found[0].examples == tuple(f"all.jsonl:{i}" for i in range(15, 20))
    assert unparsed_findings(table, UnparsedLimits(inflation=0.41)) == ()


def test_replies_that_fail_on_one_label_are_reported() -> None:
    verdicts: list[str | None] = ["A"] * 40 + ["TIE"] * 30 + [None] * 10
    found = unparsed_findings(unparsed_table(judged(verdicts, "A" * 40 + "T" * 40)))
    assert any("depend on the label: A 0 of 40, TIE 10 of 40" in f.message for f in found)


def test_replies_that_fail_in_one_bucket_are_reported() -> None:
    clean = judged(["A", "B"] * 30, "AB" * 30, "easy")
    hard = judged(["A", "B"] * 10 + [None] * 10, "AB" * 15, "hard")
    found = unparsed_findings(unparsed_table(clean + hard))
    assert any("depend on the bucket: easy 0 of 60, hard 10 of 30" in f.message for f in found)


def test_a_verdict_stored_for_an_empty_reply_is_an_error() -> None:
    items = [
        JudgedItem("f:1", "x", "TIE", "TIE", None, ""),
        JudgedItem("f:2", "x", "A", "A", None, "[[A]]"),
        JudgedItem("f:3", "x", "B", "B", "truncated", "I think that"),
        JudgedItem("f:4", "x", None, "B", None, " \n"),
        JudgedItem("f:5", "x", "A", "A"),
    ]
    table = unparsed_table(items)
    assert (table.from_nothing, table.ties_from_nothing, table.with_reply) == (2, 1, 4)
    assert table.from_nothing_examples == ("f:1", "f:3")
    found = [f for f in unparsed_findings(table) if f.severity is Severity.ERROR]
    assert [(f.count, f.of) for f in found] == [(2, 4)]
    assert "1 of these are ties" in found[0].message


def test_everything_parsed_or_nothing_there_gives_no_finding() -> None:
    assert unparsed_findings(unparsed_table(judged(["A", "B"] * 20, "AB" * 20))) == ()
    empty = unparsed_table([])
    assert empty.inflation is None
    assert unparsed_findings(empty) == ()


def test_nothing_parsed_has_no_inflation_but_bounds() -> None:
    table = unparsed_table(judged([None, None], "AB"))
    assert (table.unparsed, table.inflation) == (2, None)
    assert table.bounds.accuracy.best.value == 1.0


def test_bad_input_is_refused() -> None:
    item = JudgedItem("f:1", "x", "A", "A")
    with pytest.raises(DataError, match="each place once"):
        unparsed_table([item, item])
    with pytest.raises(RecipeError, match="inflation"):
        UnparsedLimits(inflation=2)


def test_the_table_is_json() -> None:
    stored = json.loads(json.dumps(unparsed_table(judged(["A", None], "AB")).to_dict()))
    assert stored["by_label"][1] == {"name": "B", "unparsed": 1, "of": 1}
