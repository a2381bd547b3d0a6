import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgesmith.errors import DataError
from judgesmith.metrics.dawid_skene import dawid_skene

# Table 1 of Dawid and Skene (1979): 45 patients, rated 1 to 4 for fitness for a general
# anaesthetic. Observer 1 saw each form three times (first three digits), observers 2 to 5 once.
PATIENTS = """
1111111 3334334 1122122 2223121 2223222 2223322 1222111 3333433 2222223 2322223 4444444 2223343
1111111 2223212 1211111 1112111 1111111 1111111 2222221 2221322 2222222 2222221 2223222 2212222
1111111 1111111 2322222 1111111 1111111 1121121 1111111 3333233 1111111 2222222 2223232 4334343
2212232 2323233 3333432 1111111 1111111 1212111 2322222 1211111 2222222
"""
RATINGS = [[int(digit) for digit in patient] for patient in PATIENTS.split()]
OBSERVERS = [1, 1, 1, 2, 3, 4, 5]


def slow(
    ratings: list[list[int | None]], raters: list[int], steps: int, smoothing: float
) -> tuple[list[float], list[list[float]], float]:
    """The same EM, written out with plain loops and products: priors, posteriors, likelihood."""
    labels = sorted({r for row in ratings for r in row if r is not None})
    names = list(dict.fromkeys(raters))
    q = []
    for row in ratings:
        seen = [r for r in row if r is not None]
        q.append([seen.count(k) / len(seen) for k in labels])
    priors, likelihood = [], 0.0
    for _ in range(steps):
        weight = [smoothing + sum(row[j] for row in q) for j in range(len(labels))]
        priors = [w / sum(weight) for w in weight]
        shares = {}
        for name in names:
            for j in range(len(labels)):
                counts = [smoothing] * len(labels)
                for i, row in enumerate(ratings):
                    for rater, r in zip(raters, row, strict=True):
                        if rater == name and r is not None:
                            counts[labels.index(r)] += q[i][j]
                total = sum(counts)
                for k, label in enumerate(labels):
                    shares[name, j, label] = counts[k] / total if total else 1 / len(labels)
        likelihood = 0.0
        for i, row in enumerate(ratings):
            joint = []
            for j in range(len(labels)):
                value = priors[j]
                for rater, r in zip(raters, row, strict=True):
                    if r is not None:
                        value *= shares[rater, j, r]
                joint.append(value)
            likelihood += math.log(sum(joint))
            q[i] = [value / sum(joint) for value in joint]
    return priors, q, likelihood


def test_reproduces_the_published_anaesthetist_example() -> None:
    """The paper prints priors .40, .42, .11, .07."""
    found = dawid_skene(RATINGS, OBSERVERS, smoothing=0)
    assert found.labels == (1, 2, 3, 4)
    assert [round(p, 2) for p in found.priors] == [0.40, 0.42, 0.11, 0.07]
    assert found.converged
    assert set(found.confusions) == {1, 2, 3, 4, 5}


@pytest.mark.parametrize("smoothing", [0.0, 0.5])
def test_equals_plain_loops(smoothing: float) -> None:
    ratings = [
        [None if (i + j) % 5 == 0 else r for j, r in enumerate(row)]
        for i, row in enumerate(RATINGS)
    ]
    found = dawid_skene(ratings, OBSERVERS, smoothing=smoothing, max_iterations=7)
    assert (found.iterations, found.converged) == (7, False)
    priors, posteriors, likelihood = slow(ratings, OBSERVERS, 7, smoothing)
    assert found.priors == pytest.approx(priors, abs=1e-9)
    for one, two in zip(found.posteriors, posteriors, strict=True):
        assert one == pytest.approx(two, abs=1e-9)
    assert found.log_likelihood == pytest.approx(likelihood, abs=1e-8)


def simulated(seed: int, n: int, missing: float) -> tuple[list[list[str | None]], list[str], dict]:
    draw = np.random.default_rng(seed)
    names = np.array(["A", "B", "TIE"])
    truth = draw.choice(3, n, p=[0.5, 0.3, 0.2])
    confusions = {
        "good": [[0.9, 0.05, 0.05], [0.05, 0.9, 0.05], [0.1, 0.1, 0.8]],
        "fair": [[0.7, 0.2, 0.1], [0.2, 0.7, 0.1], [0.2, 0.2, 0.6]],
        "leans to A": [[0.95, 0.03, 0.02], [0.4, 0.55, 0.05], [0.4, 0.1, 0.5]],
        "fine": [[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]],
    }
    columns = []
    for matrix in confusions.values():
        said = [names[draw.choice(3, p=matrix[j])] for j in truth]
        columns.append([None if draw.random() < missing else str(v) for v in said])
    return [list(row) for row in zip(*columns, strict=True)], names[truth].tolist(), confusions


def test_recovers_a_known_truth() -> None:
    ratings, truth, confusions = simulated(1, 6000, missing=0.1)
    found = dawid_skene(ratings, list(confusions))
    assert found.converged
    assert found.priors == pytest.approx([0.5, 0.3, 0.2], abs=0.03)
    for name, matrix in confusions.items():
        assert np.array(found.confusions[name]) == pytest.approx(np.array(matrix), abs=0.05)
    right = np.mean([a == b for a, b in zip(found.verdicts(), truth, strict=True)])
    votes = [
        max(sorted(set(seen)), key=seen.count) if (seen := [r for r in row if r]) else None
        for row in ratings
    ]
    assert right > np.mean([a == b for a, b in zip(votes, truth, strict=True)]) + 0.02
    largest = [max(p) for p in found.posteriors if p is not None]
    assert np.mean(largest) == pytest.approx(right, abs=0.02)


rating = st.sampled_from(["A", "B", "C", None])
tables = (
    st.integers(2, 4)
    .flatmap(
        lambda width: st.lists(
            st.lists(rating, min_size=width, max_size=width), min_size=1, max_size=15
        )
    )
    .filter(
        lambda rows: all(any(r is not None for r in column) for column in zip(*rows, strict=True))
    )
)


@settings(deadline=None, max_examples=100)
@given(tables, st.sampled_from([0.0, 0.01, 1.0]))
def test_the_objective_never_falls(rows: list[list[str | None]], smoothing: float) -> None:
    found = dawid_skene(rows, smoothing=smoothing, max_iterations=60)
    steps = np.diff(found.objectives)
    assert (steps >= -1e-9).all()
    assert len(found.objectives) == found.iterations <= 60
    for matrix in found.confusions.values():
        assert np.sum(matrix, axis=1) == pytest.approx(np.ones(len(found.labels)))
    if smoothing == 0:
        assert found.objectives[-1] == found.log_likelihood
    for row, posterior in zip(rows, found.posteriors, strict=True):
        assert (posterior is None) == all(r is None for r in row)


@settings(deadline=None, max_examples=40)
@given(tables, st.randoms())
def test_order_and_names_change_nothing(rows: list[list[str | None]], random) -> None:
    found = dawid_skene(rows, max_iterations=15)
    order = random.sample(range(len(rows)), len(rows))
    moved = dawid_skene([rows[i] for i in order], max_iterations=15)
    for place, i in enumerate(order):
        if found.posteriors[i] is not None:
            assert moved.posteriors[place] == pytest.approx(found.posteriors[i], abs=1e-8)
    name = {"A": 9, "B": 5, "C": 7, None: None}
    renamed = dawid_skene([[name[r] for r in row] for row in rows], max_iterations=15)
    by_label = dict(zip(renamed.labels, renamed.priors, strict=True))
    assert [by_label[name[k]] for k in found.labels] == pytest.approx(found.priors, abs=1e-8)
    width = len(rows[0])
    turned = dawid_skene([row[::-1] for row in rows], list(range(width))[::-1], max_iterations=15)
    assert np.array(turned.confusions[0]) == pytest.approx(np.array(found.confusions[0]), abs=1e-8)


def test_verdicts() -> None:
    """Two raters who always differ leave every item even, so no verdict."""
    found = dawid_skene([["A", "B"], ["B", "A"]], smoothing=1.0)
    assert found.verdicts() == [None, None]
    sure = dawid_skene([["A", "A"], ["B", "B"], [None, None]])
    assert sure.verdicts(least=0.9) == ["A", "B", None]
    assert sure.posteriors[2] is None
    assert dawid_skene([["A", "A"], ["A", None]]).verdicts() == ["A", "A"]


def test_refuses_bad_input() -> None:
    with pytest.raises(DataError, match=r"ratings\[1\] has 1 ratings"):
        dawid_skene([["A", "B"], ["A"]])
    with pytest.raises(DataError, match="at least one rating"):
        dawid_skene([])
    with pytest.raises(DataError, match="rater 1 rated nothing"):
        dawid_skene([["A", None], ["B", None]])
    with pytest.raises(DataError, match="expected 2 names"):
        dawid_skene([["A", "B"]], ["ann"])
    with pytest.raises(DataError, match="smoothing=-1"):
        dawid_skene([["A", "B"]], smoothing=-1)
    with pytest.raises(DataError, match=r"ratings\[0\] is 1.5"):
        dawid_skene([[1.5, 2]])
