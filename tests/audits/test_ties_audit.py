import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgesmith.audits.finding import Severity
from judgesmith.audits.ties import VotedItem, majority, ties_findings, ties_table
from judgesmith.errors import DataError


def voted(*rows: str) -> list[VotedItem]:
    """Rows of votes and gold: "AAB A"; T for a tie, - for no vote."""
    names: dict[str, str | None] = {"T": "TIE", "-": None}
    return [
        VotedItem(f"f:{i}", tuple(names.get(v, v) for v in votes), "TIE" if g == "T" else g)
        for i, (votes, g) in enumerate(row.split() for row in rows)
    ]


def test_gold_that_follows_the_votes_gives_nothing() -> None:
    rows = voted("AAB A", "ABB B", "AB T", "TTA T", "A-A A", "ABT T", "B B")
    table = ties_table(rows)
    assert (table.n, table.tied.n, table.tied.decided, table.against) == (7, 2, 0, 0)
    assert ties_findings(table) == ()


def test_winners_where_the_votes_tie() -> None:
    """Four decided ties: A three times, always the first annotator; one kept as a tie."""
    table = ties_table(voted("AB A", "AB A", "BA B", "AT A", "AB T"))
    assert (table.tied.n, table.tied.decided) == (5, 4)
    assert table.tied.directions == (("A", 3), ("B", 1))
    assert table.tied.coin_p == 0.625
    assert table.tied.follows == (4, 0)
    found = ties_findings(table)
    assert [(f.severity, f.count, f.of) for f in found] == [(Severity.WARNING, 4, 5)]
    assert "(A 3, B 1; directions against a coin: p = 0.62; always the vote of annotator 1)" in (
        found[0].message
    )
    assert found[0].examples == ("f:0", "f:1", "f:2", "f:3")


def test_a_pattern_of_dissent_that_loses_its_majority_is_found() -> None:
    """Annotator 2 alone dissents in 12 items, gold is theirs in 5; elsewhere it is the majority."""
    rows = voted(*["ABA A"] * 7, *["ABA B"] * 5, *["AAB A"] * 12, *["BAA A"] * 12, *["AAA A"] * 90)
    table = ties_table(rows)
    pattern = next(p for p in table.patterns if p.dissenters == (2,))
    assert (pattern.n, pattern.against, pattern.expected_if_drawn) == (12, 5, pytest.approx(4))
    assert pattern.drawn_p is not None
    assert pattern.drawn_p > 0.5
    found = ties_findings(table)
    assert [(f.severity, f.count, f.of) for f in found] == [(Severity.WARNING, 5, 12)]
    assert found[0].message.startswith("where annotator 2 alone dissents, 5 of 12 gold labels")
    assert found[0].examples == ("f:7", "f:8", "f:9", "f:10", "f:11")


def test_scattered_corrections_are_a_figure_to_know() -> None:
    found = ties_findings(ties_table(voted("AAA B", "BBA A", *["AAA A"] * 40, *["BBA B"] * 10)))
    assert [(f.severity, f.count, f.of) for f in found] == [(Severity.INFO, 2, 52)]


@given(st.lists(st.sampled_from("ABT"), min_size=1, max_size=7))
def test_majority_is_the_one_most_frequent_vote(votes: list[str]) -> None:
    counts = sorted((votes.count(v) for v in "ABT"), reverse=True)
    found = majority(votes)
    if counts[0] == counts[1]:
        assert found is None
    else:
        assert found is not None
        assert votes.count(found) == counts[0]


def test_an_item_without_votes_is_refused() -> None:
    with pytest.raises(DataError, match="f:0: expected at least one vote"):
        ties_table(voted("-- A"))
    assert ties_findings(ties_table([])) == ()


def test_the_table_is_json() -> None:
    stored = json.loads(json.dumps(ties_table(voted("AAB A", "AB A")).to_dict()))
    assert stored["patterns"][0]["dissenters"] == [3]
    assert stored["tied"]["decided"] == 1
