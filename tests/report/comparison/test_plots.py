"""Pictures of a meta-evaluation, read back as XML; places are recomputed by hand."""

import xml.etree.ElementTree as ET

import pytest

from judgesmith.report.confidence_plots import MOST_CURVES, Curve, reliability_plot, risk_plot
from judgesmith.report.evidence import Calibration, CalibrationBin, Flips, RiskCoverage
from judgesmith.report.heat_plots import HeatCell, flips_plot, number_heat, square_plot
from judgesmith.report.interval_plots import Group, Row, forest_plot
from judgesmith.report.marks import TONES, Mark, shape
from judgesmith.report.results import Confusion, Number

NS = "{http://www.w3.org/2000/svg}"
HALF = Number(value=0.5, low=0.4, high=0.6, n=50)


def texts(svg: str) -> list[str]:
    return [node.text or "" for node in ET.fromstring(svg).iter(f"{NS}text")]


def said(svg: str) -> list[str]:
    return [node.text or "" for node in ET.fromstring(svg).iter(f"{NS}title")]


@pytest.mark.parametrize("mark", list(Mark))
def test_every_role_can_be_drawn(mark: Mark) -> None:
    svg = forest_plot("k", [Group("g", (Row("j", mark, HALF),))])
    assert mark.value in texts(svg)


def test_no_two_marks_look_the_same() -> None:
    drawn = {mark: shape(mark, 0, 0) for mark in Mark}
    assert len(set(drawn.values())) == len(Mark)
    assert set(TONES) == set(Mark)


def test_long_name_keeps_both_ends_and_its_row() -> None:
    row = Row("organisation/family-of-models-70B-instruct-swapped", Mark.JUDGE, HALF)
    found = texts(forest_plot("k", [Group("g", (row,))]))
    first = next(place for place, line in enumerate(found) if line.startswith("organisation/"))
    assert found[first + 1].endswith("swapped")
    assert found[first + 2] == "judge"
    assert all(len(line) <= 19 for line in found[first : first + 2])


def test_flips_have_a_framed_diagonal_and_their_counts() -> None:
    """310 + 40 + 10 + 290 + 3 unparsed = 653 pairs of verdicts."""
    number = Number(value=None, n=0, undefined="no pairs")
    matrix = Confusion(labels=("A", "B"), counts=((310, 40), (10, 290)), unparsed=(3, 0))
    flips = Flips(
        matrix=matrix,
        consistency=number,
        primacy=number,
        recency=number,
        repeatability=None,
        beyond_noise=None,
    )
    svg = flips_plot("f", flips)
    assert "stored order A, swapped order B: 40 of 653" in said(svg)
    framed = [r for r in ET.fromstring(svg).iter(f"{NS}rect") if "fill:none" in r.get("style", "")]
    assert len(framed) == 2
    assert "unparsed" in texts(svg)


def test_hidden_number_is_a_dash_with_its_reason() -> None:
    cell = number_heat(Number(value=0.77, n=3, hidden="only 3 labels"), "a and b")
    assert (cell.text, cell.shade) == ("–", None)
    assert cell.said == "a and b: hidden: only 3 labels, n = 3"
    assert "77" not in square_plot("k", ["a", "b"], [[cell, cell], [cell, cell]])


def test_square_leaves_out_its_diagonal_and_takes_any_size() -> None:
    for size in (1, 2, 40):
        names = [f"judge {i}" for i in range(size)]
        cells = [[HeatCell(".50", 0.5, "x")] * size for _ in names]
        svg = square_plot("k", names, cells)
        assert texts(svg).count(".50") == size * (size - 1)
    assert "not shown: nothing was measured" in texts(square_plot("k", [], []))


def calibration(*bins: CalibrationBin) -> Calibration:
    return Calibration(brier=HALF, ece=HALF, binning="bins", bins=bins)


def test_reliability_point_stands_at_confidence_and_share() -> None:
    """Confidence .5 of 44 to 408 is 226; share .25 of 206 to 26 is 161."""
    right = Number(value=0.25, low=0.1, high=0.4, n=80)
    svg = reliability_plot(
        "r", calibration(CalibrationBin(low=0.4, high=0.6, n=80, confidence=0.5, right=right))
    )
    point = next(ET.fromstring(svg).iter(f"{NS}circle"))
    assert (point.get("cx"), point.get("cy")) == ("226", "161")
    assert "80" in texts(svg)


def test_bin_with_a_hidden_share_keeps_its_count_only() -> None:
    hidden = Number(value=0.77, low=0.1, high=0.9, n=3, hidden="only 3 verdicts")
    svg = reliability_plot(
        "r", calibration(CalibrationBin(low=0.4, high=0.6, n=3, confidence=0.5, right=hidden))
    )
    assert not list(ET.fromstring(svg).iter(f"{NS}circle"))
    assert ".77" not in svg
    assert "3" in texts(svg)


def test_no_confidence_is_said() -> None:
    assert "not shown: no verdict has a confidence" in texts(reliability_plot("r", calibration()))
    assert "not shown: no verdict has a confidence" in texts(risk_plot("r", []))


@pytest.mark.parametrize("count", [1, 15, 18])
def test_risk_curves_differ_and_what_is_left_out_is_counted(count: int) -> None:
    found = RiskCoverage(area=HALF, points=((0.5, 0.1), (1.0, 0.3)))
    svg = risk_plot("r", [Curve(f"judge {i}", found) for i in range(count)])
    lines = list(ET.fromstring(svg).iter(f"{NS}polyline"))
    looks = {(line.get("style"), line.get("stroke-dasharray")) for line in lines}
    assert len(lines) == len(looks) == min(count, MOST_CURVES)
    assert (f"{count - MOST_CURVES} more in the table below" in texts(svg)) is (count > MOST_CURVES)
    assert "area .50 [.40, .60]" in texts(svg)


def test_risk_curve_runs_through_its_points() -> None:
    """Coverage 1 of 44 to 390; risk .2 on an axis from 0 to .2 of 246 to 26."""
    found = RiskCoverage(area=HALF, points=((1.0, 0.2), (0.5, 0.0)))
    line = next(ET.fromstring(risk_plot("r", [Curve("j", found)])).iter(f"{NS}polyline"))
    assert line.get("points") == "217.0,246.0 390.0,26.0"
