import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgesmith.report.blocks import number_cell
from judgesmith.report.interval_plots import Group, Mark, Row, forest_plot, position_bias_plot
from judgesmith.report.numbers import denominator, duration, estimate, figure, money, p_value
from judgesmith.report.results import Number

ANY_FLOAT = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True))
REASON = st.one_of(st.none(), st.text(max_size=300))
NUMBERS = st.builds(
    Number,
    value=ANY_FLOAT,
    low=ANY_FLOAT,
    high=ANY_FLOAT,
    n=st.integers(0, 10**9),
    clusters=st.one_of(st.none(), st.integers(0, 10**6)),
    undefined=REASON.filter(lambda reason: reason is None or "n" not in reason.lower()),
    hidden=REASON.filter(lambda reason: reason is None or "n" not in reason.lower()),
)


def no_stray_state(text: str) -> bool:
    return "nan" not in text.lower().replace("names", "") and "None" not in text


@given(NUMBERS)
def test_no_number_crashes_or_prints_a_state_as_a_value(number: Number) -> None:
    cell = number_cell(number)
    assert cell.text
    assert no_stray_state(cell.text + cell.aside)
    assert "inf" not in cell.text.lower().replace("undefined", "").replace("finite", "")


@given(st.lists(NUMBERS, max_size=4))
def test_no_number_crashes_a_picture(numbers: list[Number]) -> None:
    rows = tuple(Row("judge", Mark.BASELINE, number) for number in numbers)
    for svg in (forest_plot("k", [Group("all", rows)]), position_bias_plot("p", rows)):
        assert svg.startswith("<svg")
        assert no_stray_state(svg)
        assert "inf" not in svg.lower().replace("undefined", "").replace("finite", "")


@given(NUMBERS.filter(lambda number: number.hidden is not None))
def test_a_hidden_number_is_never_written(number: Number) -> None:
    assert estimate(number) == f"hidden: {number.hidden}"
    assert number_cell(number).tone == "soft"


@given(st.floats(-1, 1))
def test_a_figure_reads_back_to_its_rounded_value(value: float) -> None:
    assert math.isclose(float(figure(value)), round(value, 2), abs_tol=1e-9)
    assert not figure(value).startswith(("-0", "0"))


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (Number(value=0.618, low=0.55, high=0.68, n=231), ".62 [.55, .68]"),
        (Number(value=-0.056, low=-0.2, high=0.1, n=25), "-.06 [-.20, .10]"),
        (Number(value=1.0, low=0.996, high=1.0, n=9), "1.00 [1.00, 1.00]"),
        (Number(value=-0.001, low=-0.004, high=0.0, n=9), ".00 [.00, .00]"),
        (Number(value=0.5, n=9), ".50 [no interval]"),
        (Number(value=None, n=0, undefined="no items"), "undefined: no items"),
        (Number(value=float("nan"), n=3), "undefined: not a finite number"),
        (None, "not applicable"),
    ],
)
def test_estimates_as_written(number: Number | None, written: str) -> None:
    assert estimate(number) == written


def test_denominator_names_rows_and_questions() -> None:
    assert denominator(Number(value=0.5, n=1200, clusters=1)) == "n = 1,200, 1 question"


def test_other_quantities() -> None:
    assert p_value(0.0004999) == "< .001"
    assert p_value(0.05) == ".050"
    assert money(float("nan")) == "undefined: not a finite number"
    assert duration(59.94) == "59.9 s"
    assert duration(3600) == "1 h 0 min"
