import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import matthews_corrcoef

from judgesmith.errors import DataError
from judgesmith.metrics.panel_errors import effective_votes, error_correlation


def shared_errors(
    seed: int, judges: int, n: int, share: float
) -> tuple[dict[str, list[str]], list[str]]:
    """With chance `share` a judge copies a common error indicator, else draws its own (.3).

    The correlation of two indicators is share squared.
    """
    draw = np.random.default_rng(seed)
    common = draw.random(n) < 0.3
    panel = {}
    for judge in range(judges):
        wrong = np.where(draw.random(n) < share, common, draw.random(n) < 0.3)
        panel[f"judge{judge}"] = np.where(wrong, "B", "A").tolist()
    return panel, ["A"] * n


def test_phi_equals_the_correlation_of_the_indicators() -> None:
    draw = np.random.default_rng(2)
    labels = draw.choice(["A", "B", "TIE"], 200)
    panel = {
        name: np.where(draw.random(200) < 0.6, labels, draw.choice(["A", "B", "TIE"], 200)).tolist()
        for name in "xyz"
    }
    panel["z"][:20] = [None] * 20
    found = error_correlation(panel, labels.tolist())
    for pair in found.pairs:
        kept = [i for i in range(200) if panel[pair.first][i] and panel[pair.second][i]]
        one = [panel[pair.first][i] != labels[i] for i in kept]
        two = [panel[pair.second][i] != labels[i] for i in kept]
        assert pair.phi.value == pytest.approx(np.corrcoef(one, two)[0, 1], abs=1e-9)
        assert pair.phi.value == pytest.approx(matthews_corrcoef(one, two), abs=1e-9)
        assert pair.phi.n == len(kept)
        assert pair.both_wrong == sum(a and b for a, b in zip(one, two, strict=True))
        same = [panel[pair.first][i] == panel[pair.second][i] for i in kept]
        assert pair.same_error == sum(a and s for a, s in zip(one, same, strict=True))
    values = [pair.phi.value for pair in found.pairs]
    assert found.mean.value == pytest.approx(np.mean(values))
    assert found.matrix()[0] == (1.0, values[0], values[1])
    assert found.matrix()[2][1] == values[2]


def test_effective_votes_by_hand() -> None:
    """Equal errors: one vote. Uncorrelated: n11*n00 = n10*n01 = 1, so phi = 0 and two votes."""
    assert effective_votes({"x": list("AB"), "y": list("AB")}, list("AA")).value == 1.0
    even = effective_votes({"x": list("AABB"), "y": list("ABAB")}, list("AAAA"))
    assert (even.value, even.mean_correlation.value, even.members) == (2.0, 0.0, 2)
    assert effective_votes({"x": list("AB")}, list("AA")).value == 1.0


def test_undefined_says_why() -> None:
    """Errors that exclude each other: phi = -1 = -1/(k - 1)."""
    apart = effective_votes({"x": list("AB"), "y": list("BA")}, list("AA"))
    assert apart.votes.undefined == "the mean error correlation -1.000 is at or below -1/1"
    perfect = {"x": list("AAA"), "y": list("ABA")}
    found = error_correlation(perfect, list("AAA"), clusters="abc", seed=1)
    assert "'x' is never wrong" in str(found.pairs[0].phi.undefined)
    assert found.matrix() == ((1.0, None), (None, 1.0))
    assert "'x' is never wrong" in str(effective_votes(perfect, list("AAA")).votes.undefined)
    always = error_correlation({"x": list("AB"), "y": list("BB")}, list("AA"))
    assert "'y' is always wrong" in str(always.pairs[0].phi.undefined)
    apart = error_correlation({"x": ["A", None], "y": [None, "A"]}, list("AA"))
    assert apart.mean.undefined == "'x' and 'y' share no parsed row"
    with pytest.raises(DataError, match="undefined"):
        float(effective_votes(perfect, list("AAA")))


@pytest.mark.parametrize(("share", "rho"), [(0.0, 0.0), (0.6, 0.36), (1.0, 1.0)])
def test_recovers_the_planted_correlation(share: float, rho: float) -> None:
    panel, labels = shared_errors(5, judges=6, n=4000, share=share)
    found = effective_votes(panel, labels)
    assert found.mean_correlation.value == pytest.approx(rho, abs=0.03)
    assert found.value == pytest.approx(6 / (1 + 5 * rho), rel=0.15)


def test_votes_are_the_variance_of_the_mean_error() -> None:
    """Judges of equal skill: variance of the mean error = variance of one / votes."""
    panel, labels = shared_errors(6, judges=5, n=200_000, share=0.7)
    wrong = np.array([[v != "A" for v in column] for column in panel.values()])
    ratio = wrong.var(axis=1).mean() / wrong.mean(axis=0).var()
    assert effective_votes(panel, labels).value == pytest.approx(ratio, rel=1e-3)


def test_interval_covers_the_planted_value() -> None:
    covered = 0
    for seed in range(150):
        panel, labels = shared_errors(seed, judges=4, n=400, share=0.6)
        found = effective_votes(panel, labels, clusters=range(400), seed=seed, resamples=200)
        covered += found.votes.low <= 4 / (1 + 3 * 0.36) <= found.votes.high
    assert 0.89 <= covered / 150 <= 0.99


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.integers(2, 20), st.randoms())
def test_ignores_order_of_rows_and_judges_and_duplicates(seed: int, n: int, random) -> None:
    panel, labels = shared_errors(seed, judges=3, n=n, share=0.5)
    clusters = [i // 2 for i in range(n)]
    found = effective_votes(panel, labels, clusters=clusters, seed=1, resamples=30)
    order = random.sample(range(n), n)
    moved = effective_votes(
        {name: [column[i] for i in order] for name, column in panel.items()},
        labels,
        clusters=[f"q{clusters[i]}" for i in order],
        seed=1,
        resamples=30,
    )
    assert moved == found
    others = effective_votes(dict(reversed(panel.items())), labels)
    twice = effective_votes({k: v * 2 for k, v in panel.items()}, labels * 2)
    if found.value is None:
        assert others.value is None
        assert twice.value is None
    else:
        assert others.value == pytest.approx(found.value)
        assert twice.value == pytest.approx(found.value)


def test_denominators_are_those_of_the_rows_that_were_used() -> None:
    """30 rows in 30 clusters; y has verdicts on 12 of them, z on 6 of those and on 2 others.

    x and y share 12 rows of 12 clusters, x and z 8 of 8, y and z 6 of 6; any two share 14 rows.
    """
    n = 30
    x = ["A", "B"] * 15
    y = [*(["A", "B", "B"] * 4), *[None] * 18]
    z = [*(["A", "B"] * 3), *[None] * 6, "B", "A", *[None] * 16]
    found = error_correlation(
        {"x": x, "y": y, "z": z}, ["A"] * n, clusters=range(n), seed=1, resamples=50
    )
    assert [(p.phi.n, p.phi.clusters) for p in found.pairs] == [(12, 12), (8, 8), (6, 6)]
    votes = effective_votes(
        {"x": x, "y": y, "z": z}, ["A"] * n, clusters=range(n), seed=1, resamples=50
    )
    assert [(one.n, one.clusters) for one in (found.mean, votes.votes)] == [(14, 14)] * 2
    alone = error_correlation(
        {"x": x, "y": [None] * n}, ["A"] * n, clusters=range(n), seed=1, resamples=50
    )
    assert [(p.phi.n, p.phi.clusters) for p in alone.pairs] == [(0, 0)]


def test_refuses_bad_input() -> None:
    with pytest.raises(DataError, match="one length"):
        error_correlation({"x": ["A"]}, ["A", "B"])
    with pytest.raises(DataError, match=r"labels\[0\] is None"):
        effective_votes({"x": ["A"]}, [None])
    with pytest.raises(DataError, match="at least one judge"):
        effective_votes({}, [])
