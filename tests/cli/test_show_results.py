"""Results on a terminal: published figures where they belong, and which checkpoint to use."""

import pytest

from judgesmith.cli import show
from judgesmith.report.results import (
    Comparison,
    Evaluation,
    JudgeResult,
    Number,
    Published,
    SliceInfo,
    SliceResult,
)

CITED = (
    Published(judge="Elsewhere-7B", value=0.476, source="a paper"),
    Published(judge="Placed-7B", value=0.55, slice="in_domain", source="a card"),
    Published(judge="Graded-7B", metric="Pearson r", value=0.9198, source="a card", note="set X"),
)


def result() -> SliceResult:
    found = Number(value=0.5, low=0.4, high=0.6, n=60)
    return SliceResult(
        kappa=found, accuracy=found, kappa_stored_order=found, kappa_swapped_order=found,
        coverage=found, if_unparsed={}, consistency=found, position_bias=found, verbosity=None,
        confusion=None,
    )  # fmt: skip


def evaluation() -> Evaluation:
    info = SliceInfo(
        name="in_domain", kind="domain", title="in domain", n=60, questions=20, label_counts={}
    )
    judges = tuple(
        JudgeResult(name=name, role=role, order_proof=False, note="",
                    slices={"in_domain": result()})
        for name, role in (("student", "student"), ("after DPO", "judge"))
    )  # fmt: skip
    compared = Comparison(
        a="student", b="after DPO", slice="in_domain", gained=3, lost=12, p=0.01, p_holm=0.02,
        difference=Number(value=-0.1, low=-0.2, high=-0.02, n=60), conclusion="after DPO is better",
    )  # fmt: skip
    return Evaluation(
        labels_kind="people", labels_title="labels by people", direction="", confidence=0.95,
        resamples=100, test_looks=1, slices=(info,), judges=judges, comparisons=(compared,),
        domain_difference=None, published=CITED, examples=(),
    )  # fmt: skip


def test_a_cited_kappa_without_a_slice_makes_no_empty_row(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show.evaluation(evaluation())
    printed = capsys.readouterr().out
    kappas, _, context = printed.partition("Published elsewhere")
    assert "Placed-7B, cited" in kappas
    assert "Elsewhere-7B" not in kappas
    assert "Graded-7B" not in kappas
    rows = {line.split()[0]: line for line in context.splitlines() if "-7B" in line}
    assert set(rows) == {"Elsewhere-7B", "Graded-7B"}
    assert ".9198" in rows["Graded-7B"]
    assert "Pearson r" in rows["Graded-7B"]
    assert "a card; set X" in rows["Graded-7B"]


def test_what_the_paired_tests_advise_is_said_last(capsys: pytest.CaptureFixture[str]) -> None:
    show.evaluation(evaluation())
    last = capsys.readouterr().out.strip().splitlines()[-2:]
    assert last[0] == "Which checkpoint, where"
    assert last[1].startswith("On the test items, use after DPO. It is better by the paired test")


def test_without_published_figures_or_two_checkpoints_nothing_is_added(
    capsys: pytest.CaptureFixture[str],
) -> None:
    alone = evaluation().model_copy(update={"published": (), "comparisons": ()})
    show.evaluation(alone)
    printed = capsys.readouterr().out
    assert "Published" not in printed
    assert "Which checkpoint" not in printed
