import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.multitest import multipletests

from judgesmith.errors import DataError
from judgesmith.metrics.interval import (
    cluster_bootstrap_accuracy,
    cluster_bootstrap_kappa,
    paired_bootstrap_kappa_difference,
)
from judgesmith.metrics.panel import leading, panel_verdict
from judgesmith.metrics.panel_members import leave_one_out

Columns = dict[str, list[str | None]]


def simulated(seed: int, n: int, skills: dict[str, float]) -> tuple[Columns, list[str]]:
    draw = np.random.default_rng(seed)
    labels = np.where(draw.random(n) < 0.5, "A", "B")
    other = np.where(labels == "A", "B", "A")
    panel = {
        name: np.where(draw.random(n) < skill, labels, other).tolist()
        for name, skill in skills.items()
    }
    return panel, labels.tolist()


def test_without_undecided_rows_it_is_the_plain_comparison() -> None:
    """A panel of three and, through a member who never answers, of three again."""
    panel, labels = simulated(1, 120, {"x": 0.8, "y": 0.75, "z": 0.7})
    panel["mute"] = [None] * 120
    clusters = [i // 2 for i in range(120)]
    found = leave_one_out(panel, labels, clusters, seed=4, resamples=200)
    whole = panel_verdict(panel)
    assert None not in whole
    assert found.kappa == cluster_bootstrap_kappa(whole, labels, clusters, seed=4, resamples=200)
    accuracy = cluster_bootstrap_accuracy(whole, labels, clusters, seed=4, resamples=200)
    assert found.accuracy.value == accuracy.value
    assert (found.accuracy.low, found.accuracy.high) == pytest.approx((accuracy.low, accuracy.high))
    mute = found.members[3]
    same = paired_bootstrap_kappa_difference(whole, whole, labels, clusters, seed=4, resamples=9)
    assert (mute.kappa_change.value, mute.kappa_change.low) == (same.value, same.low) == (0.0, None)
    assert (mute.gained, mute.lost, mute.p) == (0, 0, 1.0)


def test_undecided_rows_count_as_a_draw() -> None:
    """Accuracy and kappa are the means over every way to break ties, kappa over the mean table."""
    panel, labels = simulated(2, 40, {"x": 0.8, "y": 0.7})
    found = leave_one_out(panel, labels, range(40), seed=1, resamples=20)
    first = leading(panel)
    assert found.undecided == sum(len(f) == 2 for f in first) > 3
    credit = [(label in f) / len(f) for f, label in zip(first, labels, strict=True)]
    assert found.accuracy.value == pytest.approx(np.mean(credit))
    said, truth = [], []
    for f, label in zip(first, labels, strict=True):
        said += list(f) * (2 // len(f))
        truth += [label, label]
    assert found.kappa.value == pytest.approx(cohen_kappa_score(said, truth), abs=1e-9)


def test_tie_label_takes_the_undecided_rows() -> None:
    panel = {"x": list("AAB"), "y": list("ABB")}
    found = leave_one_out(panel, ["A", "TIE", "B"], "pqr", tie="TIE", seed=1, resamples=20)
    assert (found.accuracy.value, found.kappa.value, found.undecided) == (1.0, 1.0, 1)
    assert found.members[0].accuracy_without.value == pytest.approx(2 / 3)
    assert (found.members[0].gained, found.members[0].lost) == (1, 0)


def test_undecided_rows_do_not_flatter_a_member() -> None:
    """Seven independent judges who are right with chance .7, in theory.

    Six judges with ties drawn are as good as five: the value of each is P(at least 4 of 7) minus
    P(at least 3 of 5) = .874 - .837 = .037. Ties counted as wrong would add half of P(3 of 6),
    .093, to that.
    """
    panel, labels = simulated(3, 6000, {f"j{i}": 0.7 for i in range(7)})
    found = leave_one_out(panel, labels, range(6000), seed=1, resamples=100)
    value = float(binom.sf(3, 7, 0.7) - binom.sf(2, 5, 0.7))
    mean = np.mean([m.accuracy_change.value for m in found.members])
    assert mean == pytest.approx(value, abs=0.008)
    share = np.mean([m.undecided_without for m in found.members]) / 6000
    assert share == pytest.approx(float(binom.pmf(3, 6, 0.7)), abs=0.015)


def test_finds_the_strong_and_the_harmful_member() -> None:
    skills = {"strong": 0.95, "x": 0.65, "y": 0.65, "z": 0.65, "bad": 0.3}
    panel, labels = simulated(4, 1500, skills)
    found = leave_one_out(panel, labels, range(1500), seed=1, resamples=300)
    by_name = {m.member: m for m in found.members}
    assert by_name["strong"].kappa_change.low > 0
    assert by_name["bad"].kappa_change.high < 0
    assert by_name["strong"].p_holm < 0.01
    assert by_name["bad"].lost > by_name["bad"].gained
    expected = multipletests([m.p for m in found.members], method="holm")[1]
    assert [m.p_holm for m in found.members] == pytest.approx(expected.tolist(), abs=1e-12)
    for m in found.members:
        change = found.accuracy.value - m.accuracy_without.value
        assert m.accuracy_change.value == pytest.approx(change, abs=1e-12)
        change = found.kappa.value - m.kappa_without.value
        assert m.kappa_change.value == pytest.approx(change, abs=1e-12)


def test_unparsed_rows_are_wrong_in_both_panels() -> None:
    panel = {"x": ["A", None, "B"], "y": ["A", None, "B"]}
    found = leave_one_out(panel, list("AAB"), "pqr", seed=1, resamples=20)
    assert (found.no_verdict, found.undecided) == (1, 0)
    assert found.accuracy.value == pytest.approx(2 / 3)
    silent = leave_one_out({"x": [None], "y": [None]}, ["A"], "p", seed=1, resamples=20)
    assert (silent.accuracy.value, silent.kappa.value) == (0.0, 0.0)


def test_perfect_panel_has_a_wilson_bound() -> None:
    """Ten clusters without an error: 1 - 0.277533."""
    labels = ["A", "B"] * 5
    found = leave_one_out({"x": labels, "y": labels}, labels, range(10), seed=1, resamples=20)
    assert found.accuracy.low == pytest.approx(1 - 0.277533, abs=1e-6)
    assert found.kappa.low < 1


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.randoms())
def test_ignores_order_of_rows_and_names_of_labels(seed: int, random) -> None:
    panel, labels = simulated(seed, 16, {"x": 0.8, "y": 0.6, "z": 0.6})
    clusters = [i // 2 for i in range(16)]
    found = leave_one_out(panel, labels, clusters, seed=1, resamples=20)
    order = random.sample(range(16), 16)
    moved = leave_one_out(
        {name: [column[i] for i in order] for name, column in panel.items()},
        [labels[i] for i in order],
        [f"q{clusters[i]}" for i in order],
        seed=1,
        resamples=20,
    )
    assert moved == found
    name = {"A": "z", "B": "a"}
    renamed = leave_one_out(
        {judge: [name[v] for v in column] for judge, column in panel.items()},
        [name[y] for y in labels],
        clusters,
        seed=1,
        resamples=20,
    )
    for one, two in zip(found.members, renamed.members, strict=True):
        assert one.kappa_change.value == two.kappa_change.value
        assert (one.gained, one.lost, one.p) == (two.gained, two.lost, two.p)


def test_refuses_bad_input() -> None:
    with pytest.raises(DataError, match="at least two judges"):
        leave_one_out({"x": ["A"]}, ["A"], "p", seed=1)
    with pytest.raises(DataError, match="one length"):
        leave_one_out({"x": ["A"], "y": ["A"]}, ["A"], "pq", seed=1)
    with pytest.raises(DataError, match="reserved"):
        leave_one_out({"x": ["(unparsed)"], "y": ["A"]}, ["A"], "p", seed=1)
    none = leave_one_out({"x": [], "y": []}, [], [], seed=1)
    assert none.accuracy.undefined == none.kappa.undefined == "there are no rows"
