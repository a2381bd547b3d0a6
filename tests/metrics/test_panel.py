import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from judgesmith.errors import DataError
from judgesmith.metrics.interval import cluster_bootstrap_kappa
from judgesmith.metrics.panel import kappa_matrix, leading, panel_verdict

verdict = st.sampled_from(["A", "B", "TIE", None])
panels = st.integers(1, 25).flatmap(
    lambda n: st.fixed_dictionaries(
        {name: st.lists(verdict, min_size=n, max_size=n) for name in ("x", "y", "z")}
    )
)


def simulated(seed: int, n: int) -> tuple[dict[str, list[str | None]], list[str]]:
    """Four judges of differing skill; the last leaves a tenth unparsed."""
    draw = np.random.default_rng(seed)
    labels = draw.choice(["A", "B", "TIE"], n, p=[0.4, 0.4, 0.2])
    panel = {}
    for name, skill in (("strong", 0.9), ("fair", 0.75), ("weak", 0.5), ("mute", 0.8)):
        guess = draw.choice(["A", "B", "TIE"], n)
        said = np.where(draw.random(n) < skill, labels, guess).tolist()
        panel[name] = [None if name == "mute" and draw.random() < 0.1 else v for v in said]
    return panel, labels.tolist()


def test_kappas_equal_scikit_learn_on_rows_parsed_by_both() -> None:
    panel, _ = simulated(1, 300)
    (everything,) = kappa_matrix(panel)
    assert len(everything.pairs) == 6
    for pair in everything.pairs:
        rows = zip(panel[pair.first], panel[pair.second], strict=True)
        kept = [(a, b) for a, b in rows if a is not None and b is not None]
        expected = cohen_kappa_score([a for a, _ in kept], [b for _, b in kept])
        assert pair.kappa.value == pytest.approx(expected, abs=1e-9)
        assert (pair.kappa.n, pair.left_out) == (len(kept), 300 - len(kept))
    assert everything.pair("weak", "strong") == everything.pair("strong", "weak")


def test_buckets_are_panels_of_their_rows() -> None:
    panel, _ = simulated(2, 200)
    buckets = ["hard" if i % 4 == 0 else "easy" for i in range(200)]
    clusters = [f"q{i // 2}" for i in range(200)]
    found = kappa_matrix(panel, buckets, clusters=clusters, seed=3, resamples=100)
    assert [matrix.bucket for matrix in found] == [None, "hard", "easy"]
    rows = [i for i in range(200) if buckets[i] == "hard"]
    part = {name: [column[i] for i in rows] for name, column in panel.items()}
    alone = kappa_matrix(part, clusters=[clusters[i] for i in rows], seed=3, resamples=100)
    assert found[1].pairs == alone[0].pairs
    direct = cluster_bootstrap_kappa(
        panel["strong"], panel["weak"], clusters, seed=3, resamples=100
    )
    assert found[0].pair("strong", "weak").kappa == direct


def test_reasons_not_to_show_a_kappa() -> None:
    """19 rows are too few; 19 of 20 equal verdicts of one judge are 95%, whichever comes first."""
    few = kappa_matrix({"x": ["A", "B"] * 9 + ["A"], "y": ["A"] * 19})[0].pairs[0]
    assert few.not_shown == "only 19 labels, fewer than 20"
    even, lopsided = ["A", "B"] * 10, ["A"] * 19 + ["B"]
    for panel in ({"x": even, "y": lopsided}, {"x": lopsided, "y": even}):
        assert "19 of 20" in str(kappa_matrix(panel)[0].pairs[0].not_shown)
    assert kappa_matrix({"x": even, "y": even})[0].pairs[0].not_shown is None
    one = kappa_matrix({"x": ["A"] * 30, "y": ["A"] * 30})[0].pairs[0]
    assert "chance agreement is 1" in str(one.kappa.undefined)


def test_pairs_without_a_common_row() -> None:
    found = kappa_matrix({"x": ["A", None], "y": [None, "A"]}, clusters="ab", seed=1)[0].pairs[0]
    assert (found.kappa.undefined, found.left_out) == ("there are no rows", 2)
    assert kappa_matrix({"only": ["A"]})[0].pairs == ()


@settings(deadline=None)
@given(panels, st.randoms())
def test_kappas_ignore_row_order_and_names_of_labels(panel, random) -> None:
    n = len(panel["x"])
    clusters = [i // 2 for i in range(n)]
    found = kappa_matrix(panel, clusters=clusters, seed=1, resamples=20)[0]
    order = random.sample(range(n), n)
    moved = kappa_matrix(
        {name: [column[i] for i in order] for name, column in panel.items()},
        clusters=[f"q{clusters[i]}" for i in order],
        seed=1,
        resamples=20,
    )[0]
    name = {"A": 1, "B": 2, "TIE": 3, None: None}
    renamed = kappa_matrix({judge: [name[v] for v in col] for judge, col in panel.items()})[0]
    for one, two, three in zip(found.pairs, moved.pairs, renamed.pairs, strict=True):
        assert one.kappa.value == two.kappa.value == three.kappa.value
        assert (one.kappa.low, one.kappa.high) == (two.kappa.low, two.kappa.high)


def test_panel_verdict_by_hand() -> None:
    panel = {
        "x": ["A", "A", "A", None, "TIE", "A"],
        "y": ["A", "B", "B", None, "TIE", "A"],
        "z": ["B", None, "TIE", None, "A", "B"],
        "w": ["B", None, None, "B", "A", "A"],
    }
    assert panel_verdict(panel) == [None, None, None, "B", None, "A"]
    assert panel_verdict(panel, tie="TIE") == ["TIE", "TIE", "TIE", "B", "TIE", "A"]
    assert leading(panel)[2] == ("A", "B", "TIE")


@given(panels)
def test_order_of_judges_and_duplicated_panels_change_no_verdict(panel) -> None:
    found = panel_verdict(panel)
    assert panel_verdict(dict(reversed(panel.items()))) == found
    assert panel_verdict({**panel, **{f"{k}2": v for k, v in panel.items()}}) == found
    assert panel_verdict({"x": panel["x"]}) == panel["x"]


def test_refuses_bad_input() -> None:
    with pytest.raises(DataError, match="at least one judge"):
        panel_verdict({})
    with pytest.raises(DataError, match="'x' has 1, 'y' has 2"):
        kappa_matrix({"x": ["A"], "y": ["A", "B"]})
    with pytest.raises(DataError, match=r"buckets\[1\] is None"):
        kappa_matrix({"x": ["A", "B"], "y": ["A", "B"]}, ["easy", None])
    with pytest.raises(DataError, match="expected two of"):
        kappa_matrix({"x": ["A"], "y": ["A"]})[0].pair("x", "q")


def test_missing_verdicts_are_counted_against_agreement() -> None:
    """Defect 8: x and y agree wherever both decide, and y leaves out 15 of 60.

    y leaves out every second B. On all: agreement .75; by chance (900 + 450)/3600 = .375, so .6.
    Neither of two missing verdicts agrees with the other.
    """
    x = ["A", "B"] * 30
    y = [None if n % 4 == 3 else v for n, v in enumerate(x)]
    (found,) = kappa_matrix({"x": x, "y": y}, clusters=range(60), seed=1, resamples=50)
    pair = found.pair("x", "y")
    assert (pair.kappa.value, pair.kappa.n, pair.left_out) == (1.0, 45, 15)
    marked = [v or "?" for v in y]
    assert pair.counted.value == pytest.approx(cohen_kappa_score(x, marked))
    assert pair.counted.value == pytest.approx(0.6)
    assert (pair.counted.n, pair.counted_not_shown) == (60, None)
    assert pair.counted.low < pair.counted.value < pair.counted.high
    both = [None if n % 2 else "A" for n in range(40)]
    (lost,) = kappa_matrix({"x": both, "y": both})
    assert lost.pair("x", "y").counted.value < 0.5
    same = ["A", "B"] * 20
    (whole,) = kappa_matrix({"x": same, "y": same})
    assert whole.pair("x", "y").counted == whole.pair("x", "y").kappa


def test_a_lopsided_panel_is_not_shown_because_verdicts_are_missing() -> None:
    """All 40 verdicts of both are TIE; 10 missing ones make TIE hold 80%, and change nothing."""
    (found,) = kappa_matrix({"x": ["TIE"] * 50, "y": [*["TIE"] * 40, *[None] * 10]})
    pair = found.pair("x", "y")
    assert "more than 90%" in str(pair.not_shown)
    assert "more than 90%" in str(pair.counted_not_shown)
