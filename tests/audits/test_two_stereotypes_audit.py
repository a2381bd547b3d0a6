"""The audit of questions with two stereotypes: counts by hand, oracles, planted imbalances."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, chisquare

from judgesmith.audits.finding import Severity
from judgesmith.audits.two_stereotypes import TwoItem, TwoPick, two_stereotypes_table
from judgesmith.audits.two_stereotypes_findings import TwoLimits, two_stereotypes_findings
from judgesmith.errors import DataError, RecipeError


def picks(first: int, second: int, template: str = "t") -> list[TwoPick]:
    told = [1] * first + [2] * second
    return [TwoPick(f"{template}{n}", template, one) for n, one in enumerate(told)]


def fair(n: int = 120) -> list[TwoItem]:
    """Balanced in everything: settled on 1, on 2, or open; three places; three labels."""
    return [
        TwoItem(
            item_id=f"i{n:03}",
            bucket="two",
            template=f"t{n % 30}",
            settled=(None, 1, 2, None)[n % 4],
            place=n % 3,
            verdict=("A", "B", "TIE")[n % 3],
        )
        for n in range(n)
    ]


def test_counts_by_hand() -> None:
    """Picks 3 and 1: p = 2 * (1 + 4) / 16 = .625. Places 2, 1, 0 of a mean of 1: chi2 = 2, two
    degrees of freedom, p = exp(-1) = .3679.
    """
    items = [
        TwoItem("i1", "two", "t1", 1, 0, "A"),
        TwoItem("i2", "two", "t1", 2, 0, "B"),
        TwoItem("i3", "two", "t2", 2, 1, None),
        TwoItem("i4", "two", "t2", None, 2, "TIE"),
    ]
    table = two_stereotypes_table([*picks(2, 1, "t1"), *picks(1, 0, "t2")], items)
    assert (table.picks.first, table.picks.second, table.picks.p) == (3, 1, 0.625)
    assert table.picks.share.value == 0.75
    assert [(r.template, r.first, r.second) for r in table.by_template] == [
        ("t1", 2, 1),
        ("t2", 1, 0),
    ]
    assert (table.settled.first, table.settled.second) == (1, 2)
    assert table.places == (2, 1, 0)
    assert table.places_p == pytest.approx(0.36788, abs=1e-5)
    assert (table.n, table.open, table.templates) == (4, 1, 2)
    assert table.buckets[0].counts == (("A", 1), ("B", 1), ("TIE", 1))


@given(st.lists(st.sampled_from([1, 2]), max_size=60), st.lists(st.integers(0, 2), max_size=60))
def test_p_values_are_those_of_the_textbook_tests(told: list[int], places: list[int]) -> None:
    items = [TwoItem(f"i{n}", "two", "t", 1, place, "A") for n, place in enumerate(places)]
    table = two_stereotypes_table(picks(told.count(1), told.count(2)), items)
    if told:
        assert table.picks.p == pytest.approx(binomtest(told.count(1), len(told)).pvalue)
    else:
        assert table.picks.p == 1.0
        assert table.picks.share.value is None
    assert sum(table.places) == len(places)
    expected = chisquare(table.places).pvalue if places else 1.0
    assert table.places_p == pytest.approx(expected)


def test_nothing_to_count_is_a_table_without_findings() -> None:
    table = two_stereotypes_table([], [])
    assert (table.n, table.places, table.buckets) == (0, (0, 0, 0), ())
    assert two_stereotypes_findings(table) == ()
    json.dumps(table.to_dict())


def test_a_balanced_set_gives_no_finding() -> None:
    table = two_stereotypes_table(picks(60, 62), fair())
    assert two_stereotypes_findings(table) == ()


@pytest.mark.parametrize(
    ("told", "items", "said", "counted"),
    [
        (picks(45, 15), fair(), "45 follow stereotype 1 and 15 stereotype 2", (45, 60)),
        (
            [],
            [replace(i, settled=i.settled and 2) for i in fair()],
            "60 settled items settles on the person of stereotype 1 in 0 and of stereotype 2 in 60",
            (60, 60),
        ),
        (
            [],
            [replace(i, place=0) for i in fair()],
            "stands in the places in order 60, 0, 0 times",
            (60, 60),
        ),
        (
            [],
            [replace(i, verdict="TIE" if n else "A") for n, i in enumerate(fair())],
            "two: the answer key says 'TIE' of 119 of 120 items (99%)",
            (119, 120),
        ),
        (
            [],
            [replace(i, template=f"t{n % 24}") for n, i in enumerate(fair())],
            "120 items come from 24 templates, fewer than 25",
            (24, 25),
        ),
    ],
    ids=["picks", "settled", "places", "labels", "templates"],
)
def test_each_planted_imbalance_is_the_only_finding(
    told: list[TwoPick], items: list[TwoItem], said: str, counted: tuple[int, int]
) -> None:
    table = two_stereotypes_table(told, items)
    found = [f for f in two_stereotypes_findings(table) if "templates the biased" not in f.message]
    assert [(f.audit, f.severity) for f in found] == [("two_stereotypes", Severity.WARNING)]
    assert said in found[0].message
    assert (found[0].count, found[0].of) == counted


def test_opposite_leans_of_templates_do_not_cancel() -> None:
    """20 of 20 in one template, 0 of 20 in another: 20 to 20 in all. Holm over three templates
    gives 3 * 2 / 2**20 each; the third is even.
    """
    told = [*picks(20, 0, "t1"), *picks(0, 20, "t2"), *picks(10, 10, "t3")]
    table = two_stereotypes_table(told, fair())
    assert table.picks.p == 1.0
    assert table.by_template[0].p == pytest.approx(6 / 2**20)
    (found,) = two_stereotypes_findings(table)
    assert (found.count, found.of, found.examples) == (2, 3, ("t1", "t2"))


def test_the_label_share_is_of_the_bucket_and_not_of_its_halves() -> None:
    """Two in five are ties by rule; the bucket as a whole is what kappa is computed on."""
    items = [replace(i, verdict="TIE" if n < 48 else "AB"[n % 2]) for n, i in enumerate(fair())]
    table = two_stereotypes_table([], items)
    assert dict(table.buckets[0].counts) == {"A": 36, "B": 36, "TIE": 48}
    assert two_stereotypes_findings(table) == ()


def test_limits_move_the_findings_and_are_checked() -> None:
    table = two_stereotypes_table(picks(9, 3), fair())
    assert two_stereotypes_findings(table, TwoLimits(p=0.1)) == ()
    assert len(two_stereotypes_findings(table, TwoLimits(p=0.2))) == 2
    assert len(two_stereotypes_findings(table, TwoLimits(least_templates=31))) == 1
    with pytest.raises(RecipeError, match="largest_share: expected a number from 0 to 1"):
        TwoLimits(largest_share=1.5)


def test_what_is_out_of_range_is_named() -> None:
    with pytest.raises(DataError, match="expected stereotype 1 or 2, found 0"):
        two_stereotypes_table([TwoPick("r", "t", 0)], [])
    with pytest.raises(DataError, match="expected stereotype 1 or 2, found 3"):
        two_stereotypes_table([], [TwoItem("i", "two", "t", 3, 0, "A")])
    with pytest.raises(DataError, match="expected a place from 0 to 2, found 3 in item 'i'"):
        two_stereotypes_table([], [TwoItem("i", "two", "t", 1, 3, "A")])
