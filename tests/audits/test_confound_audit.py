import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from statsmodels.stats.proportion import proportion_confint

from judgesmith.audits import (
    ConfoundItem,
    ConfoundLimits,
    ConfoundTable,
    StyledResponse,
    confound_findings,
    confound_table,
    hedge_pattern,
)
from judgesmith.errors import DataError, RecipeError


def pair(
    number: int,
    flagged: str,
    other: str,
    *,
    bucket: str = "clear",
    flagged_first: bool | None = None,
    generators: tuple[str, str] = ("m", "m"),
) -> ConfoundItem:
    """A pair with one flagged response; by default the slots alternate with the number."""
    first = number % 2 == 0 if flagged_first is None else flagged_first
    sides = (
        StyledResponse(True, generators[0], flagged),
        StyledResponse(False, generators[1], other),
    )
    return ConfoundItem(f"i{number:03}", bucket, sides if first else sides[::-1])


def table(*items: ConfoundItem, hedges: tuple[str, ...] = ()) -> ConfoundTable:
    return confound_table(items, hedge_phrases=hedges)


def test_a_bucket_by_hand() -> None:
    """Words: 3-1, 2-2, 1-4, 5-1. Longer 2 of 4, shorter 1; mean (2 + 0 - 3 + 4) / 4 = 0.75.

    Flagged first in numbers 0 and 2: p = 1 with 2 of 4.
    """
    row = table(
        pair(0, "a b c", "a"),
        pair(1, "a b", "a b"),
        pair(2, "a", "a b c d"),
        pair(3, "a b c d e", "a"),
    ).buckets[0]
    assert (row.bucket, row.n, row.contrasts, row.longer, row.shorter) == ("clear", 4, 4, 2, 1)
    assert row.mean_word_difference == 0.75
    assert row.longer_share.value == 0.5
    assert (row.flagged_first, row.flagged_first_p) == (2, 1.0)
    assert row.examples == ("i003", "i002", "i000", "i001")
    assert row.hedged_flagged is None


def test_items_without_a_contrast_count_for_generators_only() -> None:
    """m1 writes 4 responses, 1 flagged; m2 writes 2, 1 flagged; 2 flagged of 6."""
    flagged, clear = StyledResponse(True, "m1", "x"), StyledResponse(False, "m1", "x y")
    counted = table(
        ConfoundItem("tie", "tie", (clear, StyledResponse(False, "m2", "x"))),
        ConfoundItem("single", "tie", (flagged,)),
        ConfoundItem("list", "tie", (clear, clear, StyledResponse(True, "m2", "x"))),
    )
    row = counted.overall
    assert (row.n, row.contrasts, row.longer) == (3, 0, 0)
    assert row.mean_word_difference is None
    assert row.flagged_first_p is None
    assert row.longer_share.value is None
    assert [(g.generator, g.slots, g.flagged) for g in counted.generators] == [
        ("m1", 4, 1),
        ("m2", 2, 1),
    ]
    assert counted.flagged_share.value == pytest.approx(2 / 6)
    assert confound_findings(counted) == ()


def test_hedges_are_counted_per_side_as_whole_phrases() -> None:
    """Flagged sides hedge in 2 of 3, the others in 1 of 3."""
    row = table(
        pair(0, "Probably her.", "The mighty nurse."),
        pair(1, "It is more\n likely him.", "It MIGHT be her."),
        pair(2, "More than likely.", "B"),
        hedges=("probably", "might", "more likely"),
    ).overall
    assert row.hedged_flagged is not None
    assert row.hedged_unflagged is not None
    assert row.hedged_flagged.value == pytest.approx(2 / 3)
    assert row.hedged_unflagged.value == pytest.approx(1 / 3)


def test_hedge_phrases_are_text_not_patterns() -> None:
    pattern = hedge_pattern(["might (or not)", "c++"])
    assert pattern is not None
    assert pattern.search("it might (or not) be")
    assert pattern.search("c++ it is")
    assert not pattern.search("ccc")
    with pytest.raises(DataError, match="found ' '"):
        hedge_pattern(["probably", " "])


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 9), st.integers(1, 9)), max_size=40))
def test_numbers_agree_with_independent_libraries(rows: list[tuple[bool, int, int]]) -> None:
    counted = table(
        *(
            pair(i, "w " * flagged, "w " * other, flagged_first=first)
            for i, (first, flagged, other) in enumerate(rows)
        )
    ).overall
    n = len(rows)
    longer = sum(flagged > other for _, flagged, other in rows)
    assert (counted.longer, counted.contrasts) == (longer, n)
    assert counted.shorter == sum(flagged < other for _, flagged, other in rows)
    if n:
        low, high = proportion_confint(longer, n, method="wilson")
        assert counted.longer_share.low == pytest.approx(low, abs=1e-12)
        assert counted.longer_share.high == pytest.approx(high, abs=1e-12)
        first = sum(first for first, _, _ in rows)
        assert counted.flagged_first_p == pytest.approx(binomtest(first, n).pvalue)


@pytest.mark.parametrize(
    ("longer", "reported"),
    [(33, True), (32, False)],
)
def test_length_is_reported_from_the_lower_bound_on(longer: int, reported: bool) -> None:
    """Wilson 95% of 33 of 40 starts at 0.681, of 32 of 40 at 0.652: limit 0.66 lies between."""
    items = [pair(i, "a b c" if i < longer else "a", "a b") for i in range(40)]
    found = confound_findings(table(*items), ConfoundLimits(longer_share=0.66))
    assert [f.count for f in found] == ([longer] if reported else [])


def test_a_flagged_side_that_is_shorter_gives_the_label_away_just_as_well() -> None:
    found = confound_findings(table(*(pair(i, "a", "a b c") for i in range(40))))
    assert len(found) == 1
    assert "the flagged response is shorter in 40 of 40 pairs (100%" in found[0].message
    assert "-2.0 words on average" in found[0].message


def test_hedging_on_one_side_is_reported() -> None:
    items = [pair(i, "probably a" if i < 30 else "a b", "a b") for i in range(40)]
    found = confound_findings(table(*items, hedges=("probably",)))
    assert [(f.count, f.of) for f in found] == [(30, 40)]
    assert "75% of the flagged and 0% of the other responses hold a hedge" in found[0].message
    few = confound_findings(table(*items[:2], *items[38:], hedges=("probably",)))
    assert few == (), "2 of 4 against 0 of 4 is no evidence"


def test_slots_are_reported_after_adjusting_for_the_number_of_buckets() -> None:
    """9 of 10 first: p = 2 * 11 / 1024 = 0.0215. Three buckets and their sum: 4 tests.

    The sum is 19 of 30, p = 0.20, so Holm gives 4 * 0.0215 = 0.086: not reported.
    """
    lopsided = [pair(i, "a b", "a b", bucket="x", flagged_first=i > 0) for i in range(10)]
    alone = confound_findings(table(*lopsided))
    assert len(alone) == 1
    assert "shown first in 9 of 10 pairs (exact binomial p = 0.021" in alone[0].message
    even = [pair(10 + i, "a b", "a b", bucket="yz"[i % 2], flagged_first=i < 10) for i in range(20)]
    assert confound_findings(table(*lopsided, *even)) == ()


def test_a_generator_that_is_hardly_ever_flagged_is_reported() -> None:
    """m3 is flagged in 0 of 30; of all 60 responses half are."""
    items = [pair(i, "a b", "a b", generators=("m1" if i % 2 else "m2", "m3")) for i in range(30)]
    found = confound_findings(table(*items))
    assert [f.message.split(":")[0] for f in found] == [
        "generator m1",
        "generator m2",
        "generator m3",
    ]
    assert (found[2].count, found[2].of) == (0, 30)
    assert found[2].remedy.startswith("add flagged responses")
    assert found[0].remedy.startswith("add unflagged responses")
    balanced = [
        pair(i, "a b", "a b", generators=("m1", "m3") if i // 2 % 2 else ("m3", "m1"))
        for i in range(32)
    ]
    assert confound_findings(table(*balanced)) == ()


def test_no_items_no_findings() -> None:
    empty = table()
    assert (empty.buckets, empty.generators, empty.overall.n) == ((), (), 0)
    assert confound_findings(empty) == ()


def test_the_table_is_json() -> None:
    stored = json.loads(json.dumps(table(pair(0, "a b", "a"), hedges=("maybe",)).to_dict()))
    assert stored["buckets"][0]["longer"] == 1
    assert stored["buckets"][0]["hedged_flagged"]["value"] == 0.0
    assert stored["generators"][0]["generator"] == "m"


def test_limits_out_of_range_are_refused() -> None:
    with pytest.raises(RecipeError, match=r"longer_share: expected a number from 0\.5 to 1"):
        ConfoundLimits(longer_share=0.4)
    with pytest.raises(RecipeError, match="slot_p"):
        ConfoundLimits(slot_p=2)
