"""From two scores to a verdict: expected scores, the tie margin, and where it is kept."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import mean, pstdev
from typing import Any
from warnings import catch_warnings, simplefilter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from judgesmith.errors import DataError
from judgesmith.judging.score_pairs import named
from judgesmith.models.pointwise import (
    ScoredPair,
    choose_margin,
    expected_scores,
    known_margins,
    pair_verdict,
    read_margin,
    write_margin,
)
from judgesmith.records import TIE, Judgment, Scores, Status, choice


def judgment(verdict: Any, chances: Any = None, order: tuple[int, ...] = (0, 1)) -> Judgment:
    if isinstance(verdict, tuple):
        verdict = Scores(kind="scores", values=verdict, criteria=None)
    return Judgment.make(
        source="t", licence="n", item_id="i", judge="j", dialect="d", order=order, sample=0,
        reply=None, rationale=None, verdict=verdict, distribution=chances,
        status=Status.PARSED if verdict else Status.NO_VERDICT, reference=None,
    )  # fmt: skip


def test_the_expected_score_is_the_mean_of_the_scale_by_hand() -> None:
    """.2 * 1 + .3 * 2 + .5 * 3 = 2.3; and .9 * 1 + .1 * 2 = 1.1: not the scores that were said."""
    chances = {"1": {"1": 0.2, "2": 0.3, "3": 0.5}, "2": {"1": 0.9, "2": 0.1, "3": 0.0}}
    assert expected_scores(judgment((3.0, 1.0), chances)) == pytest.approx((2.3, 1.1))


def test_without_probabilities_the_score_itself_counts_and_without_a_verdict_nothing() -> None:
    assert expected_scores(judgment((3.0, 1.0))) == (3.0, 1.0)
    assert expected_scores(judgment(None)) is None
    assert expected_scores(judgment(choice("A"))) is None


@pytest.mark.parametrize(
    ("first", "second", "margin", "wanted"),
    [
        (0.75, 0.5, 0.2, "A"), (0.5, 0.75, 0.2, "B"), (0.75, 0.5, 0.25, TIE),
        (0.5, 0.75, 0.25, TIE), (0.5, 0.5, 0.0, TIE), (0.5, 0.4999, 0.0, "A"),
    ],
)  # fmt: skip
def test_the_higher_score_is_named_and_a_tie_within_the_margin(
    first: float, second: float, margin: float, wanted: str
) -> None:
    assert named(first, second, margin) == wanted


def test_a_verdict_is_in_item_order_whatever_was_shown_first() -> None:
    """Shown swapped, the first score belongs to the item's second response: B."""
    chances = {"1": {"0": 0.1, "1": 0.9}, "2": {"0": 0.6, "1": 0.4}}
    assert pair_verdict(judgment((1.0, 0.0), chances), 0.1) == "A"
    assert pair_verdict(judgment((1.0, 0.0), chances, (1, 0)), 0.1) == "B"
    assert pair_verdict(judgment((1.0, 0.0), chances, (1, 0)), 0.6) == TIE


def test_a_choice_needs_no_margin_and_an_unread_judgment_has_no_verdict() -> None:
    assert pair_verdict(judgment(choice("A"), None, (1, 0)), 9.0) == "B"
    assert pair_verdict(judgment(choice(TIE)), 0.0) == TIE
    assert pair_verdict(judgment(None), 0.5) is None


STEPS = 20
pairs_in_steps = st.lists(
    st.tuples(st.integers(0, STEPS), st.integers(0, STEPS), st.sampled_from(["A", "B", TIE])),
    min_size=1, max_size=30,
)  # fmt: skip


def agreement(said: Sequence[str], labels: Sequence[str]) -> tuple[float, int]:
    """Scikit-learn's kappa, 0 where it is undefined, and how many are right."""
    with catch_warnings():
        simplefilter("ignore")
        found = float(cohen_kappa_score(said, labels, labels=["A", "B", TIE]))
    right = sum(a == b for a, b in zip(said, labels, strict=True))
    return (0.0 if found != found else round(found, 9)), right


def tied_up_to(found: Sequence[tuple[int, int, str]], most: int) -> list[str]:
    return [TIE if abs(a - b) <= most else "A" if a > b else "B" for a, b, _ in found]


@given(found=pairs_in_steps)
def test_the_margin_lies_in_the_widest_gap_that_suits_by_brute_force(
    found: list[tuple[int, int, str]],
) -> None:
    """Up to which difference is a tie: every one that occurs is tried but the largest.

    In whole steps, where differences are exact; the chosen margin, in floats, must give the same
    verdicts. As good as the best is what loses at most one standard error of the paired difference.
    """
    labels = [label for *_, label in found]
    scored = [ScoredPair(a / STEPS, b / STEPS, label) for a, b, label in found]
    margin = choose_margin(scored)
    if TIE not in labels:
        assert margin == 0.0
        return
    sizes = sorted({abs(a - b) for a, b, _ in found})
    tries = {most: agreement(tied_up_to(found, most), labels) for most in {0, *sizes[:-1]}}
    ahead = [most for most, value in tries.items() if value == max(tries.values())]
    gap = {low: high - low for low, high in pairwise(sizes)}
    chosen = set()
    for best in ahead:
        suited = [most for most in tries if within_one_error(found, most, best)]
        widest = max(gap.get(most, 0) for most in suited)
        chosen.add(min(most for most in suited if gap.get(most, 0) == widest))
    said = [named(one.first, one.second, margin) for one in scored]
    assert said in [tied_up_to(found, most) for most in chosen]


def within_one_error(found: Sequence[tuple[int, int, str]], most: int, best: int) -> bool:
    """The mean of +1 (right with `best` only), -1 and 0 is at most its standard error."""
    labels = [label for *_, label in found]
    differences = [
        (b == label) - (m == label)
        for b, m, label in zip(
            tied_up_to(found, best), tied_up_to(found, most), labels, strict=True
        )
    ]
    return mean(differences) <= pstdev(differences) / len(found) ** 0.5 + 1e-12


def test_a_margin_between_scores_that_hardly_differ_is_not_chosen() -> None:
    """Of 40 pairs one more is right at .015 than at .46; that is less than a standard error."""
    found = [ScoredPair(0.9, 0.0, "A")] * 30 + [ScoredPair(0.81, 0.80, TIE)] * 4
    found += [ScoredPair(0.82, 0.80, "A")] * 3 + [ScoredPair(0.82, 0.80, TIE)] * 2
    found += [ScoredPair(0.0, 0.9, TIE)]
    assert choose_margin(found) == pytest.approx((0.02 + 0.9) / 2)


def test_where_no_label_is_a_tie_none_is_made() -> None:
    """A margin would only lose: here 2 of 20 pairs, within one standard error, and the gap wide."""
    found = [ScoredPair(0.9, 0.0, "A")] * 18 + [ScoredPair(0.02, 0.0, "A")] * 2
    assert choose_margin(found) == 0.0


def test_differences_that_only_rounding_tells_apart_are_one() -> None:
    """.9 - .8 and .3 - .2 are not .1 in floats, .2 - .1 is; no margin may lie between them."""
    found = [
        ScoredPair(0.9, 0.8, TIE), ScoredPair(0.2, 0.1, "A"), ScoredPair(0.3, 0.2, "A"),
        ScoredPair(0.1, 0.9, "B"), ScoredPair(0.9, 0.1, "A"),
    ]  # fmt: skip
    assert abs(choose_margin(found) - 0.1) > 0.01


def test_of_many_differences_some_are_tried_and_the_best_of_them_is_near() -> None:
    """Ties up to .3, letters above: 600 different differences, of which 60 to 120 are tried."""
    found = [ScoredPair(n / 600, 0.0, TIE if n <= 180 else "A") for n in range(600)]
    assert choose_margin(found) == pytest.approx(0.3, abs=1 / 60)


def test_without_pairs_or_a_defined_kappa_the_margin_is_0() -> None:
    """With one label only, being right everywhere is not given up for a kappa that is defined."""
    assert choose_margin([]) == 0.0
    assert choose_margin([ScoredPair(0.9, 0.1, "A"), ScoredPair(0.8, 0.1, "A")]) == 0.0


def test_a_margin_is_kept_with_the_student(tmp_path: Path) -> None:
    assert read_margin(tmp_path, "d") == 0.0
    write_margin(tmp_path, 0.1234565, "d")
    assert read_margin(tmp_path, "d") == 0.1234565
    assert [path.name for path in tmp_path.iterdir()] == ["pointwise.json"]


def test_each_dialect_has_a_margin_of_its_own(tmp_path: Path) -> None:
    """Scores of 1 to 10 tie within another distance than probabilities; an unknown scale has 0."""
    write_margin(tmp_path, 0.25, "grades")
    write_margin(tmp_path, 0.0, "chances")
    assert [read_margin(tmp_path, d) for d in ("grades", "chances", "other")] == [0.25, 0.0, 0.0]
    assert known_margins(tmp_path, ["other"]) == {"grades": 0.25, "chances": 0.0}


def test_an_old_folder_has_one_margin_for_all(tmp_path: Path) -> None:
    (tmp_path / "pointwise.json").write_text('{"tie_margin": 0.5}')
    assert read_margin(tmp_path, "any") == 0.5
    assert known_margins(tmp_path, ["a", "b"]) == {"a": 0.5, "b": 0.5}
    write_margin(tmp_path, 0.1, "a")
    assert (read_margin(tmp_path, "a"), read_margin(tmp_path, "b")) == (0.1, 0.0)


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "{}", '{"tie_margin": -0.1}', '{"tie_margin": NaN}', '{"margin": 0.1}',
        '{"tie_margins": {"d": -0.1}}', '{"tie_margins": 0.1}', '{"tie_margins": {}}',
    ],
)  # fmt: skip
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "pointwise.json").write_text(text)
    with pytest.raises(DataError, match=r"pointwise\.json: expected .*tie_margin"):
        read_margin(tmp_path, "d")
