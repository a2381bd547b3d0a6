"""Defect 19: gold labels drawn at random (49 of 999).

The published script names them ties; they are not. It compared one pair of annotators twice and
another never, so where annotators 1 and 3 agree against 2 it drew gold among the three votes.
"""

import random

import pytest

from judgesmith.audits.finding import Severity
from judgesmith.audits.ties import VotedItem, majority, ties_findings, ties_table


def votes(seed: int) -> list[tuple[str, str, str]]:
    """999 items, 120 with one annotator against the two others, as published."""
    rng = random.Random(seed)
    made = []
    for i in range(999):
        top = rng.choice(("A", "B", "TIE"))
        one = [top, top, top]
        if i < 120:
            one[i % 3] = rng.choice([v for v in ("A", "B", "TIE") if v != top])
        made.append((one[0], one[1], one[2]))
    return made


def published_rule(cast: tuple[str, str, str], rng: random.Random) -> str:
    return rng.choice(cast) if cast[0] == cast[2] != cast[1] else majority(cast) or "TIE"


@pytest.mark.parametrize("seed", range(10))
def test_a_gold_label_drawn_among_the_votes_is_caught(seed: int) -> None:
    rng = random.Random(seed)
    items = [
        VotedItem(f"gold.json:{i + 1}", cast, published_rule(cast, rng))
        for i, cast in enumerate(votes(seed))
    ]
    table = ties_table(items)
    found = ties_findings(table)
    assert [(f.severity, f.of) for f in found] == [(Severity.WARNING, 40)]
    assert "annotator 2 alone dissents" in found[0].message
    pattern = next(p for p in table.patterns if p.dissenters == (2,))
    assert pattern.expected_if_drawn == pytest.approx(40 / 3)
    assert pattern.drawn_p is not None
    assert pattern.drawn_p > 0.001, "what was planted is a draw, and is not told from one"


def test_the_majority_is_not_flagged() -> None:
    items = [VotedItem(f"f:{i}", cast, majority(cast) or "TIE") for i, cast in enumerate(votes(1))]
    assert ties_findings(ties_table(items)) == ()


def test_a_coin_where_two_annotators_disagree_is_caught() -> None:
    rng = random.Random(19)
    items = [VotedItem(f"f:{i}", ("A", "B"), rng.choice("AB")) for i in range(49)]
    items += [VotedItem(f"g:{i}", ("A", "A"), "A") for i in range(950)]
    table = ties_table(items)
    assert table.tied.coin_p > 0.05
    found = ties_findings(table)
    assert [(f.severity, f.count, f.of) for f in found] == [(Severity.WARNING, 49, 999)]
    assert "name a winner where the votes tie" in found[0].message
