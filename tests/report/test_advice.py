"""Which checkpoint to use where: by paired tests, and by nothing else."""

from typing import Any

import pytest

from judgesmith.report.advice import advise
from judgesmith.report.results import Comparison, Evaluation, Number

OWN = ("student", "after DPO", "before training")


def compared(slice_name: str, value: float, conclusion: str, **changes: Any) -> Comparison:
    fields: dict[str, Any] = {
        "a": "student", "b": "after DPO", "slice": slice_name, "gained": 9, "lost": 5, "p": 0.4,
        "p_holm": 0.6, "conclusion": conclusion,
        "difference": Number(value=value, low=value - 0.06, high=value + 0.06, n=60),
    }  # fmt: skip
    return Comparison(**{**fields, **changes})


def evaluation(*comparisons: Comparison) -> Evaluation:
    return Evaluation(
        labels_kind="people", labels_title="labels", direction="d", confidence=0.95,
        resamples=100, test_looks=1, slices=(), judges=(), comparisons=comparisons,
        domain_difference=None, published=(), examples=(),
    )  # fmt: skip


def test_the_winner_of_the_paired_test_is_advised_in_its_domain() -> None:
    found = advise(
        evaluation(
            compared("in_domain", -0.08, "after DPO is better"),
            compared("out_of_domain", 0.09, "student is better"),
        ),
        OWN,
    )
    assert [(one.place, one.use) for one in found] == [
        ("In the trained categories", "after DPO"), ("Outside of them", "student"),
    ]  # fmt: skip
    assert "-0.080 [-0.140, -0.020], n = 60" in found[0].because


def test_without_a_difference_the_first_in_training_order_stays_and_nothing_is_claimed() -> None:
    (found,) = advise(evaluation(compared("in_domain", -0.3, "no difference shown")), OWN)
    assert found.use == "student"
    assert found.because.startswith("no test shows another to be better")


def test_what_lost_to_another_is_not_kept_for_being_first() -> None:
    (found,) = advise(
        evaluation(
            compared("in_domain", -0.2, "after DPO is better"),
            compared("in_domain", -0.2, "merged is better", b="merged"),
            compared("in_domain", 0.0, "no difference shown", a="after DPO", b="merged"),
        ),
        ("student", "after DPO", "merged"),
    )
    assert found.use == "after DPO"


@pytest.mark.parametrize(
    "comparison",
    [
        compared("in_domain", 0.2, "student is better", b="before training"),
        compared("in_domain", 0.2, "student is better", b="longer response"),
        compared("bucket:clear", 0.2, "student is better"),
        compared("in_domain", 0.2, "student is better", metric="accuracy"),
    ],
)
def test_other_comparisons_advise_nothing(comparison: Comparison) -> None:
    assert advise(evaluation(comparison), OWN) == []
