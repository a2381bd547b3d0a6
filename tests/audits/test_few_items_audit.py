import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from judgesmith.audits.few_items import (
    ComparedSlice,
    compare_slices,
    few_items_findings,
    few_items_table,
    labels_for_mcnemar,
    least_discordant,
)
from judgesmith.audits.finding import Severity
from judgesmith.errors import DataError, RecipeError


@pytest.mark.parametrize(("alpha", "least"), [(0.05, 6), (0.01, 8), (0.5, 3), (0.03125, 7)])
def test_least_discordant_is_where_one_sided_counts_first_reach_alpha(
    alpha: float, least: int
) -> None:
    """2 / 2**6 = .03125 is below .05; at alpha = .03125 it is not below, so 7 are needed."""
    assert least_discordant(alpha) == least
    assert binomtest(0, least).pvalue < alpha <= binomtest(0, least - 1).pvalue


@given(st.integers(0, 40), st.integers(0, 40))
def test_a_claim_is_reported_exactly_when_its_exact_test_does_not_reach_alpha(
    gained: int, lost: int
) -> None:
    found = few_items_findings(few_items_table([ComparedSlice("all", gained, lost, 100)]))
    m = gained + lost
    assert bool(found) == (m > 0 and binomtest(gained, m).pvalue >= 0.05)
    if found:
        assert (found[0].count, found[0].of) == (m, 100)


def test_claims_share_one_correction_and_other_rows_do_not_take_part() -> None:
    """7 to 0 alone is p = .0156; with three such claims Holm gives .047, with four .0625."""
    row = ComparedSlice("x", 7, 0, 50)
    open_row = ComparedSlice("y", 3, 3, 50, claimed=False)
    assert few_items_findings(few_items_table([row] * 3 + [open_row] * 9)) == ()
    found = few_items_findings(few_items_table([row] * 4))
    assert len(found) == 4
    assert "(exact McNemar p = 0.016, 0.062 after Holm)" in found[0].message


def test_a_row_without_a_claim_is_a_figure_to_know() -> None:
    found = few_items_findings(few_items_table([ComparedSlice("y", 2, 1, 50, claimed=False)]))
    assert [f.severity for f in found] == [Severity.INFO]
    same = ComparedSlice("same", 0, 0, 20)
    assert few_items_findings(few_items_table([same])) == ()


def test_labels_needed_are_those_of_the_formula() -> None:
    """s = 20/240, d = 6/240 = .025: ((1.95996 * .288675 + .841621 * .287591) / .025)**2 = 1044.4.

    9 to 0 of 9: s = d = 1, so (1.96 + 0)**2 = 4, but below 6 no test can reach .05.
    """
    assert labels_for_mcnemar(13, 7, 240) == 1045
    assert labels_for_mcnemar(9, 0, 9) == 6
    assert labels_for_mcnemar(0, 0, 0) is None


def test_counts_by_slice_and_where_they_are() -> None:
    rows = compare_slices(
        ["A", None, "B", "A"], ["B", "B", "B", None], ["A", "B", "B", "A"],
        slices=["x", "x", "y", "y"], where=[f"f:{i}" for i in range(4)],
    )  # fmt: skip
    assert [(r.name, r.gained, r.lost, r.n, r.examples) for r in rows] == [
        ("x", 1, 1, 2, ("f:0", "f:1")),
        ("y", 1, 0, 2, ("f:3",)),
    ]


def test_bad_input_is_refused() -> None:
    with pytest.raises(DataError, match="comparison 'x': expected gained"):
        ComparedSlice("x", 3, 3, 5)
    with pytest.raises(DataError, match="one length"):
        compare_slices(["A"], [], ["A"], slices=["x"], where=["f:1"])
    with pytest.raises(RecipeError, match="alpha"):
        few_items_table([], alpha=0)
    with pytest.raises(RecipeError, match="power"):
        few_items_table([ComparedSlice("x", 1, 0, 2)], power=1)


def test_the_table_is_json() -> None:
    stored = json.loads(json.dumps(few_items_table([ComparedSlice("x", 1, 0, 2)]).to_dict()))
    assert stored["rows"][0]["compared"]["gained"] == 1
