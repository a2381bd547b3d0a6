"""Pictures are read back as XML; places are recomputed from the scale by hand."""

import xml.etree.ElementTree as ET

import pytest

from judgesmith.report.document import CurvePoint, Document
from judgesmith.report.plots import (
    Group,
    Mark,
    Row,
    common_span,
    confusion_plot,
    forest_plot,
    position_bias_plot,
    supply_plot,
    training_plot,
)
from judgesmith.report.results import Confusion, Number
from judgesmith.report.svg import Scale, round_steps

NS = "{http://www.w3.org/2000/svg}"
CONFUSION = Confusion(labels=("A", "B"), counts=((30, 10), (8, 40)), unparsed=(2, 0))


def number(value: float, half: float, n: int) -> Number:
    return Number(value=value, low=value - half, high=value + half, n=n)


def texts(svg: str) -> list[str]:
    return [node.text or "" for node in ET.fromstring(svg).iter(f"{NS}text")]


def pictures(title: str, document: Document) -> list[str]:
    rows = (
        Row(title, Mark.STUDENT, number(0.6, 0.1, 50)),
        Row("small", Mark.BASELINE, Number(value=0.3, n=4, hidden=f"only 4 labels {title}")),
        Row("paper", Mark.PUBLISHED, Number(value=0.7, n=0)),
    )
    return [
        forest_plot(title, [Group(title, rows, floors=((0.5, title),)), Group("none", ())]),
        position_bias_plot(title, rows[:2]),
        position_bias_plot(title, ()),
        confusion_plot(title, CONFUSION),
        confusion_plot(title, Confusion(labels=(title,), counts=((0,),), unparsed=(0,))),
        confusion_plot(title, Confusion(labels=(), counts=(), unparsed=())),
        training_plot(title, document.curve),
        training_plot(title, ()),
        supply_plot(title, document.supply),
        supply_plot(title, ({"bucket": title}, {"bucket": "b", "quota": 3})),
        supply_plot(title, ()),
    ]


@pytest.mark.parametrize("hostile", [False, True])
def test_every_picture_is_well_formed_and_named(
    hostile: bool, hostile_text: str, full_document: Document
) -> None:
    for svg in pictures(hostile_text if hostile else "Kappa", full_document):
        root = ET.fromstring(svg)
        assert root.get("role") == "img"
        assert root[0].tag == f"{NS}title"
        assert root[0].text
        assert root.get("viewBox", "").startswith("0 0 420 ")
        assert not list(root.iter(f"{NS}script"))


def test_hidden_value_is_not_in_the_picture_and_its_reason_is() -> None:
    row = Row("j", Mark.STUDENT, Number(value=0.359, low=0.1, high=0.6, n=25, hidden="96% TIE"))
    svg = forest_plot("k", [Group("g", (row,))])
    assert ".36" not in svg
    assert "not shown: 96% TIE" in texts(svg)
    assert not list(ET.fromstring(svg).iter(f"{NS}rect"))[1:], "only the backing of the words"


def test_published_figures_are_hollow_and_named_so() -> None:
    row = Row("paper", Mark.PUBLISHED, Number(value=0.7, n=0))
    svg = forest_plot("k", [Group("g", (row,))])
    circle = next(ET.fromstring(svg).iter(f"{NS}circle"))
    assert "fill:var(--paper" in circle.get("style", "")
    assert {"published, cited", ".70 cited"} <= set(texts(svg))


def test_mark_stands_at_its_value() -> None:
    """On an axis from 0 to 1 over 142 to 308, kappa .5 stands at 225: a square from 220."""
    row = Row("j", Mark.STUDENT, number(0.5, 0.25, 50))
    svg = forest_plot("k", [Group("g", (row,))], span=(0.0, 1.0))
    assert next(ET.fromstring(svg).iter(f"{NS}rect")).get("x") == "220"
    ends = [line.get("x1") for line in ET.fromstring(svg).iter(f"{NS}line")]
    assert {"183.5", "266.5"} <= set(ends), "142 + 166 / 4 and 142 + 3 * 166 / 4"


def test_floor_is_a_dashed_line() -> None:
    row = Row("j", Mark.STUDENT, number(0.5, 0.1, 50))
    svg = forest_plot("k", [Group("g", (row,), floors=((0.5, "gate"),))], span=(0.0, 1.0))
    dashed = [line for line in ET.fromstring(svg).iter(f"{NS}line") if line.get("stroke-dasharray")]
    assert [line.get("x1") for line in dashed] == ["225"]


def test_span_ignores_what_is_not_shown() -> None:
    hidden = Row("j", Mark.STUDENT, Number(value=-0.9, n=3, hidden="few"))
    assert common_span([Group("g", (hidden,))]) == (0.0, 0.2)


def test_position_bias_keeps_its_bars_beside_a_row_that_is_not_shown() -> None:
    rows = (
        Row("a", Mark.STUDENT, number(0.2, 0.05, 90)),
        Row("b", Mark.BASELINE, Number(value=None, n=0, undefined="no pair " * 12)),
    )
    bars = [
        rect
        for rect in ET.fromstring(position_bias_plot("p", rows)).iter(f"{NS}rect")
        if "fill-opacity:0.35" in rect.get("style", "")
    ]
    assert len(bars) == 1


def test_confusion_shares_are_of_the_column() -> None:
    """Label A: 30 + 8 + 2 unparsed = 40 items, so 30 is 75%."""
    assert {"30", "75%", "unparsed"} <= set(texts(confusion_plot("c", CONFUSION)))


def test_unmeasured_steps_have_no_point() -> None:
    points = [
        CurvePoint(step=0, train_loss=2.0, dev_loss=None, dev_kappa=None),
        CurvePoint(step=10, train_loss=1.0, dev_loss=1.5, dev_kappa=None),
        CurvePoint(step=20, train_loss=float("nan"), dev_loss=None, dev_kappa=None),
    ]
    svg = training_plot("t", points)
    assert len(list(ET.fromstring(svg).iter(f"{NS}circle"))) == 3
    said = " ".join(texts(svg))
    assert "not shown: no dev kappa (never measured)" in said
    assert "train loss (1 not finite, not shown)" in said


def test_stamp_is_on_the_picture_and_in_its_name(full_document: Document) -> None:
    svg = training_plot("t", full_document.curve, stamp="rehearsed")
    assert "REHEARSED" in texts(svg)
    assert ET.fromstring(svg)[0].text == "t (rehearsed)"


def test_supply_without_counts_is_said() -> None:
    assert "not shown: no counts" in texts(supply_plot("s", ({"bucket": "b", "quota": 3},)))


def test_scale_and_steps() -> None:
    assert Scale(5, 5, start=10, end=20)(7) == 10
    assert round_steps(-0.13, 0.21) == [-0.2, -0.1, 0.0, 0.1, 0.2, 0.3]
