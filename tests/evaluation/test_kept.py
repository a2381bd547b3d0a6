"""How much a merged judge keeps: ratios by hand, their intervals, and the three outcomes."""

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from judgesmith.errors import DataError
from judgesmith.evaluation.judges import Judge, Read
from judgesmith.evaluation.kept import (
    NOT_ABOVE_ZERO,
    Names,
    kept_of_scores,
    kept_of_verdicts,
    ratio_of,
)
from judgesmith.evaluation.score_judges import ScoreJudge, ScoreRead
from judgesmith.evaluation.sliced import Plan, Scored, SliceOfItems
from judgesmith.metrics.agreement import accuracy
from judgesmith.metrics.correlation import spearman

NAMES = Names("merged", "specialist", "joint", 0.9)


def plan(scale: tuple[str, ...] = ("A", "B")) -> Plan:
    return Plan(
        seed=1, resamples=400, slice_resamples=100, confidence=0.95, least=2, scale=scale
    )  # fmt: skip


def part(labels: list[Any]) -> SliceOfItems:
    rows = [
        Scored(f"i{n}", str(label), n, None, {}, label if isinstance(label, float) else None)
        for n, label in enumerate(labels)
    ]
    return SliceOfItems("in_domain", "domain", "in domain", tuple(rows))


def verdicts(name: str, said: list[str | None]) -> Judge:
    reads = {f"i{n}": Read(v, v, v) for n, v in enumerate(said)}
    return Judge(name, "judge", order_proof=False, note="", verdicts=reads)


def wrong_on(labels: list[str], share: float) -> list[str | None]:
    """The labels, with the other letter on the first so many of them."""
    turned = {"A": "B", "B": "A"}
    return [turned[v] if n < share * len(labels) else v for n, v in enumerate(labels)]


LABELS = ["A", "B"] * 200


def of_verdicts(merged: float, specialist: float, joint: float = 0.5) -> list[Any]:
    judges = [
        verdicts("merged", wrong_on(LABELS, merged)),
        verdicts("specialist", wrong_on(LABELS, specialist)),
        verdicts("joint", wrong_on(LABELS, joint)),
        verdicts("constant", ["A"] * len(LABELS)),
    ]
    return list(kept_of_verdicts(judges, part(LABELS), plan(), NAMES, "rel"))


def test_shares_by_hand() -> None:
    """Wrong on 12% and 10% of even labels: kappa .76 of .80 and accuracy .88 of .90."""
    kappa, right = of_verdicts(0.12, 0.10)
    assert (kappa.metric, right.metric) == ("kappa", "accuracy")
    assert (kappa.merged.value, kappa.specialist.value) == (pytest.approx(0.76), pytest.approx(0.8))
    assert kappa.share.value == pytest.approx(0.95)
    assert right.share.value == pytest.approx(0.88 / 0.90)
    assert kappa.above_constant.value == pytest.approx(0.76)
    assert right.above_constant.value == pytest.approx(0.88 - 0.5)
    assert kappa.joint is not None
    assert kappa.joint_share is not None
    assert kappa.joint_share.value == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("merged", "outcome"), [(0.10, "kept"), (0.16, "not decided"), (0.40, "not kept")]
)
def test_the_whole_interval_decides(merged: float, outcome: str) -> None:
    kappa, _ = of_verdicts(merged, 0.12)
    assert kappa.outcome == outcome
    assert kappa.share.low is not None


def test_an_unread_verdict_counts_as_wrong() -> None:
    labels = LABELS[:40]
    judges = [
        verdicts("merged", [None] * 20 + labels[20:]), verdicts("specialist", [*labels]),
        verdicts("constant", ["A"] * 40),
    ]  # fmt: skip
    _, right = kept_of_verdicts(judges, part(labels), plan(), NAMES, "rel")
    assert right.share.value == 0.5
    assert (right.joint, right.joint_name) == (None, None)


def test_an_unread_score_is_the_end_of_the_scale_that_is_farther() -> None:
    """Of 40 the merged judge's first is unread, labelled 1, and one label lies between two grades.

    So 39 count: the specialist is right in all, the merged judge in 38, with a 5 for the 1.
    """
    labels = [float(n % 5 + 1) for n in range(40)]
    labels[1] = 2.5

    def scores(name: str, said: list[float | None]) -> ScoreJudge:
        reads = {f"i{n}": ScoreRead(score) for n, score in enumerate(said)}
        return ScoreJudge(name, "judge", "", reads)

    whole = [float(round(label)) for label in labels]
    merged: list[float | None] = [None if n == 0 else v for n, v in enumerate(whole)]
    judges = [
        scores("merged", merged), scores("specialist", [*whole]), scores("constant", [3.0] * 40),
    ]  # fmt: skip
    found = kept_of_scores(judges, part(labels), plan(("1", "2", "3", "4", "5")), NAMES, "abs")
    assert [row.metric for row in found] == ["weighted kappa", "exact", "pearson"]
    assert {row.share.n for row in found} == {39}
    counted = [int(label) for n, label in enumerate(labels) if n != 1]
    weighted = cohen_kappa_score([5, *counted[1:]], counted, weights="quadratic")
    assert found[0].share.value == pytest.approx(weighted)
    assert found[1].share.value == pytest.approx(38 / 39)
    assert found[2].above_constant.undefined == "a constant judge has no correlation"


def test_a_ratio_needs_a_specialist_above_zero_and_a_metric_of_sums() -> None:
    y = ["A", "B"] * 10
    nothing = ["C"] * 20
    assert ratio_of(accuracy, y, nothing, y, range(20), seed=1).undefined == NOT_ABOVE_ZERO
    numbers = list(range(20))
    with pytest.raises(DataError, match="a function of sums"):
        ratio_of(spearman, numbers, numbers, numbers, range(20), seed=1)


def test_the_interval_of_a_ratio_is_that_of_paired_resamples() -> None:
    """Against a plain bootstrap of the two accuracies on the same drawn rows."""
    rng = np.random.default_rng(1)
    one, two = rng.random(300) < 0.7, rng.random(300) < 0.85
    labels = ["A"] * 300
    said = [["A" if hit else "B" for hit in hits] for hits in (one, two)]
    found = ratio_of(accuracy, *said, labels, range(300), seed=3, resamples=4000)
    drawn = rng.integers(0, 300, (4000, 300))
    ratios = one[drawn].mean(axis=1) / two[drawn].mean(axis=1)
    assert found.value == pytest.approx(one.mean() / two.mean())
    assert (found.low, found.high) == pytest.approx(np.quantile(ratios, [0.025, 0.975]), abs=0.01)
