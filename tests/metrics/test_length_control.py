import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from judgesmith.errors import DataError
from judgesmith.metrics import swap_verdict
from judgesmith.metrics.length_control import length_controlled_agreement

rows_of = st.lists(
    st.tuples(
        st.sampled_from(["A", "B", "TIE", None]),
        st.sampled_from(["A", "B", "TIE"]),
        st.tuples(st.integers(0, 3), st.integers(0, 3)),
        st.integers(0, 6),
    ),
    max_size=40,
)
Rows = list[tuple[str | None, str, tuple[int, int], int]]


def columns(
    rows: Rows,
) -> tuple[list[str | None], list[str], list[tuple[int, int]], list[int]]:
    return ([r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows], [r[3] for r in rows])


def test_strata_by_hand() -> None:
    """Ten items. Label names the longer: verdicts A, B, B for A, B, A with kappa
    (3*2 - 4)/(9 - 4) = .4 (counts A 1 and 2, B 2 and 1: S = 1*2 + 2*1 = 4). The shorter: A, B
    for A, B: kappa 1. Equal lengths: TIE, A for TIE, A: kappa 1. Then one unparsed and two tie
    labels of different lengths.
    """
    rows: Rows = [
        ("A", "A", (9, 1), 0),
        ("B", "B", (1, 9), 1),
        ("B", "A", (9, 1), 2),
        ("A", "A", (1, 9), 3),
        ("B", "B", (9, 1), 4),
        ("TIE", "TIE", (4, 4), 5),
        ("A", "A", (4, 4), 6),
        (None, "A", (9, 1), 7),
        ("A", "TIE", (9, 1), 8),
        ("TIE", "TIE", (9, 1), 9),
    ]
    found = length_controlled_agreement(*columns(rows), seed=1, resamples=200)
    assert float(found.longer) == pytest.approx(0.4)
    assert (float(found.shorter), float(found.equal)) == (1.0, 1.0)
    assert found.value == pytest.approx(0.7)
    assert float(found.difference) == pytest.approx(-0.6)
    assert (found.longer.n, found.shorter.n, found.equal.n, found.balanced.n) == (3, 2, 2, 5)
    assert (found.unparsed, found.no_slot) == (1, 2)
    assert (found.longer.clusters, found.equal.clusters) == (3, 2)


def test_a_side_without_items_leaves_no_balance() -> None:
    found = length_controlled_agreement("AB", "AB", [(2, 1), (1, 2)], "xy", seed=1, resamples=20)
    assert float(found.longer) == 1.0
    assert found.shorter.undefined == "there are no rows"
    assert found.balanced.undefined == "the second value is undefined: there are no rows"
    nothing = length_controlled_agreement([], [], [], [], seed=1, resamples=20)
    assert nothing.value is None
    assert nothing.longer.undefined == "there are no rows"


def test_bad_input_is_refused() -> None:
    with pytest.raises(DataError, match=r"lengths\[0\] is \(-1, 2\)"):
        length_controlled_agreement("A", "A", [(-1, 2)], "x", seed=1)
    with pytest.raises(DataError, match=r"labels\[0\] is None"):
        length_controlled_agreement(["A"], [None], [(1, 2)], "x", seed=1)  # type: ignore[list-item]
    with pytest.raises(DataError, match="different labels"):
        length_controlled_agreement("A", "A", [(1, 2)], "x", slots=("A", "A"), seed=1)


@settings(deadline=None)
@given(rows_of)
def test_against_scikit_learn(rows: Rows) -> None:
    found = length_controlled_agreement(*columns(rows), seed=1, resamples=20)
    parsed = [r for r in rows if r[0] is not None]
    equal = [r for r in parsed if r[2][0] == r[2][1]]
    apart = [r for r in parsed if r[2][0] != r[2][1] and r[1] != "TIE"]
    longer = [r for r in apart if (r[1] == "A") == (r[2][0] > r[2][1])]
    shorter = [r for r in apart if r not in longer]
    for estimate, part in ((found.longer, longer), (found.shorter, shorter), (found.equal, equal)):
        assert estimate.n == len(part)
        if estimate.value is not None:
            verdict, label = [r[0] for r in part], [r[1] for r in part]
            assert estimate.value == pytest.approx(cohen_kappa_score(verdict, label), abs=1e-9)
    if found.value is not None:
        mean = (float(found.longer) + float(found.shorter)) / 2
        assert found.value == pytest.approx(mean)
    parts = found.longer.n + found.shorter.n + found.equal.n
    assert parts + found.unparsed + found.no_slot == len(rows)


@settings(deadline=None)
@given(rows_of, st.randoms(use_true_random=False))
def test_storing_the_pairs_the_other_way_round_changes_nothing(rows: Rows, random: object) -> None:
    other = [(swap_verdict(v), str(swap_verdict(y)), (b, a), c) for v, y, (a, b), c in rows]
    random.shuffle(other)  # type: ignore[attr-defined]
    one = length_controlled_agreement(*columns(rows), seed=1, resamples=20)
    two = length_controlled_agreement(*columns(other), seed=1, resamples=20)  # type: ignore[arg-type]
    for name in ("longer", "shorter", "equal", "balanced", "difference"):
        assert getattr(one, name).value == pytest.approx(getattr(two, name).value)
        assert getattr(one, name).n == getattr(two, name).n


def test_the_interval_covers_a_known_difference() -> None:
    """A judge with accuracy .9 where length helps and .6 where it does not: kappas .8 and .2."""
    import numpy as np

    random = np.random.default_rng(3)
    rows: Rows = []
    for i in range(3000):
        label = "AB"[random.integers(2)]
        longer = bool(random.integers(2))
        right = random.random() < (0.9 if longer else 0.6)
        verdict = label if right else "BA"["AB".index(label)]
        first_longer = (label == "A") == longer
        rows.append((verdict, label, (2, 1) if first_longer else (1, 2), i))
    found = length_controlled_agreement(*columns(rows), seed=1, resamples=500)
    assert found.difference.low < 0.6 < found.difference.high
    assert found.balanced.low < 0.5 < found.balanced.high
