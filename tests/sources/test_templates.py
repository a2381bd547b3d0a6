"""Templates: what each form gives, and what is said when a row does not fit."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgesmith.sources.templates import (
    RowProblem,
    TemplateError,
    compile_template,
    explain,
    shorten,
    spell,
)

ROW = {
    "id": 7,
    "response 1": "r",
    "none": None,
    "empty": "",
    "flag": True,
    "results": [{"winner": "1"}, {"winner": None}],
    "scores": {"gpt-4.1": {"mean": 2.5}, "a": [1, 2, 3]},
    "flat.name": "f",
    "$stem": "gpt-3.5",
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("constant", "constant"),
        ("", ""),
        ("{id}", 7),
        ("{response 1}", "r"),
        ("{none}", None),
        ("{results.0.winner}", "1"),
        ("{results.-1.winner}", None),
        ("{scores.a.-3}", 1),
        ("{scores.gpt-4.1.mean}", 2.5),
        ("{flat.name}", "f"),
        ("{id}-{response 1}", "7-r"),
        ("x{none}y{empty}{flag}", "xytrue"),
        ("{{{id}}}", "{7}"),
        ("{bucket?}", None),
        ("{results.5.winner?}", None),
        ("{none.deeper?}", None),
        ("a{bucket?}b", "ab"),
        ("{bucket|id}", 7),
        ("{none|id}", None),
        ("{judge|$stem}", "gpt-3.5"),
        ("{judge|'some one'}", "some one"),
        ("{judge|other?}", None),
    ],
)
def test_a_template_gives(text: str, value: Any) -> None:
    assert compile_template(text).get(dict(ROW)) == value


@pytest.mark.parametrize("text", ["{", "}", "{a", "a}b", "{}", "{ }", "{a|}", "{?}", "{a{b}}"])
def test_a_template_that_cannot_be_understood(text: str) -> None:
    with pytest.raises(TemplateError):
        compile_template(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{idd}", "column 'idd' is not in the row; did you mean 'id'? The row has: id, response 1"),
        ("{results.2.winner}", "there is no '2' in 'results'; it is a list of 2"),
        ("{results.0.winer}", "there is no 'winer' in 'results.0'; it has: winner"),
        ("{none.deeper}", "there is no 'deeper' in 'none'; it is None"),
        ("{id.x}-{id}", "there is no 'x' in 'id'; it is 7"),
        ("{nobody|nothing}", "column 'nobody' is not in the row"),
        ("{$judge}", "taken from the file's path"),
    ],
)
def test_what_is_said_when_a_column_is_missing(text: str, said: str) -> None:
    with pytest.raises((KeyError, RowProblem)) as caught:
        compile_template(text).get(dict(ROW))
    message = explain(caught.value, dict(ROW))  # type: ignore[arg-type]
    assert said in message
    assert "$stem" not in message


def test_spelling_tells_values_apart() -> None:
    """Floats that are whole are spelled like the integers they equal; NaN is no null."""
    assert [spell(v) for v in (0, False, 0.0, "0")] == ["0", "false", "0", "0"]
    assert [spell(v) for v in (float("nan"), float("-inf"), 1e300)] == [
        "NaN",
        "-Infinity",
        "1e+300",
    ]
    assert spell({"a": [1, None]}) == '{"a":[1,null]}'
    assert spell(2**80) == str(2**80)
    assert shorten("x" * 100).endswith("...")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.text(), st.dictionaries(st.text(), json_values, max_size=4))
def test_any_template_on_any_row_gives_a_value_or_a_named_problem(
    text: str, row: dict[str, Any]
) -> None:
    try:
        template = compile_template(text)
    except TemplateError:
        return
    try:
        said = spell(template.get(row))
    except (KeyError, RowProblem) as error:
        said = f"problem: {explain(error, row)}"
    assert said is not None


@given(st.dictionaries(st.text(alphabet="ab.", min_size=1, max_size=4), st.integers(), max_size=6))
def test_a_key_with_dots_is_found_under_its_own_name(row: dict[str, int]) -> None:
    for key, value in row.items():
        assert compile_template(f"{{{key}}}").get(dict(row)) == value
