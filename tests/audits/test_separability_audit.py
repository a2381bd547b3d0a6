import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgesmith.audits import separability
from judgesmith.audits.finding import Severity
from judgesmith.audits.separability import (
    ContrastRow,
    keywords_of,
    separability_findings,
    separability_table,
)
from judgesmith.errors import RecipeError


def pairs(
    n: int, *, chosen: float = 0.5, rejected: float = 0.5, seed: int = 1
) -> list[ContrastRow]:
    """Pairs of noise, in which "biased" stands with these chances."""
    rng = random.Random(seed)

    def text(share: float) -> str:
        words = [f"w{rng.randrange(30)}" for _ in range(8)]
        return " ".join([*words, "biased"] if rng.random() < share else words)

    return [ContrastRow(f"g{i}", text(chosen), text(rejected), f"r:{i}") for i in range(n)]


def test_counts_by_hand() -> None:
    """Thirty pairs: "biased" in 27 chosen texts and 3 rejected ones, never in both of a pair.

    The apparent accuracy is (27/30 + 27/30) / 2; every fold picks it, so the held-out one is equal.
    """
    rows = [
        ContrastRow(f"g{i}", "x biased" if i < 27 else "x y", "x y" if i < 27 else "x biased", "r")
        for i in range(30)
    ]
    table = separability_table(rows)
    assert (table.chosen, table.rejected, table.pairs) == (30, 30, 30)
    by_word = {share.keyword: share for share in table.strongest}
    share = by_word["biased"]
    assert (share.chosen, share.rejected, share.only_chosen, share.only_rejected) == (27, 3, 27, 3)
    assert table.apparent == pytest.approx(0.9)
    assert table.accuracy.value == pytest.approx(0.9)
    assert table.hits == (27, 27)


def test_a_word_that_marks_the_rejected_side_counts_too() -> None:
    table = separability_table(pairs(100, chosen=0.0, rejected=1.0))
    assert all((key, marks) == ("biased", False) or not marks for key, marks in table.keywords)
    assert table.accuracy.value == 1.0


def test_on_noise_the_apparent_accuracy_deceives_and_the_held_out_one_does_not() -> None:
    tables = [separability_table(pairs(20, seed=seed)) for seed in range(30)]
    apparent = sum(table.apparent or 0 for table in tables) / 30
    held_out = sum(table.accuracy.value or 0 for table in tables) / 30
    assert apparent > 0.65
    assert 0.4 < held_out < 0.55
    assert not any(separability_findings(table) for table in tables)


def test_one_side_only_and_sides_of_different_size() -> None:
    """A classifier that is right on the large side only is right in half, not in nearly all."""
    one = [ContrastRow(f"c{i}", "the same text", None, "r") for i in range(20)]
    many = [ContrastRow(f"n{i}", None, "the same text", "r") for i in range(400)]
    table = separability_table([*one, *many])
    assert (table.chosen, table.rejected, table.pairs) == (20, 400, 0)
    assert table.accuracy.value == pytest.approx(0.5)
    nothing = separability_table(one)
    assert (nothing.accuracy.value, nothing.apparent) == (None, None)
    assert nothing.accuracy.undefined is not None
    assert separability_findings(nothing) == ()


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 5))
def test_order_and_repeated_rows_change_nothing(rng: random.Random, seed: int) -> None:
    rows = pairs(30, chosen=0.8, rejected=0.3)
    expected = separability_table(rows, seed=seed)
    again = rows + rng.sample(rows, 10)
    rng.shuffle(again)
    assert separability_table(again, seed=seed) == expected


def test_many_rows_of_one_group_count_once() -> None:
    rows = pairs(5, chosen=1.0, rejected=0.0)
    table = separability_table([row for row in rows for _ in range(50)])
    assert (table.chosen, table.rejected) == (5, 5)
    assert separability_findings(table) == ()


def test_of_very_many_groups_some_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(separability, "MOST_GROUPS", 50)
    table = separability_table(pairs(200, chosen=0.9, rejected=0.1))
    assert (table.chosen, table.rejected, table.pairs) == (50, 50, 50)


def test_severity_and_limits() -> None:
    table = separability_table(pairs(300, chosen=1.0, rejected=0.0))
    found = separability_findings(table)
    assert [(f.severity, f.count, f.of) for f in found] == [(Severity.ERROR, 600, 600)]
    assert "'biased'" in found[0].message or "'bias*'" in found[0].message
    assert set(found[0].examples) <= {f"r:{i}" for i in range(300)}
    half = separability_table(pairs(300, chosen=0.85, rejected=0.15))
    assert [f.severity for f in separability_findings(half)] == [Severity.WARNING]
    assert json.loads(json.dumps(table.to_dict()))["hits"] == [300, 300]
    with pytest.raises(RecipeError, match="warn <= stop"):
        separability_findings(table, warn=0.9, stop=0.8)


def test_keywords_of_a_text() -> None:
    assert "stereo*" in keywords_of("Stereotypes!")
    assert "more biased" in keywords_of("It is MORE biased.")
    assert keywords_of("") == frozenset()
