"""Which checkpoint to use where: by paired tests, and by nothing else."""

from typing import Any

import pytest

from judgesmith.report.advice import ELSEWHERE, NO_ADVICE, advise, advise_all, checkpoints_of
from judgesmith.report.blocks import Table
from judgesmith.report.document import Document
from judgesmith.report.markdown import render_markdown
from judgesmith.report.results import (
    Comparison,
    Evaluation,
    JudgeResult,
    Number,
    Role,
    SliceResult,
)
from judgesmith.report.sections import build_sections

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
    assert "student minus after DPO: -.08 [-.14, -.02], n = 60." in found[0].because


def test_without_a_difference_the_first_in_training_order_stays_and_nothing_is_claimed() -> None:
    (found,) = advise(evaluation(compared("in_domain", -0.3, "no difference shown")), OWN)
    assert found.use == "student"
    assert found.because.startswith("No test shows another to be better")


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


def judged(*given: tuple[str, Role, str]) -> tuple[JudgeResult, ...]:
    return tuple(
        JudgeResult(name=name, role=role, order_proof=False, note=note, slices={})
        for name, role, note in given
    )


MERGE = judged(
    ("merged", "student", ""), ("pairwise", "judge", ""), ("joint", "judge", ""),
    ("absolute", "judge", ELSEWHERE), ("before training", "before training", ""),
    ("constant", "baseline", ""),
)  # fmt: skip


def test_checkpoints_come_in_the_order_of_their_training() -> None:
    dpo = judged(("after DPO", "student", ""), ("student", "judge", "reads its own answers"),
                 ("before training", "before training", ""))  # fmt: skip
    assert checkpoints_of(evaluation().model_copy(update={"judges": dpo})) == [
        "student", "after DPO",
    ]  # fmt: skip
    assert checkpoints_of(evaluation().model_copy(update={"judges": MERGE})) == [
        "pairwise", "joint", "merged", "absolute",
    ]  # fmt: skip


def test_a_specialist_of_another_format_is_not_named_for_want_of_evidence() -> None:
    found = evaluation(
        compared("in_domain", 0.0, "no difference shown", a="absolute", b="merged"),
        compared("in_domain", 0.0, "no difference shown", a="merged", b="pairwise"),
    ).model_copy(update={"judges": MERGE, "dialect": "pairs"})
    (said,) = advise_all(found)
    assert (said.use, said.place, said.dialect) == ("pairwise", "On the test items", "")
    assert "absolute" not in said.because


def test_every_format_has_its_own_advice() -> None:
    scores = evaluation(
        compared("in_domain", 0.2, "merged is better", a="merged", b="absolute",
                 metric="weighted kappa")
    ).model_copy(update={"judges": MERGE, "dialect": "graded"})  # fmt: skip
    pairs = evaluation(
        compared("in_domain", -0.2, "pairwise is better", a="merged", b="pairwise")
    ).model_copy(update={"judges": MERGE, "dialect": "pairs", "also": (scores,)})
    assert [(one.dialect, one.use) for one in advise_all(pairs)] == [
        ("pairs", "pairwise"), ("graded", "merged"),
    ]  # fmt: skip


def test_what_each_beat_and_lost_to_is_not_called_better() -> None:
    (found,) = advise(
        evaluation(
            compared("in_domain", 0.2, "student is better"),
            compared("in_domain", 0.2, "after DPO is better", a="after DPO", b="merged"),
            compared("in_domain", 0.2, "merged is better", a="merged", b="student"),
        ),
        ("student", "after DPO", "merged"),
    )
    assert found.use == "student"
    assert found.because.startswith("Each is shown better than one and worse than another")


def test_the_advice_follows_the_verdict_on_the_page(full_document: Document) -> None:
    said = advise(evaluation(compared("in_domain", 0.2, "student is better")), OWN)
    document = full_document.model_copy(update={"advice": tuple(said)})
    sections = build_sections(document)
    assert [one.anchor for one in sections][:2] == ["verdict", "advice"]
    (table,) = sections[1].blocks
    assert isinstance(table, Table)
    assert "labels: 300 verdicts by 1 person" in table.heading
    assert [cell.text for cell in table.rows[0]][:2] == ["On the test items", "student"]
    assert "## Which checkpoint, where" in render_markdown(document)
    assert "advice" not in [one.anchor for one in build_sections(full_document)]


def read_of(share: float) -> dict[str, SliceResult]:
    number = Number(value=share, n=60)
    return {
        "in_domain": SliceResult(
            kappa=number, accuracy=number, kappa_stored_order=None, kappa_swapped_order=None,
            coverage=number, if_unparsed={}, consistency=None, position_bias=None, verbosity=None,
            confusion=None,
        )
    }  # fmt: skip


@pytest.mark.parametrize(("share", "use"), [(0.0, NO_ADVICE), (0.49, NO_ADVICE), (0.5, "student")])
def test_a_judge_that_cannot_be_read_is_not_advised(share: float, use: str) -> None:
    judges = tuple(
        JudgeResult(name=name, role="student", order_proof=False, note="", slices=read_of(share))
        for name in OWN[:2]
    )
    found = evaluation(compared("in_domain", 0.0, "no difference shown"))
    (said,) = advise(found.model_copy(update={"judges": judges}), OWN)
    assert said.use == use
    assert ("Most replies of student cannot be read" in said.because) is (use == NO_ADVICE)


def test_few_items_advise_nothing() -> None:
    few = Number(value=0.9, low=0.5, high=1.0, n=19)
    (said,) = advise(evaluation(compared("in_domain", 0, "student is better", difference=few)), OWN)
    assert (said.use, said.because) == (NO_ADVICE, "19 items are too few: at least 20 are needed.")
