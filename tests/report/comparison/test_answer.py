"""The one sentence of the page rests on conclusions of tests, never on which number is higher."""

import pytest

from judgesmith.report.answer import answer
from judgesmith.report.results import Comparison, Evaluation, JudgeResult, Number, SliceInfo

NONE, FIRST, SECOND = "no difference shown", "a is better", "b is better"
Given = tuple[str, str, str]


def evaluation(*given: Given, slices: tuple[str, ...] = ("all",)) -> Evaluation:
    names = dict.fromkeys(name for a, b, _ in given for name in (a, b))
    judges = tuple(
        JudgeResult(
            name=name,
            role="baseline" if name.startswith("base") else "judge",
            order_proof=False,
            note="",
            slices={},
        )
        for name in names
    )
    return Evaluation(
        labels_kind="people",
        labels_title="labels",
        direction="",
        confidence=0.95,
        resamples=100,
        test_looks=None,
        slices=tuple(
            SliceInfo(name=s, kind="domain", title=s, n=9, questions=9, label_counts={})
            for s in slices
        ),
        judges=judges,
        comparisons=tuple(
            Comparison(
                a=a,
                b=b,
                slice=where,
                difference=Number(value=0.9, low=0.8, high=1.0, n=9),
                gained=9,
                lost=0,
                p=0.5,
                p_holm=0.5,
                conclusion=said,
            )
            for where in slices
            for a, b, said in given
        ),
        domain_difference=None,
        published=(),
        examples=(),
    )


@pytest.mark.parametrize(
    ("given", "title", "text"),
    [
        (
            (("x", "y", NONE),),
            "No difference shown",
            "no difference is shown between the two judges.",
        ),
        (
            (("x", "y", NONE), ("y", "z", NONE)),
            "No difference shown",
            "in the 2 pairs of judges that were compared, of 3 possible.",
        ),
        (
            (("x", "y", NONE), ("y", "z", NONE), ("z", "x", NONE)),
            "No difference shown",
            "no difference is shown in any of the 3 pairs of 3 judges.",
        ),
        ((("x", "y", "y is better"),), "Best supported: y", "it is shown better than x."),
        ((("b", "a", "a is better"),), "Best supported: a", "it is shown better than b."),
        (
            (("x", "y", FIRST), ("z", "y", FIRST)),
            "No single judge is best supported",
            "of these judges, no two were compared with each other.",
        ),
        ((("x", "y", SECOND),), "Best supported: y", "it is shown better than x."),
        (
            (("x", "y", FIRST), ("x", "z", FIRST), ("y", "z", NONE)),
            "Best supported: x",
            "better than each of the 2 other judges.",
        ),
        (
            (("x", "y", FIRST), ("x", "z", NONE), ("y", "z", NONE)),
            "Best supported: x",
            "better than y; against z no difference is shown.",
        ),
        (
            (("x", "y", FIRST), ("y", "z", NONE)),
            "Best supported: x",
            "it was not compared with z.",
        ),
        (
            (("x", "y", FIRST), ("z", "y", FIRST), ("x", "z", NONE)),
            "No single judge is best supported",
            "x and z are each shown better than another judge and worse than none",
        ),
        (
            (("x", "y", FIRST), ("y", "z", FIRST), ("x", "z", SECOND)),
            "No single judge is best supported",
            "every judge that is shown better than one is shown worse than another",
        ),
        (
            (("x", "y", FIRST), ("x", "base", NONE)),
            "Best supported: x",
            "x is shown neither better nor worse than base.",
        ),
        (
            (("x", "y", FIRST), ("base", "x", FIRST)),
            "Best supported: x",
            "x is shown worse than base.",
        ),
        ((("x", "base", FIRST),), "No two judges were compared", "x is shown better than base."),
    ],
)
def test_answers(given: tuple[Given, ...], title: str, text: str) -> None:
    found = answer(evaluation(*given))
    assert found.title == title
    assert text in found.text


def test_each_slice_has_its_sentence() -> None:
    found = answer(evaluation(("x", "y", FIRST), slices=("in", "out")))
    assert found.text.startswith("On in, by kappa: ")
    assert "On out, by kappa: " in found.text


def test_without_comparisons_nothing_is_better() -> None:
    assert answer(evaluation()).title == "No comparison was made"
