"""How far an export is from its judge, and when that is too far."""

import random

import pytest

from judgesmith.evaluation.parity import Asked, lost_by, measure_parity
from judgesmith.metrics import cohen_kappa
from judgesmith.report.exports import Parity


def answers(n: int, seed: int = 0) -> tuple[list[str], list[str], list[int]]:
    """Labels, a judge that is right in four of five, and two items to a question."""
    draw = random.Random(seed)
    labels = [draw.choice("AAABBT") for _ in range(n)]
    said = [label if draw.random() < 0.8 else draw.choice("ABT") for label in labels]
    return labels, said, [i // 2 for i in range(n)]


def parity(judge: list[str | None], export: list[str | None], n: int, limit: float) -> Parity:
    labels, _, questions = answers(n)
    return measure_parity("f", judge, export, Asked(labels, questions, "t"), limit=limit, seed=1)


def test_equal_verdicts_are_bounded_and_not_taken_as_proof() -> None:
    _, said, _ = answers(400)
    few, many = (parity(list(said[:n]), list(said[:n]), n, 0.05) for n in (40, 400))
    assert few.flips.value == many.flips.value == 0
    assert few.change.value == 0
    assert few.outcome == "inconclusive"
    assert many.outcome == "pass"
    assert few.most_lost is not None
    assert many.most_lost is not None
    assert 0 < many.most_lost < 0.05 < few.most_lost


def test_an_export_that_lost_much_fails() -> None:
    _, said, _ = answers(400)
    draw = random.Random(1)
    worse: list[str | None] = [v if draw.random() < 0.75 else draw.choice("ABT") for v in said]
    found = parity(list(said), worse, 400, 0.05)
    assert found.outcome == "fail"
    assert found.change.high is not None
    assert found.change.high < -0.05
    assert parity(list(said), worse, 400, 0.6).outcome == "pass"


def test_a_lost_verdict_is_a_change_and_an_unread_one_is_wrong() -> None:
    labels, said, _ = answers(400)
    unread: list[str | None] = [None if i < 40 else v for i, v in enumerate(said)]
    found = parity(list(said), unread, 400, 0.05)
    assert found.flips.value == 0.1
    assert found.outcome == "fail"
    kappa = cohen_kappa([v or "(unparsed)" for v in unread], labels).value
    assert found.agreement == pytest.approx(kappa)


def test_flips_among_wrong_verdicts_lose_nothing() -> None:
    labels, said, _ = answers(400)
    other = [
        v if v == label else next(x for x in "ABT" if x not in (v, label))
        for v, label in zip(said, labels, strict=True)
    ]
    found = parity(list(said), list(other), 400, 0.05)
    assert found.flips.value == pytest.approx(
        sum(a != b for a, b in zip(said, other, strict=True)) / 400
    )
    assert found.change.value == pytest.approx(0, abs=0.02)


def test_two_changes_are_bounded_wider_than_their_bootstrap() -> None:
    labels, said, _ = answers(400)
    right = [i for i, (v, label) in enumerate(zip(said, labels, strict=True)) if v == label]
    changed: list[str | None] = list(said)
    for i in right[:2]:
        changed[i] = "T" if labels[i] != "T" else "A"
    found = parity(list(said), changed, 400, 0.05)
    assert found.most_lost is not None
    assert found.change.low is not None
    assert found.most_lost > -found.change.low


def test_few_labels_decide_nothing() -> None:
    _, said, _ = answers(10)
    found = parity(list(said), list(said), 10, 1.0)
    assert found.outcome == "inconclusive"
    assert "fewer than 20" in found.reason
    assert found.change.hidden is not None


def test_scores_are_held_against_each_other_as_places() -> None:
    labels = [i % 5 for i in range(100)]
    asked = Asked(labels, list(range(100)), "t", levels=5)
    near = [min(4, label + 1) if i < 30 else label for i, label in enumerate(labels)]
    far = [4 - label if i < 30 else label for i, label in enumerate(labels)]
    found = [
        measure_parity("f", labels, export, asked, limit=0.1, seed=1) for export in (near, far)
    ]
    assert [one.metric for one in found] == ["weighted kappa"] * 2
    assert found[0].agreement is not None
    assert found[1].agreement is not None
    assert found[0].agreement > 0.9 > found[1].agreement


@pytest.mark.parametrize("seed", range(5))
def test_no_way_to_turn_as_many_verdicts_loses_more(seed: int) -> None:
    """Against ways drawn at random, as the worst is looked for among a few."""
    labels, said, questions = answers(60, seed)
    asked = Asked(labels, questions, "t")
    bound, draw = lost_by(said, asked, 6), random.Random(seed)
    before = cohen_kappa(said, labels).value or 0
    right = [i for i, (v, label) in enumerate(zip(said, labels, strict=True)) if v == label]
    for _ in range(200):
        turned = list(said)
        for i in draw.sample(right, 6):
            turned[i] = draw.choice([x for x in "ABT" if x != labels[i]])
        assert before - (cohen_kappa(turned, labels).value or 0) <= bound + 1e-9
