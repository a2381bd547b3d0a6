from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgesmith.errors import DataError
from judgesmith.metrics import (
    UNPARSED,
    accuracy,
    agreement_bounds,
    cohen_kappa,
    coverage,
    mark_unparsed,
    parsed_positions,
    wilson,
)

rows = st.lists(
    st.tuples(st.sampled_from(["A", "B", "T", None, None]), st.sampled_from("ABT")),
    min_size=1,
    max_size=10,
).filter(lambda found: sum(a is None for a, _ in found) <= 5)


def every_filling(x: list[str | None], labels: str) -> list[list[str]]:
    """Return x with its unparsed places filled in every possible way."""
    places = [i for i, verdict in enumerate(x) if verdict is None]
    filled = []
    for choice in product(labels, repeat=len(places)):
        given_labels = dict(zip(places, choice, strict=True))
        filled.append([given_labels.get(i, verdict) for i, verdict in enumerate(x)])
    return filled


@settings(max_examples=150, deadline=None)
@given(rows)
def test_bounds_equal_the_extremes_over_every_filling(rows: list[tuple[str | None, str]]) -> None:
    x, y = [a for a, _ in rows], [b for _, b in rows]
    found = agreement_bounds(x, y, labels=["A", "B", "T"])
    fillings = every_filling(x, "ABT")
    shares = [float(accuracy(full, y)) for full in fillings]
    assert (float(found.accuracy.worst), float(found.accuracy.best)) == (min(shares), max(shares))
    kappas = [cohen_kappa(full, y).value for full in fillings]
    if None in kappas:
        assert found.kappa.best.value is found.kappa.worst.value is None
    else:
        assert float(found.kappa.worst) == pytest.approx(min(kappas), abs=1e-12)
        assert float(found.kappa.best) == pytest.approx(max(kappas), abs=1e-12)


def test_bounds_by_hand() -> None:
    """Ten items, labels A 6 and B 4; parsed 8: right A 4, A read as B 1, right B 3.

    The unparsed ones are labelled A and B. Worst is A -> B, B -> A: x counts A 5, B 5, d = 7,
    S = 6*5 + 4*5 = 50, kappa = (70 - 50) / (100 - 50) = .4. Best is the truth: x counts A 5,
    B 5, d = 9, kappa = (90 - 50) / 50 = .8. Wrong: x counts A 4, B 4, d = 7, S = 40,
    kappa = (70 - 40) / 60 = .5.
    """
    x = ["A"] * 4 + ["B"] + ["B"] * 3 + [None, None]
    y = ["A"] * 5 + ["B"] * 3 + ["A", "B"]
    found = agreement_bounds(x, y)
    kappa = found.kappa
    assert [float(kappa.worst), float(kappa.wrong), float(kappa.best)] == [0.4, 0.5, 0.8]
    # Parsed: n = 8, d = 7, x counts 4 and 4, y counts 5 and 3, S = 32: (56 - 32) / (64 - 32).
    assert float(kappa.parsed) == 0.75
    shares = found.accuracy
    assert [float(s) for s in (shares.parsed, shares.worst, shares.wrong, shares.best)] == [
        7 / 8,
        0.7,
        0.7,
        0.9,
    ]
    assert found.coverage == wilson(8, 10)


@settings(deadline=None)
@given(rows)
def test_bounds_enclose_and_meet_at_full_coverage(rows: list[tuple[str | None, str]]) -> None:
    x, y = [a for a, _ in rows], [b for _, b in rows]
    found = agreement_bounds(x, y)
    if found.kappa.best.value is not None:
        assert float(found.kappa.worst) <= float(found.kappa.best) + 1e-12
    kept = parsed_positions(x)
    full = agreement_bounds([x[i] for i in kept], [y[i] for i in kept])
    for bounds in (full.kappa, full.accuracy):
        assert bounds.parsed.value == bounds.wrong.value
        assert bounds.best.value == bounds.worst.value
        assert bounds.best.value == (
            None if bounds.parsed.value is None else pytest.approx(bounds.parsed.value, abs=1e-12)
        )


def test_one_label_everywhere() -> None:
    found = agreement_bounds(["A", None], ["A", "A"])
    assert "some reading of the unparsed replies is, too" in str(found.kappa.best.undefined)
    assert float(found.kappa.wrong) == 0.0
    assert float(found.accuracy.worst) == 1.0  # no other label exists to fill in
    assert float(agreement_bounds(["A", None], ["A", "A"], labels="AB").accuracy.worst) == 0.5


def test_nothing_parsed() -> None:
    found = agreement_bounds([None, None], ["A", "B"])
    assert float(found.coverage) == 0.0
    assert found.kappa.parsed.undefined == "there are no rows"
    assert (float(found.kappa.worst), float(found.kappa.best)) == (-1.0, 1.0)


def test_no_items() -> None:
    found = agreement_bounds([], [])
    assert found.coverage.undefined == found.kappa.best.undefined == "there are no rows"
    assert found.accuracy.best.undefined == "there are no rows"


def test_large_counts_stay_exact_and_quick() -> None:
    x = [*"ABTABTABT", None] * 10_000
    y = list("ABTABTBTAT") * 10_000
    found = agreement_bounds(x, y).kappa
    small = agreement_bounds(x[:10], y[:10]).kappa
    assert float(found.worst) == pytest.approx(float(small.worst), abs=1e-12)
    assert float(found.best) == pytest.approx(float(small.best), abs=1e-12)


def test_marking() -> None:
    assert mark_unparsed([None, "A"]) == [UNPARSED, "A"]
    with pytest.raises(DataError, match="reserved"):
        mark_unparsed([UNPARSED])
    assert parsed_positions([None, "A", "B"], ["A", "A", "B"]) == [1, 2]
    assert coverage([]).undefined == "there are no rows"


def test_bad_input_is_named() -> None:
    with pytest.raises(DataError, match=r"y\[0\] is None"):
        agreement_bounds(["A"], [None])
    with pytest.raises(DataError, match=r"x\[0\] is 'C'"):
        agreement_bounds(["C", None], ["A", "B"], labels=["A", "B"])
