import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student
from statsmodels.stats.multitest import multipletests

from judgesmith.errors import DataError
from judgesmith.metrics.alternative_annotator import (
    alternative_annotator_test,
    benjamini_yekutieli,
)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_benjamini_yekutieli_equals_statsmodels(p_values: list[float]) -> None:
    expected = multipletests(p_values, method="fdr_by")[1]
    assert benjamini_yekutieli(p_values) == pytest.approx(expected.tolist(), abs=1e-9)


def test_benjamini_yekutieli_refuses() -> None:
    assert benjamini_yekutieli([]) == []
    with pytest.raises(DataError, match=r"p_values\[0\] is nan"):
        benjamini_yekutieli([math.nan])


def simulated(seed: int, n: int, skill: float, missing: float = 0.0):
    """Four people who give the true one of three labels with chance .8, and a judge."""
    draw = np.random.default_rng(seed)
    truth = draw.integers(0, 3, n)

    def said(chance: float) -> list[str | None]:
        labels = np.where(draw.random(n) < chance, truth, draw.integers(0, 3, n))
        return [None if draw.random() < missing else "ABT"[k] for k in labels]

    return said(skill), {f"person{i}": said(0.8) for i in range(4)}


def slow(judge, people, epsilon: float, score) -> tuple[float, float, list[float]]:
    """The procedure of the paper with plain loops; the t-test from its formula."""
    p_values, advantages = [], []
    for name in people:
        f, g = [], []
        for i in range(len(judge)):
            rest = [people[k][i] for k in people if k != name and people[k][i] is not None]
            if judge[i] is None or people[name][i] is None or not rest:
                continue
            one, two = score(judge[i], rest), score(people[name][i], rest)
            f.append(one >= two - 1e-12)
            g.append(two >= one - 1e-12)
        d = np.array(g, float) - np.array(f, float)
        statistic = (d.mean() - epsilon) / (d.std(ddof=1) / math.sqrt(len(d)))
        p_values.append(float(student.cdf(statistic, len(d) - 1)))
        advantages.append(np.mean(f))
    rejected = multipletests(p_values, alpha=0.05, method="fdr_by")[0]
    return float(rejected.mean()), float(np.mean(advantages)), p_values


@pytest.mark.parametrize("skill", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("epsilon", [0.0, 0.1, 0.2])
def test_equals_plain_loops_for_categories(skill: float, epsilon: float) -> None:
    judge, people = simulated(int(skill * 100), 150, skill, missing=0.1)
    found = alternative_annotator_test(judge, people, epsilon=epsilon)
    omega, rho, p_values = slow(
        judge, people, epsilon, lambda x, rest: np.mean([x == y for y in rest])
    )
    assert (found.value, found.advantage.value) == (omega, pytest.approx(rho, abs=1e-9))
    assert [one.p for one in found.annotators] == pytest.approx(p_values, abs=1e-9)
    assert found.left_out == judge.count(None) > 0
    assert "were left out" in found.warnings[-1]


def test_equals_plain_loops_for_numbers() -> None:
    draw = np.random.default_rng(8)
    truth = draw.normal(3, 1, 80)
    people = {f"p{i}": np.rint(truth + draw.normal(0, 0.7, 80)).tolist() for i in range(3)}
    judge = (truth + draw.normal(0, 0.4, 80)).tolist()
    found = alternative_annotator_test(judge, people, epsilon=0.1, alignment="rmse")
    omega, rho, p_values = slow(
        judge, people, 0.1, lambda x, rest: -math.sqrt(np.mean([(x - y) ** 2 for y in rest]))
    )
    assert (found.value, found.advantage.value) == (omega, pytest.approx(rho, abs=1e-9))
    assert [one.p for one in found.annotators] == pytest.approx(p_values, abs=1e-9)


def test_one_annotator_by_hand() -> None:
    """Four items, a left out. Others (b, c) and the scores of judge and a:

    1: A A, judge A 2, a B 0 -> f 1, g 0      2: A B, judge A 1, a A 1 -> f 1, g 1
    3: B B, judge A 0, a B 2 -> f 0, g 1      4: B B, judge B 2, a A 0 -> f 1, g 0
    rho_f = 3/4, rho_h = 2/4.
    """
    people = {"a": list("BABA"), "b": list("AABB"), "c": list("ABBB")}
    found = alternative_annotator_test(list("AAAB"), people, epsilon=0.1, least=4)
    first = found.annotators[0]
    assert (first.judge_advantage.value, first.annotator_advantage.value) == (0.75, 0.5)
    d = np.array([-1, 0, 1, -1])
    statistic = (d.mean() - 0.1) / (d.std(ddof=1) / 2)
    assert first.p == pytest.approx(float(student.cdf(statistic, 3)), abs=1e-12)
    assert found.warnings == ()


def test_the_majority_of_others_wins_and_noise_loses() -> None:
    _, people = simulated(1, 200, 0.8)
    rows = list(zip(*people.values(), strict=True))
    best = [max("ABT", key=row.count) for row in rows]
    good = alternative_annotator_test(best, people, epsilon=0.1, clusters=range(200), seed=1)
    assert (good.value, good.passes) == (1.0, True)
    assert good.advantage.low <= good.advantage.value <= good.advantage.high <= 1
    noise, _ = simulated(2, 200, 0.0)
    bad = alternative_annotator_test(noise, people, epsilon=0.1)
    assert (bad.value, bad.passes) == (0.0, False)
    assert float(bad) == 0.0


def test_type_one_error_is_held() -> None:
    """With epsilon 0 and a judge of the people's own skill no annotator is worse by anything."""
    matched = tested = 0
    for seed in range(150):
        judge, people = simulated(seed, 80, 0.8)
        found = alternative_annotator_test(judge, people, epsilon=0.0)
        matched += sum(one.matched is True for one in found.annotators)
        tested += len(found.annotators)
    assert matched / tested <= 0.05


def test_equal_differences_have_no_spread() -> None:
    """The judge repeats a perfect panel: every g - f is 0, below .1 and not below 0."""
    people = {name: list("AB") * 20 for name in "abc"}
    found = alternative_annotator_test(
        list("AB") * 20, people, epsilon=0.1, clusters=range(40), seed=1
    )
    assert [one.p for one in found.annotators] == [0.0] * 3
    assert found.advantage.low == pytest.approx(1 - 3.841459 / 43.841459, abs=1e-6)
    strict = alternative_annotator_test(list("AB") * 20, people, epsilon=0.0)
    assert [one.p for one in strict.annotators] == [1.0] * 3
    assert not strict.passes


def test_undefined_and_warnings() -> None:
    two = {"a": list("AB") * 20, "b": list("AB") * 20, "c": [None] * 40}
    found = alternative_annotator_test(list("AB") * 20, two, epsilon=0.1)
    assert found.winning_rate.undefined == "only 2 annotators, expected at least 3"
    assert found.passes is None
    assert all(one.p is None and one.matched is None for one in found.annotators)
    assert found.annotators[0].judge_advantage.value == 1.0
    few = alternative_annotator_test(
        list("AB") * 5, {name: list("AB") * 5 for name in "abc"}, epsilon=0.1
    )
    assert few.winning_rate.undefined == "no annotator shares 30 items with the judge"
    assert few.warnings[0] == "'a' was not tested: only 10 items, fewer than 30"
    part = {"a": list("AB") * 20, "b": list("AB") * 20, "c": list("AB") * 20}
    part["d"] = [*list("AB") * 5, *[None] * 30]
    some = alternative_annotator_test(list("AB") * 20, part, epsilon=0.1)
    assert (some.winning_rate.n, some.annotators[3].matched) == (3, None)
    assert some.warnings == ("'d' was not tested: only 10 items, fewer than 30",)
    with pytest.raises(DataError, match="undefined"):
        float(few)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6), st.randoms())
def test_order_and_names_change_nothing(seed: int, random) -> None:
    judge, people = simulated(seed, 40, 0.7, missing=0.1)
    clusters = [i // 2 for i in range(40)]
    options = {"epsilon": 0.1, "least": 5}
    found = alternative_annotator_test(
        judge, people, **options, clusters=clusters, seed=1, resamples=20
    )
    order = random.sample(range(40), 40)
    moved = alternative_annotator_test(
        [judge[i] for i in order],
        {k: [v[i] for i in order] for k, v in people.items()},
        **options,
        clusters=[f"q{clusters[i]}" for i in order],
        seed=1,
        resamples=20,
    )
    assert moved.advantage == found.advantage
    assert moved.winning_rate == found.winning_rate
    name = {"A": "z", "B": 4, "T": "q", None: None}
    renamed = alternative_annotator_test(
        [name[v] for v in judge], {k: [name[v] for v in c] for k, c in people.items()}, **options
    )
    assert [one.p for one in renamed.annotators] == [one.p for one in found.annotators]


def test_refuses_bad_input() -> None:
    people = {name: [1, 2] for name in "abc"}
    with pytest.raises(DataError, match="epsilon=2"):
        alternative_annotator_test([1, 2], people, epsilon=2)
    with pytest.raises(DataError, match="alignment='f1'"):
        alternative_annotator_test([1, 2], people, epsilon=0.1, alignment="f1")
    with pytest.raises(DataError, match=r"judge\[1\] is 'A'"):
        alternative_annotator_test([1, "A"], people, epsilon=0.1, alignment="rmse")
    with pytest.raises(DataError, match=r"judge\[0\] is nan"):
        alternative_annotator_test([math.nan, 1], people, epsilon=0.1, alignment="rmse")
    with pytest.raises(DataError, match="one length"):
        alternative_annotator_test([1], people, epsilon=0.1)
