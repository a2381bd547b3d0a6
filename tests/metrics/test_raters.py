import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import aggregate_raters
from statsmodels.stats.inter_rater import fleiss_kappa as fleiss_oracle

from judgesmith.errors import DataError
from judgesmith.metrics import raters
from judgesmith.metrics.raters import fleiss_kappa, krippendorff_alpha

LEVELS = ("nominal", "ordinal", "interval", "ratio")
Items = list[list[int | None]]

full = st.integers(2, 5).flatmap(
    lambda m: st.lists(st.lists(st.integers(1, 4), min_size=m, max_size=m), min_size=1, max_size=25)
)
gaps = st.integers(2, 5).flatmap(
    lambda m: st.lists(
        st.lists(st.none() | st.integers(0, 4), min_size=m, max_size=m), min_size=1, max_size=25
    )
)


def by_rater(items: Items) -> Items:
    return [list(column) for column in zip(*items, strict=True)]


def as_table(items: Items) -> np.ndarray:
    return np.array([[np.nan if v is None else v for v in column] for column in by_rater(items)])


@settings(deadline=None)
@given(full)
def test_fleiss_equals_statsmodels(items: Items) -> None:
    found = fleiss_kappa(items)
    assert fleiss_kappa(*by_rater(items)) == found
    if found.value is None:
        assert len({value for item in items for value in item}) == 1
    else:
        expected = fleiss_oracle(aggregate_raters(np.array(items))[0])
        assert found.value == pytest.approx(expected, abs=1e-9)
    assert found.n == len(items)


@settings(deadline=None)
@given(full, st.randoms(use_true_random=False))
def test_fleiss_forgets_names_and_order(items: Items, random) -> None:  # type: ignore[no-untyped-def]
    value = fleiss_kappa(items).value
    other = [[f"label {v}" for v in random.sample(item, len(item))] for item in items]
    random.shuffle(other)
    assert fleiss_kappa(other).value == value
    doubled = fleiss_kappa(items * 2).value
    assert doubled == (None if value is None else pytest.approx(value, abs=1e-12))


def test_fleiss_refuses_what_it_cannot_use() -> None:
    with pytest.raises(DataError, match=r"item 1, rater 0 is None.*krippendorff_alpha"):
        fleiss_kappa([["A", "A"], [None, "B"]])
    with pytest.raises(DataError, match="found 2 for item 0 and 3 for item 1; use krippendorff"):
        fleiss_kappa([["A", "A"], ["A", "B", "B"]])
    with pytest.raises(DataError, match="two ratings or more for every item, found 1"):
        fleiss_kappa([["A"], ["B"]])
    with pytest.raises(DataError, match="item 1, rater 1 is nan"):
        fleiss_kappa([1, 2], [1, float("nan")])
    with pytest.raises(DataError, match="item 0 is 'A': expected the ratings of an item"):
        fleiss_kappa(["A", "B"])
    with pytest.raises(DataError, match="rater 0 has 2, rater 1 has 1"):
        fleiss_kappa(["A", "B"], ["A"])
    with pytest.raises(DataError, match="found nothing"):
        fleiss_kappa()


def test_fleiss_degenerate_cases() -> None:
    assert fleiss_kappa([]).undefined == "there are no rows"
    assert fleiss_kappa([], []).undefined == "there are no rows"
    assert fleiss_kappa(["A", "A"], ["A", "A"]).undefined == (
        "every rating is 'A', so chance agreement is 1"
    )
    assert float(fleiss_kappa(["A", "B"], ["A", "B"])) == 1.0
    assert float(fleiss_kappa(["A", "B"], ["B", "A"])) == -1.0


@pytest.mark.parametrize("level", LEVELS)
@settings(deadline=None)
@given(items=gaps)
def test_alpha_equals_krippendorff(level: str, items: Items) -> None:
    found = krippendorff_alpha(items, level=level)
    assert krippendorff_alpha(*by_rater(items), level=level) == found
    pairs = [[v for v in item if v is not None] for item in items]
    known = [v for item in pairs if len(item) > 1 for v in item]
    assert found.n == sum(len(item) > 1 for item in pairs)
    if found.value is None:
        assert len(set(known)) <= 1
    else:
        expected = krippendorff.alpha(as_table(items), level_of_measurement=level)
        assert found.value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("level", ["ordinal", "interval", "ratio"])
def test_alpha_of_real_numbers_equals_krippendorff(level: str) -> None:
    for seed in range(15):
        draw = np.random.default_rng(seed)
        table = draw.gamma(2.0, size=40) + draw.gamma(1.0, size=(4, 40)) * 1e-2 * 10.0**seed
        table[draw.random(table.shape) < 0.2] = np.nan
        columns = [[None if np.isnan(v) else v for v in row] for row in table.tolist()]
        expected = krippendorff.alpha(table, level_of_measurement=level)
        found = krippendorff_alpha(*columns, level=level)
        assert found.value == pytest.approx(expected, abs=1e-9)


def test_alpha_of_the_textbook_example() -> None:
    """Four observers, twelve units: .743, .815, .849 and .797 are Krippendorff's own values."""
    columns = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
        [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
    ]
    found = [float(krippendorff_alpha(*columns, level=level)) for level in LEVELS]
    assert found == pytest.approx([0.743, 0.815, 0.849, 0.797], abs=5e-4)
    assert krippendorff_alpha(*columns).n == 11


def test_blocks_do_not_change_the_ratio_level(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(2)
    items = [draw.random(size).tolist() for size in draw.integers(1, 6, 50)]
    whole = krippendorff_alpha(items, level="ratio")
    monkeypatch.setattr(raters, "_CELLS_AT_ONCE", 30)
    assert krippendorff_alpha(items, level="ratio").value == pytest.approx(whole.value, abs=1e-12)


@settings(deadline=None)
@given(gaps, st.sampled_from(LEVELS), st.randoms(use_true_random=False))
def test_alpha_forgets_names_and_order(items: Items, level: str, random) -> None:  # type: ignore[no-untyped-def]
    value = krippendorff_alpha(items, level=level).value
    expected = None if value is None else pytest.approx(value, abs=1e-9)
    other = [random.sample(item, len(item)) for item in items]
    random.shuffle(other)
    assert krippendorff_alpha(other, level=level).value == expected
    shorter = [[v for v in item if v is not None] for item in items]
    assert krippendorff_alpha(shorter, level=level).value == expected
    shift = {
        "ordinal": lambda v: v**3 + 7,
        "interval": lambda v: 3 * v - 5,
        "ratio": lambda v: 3 * v,
    }
    change = shift.get(level, lambda v: f"label {v}")
    moved = [[None if v is None else change(v) for v in item] for item in items]
    assert krippendorff_alpha(moved, level=level).value == expected


def test_two_raters_and_many_items_approach_pi() -> None:
    """With n ratings, 1 - alpha = (1 - pi) * (n - 1) / n for two raters without gaps."""
    draw = np.random.default_rng(4)
    x, y = draw.integers(0, 3, (2, 50)).tolist()
    pi, alpha = float(fleiss_kappa(x, y)), float(krippendorff_alpha(x, y))
    assert 1 - alpha == pytest.approx((1 - pi) * 99 / 100, abs=1e-12)


def test_ordinal_strings_need_their_order() -> None:
    x, y = ["low", "high", "mid", "low"], ["low", "mid", "mid", "mid"]
    places = {"low": 0, "mid": 1, "high": 2}
    named = krippendorff_alpha(x, y, level="ordinal", labels=["low", "mid", "high"])
    numbered = krippendorff_alpha([places[v] for v in x], [places[v] for v in y], level="ordinal")
    assert named == numbered
    with pytest.raises(DataError, match=r"item 0, rater 0 is 'low'.*name the scale"):
        krippendorff_alpha(x, y, level="ordinal")
    with pytest.raises(DataError, match="item 1, rater 0 is 'high': expected one of"):
        krippendorff_alpha(x, y, level="ordinal", labels=["low", "mid"])


def test_alpha_degenerate_cases_and_refusals() -> None:
    assert krippendorff_alpha([]).undefined == "no item has two ratings"
    assert krippendorff_alpha([[1], [2, None], []]).undefined == "no item has two ratings"
    same = krippendorff_alpha([[1, 1], [1, 1], [2]])
    assert (same.undefined, same.n) == (
        "all ratings are the same, so no disagreement is expected",
        2,
    )
    assert float(krippendorff_alpha([0.1, 0.7], [0.1, 0.7], level="interval")) == 1.0
    for level, bad in (("nominal", 1.5), ("interval", float("nan")), ("ordinal", float("inf"))):
        with pytest.raises(DataError, match=f"item 1, rater 1 is {bad}"):
            krippendorff_alpha([1, 2], [1, bad], level=level)
    with pytest.raises(DataError, match=r"item 0, rater 1 is -1\.0: the ratio level"):
        krippendorff_alpha([1, 2], [-1, 2], level="ratio")
    with pytest.raises(DataError, match="level: expected one of"):
        krippendorff_alpha([1], [1], level="binary")
    with pytest.raises(DataError, match="only the ordinal level"):
        krippendorff_alpha([1], [1], labels=[1, 2])
